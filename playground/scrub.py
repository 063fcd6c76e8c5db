"""What leaves this machine in a file: without keys, and where asked without what points at a person."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from playground.guardrails.personal import masked
from playground.redact import REMOVED, SHORTEST_SECRET, redact

_SECRET_NAME = re.compile(r"(?i)key|token|secret|passw|credential|webhook|authorization")
_HOOK = re.compile(r"https?://(?:hooks\.slack(?:-gov)?\.com|[\w.-]*webhook[\w.-]*)/[^\s\"'<>)\]]+", re.IGNORECASE)
_LOGIN = re.compile(r"(?<=://)[^\s/@:\"']+:[^\s/@\"']+(?=@)")
_TOKEN = re.compile(
    r"(?<![^\W_])(?:[a-z]{2,8}_(?:live|test|prod|secret)_|gh[pousr]_|xox[abposr]-)[\w-]{6,}", re.IGNORECASE
)


def secrets_of(environ: Mapping[str, str], given: Iterable[str | None] = ()) -> tuple[str, ...]:
    """Values that must not reach a file: those of variables that are named like a key, and keys given by hand."""
    found = [value for name, value in environ.items() if _SECRET_NAME.search(name)]
    return tuple(dict.fromkeys(s.strip() for s in (*found, *(g or "" for g in given)) if len(s) >= SHORTEST_SECRET))


def without_keys(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without keys, tokens, webhook addresses and logins in addresses."""
    for secret in secrets:
        text = text.replace(secret, REMOVED)
    text = _LOGIN.sub(REMOVED, _HOOK.sub(REMOVED, _TOKEN.sub(REMOVED, text)))
    return redact(text, secrets)


def each_text(tree: Any, change: Callable[[str], str]) -> Any:
    """A tree of plain values with every text changed, keys too."""
    if isinstance(tree, dict):
        return {change(k): each_text(v, change) for k, v in tree.items()}
    if isinstance(tree, list):
        return [each_text(v, change) for v in tree]
    return change(tree) if isinstance(tree, str) else tree


__all__ = ["each_text", "masked", "secrets_of", "without_keys"]
