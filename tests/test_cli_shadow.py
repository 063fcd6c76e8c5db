"""The command that judges pairs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground.cli import main


def written(folder: Path, values: list[float]) -> str:
    path = folder / "pairs.csv"
    path.write_text("ticket,value,intent\n" + "".join(f"t{i},{v},refund\n" for i, v in enumerate(values)))
    return str(path)


def test_the_verdict_is_printed_for_scripts_and_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, [0.0] * 400)
    assert main(["shadow", path, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["pairs"], found["intents"]) == ("CUT OVER", 400, {"refund": "CUT OVER"})
    assert found["always_valid"]["low"] > -0.02
    assert main(["shadow", path]) == 0
    assert "CUT OVER at a margin of 2.0%, from 400 pairs (400 tickets)." in capsys.readouterr().out


def test_a_wider_margin_decides_sooner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, [0.0] * 60)
    verdicts = []
    for margin in ("0.02", "0.10"):
        assert main(["shadow", path, "--margin", margin, "--json"]) == 0
        verdicts.append(json.loads(capsys.readouterr().out)["verdict"])
    assert verdicts == ["CONTINUE", "CUT OVER"]


def test_bad_input_is_one_line_and_exit_code_two(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shadow", str(tmp_path / "none.csv")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(SystemExit):
        main(["shadow", written(tmp_path, [0.0]), "--margin", "2"])
