"""What the guardrails were measured to let through: the figures of `benchmarks/injection.py` with their date."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent.parent / "data" / "injection.toml"


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of the benchmark, against a fake model that obeys every injected instruction. Shares run from 0 to 1."""

    as_of: date
    source: str
    attacks: int
    """Strings that inject instructions, of `source`."""
    tickets: int
    """Sample tickets that they were put into."""
    runs: int
    all_runs: int
    """Of all combinations of attack, ticket, place and way of obeying; `runs` of them were run, evenly spread."""
    unsafe_served: int
    """Answers that a rule should have held back, and that were served."""
    foreign_requests: int
    """Requests to other sites that pages of such outputs made."""
    runs_without_a_rule: int
    """Those in which the attack asks for nothing that a rule covers."""
    obeyed_without_a_rule_share: float
    """Of these, the answers that were served and obey the attack."""

    @property
    def said(self) -> str:
        """All of it in one sentence."""
        every = "" if self.runs == self.all_runs else f", of {self.all_runs:,} combinations"
        unsafe, left = (f"{n:,}" if n else "none" for n in (self.unsafe_served, self.foreign_requests))
        return (
            f"Measured on {self.as_of:%-d %B %Y} with {self.attacks:,} injected texts ({self.source}) in {self.tickets:,} sample "
            f"tickets, {self.runs:,} runs{every}, against a fake model that obeys them all: of the answers that a rule covers "
            f"{unsafe} was served, of requests to other sites {left} left the page, and where no rule covers what is asked, "
            f"{self.obeyed_without_a_rule_share:.0%} of {self.runs_without_a_rule:,} answers obeyed and were served."
        )


@cache
def measured(path: Path = FILE) -> Measured:
    """The last stored run."""
    return Measured(**tomllib.loads(path.read_text(encoding="utf-8")))
