"""Models that turn a text into a vector, for the semantic cache: those with a published price, and any at one's own address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from urllib.parse import urlsplit

from playground.errors import BadInput
from playground.money import ZERO
from playground.prices import bundled_map, input_price_of
from playground.records import Model, Price, Rates
from playground.runtime import EmbeddingRules

PROVIDERS: Mapping[str, str] = {"openai": "OpenAI", "gemini": "Google", "mistral": "Mistral"}
"""litellm's name to ours, of those that an API key reaches."""
_LEFT_OUT = re.compile(r"preview|ada-|code|-\d{4}$|gemini-embedding-2")
"""Previews, what has a successor, models for code, dated copies; and one that makes a single vector of all texts of a call."""


@cache
def known_embedders() -> tuple[Model, ...]:
    """The current ones of the map that comes with litellm, cheapest first."""
    found = (_model(name) for name, entry in bundled_map().items() if _is_current(name, entry))
    return tuple(
        sorted((m for m in found if m.price), key=lambda m: (m.price and m.price.rates.input_usd_per_mtok, m.name))
    )


def embedder_of(rules: EmbeddingRules) -> Model:
    """The model that rules name. Raises `BadInput` where it is not known and has no endpoint."""
    if rules.endpoint is not None:
        return own_embedder(rules.model, rules.endpoint, rules.usd_per_mtok)
    found = next((m for m in known_embedders() if rules.model in (m.name, m.id)), None)
    if found is None:
        names = ", ".join(m.name for m in known_embedders())
        raise BadInput(f"{rules.model} is no known model for embeddings. Choose one of {names}, or give its endpoint.")
    return found


def own_embedder(name: str, endpoint: str, usd_per_mtok: Decimal | None = None) -> Model:
    """A model at one's own address; without a price what it costs is not known."""
    bare, whose = name.removeprefix("openai/"), urlsplit(endpoint).netloc
    price = None
    if usd_per_mtok is not None:
        price = Price(Rates(usd_per_mtok, ZERO), datetime.now(UTC).date(), "your endpoint: set by you")
    return Model(f"openai/{bare}", f"{bare} ({whose})", whose, price, None, None, endpoint=endpoint)


def rules_name(model: Model) -> str:
    """What rules call a model: its name, at one's own address as litellm has it."""
    return model.name if model.endpoint is None else model.id


def _is_current(name: str, entry: Mapping[str, object]) -> bool:
    gone = str(entry.get("deprecation_date") or "9999")
    known = entry.get("mode") == "embedding" and entry.get("litellm_provider") in PROVIDERS
    return known and not _LEFT_OUT.search(name) and gone > date.today().isoformat()


def _model(name: str) -> Model:
    entry = bundled_map()[name]
    provider, longest = PROVIDERS[entry["litellm_provider"]], entry.get("max_input_tokens")
    return Model(name, name.partition("/")[2] or name, provider, input_price_of(name), longest, None)
