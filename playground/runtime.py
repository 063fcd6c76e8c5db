"""What stands around an agent's calls, as the part `runtime` of its file says: guardrails, caches, failover and caps.

A part that is left out is off; only `prompt_cache` is on until a file switches it off. Values are checked where the file is
read, so a `Runtime` always makes sense.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StrictBool, StrictStr, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from playground.hit_threshold import MOST_FALSE

_CLOSED = ConfigDict(extra="forbid")
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Usd = Annotated[Decimal, Field(ge=0, le=1_000_000)]
Factor = Annotated[Decimal, Field(ge=0, le=1_000)]
Currency = Literal["USD", "EUR", "GBP"]
Names = Annotated[tuple[StrictStr, ...], Field(max_length=200)]
LABEL = r"[^\W_](?:(?:[^\W_]|-){0,62}[^\W_])?"
DOMAIN = re.compile(rf"{LABEL}(?:\.{LABEL})*")
"""What may stand on a list of sites, and the part of it between two dots."""


def _site(name: str) -> str:
    if not DOMAIN.fullmatch(name):
        raise PydanticCustomError("site", "this is no domain; write it like example.com, without http:// and path")
    return name


def _no_circle(listed: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    """Circles that show in the names as they are written; `equivalents` finds those that need the catalog."""
    everyone = {name for others in listed.values() for name in others}
    graph = {name: listed.get(name) or listed.get(name.partition("@")[0], ()) for name in (*listed, *everyone)}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        said = " -> ".join(error.args[1][::-1])
        raise PydanticCustomError(
            "circle", "{said} is a circle; take one of these off the list of another", {"said": said}
        ) from None
    return listed


SiteNames = Annotated[tuple[Annotated[StrictStr, AfterValidator(_site)], ...], Field(max_length=200)]


@dataclass(frozen=True, slots=True, config=_CLOSED)
class CostCaps:
    """`times_expected` is of what a ticket should cost, the others in USD; a cap of zero holds back every call."""

    times_expected: Factor | None = None
    call_usd: Usd | None = None
    run_usd: Usd | None = None
    """All tickets of one sample or batch together."""


CURRENCIES: tuple[Currency, ...] = ("USD", "EUR", "GBP")


def _for_each(limits: Any) -> Any:
    return limits if isinstance(limits, Mapping) else dict.fromkeys(CURRENCIES, limits)


RefundLimits = Annotated[Mapping[Currency, Usd], BeforeValidator(_for_each)]


@dataclass(frozen=True, slots=True, config=_CLOSED)
class EscalationRules:
    """What a person must decide, whatever a model says: identity, the law, and refunds above a limit.

    A file may give one sum for every currency, or a sum for each; a currency that is left out then goes to a person at any sum.
    """

    refund_above: RefundLimits = Field(default_factory=lambda: dict.fromkeys(CURRENCIES, Decimal(50)))
    """Currency to the largest refund that needs no person, in that currency."""


@dataclass(frozen=True, slots=True, config=_CLOSED)
class LeakRules:
    """What may not reach a customer: links to other sites than `own_sites` and the articles, strangers' data, our own prompts."""

    own_sites: SiteNames = ()
    canary: StrictBool = True


@dataclass(frozen=True, slots=True, config=_CLOSED)
class ExactCache:
    """Answers kept for calls that are the same to the letter. They hold text made from tickets."""

    ttl_hours: Annotated[float, Field(strict=True, gt=0, le=24 * 365)] = 24.0
    max_mb: Annotated[float, Field(strict=True, gt=0, le=100_000)] = 200.0


@dataclass(frozen=True, slots=True, config=_CLOSED)
class FailoverRules:
    """Who answers where a provider does not. `dearer_up_to` and `up_to_today` allow what costs more; without them nothing may."""

    equivalents: Annotated[Mapping[str, Names], AfterValidator(_no_circle)] = Field(default_factory=dict)
    dearer_up_to: Annotated[Decimal, Field(ge=1, le=100)] = Decimal(1)
    up_to_today: StrictBool = False
    repeats: Annotated[int, Field(strict=True, ge=0, le=5)] = 1


def _endpoint(address: str) -> str:
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or parts.username or parts.password or parts.query or parts.fragment or " " in address:
        raise PydanticCustomError(
            "endpoint",
            "this is no address; write it like http://127.0.0.1:8000/v1, without a key, a password or a query",
        )
    return address.rstrip("/")


ModelName = Annotated[StrictStr, Field(min_length=1, max_length=200, pattern=r"^\S+$")]
Count = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]


@dataclass(frozen=True, slots=True, config=_CLOSED)
class EmbeddingRules:
    """How the semantic cache compares by meaning in a live run, and what its threshold did on requests it was not tuned on.

    `model` is a known model for embeddings, or one at the `endpoint` of one's own, whose price may be given. The figures are
    required: a threshold without evidence cannot be set.
    """

    model: ModelName
    threshold: Annotated[float, Field(strict=True, ge=0.5, le=1)]
    requests: Count
    hits: Count
    false_hits: Annotated[int, Field(strict=True, ge=0)]
    as_of: date | None = None
    endpoint: Annotated[StrictStr, AfterValidator(_endpoint)] | None = None
    usd_per_mtok: Usd | None = None
    """What a million tokens cost at one's own endpoint; without it that is not known."""

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if not self.false_hits <= self.hits <= self.requests:
            raise PydanticCustomError("counts", "false_hits cannot be more than hits, nor hits more than requests")
        if self.false_hits > MOST_FALSE * self.hits:
            said = {"share": f"{self.false_hits / self.hits:.1%}", "most": f"{MOST_FALSE:.0%}"}
            raise PydanticCustomError(
                "wrong", "{share} of the hits are wrong; a threshold that is used may have {most} at most", said
            )
        if self.endpoint is None and self.usd_per_mtok is not None:
            raise PydanticCustomError(
                "price", "usd_per_mtok is for a model at an endpoint of your own; name its endpoint too"
            )
        return self

    @property
    def false_hit_share(self) -> float:
        """Wrong hits among the hits."""
        return self.false_hits / self.hits


@dataclass(frozen=True, slots=True, config=_CLOSED)
class Runtime:
    """Every part; `None` is off."""

    confidence_gate: Share | None = None
    """Drafts below this confidence go to a person."""
    cost_caps: CostCaps | None = None
    escalation: EscalationRules | None = None
    leaks: LeakRules | None = None
    exact_cache: ExactCache | None = None
    semantic_cache: Share | None = None
    """How alike two tickets must be, from 0 to 1."""
    failover: FailoverRules | None = None
    second_opinions: Share | None = None
    """Of all tickets."""
    opinion_stage: Literal["intent", "rerank", "draft", "check", "respond", "summarise"] = "intent"
    """Which stage the next tier up answers as well."""
    prompt_cache: StrictBool = True
    """Whether calls mark where a prompt's fixed part ends, for providers that cache at marks alone; the others do by themselves."""
    semantic_embedding: EmbeddingRules | None = None
    """How `semantic_cache` compares in a live run whose keys reach the model; by letters where this is `None`."""

    @property
    def is_off(self) -> bool:
        """Whether nothing stands around the calls."""
        return self == Runtime()


PARTS: Mapping[str, type] = {
    "cost_caps": CostCaps,
    "escalation": EscalationRules,
    "leaks": LeakRules,
    "exact_cache": ExactCache,
    "failover": FailoverRules,
    "semantic_embedding": EmbeddingRules,
}
"""Those that hold more than one figure."""


def names_at(path: Sequence[str]) -> tuple[str, ...]:
    """What may stand at a place in the part `runtime`, whose path begins after that word."""
    found = PARTS.get(path[0], Runtime) if len(path) > 1 else Runtime
    return tuple(f.name for f in fields(found))


def as_yaml(runtime: Runtime) -> dict[str, Any]:
    """The part `runtime` of a file; empty where all is off."""
    usual = asdict(Runtime())
    return {name: _plain(part) for name, part in asdict(runtime).items() if part != usual[name]}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    return (int(value) if value == value.to_integral_value() else float(value)) if isinstance(value, Decimal) else value
