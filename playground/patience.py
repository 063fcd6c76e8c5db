"""How long a call is tried, after which failures it is tried again at the same provider, and what is said of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playground.errors import BadInput
from playground.records import FailureKind

REPEATED: frozenset[FailureKind] = frozenset({"rate_limit", "server", "connection"})
"""Failures that come fast and often pass. One that took its whole time, or broke off, goes to the next provider at once."""
HAPPENED: Mapping[FailureKind, str] = {
    "auth": "refused the key",
    "rate_limit": "is limiting calls",
    "server": "had an error of its own",
    "timeout": "did not answer in time",
    "cut_stream": "broke off its answer",
    "bad_request": "refused the request",
    "connection": "could not be reached",
    "malformed": "did not answer with a completion",
    "down": "is down",
    "no_access": "does not let this key use its model",
    "no_credit": "is out of credit",
}
"""What a provider did, to follow its name."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call is tried. Raises `BadInput` for figures that make no sense."""

    repeats: int = 1
    """Of each candidate in one call, beyond the first try."""
    backoff_s: float = 0.5
    """The longest wait before a first repeat; it doubles with each."""
    longest_wait_s: float = 2.0
    """A provider that asks to wait longer is left for the next one."""
    deadline_factor: float = 2.0
    """All tries of a call together may take this many times its stage's timeout."""
    after_bad_request: bool = False
    """Whether a request that a provider refused is shown to others: what one declines for its content is not passed around."""

    def __post_init__(self) -> None:
        if not (self.repeats >= 0 and self.backoff_s >= 0 and self.longest_wait_s >= 0 and self.deadline_factor >= 1):
            raise BadInput("Failover: repeats and waits must be 0 or more, and deadline_factor 1 or more.")


USUAL = Patience()
