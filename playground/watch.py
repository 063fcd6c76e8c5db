"""How a run is watched while it goes on, and the type of the one impure point, `complete`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from playground.records import Completion, Request


class Watch(Protocol):
    """Sees text as it arrives and may ask a run to stop. Called from worker threads."""

    def text(self, request: Request, chunk: str) -> None:
        """A chunk of streamed text arrived."""

    def cancelled(self) -> bool:
        """Whether the run should stop."""


class Unwatched:
    """Nobody watches."""

    def text(self, request: Request, chunk: str) -> None:
        """Drop the chunk."""

    def cancelled(self) -> bool:
        """Never."""
        return False


Complete = Callable[[Request, Watch], Completion]
