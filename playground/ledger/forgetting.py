"""A customer, forgotten by every store: the ledger, the cache of answers and the finished work of evaluations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playground.answer_store import Answers
from playground.errors import PlaygroundError
from playground.jobs import Jobs
from playground.ledger.book import Ledger

ASIDE = (
    "These files were set aside and may still hold this customer: {} in {}. Delete them when you need nothing in them."
)
NO_CUSTOMER = "No customer is named, so nothing was deleted. Receipts without a customer go with their day."


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was deleted where; `problems` are sentences on stores of which that is not certain."""

    receipts: int = 0
    answers: int = 0
    units: int = 0
    problems: tuple[str, ...] = ()


def forget_everywhere(customer: str, ledger: Ledger, jobs: Jobs | None, answers: Answers | None) -> Forgotten:
    """Delete what these stores hold of a customer. One that fails stops no other: its sentence is in `problems`."""
    if not customer:
        return Forgotten(problems=(NO_CUSTOMER,))
    problems: list[str] = []
    receipts = _tried(ledger.forget_customer, customer, problems)
    answered = 0 if answers is None else _tried(answers.forget, customer, problems)
    units = 0 if jobs is None else _tried(jobs.forget_customer, customer, problems)
    problems += still_aside(ledger.path)
    return Forgotten(receipts, answered, units, tuple(problems))


def still_aside(path: Path | None) -> list[str]:
    """A sentence on stores beside the ledger that were set aside: they are kept as they are, with whatever is in them."""
    found = [] if path is None else sorted(p.name for p in path.parent.glob("*.aside-*") if p.name[-1].isdigit())
    return [ASIDE.format(", ".join(found), path.parent)] if found and path is not None else []


def _tried(ask: Callable[[str], int], customer: str, problems: list[str]) -> int:
    try:
        return ask(customer)
    except PlaygroundError as error:
        problems.append(str(error))
        return 0
