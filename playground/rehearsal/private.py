"""What of a customer's words is never repeated."""

from __future__ import annotations

import re

from playground.rehearsal.asks import Ask

# Never repeated, to anyone: what follows "password:" and the like, long numbers, and tokens.
_SECRET = re.compile(
    r"(?:passwor[dt]|kennwort|contraseña|cvc|cvv|token|ssn|iban|account number|kontonummer)\b.{0,12}[:=]|"
    r"\b(?:\d[ -]?){9,19}\b|\b[a-z]+_live_\w+",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\bwww\.|\w\.\w{2,}/|\w@\w", re.IGNORECASE)


def is_private(text: str) -> bool:
    """Whether a text holds a secret, a link or an e-mail address."""
    return bool(_SECRET.search(text) or _ADDRESS.search(text))


def told(ask: Ask) -> str:
    """What a customer asks, for a colleague's eyes."""
    return ask.text if not _SECRET.search(ask.text) else "(a point with private data, see the ticket)"
