from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from playground.catalog import EFFORTS, load_catalog, read_models, reasoning_tokens, thinking_by_effort
from playground.errors import BadModel
from playground.prices import entry
from playground.records import Candidate, Model

PRICES_CSV = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "evidence" / "prices_2026-11.csv"
CATALOG = load_catalog()
LOCAL = Model("ollama/mine", "mine", "Local", None, 8_192, None)


class TestModels:
    def test_all_are_there_priced_and_told_apart(self) -> None:
        assert len(CATALOG.models) == 74
        assert len({model.name for model in CATALOG.models}) == len({model.id for model in CATALOG.models}) == 74
        assert [model.name for model in CATALOG.models if model.price is None] == []
        assert all(model.context_tokens and model.max_output_tokens for model in CATALOG.models)

    @pytest.mark.skipif(not PRICES_CSV.exists(), reason="the shared price list is not on this machine")
    def test_they_are_the_listed_ones(self) -> None:
        with PRICES_CSV.open(encoding="utf-8", newline="") as file:
            listed = {row["model"].partition("/")[2]: row["litellm_id"] for row in csv.DictReader(file)}
        # The list prices the retired model by its Bedrock id; ours is Anthropic's own, which is the one that retired.
        listed["claude-opus-4-1"] = "claude-opus-4-1"
        assert {model.name: model.id for model in CATALOG.models} == listed

    def test_providers_are_what_a_support_lead_calls_them(self) -> None:
        assert CATALOG.providers == (
            "Anthropic", "OpenAI", "Google", "Mistral", "DeepSeek", "xAI", "Alibaba", "Meta", "Amazon",
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("name", "day"),
        [
            ("claude-opus-4-1", date(2026, 8, 5)),
            ("o4-mini", date(2026, 10, 23)),
            ("claude-sonnet-4-5", date(2026, 11, 30)),
            ("gpt-5", date(2026, 12, 11)),
            ("gpt-4o", date(2027, 1, 14)),
            ("claude-opus-5", None),
        ],
    )
    def test_a_model_retires_on(self, name: str, day: date | None) -> None:
        assert CATALOG.by_name(name).retires_on == day

    def test_the_cache_threshold_is_known_where_the_map_has_it(self) -> None:
        assert CATALOG.by_name("claude-haiku-4-5").prompt_cache_min_tokens == 4_096
        assert CATALOG.by_name("gemini-4-argon").prompt_cache_min_tokens == 4_096
        assert CATALOG.by_name("nova-pro").prompt_cache_min_tokens is None


class TestDefaultEffort:
    @pytest.mark.parametrize(
        ("name", "effort"),
        [
            ("gpt-5-mini", "medium"), ("o3", "medium"), ("gpt-5.4", "none"), ("gpt-5.5", "medium"), ("gpt-4o", "none"),
            ("claude-opus-4-8", "none"), ("claude-sonnet-5", "high"), ("claude-opus-5-5", "medium"),
            ("gemini-3.1-pro-preview", "high"), ("gemini-3.5-flash-lite", "minimal"), ("gemini-2.5-flash-lite", "none"),
            ("deepseek-v4-flash", "high"), ("grok-4.3", "low"), ("qwen3-max", "none"), ("mistral-large-4", "none"),
        ],
    )  # fmt: skip
    def test_it_is_the_vendors(self, name: str, effort: str) -> None:
        assert CATALOG.by_name(name).default_effort == effort

    def test_it_never_contradicts_the_map(self) -> None:
        for model in CATALOG.models:
            known = entry(model.id)
            thinks = model.default_effort != "none"
            assert known.get("default_reasoning_effort", model.default_effort) == model.default_effort, model.name
            assert thinks or not known.get("thinking_always_on"), model.name
            assert thinks is False or known.get("supports_reasoning") or model.name == "gpt-6.1-terra", model.name


class TestByName:
    @pytest.mark.parametrize(
        "name",
        ["gemini-2.5-pro", "gemini/gemini-2.5-pro", "google/gemini-2.5-pro"],
    )
    def test_a_name_an_id_or_a_vendors_name_will_do(self, name: str) -> None:
        assert CATALOG.by_name(name).id == "gemini/gemini-2.5-pro"

    def test_an_id_with_slashes_is_found(self) -> None:
        assert CATALOG.by_name("deepinfra/meta-llama/Llama-3.3-70B-Instruct-Turbo").name == "llama-3.3-70b"
        assert CATALOG.by_name("meta/llama-3.3-70b").provider == "Meta"

    def test_an_unknown_model_names_the_nearest(self) -> None:
        with pytest.raises(BadModel, match=r"no model 'gpt5-mini'\. Did you mean gpt-5-mini or"):
            CATALOG.by_name("gpt5-mini")

    def test_a_model_like_none_of_ours_gets_no_hint(self) -> None:
        with pytest.raises(BadModel, match=r"no model 'xyz'\.$"):
            CATALOG.by_name("xyz")


class TestCandidates:
    def test_every_model_stands_at_its_default(self) -> None:
        assert [candidate.key for candidate in CATALOG.candidates()] == [model.name for model in CATALOG.models]

    def test_efforts_with_evidence_are_added_in_order(self) -> None:
        asked = {"gpt-5": {"high", "default", "low"}, "gemini/gemini-2.5-pro": ["max"], "no-such-model": ["low"]}
        keys = [candidate.key for candidate in CATALOG.candidates(asked)]
        assert len(keys) == 74 + 3
        assert [key for key in keys if key.startswith("gpt-5 @") or key == "gpt-5"] == [
            "gpt-5",
            "gpt-5 @low",
            "gpt-5 @high",
        ]
        assert "gemini-2.5-pro @max" in keys


class TestWithModel:
    def test_a_new_one_comes_last(self) -> None:
        catalog = CATALOG.with_model(LOCAL)
        assert catalog.models[-1] is catalog.by_name("mine") is LOCAL
        assert catalog.providers[-1] == "Local"
        assert len(CATALOG.models) == 74

    def test_a_known_one_is_replaced_in_place(self) -> None:
        mine = replace(CATALOG.models[3], price=None)
        catalog = CATALOG.with_model(mine)
        assert catalog.models[3] is mine
        assert len(catalog.models) == 74


class TestThinking:
    def test_the_assumed_tokens_rise_with_effort(self) -> None:
        assert dict(thinking_by_effort()) == {
            "none": 0, "minimal": 50, "low": 250, "medium": 1_000, "high": 4_000, "xhigh": 10_000, "max": 20_000,
        }  # fmt: skip

    def test_default_means_what_the_model_does(self) -> None:
        for model in CATALOG.models:
            at_default, named = Candidate(model), Candidate(model, model.default_effort)
            assert reasoning_tokens(at_default, 100) == reasoning_tokens(named, 100)
        assert reasoning_tokens(Candidate(CATALOG.by_name("gpt-5")), 40) == 1_000
        assert reasoning_tokens(Candidate(CATALOG.by_name("gpt-4o")), 900) == 0

    def test_thinking_and_answer_share_the_output_limit(self) -> None:
        model = replace(LOCAL, max_output_tokens=8_192)
        assert reasoning_tokens(Candidate(model, "max"), 1_000) == 7_192
        assert reasoning_tokens(Candidate(model, "max"), 9_000) == 0
        assert reasoning_tokens(Candidate(LOCAL, "max"), 9_000) == 20_000


class TestModelsFile:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("name,id\n", "must start with the columns name, id, provider, default_effort"),
            ("name,id,provider,default_effort\na,b,c\n", "line 2: every row needs"),
            ("name,id,provider,default_effort\na,b,c,none,x\n", "line 2: every row needs"),
            ("name,id,provider,default_effort\na,,c,none\n", "line 2: every row needs"),
            ("name,id,provider,default_effort\na,b,c,default\n", "line 2: default_effort must be one of none, minimal"),
            ("name,id,provider,default_effort\na,b,c,none\na,d,c,none\n", "line 3: a is listed twice"),
        ],
    )
    def test_a_mistake_is_named(self, tmp_path: Path, text: str, says: str) -> None:
        file = tmp_path / "models.csv"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(BadModel) as error:
            list(read_models(file))
        assert says in str(error.value)

    def test_efforts_stand_in_order(self) -> None:
        assert list(EFFORTS) == ["default", *thinking_by_effort()]
