"""What a caller may see of a running call, and how it stops one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Protocol

from playground.records import Completion, Request


class Watch(Protocol):
    """Called from the threads that run calls: an implementation must be safe to share between them."""

    def text(self, request: Request, chunk: str) -> None:
        """Take a piece of the answer, as it arrives."""

    def restart(self, request: Request) -> None:
        """Forget the pieces of this call: its answer begins anew."""

    def cancelled(self) -> bool:
        """Say whether the call should stop; asked every 50 ms, so it must be quick."""


class Unwatched:
    """Sees nothing and never stops a call."""

    def text(self, request: Request, chunk: str) -> None:
        """Ignore a piece of the answer."""

    def restart(self, request: Request) -> None:
        """Have nothing to forget."""

    def cancelled(self) -> bool:
        """Never stop."""
        return False


@dataclass(frozen=True, slots=True)
class Stopping:
    """Sees nothing, and stops when an event is set."""

    event: Event

    def text(self, request: Request, chunk: str) -> None:
        """Ignore a piece of the answer."""

    def restart(self, request: Request) -> None:
        """Have nothing to forget."""

    def cancelled(self) -> bool:
        """Whether the event is set."""
        return self.event.is_set()


Complete = Callable[[Request, Watch], Completion]
"""Answer a request: the one impure point of the engine. Raises `CallFailed` or `Cancelled`."""
