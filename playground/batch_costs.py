"""Exact money for many tickets at once, as whole numbers.

A token costs a whole number of 10^-12 USD at every price that has at most six digits after the point.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from playground.options import Load, Option, stage_cost_usd
from playground.pipeline import Stage
from playground.prices import cached_prefix
from playground.prompt_caching import read_saving_usd_per_mtok, write_extra_usd_per_mtok
from playground.records import Model, Price, Rates

Whole = NDArray[np.int64]
_HALF = 24
PICO = 10**12
"""Whole units in one USD."""
PICO_A_TOKEN = 1_000_000
"""Whole units that a token costs at one USD for a million of them."""
UNPRICED = np.iinfo(np.int64).max


def costs(option: Option, stage: Stage, inputs: Whole) -> Whole:
    """List cost of a stage's calls for each ticket, in 10^-12 USD; `UNPRICED` where there is no price."""
    price = option.candidate.model.price
    rates = whole_rates(price) if price is not None else None
    if price is None or rates is None:
        return np.array([_slow(option, stage, row) for row in inputs], np.int64)
    if not price.tiers:
        token_in, token_out, token_thought = map(int, rates[0])
        out = stage.typical_output_tokens * token_out + option.thinking * token_thought
        return np.asarray(inputs.sum(axis=1) * token_in + out * inputs.shape[1], np.int64)
    given, visible, thought = (rates[:, i][_tier(price, inputs)] for i in range(3))
    a_call = inputs * given + stage.typical_output_tokens * visible + option.thinking * thought
    return np.asarray(a_call.sum(axis=1), np.int64)


def cache_saving(model: Model, inputs: Whole, prefix_tokens: int) -> Whole:
    """What each ticket saves at a stage in 10^-12 USD when its prompts' fixed part is read from the provider's cache.

    Nothing where the model's cache does not take a prefix that short, or has no published price.
    """
    return prefix_costs(model, inputs, prefix_tokens)[0]


def prefix_costs(model: Model, inputs: Whole, prefix_tokens: int) -> tuple[Whole, Whole]:
    """What each ticket saves at a stage when the fixed part is read, and what is lost of that when it is written; 10^-12 USD."""
    rates = None if model.price is None else _prefix_rates(model.price)
    prefix = cached_prefix(model, prefix_tokens)
    if model.price is None or rates is None or not prefix:
        nothing = np.zeros(len(inputs), np.int64)
        return nothing, nothing
    tokens, tier = np.minimum(inputs, prefix), _tier(model.price, inputs)
    read, extra = ((tokens * rates[:, i][tier]).sum(axis=1) for i in range(2))
    return np.asarray(read, np.int64), np.asarray(extra, np.int64)


@lru_cache(maxsize=1024)
def _prefix_rates(price: Price) -> Whole | None:
    """Whole 10^-12 USD that a token saves when read, and loses of that when written, by tier; `None` for more digits."""
    tiers = (price.rates, *(rates for _, rates in price.tiers))
    rows = [(read_saving_usd_per_mtok(r) * PICO_A_TOKEN, write_extra_usd_per_mtok(r) * PICO_A_TOKEN) for r in tiers]
    whole = all(rate == rate.to_integral_value() for row in rows for rate in row)
    return np.array([[int(rate) for rate in row] for row in rows], np.int64) if whole else None


def answer_costs(model: Model, thinking: int, stage: Stage, inputs: Whole) -> Whole:
    """The part of `costs` that is output tokens; 0 where the price cannot be said in whole units."""
    price = model.price
    rates = None if price is None else whole_rates(price)
    if price is None or rates is None:
        return np.zeros(len(inputs), np.int64)
    visible, thought = (rates[:, i][_tier(price, inputs)] for i in (1, 2))
    return np.asarray((stage.typical_output_tokens * visible + thinking * thought).sum(axis=1), np.int64)


def _tier(price: Price, inputs: Whole) -> NDArray[np.int64]:
    thresholds = [above for above, _ in price.tiers]
    return np.searchsorted(thresholds, inputs) if thresholds else np.zeros(inputs.shape, np.int64)


@lru_cache(maxsize=1024)
def whole_rates(price: Price) -> Whole | None:
    """Whole 10^-12 USD for a token in, out and thought, by tier; `None` where a price has more digits."""
    rows = [_row(rates) for rates in (price.rates, *(rates for _, rates in price.tiers))]
    return None if None in rows else np.array(rows, np.int64)


def _row(rates: Rates) -> tuple[int, ...] | None:
    given, out = rates.input_usd_per_mtok, rates.output_usd_per_mtok
    if given is None or out is None:
        return None
    thought = out if rates.reasoning_usd_per_mtok is None else rates.reasoning_usd_per_mtok
    whole = [rate * PICO_A_TOKEN for rate in (given, out, thought)]
    return tuple(map(int, whole)) if all(w == w.to_integral_value() for w in whole) else None


def _slow(option: Option, stage: Stage, row: Iterable[int]) -> int:
    load = Load(tuple(int(n) for n in row), stage.typical_output_tokens, stage.max_output_tokens)
    return pico(stage_cost_usd(option.candidate, load))


def exact_sum(costs: Whole, times: Whole | None = None) -> int:
    """The sum, each cost times a whole number of up to six digits if given; without the overflow of a long log's dear tickets."""
    high, low = costs >> _HALF, costs & ((1 << _HALF) - 1)
    if times is not None:
        high, low = high * times, low * times
    return (int(high.sum()) << _HALF) + int(low.sum())


def pico(cost: Decimal | None) -> int:
    """USD as whole units; no price is `UNPRICED`."""
    return int(UNPRICED) if cost is None else round(cost * PICO)


def in_usd(pico: int) -> Decimal:
    """Whole units as USD, exactly."""
    return Decimal(pico) / PICO
