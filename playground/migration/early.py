"""Weeks 1 and 2: receipts, whose they are, the loop on paper, and shadow evaluations set up."""

from __future__ import annotations

from playground.migration.choice import Picked, candidate, saves, speaking
from playground.migration.facts import Facts, Seen, StageFacts
from playground.migration.step import State, Step
from playground.money import Total, usd

DAYS = 7
NAMED = 0.9
"""A share of receipts that name no customer above which the heaviest customers may be missed."""
NOTHING = "Nothing to take back: every ticket is answered by today's models."


def receipts(facts: Facts) -> Step:
    """A week of receipts under the plan before."""
    live, rehearsed = facts.before.live, facts.before.rehearsed
    state: State = "waiting"
    if live.days >= DAYS:
        state, because = "done", f"{_seen(live)}, {live.paid} paid"
    elif live.receipts:
        because = f"{_seen(live)}; {_days(DAYS - live.days)} more needed"
    elif rehearsed.days >= DAYS:
        state, because = "rehearsed", f"{_seen(rehearsed)}, all rehearsed: no model was called"
    else:
        also = f"; {_seen(rehearsed)} rehearsed" if rehearsed.receipts else ""
        state, because = "ready", f"No live receipt on today's models yet; {DAYS} days are needed{also}"
    return Step(
        1, "receipts", "A week of receipts",
        "Route nothing yet. Run tickets on today's models, and keep every receipt.",
        state, f"{because}.",
        "" if state == "done" else "Choose Live and the plan \"before\" in the sidebar, and run tickets or a sample of the log.",
        "notebook", NOTHING,
    )  # fmt: skip


def customers(facts: Facts) -> Step:
    """Whether the receipts say whose tickets they were for."""
    live = bool(facts.before.live.receipts)
    seen = facts.before.live if live else facts.before.rehearsed
    share = f"{seen.named_share:.0%} of {seen.receipts:,} receipts{'' if live else ' of rehearsals'} name a customer"
    state: State
    if not seen.receipts:
        state, because = "blocked", "There are no receipts on today's models yet"
    elif seen.named_share < NAMED:
        state, because = "failed", f"{share}; {NAMED:.0%} are needed to see who the spend is for"
    else:
        state, because = "done" if live else "rehearsed", share
    return Step(
        1, "customers", "Customers named",
        "Without a customer on each receipt, nobody can say who the spend is for.",
        state, f"{because}.",
        "Name the customer column of the log, and run its tickets." if state != "done" else "",
        "log", NOTHING,
    )  # fmt: skip


def paper(facts: Facts, found: Picked) -> Step:
    """The stages to try, chosen by saving and evidence."""
    state: State = "done" if facts.own else "rehearsed"
    if not facts.is_priced:
        state, because = "ready", "Nothing is priced yet"
    elif not found.first:
        state, because = (
            "failed",
            "At no stage does a cheaper model clear the bar by evidence, so there is nothing to try",
        )
    else:
        because = f"{_names(found.first)}, chosen by saving and evidence, {_could(found.first)}"
        if not facts.own:
            because += "; this is not your own log"
    return Step(
        2, "paper", "Stratify on paper",
        "Pick three stages that a cheap model may take: most saving first, where evidence clears the bar.",
        state, f"{because}.",
        "" if state == "done" else "Price your own ticket log.",
        "log", "Nothing to take back: it is on paper.",
    )  # fmt: skip


def shadow(facts: Facts, stage: StageFacts) -> Step:
    """A shadow evaluation of one candidate stage."""
    trial, who = speaking(stage), candidate(stage)
    state: State
    if not facts.is_priced and trial is None:
        state, because = "blocked", "Nothing is priced yet, so no candidate is chosen"
    elif trial is None:
        state, because = "ready", f"No pair yet; {who} instead of {stage.before} takes about {stage.to_prove:,} pairs"
    else:
        state = "done" if trial.is_live else "rehearsed"
        because = f"{_pairs(trial.pairs)} of {who} against {stage.before}{'' if trial.is_live else ', all rehearsed'}"
        if trial.verdict == "CONTINUE":
            because += f"; {more(trial.needed)}"
    return Step(
        2, f"shadow-{stage.key}", f"Shadow: {stage.title}",
        "The candidate answers the same tickets in parallel; its answers are scored and never served.",
        state, f"{because}.",
        "" if state == "done" else f"Compare {who or 'a cheaper model'} at {stage.title}.",
        "shadow", NOTHING,
    )  # fmt: skip


def more(needed: int | None) -> str:
    """How many pairs are missing, in words."""
    return "how many more are needed cannot be said yet" if needed is None else f"about {needed:,} more needed"


def _pairs(n: int) -> str:
    return f"{n:,} pair{'' if n == 1 else 's'}"


def _seen(seen: Seen) -> str:
    return f"{seen.receipts:,} receipt{'' if seen.receipts == 1 else 's'} on {_days(seen.days)}"


def _days(n: int) -> str:
    return f"{n:,} day{'' if n == 1 else 's'}"


def _names(stages: tuple[StageFacts, ...]) -> str:
    names = [s.title for s in stages]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _could(stages: tuple[StageFacts, ...]) -> str:
    total = Total.of(saves(s) for s in stages)
    known = total.exact_usd
    return "have no known saving" if known is None else f"would save about {usd(known)} a month"
