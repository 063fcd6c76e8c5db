"""Example utterances with their labels: what the intents are learned from, and how tickets usually speak."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from playground.errors import BadKnowledge
from playground.rehearsal.words import stems


@dataclass(frozen=True, slots=True)
class Example:
    """An utterance and its label."""

    text: str
    label: str


def load_examples(path: Path) -> tuple[Example, ...]:
    """Example utterances from a CSV file with the columns text and label. Raises `BadKnowledge`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if not {"text", "label"} <= set(rows.fieldnames or ()):
            raise BadKnowledge(f"{path.name}: the first line must name the columns text and label.")
        return tuple(Example(row["text"] or "", row["label"] or "") for row in rows)


@lru_cache(maxsize=16)
def background_of(examples: tuple[Example, ...]) -> Mapping[str, int]:
    """In how many examples each word occurs: ordinary words of tickets must not pass for topics."""
    return Counter(w for e in examples for w in set(stems(e.text)))
