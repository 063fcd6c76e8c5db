"""The facts of a text that can be checked without a model: dates, amounts, numbers, ids, names and what is denied.

Written for English, German and Spanish; digits, ids and addresses are found in any language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

Fact = tuple[str, str]
"""What kind of fact it is, and its value in one spelling."""

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan ene", "feb", "mar mär", "apr abr", "may mai", "jun", "jul", "aug ago", "sep", "oct okt", "nov", "dec dez dic"), 1
    )
    for name in names.split()
}  # fmt: skip
_MONTH = (
    r"(?P<month>jan(?:uary|uar)?|enero|feb(?:ruary|ruar|rero)?|mar(?:ch|zo)?|märz|apr(?:il)?|abril|may|mai|mayo|june?|juni|"
    r"junio|july?|juli|julio|aug(?:ust)?|agosto|sep(?:t|tember|tiembre)?|oct(?:ober|ubre)?|okt(?:ober)?|nov(?:ember|iembre)?|"
    r"dec(?:ember)?|dez(?:ember)?|dic(?:iembre)?)\b\.?"
)
_NUMBER = r"\d+(?:[.,]\d+)*"
_MARKS = {"$": "USD", "us$": "USD", "usd": "USD", "dollar": "USD", "dólare": "USD", "€": "EUR", "eur": "EUR", "euro": "EUR",
          "£": "GBP", "gbp": "GBP", "pound": "GBP"}  # fmt: skip
_SIGN = r"(?:us\$|[$€£]|\b(?:usd|eur|gbp)\b)"
_UNIT = r"(?:[$€£]|(?:usd|eur|gbp|dollars?|dólares?|euros?|pounds?)\b)"
_LIST_NUMBER = re.compile(r"^[ \t]*(?:\d{1,2}[.)]|[-*•>])[ \t]+", re.MULTILINE)
_DENIED = re.compile(
    r"(?:\b(?:not|never|no|cannot|without|nicht|kein\w{0,2}|nie|niemals|ohne|nunca|ning\w+|sin|jamás)|n['\u2019]t)\b"
    r"((?:\s+[^\W\d_]+){1,3})",
    re.IGNORECASE,
)
_EMPTY = frozenset(
    "been have were will with that this from able more than then werden worden sein haben mehr sido está para".split()
)
_SENTENCE = re.compile(r"(?<=[.!?:;])\s+|\n+")
_NAME = re.compile(r"(?<![\w'\u2019@./-])[A-ZÄÖÜÁÉÍÓÚÑ][^\W\d_]+(?:-[^\W\d_]+)*")
_WORD = re.compile(r"[^\W_]+(?:[-_][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of a text, and all its words in small letters."""

    items: frozenset[Fact]
    words: frozenset[str]

    def holds(self, fact: Fact) -> bool:
        """Whether a fact stands in this text; a name may stand in it in any case and place."""
        kind, value = fact
        return fact in self.items or (kind == "name" and value in self.words)

    def share_in(self, other: Facts) -> float | None:
        """The share of these facts that stand in another text; `None` where there are none."""
        return sum(map(other.holds, self.items)) / len(self.items) if self.items else None


@lru_cache(maxsize=512)
def facts_of(text: str) -> Facts:
    """The facts of a text. Cached, because a ticket is read once for each arm and each candidate."""
    rest = _LIST_NUMBER.sub("", text)
    found: set[Fact] = set()
    for kind, pattern, value in _PATTERNS:
        # What one kind has taken no later kind may take: the 50 of "$50" is not a number of its own.
        found.update((kind, value(m)) for m in pattern.finditer(rest))
        rest = pattern.sub(" \u2026 ", rest)
    found.update(("denied", word) for word in _denied(rest))
    found.update(("name", name.lower()) for name in _names(rest))
    return Facts(frozenset(found), frozenset(w.lower() for w in _WORD.findall(text)))


def _date(found: re.Match[str]) -> str:
    month = found["month"]
    number = int(month) if month.isdigit() else _MONTHS[month.lower()[:3]]
    return f"{number:02}-{int(found['day']):02}"


def _amount(found: re.Match[str]) -> str:
    sign = (found["before"] or found["after"]).lower()
    return f"{_MARKS[sign] if sign in _MARKS else _MARKS[sign.removesuffix('s')]} {number_of(found['number'])}"


def number_of(text: str) -> str:
    """A number in one spelling, whether points or commas part its thousands: 1,240.50 and 1.240,50 are 1240.5."""
    groups = re.split("[.,]", text)
    marks = [c for c in text if c in ".,"]
    mixed = len(set(marks)) > 1
    thousands = not mixed and marks and all(len(g) == 3 for g in groups[1:]) and groups[0] != "0"
    if not marks or thousands:
        return "".join(groups).lstrip("0") or "0"
    if len(marks) > 1 and not mixed:
        return text
    whole, tail = "".join(groups[:-1]).lstrip("0") or "0", groups[-1].rstrip("0")
    return f"{whole}.{tail}" if tail else whole


def _denied(text: str) -> Iterator[str]:
    """The first telling word after each denial, cut to its stem."""
    for found in _DENIED.finditer(text):
        words = [w.lower() for w in found[1].split()]
        yield from [w[:5] for w in words if len(w) > 3 and w not in _EMPTY][:1]


def _names(text: str) -> Iterator[str]:
    """Words with a capital letter that do not begin a sentence; a line in capitals names nothing."""
    for part in _SENTENCE.split(text):
        if 2 * sum(c.isupper() for c in part) < sum(c.isalpha() for c in part):
            yield from (
                m[0] for m in _NAME.finditer(part) if part[: m.start()].strip("\"'\u201c\u201e\u00ab(\u00bf\u00a1 ")
            )


def _lowered(found: re.Match[str]) -> str:
    return found[0].lower().rstrip(".,;:)")


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


_PATTERNS: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    ("id", _pattern(r"https?://\S+|[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"), _lowered),
    ("date", _pattern(r"\b\d{4}-(?P<month>0[1-9]|1[0-2])-(?P<day>\d{2})\b"), _date),
    ("date", _pattern(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?\s+(?:of\s+|de\s+)?{_MONTH}"), _date),
    ("date", _pattern(rf"\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b"), _date),
    ("amount", _pattern(rf"(?P<before>{_SIGN})\s?(?P<number>{_NUMBER})(?P<after>)"), _amount),
    ("amount", _pattern(rf"(?P<before>)(?<![\w.,])(?P<number>{_NUMBER})\s?(?P<after>{_UNIT})"), _amount),
    ("id", _pattern(r"\b[a-z](?=[\w-]{0,60}\d)\w*(?:-\w+)*"), _lowered),
    ("number", _pattern(_NUMBER), lambda found: number_of(found[0])),
)
