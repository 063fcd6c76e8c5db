"""Week 4: the three guardrails of the article, and the digest."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from playground.errors import BadInput
from playground.migration.facts import Facts
from playground.migration.step import Page, State, Step
from playground.runtime import CostCaps, Runtime

GATE, CEILING, OPINIONS = 0.5, Decimal(3), 0.02
"""The article's figures where it gives one: three times the expected cost, 2% of tickets."""
GUARDS = ("gate", "ceiling", "opinions")


def is_on(runtime: Runtime, key: str) -> bool:
    """Whether a guardrail is on. Raises `BadInput` for a key that is none of `GUARDS`."""
    return guard_off(runtime, key) != runtime


def guards(facts: Facts) -> tuple[Step, ...]:
    """One step for each guardrail."""
    return (
        _guard("gate", "Confidence gate", "A draft that is not sure goes to a person.", _gate(facts.runtime), facts),
        _guard("ceiling", "Cost ceiling", "A runaway ticket is handed over.", _ceiling(facts.runtime), facts),
        _guard(
            "opinions", "Second opinions", "Some tickets are answered by the next tier up too, to see quality drift.",
            _opinions(facts.runtime), facts, "drift",
        ),
    )  # fmt: skip


def _guard(key: str, title: str, what: str, on: str, facts: Facts, page: Page = "guards") -> Step:
    state: State = "done" if on else "ready"
    return Step(
        4, key, title, what, state, on or _off(facts.guarded_on.get(key)), "" if on else "Switch it on, and set its figure.", page,
        "Switch it off: calls go out without it from the next ticket on.", bool(on),
    )  # fmt: skip


def _off(since: date | None) -> str:
    """An earlier session's switch is said and not thrown: it would change what this session's tickets cost."""
    return "It is off." if since is None else f"It is off in this session; an earlier one switched it on, on {since}."


def _gate(runtime: Runtime) -> str:
    least = runtime.confidence_gate
    return "" if least is None else f"Drafts below a confidence of {least:.2f} go to a person."


def _ceiling(runtime: Runtime) -> str:
    times = None if runtime.cost_caps is None else runtime.cost_caps.times_expected
    return "" if times is None else f"A ticket may cost {times.normalize():f} times what it should."


def _opinions(runtime: Runtime) -> str:
    return "" if not runtime.second_opinions else f"{runtime.second_opinions:.1%} of tickets get a second opinion."


def guard_on(runtime: Runtime, key: str) -> Runtime:
    """The runtime with a guardrail on, at the article's figure. Raises `BadInput` for a key that is none of `GUARDS`."""
    caps = replace(runtime.cost_caps or CostCaps(), times_expected=CEILING)
    return _with(runtime, key, GATE, caps, OPINIONS)


def guard_off(runtime: Runtime, key: str) -> Runtime:
    """The runtime with a guardrail off; other caps stay. Raises `BadInput` for a key that is none of `GUARDS`."""
    rest = None if runtime.cost_caps is None else replace(runtime.cost_caps, times_expected=None)
    return _with(runtime, key, None, None if rest == CostCaps() else rest, None)


def _with(runtime: Runtime, key: str, gate: float | None, caps: CostCaps | None, opinions: float | None) -> Runtime:
    if key == "gate":
        return replace(runtime, confidence_gate=gate)
    if key == "ceiling":
        return replace(runtime, cost_caps=caps)
    if key == "opinions":
        return replace(runtime, second_opinions=opinions)
    raise BadInput(f"{key!r} is no guardrail of the plan. Allowed: {', '.join(GUARDS)}.")


def digest(facts: Facts) -> Step:
    """Whether a digest has reached its channel."""
    live, rehearsed = facts.digest.live_on, facts.digest.rehearsed_on
    state: State = "done" if live else "rehearsed" if rehearsed else "ready"
    because = (
        f"The last digest was delivered on {live or rehearsed}."
        if live or rehearsed
        else "No digest was delivered yet."
    )
    if state == "rehearsed":
        because += " It told of rehearsals only."
    because += " This app sends it daily." if facts.digest.daily else ""
    return Step(
        4, "digest", "Slack digest", "Spend, savings, movers and alarms, daily, where the team reads.",
        state, because, "" if state == "done" else "Give the webhook's address and send a digest.", "digest",
        "Stop sending daily: the server forgets the webhook's address. A job of your own, such as cron, goes on.",
        facts.digest.daily,
    )  # fmt: skip
