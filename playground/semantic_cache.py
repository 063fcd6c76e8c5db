"""The semantic cache: a call is answered with what an earlier, near-identical request got. Off unless a pipeline asks for it.

A wrong hit is worse than a miss, so an answer is served only where all of this holds:

- By letters, the ticket's own words say the same (`lexical.Said`): the same words but for function words, plurals and slips of the
  keys, the same numbers, negations and directions. So an answer that quotes the earlier ticket quotes nothing that this one does
  not say. By meaning, with an embedder, words may differ: all else must be equal, numbers in words too, the text must read as
  English, as no other language's negations are known, and nothing but a label is served.
- They are at least `threshold` alike: by letters, or by their embeddings.
- Every earlier request that is at least `RADIUS` alike, by meaning up to twice as far away as the threshold, got the same label.
  Where neighbours disagree the matter is open.
- All the rest is equal to the letter: tenant, provenance, stage, model, endpoint, effort, output schema, limits, and the messages
  outside the ticket's subject and text. Passages, policies, labels, a draft and a customer in the prompt are among that.
- Neither ticket holds an address or four digits or more, which may be somebody's, nor more than 2,000 characters.
- The answer passes the checks of the call that it is served to.

Only the stage `intent` takes part by default: its answer is one of the pipeline's labels and quotes nothing. By letters other
stages can be named; no false-hit share was measured for them, and as their outputs are no labels, neighbours cannot disagree.

What is kept is text made from tickets, in the memory of this process only; nothing is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

from playground.answer_store import WEEK_S, pointless
from playground.cache import Kept, TenantOf, by_customer, call_parts, digest, worth_keeping
from playground.checks import verify
from playground.embedded_rows import Embedded, Embedder
from playground.errors import BadInput, CallFailed, Cancelled, HandedOver
from playground.forgotten import DELETIONS
from playground.hit_threshold import LEXICAL, RADIUS, checked_threshold, wide_radius
from playground.lexical import Said, shareable, vectors
from playground.middleware import Through
from playground.pipeline import STAGE_KEYS
from playground.records import Completion, Message, Model, Output, Provenance, Request, Ticket, Try
from playground.semantic_index import Entry, Index, Rule
from playground.templates import fence
from playground.watch import Complete, Watch

STAGES = ("intent",)
MOST_ENTRIES = 5_000


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

    Belongs inside of the exact cache, and outside of caps and failover: an embedding goes through both of them as any call does,
    and stands among the `tries` of what came of the call that it was for.
    """

    def __init__(
        self,
        provenance: Provenance,
        tenant_of: TenantOf = by_customer,
        threshold: float | None = None,
        embedder: Model | None = None,
        stages: Sequence[str] = STAGES,
        ttl_s: float = WEEK_S,
        most_entries: int = MOST_ENTRIES,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`threshold` is from 0 to 1: by letters the shipped one unless given; an embedder needs its own. Raises `BadInput`."""
        self._provenance, self._tenant_of, self._now = provenance, tenant_of, now
        self.threshold = _threshold(threshold, embedder)
        self._stages = _known(stages, embedder)
        radius = min(RADIUS, self.threshold) if embedder is None else wide_radius(self.threshold)
        self._index = Index(Rule(self.threshold, radius, ttl_s, by_words=embedder is None), most_entries)
        self._off = pointless(ttl_s, most_entries, "entries")
        self._embedder = None if embedder is None else Embedder(embedder, now)

    @property
    def problem(self) -> str:
        """Why there are no hits now, as a sentence to be shown; empty where there may be."""
        return self._off or (self._embedder.problem if self._embedder else "")

    @property
    def embedded(self) -> int:
        """Texts sent to be embedded; counted without a lock, so it may miss a few."""
        return self._embedder.sent if self._embedder else 0

    def forget(self, tenant: str) -> int:
        """Drop every answer of one tenant, and say how many."""
        if self._embedder:
            self._embedder.forget(tenant)
        return self._index.forget(tenant)

    def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
        """Answer from an earlier request where that is safe; nothing in here is a reason to fail. Raises what the call does."""
        began = DELETIONS.count
        asked, tries = self._asked(request, watch, proceed)
        try:
            done = proceed(request, watch) if asked is None else self._answered(asked, watch, proceed)
        except (CallFailed, Cancelled, HandedOver) as stop:
            stop.tries = (*tries, *stop.tries)
            raise
        finally:
            if asked is not None and DELETIONS.since(asked.tenant, began):
                self.forget(asked.tenant)
        return replace(done, tries=(*tries, *done.tries)) if tries else done

    def _answered(self, asked: _Asked, watch: Watch, proceed: Complete) -> Completion:
        request = asked.request
        found = self._index.find(asked.scope, asked.said, asked.row, self._now())
        if found and verify(request, found.answer.text, found.answer.finish_reason)[0].ok:
            kept: Kept = found.answer
            return kept.served(request, watch, self._provenance, "semantic cache", asked.at)
        done = proceed(request, watch)
        if worth_keeping(request, done, self._provenance):
            self._keep(asked, done)
        return done

    def _keep(self, asked: _Asked, done: Completion) -> None:
        label = _label(verify(asked.request, done.text, done.finish_reason)[1])
        if label is not None or self._embedder is None:
            self._index.add(asked.scope, asked.tenant, Entry(asked.said, Kept.of(done), label, self._now()), asked.row)

    def _asked(self, request: Request, watch: Watch, proceed: Complete) -> tuple[_Asked | None, tuple[Try, ...]]:
        """The call as it is compared, `None` where it takes no part; and what was paid to find out."""
        at, ticket = perf_counter(), request.context.ticket
        text = words_of(ticket)
        if self._off or request.prompt.stage not in self._stages or not shareable(text):
            return None, ()
        said, tenant = Said.of(text), self._tenant_of(ticket)
        scope = _scope(request, self._provenance, tenant)
        if scope is None or not said.words:
            return None, ()
        if self._embedder is None:
            return _Asked(request, tenant, scope, said, vectors([text]), at), ()
        if not said.english:
            return None, ()
        found: Embedded = self._embedder.row(request, text, tenant, watch, proceed)
        asked = None if found.row is None else _Asked(request, tenant, scope, said, found.row, at)
        return asked, found.tries


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


def _threshold(given: float | None, embedder: Model | None) -> float:
    if given is None and embedder is not None:
        raise BadInput(
            "The semantic cache has no threshold for embeddings: give a number from 0 to 1 that was tuned for their model."
        )
    return checked_threshold(LEXICAL.threshold if given is None else given)


def _known(stages: Sequence[str], embedder: Model | None) -> frozenset[str]:
    unknown = sorted(set(stages) - set(STAGE_KEYS))
    if unknown or not stages:
        named = repr(unknown[0]) if unknown else "none"
        raise BadInput(f"The semantic cache is told to work at {named}: name stages out of {', '.join(STAGE_KEYS)}.")
    texts = sorted(set(stages) - set(STAGES))
    if embedder is not None and texts:
        raise BadInput(
            f"By meaning only labels are served, and {texts[0]} writes a text: name no stage but {STAGES[0]}."
        )
    return frozenset(stages)
