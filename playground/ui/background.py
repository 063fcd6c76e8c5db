"""Work in one worker thread, watched by a page that redraws. No Streamlit in here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Self, TypeVar

from playground.ui.runner import ABANDONED_AFTER_S

T = TypeVar("T")


class Background:
    """A thread that a page starts, asks after and stops; a part overrides `_work`."""

    def __init__(self, name: str) -> None:
        """`name` is the thread's."""
        self.started = self._seen = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)

    def start(self, wait_s: float = 0.0) -> Self:
        """Start, and wait up to `wait_s` seconds: a small log is then finished before the page draws."""
        self._thread.start()
        self._thread.join(wait_s)
        return self

    @property
    def running(self) -> bool:
        """Whether it still goes on."""
        return self._thread.is_alive()

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped."""
        return self._stop.is_set()

    def cancel(self) -> None:
        """Ask the work to stop: at the next batch of tickets, or when the step under way is through."""
        self._stop.set()

    def look(self) -> None:
        """Say that somebody still watches."""
        self._seen = time.monotonic()

    def _work(self) -> None:
        raise NotImplementedError

    @property
    def _abandoned(self) -> bool:
        """Whether nobody has asked after it for long."""
        return time.monotonic() - self._seen > ABANDONED_AFTER_S

    def _until_stopped(self, batches: Iterator[T]) -> Iterator[T]:
        """Batches for as long as nobody stops the work and somebody watches."""
        for batch in batches:
            if self._abandoned:
                self._stop.set()
            if self._stop.is_set():
                return
            yield batch
