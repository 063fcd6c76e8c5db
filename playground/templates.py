"""`{{ name }}` templates: filled in one pass, so that text from a ticket is never read as a template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain

from playground.lookalikes import folded

STABLE = ("labels", "policies")
"""Variables that are the same for every ticket; only these may stand in a system message, so that providers can cache it."""
VARIABLES = (
    "ticket", "subject", "customer", "intent", "passages", "draft", "findings", "reply", "open_questions", *STABLE,
)  # fmt: skip
_SLOT = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_ASKED = re.compile(r"\{\{\s*([A-Za-z_][^{}\n]*?)\s*\}\}")

TAGS = (
    "ticket", "passages", "draft", "findings", "answer", "open_questions", "system", "sys", "assistant", "developer",
    "instructions", "policies", "tool",
)  # fmt: skip
"""Tags that text from outside may neither close nor open: the fences themselves, and those that would pass for the system's."""
BLUNT = "\u2039"
"""Stands for a bracket that would have opened one of them."""
_OPENING = "<\uff1c\ufe64\u3008\u2329\u27e8\u276c\u276e\u2770\u29fc\u227a\u22d6\u1438\u02c2\ua4f8"
_WRITTEN_OUT = re.compile(r"&(?:lt|#0*60|#x0*3c);?|\\u0{0,6}3c|\\x3c|%3c", re.IGNORECASE)
_MAY_OPEN = re.compile(rf"[{_OPENING}\U000e003c]|{_WRITTEN_OUT.pattern}|\[[^\w\[]*i", re.IGNORECASE)
_BETWEEN = re.compile(r"[\W_]+")
# Blanks or marks inside a name hide it from a search, not from a reader.
_NAMES = re.compile("(?:" + "|".join(r"[\W_]*+".join(re.escape(t.replace("_", ""))) for t in TAGS) + r")(?![^\W_])")
_ORDER_TAG = re.compile(r"[\W_]*+".join("inst") + r"(?![^\W_])")


def variables(template: str) -> set[str]:
    """What a template asks for, `{{ ticket.id }}` and `{{ ticket|upper }}` included: neither can be filled, so both are refused."""
    return set(_ASKED.findall(template))


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with each `{{ name }}` replaced. Raises `KeyError` for a name without a value."""
    return _SLOT.sub(lambda slot: values[slot.group(1)], template)


@lru_cache(maxsize=512)  # a ticket and its articles go into the prompts of every stage
def fence(text: str) -> str:
    """Text from outside, made unable to close the tags that mark it as data, or to open one that passes for the system's.

    A bracket in front of such a name is blunted however the two are spelled: case, blanks, invisible characters, other alphabets'
    letters, entities. So is one that ends the text, where what follows could complete it, and one before a bar (`<|`), which
    begins the special tokens of chat models. All other text is left as it is.
    """
    if text.isascii() and not any(c in text for c in "<&\\%["):
        return text
    return _fenced(text) if _MAY_OPEN.search(text) else text


def _fenced(text: str) -> str:
    parts = list(_parts(text))
    plain = "".join(reading for reading, _ in parts)
    owner = list(chain.from_iterable([i] * len(reading) for i, (reading, _) in enumerate(parts)))
    blunted = {owner[at] for run in _BETWEEN.finditer(plain) for at in _brackets(plain, run)}
    return "".join(BLUNT if i in blunted else original for i, (_, original) in enumerate(parts))


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Each character, or bracket that is written out, as it reads and as it stands."""
    at = 0
    for found in _WRITTEN_OUT.finditer(text):
        yield from ((_reading(c), c) for c in text[at : found.start()])
        yield "<", found[0]
        at = found.end()
    yield from ((_reading(c), c) for c in text[at:])


def _reading(char: str) -> str:
    return "<" if char in _OPENING else folded(char)


def _brackets(plain: str, run: re.Match[str]) -> Iterator[int]:
    """Where a run of marks and blanks holds brackets that open what stands after it."""
    opens = run.end() == len(plain) or _NAMES.match(plain, run.end()) is not None
    orders = _ORDER_TAG.match(plain, run.end()) is not None
    for at in range(run.start(), run.end()):
        if (plain[at] == "<" and (opens or plain[at + 1 : at + 2] == "|")) or (orders and plain[at] in "[<"):
            yield at
