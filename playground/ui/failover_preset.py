"""Which stages failover cannot help as it is set, and a list with which it could."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import streamlit as st

from playground.equivalents import Permission, check_equivalents
from playground.errors import PlaygroundError
from playground.records import Decision, Prompt
from playground.runtime import FailoverRules
from playground.suggestions import Lacking, Suggestion, lacking, suggested
from playground.ui import state
from playground.ui.failover_box import show_failover
from playground.ui.widgets import plain


def suggestion(factor: Decimal = Decimal(1)) -> Suggestion:
    """From the last run's decisions; empty where there was no run."""
    return suggested(state.router(), _decided(), Permission(factor, up_to_today=True))


def failover_preset() -> None:
    """Say for which stages of the last ticket nobody may stand in, and offer to allow as much as it takes."""
    found = _lacking()
    factor = max((at.factor for at in found if at.factor is not None), default=None)
    if not found:
        return
    st.caption(plain(_said(found, factor)))
    if factor is not None:
        st.button(
            f"Use a suggested list, up to {factor:f} times",
            on_click=_use,
            args=(factor,),
            key="failover_preset",
            help="Switches failover on. Nothing is dearer until a provider fails, and the receipt says what allowed it.",
        )


def _lacking() -> tuple[Lacking, ...]:
    now = state.runtime().failover
    if now is None:
        return suggestion().lacking
    try:
        listed = check_equivalents(now.equivalents, state.router().named)
    except PlaygroundError:
        return ()  # the run says what is wrong with the list
    return lacking(state.router(), _decided(), listed, Permission(now.dearer_up_to, now.up_to_today))


def _decided() -> list[tuple[Decision, Sequence[Prompt]]]:
    plans, done = state.plan_bills(), state.trace()
    if plans is None or done is None:
        return []
    prompts = {s.stage: s.prompts for s in done.steps}
    return [(d, prompts[d.stage]) for d in plans["kr-auto"].decisions if d.stage in prompts]


def _said(found: Sequence[Lacking], factor: Decimal | None) -> str:
    titles = {s.key: s.title for s in state.pipeline().stages}
    where = ", ".join(dict.fromkeys(f"{titles[at.stage]} ({at.candidate.key})" for at in found))
    on = state.runtime().failover is not None
    told = f"Failover {'does' if on else 'would'} not cover {where}: no other provider may answer there at what is allowed."
    if factor is None:
        return f"{told} No model of another provider clears the bar there, so such a ticket stops."
    return f"{told} One that clears the bar costs up to {factor:f} times as much a call."


def _use(factor: Decimal) -> None:
    now = state.runtime()
    old = now.failover or FailoverRules()
    # A run that stopped tells of the stages it reached: what the list holds for the others stays.
    listed = {**old.equivalents, **suggestion(factor).equivalents}
    found = FailoverRules(listed, max(old.dearer_up_to, factor), up_to_today=True, repeats=old.repeats)
    state.set_runtime(replace(now, failover=found))
    show_failover(found)
    state.say("Failover is on with the suggested list. Run the ticket again to see what changes.")
