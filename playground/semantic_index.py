"""Earlier requests and their answers, in memory, found by how alike their texts are."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.lexical import Said

ROUNDING = 1e-6
"""The length of a vector is 1 but for this."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One earlier request: what it said, what came back, and when. `label` is `None` where an answer is no label."""

    said: Said
    answer: Any
    label: Hashable
    stored_at: float


@dataclass(frozen=True, slots=True)
class Rule:
    """When an earlier answer may be served: similarities from 0 to 1, and seconds."""

    threshold: float
    radius: float
    ttl_s: float
    by_words: bool = True
    """Whether the texts must use the same words; else what they say besides those must be equal."""


@dataclass(slots=True)
class _Shelf:
    """The requests that are equal but for the ticket's words; `matrix` has a row of length 1 for each, sparse or not."""

    tenant: str
    entries: list[Entry] = field(default_factory=list)
    matrix: Any = None

    def add(self, entry: Entry, row: Any) -> None:
        self.entries.append(entry)
        self.matrix = row if self.matrix is None else _stacked(self.matrix, row)

    def drop_first(self, number: int) -> None:
        self.entries, self.matrix = self.entries[number:], self.matrix[number:]

    def find(self, said: Said, row: Any, now: float, rule: Rule) -> Entry | None:
        alike, age = products(self.matrix, row), now - np.array([e.stored_at for e in self.entries])
        near = np.flatnonzero((alike >= rule.radius - ROUNDING) & (age >= 0) & (age < rule.ttl_s))
        by_likeness = near[np.argsort(-alike[near], kind="stable")]
        close = (self.entries[i] for i in by_likeness if alike[i] >= rule.threshold - ROUNDING)
        best = next((e for e in close if (said.same_as(e.said) if rule.by_words else said.same_facts(e.said))), None)
        return best if best and len({self.entries[i].label for i in near}) == 1 else None


def _stacked(matrix: Any, row: Any) -> Any:
    if isinstance(matrix, np.ndarray):
        return np.vstack([matrix, row])
    from scipy.sparse import vstack

    return vstack([matrix, row], format="csr")


def products(matrix: Any, row: Any) -> NDArray[np.float64]:
    """How alike each row of a matrix is to one row, 0 to 1."""
    found = matrix @ row.T
    return np.asarray(found if isinstance(found, np.ndarray) else found.toarray(), np.float64).ravel()


class Index:
    """Entries by scope, at most `most_entries` in all: the scope used least lately gives way first. Safe between threads."""

    def __init__(self, rule: Rule, most_entries: int) -> None:
        self._rule, self._most = rule, most_entries
        self._shelves: OrderedDict[str, _Shelf] = OrderedDict()
        self._lock = Lock()

    def find(self, scope: str, said: Said, row: Any, now: float) -> Entry | None:
        """The earlier request whose answer may be served, the most alike of several."""
        with self._lock:
            if scope not in self._shelves:
                return None
            self._shelves.move_to_end(scope)
            return self._shelves[scope].find(said, row, now, self._rule)

    def add(self, scope: str, tenant: str, entry: Entry, row: Any) -> None:
        """Keep a request; `row` is its vector, of length 1 and shaped (1, dimensions)."""
        with self._lock:
            self._shelves.setdefault(scope, _Shelf(tenant)).add(entry, row)
            self._shelves.move_to_end(scope)
            while len(self) > self._most:
                self._give_way()

    def forget(self, tenant: str) -> int:
        """Drop a tenant's entries, and say how many there were."""
        with self._lock:
            theirs = [scope for scope, shelf in self._shelves.items() if shelf.tenant == tenant]
            return sum(len(self._shelves.pop(scope).entries) for scope in theirs)

    def __len__(self) -> int:
        return sum(len(shelf.entries) for shelf in self._shelves.values())

    def _give_way(self) -> None:
        if len(self._shelves) > 1:
            self._shelves.popitem(last=False)
            return
        (shelf,) = self._shelves.values()
        shelf.drop_first(max(1, len(shelf.entries) // 10))
