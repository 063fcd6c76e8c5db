"""What an agent's file has on stands around the commands' runs too, and the commands say so."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from playground.cli import main
from playground.knowledge import SAMPLES
from playground.report.around import PRICED_WITHOUT

SAMPLE = "02-password-reset"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKET_PLAYGROUND_HOME", str(tmp_path / "home"))


def agent(folder: Path, runtime: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(f"name: mine\ntitle: Mine\nextends: support\nstages: []\nruntime: {runtime}\n", encoding="utf-8")
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["run", *arguments]) == 0
    return capsys.readouterr().out


def test_a_cap_of_zero_holds_every_call_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = agent(tmp_path, "{cost_caps: {call_usd: 0}}")
    found = json.loads(run(capsys, SAMPLE, "--pipeline", flow, "--json"))
    assert Decimal(found["cost_usd"]) == 0
    assert sum(s["attempts"] for s in found["stages"]) == 0
    assert "zero" in found["handover"]
    assert found["around"] == ["Cost ceilings: a call at most $0.00."]


def test_a_gate_hands_over_and_both_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = run(capsys, SAMPLE, "--pipeline", agent(tmp_path, "{confidence_gate: 1.0}"))
    assert "On around the calls:\n    Confidence gate: a draft less sure than 1.00" in said
    assert "The ticket went to a person:" in said
    assert "Final response" not in said


def test_the_second_run_comes_out_of_the_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = agent(tmp_path, "{exact_cache: {ttl_hours: 2}}")
    first, second = (run(capsys, SAMPLE, "--pipeline", flow) for _ in range(2))
    assert "from the cache" not in first
    assert "8 calls were answered from the cache, which saved $" in second


def test_an_agent_with_nothing_on_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert "On around the calls" not in run(capsys, SAMPLE)
    assert json.loads(run(capsys, SAMPLE, "--json"))["around"] == []


def test_equivalents_in_a_circle_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ring = "{failover: {equivalents: {gpt-5.4: [claude-sonnet-4-6], claude-sonnet-4-6: [gpt-5.4]}}}"
    assert main(["run", SAMPLE, "--pipeline", agent(tmp_path, ring)]) == 2
    err = capsys.readouterr().err
    assert "circle" in err
    assert err.count("\n") == 1


def test_a_report_of_a_ticket_ran_with_what_it_lists(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = agent(tmp_path, "{cost_caps: {call_usd: 0}}")
    assert main(["report", SAMPLE, "--pipeline", flow, "--with-text"]) == 0
    said = capsys.readouterr().out
    assert "Cost ceilings: a call at most" in said
    assert "The ticket went to a person: The cap on one call is zero" in said


def test_a_report_of_a_log_says_that_nothing_acted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flow = agent(tmp_path, "{cost_caps: {call_usd: 1}}")
    assert main(["report", str(SAMPLES / "log.csv"), "--pipeline", flow]) == 0
    assert PRICED_WITHOUT in capsys.readouterr().out
