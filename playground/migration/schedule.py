"""When each step is due, from a day that the user picks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from playground.errors import BadInput
from playground.migration.step import Step

_DAYS = {
    "receipts": (0, 7), "customers": (0, 7), "paper": (0, 2), "shadow": (2, 5), "cut": (0, 5), "auto": (0, 2), "gate": (2, 2),
    "ceiling": (2, 2), "opinions": (2, 2), "digest": (4, 1),
}  # fmt: skip
"""The first part of a step's key to the day of its week on which it begins, and how many days it takes."""
WEEKS_IN_PLAN = 4
LAST_START = date(9999, 1, 1)


@dataclass(frozen=True, slots=True)
class Slot:
    """A step's days, the last one included: that is when it is due."""

    step: Step
    first: date
    last: date


def schedule(steps: Sequence[Step], start: date) -> tuple[Slot, ...]:
    """Each step in its week. Raises `BadInput` for a start so late that the calendar ends before the plan does."""
    if start > LAST_START:
        raise BadInput(f"A plan cannot begin on {start}: choose a day before {LAST_START}.")
    return tuple(_slot(s, start + timedelta(weeks=s.week - 1)) for s in steps)


def _slot(step: Step, monday: date) -> Slot:
    offset, days = _DAYS[step.key.partition("-")[0]]
    first = monday + timedelta(days=offset)
    return Slot(step, first, first + timedelta(days=days - 1))
