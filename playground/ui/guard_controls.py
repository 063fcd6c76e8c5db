"""What stands around the calls, as controls: each part on or off, with its figures."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

import streamlit as st
from pydantic import ValidationError

from playground.drift import SHARE
from playground.equivalents import check_equivalents
from playground.errors import BadInput
from playground.guardrails import Sites
from playground.guardrails.measured import measured
from playground.hit_threshold import LEXICAL
from playground.outage import WAIT_S
from playground.pipeline import NO_CONFIDENCE, states_confidence
from playground.runtime import CURRENCIES, CostCaps, EscalationRules, ExactCache, FailoverRules, LeakRules, Runtime
from playground.ui import state
from playground.ui.failover_box import LISTED, SWITCH, as_lines
from playground.ui.failover_preset import suggestion
from playground.ui.gate_words import gate_works_on
from playground.ui.meaning_view import compared_said
from playground.ui.widgets import plain

HELP = {
    "gate": "A draft that says it is less sure than this goes to a person with the summary; check and response are skipped. "
    "What a model says of its own confidence is calibrated below, where outcomes are known.",
    "escalation": "Enforced in code on the ticket and on what a model promises: refunds above a limit, identity, legal threats, "
    "and whatever the check says a person must decide.",
    "leaks": "An answer that names a foreign site, shows data of others or repeats our own instructions is held back and goes to "
    "a person. No rule catches everything.",
    "caps": "No call goes out that could cross one of them: what a call can cost at most is set aside before it is sent. "
    "What a ticket should cost is worked out without prompt caching.",
    "run": "All tickets of one sample together; for a single ticket, that ticket with its second opinion.",
    "cache": "An answer is served again where the call is the same to the letter, for the same customer. "
    "Answers hold text made from tickets and are kept on the machine that runs this app.",
    "prompt_cache": "Where a provider caches at marks alone, calls mark where a prompt's fixed part ends, and read it again at a "
    "lower price. A call that comes too late writes it, dearer than plain input at some. On unless switched off here or in the "
    "agent's file. Providers that cache by themselves do so either way.",
    "semantic": "Serves a label again for a ticket of the same customer that says the same in nearly the same words. "
    "At 0.80 some 1% of its hits are wrong on public data, and a wrong hit is worse than a miss.",
    "second": "A share of the tickets is answered by the next tier up as well, at one stage. Its answer is compared and never "
    "served; it is paid for apart. The Second opinions page watches for a rise in disagreement.",
    "failover": "Where a provider fails, the call goes on at an equivalent that clears the bar and costs no more, "
    "or as much as you allow.",
}
Part = dict[str, Any] | None
T = TypeVar("T")


def controls() -> None:
    """Draw the parts; they hold from the next run on."""
    now = state.runtime()
    with st.form("guards"):
        left, right = st.columns(2)
        with left:
            gate = _gate(now.confidence_gate)
            escalation = _escalation(now.escalation)
            leaks = _leaks(now.leaks)
            caps = _caps(now.cost_caps)
        with right:
            failover = _failover(now.failover)
            second = _second(now)
            cache = _cache(now.exact_cache)
            semantic = _semantic(now.semantic_cache)
            prompt_cache = st.toggle(
                "Prompt caching at the provider", now.prompt_cache, help=HELP["prompt_cache"], key="guard_prompt_cache"
            )
        saved = st.form_submit_button("Apply", type="primary")
    if saved:
        _apply((gate, semantic), (caps, escalation, leaks, cache, failover), second, prompt_cache)


def _gate(now: float | None) -> float | None:
    can = states_confidence(state.pipeline().stages)
    on = st.toggle("Confidence gate", can and now is not None, help=HELP["gate"], key="guard_gate", disabled=not can)
    least = st.slider("Hand over below", 0.0, 1.0, 0.5 if now is None else now, 0.05, disabled=not can)
    st.caption(plain(gate_works_on()) if can else plain(f"For this agent {NO_CONFIDENCE}"))
    return least if on and can else None


def _second(now: Runtime) -> tuple[float | None, str]:
    on = st.toggle("Second opinions", now.second_opinions is not None, help=HELP["second"], key="guard_second")
    share = st.number_input(
        "Share of tickets, %", 0.5, 100.0, (SHARE if now.second_opinions is None else now.second_opinions) * 100, 0.5
    )
    titles = {s.key: s.title for s in state.pipeline().stages}
    stage = st.selectbox(
        "At the stage", list(titles), list(titles).index(now.opinion_stage), format_func=lambda key: titles[key]
    )
    return (round(float(share) / 100, 6) if on else None), stage


def _escalation(now: EscalationRules | None) -> Part:
    on = st.toggle("Escalation rules", now is not None, help=HELP["escalation"], key="guard_escalation")
    above, limits = _last("escalation", now, EscalationRules()).refund_above, {}
    with st.container(horizontal=True):
        for currency in CURRENCIES:
            limits[currency] = _may_be_empty(
                f"Refunds above, {currency}", above.get(currency), 10.0, "Any", most=1e6, width=165
            )
    st.caption("They go to a person. Empty: any refund in that currency does.")
    found = {currency: _decimal(limit) for currency, limit in limits.items() if limit is not None}
    return {"refund_above": found} if on else None


def _leaks(now: LeakRules | None) -> Part:
    on = st.toggle("Hold leaks back", now is not None, help=HELP["leaks"], key="guard_leaks")
    now = _last("leaks", now, LeakRules())
    own = st.text_input("Your own sites", ", ".join(now.own_sites), placeholder="example.com, help.example.com")
    st.caption(plain(measured().said))
    sites = [part.strip() for part in own.split(",") if part.strip()]
    return {"own_sites": sites, "canary": now.canary} if on else None


def _caps(now: CostCaps | None) -> Part:
    on = st.toggle("Cost ceilings", now is not None, help=HELP["caps"], key="guard_caps")
    now = _last("caps", now, CostCaps(Decimal(3)))
    times = _may_be_empty("A ticket, times what it should cost", now.times_expected, 0.5, "No ceiling", most=1_000.0)
    call = _may_be_empty("One call, USD", now.call_usd, 0.01, "No cap", format="%.4f")
    run = _may_be_empty("A whole run or sample, USD", now.run_usd, 1.0, "No cap", help=HELP["run"])
    found = {"times_expected": _decimal(times), "call_usd": _decimal(call), "run_usd": _decimal(run)}
    return found if on else None


def _may_be_empty(
    label: str, known: Decimal | None, step: float, placeholder: str, most: float = 1_000_000.0, **how: Any
) -> float | None:
    """A number that may be left out. A field that was given a value falls back to it when emptied, so the value is put in."""
    key = f"guard_{label}_{known}"
    st.session_state.setdefault(key, _float(known))
    return st.number_input(label, 0.0, most, None, step, key=key, placeholder=placeholder, **how)


def _last(name: str, now: T | None, usual: T) -> T:
    """What a part was set to when it was on last, so that switching it off and on again loses nothing."""
    if now is not None:
        st.session_state[f"guard_last_{name}"] = now
    found: T = st.session_state.get(f"guard_last_{name}", usual)
    return found


def _cache(now: ExactCache | None) -> Part:
    on = st.toggle("Exact cache", now is not None, help=HELP["cache"], key="guard_cache")
    now = _last("cache", now, ExactCache())
    hours = st.number_input("Keep answers, hours", 0.1, 8_760.0, now.ttl_hours, 1.0)
    return {"ttl_hours": float(hours), "max_mb": now.max_mb} if on else None


def _semantic(now: float | None) -> float | None:
    on = st.toggle("Semantic cache, Intent only", now is not None, help=HELP["semantic"], key="guard_semantic")
    alike = _last("semantic", now, LEXICAL.threshold)
    alike = st.slider("How alike two tickets must be, by letters", min(0.5, alike), 1.0, alike, 0.01)
    st.caption(plain(compared_said()))
    return alike if on else None


def _failover(now: FailoverRules | None) -> Part:
    on = st.toggle("Failover", now is not None, help=HELP["failover"], key=SWITCH)
    now = now or FailoverRules(suggestion().equivalents, up_to_today=True)
    text = st.text_area(
        "Equivalents, one model on each line",
        as_lines(now),
        height=160,
        key=LISTED,
        placeholder="model: first equivalent, second equivalent",
        help="A model, a colon, and who may answer in its place, nearest first, with commas between.",
    )
    today = st.checkbox("May cost up to what the stage costs today", now.up_to_today)
    factor = st.number_input("May cost so many times as much", 1.0, 100.0, float(now.dearer_up_to), 0.1)
    listed = {k.strip(): [v.strip() for v in rest.split(",") if v.strip()] for k, rest in _lines(text)}
    found = {"equivalents": listed, "up_to_today": today, "dearer_up_to": _decimal(factor)}
    return {**found, "repeats": now.repeats} if on else None


def _lines(text: str) -> list[tuple[str, str]]:
    cut = (line.partition(":") for line in text.splitlines() if line.strip())
    return [(name, rest) for name, _, rest in cut]


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _apply(
    shares: tuple[float | None, float | None],
    parts: tuple[Part, ...],
    second: tuple[float | None, str],
    prompt_cache: bool,
) -> None:
    gate, semantic = shares
    caps, escalation, leaks, cache, failover = parts
    try:
        found = Runtime(
            gate,
            caps,  # type: ignore[arg-type]
            escalation,  # type: ignore[arg-type]
            leaks,  # type: ignore[arg-type]
            cache,  # type: ignore[arg-type]
            semantic,
            failover,  # type: ignore[arg-type]
            second[0],
            second[1],  # type: ignore[arg-type]
            prompt_cache,
            state.runtime().semantic_embedding,
        )
        Sites(found.leaks.own_sites if found.leaks else ())
        if found.failover is not None:
            check_equivalents(found.failover.equivalents, state.router().named)
    except ValidationError as error:
        first = error.errors()[0]
        st.error(plain(f"{' '.join(map(str, first['loc']))}: {first['msg']}."), icon=":material/error:")
        return
    except BadInput as error:
        st.error(plain(str(error)), icon=":material/error:")
        return
    state.set_runtime(found)
    state.say("Applied. Run the ticket again to see what changes.")
    st.rerun()


def switches() -> None:
    """Providers that a demo takes down."""
    st.multiselect(
        "Take a provider down, for a demo",
        list(state.notebook().catalog.providers),
        key="providers_down",
        on_change=state.switch_providers,
        placeholder="All are up",
        persist_state="session",
        help="Calls to it then fail at once in this session, in rehearsal too. With failover on they go to an equivalent.",
    )
    st.toggle(
        f"Let calls to it hang for {WAIT_S:g} seconds first",
        key="providers_hang",
        on_change=state.switch_providers,
        disabled=not state.downs(),
        persist_state="session",
        help="As in an outage that nobody knows of yet. The wait is simulated. After three failures in a row it is known.",
    )
    if state.downs() and state.runtime().failover is None:
        st.info("Switch failover on below, or calls to these providers go out as usual.", icon=":material/info:")
