"""`{{ name }}` templates: filled in one pass, so that text from a ticket is never read as a template."""

from __future__ import annotations

import re
from collections.abc import Mapping

STABLE = ("labels", "policies")
"""Variables that are the same for every ticket; only these may stand in a system message, so that providers can cache it."""
VARIABLES = (
    "ticket", "subject", "customer", "intent", "passages", "draft", "findings", "reply", "open_questions", *STABLE,
)  # fmt: skip
_SLOT = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_ASKED = re.compile(r"\{\{\s*([A-Za-z_][^{}\n]*?)\s*\}\}")
_FENCE = re.compile(r"<(?=\W{0,12}(ticket|passages|draft|findings|answer|open_questions)\b)", re.IGNORECASE)


def variables(template: str) -> set[str]:
    """What a template asks for, `{{ ticket.id }}` and `{{ ticket|upper }}` included: neither can be filled, so both are refused."""
    return set(_ASKED.findall(template))


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with each `{{ name }}` replaced. Raises `KeyError` for a name without a value."""
    return _SLOT.sub(lambda slot: values[slot.group(1)], template)


def fence(text: str) -> str:
    """Text from outside, made unable to close the tags that mark it as data."""
    return _FENCE.sub("\u2039", text)
