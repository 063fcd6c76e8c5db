"""The command line: one object with decimal strings, and one clear line on standard error for bad input."""

from __future__ import annotations

import io
import json
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from playground import tickets
from playground.cli import main
from playground.records import PLANS

STAGE_KEYS = {
    "stage", "calls", "model", "effort", "input_tokens", "output_tokens", "cost_usd", "before_cost_usd", "reason",
}  # fmt: skip


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:  # type: ignore[type-arg]
    assert main(["run", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("pipeline", ["support", "article-2025"])
def test_a_run_prints_the_documented_object(capsys: pytest.CaptureFixture[str], plan: str, pipeline: str) -> None:
    data = run_json(capsys, "03-double-charge", "--plan", plan, "--pipeline", pipeline)
    assert (data["plan"], data["provenance"]) == (plan, "rehearsal")
    assert [s["calls"] for s in data["stages"]] == [1, 3, 1, 1, 1, 1]
    assert all(set(s) >= STAGE_KEYS for s in data["stages"])
    assert sum(Decimal(s["cost_usd"]) for s in data["stages"]) == Decimal(data["cost_usd"])
    assert sum(Decimal(s["before_cost_usd"]) for s in data["stages"]) == Decimal(data["before_cost_usd"])
    assert "E" not in data["cost_usd"]


def test_the_shape_of_the_article_shows(capsys: pytest.CaptureFixture[str]) -> None:
    data = run_json(capsys, "01-double-charge-angry", "--plan", "before")
    assert sum(s["calls"] for s in data["stages"]) == 8
    assert 14_000 < sum(s["input_tokens"] + s["output_tokens"] for s in data["stages"]) < 26_000


@pytest.mark.parametrize("name", tickets.sample_names())
def test_every_sample_runs(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert Decimal(run_json(capsys, name)["cost_usd"]) > 0


def test_a_ticket_from_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"I was charged twice."), encoding="utf-8"))
    assert len(run_json(capsys, "-")["stages"]) == 6


def test_the_text_form_names_provenance_and_price_date(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "02-password-reset"]) == 0
    out = capsys.readouterr().out
    assert "Rehearsal: no model was called. Prices of 20" in out
    assert "This ticket" in out


def write(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.md", b"", "The ticket is empty"),
        ("a.md", b"ab\xff", "byte 2 is not UTF-8"),
        ("a.md", b"---\nid: [\n---\nx", "not valid YAML"),
    ],
)
def test_a_bad_ticket_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    assert main(["run", write(tmp_path, name, content)]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name: x", "missing"),
        (b"name: x\nextends: support\nbefor: y", "unknown key"),
        (b"name: x\nextends: support\nstages: [{key: draft, before: gpt-99}]", "gpt-99"),
    ],
)
def test_a_bad_pipeline_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, words: str
) -> None:
    assert main(["run", "02-password-reset", "--pipeline", write(tmp_path, "own.yaml", content)]) == 2
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "no-such"],
        ["run", "02-password-reset", "--pipeline", "nope"],
        ["run", "02-password-reset", "--pipeline", "no.yaml"],
    ],
)
def test_a_name_that_does_not_exist_lists_what_does(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("arguments", [["run", "02-password-reset", "--plan", "cheapest"], ["walk"], []])
def test_arguments_that_do_not_exist_are_exit_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_a_ticket_that_fits_no_context_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["run", write(tmp_path, "long.txt", b"refund " * 280_000), "--plan", "before"]) == 2
    captured = capsys.readouterr()
    assert "context" in captured.err
    assert captured.out == ""


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_no_file_can_have_is_one_line(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["run", name]) == 2
    assert capsys.readouterr().err.count("\n") == 1
