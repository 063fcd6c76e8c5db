"""The cues of `data/escalation_cues.yaml` as regular expressions."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from playground.difficulty import TOPICS

SHARED_TOPICS = {"legal": TOPICS["legal"], "identity": TOPICS["security"], "asks": TOPICS["refund"]}
"""Cues that also make a ticket count as hard, so that the two never disagree."""


@cache
def cue(name: str) -> re.Pattern[str]:
    """All entries of a name, of every language. Raises `KeyError` for a name that the file does not have."""
    data = _data()
    group = next(g for g in ("words", "anywhere") if g == "anywhere" or name in data[g])
    entries = [entry for entries in data[group][name].values() for entry in entries]
    whole = "|".join(f"(?:{_filled(entry, data['parts'])})" for entry in entries)
    if name in SHARED_TOPICS:
        whole = f"{SHARED_TOPICS[name]}|{whole}"
    return re.compile(rf"(?<!\w)(?:{whole})(?!\w)" if group == "words" else whole, re.IGNORECASE)


@cache
def _data() -> dict[str, Any]:
    text = files("playground").joinpath("data/escalation_cues.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def _filled(entry: str, parts: dict[str, str]) -> str:
    for name, part in parts.items():
        entry = entry.replace(f"{{{name}}}", part)
    return entry
