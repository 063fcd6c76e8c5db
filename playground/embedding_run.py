"""Labelled texts turned into vectors, batch by batch: billed like any call, and paid for once where it is stopped and goes on."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from playground import tokens
from playground.embedded_rows import Row, embedding_request, unit_rows
from playground.embedding_threshold import takes_part
from playground.errors import BadInput, CallFailed, Cancelled, HandedOver
from playground.labelled_texts import Labelled
from playground.money import ZERO
from playground.prices import cost_usd
from playground.receipts import Biller, Check
from playground.records import (
    EMBEDDED,
    Attempt,
    Completion,
    Context,
    Model,
    Output,
    Request,
    Ticket,
    Usage,
    Verdict,
)
from playground.watch import Complete, Watch

BATCH, BATCH_TOKENS = 64, 8_000
"""Texts and tokens in one call; Mistral takes 16,384 tokens, counted by its own tokenizer."""
TIMEOUT_S = 30.0
Known = MutableMapping[str, NDArray[np.float32]]
"""Text to its vector, of length 1 and shaped (dimensions,)."""


def wanted(rows: Sequence[Labelled], known: Known) -> list[str]:
    """The different texts that are still to be embedded; one that may not be shared between tickets is not sent."""
    return [text for text in dict.fromkeys(x.text for x in rows) if text not in known and takes_part(text)]


def expected_usd(model: Model, texts: Sequence[str]) -> Decimal | None:
    """What embedding texts costs, as we count their tokens; `None` without a price."""
    return cost_usd(Usage(int(tokens.count_many(texts).sum()), 0), model.price) if texts else ZERO


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in order, as many in a call as it may hold."""
    batch: list[str] = []
    room = BATCH_TOKENS
    for text, size in zip(texts, tokens.count_many(texts).tolist(), strict=True):
        if batch and (len(batch) == BATCH or size > room):
            yield batch
            batch, room = [], BATCH_TOKENS
        batch.append(text)
        room -= size
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class Embedding:
    """How texts are embedded: `complete` goes through whatever holds a call, and `bill` writes its receipts."""

    model: Model
    complete: Complete
    bill: Biller

    def run(self, texts: Sequence[str], known: Known, watch: Watch) -> Iterator[Decimal | None]:
        """Put vectors into `known`, and yield what each batch cost, `None` without a price.

        Raises `CallFailed`, `Cancelled`, `HandedOver` or `BadInput`; what was embedded before stays in `known`.
        """
        for number, batch in enumerate(batches(texts), 1):
            if watch.cancelled():
                raise Cancelled
            yield self._batch(number, batch, known, watch)

    def _batch(self, number: int, batch: list[str], known: Known, watch: Watch) -> Decimal | None:
        got: list[Row] = []

        def fits(request: Request, done: Completion) -> tuple[Verdict, Output | None]:
            try:
                got.append(unit_rows(done, len(batch), len(next(iter(known.values()), ()))))
            except BadInput as error:
                return Verdict(False, (str(error),)), None
            return Verdict(True), None

        attempts = self._attempts(number, batch, watch, fits)
        if not got:
            _stop(attempts[-1])
        known.update(zip(batch, got[0], strict=True))
        costs = [a.receipt.cost_usd for a in attempts]
        return None if None in costs else sum((c for c in costs if c is not None), ZERO)

    def _attempts(self, number: int, batch: list[str], watch: Watch, fits: Check) -> tuple[Attempt, ...]:
        context = Context(Ticket("tuning", "Labelled tickets, to tune the semantic cache"), {}, ())
        request = embedding_request(self.model, batch, context, number, TIMEOUT_S)
        try:
            return self.bill.attempts(request, watch, self._complete, fits)
        except HandedOver as held:
            self.bill.tried(request, held.tries)
            raise

    def _complete(self, request: Request, watch: Watch) -> Completion:
        return replace(self.complete(request, watch), rule=EMBEDDED)


def _stop(last: Attempt) -> NoReturn:
    r = last.receipt
    if r.outcome == "cancelled":
        raise Cancelled
    if r.failure is not None:
        raise CallFailed(r.failure, last.error or "")
    raise BadInput(" ".join(last.verdict.findings))
