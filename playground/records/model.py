"""Models, their prices, and the tokens they use. Money is `Decimal` in USD; `None` means unpriced, never zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from playground.records.words import Counted, Effort


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. `input_tokens` includes cached ones and `output_tokens` includes reasoning, as OpenAI reports."""

    input_tokens: int
    output_tokens: int
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    counted: Counted = "estimate"

    @property
    def fresh_tokens(self) -> int:
        """Input tokens that were neither read from nor written to a cache."""
        return self.input_tokens - self.cache_read_tokens - self.cache_write_tokens

    @property
    def visible_tokens(self) -> int:
        """Output tokens that are text, not reasoning."""
        return self.output_tokens - self.reasoning_tokens


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per million tokens; `None` is unpriced. `reasoning` falls back to `output`, the cache rates to `input`."""

    input_usd_per_mtok: Decimal | None
    output_usd_per_mtok: Decimal | None
    cache_read_usd_per_mtok: Decimal | None = None
    cache_write_usd_per_mtok: Decimal | None = None
    reasoning_usd_per_mtok: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """A model's rates; `tiers` are (input tokens above which the whole request is repriced, rates), rising."""

    rates: Rates
    as_of: date
    source: str
    tiers: tuple[tuple[int, Rates], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A catalogue entry. `id` is litellm's name; `endpoint` names the connection that serves it."""

    id: str
    name: str
    provider: str
    price: Price | None
    context_tokens: int | None
    max_output_tokens: int | None
    retires_on: date | None = None
    prompt_cache_min_tokens: int | None = None
    default_effort: Effort = "none"
    """What this model does when no effort is asked for."""
    endpoint: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model at a reasoning effort."""

    model: Model
    effort: Effort = "default"

    @property
    def key(self) -> str:
        """Unique name: `model` or `model @effort`."""
        return self.model.name if self.effort == "default" else f"{self.model.name} @{self.effort}"
