"""What bounds a semantic cache while a log is replayed: how old and how many its answers may be, and what was served before it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a semantic cache in a run: the tickets that the exact one has `served`, the age and number of its entries.

    Of more than `most_entries` those of the tenant that asked least lately give way, as in `semantic_index`.
    """

    served: Bools
    arrived_s: Sequence[float]
    ttl_s: float = inf
    most_entries: int = 1 << 62

    def since(self, first: int) -> Limits:
        """Of the tickets from one on."""
        return replace(self, served=self.served[first:], arrived_s=self.arrived_s[first:])


class Stored:
    """Which tickets' answers a bounded semantic cache holds as a log goes by."""

    def __init__(self, tenants: Sequence[Hashable], limits: Limits) -> None:
        self.stored = np.zeros(len(tenants), np.bool_)
        self._tenants, self._limits, self._held = tenants, limits, 0
        self._rows: OrderedDict[Hashable, list[int]] = OrderedDict()

    def ask(self, i: int) -> None:
        """A tenant asked: its answers are the last to give way."""
        if self._tenants[i] in self._rows:
            self._rows.move_to_end(self._tenants[i])

    def serves(self, j: int, i: int) -> bool:
        """Whether an answer is there, and young enough for a later ticket."""
        age = self._limits.arrived_s[i] - self._limits.arrived_s[j]
        return bool(self.stored[j]) and 0 <= age < self._limits.ttl_s

    def store(self, i: int) -> None:
        """Keep an answer, and let others give way."""
        self._rows.setdefault(self._tenants[i], []).append(i)
        self._rows.move_to_end(self._tenants[i])
        self.stored[i] = True
        self._held += 1
        while self._held > self._limits.most_entries:
            self._give_way()

    def _give_way(self) -> None:
        tenant, rows = next(iter(self._rows.items()))
        gone = rows if len(self._rows) > 1 else rows[: max(1, len(rows) // 10)]
        self.stored[gone] = False
        self._held -= len(gone)
        if len(self._rows) > 1:
            del self._rows[tenant]
        else:
            self._rows[tenant] = rows[len(gone) :]
