"""A run's texts without who it was: the customer and the ticket's id go, and what a rule finds of a person is masked."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from playground.records import Ticket
from playground.scrub import masked

CUSTOMER = "[customer]"
TICKET_ID = "ticket"
SHORTEST_ID = 4
"""A shorter ticket id, such as 17, is a word like any other in a text."""
SURELY_A_NAME = 5
"""A customer's id of so many characters is taken out inside other words as well."""
_WORDS = re.compile(r"[^\W_]")


class Hidden:
    """Takes one ticket's customer and id out of texts. `kept` are names that a text in a structure may have as a key."""

    def __init__(self, ticket: Ticket, kept: Collection[str] = ()) -> None:
        ids = [(ticket.customer_id, CUSTOMER), (ticket.id if len(ticket.id) >= SHORTEST_ID else None, TICKET_ID)]
        self._words = [(_as_word(form), instead) for name, instead in ids if name for form in _forms(name)]
        self._kept = kept

    def __call__(self, tree: Any) -> Any:
        """A tree of plain values with every text changed; keys too, but for those that the agent's own file has."""
        if isinstance(tree, dict):
            return {k if k in self._kept else self.text(k): self(v) for k, v in tree.items()}
        if isinstance(tree, list | tuple):
            return [self(v) for v in tree]
        return self.text(tree) if isinstance(tree, str) else tree

    def text(self, text: str) -> str:
        """One text. Who it was goes first where a mask would take only a part of the name."""
        found = masked(text)
        for word, instead in self._words:
            found = word.sub(instead, found)
        return found


def _forms(name: str) -> Iterator[str]:
    """A name as it is, as masking leaves it, and both as JSON writes them inside a text."""
    for form in dict.fromkeys((name, masked(name))):
        # What masking leaves of a name that is only an address is the mask itself.
        if _WORDS.search(re.sub(r"\[[^\]]*\]", "", form)) or form == name:
            yield from dict.fromkeys((form, json.dumps(form)[1:-1], json.dumps(form, ensure_ascii=False)[1:-1]))


def _as_word(name: str) -> re.Pattern[str]:
    """The name in any case and spacing. A short one, such as IBM, only where it is no part of a longer word."""
    inner = r"\s+".join(map(re.escape, name.split())) or re.escape(name)
    whole = len(name) < SURELY_A_NAME
    start = r"(?<![^\W_])" if whole and _WORDS.match(name) else ""
    end = r"(?![^\W_])" if whole and _WORDS.match(name[-1:]) else ""
    return re.compile(f"{start}{inner}{end}", re.IGNORECASE)
