"""Pipelines: what is shipped, what is refused, and how a refusal reads."""

from __future__ import annotations

import pytest

from playground import pipeline as pipelines
from playground.errors import BadPipeline
from playground.pipeline_file import SHIPPED, shipped
from playground.workshop import check_models

SUPPORT = (SHIPPED / "support.yaml").read_text(encoding="utf-8")


def test_the_support_agent_has_the_articles_six_stages_and_eight_calls() -> None:
    support = pipelines.load_shipped("support")
    assert [(s.key, s.calls) for s in support.stages] == [
        ("intent", 1), ("rerank", 3), ("draft", 1), ("check", 1), ("respond", 1), ("summarise", 1),
    ]  # fmt: skip
    assert support.calls == 8


def test_the_article_pipeline_carries_the_articles_models_and_counts() -> None:
    article = pipelines.load_shipped("article-2025")
    assert [(s.before, s.typical_input_tokens, s.typical_output_tokens) for s in article.stages] == [
        ("gpt-4o", 180, 40), ("claude-sonnet-4-5", 1800, 80), ("claude-opus-4-1", 4200, 900),
        ("claude-opus-4-1", 1100, 120), ("claude-opus-4-1", 4800, 450), ("gpt-4o", 2000, 300),
    ]  # fmt: skip
    assert article.stage("draft").prompt == pipelines.load_shipped("support").stage("draft").prompt


@pytest.mark.parametrize("name", shipped())
def test_a_downloaded_pipeline_loads_back_equal(name: str) -> None:
    flow = pipelines.load_shipped(name)
    assert pipelines.parse(pipelines.to_yaml(flow), "own.yaml") == flow


def test_a_stage_may_have_a_timeout_of_its_own() -> None:
    flow = pipelines.parse(SUPPORT.replace("    calls: 3", "    calls: 3\n    timeout_s: 7.5", 1), "own.yaml")
    assert {s.key: s.timeout_s for s in flow.stages} == {
        **dict.fromkeys((s.key for s in flow.stages), 60.0),
        "rerank": 7.5,
    }
    assert pipelines.parse(pipelines.to_yaml(flow), "own.yaml") == flow


BROKEN = [
    ("    calls: 3", "    timeout_s: 0\n    calls: 3", ["own.yaml", "line 69", "stages.rerank.timeout_s", "greater than 0"]),
    ("calls: 3", "calls: -1", ["own.yaml", "line 69", "stages.rerank.calls", "greater than or equal to 1", "got -1"]),
    ("    calls: 3", "    cals: 3\n    calls: 3", ["stages.rerank.cals", "unknown key", "allowed here: key, title, calls"]),
    ("name: support", "nmae: support", ["nmae", "unknown key"]),
    ("name: support\n", "", ["name", "missing"]),
    ("{{ draft }}", "{{ drat }}", ["stages.check.prompt.user", "{{ drat }} does not exist", "Allowed:", "{{ draft }}"]),
    ("        {{ labels }}", "        {{ ticket }}", ["stages.intent.prompt.system", "{{ labels }}, {{ policies }}"]),
    ("tier: cheap", "tier: free", ["stages.intent.tier", "'cheap', 'mid' or 'frontier'", "got 'free'"]),
    ("bar: 0.91", "bar: 95", ["stages.intent.bar", "less than or equal to 1"]),
    ("bar: 0.91", "bar: .nan", ["stages.intent.bar"]),
    ("typical_output_tokens: 40", "typical_output_tokens: 400", ["stages.intent", "typical_output_tokens is more than"]),
    ("checks: [label_known]", "checks: [lable]", ["stages.intent.output.checks", "'label_known'"]),
    ("keep: 8", "keep: 50", ["keep: 50 is more than retrieve (18)"]),
    ("retrieve: 18", "retrieve: [", ["line", "not valid YAML"]),
    ("  - key: check", "  - key: chekc", ["stages.chekc.key", "'check'"]),
    ("name: support", "name: support\nname: again", ["line 8", "'name' is given twice"]),
    ("keep: 8", "keep: &n 8\ntimeout_s: *n", ["aliases such as *name are not read here"]),
    ("checks: [citations_present]", "checks: [no_citation_marks]", ["no_citation_marks cannot read an output of kind json"]),
    ("checks: [scores_complete]", "checks: []", ["re-ranking needs", "scores_complete"]),
    ("additionalProperties: false", "$ref: 'http://127.0.0.1:9/x'", ["stages.intent.output.schema", "$ref"]),
    ("additionalProperties: false", "default: 2026-01-01", ["stages.intent.output.schema", "such as a date"]),
    ("retrieve: 18", "retrieve: " + "9" * 5000, ["own.yaml"]),
    ("confidence: {type: number", "confidence: {type: numbr", ["stages.intent.output.schema", "not a valid JSON Schema"]),
    ("name: support", "name: support\nextends: nothing", ["extends", "'nothing' is not a shipped pipeline", "support"]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "parts"), BROKEN, ids=[new.strip().split("\n")[0] for _, new, _ in BROKEN])
def test_a_broken_pipeline_says_what_is_wrong_where_and_what_is_allowed(old: str, new: str, parts: list[str]) -> None:
    assert old in SUPPORT
    with pytest.raises(BadPipeline) as caught:
        pipelines.parse(SUPPORT.replace(old, new, 1), "own.yaml")
    message = str(caught.value)
    assert message.startswith("own.yaml: ")
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_a_missing_stage_is_named() -> None:
    start, end = SUPPORT.index("  - key: check"), SUPPORT.index("  - key: respond")
    with pytest.raises(BadPipeline, match="missing check.*intent, rerank, draft, check, respond, summarise"):
        pipelines.parse(SUPPORT[:start] + SUPPORT[end:], "own.yaml")


def test_the_same_stage_twice_is_refused() -> None:
    start, end = SUPPORT.index("  - key: check"), SUPPORT.index("  - key: respond")
    with pytest.raises(BadPipeline, match="once each"):
        pipelines.parse(SUPPORT[:end] + SUPPORT[start:], "own.yaml")


def test_a_file_that_extends_another_needs_only_its_differences() -> None:
    own = "name: own\nextends: support\nstages:\n  - {key: draft, bar: 0.8}\n"
    flow = pipelines.parse(own, "own.yaml")
    assert (flow.stage("draft").bar, flow.stage("check").bar) == (
        0.8,
        pipelines.load_shipped("support").stage("check").bar,
    )


def test_an_error_in_a_file_that_extends_another_names_its_own_line() -> None:
    own = "name: own\nextends: support\nstages:\n  - key: draft\n    calls: 0\n"
    with pytest.raises(BadPipeline, match=r"own.yaml: line 5: stages.draft.calls"):
        pipelines.parse(own, "own.yaml")


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00", "name: übel".encode("latin-1")])
def test_bytes_that_are_not_utf8_are_refused_with_their_place(raw: bytes) -> None:
    with pytest.raises(BadPipeline, match=r"own.yaml: byte \d+ is not UTF-8"):
        pipelines.parse_bytes(raw, "own.yaml")


def test_a_file_that_is_too_large_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(BadPipeline, match="at most 1,000,000"):
        pipelines.parse_bytes(b"a" * 1_000_001, "own.yaml")


@pytest.mark.parametrize("text", ["", "- a\n- b", "just words", "stages: 3", "stages: [1, 2]", "? [a]: b"])
def test_yaml_that_is_no_pipeline_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(BadPipeline, match=r"^own.yaml: "):
        pipelines.parse(text, "own.yaml")


def test_an_unknown_name_lists_the_shipped_ones() -> None:
    with pytest.raises(BadPipeline, match="support, article-2025"):
        pipelines.load("suport")


def test_a_bomb_of_aliases_is_refused_at_once() -> None:
    layers = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 12))
    with pytest.raises(BadPipeline, match="line 2.*aliases"):
        pipelines.parse(f"l0: &l0 [x]\n{layers}", "bomb.yaml")


def test_a_model_that_does_not_exist_is_named_with_its_key() -> None:
    flow = pipelines.parse("name: own\nextends: support\nstages: [{key: draft, reference: gpt-99}]", "own.yaml")
    with pytest.raises(BadPipeline, match="own: stages.draft.reference: .*gpt-99"):
        check_models(flow)


@pytest.mark.parametrize("wanted", ["{{ ticket.text }}", "{{ ticket|upper }}", "{{ nope }}"])
def test_what_a_template_cannot_be_filled_with_is_refused_with_its_line(wanted: str) -> None:
    text = pipelines.to_yaml(pipelines.load_shipped("support")).replace("{{ ticket }}", wanted)
    with pytest.raises(BadPipeline, match=r"mine\.yaml: line \d+: stages\.intent.*does not exist here"):
        pipelines.parse(text, "mine.yaml")


def test_a_stage_given_twice_beside_extends_is_refused() -> None:
    text = "name: mine\nextends: support\nstages:\n- key: draft\n  bar: 0.8\n- key: draft\n  bar: 0.9\n"
    with pytest.raises(BadPipeline, match=r"draft is given twice"):
        pipelines.parse(text, "mine.yaml")


@pytest.mark.parametrize("line", ["bar: true", "calls: '1'"])
def test_a_value_of_another_kind_is_not_guessed_at(line: str) -> None:
    with pytest.raises(BadPipeline, match=line.split(":")[0]):
        pipelines.parse(f"name: mine\nextends: support\nstages:\n- key: draft\n  {line}\n", "mine.yaml")
