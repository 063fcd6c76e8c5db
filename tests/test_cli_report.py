"""`python -m playground report`: three formats, two switches, and one sentence for what cannot be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.cli import main
from playground.knowledge import SAMPLES
from playground.tickets import samples
from tests.report_helpers import all_text, sheets

SAMPLE = "01-double-charge-angry"
LOG = str(SAMPLES / "log.csv")


def test_without_a_file_it_prints_markdown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", LOG]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("# Priced, not run: what this support agent costs")
    assert "95% confidence, by bootstrap-t" in printed.out
    assert printed.err == ""


def test_a_small_file_is_not_called_empty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "r.md"
    assert main(["report", SAMPLE, "--out", str(out)]) == 0
    assert capsys.readouterr().err == f"{out}: {-(-out.stat().st_size // 1_000)} KB\n"


@pytest.mark.parametrize("ending", [".html", ".md", ".xlsx"])
def test_text_and_names_are_shown_when_asked_for(tmp_path: Path, ending: str) -> None:
    ticket = samples()[SAMPLE]
    plain, full = tmp_path / f"plain{ending}", tmp_path / f"full{ending}"
    assert main(["report", SAMPLE, "--out", str(plain)]) == 0
    assert main(["report", SAMPLE, "--out", str(full), "--with-text", "--with-names"]) == 0
    word = max(ticket.text.split(), key=lambda w: len(w) * w.isalpha())
    assert word not in all_text(plain.read_bytes(), ending)
    assert word in all_text(full.read_bytes(), ending)


def test_the_volume_is_the_one_that_is_given(tmp_path: Path) -> None:
    out = tmp_path / "r.xlsx"
    assert main(["report", LOG, "--volume", "2,500", "--out", str(out)]) == 0
    assert sheets(out.read_bytes())["Assumptions"]["B5"].value == "2,500"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-ticket"], "no such file, and no sample of that name"),
        (["no-such.csv"], "no-such.csv"),
        ([SAMPLE, "--out", "report.pdf"], "report.pdf: a report ends in .html, .md, .xlsx."),
        ([SAMPLE, "--out", "no/such/folder/r.md"], "cannot be written: No such file or directory."),
        ([SAMPLE, "--pipeline", "nosuch"], "nosuch"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["report", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
