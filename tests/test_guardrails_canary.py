"""The mark goes into every system prompt, costs its tokens, and is found in an output in every common encoding."""

from __future__ import annotations

import base64
import codecs
import stat
import urllib.parse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground import tokens
from playground.errors import BadInput
from playground.guardrails.canary import ALPHABET, LENGTH, Canary, holds_mark, kept_mark, marked, new_mark
from playground.guardrails.leaks import Leaks
from playground.loop import run_all
from playground.pipeline import load_shipped
from playground.records import Request
from playground.workshop import make_agent, make_router
from tests.scripted import TICKET, Scripted, good, make

MARK = "bcdfghjkmnpqrstvwxzb"
ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "upper": str.upper,
    "spaced": " ".join,
    "dashed": "-".join,
    "lines": "\n".join,
    "zero width": "\u200b".join,
    "full width": lambda m: "".join(chr(ord(c) + 0xFEE0) for c in m),
    "backwards": lambda m: m[::-1],
    "rot13": lambda m: codecs.encode(m, "rot13"),
    "base64": lambda m: base64.b64encode(m.encode()).decode(),
    "base64 of a sentence": lambda m: base64.b64encode(f"here it is: {m}!".encode()).decode(),
    "base64 in lines": lambda m: "\n".join(
        base64.b64encode(f"here it is: {m}!".encode()).decode()[i : i + 10] for i in range(0, 60, 10)
    ),
    "base64url": lambda m: base64.urlsafe_b64encode(f"\u00ff\u00fe {m}".encode()).decode(),
    "base64 of upper": lambda m: base64.b64encode(m.upper().encode()).decode(),
    "hex": lambda m: m.encode().hex(),
    "hex spaced": lambda m: m.encode().hex(" "),
    "hex escapes": lambda m: "".join(f"\\x{b:02x}" for b in m.encode()),
    "percent": lambda m: "".join(f"%{b:02X}" for b in m.encode()),
    "entities": lambda m: "".join(f"&#{b};" for b in m.encode()),
    "quoted in a link": lambda m: f"https://x.example/?q={urllib.parse.quote(m)}",
    "first half": lambda m: m[: LENGTH // 2],
    "second half": lambda m: m[LENGTH // 2 :],
    "bold": lambda m: "".join(chr(0x1D41A + ord(c) - ord("a")) for c in m),
}


@given(st.text(max_size=60), st.sampled_from(sorted(ENCODINGS)), st.text(max_size=60), st.integers(0, 2**32))
def test_the_mark_is_found_in_any_of_these_encodings(before: str, name: str, after: str, seed: int) -> None:
    mark = "".join(ALPHABET[(seed // 7**i + 5 * i) % len(ALPHABET)] for i in range(LENGTH))
    assert holds_mark(f"{before} {ENCODINGS[name](mark)} {after}", mark)


@given(st.text(max_size=400))
def test_other_text_does_not_hold_it(text: str) -> None:
    assert not holds_mark(text, MARK)


def test_the_sample_answers_do_not_hold_it() -> None:
    agent = make_agent(make_router(load_shipped("support")))
    plain = run_all(agent, TICKET, "kr-auto")
    guarded = run_all(replace(agent, middleware=(Canary(new_mark()),)), TICKET, "kr-auto")
    assert guarded.handover is None
    assert [s.output for s in guarded.steps] == [s.output for s in plain.steps]


def _marked_run() -> Scripted:
    answers = Scripted()
    run_all(replace(make(answers), middleware=(Canary(MARK),)), TICKET, "kr-auto")
    return answers


def test_every_call_carries_the_mark_at_the_end_of_the_same_prefix() -> None:
    first, second = _marked_run().requests, _marked_run().requests
    assert len(first) == 8
    assert all(r.prompt.messages[0].content.endswith(MARK) for r in first)
    assert all(MARK not in r.prompt.messages[1].content for r in first)
    assert [r.prompt.messages[0] for r in first] == [r.prompt.messages[0] for r in second]


def test_its_tokens_are_counted() -> None:
    for request in _marked_run().requests:
        prompt = request.prompt
        assert prompt.input_tokens == tokens.count_messages(prompt.messages)
        assert prompt.prefix_tokens == tokens.count(prompt.messages[0].content)


def test_the_kept_prompt_does_not_show_it() -> None:
    trace = run_all(replace(make(Scripted()), middleware=(Canary(MARK),)), TICKET, "kr-auto")
    assert all(MARK not in m.content for s in trace.steps for p in s.prompts for m in p.messages)


def test_marking_twice_is_marking_the_same_prompt() -> None:
    prompt = _marked_run().requests[0].prompt
    bare = replace(prompt, messages=(replace(prompt.messages[0], content="You help."), prompt.messages[1]))
    assert marked(bare, MARK) == marked(bare, MARK)


@pytest.mark.parametrize("stage", ["intent", "draft", "check", "respond", "summarise"])
def test_an_output_with_the_mark_is_withheld_and_hands_over(stage: str) -> None:
    def leaking(request: Request) -> str:
        plain = good(request)
        if request.prompt.stage != stage:
            return plain
        spot = {
            "intent": '"en"',
            "draft": "It takes",
            "check": "Name it.",
            "respond": "It takes",
            "summarise": "Wants",
        }[stage]
        return plain.replace(spot, f'"{MARK}"' if stage == "intent" else f"{MARK} {spot}")

    trace = run_all(replace(make(Scripted(leaking)), middleware=(Canary(MARK),)), TICKET, "kr-auto")
    assert trace.handover is not None
    assert (trace.handover.rule, trace.handover.withheld, trace.served) == ("leak", True, None)
    assert MARK not in trace.handover.reason


def test_a_leaked_answer_is_in_no_later_prompt() -> None:
    def leaking(request: Request) -> str:
        return f"{good(request)} {MARK}" if request.prompt.stage == "respond" else good(request)

    answers = Scripted(leaking)
    run_all(replace(make(answers), middleware=(Canary(MARK),)), TICKET, "kr-auto")
    last = answers.requests[-1]
    assert last.prompt.stage == "summarise"
    assert MARK not in last.prompt.messages[1].content
    assert "respond" not in last.context.earlier


@pytest.mark.parametrize("wrong", ["", "abc", "b" * 19, "b" * 21, "a" * 20, "B" * 20])
def test_a_mark_of_another_form_is_refused(wrong: str) -> None:
    with pytest.raises(BadInput, match="canary"):
        Canary(wrong)


def test_the_mark_of_an_installation_stays(tmp_path: Path) -> None:
    file = tmp_path / "new" / "mark"
    first = kept_mark(file)
    assert kept_mark(file) == first == file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    Canary(first)


@pytest.mark.parametrize("spoiled", [b"", b"short", b"\xff\xfe", b"x" * 4096])
def test_a_spoiled_file_gets_a_new_mark(tmp_path: Path, spoiled: bytes) -> None:
    file = tmp_path / "mark"
    file.write_bytes(spoiled)
    Canary(kept_mark(file))
    assert kept_mark(file) == file.read_text()


def test_where_nothing_can_be_kept_the_mark_lasts_as_long_as_the_process(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert kept_mark(blocked / "mark") == kept_mark(blocked / "mark")


def test_clean_outputs_pass_every_guard() -> None:
    trace = run_all(replace(make(Scripted()), middleware=(Leaks(), Canary(MARK))), TICKET, "kr-auto")
    assert trace.served == "It takes days. The limit is $50."
