"""Two independent bills to hold ours against: litellm's `completion_cost` and the genai-prices tables.

Shared by tests/test_prices.py and benchmarks/prices.py. Neither oracle is imported until it is asked.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from playground.catalog import load_catalog
from playground.prices import cost_usd
from playground.records import Model, Usage

TOLERANCE_USD = Decimal("1e-9")
PEAK = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
"""A Monday hour at which DeepSeek charges its standard rate, the one we bill."""

EXPLAINED = {
    "litellm": {
        "claude-opus-4-1": "retired by Anthropic and gone from litellm's map; our override keeps it priced",
        "gpt-6.1-terra": "released after the bundled map; our override prices it",
        "mistral-large-4": "the bundled map still has the launch promotion, half the list price our override bills",
    },
    "genai-prices": {
        "mistral-large-4": "genai-prices has 0.70 / 2.10 from 2026-10-29, our override the list price 1.36 / 4.18",
        "deepseek-v4-pro": "genai-prices has no cache-write price and bills writes as input; litellm's map says zero",
        "deepseek-v4-flash": "genai-prices has no cache-write price and bills writes as input; litellm's map says zero",
        "deepseek-v3.2": "genai-prices has 0.2288 / 0.3432 without a cache price, litellm's map 0.28 / 0.40 / 0.028",
    },
}
"""Where an oracle and we differ, and why; every other model must agree to within the tolerance."""

Bill = Callable[[Model, Usage], Decimal | None]
_GENAI_PROVIDERS = {
    "Anthropic": "anthropic", "OpenAI": "openai", "Google": "google", "Mistral": "mistral",
    "DeepSeek": "deepseek", "xAI": "x-ai", "Amazon": "aws", "Meta": "aws",
}  # fmt: skip
_INPUTS = (
    1, 180, 1_800, 4_200, 32_000, 32_001, 99_999, 100_000, 100_001, 128_000, 128_001, 199_999, 200_000, 200_001,
    272_000, 272_001, 400_000,
)  # fmt: skip


def usages() -> tuple[Usage, ...]:
    """Every input size around the tiers' edges, fresh or cached in three ways, with thinking or without."""
    return tuple(
        Usage(tokens, output, int(tokens * read), int(tokens * write), int(output * thought))
        for tokens in _INPUTS
        for read, write in ((0, 0), (0.6, 0), (0, 0.5), (0.3, 0.3))
        for output, thought in ((40, 0), (450, 0), (900, 0.5), (3_000, 0.9))
    )


def models() -> tuple[Model, ...]:
    """Every priced model of the catalogue."""
    return tuple(model for model in load_catalog().models if model.price)


def unexplained(oracle: str, found: dict[str, Decimal]) -> dict[str, Decimal]:
    """The differences that must be within the tolerance."""
    return {name: gap for name, gap in found.items() if name not in EXPLAINED[oracle]}


def differences(bill: Bill, over: Sequence[Usage], among: Iterable[Model]) -> dict[str, Decimal]:
    """Largest difference in USD over the usages that fit the model, by name; models the oracle lacks are left out."""
    found = {}
    for model in among:
        gaps = [gap for usage in over if _fits(model, usage) and (gap := _gap(bill, model, usage)) is not None]
        if gaps:
            found[model.name] = max(gaps)
    return found


def _fits(model: Model, usage: Usage) -> bool:
    return model.context_tokens is None or usage.input_tokens <= model.context_tokens


def _gap(bill: Bill, model: Model, usage: Usage) -> Decimal | None:
    ours, theirs = cost_usd(usage, model.price), bill(model, usage)
    return None if ours is None or theirs is None else abs(ours - theirs)


def litellm_bill() -> Bill:
    """Bill as litellm does, offline, during DeepSeek's standard hours."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Item '.*' on TypedDict class", category=UserWarning)
        import litellm
        from litellm._internal_context import pinned_billing_time
        from litellm.types.utils import CompletionTokensDetailsWrapper, ModelResponse, PromptTokensDetailsWrapper
        from litellm.types.utils import Usage as TheirUsage

        ModelResponse()  # litellm builds this class on first use, and warns then

    def bill(model: Model, usage: Usage) -> Decimal | None:
        if model.id not in litellm.model_cost:
            return None
        theirs = TheirUsage(
            prompt_tokens=usage.input_tokens,
            completion_tokens=usage.output_tokens,
            total_tokens=usage.input_tokens + usage.output_tokens,
            prompt_tokens_details=PromptTokensDetailsWrapper(
                cached_tokens=usage.cache_read_tokens, cache_creation_tokens=usage.cache_write_tokens
            ),
            completion_tokens_details=CompletionTokensDetailsWrapper(reasoning_tokens=usage.reasoning_tokens),
        )
        with pinned_billing_time(PEAK):
            return Decimal(str(litellm.completion_cost(ModelResponse(model=model.id, usage=theirs), model=model.id)))

    return bill


def genai_bill() -> Bill:
    """Bill from genai-prices' tables, during DeepSeek's standard hours."""
    import genai_prices

    def bill(model: Model, usage: Usage) -> Decimal | None:
        theirs = genai_prices.Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        )
        provider = _GENAI_PROVIDERS.get(model.provider)
        name = model.id if provider == "aws" else model.name
        try:
            found = genai_prices.calc_price(theirs, name, provider_id=provider, genai_request_timestamp=PEAK)
        except LookupError:
            return None
        return found.total_price

    return bill


ORACLES: dict[str, Callable[[], Bill]] = {"litellm": litellm_bill, "genai-prices": genai_bill}
