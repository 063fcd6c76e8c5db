"""Tickets from the events of a JSON parser: from lists, from pages that hold a list, and from objects one after another.

They are built here and not by ijson's own `items`, whose memory grows with the square of the nesting.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LISTS = ("tickets", "conversations", "results", "data")
"""Where an export keeps its tickets."""
TICKET_KEYS = frozenset(("id", "display_id", "subject", "description", "description_text", "text", "body", "source"))
"""An object with one of these is a ticket, whatever lists it has."""
DEEPEST = 100
MOST_VALUES = 2_000_000
Event = tuple[str, Any]


class Refused(str):
    """Why a value was not built."""


def tickets(events: Iterator[Event]) -> Iterator[Any]:
    """Each ticket; a `Refused` where it was not built, and whatever stands in a ticket's place."""
    for kind, value in events:
        if kind == "start_array":
            yield from _items(events)
        elif kind == "start_map":
            yield from _object(events)
        else:
            yield value


def _items(events: Iterator[Event]) -> Iterator[Any]:
    for kind, value in events:
        if kind == "end_array":
            return
        yield _Build(events).whole(kind, value)


def _object(events: Iterator[Event]) -> Iterator[Any]:
    """An object at the top: the tickets of its list where it is a page, and else itself."""
    found: dict[str, Any] = {}
    build = _Build(events)
    pages = False
    for kind, key in events:
        if kind == "end_map":
            break
        kind, value = next(events)
        if kind == "start_array" and key in LISTS and TICKET_KEYS.isdisjoint(found):
            pages = True
            yield from _items(events)
        else:
            found[key] = build.value(kind, value, 1)
    if not pages:
        yield build.refused or found


class _Build:
    """One value from its events; what is too deep or too large is passed over and said."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._left = MOST_VALUES
        self.refused: Refused | None = None

    def whole(self, kind: str, value: Any) -> Any:
        built = self.value(kind, value, 0)
        return self.refused or built

    def value(self, kind: str, value: Any, depth: int) -> Any:
        if kind not in ("start_map", "start_array"):
            return value
        if depth >= DEEPEST:
            return self._pass_over()
        return self._map(depth + 1) if kind == "start_map" else self._array(depth + 1)

    def _map(self, depth: int) -> dict[str, Any]:
        found = {}
        for kind, key in self._events:
            if kind == "end_map":
                break
            kind, value = next(self._events)
            built = self.value(kind, value, depth)
            if self._is_room():
                found[key] = built
        return found

    def _array(self, depth: int) -> list[Any]:
        found: list[Any] = []
        for kind, value in self._events:
            if kind == "end_array":
                break
            built = self.value(kind, value, depth)
            if self._is_room():
                found.append(built)
        return found

    def _is_room(self) -> bool:
        self._left -= 1
        if self._left < 0:
            self.refused = Refused(f"it has over {MOST_VALUES:,} values; it is not read.")
        return self._left >= 0

    def _pass_over(self) -> None:
        self.refused = Refused(f"it is nested more than {DEEPEST} deep; it is not read.")
        opened = 1
        while opened:
            kind, _ = next(self._events)
            opened += (kind in ("start_map", "start_array")) - (kind in ("end_map", "end_array"))
