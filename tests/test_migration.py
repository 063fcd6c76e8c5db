"""Every state of every step from made-up facts, what the plan saves, and a step that is taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.migration import (
    GUARDS,
    Both,
    Delivered,
    Facts,
    Saved,
    Seen,
    StageFacts,
    Step,
    Trial,
    a_month,
    costs_to_take_back,
    guard_off,
    guard_on,
    picked,
    plan,
    savings,
    stopping_after,
    take_back,
)
from playground.money import Total
from playground.runtime import CostCaps, Runtime

ON = date(2026, 11, 20)
WEEK = Seen(900, 7, 890, Total(D(310)))


def stage(
    key: str, tier: str = "cheap", before: str | None = "900", after: str | None = "100", *trials: Trial
) -> StageFacts:
    usd = [None if x is None else D(x) for x in (before, after)]
    return StageFacts(key, key.title(), tier, "today", 0.02, 1900, usd[0], usd[1], usd[1], "tier", "cheaper", trials)


STAGES = (
    stage("intent"), stage("rerank", after="900"), stage("draft", "frontier", "4000", "1000"),
    stage("check", "mid", "2000", "500"), stage("respond", "frontier", "3000", "700"), stage("summarise", after="300"),
)  # fmt: skip
PRICED = Facts("support", STAGES, ON, "Your log.", own=True)


def trial(verdict: str = "CUT OVER", recorded: bool = True, live: bool = True, **more: object) -> Trial:
    how = "live" if live else "rehearsal"
    found = {"needed": 1900 if verdict == "CONTINUE" else None, "usd_month": D(200), **more}
    return Trial("cheaper", how, 500, verdict, recorded and verdict != "CONTINUE", **found)  # type: ignore[arg-type]


def at(key: str, *trials: Trial, **more: object) -> Facts:
    """The priced facts with trials at one stage."""
    stages = tuple(replace(s, trials=trials) if s.key == key else s for s in STAGES)
    return replace(PRICED, stages=stages, **more)


def step(facts: Facts, key: str) -> Step:
    return next(s for s in plan(facts) if s.key == key)


def unpriced() -> Facts:
    return Facts("support", tuple(stage(s.key, s.tier, None, None) for s in STAGES), ON, "")


LIVE_AUTO = {"plan": "kr-auto", "by_proof": True, "routed": Both(Seen(40, 1, 40))}
REHEARSED_AUTO = {"plan": "kr-auto", "by_proof": True, "routed": Both(rehearsed=Seen(40, 1, 40))}


def held(key: str, pin: str, **more: object) -> Facts:
    """A stage that passed, with a pin."""
    found = at(key, trial(), **more)
    return replace(found, stages=tuple(replace(s, pinned=pin) if s.key == key else s for s in found.stages))


DIFFERS = (
    "show cheaper to differ from today by more than the margin of 2.0%. Which is right, only true labels or people can say. "
    "Until then today stays."
)
CASES = (
    # facts, step, state, words of its sentence
    (unpriced(), "receipts", "ready", "No live receipt on today's models yet; 7 days are needed."),
    (
        replace(PRICED, before=Both(Seen(1204, 3, 9))),
        "receipts",
        "waiting",
        "1,204 receipts on 3 days; 4 days more needed.",
    ),
    (replace(PRICED, before=Both(WEEK)), "receipts", "done", "900 receipts on 7 days, $310.00 paid."),
    (replace(PRICED, before=Both(rehearsed=WEEK)), "receipts", "rehearsed", "no model was called"),
    (replace(PRICED, before=Both(Seen(1, 1), WEEK)), "receipts", "waiting", "1 receipt on 1 day; 6 days more needed."),
    (replace(PRICED, before=Both(rehearsed=Seen(8, 1))), "receipts", "ready", "8 receipts on 1 day rehearsed"),
    (PRICED, "customers", "blocked", "no receipts"),
    (
        replace(PRICED, before=Both(Seen(100, 1, 62))),
        "customers",
        "failed",
        "62% of 100 receipts name a customer; 90% are needed",
    ),
    (replace(PRICED, before=Both(WEEK)), "customers", "done", "99% of 900 receipts name a customer."),
    (replace(PRICED, before=Both(rehearsed=WEEK)), "customers", "rehearsed", "of rehearsals"),
    (replace(PRICED, before=Both(Seen(100, 1, 0), WEEK)), "customers", "failed", "0% of 100"),
    (unpriced(), "paper", "ready", "Nothing is priced yet."),
    (
        PRICED,
        "paper",
        "done",
        "Intent, Summarise and Check, chosen by saving and evidence, would save about $2,900 a month.",
    ),
    (replace(PRICED, own=False), "paper", "rehearsed", "this is not your own log"),
    (replace(PRICED, stages=(stage("rerank", after="900"),)), "paper", "failed", "nothing to try"),
    (unpriced(), "shadow-intent", "blocked", "Nothing is priced yet"),
    (PRICED, "shadow-intent", "ready", "No pair yet; cheaper instead of today takes about 1,900 pairs."),
    (
        at("intent", trial("CONTINUE")),
        "shadow-intent",
        "done",
        "500 pairs of cheaper against today; about 1,900 more needed.",
    ),
    (at("intent", trial("CONTINUE", needed=None)), "shadow-intent", "done", "cannot be said yet"),
    (at("intent", trial(live=False)), "shadow-intent", "rehearsed", "all rehearsed"),
    (PRICED, "cut-intent", "blocked", "No pair at Intent yet; a verdict takes about 1,900."),
    (
        at("intent", trial("CONTINUE")),
        "cut-intent",
        "waiting",
        "Waiting for about 1,900 more pairs at Intent; 500 so far.",
    ),
    (at("intent", trial("CONTINUE", live=False)), "cut-intent", "waiting", "Rehearsed: it proves nothing"),
    (at("intent", trial(recorded=False)), "cut-intent", "ready", "The verdict is not recorded."),
    (at("intent", trial(), **LIVE_AUTO), "cut-intent", "done", "show cheaper to be within the margin of 2.0%"),
    (
        at("intent", trial(said="Recorded in May.")),
        "cut-intent",
        "passed",
        "margin of 2.0%. Recorded in May. It is not",
    ),
    (at("intent", trial()), "cut-intent", "passed", "It is not in force: kr-auto does not run by proof"),
    (at("intent", trial(), plan="stratified", by_proof=True), "cut-intent", "passed", "saves nothing yet"),
    (at("intent", trial(), plan="kr-auto"), "cut-intent", "passed", "kr-auto does not run by proof"),
    (held("intent", "cheaper", plan="kr-auto"), "cut-intent", "done", "the verdict is recorded."),
    (held("intent", "cheaper"), "cut-intent", "passed", "kr-auto does not run by proof"),
    (held("intent", "other", **LIVE_AUTO), "cut-intent", "passed", "other is pinned there"),
    (held("draft", "other", **LIVE_AUTO), "auto-draft", "passed", "other is pinned there"),
    (at("intent", trial(live=False)), "cut-intent", "rehearsed", "Rehearsed: it proves nothing about live models."),
    (
        at("intent", trial("KEEP")),
        "cut-intent",
        "failed",
        "KEEP: 500 pairs show cheaper to be worse by more than the margin of 2.0%",
    ),
    (
        at("intent", trial(void="the prompt has changed since")),
        "cut-intent",
        "ready",
        "void: the prompt has changed since",
    ),
    (at("intent", trial(live=False), trial("KEEP")), "cut-intent", "failed", "KEEP"),
    (at("intent", trial("KEEP", agreement=True)), "cut-intent", "failed", DIFFERS),
    (
        at("intent", trial("KEEP", live=False)),
        "cut-intent",
        "rehearsed",
        "be worse by more than the margin of 2.0%. Rehearsed: it proves nothing about live models.",
    ),
    (
        at("draft", trial("KEEP", live=False, agreement=True)),
        "auto-draft",
        "rehearsed",
        "people can say. Rehearsed: it",
    ),
    (PRICED, "auto", "ready", "The plan is before."),
    (replace(PRICED, plan="kr-auto"), "auto", "ready", "chooses by estimates"),
    (replace(PRICED, plan="kr-auto", by_proof=True), "auto", "ready", "no ticket ran under it yet"),
    (replace(PRICED, **LIVE_AUTO), "auto", "done", "40 live receipts under it"),
    (replace(PRICED, **REHEARSED_AUTO), "auto", "rehearsed", "40 receipts under it, all rehearsed"),
    (
        replace(PRICED, untold=40),
        "auto",
        "ready",
        "40 older live receipts under kr-auto without a word on whether",
    ),
    (replace(PRICED, routed=Both(Seen(40, 1))), "auto", "ready", "40 live receipts of an earlier time ran by proof."),
    (replace(PRICED, untold=7, **LIVE_AUTO), "auto", "done", "40 live receipts under it."),
    (PRICED, "auto-draft", "blocked", "No pair at Draft yet"),
    (at("draft", trial("CONTINUE")), "auto-draft", "waiting", "Waiting for about 1,900 more pairs at Draft"),
    (at("draft", trial()), "auto-draft", "ready", "It takes effect when kr-auto runs by proof."),
    (at("draft", trial(), **LIVE_AUTO), "auto-draft", "done", "CUT OVER"),
    (at("draft", trial(), **REHEARSED_AUTO), "auto-draft", "rehearsed", "kr-auto ran in rehearsals only."),
    (at("draft", trial(live=False), **LIVE_AUTO), "auto-draft", "rehearsed", "Rehearsed: it proves nothing"),
    (at("draft", trial("KEEP"), **LIVE_AUTO), "auto-draft", "failed", "today stays"),
    (PRICED, "gate", "ready", "It is off."),
    (replace(PRICED, runtime=Runtime(confidence_gate=0.5)), "gate", "done", "below a confidence of 0.50"),
    (
        replace(PRICED, guarded_on={"gate": ON}),
        "gate",
        "ready",
        "It is off in this session; an earlier one switched it on, on 2026-11-20.",
    ),
    (
        replace(PRICED, guarded_on={"gate": ON}, runtime=Runtime(confidence_gate=0.5)),
        "gate",
        "done",
        "below a confidence",
    ),
    (PRICED, "ceiling", "ready", "It is off."),
    (replace(PRICED, runtime=Runtime(cost_caps=CostCaps(call_usd=D(1)))), "ceiling", "ready", "It is off."),
    (replace(PRICED, runtime=Runtime(cost_caps=CostCaps(D(3)))), "ceiling", "done", "3 times what it should"),
    (PRICED, "opinions", "ready", "It is off."),
    (replace(PRICED, runtime=Runtime(second_opinions=0.02)), "opinions", "done", "2.0% of tickets"),
    (PRICED, "digest", "ready", "No digest was delivered yet."),
    (replace(PRICED, digest=Delivered(ON)), "digest", "done", "delivered on 2026-11-20"),
    (replace(PRICED, digest=Delivered(ON, daily=True)), "digest", "done", "This app sends it daily."),
    (replace(PRICED, digest=Delivered(None, ON)), "digest", "rehearsed", "rehearsals only"),
)


@pytest.mark.parametrize(("facts", "key", "state", "words"), CASES)
def test_a_step_says_where_it_stands(facts: Facts, key: str, state: str, words: str) -> None:
    found = step(facts, key)
    assert (found.state, words in found.because) == (state, True), found.because
    assert found.because.endswith(".")
    assert bool(found.next) is (state != "done")


def test_the_weeks_are_the_articles() -> None:
    assert [(s.week, s.key) for s in plan(PRICED)] == [
        (1, "receipts"), (1, "customers"), (2, "paper"), (2, "shadow-intent"), (2, "shadow-summarise"), (2, "shadow-check"),
        (3, "cut-intent"), (3, "cut-summarise"), (3, "cut-check"), (4, "auto"), (4, "auto-draft"), (4, "auto-respond"),
        (4, "gate"), (4, "ceiling"), (4, "opinions"), (4, "digest"),
    ]  # fmt: skip


def test_cheap_stages_come_first_and_the_most_saving_of_them() -> None:
    found = picked(PRICED)
    assert [s.key for s in found.first] == ["intent", "summarise", "check"]
    assert [s.key for s in found.later] == ["draft", "respond"]
    assert [s.key for s in found.stay] == ["rerank"]
    assert [s.key for s in picked(unpriced()).first] == ["intent", "rerank", "summarise"]
    tried = picked(at("rerank", trial("CONTINUE", usd_month=D(300))))
    assert [s.key for s in tried.first] == [
        "intent",
        "rerank",
        "summarise",
    ]  # 800, then 600 twice, in the agent's order


def test_what_is_saved_adds_up_by_hand() -> None:
    # Intent saves 900 - 200 by its trial; by estimates Summarise 600, Check 1,500, Draft 3,000, Respond 2,300.
    found = savings(at("intent", trial(), **LIVE_AUTO))
    assert found.stop_here == Total(D(700))
    assert found.potential == Total(D(700 + 600 + 1500 + 3000 + 2300))
    assert found.before_usd == D(900 + 900 + 4000 + 2000 + 3000 + 900)
    assert (found.done, found.steps) == (4, 16)  # on paper, shadow and cut-over of Intent, kr-auto


def test_what_passed_and_is_not_in_force_saves_nothing_if_one_stops_here() -> None:
    on_today = savings(at("intent", trial()))
    assert (on_today.stop_here, on_today.done) == (Total(), 2)
    assert on_today.potential == Total(D(700 + 600 + 1500 + 3000 + 2300))


def test_what_it_saves_to_stop_after_each_step_adds_up_by_hand() -> None:
    facts = at("check", trial("KEEP"))
    found = {s.key: after for s, after in zip(plan(facts), stopping_after(plan(facts)), strict=True)}
    assert found["shadow-check"] == Total()
    assert [found[f"cut-{key}"] for key in ("intent", "summarise", "check")] == [Total(D(n)) for n in (800, 1400, 1400)]
    assert (found["auto"], found["auto-draft"], found["auto-respond"]) == (
        Total(D(1400)),
        Total(D(4400)),
        Total(D(6700)),
    )
    assert found["digest"] == savings(facts).potential


def test_a_step_says_what_its_stage_has_saved_so_far() -> None:
    saved = Saved(10, Total(D("9.50")), Total(D("2.25")))
    facts = replace(PRICED, stages=tuple(replace(s, saved=saved) if s.key == "intent" else s for s in STAGES))
    assert (step(facts, "cut-intent").so_far.usd, step(facts, "cut-check").so_far) == (D("7.25"), Saved())


def test_a_daily_digest_is_taken_back_by_stopping_it() -> None:
    facts = replace(PRICED, digest=Delivered(ON, daily=True))
    assert step(facts, "digest").can_reverse
    assert take_back(facts, "digest").digest == Delivered(ON)
    assert not step(take_back(facts, "digest"), "digest").can_reverse
    assert "nothing is sent" not in step(facts, "digest").reverse


def test_a_rehearsal_is_never_part_of_what_stopping_here_saves() -> None:
    found = savings(at("intent", trial(live=False)))
    assert (found.stop_here, found.rehearsed, found.done) == (Total(), Total(D(700)), 1)


def test_a_failed_stage_saves_nothing_and_promises_nothing() -> None:
    found = savings(at("draft", trial("KEEP")))
    assert found.potential == Total(D(800 + 600 + 1500 + 2300))


@pytest.mark.parametrize("key", ["intent", "draft"])
@pytest.mark.parametrize("auto", [{}, LIVE_AUTO, REHEARSED_AUTO])
def test_a_rehearsal_that_kept_todays_model_moves_no_sum(key: str, auto: dict[str, object]) -> None:
    untried = savings(replace(PRICED, **auto))
    found = savings(at(key, trial("KEEP", live=False, usd_month=D(450)), **auto))
    assert (found.potential, found.stop_here) == (untried.potential, untried.stop_here)
    assert found.rehearsed == untried.rehearsed == Total()
    assert savings(at(key, trial("KEEP", usd_month=D(450)), **auto)).potential != untried.potential


def test_a_missing_price_is_said_and_is_not_zero() -> None:
    found = savings(at("intent", trial(usd_month=None), **LIVE_AUTO))
    assert a_month(found.stop_here) == "an unknown sum a month, 1 stage unpriced"
    assert a_month(Total(D(7), 2)) == "at least $7.00 a month, 2 stages unpriced"
    assert found.potential.exact_usd is None


def test_saved_so_far_is_before_minus_paid_failed_attempts_included() -> None:
    assert Saved(10, Total(D("9.50")), Total(D("2.25"))).usd == D("7.25")
    assert Saved(10, Total(D(9), 1), Total(D(2))).usd is None
    assert Saved().usd is None


VERDICTS = st.sampled_from(["CUT OVER", "KEEP", "CONTINUE"])
TRIALS = st.builds(
    lambda v, recorded, live, usd: trial(v, recorded, live, usd_month=D(usd)),
    VERDICTS, st.booleans(), st.booleans(), st.integers(0, 900),
)  # fmt: skip
RUNTIMES = st.builds(
    lambda gate, cap, share: Runtime(gate, None if cap is None else CostCaps(D(cap)), second_opinions=share),
    st.none() | st.floats(0.1, 1), st.none() | st.integers(1, 9), st.none() | st.floats(0.01, 1),
)  # fmt: skip


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    """A log whose every stage can only get cheaper."""
    stages = tuple(
        replace(
            s,
            before_usd=D(900),
            pinned=draw(st.sampled_from(["", "", "cheaper", "other"])),
            routed_usd=D(draw(st.integers(0, 900))),
            trials=tuple(draw(st.lists(TRIALS, max_size=2))),
        )
        for s in STAGES
    )
    auto = draw(st.sampled_from([{}, LIVE_AUTO, REHEARSED_AUTO, {"plan": "kr-auto"}]))
    return replace(PRICED, stages=stages, runtime=draw(RUNTIMES), **auto)


@given(any_facts())
def test_stopping_here_never_saves_more_than_going_on(facts: Facts) -> None:
    found = savings(facts)
    assert D(0) <= found.stop_here.known_usd <= found.potential.known_usd <= (found.before_usd or D(0))
    assert found.stop_here.known_usd + found.rehearsed.known_usd <= found.potential.known_usd


@given(any_facts())
def test_a_step_that_is_taken_back_is_no_longer_done_and_others_save_no_more(facts: Facts) -> None:
    for found in plan(facts):
        if not found.can_reverse:
            continue
        before = take_back(facts, found.key)
        again = step(before, found.key)
        assert again.state not in ("done", "passed", "rehearsed")
        assert not again.can_reverse
        assert savings(before).stop_here.known_usd <= savings(facts).stop_here.known_usd
        assert (costs_to_take_back(facts, found) or D(0)) >= 0


@pytest.mark.parametrize("live", [True, False])
def test_taking_a_cut_over_back_is_as_before_it_was_recorded(live: bool) -> None:
    before = at("intent", trial(recorded=False, live=live), **LIVE_AUTO)
    after = at("intent", trial(live=live), **LIVE_AUTO)
    assert take_back(after, "cut-intent") == before
    assert costs_to_take_back(after, step(after, "cut-intent")) == D(700)


def test_taking_kr_auto_back_takes_what_it_saves_with_it() -> None:
    after = at("draft", trial(), **LIVE_AUTO)
    assert costs_to_take_back(after, step(after, "auto")) == D(3800)
    assert step(take_back(after, "auto"), "auto-draft").state == "ready"


@pytest.mark.parametrize("key", GUARDS)
def test_a_guardrail_goes_on_and_off_and_leaves_the_rest_as_it_was(key: str) -> None:
    start = Runtime(cost_caps=CostCaps(call_usd=D(1)), semantic_cache=0.9)
    on = guard_on(start, key)
    assert step(replace(PRICED, runtime=on), key).state == "done"
    assert guard_off(on, key) == start
    assert take_back(replace(PRICED, runtime=on), key).runtime == start
    assert guard_off(guard_on(Runtime(), key), key).is_off


def test_what_cannot_be_taken_back_is_refused_in_a_sentence() -> None:
    for key in ("receipts", "nonsense", "cut-intent"):
        with pytest.raises(BadInput, match="nothing to take back"):
            take_back(PRICED, key)
    with pytest.raises(BadInput, match="no guardrail of the plan"):
        guard_on(Runtime(), "nonsense")
