"""A session's set-up as a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import yaml
from pydantic import TypeAdapter

from playground import __version__
from playground.benchmark_scale import EFFORTS
from playground.evidence_file import ALSO_OF_A_PROOF, PROOF_COLUMNS, ROW_COLUMNS
from playground.forecast import Assumptions
from playground.json_file import write
from playground.pipeline import Pipeline, load_shipped, to_yaml
from playground.pipeline_file import shipped
from playground.records import Model, Proof, Ticket
from playground.runtime import as_yaml
from playground.scrub import each_text, without_keys
from playground.session_file.setup import FORMAT, SetUp

ALSO_OF_A_ROW = ("effort", "metric", "proxy_for", "date", "source")
Tree = dict[str, Any]


def keep(setup: SetUp, *, secrets: Iterable[str] = (), made_at: datetime | None = None) -> bytes:
    """The set-up as a file that `restore` reads back. Keys, webhook addresses and logins are taken out of every text.

    `secrets` are known keys. The ticket is in it only where the set-up holds one.
    """
    known = tuple(sorted(secrets, key=len, reverse=True))
    tree = _tree(setup, made_at or datetime.now(UTC))
    return write(each_text(tree, lambda text: without_keys(text, known)), FORMAT)


def _tree(s: SetUp, made_at: datetime) -> Tree:
    return {
        "format": FORMAT.marker,
        "schema_version": FORMAT.version,
        "app_version": __version__,
        "made_at": made_at.astimezone(UTC).isoformat(timespec="seconds"),
        "pipeline": _pipeline(s.flow),
        "knobs": _knobs(s),
        "limits": _limits(s),
        "pins": dict(s.pins),
        "bars": dict(s.bars),
        "margins": dict(s.margins),
        "edits": {stage: {"system": p.system, "user": p.user} for stage, p in s.edits.items()},
        "runtime": None if s.runtime is None else as_yaml(s.runtime),
        "results": [{n: getattr(r, n) for n in (*ROW_COLUMNS, *ALSO_OF_A_ROW)} for r in s.own.rows],
        "shadow_pairs": _pairs(s),
        "verdicts": [_verdict(p) for p in s.own.proofs],
        "month": _month(s.month),
        "models": [TypeAdapter(Model).dump_python(_bare(m), mode="json") for m in s.models],
        "rubric": s.rubric,
        "ticket": None if s.ticket is None else TypeAdapter(Ticket).dump_python(s.ticket, mode="json"),
    }


def _pipeline(flow: Pipeline) -> str | Tree:
    if flow.name in shipped() and load_shipped(flow.name) == flow:
        return flow.name
    found: Tree = yaml.safe_load(to_yaml(flow))
    return found


def _knobs(s: SetUp) -> Tree:
    providers = None if s.providers is None else sorted(s.providers)
    return {
        "plan": s.plan,
        "mode": s.mode,
        "assurance": s.assurance,
        "bar_shift": float(s.bar_shift),
        "providers": providers,
    }


def _limits(s: SetUp) -> Tree:
    efforts = s.limits.efforts
    return {
        "never": sorted(s.limits.never),
        "preferred": sorted(s.limits.preferred),
        "efforts": None if efforts is None else sorted(efforts, key=EFFORTS.index),
        "min_days_to_retirement": s.limits.min_days_to_retirement,
        "call_budget_usd": _money(s.limits.call_budget_usd),
        "ticket_budget_usd": _money(s.limits.ticket_budget_usd),
        "raise_bars": s.limits.raise_bars,
    }


def _pairs(s: SetUp) -> list[Tree]:
    return [
        {
            **_named(key),
            "stage": stage,
            "accepted": p.accepted,
            "pairs": p.pairs,
            "rehearsed": (stage, key) in s.rehearsed,
        }
        for (stage, key), p in s.own.pairs.items()
    ]


def _named(candidate: str) -> Tree:
    model, _, effort = candidate.partition(" @")
    return {"model": model, "effort": effort or "default"}


def _verdict(proof: Proof) -> Tree:
    row: Mapping[str, Any] = {n: getattr(proof, n, "") for n in (*PROOF_COLUMNS, *ALSO_OF_A_PROOF)}
    return {**row, **_named(proof.candidate), "decided_on": proof.decided_on.isoformat()}


def _month(month: Assumptions) -> Tree:
    return {n: _plain(getattr(month, n)) for n in Assumptions.__slots__}


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else str(value)


def _money(amount: object) -> str | None:
    return None if amount is None else str(amount)


def _bare(model: Model) -> Model:
    """The address of one's own server without a login, and without what stands behind a question mark."""
    if model.endpoint is None:
        return model
    parts = urlsplit(model.endpoint)
    place = parts.netloc.rpartition("@")[2]
    return replace(model, endpoint=urlunsplit((parts.scheme, place, parts.path, "", "")))
