"""How often calls may be repeated: a small share of all calls, so that repeats do not finish off a provider in trouble.

A token bucket shared by a whole process. Every call pays a tenth of a repeat in, every repeat takes a whole one out, and no more
than a few are kept, so that at most a tenth of all calls and a few more are ever repeated. After Finagle's `RetryBudget` (deposits
and withdrawals by share of calls) and gRPC's retry throttling (proposal A6: a bounded bucket, no clock).
"""

from __future__ import annotations

from threading import Lock

from playground.errors import BadInput

WHOLE = 100


class RetryBudget:
    """Safe to share between threads. Raises `BadInput` for a share outside 0 to 100 percent, or for fewer than none."""

    def __init__(self, percent: int = 10, few: int = 10) -> None:
        if not 0 <= percent <= WHOLE or few < 0:
            raise BadInput(
                f"The retry budget must be 0 to 100 percent and 0 or more beside it, not {percent} and {few}."
            )
        self._percent, self._most, self._balance = percent, max(few, 1) * WHOLE, few * WHOLE
        self._lock = Lock()

    def deposit(self) -> None:
        """A call goes out for the first time."""
        with self._lock:
            self._balance = min(self._most, self._balance + self._percent)

    def withdraw(self) -> bool:
        """Whether a call may be repeated; if so, the repeat is paid for."""
        with self._lock:
            if self._balance < WHOLE:
                return False
            self._balance -= WHOLE
            return True
