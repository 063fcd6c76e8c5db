"""A batch of a ticket log, column by column: what a reader hands to the pricing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from playground.templates import fence

UNKNOWN = 0
"""A day or a number of rounds that the log does not give."""
NO_TIME = -1
"""The time of day of a ticket that has a day at most."""


def _nothing() -> NDArray[np.int32]:
    return np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class LogTickets:
    """Every column has one entry for each ticket. All from `days` on may be left out, and are then unknown."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    subjects: tuple[str, ...]
    customers: tuple[str, ...]
    days: NDArray[np.int32] = field(default_factory=_nothing)
    """The day a ticket was created as `date.toordinal()`, in the time zone that the log is written in."""
    rounds: NDArray[np.int32] = field(default_factory=_nothing)
    """How many times the customer wrote: the agent's loop runs once for each."""
    satisfaction: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    """How satisfied the customer was, on the log's own scale; nan where it is not known."""
    labels: tuple[str, ...] = ()
    """What kind of ticket it truly is; empty where it is not known."""
    seconds: NDArray[np.int32] = field(default_factory=_nothing)
    """The second of the day, in the same time zone; `NO_TIME` where it is not known, or was not asked for."""

    def __post_init__(self) -> None:
        for name in ("days", "rounds"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(len(self.ids), UNKNOWN, np.int32))
        if not len(self.seconds):
            object.__setattr__(self, "seconds", np.full(len(self.ids), NO_TIME, np.int32))
        if not len(self.satisfaction):
            object.__setattr__(self, "satisfaction", np.full(len(self.ids), np.nan, np.float32))
        if not self.labels:
            object.__setattr__(self, "labels", ("",) * len(self.ids))

    def column(self, slot: str) -> Sequence[str]:
        """What fills a slot, as a prompt is filled: with a word where nothing is known, and unable to close its fence."""
        if slot == "ticket":
            return _fenced(self.texts, "")
        return _fenced(self.subjects, "(none)") if slot == "subject" else _fenced(self.customers, "(unknown)")


def _fenced(values: Sequence[str], nothing: str) -> Sequence[str]:
    return [fence(v) or nothing for v in values]
