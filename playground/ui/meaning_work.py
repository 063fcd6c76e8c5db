"""Tuning by meaning in a worker thread, watched by a page that redraws. No Streamlit in here."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from playground.embedding_run import Embedding, Known
from playground.embedding_threshold import Tuning, tuned
from playground.errors import Cancelled, PlaygroundError
from playground.labelled_texts import Labelled
from playground.money import ZERO
from playground.ui.background import Background
from playground.watch import Stopping

KEPT = "What was embedded so far is kept in this session; go on, and it is not paid for again."
LEFT = "Tuning stopped, as its page was left."
"""Nobody asks after work that was cancelled by hand."""


class MeaningWork(Background):
    """One tuning. Vectors go into `known` as they come, so that what was paid for outlives a stop."""

    def __init__(
        self, rows: Sequence[Labelled], texts: Sequence[str], known: Known, embedding: Embedding, letters: float
    ) -> None:
        """`texts` are those of `rows` that are not known yet; `letters` is the threshold that comparing by letters has."""
        super().__init__("tune-by-meaning")
        self._rows, self._texts, self._known, self._embedding, self._letters = rows, texts, known, embedding, letters
        self._before = len(known)
        self.doing: Literal["embedding", "comparing"] = "embedding"
        self.spent_usd, self.unpriced = ZERO, False
        self.found: Tuning | None = None
        self.error = ""

    @property
    def share(self) -> float:
        """How much of the texts is embedded."""
        return (len(self._known) - self._before) / len(self._texts) if self._texts else 1.0

    def _work(self) -> None:
        try:
            for cost in self._until_stopped(self._embedding.run(self._texts, self._known, Stopping(self._stop))):
                self._spent(cost)
            if self._stop.is_set():
                self.error = f"{LEFT} {KEPT}"
                return
            self.doing = "comparing"
            found = tuned(self._rows, self._known.__getitem__, self._letters)
            self.found = None if self._stop.is_set() else found
        except Cancelled:
            self.error = f"{LEFT} {KEPT}"
        except PlaygroundError as error:
            self.error = f"{error} {KEPT}" if self._known else str(error)
        except Exception as error:
            # The page must show a sentence, not a traceback; the type holds no ticket text.
            self.error = f"Tuning stopped on an internal error ({type(error).__name__}). {KEPT}"

    def _spent(self, cost: Decimal | None) -> None:
        self.unpriced = self.unpriced or cost is None
        self.spent_usd += cost or ZERO
