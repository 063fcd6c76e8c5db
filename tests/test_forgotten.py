"""What began before a customer was deleted does not bring it back, in whichever store."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from playground.answer_store import Answers
from playground.forgotten import DELETIONS, Deletions
from playground.jobs import Jobs
from playground.ledger import Ledger
from tests.ledger_helpers import entry, event


def test_only_what_began_before_the_deletion_is_late() -> None:
    found = Deletions()
    assert not found.since("acme", 0)
    found.note("acme")
    assert found.since("acme", 0)
    assert not found.since("acme", found.count)
    assert not found.since("other", 0)
    assert not found.since(None, 0)
    found.note("acme")
    assert found.since("acme", 1)


def test_no_name_stays() -> None:
    found = Deletions()
    found.note("acme-gmbh")
    assert "acme-gmbh" not in repr(vars(found))


def test_receipts_and_events_of_a_run_under_way_are_let_go(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path / "ledger.sqlite")) as ledger:
        began = DELETIONS.count
        ledger.add([entry()], began)
        assert ledger.forget_customer("acme") == 1
        ledger.add([entry(), entry(customer="other")], began)
        ledger.note(event(), began)
        assert ledger.names("customer") == ("other",)
        assert ledger.events() == ()
        ledger.add([entry()], DELETIONS.count)
        assert ledger.names("customer") == ("acme", "other")


def test_a_unit_of_work_under_way_is_let_go(tmp_path: Path) -> None:
    with closing(Jobs(tmp_path / "jobs.sqlite")) as jobs:
        began = DELETIONS.count
        jobs.forget_customer("acme")
        assert jobs.add("job", "1", {"customer": "acme"}, began)
        assert jobs.add("job", "2", {"customer": "other"}, began)
        assert list(jobs.done("job")) == ["2"]
        assert jobs.add("job", "1", {"customer": "acme"}, DELETIONS.count)
        assert set(jobs.done("job")) == {"1", "2"}


def test_an_answer_to_a_call_under_way_is_let_go(tmp_path: Path) -> None:
    with closing(Answers(tmp_path / "answers.sqlite")) as answers:
        began = DELETIONS.count
        answers.forget("acme")
        assert not answers.put("key", "acme", "text", began)
        assert answers.put("key", "other", "text", began)
        assert answers.put("new", "acme", "text", DELETIONS.count)


def test_a_ledger_of_many_pages_holds_no_byte_of_a_deleted_customer(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with closing(Ledger(path)) as ledger:
        for n in range(120):
            who = f"quillmark-{n % 3}"
            ledger.add([entry(customer=who, ticket_id=f"{who}-{n}", text=f"{who} " * (n % 40))])
        ledger.note(event(customer="quillmark-0"))
        assert ledger.forget_customer("quillmark-0") == 40
        assert not [p.name for p in tmp_path.iterdir() if b"quillmark-0" in p.read_bytes()]
        assert ledger.spend()[0].attempts == 80
