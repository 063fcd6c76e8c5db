"""Group commit: of threads that add at the same time one writes what all of them bring, and each returns when it is on the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class _Brought(Generic[T]):
    __slots__ = ("done", "items", "kept")

    def __init__(self, items: Sequence[T]) -> None:
        self.items, self.done, self.kept = items, False, False


class GroupCommit(Generic[T]):
    """`write` gets what several threads brought, in the order in which it came, and says whether it is kept; it must not raise."""

    def __init__(self, write: Callable[[Sequence[T]], bool]) -> None:
        self._write = write
        self._turn = Condition()
        self._waiting: list[_Brought[T]] = []
        self._writing = False

    def add(self, items: Sequence[T]) -> bool:
        """Return when these are written, and say whether they are kept."""
        mine = _Brought(items)
        with self._turn:
            self._waiting.append(mine)
            while self._writing and not mine.done:
                self._turn.wait()
            if mine.done:
                return mine.kept
            self._writing, group, self._waiting = True, self._waiting, []
        self._lead(group)
        return mine.kept

    def _lead(self, group: list[_Brought[T]]) -> None:
        kept = False
        try:
            kept = self._write([item for one in group for item in one.items])
        finally:
            with self._turn:
                for one in group:
                    one.done, one.kept = True, kept
                self._writing = False
                self._turn.notify_all()
