"""Every field comes back, sums are the sums of the rows after whatever was added and deleted, and nothing of a customer stays."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.ledger import By, Filter, Ledger, Spend
from playground.ledger.rows import COMPARED, money, pico
from playground.money import ZERO, Total
from playground.records import Entry
from tests.ledger_helpers import AT, ENTRIES, entry, event

ROOT = Path(__file__).resolve().parents[1]
D = Decimal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(Ledger(path)) as opened:
        yield opened


NAMES: dict[By, object] = {
    "day": lambda e: e.at.date().isoformat(),
    "stage": lambda e: e.receipt.stage,
    "model": lambda e: e.receipt.model,
    "provider": lambda e: e.receipt.provider,
    "plan": lambda e: e.receipt.plan,
    "customer": lambda e: e.customer,
    "purpose": lambda e: e.purpose,
    "pipeline": lambda e: e.receipt.pipeline,
    "provenance": lambda e: e.receipt.provenance,
    "outcome": lambda e: e.receipt.outcome,
    "run": lambda e: e.run,
}


def by_hand(entries: Sequence[Entry], by: Sequence[By]) -> dict[tuple[str | None, ...], Spend]:
    """The same sums, entry by entry."""
    groups: dict[tuple[str | None, ...], list[Entry]] = {} if by else {(): []}
    for e in entries:
        groups.setdefault(tuple(NAMES[name](e) for name in by), []).append(e)  # type: ignore[operator]
    return {key: summed(key, found) for key, found in groups.items()}


def summed(key: tuple[str | None, ...], found: list[Entry]) -> Spend:
    ok = [e for e in found if e.receipt.outcome == "ok"]
    compared = [e for e in ok if e.purpose in COMPARED]
    bad = [e.receipt for e in found if e.receipt.outcome != "ok"]
    return Spend(
        key,
        Total.of(e.receipt.cost_usd for e in found),
        Total.of(e.before_usd for e in compared),
        len(found),
        len(bad),
        len({(e.run, e.receipt.ticket_id, e.customer) for e in found}),
        sum((r.cost_usd for r in bad if r.cost_usd is not None), ZERO),
        sum((e.receipt.saved_usd for e in found if e.receipt.saved_usd is not None), ZERO),
        sum(e.receipt.usage.input_tokens for e in found),
        sum(e.receipt.usage.output_tokens for e in found),
    )


@given(st.lists(ENTRIES, max_size=6))
def test_every_field_comes_back_as_it_went_in(entries: list[Entry]) -> None:
    with closing(Ledger(None)) as ledger:
        assert ledger.add(entries)
        assert [k.entry for k in ledger.entries()] == entries[::-1]


DELETES = st.sampled_from(["acme", "=cmd()", "\U0001f600", "nobody"]) | st.integers(0, 4)
BYS: list[tuple[By, ...]] = [
    (),
    *((n,) for n in NAMES),
    ("model", "stage", "day"),
    ("customer", "day"),
    ("customer", "stage"),
]


@settings(max_examples=40)
@given(st.lists(st.lists(ENTRIES, max_size=8) | DELETES, max_size=6), st.sampled_from(BYS))
def test_sums_are_those_of_the_rows_after_any_adds_and_deletes(
    steps: list[list[Entry] | str | int], by: tuple[By, ...]
) -> None:
    held: list[Entry] = []
    with closing(Ledger(None)) as ledger:
        for step in steps:
            if isinstance(step, list):
                ledger.add(step)
                held += step
            elif isinstance(step, str):
                deleted = ledger.forget_customer(step)
                assert deleted == sum(e.customer == step for e in held)
                held = [e for e in held if e.customer != step]
            else:
                day = AT.date() + timedelta(days=step)
                assert ledger.forget_before(day) == sum(e.at.date() < day for e in held)
                held = [e for e in held if e.at.date() >= day]
        assert {s.key: s for s in ledger.spend(by)} == by_hand(held, by)
        assert [k.entry for k in ledger.entries(limit=1_000)] == held[::-1]


@settings(max_examples=40)
@given(st.lists(ENTRIES, max_size=15), st.lists(ENTRIES, max_size=5), st.data())
def test_a_filter_leaves_what_matches_also_of_what_waits(
    entries: list[Entry], waiting: list[Entry], data: st.DataObject
) -> None:
    with closing(Ledger(None)) as ledger:
        ledger.add(entries)
        ledger._again_at = float("inf")
        assert ledger.add(waiting) is (not waiting and ledger.pending == 0 and False)
        whole = [*entries, *waiting]
        names = data.draw(st.sampled_from(list(combinations(("stages", "models", "customers", "runs", "plans"), 2))))
        chosen = {n: tuple(data.draw(st.sets(st.sampled_from(VALUES[n]), min_size=1))) for n in names}
        where = Filter("live", AT.date() + timedelta(days=1), AT.date() + timedelta(days=2), **chosen)  # type: ignore[arg-type]
        held = [e for e in whole if matches(e, where)]
        by = data.draw(st.sampled_from(BYS))
        assert {s.key: s for s in ledger.spend(by, where)} == by_hand(held, by)
        assert [k.entry for k in ledger.entries(where, 1_000)] == held[::-1]


VALUES = {
    "stages": ["intent", "draft"], "models": ["gpt-5.4-mini", "none"], "customers": ["acme", ""], "runs": ["run-1"],
    "plans": ["before", "kr-auto"],
}  # fmt: skip


def matches(e: Entry, where: Filter) -> bool:
    assert where.since is not None
    assert where.until is not None
    named = (
        (where.stages, e.receipt.stage), (where.models, e.receipt.model), (where.customers, e.customer or ""),
        (where.runs, e.run), (where.plans, e.receipt.plan),
    )  # fmt: skip
    return (
        e.receipt.provenance == where.provenance
        and where.since <= e.at.date() <= where.until
        and all(not wanted or value in wanted for wanted, value in named)
    )


@pytest.mark.parametrize("usd", [None, "0", "0.000000000001", "9223372.036854775807"])
def test_money_is_exact(usd: str | None) -> None:
    given_usd = None if usd is None else D(usd)
    assert money(pico(given_usd)) == given_usd


def test_what_no_integer_holds_is_unpriced_and_sums_may_be_larger_than_one(ledger: Ledger) -> None:
    large = D("9000000")
    ledger.add([entry(cost_usd=large, stage=stage) for stage in ("intent", "draft")])
    ledger.add([entry(cost_usd=D("1e9"), stage="check")])
    (whole,) = ledger.spend()
    assert whole.total == Total(large * 2, 1)


def test_nothing_kept_is_a_sum_of_nothing(ledger: Ledger) -> None:
    assert ledger.spend() == (Spend((), Total(), Total(), 0, 0, 0),)
    assert ledger.spend(("day",)) == ledger.entries() == ledger.events() == ledger.names("model") == ()
    assert ledger.days() is None


def test_a_time_of_another_zone_falls_on_its_day_in_utc(ledger: Ledger) -> None:
    early = datetime(2026, 11, 2, 1, tzinfo=timezone(timedelta(hours=5)))
    ledger.add([replace(entry(), at=early)])
    assert ledger.spend(("day",))[0].key == ("2026-11-01",)
    assert ledger.entries()[0].entry.at == early
    assert ledger.days() == (date(2026, 11, 1), date(2026, 11, 1))


def test_evaluations_are_compared_with_nothing(ledger: Ledger) -> None:
    ledger.add([entry(purpose="shadow"), entry(before=None), entry()])
    assert [(s.key, s.before) for s in ledger.spend(("purpose",))] == [
        (("shadow",), Total()),
        (("ticket",), Total(D("0.01"), 1)),
    ]


def test_receipts_are_paged_newest_first(ledger: Ledger) -> None:
    ledger.add([entry(ticket_id=f"t{n}") for n in range(5)])
    first = ledger.entries(limit=2)
    rest = ledger.entries(limit=9, before_id=first[-1].id)
    assert [k.entry.receipt.ticket_id for k in (*first, *rest)] == ["t4", "t3", "t2", "t1", "t0"]


def test_events_come_in_order_and_by_kind(ledger: Ledger) -> None:
    for at, kind in ((2, "cut over"), (0, "handover"), (1, "failover")):
        assert ledger.note(event(at, kind=kind))
    assert [e.kind for e in ledger.events()] == ["handover", "failover", "cut over"]
    assert ledger.events(kinds=("failover",)) == (event(1, kind="failover"),)
    assert ledger.events(Filter("rehearsal")) == ledger.events(Filter(customers=("other",))) == ()


def test_threads_that_add_at_once_lose_nothing(ledger: Ledger) -> None:
    barrier = threading.Barrier(8)

    def add(me: int) -> None:
        barrier.wait()
        assert all([ledger.add([entry(ticket_id=f"{me}-{n}", customer=str(me))]) for n in range(25)])

    running = [threading.Thread(target=add, args=(me,)) for me in range(8)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert [(s.key, s.attempts, s.tickets) for s in ledger.spend(("customer",))] == [
        ((str(n),), 25, 25) for n in range(8)
    ]
    assert len({k.entry.receipt.ticket_id for k in ledger.entries(limit=500)}) == 200


def test_what_is_added_is_on_the_disk_when_add_returns(path: Path) -> None:
    code = """
import os, sys
from pathlib import Path
from playground.ledger import Ledger
from tests.ledger_helpers import entry
ledger = Ledger(Path(sys.argv[1]))
assert ledger.add([entry(ticket_id="kept")])
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", code, str(path)], cwd=ROOT).returncode == 9
    with closing(Ledger(path)) as again:
        assert [k.entry.receipt.ticket_id for k in again.entries()] == ["kept"]


def test_several_processes_fill_one_file(path: Path) -> None:
    code = """
import sys
from pathlib import Path
from playground.ledger import Ledger
from tests.ledger_helpers import entry
ledger = Ledger(Path(sys.argv[1]))
assert all([ledger.add([entry(run=sys.argv[2], ticket_id=str(n))]) for n in range(50)]), ledger.problem
"""
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(path), name], cwd=ROOT, stderr=subprocess.PIPE)
        for name in "xyz"
    ]
    assert [(p.communicate(timeout=60)[1], p.returncode) for p in running] == [(b"", 0)] * 3
    with closing(Ledger(path)) as ledger:
        assert [(s.key, s.tickets) for s in ledger.spend(("run",))] == [(("x",), 50), (("y",), 50), (("z",), 50)]


MARK = "Umbrella-Korp-7731"


def bytes_of(path: Path) -> bytes:
    return b"".join(p.read_bytes() for p in path.parent.iterdir())


def test_nothing_of_a_forgotten_customer_is_left_in_the_file(ledger: Ledger, path: Path) -> None:
    many = [entry(n % 4, MARK if n % 3 else "acme", ticket_id=f"{MARK}-{n}" if n % 3 else "t", text=MARK * 9 if n % 3 else None)
            for n in range(3_000)]  # fmt: skip
    for start in range(0, 3_000, 500):
        ledger.add(many[start : start + 500])
    ledger.note(event(customer=MARK, said=f"{MARK} asked for a person.", ticket_id=MARK))
    ledger.note(event(customer="acme"))
    assert MARK.encode() in bytes_of(path)
    assert ledger.forget_customer(MARK) == 2_000
    left = bytes_of(path)
    assert MARK.encode() not in left
    assert MARK[:12].encode() not in left
    assert b"acme" in left
    assert ledger.names("customer") == ("acme",)
    assert {s.key: s for s in ledger.spend(("stage",))} == by_hand(
        [e for e in many if e.customer == "acme"], ("stage",)
    )
    assert [e.customer for e in ledger.events()] == ["acme"]


def test_the_past_is_forgotten_and_its_pages_are_given_back(ledger: Ledger, path: Path) -> None:
    ledger.add([entry(0, f"old-{n}", text="x" * 2_000) for n in range(500)])
    ledger.add([entry(2)])
    ledger.note(event(0))
    before = len(bytes_of(path))
    assert ledger.forget_before(AT.date() + timedelta(days=1)) == 500
    assert len(bytes_of(path)) < before / 4
    assert b"old-" not in bytes_of(path)
    assert ledger.spend() == tuple(by_hand([entry(2)], ()).values())
    assert ledger.events() == ()
    assert ledger.days() == (date(2026, 11, 3), date(2026, 11, 3))


def test_in_memory_too_a_customer_is_forgotten_after_the_ledger_was_read() -> None:
    with closing(Ledger(None)) as ledger:
        ledger.add([entry(0), entry(0, customer="beta")])
        ledger.note(event(0))
        assert ledger.spend()[0].attempts == 2
        assert ledger.forget_customer("acme") == 1
        assert (ledger.spend()[0].attempts, ledger.events()) == (1, ())
        assert ledger.names("customer") == ("beta",)
        assert ledger.forget_before(date(2027, 1, 1)) == 1
        assert ledger.entries() == ()


def test_forecasts_and_verdicts_grow_not_old(path: Path) -> None:
    today = date(2026, 12, 31)
    kinds = ("forecast", "cut over", "keep", "handover", "delivered")
    with closing(Ledger(path, today=lambda: today)) as ledger:
        ledger.add([entry(0)])
        for kind in kinds:
            ledger.note(event(0, customer=None, kind=kind))
        assert ledger.keep_for(30) == 1
        assert [e.kind for e in ledger.events()] == ["forecast", "cut over", "keep"]
    with closing(Ledger(None)) as waiting:
        for kind in kinds:
            waiting.note(event(0, customer=None, kind=kind))
        waiting.note(event(1, kind="forecast"))
        waiting.forget_before(today)
        assert [e.kind for e in waiting.events()] == ["forecast", "cut over", "keep", "forecast"]
        waiting.forget_customer("acme")
        assert [e.kind for e in waiting.events()] == ["forecast", "cut over", "keep"]


def test_receipts_are_kept_for_as_long_as_was_asked_for(path: Path) -> None:
    today = [date(2026, 11, 3)]
    with closing(Ledger(path, today=lambda: today[0])) as ledger:
        ledger.add([entry(0), entry(1), entry(2)])
        assert ledger.keep_days is None
        assert ledger.keep_for(1) == 1
        assert [s.key for s in ledger.spend(("day",))] == [("2026-11-02",), ("2026-11-03",)]
        today[0] = date(2026, 11, 4)
        ledger.add([entry(3)])
        assert [s.key for s in ledger.spend(("day",))] == [("2026-11-03",), ("2026-11-04",)]
    today[0] = date(2026, 11, 5)
    with closing(Ledger(path, today=lambda: today[0])) as again:
        assert again.keep_days == 1
        assert again.days() == (date(2026, 11, 4), date(2026, 11, 4))
        assert again.keep_for(None) == 0
    today[0] = date(2027, 11, 5)
    with closing(Ledger(path, today=lambda: today[0])) as later:
        assert later.spend()[0].attempts == 1


def test_deleting_says_where_another_reader_keeps_the_journal(
    ledger: Ledger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from playground.ledger import LedgerError

    ledger.add([entry()])
    with closing(Ledger(path)) as other:
        reader = other._reading()
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM main.receipt").fetchone()
        assert ledger._writer is not None
        ledger._writer.execute("PRAGMA busy_timeout = 50")
        with pytest.raises(LedgerError, match="Deleted, but another program is reading .*delete again"):
            ledger.forget_customer("acme")
        reader.execute("COMMIT")
        assert ledger.forget_customer("acme") == 0
    assert b"acme" not in bytes_of(path)
