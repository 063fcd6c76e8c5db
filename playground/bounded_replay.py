"""What an exact cache of a bounded age and size would have answered on a log: the rules of `answer_store`, without the file."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from playground.replay_limits import Bools


def bounded_hits(
    keys: NDArray[np.uint64], arrived_s: Sequence[float], sizes: Sequence[int], ttl_s: float, most_bytes: int
) -> Bools:
    """Which prompts would have been answered, shaped like `keys` (tickets in order of arrival, kinds of prompts).

    An answer serves for `ttl_s` seconds after it was stored, and a hit does not make it younger. An answer to a prompt of one
    kind takes `sizes` bytes; beyond `most_bytes` those that were not used for longest give way.
    """
    cache = _Bounded(ttl_s, most_bytes)
    hits = [
        [cache.answers((kind, key), at, sizes[kind]) for kind, key in enumerate(row)]
        for row, at in zip(keys.tolist(), arrived_s, strict=True)
    ]
    return np.array(hits, np.bool_).reshape(keys.shape)


class _Bounded:
    """Answers by key, those used least lately first: when each was stored, and its size."""

    def __init__(self, ttl_s: float, most_bytes: int) -> None:
        self._ttl_s, self._most_bytes, self._bytes = ttl_s, most_bytes, 0
        self._held: OrderedDict[tuple[int, int], tuple[float, int]] = OrderedDict()
        self._by_age: deque[tuple[float, tuple[int, int]]] = deque()

    def answers(self, key: tuple[int, int], at: float, size: int) -> bool:
        """Whether the answer is there; it is stored where it is not."""
        found = self._held.get(key)
        if found is not None and 0 <= at - found[0] < self._ttl_s:
            self._held.move_to_end(key)
            return True
        if size <= self._most_bytes:
            self._store(key, at, size)
        return False

    def _store(self, key: tuple[int, int], at: float, size: int) -> None:
        while self._by_age and at - self._by_age[0][0] >= self._ttl_s:
            stored_at, old = self._by_age.popleft()
            if self._held.get(old, (None, 0))[0] == stored_at:
                self._drop(old)
        if key in self._held:
            self._drop(key)
        while self._bytes + size > self._most_bytes:
            self._drop(next(iter(self._held)))
        self._held[key] = (at, size)
        self._by_age.append((at, key))
        self._bytes += size

    def _drop(self, key: tuple[int, int]) -> None:
        self._bytes -= self._held.pop(key)[1]
