"""A file that cannot be used is a sentence with a way on and is left as it is; what was paid waits in memory and is not lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from playground.jobs import Jobs
from playground.ledger import Filter, Ledger, LedgerError, schema
from playground.ledger.forgetting import NO_CUSTOMER, forget_everywhere
from playground.money import Total
from playground.records import PlanNote
from tests.ledger_helpers import AT, entry, event

DATA = Path(__file__).parent / "data"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "ledger.sqlite"


class Clock:
    """Monotonic seconds that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "BUSY_TIMEOUT_S", 0.05)


def write(path: Path, *statements: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def damage(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        ledger.add([entry(ticket_id=str(n)) for n in range(300)])
    data = bytearray(path.read_bytes())
    data[4096 * 2 : 4096 * 6] = b"\x5a" * 4096 * 4
    path.write_bytes(data)


def text(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("not a database, " * 100)


def foreign(path: Path) -> None:
    write(path, "CREATE TABLE unit (job TEXT)", "PRAGMA user_version = 1")


def newer(path: Path) -> None:
    Ledger(path).close()
    write(path, "PRAGMA user_version = 99")


def half(path: Path) -> None:
    Ledger(path).close()
    write(path, "DROP TABLE by_cell")


@pytest.mark.parametrize(
    ("spoil", "words", "damaged"),
    [
        (damage, "is damaged. Set it aside to start a new one", True),
        (text, "is damaged. Set it aside", True),
        (half, "is damaged. Set it aside", True),
        (foreign, "is not a ledger. Move it away, or choose another folder with TICKET_PLAYGROUND_HOME", False),
        (newer, "newer version of this program. Update the program, or choose another folder", False),
    ],
)
def test_a_file_that_cannot_be_used_is_left_alone_and_receipts_wait(
    path: Path, spoil: object, words: str, damaged: bool
) -> None:
    spoil(path)  # type: ignore[operator]
    before = path.read_bytes()
    with closing(Ledger(path)) as ledger:
        assert words in ledger.problem
        assert str(path) in ledger.problem
        assert "Until then receipts are kept in memory" in ledger.problem
        assert ledger.damaged is damaged
        assert not ledger.add([entry()])
        assert [k.entry for k in ledger.entries()] == [entry()]
        assert ledger.spend()[0].attempts == 1
        with pytest.raises(LedgerError, match="Nothing was deleted"):
            ledger.forget_customer("acme")
        assert path.read_bytes() == before


def test_a_damaged_file_is_set_aside_whole_and_what_waited_is_written(path: Path) -> None:
    damage(path)
    before = path.read_bytes()
    with closing(Ledger(path)) as ledger:
        ledger.add([entry()])
        ledger.note(event())
        aside = ledger.set_aside()
        assert aside.read_bytes() == before
        assert (ledger.problem, ledger.damaged, ledger.pending) == ("", False, 0)
    with closing(Ledger(path)) as again:
        assert [k.entry for k in again.entries()] == [entry()]
        assert again.events() == (event(),)


def test_a_locked_file_is_said_and_written_to_as_soon_as_it_is_free(path: Path, clock: Clock) -> None:
    with closing(Ledger(path, clock)) as ledger:
        ledger.add([entry(ticket_id="before")])
        assert ledger._writer is not None
        ledger._writer.execute("PRAGMA busy_timeout = 50")
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert not ledger.add([entry(ticket_id="while")])
            assert "Another program holds the ledger" in ledger.problem
            assert [k.entry.receipt.ticket_id for k in ledger.entries()] == ["while", "before"]
            assert ledger.spend()[0].tickets == 2
            other.execute("ROLLBACK")
        assert not ledger.add([entry(ticket_id="soon")])
        clock.now += 10
        assert ledger.add([entry(ticket_id="after")])
        assert ledger.problem == ""
    with closing(Ledger(path)) as again:
        assert [k.entry.receipt.ticket_id for k in again.entries()] == ["after", "soon", "while", "before"]
        assert again.spend()[0].attempts == 4


def test_a_file_that_is_locked_from_the_start_is_opened_later_by_a_question(path: Path, clock: Clock) -> None:
    with closing(Ledger(path)) as first:
        first.add([entry()])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        ledger = Ledger(path, clock)
        assert "Another program holds the ledger" in ledger.problem
        other.execute("ROLLBACK")
    clock.now += 10
    assert ledger.spend()[0].attempts == 1
    assert ledger.problem == ""
    ledger.close()


def test_a_full_disk_loses_nothing(path: Path, clock: Clock) -> None:
    with closing(Ledger(path, clock)) as ledger:
        ledger.add([entry()])
        assert ledger._writer is not None
        (pages,) = ledger._writer.execute("PRAGMA page_count").fetchone()
        ledger._writer.execute(f"PRAGMA max_page_count = {pages}")
        many = [entry(ticket_id=f"t{n}", text="x" * 500) for n in range(50)]
        assert not ledger.add(many)
        assert "The disk is full" in ledger.problem
        assert "Free some space" in ledger.problem
        assert ledger.pending == 50
        assert ledger.spend()[0].attempts == 51
        clock.now += 10
        assert ledger.add([entry()])
        assert (ledger.pending, ledger.spend()[0].attempts) == (0, 52)


def test_a_file_that_may_only_be_read_still_answers(path: Path, clock: Clock) -> None:
    with closing(Ledger(path, clock)) as ledger:
        ledger.add([entry()])
        assert ledger._writer is not None
        ledger._writer.execute("PRAGMA query_only = ON")
        assert not ledger.add([entry()])
        assert "cannot be written. Allow writing to it and to its folder" in ledger.problem
        assert ledger.spend()[0].attempts == 2


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with closing(Ledger(tmp_path / "file" / "ledger.sqlite")) as ledger:
        assert "cannot be written" in ledger.problem
        ledger.add([entry()])
        assert ledger.spend()[0].attempts == 1


def test_a_file_that_fails_under_a_question_is_an_error_with_a_way_on(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        ledger.add([entry()])
        assert ledger._writer is not None
        ledger._writer.execute("DROP TABLE by_cell")
        with pytest.raises(LedgerError, match="could not be used"):
            ledger.spend(("stage",))
        assert "could not be used" in ledger.problem


def test_a_row_that_cannot_be_written_takes_nobody_along(path: Path, clock: Clock) -> None:
    with closing(Ledger(path, clock)) as ledger:
        huge = entry(call=2**70)
        assert not ledger.add([huge])
        assert "OverflowError" in ledger.problem


def test_what_is_added_after_closing_raises_nothing(path: Path) -> None:
    ledger = Ledger(path)
    ledger.close()
    assert not ledger.add([entry()])
    assert ledger.problem == "The ledger is closed. Open it again."


def test_an_older_file_is_brought_up_to_date_and_an_older_program_leaves_it_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Ledger(path)) as one:
        one.add([entry()])
    released = schema.MIGRATIONS
    step = ("ALTER TABLE event ADD COLUMN note", "CREATE INDEX event_by_day ON event (day)")
    monkeypatch.setattr(schema, "MIGRATIONS", (*released, step))
    for n in (1, 2):
        with closing(Ledger(path)) as two:
            assert (two.problem, [k.entry for k in two.entries()]) == ("", [entry()] * n)
            assert two.add([entry()])
    write(path, "UPDATE event SET note = ''")
    monkeypatch.setattr(schema, "MIGRATIONS", released)
    with closing(Ledger(path)) as old:
        assert "newer version" in old.problem


OLD = (
    entry(),
    entry(1, "Zo\u00eb, <b>Ltd</b>", plan="before", cost_usd=None),
    entry(2, None, outcome="failed", failure="timeout"),
    entry(2, "acme", "other", purpose="shadow", stage="judge"),
)
"""What the programs of versions 1 and 2 wrote into the files in tests/data, which are dumps of theirs."""


def older(path: Path, version: int) -> None:
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((DATA / f"ledger-v{version}.sql").read_text("utf-8"))


@pytest.mark.parametrize(("version", "days"), [(1, None), (2, 36_500)])
def test_a_file_of_an_older_version_keeps_every_row_and_every_sum(path: Path, version: int, days: int | None) -> None:
    older(path, version)
    with closing(Ledger(path)) as now:
        assert (now.problem, now.keep_days) == ("", days)
        assert tuple(k.entry for k in now.entries()) == OLD[::-1]
        assert now.events() == (event(),)
        assert now.plan_notes() == ()
        told = now.spend(("assurance",))
        assert [(s.key, s.attempts, s.total) for s in told] == [((None,), 4, Total(Decimal("0.0036"), 1))]
        # What is added and taken out again meets the same sums.
        assert now.add([entry(3, assurance="proven"), entry(3, assurance="estimated")])
        assert [(s.key[0], s.attempts) for s in now.spend(("assurance",))] == [
            (None, 4),
            ("estimated", 1),
            ("proven", 1),
        ]
        assert now.spend((), Filter(assurances=("proven",)))[0].attempts == 1
        assert now.forget_customer("acme") == 4
        assert [(s.key[0], s.attempts) for s in now.spend(("assurance",))] == [(None, 2)]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (len(schema.MIGRATIONS),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_older_file_whose_migration_is_stopped_half_way_is_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older(path, 2)
    before = path.read_bytes()
    *first, third = schema.MIGRATIONS
    monkeypatch.setattr(schema, "MIGRATIONS", (*first, (*third, "CREATE TABLE receipt (x)")))
    with closing(Ledger(path)) as ledger:
        assert "could not be used" in ledger.problem
    assert path.read_bytes() == before


def test_a_file_of_the_third_version_without_its_verdicts_is_damaged(path: Path) -> None:
    Ledger(path).close()
    write(path, "DROP TABLE plan_note")
    with closing(Ledger(path)) as ledger:
        assert ledger.damaged


def test_a_new_file_has_the_tables_of_one_that_was_brought_up_to_date(path: Path) -> None:
    older(path, 1)
    Ledger(path).close()
    other = path.with_name("new.sqlite")
    Ledger(other).close()
    told = []
    for file in (path, other):
        with closing(sqlite3.connect(file)) as connection:
            told.append(connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall())
    assert told[0] == told[1]


def note(value: str = "on", pipeline: str = "support", **changes: Any) -> PlanNote:
    usual: dict[str, Any] = {"kind": "guard", "subject": "gate", "provenance": "live", "said": "On the Plan page."}
    return PlanNote(AT, pipeline=pipeline, value=value, **(usual | changes))


def test_what_was_decided_outlives_the_program_the_retention_and_a_customer(path: Path) -> None:
    with closing(Ledger(path)) as one:
        assert one.note_plan(note("on"))
        assert one.note_plan(note("\ud800", "rag"))
        assert one.note_plan(note("off"))
    with closing(Ledger(path)) as two:
        two.forget_before(date(2030, 1, 1))
        two.forget_customer("acme")
        assert [n.value for n in two.plan_notes("support")] == ["on", "off"]
        assert two.plan_notes("support")[0] == note("on")
        assert len(two.plan_notes()) == 3


def test_what_is_decided_while_the_file_is_locked_waits_and_is_seen(path: Path, clock: Clock) -> None:
    with closing(Ledger(path, clock)) as ledger:
        ledger.note_plan(note("on"))
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert not ledger.note_plan(note("off"))
            assert [n.value for n in ledger.plan_notes()] == ["on", "off"]
            other.execute("ROLLBACK")
        clock.now += 10
        assert ledger.note_plan(note("on"))
        assert [n.value for n in ledger.plan_notes()] == ["on", "off", "on"]


def test_a_migration_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Ledger(path).close()
    before = path.read_bytes()
    bad = ("CREATE TABLE more (x)", "CREATE TABLE receipt (x)")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, bad))
    with closing(Ledger(path)) as ledger:
        assert "could not be used" in ledger.problem
    assert path.read_bytes() == before


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    with closing(Jobs(tmp_path / "jobs.sqlite")) as opened:
        yield opened


def pair(customer: str, ticket: str) -> dict[str, object]:
    return {"pairs": {"gpt": {"customer": customer, "ticket": ticket, "texts": [f"{customer} writes", "a", "b"]}}}


def test_a_customer_is_forgotten_by_every_store(path: Path, jobs: Jobs, tmp_path: Path) -> None:
    from playground.answer_store import Answers

    with closing(Ledger(path)) as ledger, closing(Answers(tmp_path / "answers.sqlite")) as answers:
        ledger.add([entry(customer="Umbrella"), entry()])
        for tenant in ("Umbrella", "acme"):
            answers.put(f"key-{tenant}", tenant, f"{tenant} asks")
        jobs.add("job", "1", pair("Umbrella", "T-1"))
        jobs.add("job", "2", pair("acme", "T-2"))
        jobs.add("job", "3", {"done": True})
        for ticket in ("T-1", "T-2"):
            jobs.add("job/labels", f"gpt {ticket}", {"candidate": "gpt", "ticket": ticket, "value": 1.0})
        gone = forget_everywhere("Umbrella", ledger, jobs, answers)
        assert (gone.receipts, gone.answers, gone.units, gone.problems) == (1, 1, 1, ())
        assert set(jobs.done("job")) == {"2", "3"}
        assert [found["ticket"] for found in jobs.done("job/labels").values()] == ["T-2"]
        left = b"".join(p.read_bytes() for p in [*tmp_path.rglob("*.sqlite*")])
        assert b"Umbrella" not in left
        assert b"acme" in left


def test_files_that_were_set_aside_are_named(path: Path) -> None:
    text(path)
    with closing(Ledger(path)) as ledger:
        ledger.set_aside()
        gone = forget_everywhere("Umbrella", ledger, None, None)
    assert len(gone.problems) == 1
    assert f"may still hold this customer: ledger.sqlite.aside-1 in {path.parent}" in gone.problems[0]


def test_a_store_that_fails_stops_no_other(path: Path, jobs: Jobs) -> None:
    foreign(path)
    jobs.add("job", "1", pair("Umbrella", "T-1"))
    with closing(Ledger(path)) as ledger:
        gone = forget_everywhere("Umbrella", ledger, jobs, None)
        assert (gone.receipts, gone.units) == (0, 1)
        assert "Nothing was deleted" in gone.problems[0]
        assert forget_everywhere("", ledger, jobs, None).problems == (NO_CUSTOMER,)
