from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from importlib import util
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import prices
from playground.catalog import load_catalog
from playground.errors import BadModel
from playground.prices import PRICE_DATE, bundled_map, cost_usd, entry, overrides, price_of, rates_for
from playground.records import Price, Rates, Usage

ROOT = Path(__file__).resolve().parents[1]
PRICES_CSV = ROOT.parent / "shared" / "data" / "evidence" / "prices_2026-11.csv"
PRICED = [model for model in load_catalog().models if model.price]
FREE = Price(Rates(Decimal(0), Decimal(0)), date(2026, 11, 1), "typed in by the user")


def cost(model_id: str, *counts: int) -> Decimal | None:
    return cost_usd(Usage(*counts), price_of(model_id))


def rows() -> list[dict[str, str]]:
    if not PRICES_CSV.exists():
        return []
    with PRICES_CSV.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class TestKnownAnswers:
    @pytest.mark.parametrize(
        ("model", "counts", "usd"),
        [
            # The founding article's table, stage by stage, at list price.
            ("gpt-4o", (180, 40), "0.00085"),
            ("claude-sonnet-4-5", (1_800, 80), "0.0066"),
            ("claude-opus-4-1", (4_200, 900), "0.1305"),
            ("claude-opus-4-1", (1_100, 120), "0.0255"),
            ("claude-opus-4-1", (4_800, 450), "0.10575"),
            ("gpt-4o", (2_000, 300), "0.008"),
            # Cached tokens are part of the input: 1,000 fresh, 2,000 read, 1,000 written.
            ("claude-opus-4-5", (4_000, 100, 2_000, 1_000), "0.01475"),
            # No cache price in the map: read and written tokens are input.
            ("meta.llama4-maverick-17b-instruct-v1:0", (1_000, 0, 400, 400), "0.00024"),
            # An explicit zero is a price.
            ("deepseek/deepseek-v4-pro", (1_000, 0, 0, 1_000), "0"),
            # Reasoning bills as output, and at its own price where the map has one.
            ("gpt-5", (0, 1_000, 0, 0, 800), "0.01"),
            ("gemini/gemini-2.5-flash", (0, 1_000, 0, 0, 800), "0.0025"),
        ],
    )
    def test_a_call_costs(self, model: str, counts: tuple[int, ...], usd: str) -> None:
        assert cost(model, *counts) == Decimal(usd)

    @pytest.mark.parametrize(
        ("model", "input_tokens", "usd_per_mtok"),
        [
            ("gpt-6.1-terra", 272_000, "1"),
            ("gpt-6.1-terra", 272_001, "2"),
            ("claude-haiku-5-5", 100_000, "0.1"),
            ("claude-haiku-5-5", 100_001, "0.5"),
            ("xai/grok-4.7", 199_999, "2"),
            ("xai/grok-4.7", 200_000, "4"),
            ("gemini/gemini-2.5-pro", 200_000, "1.25"),
            ("gemini/gemini-2.5-pro", 200_001, "2.5"),
            ("dashscope/qwen3-max", 1, "1.2"),
            ("dashscope/qwen3-max", 32_000, "1.2"),
            ("dashscope/qwen3-max", 32_001, "2.4"),
            ("dashscope/qwen3-max", 128_001, "3"),
            ("dashscope/qwen3-max", 258_048, "3"),
        ],
    )
    def test_a_long_request_is_repriced_at_the_edge(self, model: str, input_tokens: int, usd_per_mtok: str) -> None:
        price = price_of(model)
        assert price is not None
        assert rates_for(price, input_tokens).input_usd_per_mtok == Decimal(usd_per_mtok)

    def test_the_tier_reprices_the_whole_request(self) -> None:
        long = cost("gpt-6.1-terra", 300_000, 1_000, 100_000, 50_000)
        assert long == Decimal("0.15") * 2 + Decimal("0.1") * Decimal("0.1") + Decimal("0.05") * Decimal(
            "2.5"
        ) + Decimal("0.0075")

    def test_a_model_retired_from_the_map_keeps_its_price(self) -> None:
        assert "claude-opus-4-1" not in bundled_map()
        rates = price_of("claude-opus-4-1").rates
        assert (rates.input_usd_per_mtok, rates.output_usd_per_mtok) == (15, 75)
        assert (rates.cache_read_usd_per_mtok, rates.cache_write_usd_per_mtok) == (Decimal("1.5"), Decimal("18.75"))


@pytest.mark.skipif(not PRICES_CSV.exists(), reason="the shared price list is not on this machine")
class TestPriceList:
    @pytest.mark.parametrize("row", rows(), ids=lambda row: row["model"])
    def test_every_price_is_the_listed_one(self, row: dict[str, str]) -> None:
        price = price_of(row["litellm_id"])
        assert price is not None
        listed = {name: Decimal(row[name]) for name in prices._RATES if row[name]}
        assert {name: getattr(price.rates, name) for name in listed} == listed
        assert self._tier(price) == self._listed_tier(row)

    def test_the_one_row_without_a_flat_price_has_ranges(self) -> None:
        assert [row["model"] for row in rows() if not row["input_usd_per_mtok"]] == ["dashscope/qwen3-max"]
        assert len(price_of("dashscope/qwen3-max").tiers) == 2

    def test_facts_are_the_listed_ones(self) -> None:
        for row in rows():
            model = load_catalog().by_name(row["model"])
            assert str(model.context_tokens) == row["context_tokens"], row["model"]
            assert str(model.max_output_tokens) == row["max_output_tokens"], row["model"]

    @staticmethod
    def _tier(price: Price) -> dict[str, Decimal]:
        if len(price.tiers) != 1:
            return {}
        above, rates = price.tiers[0]
        size = f"{-(-above // 1000)}k"
        return {
            f"input_cost_per_token_above_{size}_tokens": rates.input_usd_per_mtok,
            f"output_cost_per_token_above_{size}_tokens": rates.output_usd_per_mtok,
        }

    @staticmethod
    def _listed_tier(row: dict[str, str]) -> dict[str, Decimal]:
        pairs = (part.split("=") for part in row["long_context_tier"].split(";") if part)
        return {key: Decimal(value) for key, value in pairs}


class TestUnpriced:
    @pytest.mark.parametrize(
        "model", ["no-such-model", "", "openai/no-such-model", "sample_spec", "text-embedding-3-small"]
    )
    def test_an_unknown_or_half_priced_model_has_no_price(self, model: str) -> None:
        assert price_of(model) is None
        assert cost_usd(Usage(1_000, 1_000), price_of(model)) is None

    def test_no_price_from_the_map_is_zero_or_less(self) -> None:
        for model_id in bundled_map():
            price = price_of(model_id)
            for rates in (price.rates, *(rates for _, rates in price.tiers)) if price else ():
                assert rates.input_usd_per_mtok > 0, model_id
                assert rates.output_usd_per_mtok > 0, model_id

    @pytest.mark.parametrize("value", [None, True, "", "free", "NaN", float("inf"), -0.001])
    def test_what_is_no_price_is_none(self, value: object) -> None:
        assert prices._per_mtok(value) is None

    def test_a_price_is_written_plainly(self) -> None:
        assert [str(prices._per_mtok(value)) for value in (5e-05, "3e-7", 1.25e-06, 0)] == ["50", "0.3", "1.25", "0"]

    def test_a_price_the_user_sets_may_be_zero(self) -> None:
        assert cost_usd(Usage(1_000, 1_000), FREE) == 0

    def test_half_a_price_is_none(self) -> None:
        assert cost_usd(Usage(1_000, 0), replace(FREE, rates=Rates(Decimal(1), None))) is None

    def test_contradictory_counts_bill_no_negative_tokens(self) -> None:
        price = price_of("gpt-4o")
        assert cost_usd(Usage(100, 0, cache_read_tokens=200), price) == Decimal("0.00025")
        assert cost_usd(Usage(0, 100, reasoning_tokens=200), price) == Decimal("0.002")


class TestSources:
    def test_every_price_of_the_catalogue_has_a_date_and_a_source(self) -> None:
        for model in PRICED:
            assert model.price.source, model.name
            assert date(2026, 8, 1) <= model.price.as_of <= date(2026, 11, 30), model.name

    def test_a_price_from_the_map_carries_its_date_and_page(self) -> None:
        price = price_of("gpt-5")
        assert price.as_of == PRICE_DATE
        assert price.source.startswith("litellm 1.")
        assert "openai.com" in price.source

    def test_an_override_carries_its_own(self) -> None:
        price = price_of("mistral/mistral-large-4")
        assert price.as_of == date(2026, 10, 20)
        assert "mistral.ai" in price.source
        assert "promotion" in price.note

    def test_an_override_of_a_fact_leaves_the_price_alone(self) -> None:
        assert entry("gpt-5")["deprecation_date"] == "2026-12-11"
        assert entry("gpt-5")["input_cost_per_token"] == bundled_map()["gpt-5"]["input_cost_per_token"]

    def test_an_override_of_a_price_replaces_all_of_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = write(tmp_path, '[models."gpt-6-sol"]\n' + SOURCED + "input_usd_per_mtok = 0\noutput_usd_per_mtok = 0\n")
        loaded = overrides(file)
        monkeypatch.setattr(prices, "overrides", lambda: loaded)
        price = price_of.__wrapped__("gpt-6-sol")
        assert price == Price(Rates(Decimal(0), Decimal(0)), date(2026, 11, 1), "a price list")

    def test_off_peak_hours_are_noted(self) -> None:
        assert "off-peak" in price_of("deepseek/deepseek-v4-pro").note

    def test_a_provider_prefix_finds_that_providers_model_only(self) -> None:
        assert price_of("openai/gpt-4o") == price_of("gpt-4o")
        assert price_of("anthropic/claude-opus-4-1") == price_of("claude-opus-4-1")
        assert price_of("mistral/gpt-4o") is None

    @pytest.mark.skipif(version("litellm") not in ("1.103.7", "1.106.2"), reason="another litellm, and so another map")
    def test_the_price_date_is_that_of_this_map(self) -> None:
        folder = Path(util.find_spec("litellm").submodule_search_locations[0])
        content = (folder / "model_prices_and_context_window_backup.json").read_bytes()
        assert sha256(content).hexdigest() == "66970be01c88f94618f9f69c1a1d29e400474f2d7b89973de7e373c110f455c2"


SOURCED = 'source = "a price list"\nas_of = 2026-11-01\n'
BOTH = "input_usd_per_mtok = 1\noutput_usd_per_mtok = 2\n"


def write(folder: Path, text: str) -> Path:
    file = folder / "prices.toml"
    file.write_text(text, encoding="utf-8")
    return file


class TestOverridesFile:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("models = 3", "one table per model"),
            ("[other]\n", "one table per model"),
            ("[models.m\n", "prices.toml cannot be read"),
            ("[models]\nm = 3\n", "prices.toml, m: must be a table"),
            ("[models.m]\nas_of = 2026-11-01\n", "m: source is missing"),
            ('[models.m]\nsource = "s"\n', "m: as_of is missing"),
            ('[models.m]\nsource = ""\nas_of = 2026-11-01\n', "source must be a text"),
            ('[models.m]\nsource = "s"\nas_of = "yesterday"\n', "as_of must be a date, not 'yesterday'"),
            ("[models.m]\n" + SOURCED + "input_usd = 1\n", "unknown field input_usd; allowed are as_of, cache_read"),
            (
                "[models.m]\n" + SOURCED + "input_usd_per_mtok = -1\n",
                "input_usd_per_mtok must be USD per million tokens",
            ),
            (
                "[models.m]\n" + SOURCED + 'input_usd_per_mtok = "1"\n',
                "input_usd_per_mtok must be USD per million tokens",
            ),
            ("[models.m]\n" + SOURCED + "input_usd_per_mtok = 1\n", "needs output_usd_per_mtok as well"),
            ("[models.m]\n" + SOURCED + "context_tokens = 1.5\n", "context_tokens must be a whole number above zero"),
            ("[models.m]\n" + SOURCED + "context_tokens = true\n", "context_tokens must be a whole number above zero"),
            ("[models.m]\n" + SOURCED + BOTH + "tiers = 3\n", "tiers must be a list"),
            ("[models.m]\n" + SOURCED + BOTH + "tiers = [{}]\n", "m, tiers: above_input_tokens is missing"),
            ("[models.m]\n" + SOURCED + "tiers = [{above_input_tokens = 5}]\n", "needs input_usd_per_mtok as well"),
        ],
    )
    def test_a_mistake_is_named(self, tmp_path: Path, text: str, says: str) -> None:
        with pytest.raises(BadModel) as error:
            overrides(write(tmp_path, text))
        assert says in str(error.value)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(BadModel, match=r"absent\.toml cannot be read"):
            overrides(tmp_path / "absent.toml")

    def test_decimals_are_exact(self, tmp_path: Path) -> None:
        file = write(tmp_path, "[models.m]\n" + SOURCED + "input_usd_per_mtok = 0.1\noutput_usd_per_mtok = 3\n")
        assert overrides(file)["m"]["input_cost_per_token"] * 1_000_000 == Decimal("0.1")


counts = st.integers(0, 500_000)


@st.composite
def consistent(draw: st.DrawFn) -> Usage:
    fresh, read, written, visible, reasoning = (draw(counts) for _ in range(5))
    return Usage(fresh + read + written, visible + reasoning, read, written, reasoning)


@given(usage=consistent(), model=st.sampled_from(PRICED))
def test_a_cost_is_never_negative(usage: Usage, model: object) -> None:
    assert usage.fresh_tokens + usage.cache_read_tokens + usage.cache_write_tokens == usage.input_tokens
    assert cost_usd(usage, model.price) >= 0


@given(usage=consistent(), extra=counts, model=st.sampled_from(PRICED))
def test_fresh_tokens_add_up_within_a_tier(usage: Usage, extra: int, model: object) -> None:
    more = replace(usage, input_tokens=usage.input_tokens + extra)
    rates = rates_for(model.price, usage.input_tokens)
    if rates_for(model.price, more.input_tokens) == rates:
        added = cost_usd(more, model.price) - cost_usd(usage, model.price)
        assert added == extra * rates.input_usd_per_mtok / 1_000_000


@given(usage=consistent(), extra=counts, model=st.sampled_from(PRICED))
def test_more_tokens_never_cost_less(usage: Usage, extra: int, model: object) -> None:
    more = replace(usage, input_tokens=usage.input_tokens + extra, output_tokens=usage.output_tokens + extra)
    assert cost_usd(more, model.price) >= cost_usd(usage, model.price)


@pytest.fixture(scope="module")
def oracle() -> ModuleType:
    spec = util.spec_from_file_location("oracle", ROOT / "tests" / "oracle.py")
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("name", "at_least"), [("litellm", 70), ("genai-prices", 60)])
def test_an_independent_bill_agrees(oracle: ModuleType, name: str, at_least: int) -> None:
    bill, usages = oracle.ORACLES[name](), oracle.usages()
    found = oracle.differences(bill, usages, oracle.models())
    checked = oracle.unexplained(name, found)
    assert len(usages) >= 200
    assert len(checked) >= at_least
    assert {model: gap for model, gap in checked.items() if gap > oracle.TOLERANCE_USD} == {}
    stale = [model for model in oracle.EXPLAINED[name] if found.get(model, 1) <= oracle.TOLERANCE_USD]
    assert stale == [], "explained, but there is no difference any more"


def test_deepseek_differs_from_genai_prices_in_cache_writes_alone(oracle: ModuleType) -> None:
    without = [usage for usage in oracle.usages() if not usage.cache_write_tokens]
    among = [load_catalog().by_name(name) for name in ("deepseek-v4-pro", "deepseek-v4-flash")]
    gaps = oracle.differences(oracle.ORACLES["genai-prices"](), without, among)
    assert all(gap <= oracle.TOLERANCE_USD for gap in gaps.values())


def test_importing_the_price_list_is_quick_and_loads_nothing() -> None:
    script = (
        "import sys; from playground import catalog, prices, tokens;"
        "print([name for name in ('litellm', 'tiktoken', 'streamlit', 'pandas') if name in sys.modules],"
        "prices.bundled_map.cache_info().currsize, catalog.load_catalog.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] 0 0"
