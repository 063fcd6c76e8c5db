"""What a call costs: usage x price, in exact decimals; unknown is `None`, never zero.

Prices come from the map bundled with litellm's wheel, read without importing litellm and without a network, and from
`data/prices.toml`, which corrects the map with a source and a date. They are billed as litellm bills them:

- a cache price the map lacks is the input price, and an explicit zero is a price (DeepSeek writes its cache for free:
  what misses it is ordinary input there);
- reasoning tokens bill as output unless the map prices them;
- a long-context tier (`_above_Nk_tokens`, `tiered_pricing`) reprices the whole request, output included; a rate the
  tier lacks stays as it was below it. xAI's thresholds are inclusive, everyone else's are not.

Three things are left out on purpose. Cache writes are billed at the short retention (five minutes at Anthropic, thirty
at OpenAI), not at the dearer long one. Batch, flex and priority rates are not used. Off-peak rates are not used
either: DeepSeek halves its price outside weekday peak hours (UTC 01:00-04:00 and 06:00-10:00), and we bill the
standard rate around the clock, so a DeepSeek bill is an upper bound. A price with off-peak hours says so in its note.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any

from playground.errors import BadModel
from playground.records import Model, Price, Rates, Usage

PRICE_DATE = date(2026, 10, 21)
"""The day the bundled map stands for: the build date inside the wheels of litellm 1.103.7, the oldest release this
project accepts, and of 1.106.2; both carry the same map, byte for byte. The installed files do not keep that date, so
it is written here. A later release can only be newer, so this is the earliest day its prices were right."""

MTOK = 1_000_000
OVERRIDES = Path(__file__).parent / "data" / "prices.toml"

Entry = Mapping[str, Any]
Tiers = tuple[tuple[int, Rates], ...]

_RATES = {
    "input_usd_per_mtok": "input_cost_per_token",
    "output_usd_per_mtok": "output_cost_per_token",
    "cache_read_usd_per_mtok": "cache_read_input_token_cost",
    "cache_write_usd_per_mtok": "cache_creation_input_token_cost",
    "reasoning_usd_per_mtok": "output_cost_per_reasoning_token",
}
"""A rate's name here and in litellm's map, which states it in USD per token."""
_COUNTS = {
    "context_tokens": "max_input_tokens",
    "max_output_tokens": "max_output_tokens",
    "prompt_cache_min_tokens": "prompt_cache_min_tokens",
}
_ABOVE = re.compile(rf"({'|'.join(_RATES.values())})_above_(\d+)(k?)_tokens")
_PRICING = re.compile(r".*(cost|pricing)")
_INCLUSIVE = frozenset({"xai"})
_OFF_PEAK_NOTE = "Standard rate, billed around the clock; this provider charges less off-peak."


def cost_usd(usage: Usage, price: Price | None) -> Decimal | None:
    """Bill one call in USD; `None` where the price is unknown.

    Counts that contradict each other (more cached than input, more reasoning than output) bill no negative tokens.
    """
    if price is None:
        return None
    rates = rates_for(price, usage.input_tokens)
    fresh, output = rates.input_usd_per_mtok, rates.output_usd_per_mtok
    if fresh is None or output is None:
        return None
    total = (
        max(usage.fresh_tokens, 0) * fresh
        + usage.cache_read_tokens * _or(rates.cache_read_usd_per_mtok, fresh)
        + usage.cache_write_tokens * _or(rates.cache_write_usd_per_mtok, fresh)
        + max(usage.visible_tokens, 0) * output
        + usage.reasoning_tokens * _or(rates.reasoning_usd_per_mtok, output)
    )
    return total / MTOK


def rates_for(price: Price, input_tokens: int) -> Rates:
    """Pick the rates of a request with this much input, cached tokens included."""
    return next((rates for above, rates in reversed(price.tiers) if input_tokens > above), price.rates)


@cache
def price_of(model_id: str) -> Price | None:
    """Look up a price by litellm's model name; `None` where input or output has no price, or has price zero.

    A free model and an unpriced one look alike in the map, and a router that took either for free would always pick
    it. Zero therefore counts as a price only where `data/prices.toml` or the user states it.
    """
    found = entry(model_id)
    if found is None:
        return None
    base, tiers = _table(found)
    stated = "as_of" in found
    if not all(_billable(rates, zero_counts=stated) for rates in (base, *(rates for _, rates in tiers))):
        return None
    as_of = found["as_of"] if stated else PRICE_DATE
    note = found.get("note", _OFF_PEAK_NOTE if found.get("off_peak_pricing") else "")
    return Price(base, as_of, source=_source(found), tiers=tiers, note=note)


def input_price_of(model_id: str) -> Price | None:
    """The price of a model that bills its input alone, such as one for embeddings; `None` where it has none, or price zero."""
    found = entry(model_id)
    rate = None if found is None else _rates(found).input_usd_per_mtok
    if found is None or not rate:
        return None
    return Price(Rates(rate, Decimal(0)), found.get("as_of", PRICE_DATE), source=_source(found))


def price_history(model_id: str) -> tuple[Price, ...]:
    """The map's price and the one that overrides it, oldest first; one where they agree or only one is known."""
    known, current = bundled_map().get(model_id), price_of(model_id)
    mapped = Price(_table(known)[0], PRICE_DATE, _source(known), _table(known)[1]) if known else None
    found = [p for p in (mapped, current) if p is not None and _billable(p.rates, zero_counts=True)]
    if len(found) == 2 and found[0].rates == found[1].rates:
        return (found[1],)
    return tuple(sorted(found, key=lambda p: p.as_of))


def entry(model_id: str) -> Entry | None:
    """Return all that is known of a model, under litellm's field names and with our overrides; `None` if unknown.

    An override that states a price replaces the map's whole price, and brings `as_of`, source and note along; one that
    only corrects a fact leaves the map's price alone. `openai/gpt-4o` finds `gpt-4o`, as it does in litellm.
    """
    found = _entry(model_id)
    provider, _, rest = model_id.partition("/")
    if found is None and rest:
        found = _entry(rest)
        return found if found and found.get("litellm_provider") == provider else None
    return found


def _entry(model_id: str) -> Entry | None:
    known, override = bundled_map().get(model_id), overrides().get(model_id)
    if override is None:
        return known
    if known is not None and "as_of" in override:
        known = {key: value for key, value in known.items() if not _PRICING.match(key)}
    return MappingProxyType({**(known or {}), **override})


@cache
def bundled_map() -> Mapping[str, Entry]:
    """Read every entry of the price map in litellm's wheel, once; this takes a few hundredths of a second."""
    spec = find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        raise BadModel("Model prices are read from the litellm package, which is not installed.")
    path = Path(spec.submodule_search_locations[0], "model_prices_and_context_window_backup.json")
    return MappingProxyType(json.loads(path.read_text(encoding="utf-8")))


@cache
def overrides(path: Path = OVERRIDES) -> Mapping[str, Entry]:
    """Read a prices file into entries under litellm's field names, rates as `Decimal` USD per token.

    Raises `BadModel` naming the file, the model and the field where something is missing, misspelt or impossible.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadModel(f"{path.name} cannot be read: {error}.") from error
    tables = content.get("models")
    if set(content) != {"models"} or not isinstance(tables, dict):
        raise BadModel(f'{path.name} must hold one table per model, [models."name"], and nothing else.')
    return MappingProxyType({name: _override(table, f"{path.name}, {name}") for name, table in tables.items()})


def _override(table: object, where: str) -> Entry:
    known = {*_RATES, *_COUNTS, "tiers", "litellm_provider", "source", "note", "as_of", "retires_on"}
    fields = _checked(table, where, known, {"source", "as_of"})
    tiers = fields.pop("tiers", [])
    result = {_RATES.get(key) or _COUNTS.get(key, key): value for key, value in fields.items()}
    for tier in tiers:
        changes = _checked(tier, f"{where}, tiers", {*_RATES, "above_input_tokens"}, {"above_input_tokens"})
        above = changes.pop("above_input_tokens")
        result |= {f"{_RATES[key]}_above_{above}_tokens": value for key, value in changes.items()}
    if "retires_on" in result:
        result["deprecation_date"] = result.pop("retires_on").isoformat()
    if tiers or not _RATES.keys().isdisjoint(fields):
        missing = {"input_usd_per_mtok", "output_usd_per_mtok"} - fields.keys()
        if missing:
            raise BadModel(f"{where}: a price needs {min(missing)} as well.")
    else:
        del result["as_of"], result["source"]
    return MappingProxyType(result)


def _checked(table: object, where: str, allowed: set[str], needed: set[str]) -> dict[str, Any]:
    """Check a table's field names and values; rates come back as USD per token."""
    if not isinstance(table, dict):
        raise BadModel(f"{where}: must be a table of fields.")
    if unknown := sorted(table.keys() - allowed):
        raise BadModel(f"{where}: unknown field {unknown[0]}; allowed are {', '.join(sorted(allowed))}.")
    if missing := sorted(needed - table.keys()):
        raise BadModel(f"{where}: {missing[0]} is missing.")
    for key, value in table.items():
        kind, fits = _kind(key)
        if isinstance(value, bool) or not fits(value):
            raise BadModel(f"{where}: {key} must be {kind}, not {value!r}.")
    return {key: Decimal(value) / MTOK if key in _RATES else value for key, value in table.items()}


def _kind(key: str) -> tuple[str, Callable[[Any], bool]]:
    if key in _RATES:
        return "USD per million tokens, zero or more", lambda value: isinstance(value, int | Decimal) and value >= 0
    if key in _COUNTS or key == "above_input_tokens":
        return "a whole number above zero", lambda value: isinstance(value, int) and value > 0
    if key in ("as_of", "retires_on"):
        return "a date", lambda value: type(value) is date
    if key == "tiers":
        return "a list", lambda value: isinstance(value, list)
    return "a text", lambda value: isinstance(value, str) and bool(value)


def _table(found: Entry) -> tuple[Rates, Tiers]:
    """Split an entry into its base rates and the tiers that reprice a longer request."""
    ranged = _ranged_tiers(found)
    return (ranged[0][1], ranged[1:]) if ranged else (_rates(found), _above_tiers(found))


def _ranged_tiers(found: Entry) -> Tiers:
    """Read `tiered_pricing`; a tier without an output price takes the model's own, reasoning included."""
    flat = _rates(found)
    own = {"output_usd_per_mtok": flat.output_usd_per_mtok, "reasoning_usd_per_mtok": flat.reasoning_usd_per_mtok}
    tiers = []
    for tier in found.get("tiered_pricing") or ():
        if len(tier.get("range", ())) == 2 and "input_cost_per_token" in tier:
            rates = _rates(tier)
            tiers.append((int(tier["range"][0]), rates if rates.output_usd_per_mtok else replace(rates, **own)))
    return tuple(sorted(tiers, key=lambda tier: tier[0]))


def _above_tiers(found: Entry) -> Tiers:
    """Read `_above_Nk_tokens`; what a tier leaves out stays as it was below it."""
    changes: dict[int, dict[str, object]] = {}
    for key, value in found.items():
        if match := _ABOVE.fullmatch(key):
            changes.setdefault(int(match[2]) * (1000 if match[3] else 1), {})[match[1]] = value
    rates, tiers = _rates(found), []
    for above in sorted(changes):
        tier = _rates(changes[above])
        rates = replace(rates, **{name: rate for name in _RATES if (rate := getattr(tier, name)) is not None})
        tiers.append((above - (found.get("litellm_provider") in _INCLUSIVE), rates))
    return tuple(tiers)


def _rates(found: Entry) -> Rates:
    return Rates(**{ours: _per_mtok(found.get(theirs)) for ours, theirs in _RATES.items()})


def _per_mtok(per_token: object) -> Decimal | None:
    """Turn USD per token into USD per million, without trailing zeros; `None` for what is no price."""
    try:
        value = (Decimal(str(per_token)) * MTOK).normalize()
    except InvalidOperation:
        return None
    if not value.is_finite() or value < 0:
        return None
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value


def _billable(rates: Rates, *, zero_counts: bool) -> bool:
    both = (rates.input_usd_per_mtok, rates.output_usd_per_mtok)
    return None not in both if zero_counts else all(both)


def _source(found: Entry) -> str:
    if "as_of" in found:
        return str(found["source"])
    page = f", from {found['source']}" if found.get("source") else ""
    return f"litellm {_litellm_version()}{page}"


@cache
def _litellm_version() -> str:
    from importlib.metadata import version

    return version("litellm")


def _or(value: Decimal | None, fallback: Decimal) -> Decimal:
    return fallback if value is None else value


def cached_prefix(model: Model, prefix_tokens: int) -> int:
    """How many tokens of a prompt's fixed part a warm provider cache reads; 0 where it is too short or no price is published.

    OpenAI, xAI and most others cache from 1,024 tokens; the map states the minimum where it differs.
    """
    offered = model.price is not None and model.price.rates.cache_read_usd_per_mtok is not None
    return prefix_tokens if offered and prefix_tokens >= (model.prompt_cache_min_tokens or 1024) else 0
