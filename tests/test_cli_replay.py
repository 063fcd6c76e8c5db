"""`run --save` and `replay` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground.cli import main
from tests.recorded_helpers import raw_of, rehearsed, saved_tree

TICKET = "02-password-reset"


def test_a_saved_run_is_replayed_to_the_last_digit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.json"
    assert main(["run", TICKET, "--save", str(file), "--json"]) == 0
    ran = json.loads(capsys.readouterr().out)
    assert main(["replay", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    recorded = found.pop("recorded")
    assert (recorded["from"], recorded["notes"]) == ("rehearsal", [])
    assert recorded["label"].endswith("from a rehearsal: no model was called.")
    assert ran.pop("around") == []
    assert found == {**ran, "provenance": "recorded"}
    assert list(tmp_path.iterdir()) == [file]


def test_as_text_it_says_what_it_is_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "run.json"
    main(["run", TICKET, "--save", str(file)])
    ran = capsys.readouterr().out.splitlines()
    assert main(["replay", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Recorded on ")
    assert "Prices of 2026-10-21" in lines[0]
    assert lines[1:] == ran[1:]


def test_no_key_of_the_environment_and_no_address_gets_into_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOUSE_API_KEY", "plainwordsecret")
    ticket, file = tmp_path / "t.md", tmp_path / "run.json"
    ticket.write_text("Our key is plainwordsecret. Write to ann@example.com or call +49 170 1234567.", encoding="utf-8")
    assert main(["run", str(ticket), "--save", str(file), "--without-personal-data", "--json"]) == 0
    text = file.read_text(encoding="utf-8")
    assert not any(private in text for private in ("plainwordsecret", "ann@example.com", "170 1234567"))


@pytest.mark.parametrize("name", ["missing.json", "folder", "text.json", "\0"])
def test_a_file_that_cannot_be_replayed_is_one_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.json").write_text("hello", encoding="utf-8")
    assert main(["replay", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_where_a_run_cannot_be_saved_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", TICKET, "--save", str(tmp_path / "no" / "run.json")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_hostile_file_moves_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = saved_tree(*rehearsed())
    tree["steps"][0]["decision"]["reason"] = "fine\x1b[2J\x1b]0;owned\x07"
    tree["ticket"]["id"] = "t\x9b31m"
    file = tmp_path / "run.json"
    file.write_bytes(raw_of(tree))
    assert main(["replay", str(file)]) == 0
    assert not {"\x1b", "\x07", "\x9b"} & set(capsys.readouterr().out)
