"""What an answer may not carry out is found in the draft and in the answer, hands over, and is not served."""

from __future__ import annotations

import base64
import codecs
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground import tickets
from playground.guardrails import Leaks, Sites
from playground.guardrails.copied import repeats, without
from playground.knowledge import sample_policies
from playground.loop import run_all
from playground.pipeline import load_shipped
from playground.records import Context, Handover, Passage, Policy, Request, Ticket, Trace
from playground.workshop import make_agent, make_router
from tests.scripted import POLICIES, TICKET, Scripted, good, make

SITES = Sites(("tallyfield.example",))
LEAKS = Leaks(SITES)


def saying(text: str, stage: str) -> Callable[[Request], str]:
    """Adds a text to what a stage says."""

    def answer(request: Request) -> str:
        if request.prompt.stage != stage:
            return good(request)
        if stage == "respond":
            return f"{good(request)} {text}"
        draft = json.loads(good(request))
        return json.dumps({**draft, "answer": f"{draft['answer']} {text}"})

    return answer


def run(text: str, stage: str = "respond", ticket: Ticket = TICKET, part: Leaks = LEAKS) -> Trace:
    return run_all(replace(make(Scripted(saying(text, stage))), middleware=(part,)), ticket, "kr-auto")


FINDINGS = {
    "site": "See https://evil.example.com/x.",
    "bare site": "See evil.com for more.",
    "mailbox": "Write to help@evil.com.",
    "image": "![receipt](https://tallyfield.example/p.png)",
    "script": "<script>go()</script>",
    "phone": "Call +49 151 2345 6789.",
    "card": "Use 4111 1111 1111 1111.",
    "invoice": "See TF-998812.",
    "key": "Use tf_live_9aQx72LmPz.",
    "hidden": "Hi" + "\u200b\u200c" * 8 + "there",
    "tags": "Hi" + "\U000e0041" * 12,
}


@pytest.mark.parametrize("stage", ["draft", "respond"])
@pytest.mark.parametrize("name", FINDINGS)
def test_a_finding_hands_over_and_the_answer_is_not_served(name: str, stage: str) -> None:
    trace = run(FINDINGS[name], stage)
    assert trace.handover is not None
    assert (trace.handover.rule, trace.handover.withheld, trace.served) == ("leak", True, None)
    assert ("respond" in [s.stage for s in trace.steps]) == (stage == "respond")
    assert trace.steps[-1].stage == "summarise"


@pytest.mark.parametrize("name", FINDINGS)
def test_the_sentence_does_not_repeat_what_was_found(name: str) -> None:
    trace = run(FINDINGS[name])
    assert trace.handover is not None
    for word in ("evil", "151", "4111", "998812", "9aQx", "\u200b"):
        assert word not in trace.handover.reason
    assert trace.handover.reason.endswith(".")


def test_several_findings_are_one_sentence() -> None:
    trace = run("See evil.com and call +49 151 2345 6789.")
    assert trace.handover is not None
    assert trace.handover.reason == (
        "The answer was held back: it holds an address of a site that is not on the list and a phone number or another long number."
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "See https://app.tallyfield.example/x.",
        "Write to help@tallyfield.example.",
        "It costs $12 \U0001f469\u200d\U0001f4bb.",
    ],
)
def test_a_clean_answer_is_served(text: str) -> None:
    assert run(text).served is not None


def test_a_retrieved_article_s_site_may_be_named_and_its_numbers_only_where_it_is_cited() -> None:
    said = "See docs.partner.example and call +49 151 2345 6789."
    context = Context(TICKET, {}, (), (Passage("a3", "Contact", said), Passage("a4", "Other", "Nothing.")))
    step = run("").steps[2]

    def found(*cites: str) -> Handover | None:
        output = {"answer": said, "citations": list(cites), "confidence": 1.0, "open_questions": []}
        return LEAKS.after(replace(step, output=output), context)

    assert step.stage == "draft"
    assert found("a3", "a4") is None
    uncited = found("a4")
    assert uncited is not None
    assert "site" not in uncited.reason
    assert "phone" in uncited.reason


def test_the_ticket_s_own_numbers_may_be_said_and_its_links_may_not() -> None:
    own = replace(TICKET, text=f"{TICKET.text} My number is +49 151 2345 6789, invoice TF-998812, see www.evil.com.")
    assert run("We call +49 151 2345 6789 about TF-998812.", ticket=own).served is not None
    assert run("See www.evil.com.", ticket=own).served is None


def test_an_address_of_the_customer_s_record_may_be_said() -> None:
    known = Leaks(SITES, own=lambda ticket: ("jo@customer.example",))
    assert run("We wrote to jo@customer.example.", part=known).served is not None
    assert run("We wrote to other@elsewhere.example.", part=known).served is None
    assert run("We wrote to jo@customer.example.").served is None


SYSTEM = load_shipped("support").stage("respond").prompt.system
COPIES: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "upper": str.upper,
    "spaces gone": lambda t: t.replace(" ", ""),
    "dashes": lambda t: t.replace(" ", " - "),
    "backwards": lambda t: t[::-1],
    "rot13": lambda t: codecs.encode(t, "rot13"),
    "base64": lambda t: base64.b64encode(t.encode()).decode(),
    "hex": lambda t: t.encode().hex(),
    "marked": lambda t: f"**{t}**",
}


@pytest.mark.parametrize("name", COPIES)
def test_a_part_of_the_instructions_is_found(name: str) -> None:
    trace = run(COPIES[name](" ".join(SYSTEM.split()[4:20])))
    assert trace.handover is not None
    assert "a part of the instructions" in trace.handover.reason


def test_whole_policies_are_found_and_a_sentence_of_one_may_be_said() -> None:
    agent = replace(make(), policies=(*POLICIES, *sample_policies()), middleware=(LEAKS,))
    policy = sample_policies()[0]
    whole = run_all(replace(agent, complete=Scripted(saying(policy.text, "respond"))), TICKET, "kr-auto")
    assert whole.handover is not None
    assert "whole policies" in whole.handover.reason
    sentence = " ".join(policy.text.split()[:14])
    assert run_all(replace(agent, complete=Scripted(saying(sentence, "respond"))), TICKET, "kr-auto").served is not None


@given(
    st.lists(st.sampled_from("alpha beta gamma delta eps zeta eta theta".split()), min_size=8, max_size=30), st.data()
)
def test_a_stretch_is_found_wherever_it_stands(words: list[str], data: st.DataObject) -> None:
    n = data.draw(st.integers(4, len(words)))
    at = data.draw(st.integers(0, len(words) - n))
    assert repeats(f"Say: {', '.join(words[at : at + n]).upper()}!", " ".join(words), n)
    assert not repeats("nothing of the kind stands here at all", " ".join(words), n)


def test_what_stands_open_may_be_repeated() -> None:
    assert repeats("one two three four", "one two three four", 3)
    assert not repeats("one two three four", "one two three four", 3, "He said one two three four five.")
    assert without("a bb b", ["b", "bb"]) == "a    "


def test_the_samples_leak_nothing() -> None:
    agent = replace(make_agent(make_router(load_shipped("support"))), middleware=(LEAKS,))
    for ticket in tickets.samples().values():
        assert run_all(agent, ticket, "kr-auto").handover is None, ticket.id


@settings(max_examples=30)
@given(st.text(max_size=200))
def test_any_answer_can_be_looked_at(text: str) -> None:
    run(text or "x")


def test_an_output_of_another_shape_is_looked_at_whole() -> None:
    flow = load_shipped("support")
    loose = flow.with_stage(
        replace(flow.stage("draft"), output=replace(flow.stage("draft").output, schema=None, checks=()))
    )

    def odd(request: Request) -> str:
        return '{"parts": [{"say": ["see evil.com"]}]}' if request.prompt.stage == "draft" else good(request)

    trace = run_all(replace(make(Scripted(odd), loose), middleware=(LEAKS,)), TICKET, "kr-auto")
    assert trace.handover is not None
    assert trace.handover.rule == "leak"


def test_policies_without_text_are_no_stretch() -> None:
    agent = replace(make(), policies=(Policy("P1", "", ""),), middleware=(LEAKS,))
    assert run_all(agent, TICKET, "kr-auto").served is not None
