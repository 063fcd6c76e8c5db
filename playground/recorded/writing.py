"""A run as a file: what ran, on what, why and for how much; without keys, and where asked without personal data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import isfinite
from typing import Any
from urllib.parse import urlsplit

import yaml
from pydantic import TypeAdapter

from playground import __version__
from playground.errors import BadInput
from playground.evidence import MIN_PAIRS
from playground.json_file import digest, write
from playground.options import Settings
from playground.pipeline import Pipeline, to_yaml
from playground.prices import PRICE_DATE
from playground.recorded.names import Names
from playground.recorded.personal import TICKET_ID, Hidden
from playground.recorded.schema import FORMAT
from playground.records import (
    Attempt,
    Bar,
    Candidate,
    Considered,
    Cue,
    Decision,
    EvidenceRow,
    Handover,
    Model,
    Passage,
    Prompt,
    Proof,
    Receipt,
    SecondOpinion,
    Step,
    Ticket,
    Trace,
    Verdict,
)
from playground.router import Router
from playground.scrub import each_text, without_keys

Tree = dict[str, Any]
_WORD = re.compile(r"\w+")
OWN_SERVER = "own server"
ADAPTERS: dict[type, TypeAdapter[Any]] = {
    t: TypeAdapter(t)
    for t in (Bar, Cue, EvidenceRow, Handover, Model, Passage, Prompt, Proof, Receipt, Settings, Ticket, Verdict)
}


def save(
    trace: Trace,
    router: Router,
    *,
    made_at: datetime | None = None,
    secrets: Iterable[str] = (),
    without_personal_data: bool = False,
) -> bytes:
    """A run of one ticket as a file that `load` reads back. `secrets` are known keys; what looks like a key goes anyway.

    `without_personal_data` leaves the customer and the ticket's id out and masks e-mail addresses and long numbers in every text
    of the ticket, the prompts and the answers; what the agent's own file says stays.

    Raises `BadInput` where nothing has run, for a run that is a recording already, and over the limit.
    """
    if trace.provenance == "recorded":
        raise BadInput("This run is a recording already: its file holds all of it.")
    if not trace.steps:
        raise BadInput("Nothing has run yet, so there is no run to save.")
    tree = _tree(trace, router, made_at or datetime.now(UTC), without_personal_data)
    known = tuple(sorted(secrets, key=len, reverse=True))
    hosts = sorted(_own_hosts(router), key=len, reverse=True)
    tree = each_text(tree, lambda text: _without_hosts(without_keys(text, known), hosts))
    return write({**tree, "digest": digest(tree)}, FORMAT)


def _tree(trace: Trace, router: Router, made_at: datetime, masks: bool) -> Tree:
    names, rows = Names(map(_without_address, router.catalog.models)), _Rows()
    flow = to_yaml(_without_own_embedder(router.pipeline))
    hide: Callable[[Any], Any] = Hidden(trace.ticket, frozenset(_WORD.findall(flow))) if masks else _same
    ticket = replace(trace.ticket, customer_id=None, id=TICKET_ID) if masks else trace.ticket
    shown = map(_anonymous, trace.steps) if masks else trace.steps
    steps = [_step(s, router, names, rows, hide) for s in shown]
    return {
        "format": FORMAT.marker,
        "schema_version": FORMAT.version,
        "app_version": __version__,
        "made_at": made_at.astimezone(UTC).isoformat(timespec="seconds"),
        "origin": trace.provenance,
        "price_date": PRICE_DATE.isoformat(),
        "without_personal_data": masks,
        "plan": trace.plan,
        "ticket": _ticket(ticket, hide),
        "pipeline": yaml.safe_load(flow),
        "settings": _settings(router.settings),
        "proofs": [plain(p) for p in router.proofs],
        "models": [plain(m) for m in names.models],
        "catalog": names.catalog,
        "evidence": [plain(r) for r in rows.all],
        "steps": steps,
    }


def plain(value: Any) -> Any:
    """A record as plain values."""
    return ADAPTERS[type(value)].dump_python(value, mode="json")


def _same(value: Any) -> Any:
    return value


def _anonymous(step: Step) -> Step:
    """The same step with receipts that do not say which ticket it was."""
    attempts = tuple(replace(a, receipt=_anonymous_receipt(a.receipt)) for a in step.attempts)
    if step.second is None:
        return replace(step, attempts=attempts)
    beside = tuple(map(_anonymous_receipt, step.second.receipts))
    return replace(step, attempts=attempts, second=replace(step.second, receipts=beside))


def _anonymous_receipt(receipt: Receipt) -> Receipt:
    return replace(receipt, ticket_id=TICKET_ID)


def _finite(value: Any) -> Any:
    """A model's JSON without numbers that JSON does not have; they stay as words."""
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _ticket(ticket: Ticket, hide: Callable[[Any], Any]) -> Tree:
    tree: Tree = plain(ticket)
    turns = [hide_in(t, ("text",), hide) for t in tree["turns"]]
    return hide_in(tree, ("text", "subject", "notes"), hide) | {"turns": turns}


def _own_hosts(router: Router) -> set[str]:
    """Where one's own servers are: names of models and providers carry it too."""
    asked = router.pipeline.runtime.semantic_embedding
    own = [m.endpoint for m in router.catalog.models] + [asked.endpoint if asked else None]
    return {urlsplit(address).netloc for address in own if address} - {""}


def _without_hosts(text: str, hosts: Sequence[str]) -> str:
    for host in hosts:
        text = text.replace(host, OWN_SERVER)
    return text


def _without_address(model: Model) -> Model:
    """An address of one's own server is nobody else's business; that the model is one's own stays."""
    return model if model.endpoint is None else replace(model, endpoint=own_endpoint(model.provider))


def _without_own_embedder(flow: Pipeline) -> Pipeline:
    """The same for a model for embeddings at one's own address: a replay embeds nothing."""
    asked = flow.runtime.semantic_embedding
    own = asked is not None and asked.endpoint is not None
    return replace(flow, runtime=replace(flow.runtime, semantic_embedding=None)) if own else flow


def own_endpoint(provider: str) -> str:
    """What stands for the address of one's own server."""
    return f"own: {provider}"


def _settings(settings: Settings) -> Tree:
    tree: Tree = plain(settings)
    for name in ("providers", "never", "preferred", "efforts"):
        tree[name] = None if tree[name] is None else sorted(tree[name])
    # Who could be called then is seen from the reasons; a replay calls nobody.
    return tree | {"reachable": None}


class _Rows:
    """Evidence, each row once."""

    def __init__(self) -> None:
        self.all: list[EvidenceRow] = []
        self._places: dict[EvidenceRow, int] = {}

    def place(self, row: EvidenceRow) -> int:
        """Where a row stands in the list."""
        if row not in self._places:
            self._places[row] = len(self.all)
            self.all.append(row)
        return self._places[row]


def _step(step: Step, router: Router, names: Names, rows: _Rows, hide: Callable[[Any], Any]) -> Tree:
    second: Tree = {} if step.second is None else {"second": _second(step.second, router, names, hide)}
    return second | {
        "stage": step.stage,
        "state": step.state,
        "decision": _decision(step.decision, router, names, rows),
        "prompts": [_prompt(p, hide) for p in step.prompts],
        "attempts": [_attempt(a, names, hide) for a in step.attempts],
        "output": hide(_finite(step.output)),
        "passages": [hide_in(plain(p), ("title", "text"), hide) for p in step.passages],
        "message": hide(step.message),
        "handover": None if step.handover is None else hide_in(plain(step.handover), ("reason",), hide),
    }


def _second(found: SecondOpinion, router: Router, names: Names, hide: Callable[[Any], Any]) -> Tree:
    return {
        "candidate": found.candidate,
        "probability": found.probability,
        "disagrees": found.disagrees,
        "note": hide(found.note),
        "receipts": [
            {"candidate": names.of(_addressless(_asked(r, router))), "receipt": plain(r)} for r in found.receipts
        ],
    }


def _asked(receipt: Receipt, router: Router) -> Candidate:
    """Whom a receipt is from: a second opinion keeps no more of its attempts."""
    model = next((m for m in router.catalog.models if (m.name, m.provider) == (receipt.model, receipt.provider)), None)
    return Candidate(model or Model(receipt.model, receipt.model, receipt.provider, None, None, None), receipt.effort)


def hide_in(tree: Tree, names: Iterable[str], hide: Callable[[Any], Any]) -> Tree:
    """A tree with some of its texts changed."""
    return tree | {name: hide(tree[name]) for name in names}


def _prompt(prompt: Prompt, hide: Callable[[Any], Any]) -> Tree:
    tree: Tree = plain(prompt)
    passages = [hide_in(p, ("title", "text"), hide) for p in tree["passages"]]
    messages = [hide_in(m, ("content",), hide) for m in tree["messages"]]
    return tree | {"messages": messages, "passages": passages}


def _attempt(attempt: Attempt, names: Names, hide: Callable[[Any], Any]) -> Tree:
    return {
        "candidate": names.of(_addressless(attempt.candidate)),
        "text": hide(attempt.text),
        "verdict": hide_in(plain(attempt.verdict), ("findings",), hide),
        "receipt": plain(attempt.receipt),
        "output": hide(_finite(attempt.output)),
        "error": hide(attempt.error),
    }


def _addressless(candidate: Candidate) -> Candidate:
    return replace(candidate, model=_without_address(candidate.model))


def _decision(decision: Decision, router: Router, names: Names, rows: _Rows) -> Tree:
    def name(candidate: Candidate) -> str:
        return names.of(_addressless(candidate))

    return {
        "plan": decision.plan,
        "assurance": decision.assurance,
        "chosen": name(decision.chosen),
        "ladder": [name(c) for c in decision.ladder],
        "considered": [_considered(o, decision, router, names, rows) for o in decision.considered],
        "bar": plain(decision.bar),
        "code": decision.code,
        "reason": decision.reason,
        "flip": decision.flip,
        "fallback": None if decision.fallback is None else name(decision.fallback),
        "cues": [plain(c) for c in decision.cues],
        "spent_usd": str(decision.spent_usd),
    }


def _considered(option: Considered, decision: Decision, router: Router, names: Names, rows: _Rows) -> Tree:
    q = option.quality
    measured = q.pairs >= MIN_PAIRS
    sure = router.evidence.sure(decision.stage, option.candidate, decision.bar.value) if measured else None
    quality: Tree = {"estimate": q.estimate, "low": q.low, "high": q.high, "worth": q.worth, "enough": q.enough}
    quality |= {"pairs": q.pairs, "proven": q.proven, "sure": sure, "results": [rows.place(r) for r in q.rows]}
    return {
        "candidate": names.of(_addressless(option.candidate)),
        "quality": quality,
        "cost_usd": _money(option.cost_usd),
        "expected_cost_usd": _money(option.expected_cost_usd),
        "code": option.code,
        "reason": option.reason,
    }


def _money(amount: object) -> str | None:
    return None if amount is None else str(amount)
