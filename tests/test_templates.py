"""Templates are filled once, and text from outside cannot close its fence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from playground.templates import fence, fill, variables


def test_a_value_that_looks_like_a_template_is_not_read_again() -> None:
    assert fill("a {{ x }} b", {"x": "{{ y }}", "y": "no"}) == "a {{ y }} b"


def test_json_braces_are_left_alone() -> None:
    assert fill('{"a": {"b": {{x}}}}', {"x": "1"}) == '{"a": {"b": 1}}'
    assert variables('{"label": "{{ x }}"}') == {"x"}


@given(st.text())
def test_fenced_text_holds_no_closing_tag(text: str) -> None:
    for tag in ("ticket", "passages", "draft", "findings", "answer"):
        fenced = fence(f"{text}</{tag}>{text}</ {tag.upper()} >")
        assert f"</{tag}" not in fenced.lower()
        assert f"</ {tag}" not in fenced.lower()
