"""Requests that a team labelled: what a threshold is tuned on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from playground.errors import BadInput
from playground.logs import LogRead
from playground.logs.tables import Named, rows_of

LEAST, MOST = 200, 10_000
"""Requests: fewer leave no hits to count in either half, more take long and tell little that is new."""
SEED = 20_261_126
LONGEST = 20_000
"""Characters of a request; longer ones are cut, and have no part in a cache."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A request and what it was sorted as."""

    text: str
    label: str


def read_labelled(path: Path, read: LogRead | None = None) -> Iterator[Labelled]:
    """The columns text and label of a file, and subject where it has one: a run compares a ticket's subject and text together.

    A row without text or label is named and left out. Raises `BadInput`.
    """
    needs = "the columns text and label"
    return rows_of(path, read, lambda names: {"text", "label"} <= names, needs, _labelled)


def _labelled(number: int, row: Named, read: LogRead) -> Labelled | None:
    text, label = (str(row[name] or "").strip() for name in ("text", "label"))
    if not text or not label:
        read.leave_out(number, f"the {'label' if text else 'text'} is empty.")
        return None
    subject = str(row.get("subject") or "").strip()
    return Labelled(f"{subject}\n{text}".strip()[:LONGEST], label[:200])


def of_labels(found: Sequence[Labelled], labels: Collection[str]) -> tuple[Labelled, ...]:
    """Those whose label the agent gives: hits that are right by other labels say nothing of its own. Raises `BadInput` for none."""
    own = tuple(x for x in found if x.label in labels)
    if not own:
        raise BadInput(
            f"No label in the file is one that Intent gives, so it says nothing of its hits. Label the texts as one of: "
            f"{', '.join(labels)}."
        )
    return own


def enough(found: Sequence[Labelled]) -> tuple[Labelled, ...]:
    """Those to tune on: all, or `MOST` of them drawn at random. Raises `BadInput` for too few, or a single label."""
    different, labels = len({x.text for x in found}), len({x.label for x in found})
    if different < LEAST:
        raise BadInput(
            f"The file has {different:,} different texts, and tuning takes {LEAST:,} at least; some thousands are better. Add more."
        )
    if labels < 2:
        raise BadInput(
            "Every text in the file has the same label, so no hit could be wrong. Add texts with other labels."
        )
    if len(found) <= MOST:
        return tuple(found)
    drawn = np.sort(np.random.default_rng(SEED).choice(len(found), MOST, replace=False))
    return tuple(found[i] for i in drawn.tolist())
