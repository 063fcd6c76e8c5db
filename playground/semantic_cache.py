"""The semantic cache: a call is answered with what an earlier, near-identical request got. Off unless a pipeline asks for it.

A wrong hit is worse than a miss, so an answer is served only where all of this holds:

- The ticket's own words say the same (`lexical.Said`): the same words but for function words, plurals and slips of the keys, the
  same numbers, negations and directions. So an answer that quotes the earlier ticket quotes nothing that this one does not say.
- They are at least `threshold` alike: by letters, or by an embedding where one is given.
- Every earlier request that is at least `RADIUS` alike got the same label. Where neighbours disagree the matter is open.
- All the rest is equal to the letter: tenant, provenance, stage, model, endpoint, effort, output schema, limits, and the messages
  outside the ticket's subject and text. Passages, policies, labels, a draft and a customer in the prompt are among that.
- Neither ticket holds an address or four digits or more, which may be somebody's, nor more than 2,000 characters.
- The answer passes the checks of the call that it is served to.

Only the stage `intent` takes part by default: its answer is one of the pipeline's labels and quotes nothing. Other stages can be
named; no false-hit share was measured for them, and as their outputs are no labels, neighbours cannot disagree.

What is kept is text made from tickets, in the memory of this process only; nothing is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.answer_store import WEEK_S, pointless
from playground.cache import Kept, TenantOf, by_customer, call_parts, digest, worth_keeping
from playground.checks import verify
from playground.errors import BadInput, PlaygroundError
from playground.forgotten import DELETIONS
from playground.hit_threshold import LEXICAL, RADIUS, checked_threshold
from playground.lexical import Said, shareable, vectors
from playground.middleware import Through
from playground.pipeline import STAGE_KEYS
from playground.records import Completion, Message, Output, Provenance, Request, Ticket
from playground.semantic_index import Entry, Index, Rule
from playground.templates import fence
from playground.watch import Complete, Watch

STAGES = ("intent",)
MOST_ENTRIES = 5_000
PAUSE_S = 60.0
"""How long an embedding that failed is not asked for again."""
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Texts to vectors, shaped (texts, dimensions)."""


def words_of(ticket: Ticket) -> str:
    """What is compared: the ticket's subject and text."""
    return f"{ticket.subject}\n{ticket.text}".strip()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call that takes part: its vector is of length 1; `at` is when it came, by `perf_counter`."""

    request: Request
    tenant: str
    scope: str
    said: Said
    row: Any
    at: float = field(default_factory=perf_counter)


class SemanticCache(Through):
    """Serves earlier answers to near-identical requests; share one between all runs of an agent.

    Belongs inside of the exact cache, and outside of caps and failover. Embeddings are calls to a provider: what they cost is on no
    receipt, and `embedded` counts the texts.
    """

    def __init__(
        self,
        provenance: Provenance,
        tenant_of: TenantOf = by_customer,
        threshold: float | None = None,
        embed: Embed | None = None,
        stages: Sequence[str] = STAGES,
        ttl_s: float = WEEK_S,
        most_entries: int = MOST_ENTRIES,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`threshold` is from 0 to 1: by letters the shipped one where none is given; embeddings need one. Raises `BadInput`."""
        self._provenance, self._tenant_of, self._embed, self._now = provenance, tenant_of, embed, now
        self.threshold = _threshold(threshold, embed)
        self._stages = _known(stages)
        self._index = Index(Rule(self.threshold, min(RADIUS, self.threshold), ttl_s), most_entries)
        self._off = pointless(ttl_s, most_entries, "entries")
        self._paused, self._pause_ends, self._dimensions = "", 0.0, 0
        self.embedded = 0
        """Texts sent to be embedded; counted without a lock, so it may miss a few."""

    @property
    def problem(self) -> str:
        """Why there are no hits now, as a sentence to be shown; empty where there may be."""
        return self._off or self._paused

    def forget(self, tenant: str) -> int:
        """Drop every answer of one tenant, and say how many."""
        return self._index.forget(tenant)

    def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
        """Answer from an earlier request where that is safe; nothing in here is a reason to fail."""
        asked = self._asked(request)
        if asked is None:
            return proceed(request, watch)
        found = self._index.find(asked.scope, asked.said, asked.row, self._now())
        if found and verify(request, found.answer.text, found.answer.finish_reason)[0].ok:
            kept: Kept = found.answer
            return kept.served(request, watch, self._provenance, "semantic cache", asked.at)
        began = DELETIONS.count
        done = proceed(request, watch)
        if worth_keeping(request, done, self._provenance):
            self._keep(asked, done)
            if DELETIONS.since(asked.tenant, began):
                self.forget(asked.tenant)
        return done

    def _keep(self, asked: _Asked, done: Completion) -> None:
        label = _label(verify(asked.request, done.text, done.finish_reason)[1])
        self._index.add(asked.scope, asked.tenant, Entry(asked.said, Kept.of(done), label, self._now()), asked.row)

    def _asked(self, request: Request) -> _Asked | None:
        """The call as it is compared; `None` where it takes no part."""
        at, ticket = perf_counter(), request.context.ticket
        text = words_of(ticket)
        if self._off or request.prompt.stage not in self._stages or not shareable(text):
            return None
        said, tenant = Said.of(text), self._tenant_of(ticket)
        scope = _scope(request, self._provenance, tenant)
        row = self._row(text) if scope and said.words else None
        return None if scope is None or row is None else _Asked(request, tenant, scope, said, row, at)

    def _row(self, text: str) -> Any:
        """A text's vector; `None` where an embedding fails, which is then not asked for again for a minute."""
        if self._embed is None:
            return vectors([text])
        if self._paused and self._now() < self._pause_ends:
            return None
        try:
            self.embedded += 1
            row = _unit(self._embed([text]), self._dimensions)
            self._paused, self._dimensions = "", row.shape[1]
            return row
        except Exception as error:
            # Whatever is wrong with it, a run does not stop for a cache. Only our own errors are known to hold no key.
            why = str(error) if isinstance(error, PlaygroundError) else "The embedding failed."
            self._paused, self._pause_ends = f"{why} The semantic cache rests for a minute.", self._now() + PAUSE_S
            return None


def _unit(found: NDArray[np.float32], dimensions: int) -> NDArray[np.float32]:
    """One vector of length 1, as long as those before it; `dimensions` of 0 is any length."""
    row = np.asarray(found, np.float32)
    length = float(np.linalg.norm(row))
    if row.ndim != 2 or len(row) != 1 or dimensions not in (0, row.shape[1]) or not 0 < length < np.inf:
        raise BadInput("What came back for a text is no vector, or not as long as the others.")
    return row / np.float32(length)


def _scope(request: Request, provenance: Provenance, tenant: str) -> str | None:
    """A name for all that has to be equal: everything about a call but the ticket's own words.

    `None` where the prompt does not show the ticket's text as it is: then what else of it may be in there is not known.
    """
    ticket = request.context.ticket
    shown = fence(ticket.text)
    if not shown.strip() or not any(shown in m.content for m in request.prompt.messages):
        return None
    parts = call_parts(request, provenance, tenant)
    parts["messages"] = [[m.role, _without(m, (shown, fence(ticket.subject)))] for m in request.prompt.messages]
    return digest(parts)


def _without(message: Message, own: Sequence[str]) -> list[str]:
    """What stands between a ticket's words in a message."""
    pieces = [message.content]
    for words in own:
        if words:
            pieces = [part for piece in pieces for part in piece.split(words)]
    return pieces


def _label(output: Output | None) -> Hashable:
    """What neighbours have to agree on; a text is no label, and texts never agree."""
    return str(output["label"]) if isinstance(output, Mapping) and "label" in output else None


def _threshold(given: float | None, embed: Embed | None) -> float:
    if given is None and embed is not None:
        raise BadInput(
            "The semantic cache has no threshold for embeddings: give a number from 0 to 1 that was tuned for their model."
        )
    return checked_threshold(LEXICAL.threshold if given is None else given)


def _known(stages: Sequence[str]) -> frozenset[str]:
    unknown = sorted(set(stages) - set(STAGE_KEYS))
    if unknown or not stages:
        named = repr(unknown[0]) if unknown else "none"
        raise BadInput(f"The semantic cache is told to work at {named}: name stages out of {', '.join(STAGE_KEYS)}.")
    return frozenset(stages)
