"""The exact cache: a call that was made before, to the letter, is answered with what came back then, and costs nothing.

A key is a hash over everything that could change the answer: tenant, provenance, model, endpoint, effort, messages, output schema
and token limits. An answer is kept only where it passed its checks, so a cut or malformed one is asked for again; and it is checked
once more when it is served, because policies and labels may have changed.

What is kept is text made from tickets. Whether to keep any is decided in the pipeline file, and it is off unless that asks for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from threading import Event, Lock
from time import monotonic, perf_counter

from playground.answer_store import Answers
from playground.checks import verify
from playground.errors import Cancelled
from playground.forgotten import DELETIONS
from playground.middleware import Through
from playground.records import Completion, Provenance, Request, Source, Ticket, Usage
from playground.watch import Complete, Watch

KEY_VERSION = 1
"""Goes up when what a key is made of, or what is kept under it, changes: older answers are then not found."""
POLL_S = 0.05

TenantOf = Callable[[Ticket], str]
"""Whose answers a ticket may be served: those of tickets with the same name."""


def by_customer(ticket: Ticket) -> str:
    """Every customer has answers of its own; tickets without a customer share theirs."""
    return ticket.customer_id or ""


def one_tenant(name: str) -> TenantOf:
    """All tickets share answers under one name, such as the company's whose agent this is."""
    return lambda ticket: name


def call_parts(request: Request, provenance: Provenance, tenant: str) -> dict[str, object]:
    """Everything that could change a call's answer, as JSON takes it."""
    model, output = request.candidate.model, request.output
    return {
        "version": KEY_VERSION,
        "tenant": tenant,
        "provenance": provenance,
        "model": [model.id, model.provider, model.endpoint, request.candidate.effort],
        "stage": request.prompt.stage,
        "messages": [[m.role, m.content] for m in request.prompt.messages],
        "output": [output.kind, output.schema and dict(output.schema)],
        "limits": [request.max_output_tokens, request.typical_output_tokens],
        "quality": request.quality if provenance == "rehearsal" else None,
    }


def call_key(request: Request, provenance: Provenance, tenant: str) -> str:
    """A call's name: SHA-256, in hex, over everything that could change its answer."""
    parts = call_parts(request, provenance, tenant)
    if provenance == "rehearsal":
        # A rehearsal reads the ticket and never the prompt, which may show less of it.
        parts["ticket"] = [request.context.ticket.subject, request.context.ticket.text]
    return digest(parts)


def digest(parts: Mapping[str, object]) -> str:
    """SHA-256, in hex, of values as JSON."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def worth_keeping(request: Request, done: Completion, provenance: Provenance) -> bool:
    """Whether an answer may be served again: given by the model that was asked, of this provenance, and passing its checks."""
    asked = done.candidate is None or done.candidate == request.candidate
    fresh = done.source == "model" and done.provenance == provenance
    return asked and fresh and verify(request, done.text, done.finish_reason)[0].ok


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is kept, with what its call used."""

    text: str
    usage: Usage
    finish_reason: str

    @classmethod
    def of(cls, done: Completion) -> Kept:
        """What to keep of a completion."""
        return cls(done.text, done.usage, done.finish_reason)

    def served(
        self, request: Request, watch: Watch, provenance: Provenance, source: Source, started: float
    ) -> Completion:
        """The answer to a call that began at `started`, by `perf_counter`: of no usage, with what it saved."""
        watch.text(request, self.text)
        nothing, took_s = Usage(0, 0, counted=self.usage.counted), perf_counter() - started
        return Completion(self.text, nothing, provenance, took_s, took_s, self.finish_reason, source, saved=self.usage)


def _written(kept: Kept) -> str:
    return json.dumps(asdict(kept))


def _read(payload: str | None) -> Kept | None:
    """What was written; `None` for anything else that may stand in a file."""
    try:
        found = json.loads(payload or "")
        usage, text = dict(found["usage"]), str(found["text"])
        counted = usage.pop("counted")
        counts = {name: int(value) for name, value in usage.items()}
        return Kept(text, Usage(**counts, counted=counted), str(found["finish_reason"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call at the door; `at` is when it came, by `perf_counter`."""

    request: Request
    watch: Watch
    tenant: str
    key: str
    at: float = field(default_factory=perf_counter)


@dataclass(slots=True)
class _Flight:
    """A call under way that others wait for; `kept` is its answer where it may be served again."""

    landed: Event = field(default_factory=Event)
    kept: Kept | None = None

    def wait(self, watch: Watch, longest_s: float) -> Kept | None:
        """The answer of the call under way; `None` where it brings none in time. Raises `Cancelled`."""
        ends = monotonic() + longest_s
        while not self.landed.wait(POLL_S) and monotonic() < ends:
            if watch.cancelled():
                raise Cancelled
        return self.kept


class ExactCache(Through):
    """Serves answers out of a store, and keeps what is worth it; share one between all runs of an agent.

    Of equal calls at the same time one goes out and the others wait for it; where it fails, is cancelled, or brings nothing worth
    keeping, each of them then goes out on its own. Belongs outside of caps and failover, which then see no call that costs nothing.
    """

    def __init__(self, answers: Answers, provenance: Provenance, tenant_of: TenantOf = by_customer) -> None:
        """`provenance` is that of the calls it stands around: a live run is never served a rehearsed answer.

        Of a tenant that is deleted from now on nothing more is kept: make one for each run.
        """
        self._answers, self._provenance, self._tenant_of = answers, provenance, tenant_of
        self._flights: dict[str, _Flight] = {}
        self._began = DELETIONS.count
        self._lock = Lock()

    @property
    def problem(self) -> str:
        """Why there is no cache, as a sentence to be shown; empty where there is one."""
        return self._answers.problem

    def call(self, request: Request, watch: Watch, proceed: Complete) -> Completion:
        """Answer out of the store where it can; the store is never a reason to fail."""
        if self.problem:
            return proceed(request, watch)
        tenant = self._tenant_of(request.context.ticket)
        asked = _Asked(request, watch, tenant, call_key(request, self._provenance, tenant))
        flight, mine = self._join(asked.key)
        if not mine:
            kept = flight.wait(watch, request.timeout_s)
            return self._served(asked, kept) if kept else self._sent(asked, proceed)[0]
        try:
            flight.kept = self._found(asked)
            if flight.kept:
                return self._served(asked, flight.kept)
            done, flight.kept = self._sent(asked, proceed)
            return done
        finally:
            self._land(asked.key, flight)

    def _join(self, key: str) -> tuple[_Flight, bool]:
        with self._lock:
            mine = key not in self._flights
            return self._flights.setdefault(key, _Flight()), mine

    def _land(self, key: str, flight: _Flight) -> None:
        with self._lock:
            del self._flights[key]
        flight.landed.set()

    def _found(self, asked: _Asked) -> Kept | None:
        kept = _read(self._answers.get(asked.key, asked.tenant))
        return kept if kept and verify(asked.request, kept.text, kept.finish_reason)[0].ok else None

    def _served(self, asked: _Asked, kept: Kept) -> Completion:
        return kept.served(asked.request, asked.watch, self._provenance, "exact cache", asked.at)

    def _sent(self, asked: _Asked, proceed: Complete) -> tuple[Completion, Kept | None]:
        """A model's answer, and what was kept of it."""
        done = proceed(asked.request, asked.watch)
        if not worth_keeping(asked.request, done, self._provenance):
            return done, None
        kept = Kept.of(done)
        self._answers.put(asked.key, asked.tenant, _written(kept), self._began)
        return done, kept
