"""Which customers were deleted while this program runs, so that nothing that began before brings them back."""

from __future__ import annotations

import secrets
from hashlib import blake2b
from threading import Lock


class Deletions:
    """Deletions in their order, by a keyed digest: no name stays. Threads may share it.

    Who works on a customer's data keeps `count` from when it began, and asks `since` before it stores or shows any of it.
    """

    def __init__(self) -> None:
        self._key, self._lock = secrets.token_bytes(16), Lock()
        self._last: dict[bytes, int] = {}
        self.count = 0
        """How many there were."""

    def note(self, customer: str) -> None:
        """From now on this customer is deleted. Call it before its data is deleted."""
        with self._lock:
            self.count += 1
            self._last[self._mark(customer)] = self.count

    def since(self, customer: str | None, began: int) -> bool:
        """Whether the customer was deleted after something began; `began` is `count` at that time. Nobody is never deleted."""
        return began < self.count and bool(customer) and self._last.get(self._mark(customer or ""), 0) > began

    def _mark(self, customer: str) -> bytes:
        return blake2b(customer.encode("utf-8", "backslashreplace"), digest_size=16, key=self._key).digest()


DELETIONS = Deletions()
"""Those of this process: its ledger, stores, runs and sessions."""
