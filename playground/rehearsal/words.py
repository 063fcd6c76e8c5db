"""The words of a text that carry meaning: their stems, and which stems mean the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from playground.knowledge import words_of
from playground.language import NO_TOPIC

_NO_WORDS = re.compile(r"@[\w.-]+|[$€£] ?\d[\d.,]*|\b\d[\d.,]* ?[$€£]|_")
_STEM = re.compile(
    r"^(.{4,}?)(?:ations?|ated?|ating|ings?|iones|ions?|ión|ments?|ungen|ung|ados?|adas?|al|ies?|y|ed|es|er|ern|et|en|em|"
    r"te|ten|ar|[aeons])$"
)
# Words that tickets and help centres use for the same thing; each string is one meaning.
_SAME = (
    "charge bill invoice payment paid", "refund reimburse money back", "delete remove erase rid", "login log sign signed",
    "mail email message", "phone telephone mobile device", "person member user colleague people", "error fault bug",
    "duplicate twice double", "cancel end terminate", "smaller downgrade lower reduce down", "expire valid invalid",
    "lost missing vanished disappeared", "allow permit", "retry repeat", "rechnung abbuchung zahlung betrag",
    "erstattung erstattet geld", "löschen entfernen", "platz konto", "anmelden einloggen", "umsatzsteuer steuer",
    "recuperar restaurar", "borrar eliminar", "teléfono móvil dispositivo", "factura cobro pago cargo importe",
)  # fmt: skip


def stems(text: str) -> list[str]:
    """Stems of the words that carry meaning. Domains, amounts of money and days of the month do not: they are no topic."""
    words = (w for w in words_of(_NO_WORDS.sub(" ", text)) if w not in NO_TOPIC and len(w) > 1)
    return [_stem(w) for w in words if not w.isdigit() or (len(w) > 2 and w.strip("0"))]


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    # More than once, because endings pile up: answered, answer.
    for _ in range(3):
        found = _STEM.match(word)
        word = found.group(1) if found else word
    return word


def _alike() -> Mapping[str, frozenset[str]]:
    groups = [frozenset(stems(meaning)) for meaning in _SAME]
    every = frozenset().union(*groups)
    return {stem: frozenset().union(*(g for g in groups if stem in g)) - {stem} for stem in every}


ALIKE = _alike()
"""The other stems of the same meaning, for each stem that has some."""
