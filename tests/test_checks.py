"""JSON that models really send: bare, fenced, cut, or something else."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.checks import parse_json

SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "number"}}, "additionalProperties": False}


@pytest.mark.parametrize("text", ['{"a": 1}', ' \n{"a": 1}\n', '```json\n{"a": 1}\n```', '```\n{"a": 1}\n```\n'])
def test_json_is_found_bare_or_fenced(text: str) -> None:
    assert parse_json(text, SCHEMA) == ({"a": 1}, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1', "not valid JSON"), ("[1]", "not a JSON object"), ('{"a": "x"}', "a: 'x' is not of type 'number'"),
        ("{}", "'a' is a required property"), ('{"a": 1, "b": 2}', "Additional properties"),
        ("{" * 100_000, "not valid JSON"), ('{"a": NaN}', "NaN is no JSON number"),
    ],
    ids=range(7),
)  # fmt: skip
def test_what_is_wrong_is_said(text: str, words: str) -> None:
    assert words in parse_json(text, SCHEMA)[1]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda c: st.lists(c) | st.dictionaries(st.text(), c),
        max_leaves=20,
    )
)
def test_any_json_gives_a_value_or_a_sentence(value: object) -> None:
    data, problem = parse_json(json.dumps(value), SCHEMA)
    assert (data is None) == bool(problem)


@given(st.text())
def test_any_text_gives_a_value_or_a_sentence(text: str) -> None:
    data, problem = parse_json(text, SCHEMA)
    assert (data is None) == bool(problem)
