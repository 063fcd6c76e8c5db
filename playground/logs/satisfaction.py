"""How satisfied a customer was: a number on any scale, or the words that help desks export."""

from __future__ import annotations

import math
import re

_WORDS = {
    **dict.fromkeys("good great amazing satisfied positive happy extremely_happy very_happy yes true".split(), 1.0),
    **dict.fromkeys("ok okay neutral average".split(), 0.5),
    **dict.fromkeys(
        "bad terrible dissatisfied unsatisfied negative unhappy very_unhappy extremely_unhappy no false".split(), 0.0
    ),
}
_OF = re.compile(r"^\s*(-?\d+(?:[.,]\d+)?)\s*(?:/\s*\d+|%|stars?)?\s*$")


def satisfaction_of(value: object) -> float:
    """A number that rises with satisfaction, or nan. Zendesk writes good and bad, perhaps with a comment; others numbers."""
    if isinstance(value, dict):
        value = value.get("score", value.get("rating"))
    text = str(value if value is not None else "").strip().lower()
    if found := _OF.match(text):
        return float(found[1].replace(",", "."))
    word = re.split(r"[^a-z_]+", text.replace(" ", "_").replace("-", "_"), maxsplit=1)[0]
    return _WORDS.get(word, _WORDS.get(word.partition("_")[0], math.nan))
