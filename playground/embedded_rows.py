"""A ticket's words as a vector, from a provider: asked for once for each text, and left alone for a minute where it fails."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from playground import tokens
from playground.errors import BadInput, CallFailed, Cancelled, HandedOver, PlaygroundError
from playground.records import (
    EMBEDDED,
    Candidate,
    Completion,
    Context,
    Message,
    Model,
    OutputSpec,
    Prompt,
    Request,
    Try,
)
from playground.watch import Complete, Watch

PAUSE_S = 60.0
"""How long an embedding that failed is not asked for again."""
MOST_KEPT = 500
"""Vectors that are kept beside the index: for the next rung of a call, and a text that comes again soon."""
TIMEOUT_S = 5.0
"""A ticket waits no longer than this for a chance at a cheaper answer."""
Row = NDArray[np.float32]
"""Vectors of length 1, shaped (texts, dimensions)."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """A text's vector, shaped (1, dimensions), `None` where there is none; and what was asked for it, to be billed."""

    row: Row | None
    tries: tuple[Try, ...] = ()


def embedding_request(
    model: Model, texts: Sequence[str], context: Context, call: int = 1, timeout_s: float = TIMEOUT_S
) -> Request:
    """A call for the vectors of texts, at the stage that they are compared for; nobody answers it in the model's place."""
    messages = tuple(Message("user", text) for text in texts)
    prompt = Prompt("intent", call, messages, sum(map(tokens.count_in_parts, texts)), 0)
    return Request(Candidate(model), prompt, OutputSpec("vector"), 0, 0, context, timeout_s=timeout_s)


def unit_rows(done: Completion, texts: int, dimensions: int) -> Row:
    """A call's vectors, each of length 1; `dimensions` of 0 is any length. Raises `BadInput` for anything else."""
    with np.errstate(all="ignore"):  # a number that is out of range becomes one without an end, and is refused below
        rows = _array(done)
        lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    if rows.ndim != 2 or len(rows) != texts or dimensions not in (0, rows.shape[1]):
        raise BadInput("What came back for a text is no vector, or not as long as the others.")
    if not (np.isfinite(lengths).all() and (lengths > 0).all()):
        raise BadInput("What came back for a text is a vector without a direction.")
    unit: Row = rows / lengths
    return unit


def _array(done: Completion) -> Row:
    try:
        found: Row = np.asarray(done.vectors, np.float32)
    except (ValueError, TypeError):
        return np.empty(0, np.float32)
    return found


class Embedder:
    """Asks one model for vectors, and keeps the last of them. Safe between threads.

    A failure is no reason for a run to stop: there is then no vector, and for a minute none is asked for.
    """

    def __init__(self, model: Model, now: Callable[[], float]) -> None:
        self.model, self.sent = model, 0
        self._now, self._dimensions = now, 0
        self._why, self._pause_ends = "", 0.0
        self._kept: OrderedDict[tuple[str, str], Row] = OrderedDict()
        self._lock = Lock()

    @property
    def problem(self) -> str:
        """Why no vector is asked for now, as a sentence; empty where one is."""
        return self._why if self._now() < self._pause_ends else ""

    def row(self, request: Request, text: str, tenant: str, watch: Watch, proceed: Complete) -> Embedded:
        """The vector of a call's text. Raises `Cancelled`, with what the embedding may be billed."""
        kept = self._found(tenant, text)
        if kept is not None:
            return Embedded(kept)
        if self.problem:
            return Embedded(None)
        asking = embedding_request(
            self.model, [text], request.context, request.prompt.call, min(TIMEOUT_S, request.timeout_s)
        )
        self.sent += 1
        return self._asked(asking, tenant, watch, proceed)

    def forget(self, tenant: str) -> None:
        """Drop a tenant's vectors."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == tenant]:
                del self._kept[key]

    def _asked(self, asking: Request, tenant: str, watch: Watch, proceed: Complete) -> Embedded:
        try:
            done = proceed(asking, watch)
        except Cancelled as stop:
            tries, candidate = tuple(map(_named, stop.tries)), stop.candidate or asking.candidate
            raise Cancelled(str(stop), stop.partial, tries, candidate, EMBEDDED) from None
        except HandedOver as held:
            # A cap may hold for this ticket alone; the call itself meets it next, and says so.
            return Embedded(None, tuple(map(_named, held.tries)))
        except CallFailed as failure:
            last = failure.last or Try(asking.candidate, failure.kind, str(failure), failure.partial)
            return self._rests(failure, (*failure.tries, last))
        except Exception as error:  # whatever is wrong with it, a run does not stop for a cache
            return self._rests(error, ())
        return self._taken(asking, tenant, done)

    def _taken(self, asking: Request, tenant: str, done: Completion) -> Embedded:
        tries = (*done.tries, Try(asking.candidate, None, "", done))
        try:
            row = unit_rows(done, 1, self._dimensions)
        except BadInput as error:
            return self._rests(error, tries)
        self._dimensions = row.shape[1]
        self._keep(tenant, asking.prompt.messages[0].content, row)
        return Embedded(row, tuple(map(_named, tries)))

    def _rests(self, error: Exception, tries: Sequence[Try]) -> Embedded:
        # Only our own errors are known to hold no key.
        why = str(error) if isinstance(error, PlaygroundError) else "The embedding failed."
        self._why, self._pause_ends = f"{why} The semantic cache rests for a minute.", self._now() + PAUSE_S
        return Embedded(None, tuple(map(_named, tries)))

    def _found(self, tenant: str, text: str) -> Row | None:
        with self._lock:
            return self._kept.get((tenant, text))

    def _keep(self, tenant: str, text: str, row: Row) -> None:
        with self._lock:
            self._kept[tenant, text] = row
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)


def _named(found: Try) -> Try:
    return replace(found, rule=EMBEDDED)
