"""The digest from a terminal: printed, sent once, and the address only ever in the environment."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from playground.cli import main
from playground.ledger import Ledger
from tests.test_digest import entry
from tests.webhook_server import SECRET, webhook

NAME = "DIGEST_TEST_WEBHOOK"


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    path = tmp_path / "ledger.sqlite"
    books = Ledger(path)
    books.add([entry("1", before="2")])
    books.close()
    return str(path)


def run(*args: str) -> int:
    return main(["digest", "--day", "2026-11-25", *args])


def test_it_is_printed_as_markdown_or_as_what_slack_gets(ledger: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--ledger", ledger, "--markdown") == 0
    assert capsys.readouterr().out.startswith("# Support agent, 25 November 2026")
    assert run("--ledger", ledger, "--json") == 0
    assert json.loads(capsys.readouterr().out)["blocks"][0]["type"] == "header"


def test_a_day_is_sent_once_unless_it_is_asked_for_again(
    ledger: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook() as fake:
        monkeypatch.setenv(NAME, fake.address)
        send = ("--ledger", ledger, "--webhook-env", NAME)
        assert [run(*send), run(*send), run(*send, "--again")] == [0, 0, 0]
    assert len(fake.got) == 2
    said = capsys.readouterr()
    assert "went out before" in said.out
    assert SECRET not in said.out + said.err


def test_a_day_of_rehearsals_is_sent_only_where_it_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    books = Ledger(tmp_path / "ledger.sqlite")
    books.add([entry("1", provenance="rehearsal")])
    books.close()
    send = ("--ledger", str(tmp_path / "ledger.sqlite"), "--webhook-env", NAME)
    with webhook() as fake:
        monkeypatch.setenv(NAME, fake.address)
        assert run(*send) == 0
        assert "no live receipts, so nothing was sent" in capsys.readouterr().out
        assert fake.got == []
        assert run(*send, "--rehearsals") == 0
    assert len(fake.got) == 1


def test_a_refusal_is_one_line_and_exit_code_two(
    ledger: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook((403, "invalid_token")) as fake:
        monkeypatch.setenv(NAME, fake.address)
        assert run("--ledger", ledger, "--webhook-env", NAME) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "refused the webhook (403, invalid_token)" in told
    assert SECRET not in told


def test_what_is_missing_is_one_line(ledger: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--ledger", str(tmp_path / "none.sqlite")) == 2
    assert "there is no ledger yet" in capsys.readouterr().err
    assert not (tmp_path / "none.sqlite").exists()
    assert run("--ledger", ledger, "--webhook-env", "NOT_SET_ANYWHERE") == 2
    assert "NOT_SET_ANYWHERE is not set" in capsys.readouterr().err
    (tmp_path / "odd.sqlite").write_bytes(b"no database at all" * 100)
    assert run("--ledger", str(tmp_path / "odd.sqlite")) == 2
    assert "ledger" in capsys.readouterr().err
    assert main(["digest", "--ledger", ledger, "--day", "2026-01-01"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("2026-01-01: no receipts")
    assert "--day" in said


def test_a_day_that_nobody_named_is_yesterday_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.cli.digest.now_utc", lambda: datetime(2026, 3, 5, 1, tzinfo=UTC))
    books = Ledger(tmp_path / "ledger.sqlite")
    books.close()
    assert main(["digest", "--ledger", str(tmp_path / "ledger.sqlite"), "--markdown"]) == 0
    assert capsys.readouterr().out == (
        "2026-03-04 (yesterday): no receipts, so there is no digest. Choose another day with --day, such as --day 2026-03-05.\n"
    )
