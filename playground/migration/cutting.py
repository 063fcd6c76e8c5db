"""Weeks 3 and 4: a stage passes to its candidate where the user's own pairs say so."""

from __future__ import annotations

from playground.migration.choice import candidate, saves, speaking
from playground.migration.facts import Facts, StageFacts, Trial
from playground.migration.step import State, Step

WITHDRAW = "Withdraw the verdict, and take the candidate's pin off: the stage is back on {} with the next ticket."
Said = tuple[State, str, str]
"""State, sentence, what is next."""


def cut(facts: Facts, stage: StageFacts) -> Step:
    """One of the three stages of week 3."""
    said = _in_force(facts, stage, _judged(stage))
    return _step(
        3, f"cut-{stage.key}", f"Cut over: {stage.title}", "Review the difference; if it passes, cut over.", stage, said
    )


def switch(facts: Facts) -> Step:
    """kr-auto, by proof."""
    on, live, rehearsed = facts.routes_by_proof, facts.routed.live.receipts, facts.routed.rehearsed.receipts
    state: State = "ready"
    if facts.plan != "kr-auto":
        because = f"The plan is {facts.plan}"
    elif not on:
        because = "kr-auto chooses by estimates, which is good for a forecast and not for production"
    elif live:
        state, because = "done", f"kr-auto is on, by proof; {_receipts(live)} under it"
    elif rehearsed:
        state, because = "rehearsed", f"kr-auto is on, by proof; {rehearsed:,} receipts under it, all rehearsed"
    else:
        because = "kr-auto is on, by proof, and no ticket ran under it yet"
    if state != "done" and live:
        because += f"; {_receipts(live)} of an earlier time ran by proof"
    if state != "done" and facts.untold:
        because += f"; {_receipts(facts.untold, 'older ')} under kr-auto without a word on whether it chose by proof"
    return Step(
        4, "auto", "kr-auto by proof",
        "At each stage the cheapest model that is proven to be good enough; every other stage stays on today's model.",
        state, f"{because}.",
        "" if state == "done" else "Choose kr-auto and proven in the sidebar, and run live tickets.",
        "notebook", "Set the plan back to before: every stage is on today's model with the next ticket.", on,
    )  # fmt: skip


def _receipts(n: int, which: str = "") -> str:
    return f"{n:,} {which}live receipt{'' if n == 1 else 's'}"


def routed(facts: Facts, stage: StageFacts, on: State) -> Step:
    """A stage that kr-auto takes over; `on` is the state of the switch."""
    state, because, after = _judged(stage)
    if state in ("done", "rehearsed") and not _was_kept(stage) and on not in ("done", "rehearsed"):
        state, after = "ready", "Turn kr-auto on, by proof, and run tickets."
        because += " It takes effect when kr-auto runs by proof."
    elif state == "done" and on == "rehearsed":
        state, because, after = (
            "rehearsed",
            f"{because} kr-auto ran in rehearsals only.",
            "Run live tickets under kr-auto.",
        )
    return _step(
        4, f"auto-{stage.key}", f"kr-auto: {stage.title}", "A bar, and a candidate that is proven to clear it.", stage,
        _in_force(facts, stage, (state, because, after)),
    )  # fmt: skip


def _in_force(facts: Facts, stage: StageFacts, said: Said) -> Said:
    """A stage that passed is done only while its next ticket goes to who passed."""
    state, because, _ = said
    who = candidate(stage)
    if state != "done" or facts.in_force(stage, who):
        return said
    why = f"{stage.pinned} is pinned there" if facts.routes_by_proof else "kr-auto does not run by proof"
    after = f"Take the pin of {stage.pinned} off." if facts.routes_by_proof else "Turn kr-auto on, by proof."
    return "passed", f"{because} It is not in force: {why}, so it saves nothing yet.", after


def _step(week: int, key: str, title: str, what: str, stage: StageFacts, said: Said) -> Step:
    state, because, after = said
    held = any(t.recorded and not t.void and t.verdict == "CUT OVER" for t in stage.trials)
    back = WITHDRAW.format(stage.before)
    return Step(
        week, key, title, what, state, because, after, "shadow", back, held, saves(stage), _was_kept(stage), stage.saved
    )


def _was_kept(stage: StageFacts) -> bool:
    trial = speaking(stage)
    return trial is not None and trial.is_rehearsed_keep


def _judged(stage: StageFacts) -> Said:
    trial, who = speaking(stage), candidate(stage)
    if trial is None:
        first = f"Compare {who or 'a cheaper model'} at {stage.title} first."
        return "blocked", f"No pair at {stage.title} yet; a verdict takes about {stage.to_prove:,}.", first
    how = "" if trial.is_live else " Rehearsed: it proves nothing about live models."
    state, because, after = _verdict(stage, trial)
    if trial.is_rehearsed_keep or (state == "done" and not trial.is_live):
        state, after = "rehearsed", f"Run the evaluation live: compare {who} at {stage.title}."
    return state, because + how, after


def _verdict(stage: StageFacts, trial: Trial) -> Said:
    who, pairs = trial.candidate, f"{trial.pairs:,} pairs"
    if trial.void:
        return "ready", f"The verdict for {who} is void: {trial.void}.", "Run the evaluation again."
    if trial.verdict == "KEEP":
        return (
            "failed",
            f"KEEP: {pairs} show {who} to {_kept(trial, stage)} {trial.said}".rstrip(),
            "Leave the stage as it is, or compare another candidate.",
        )
    if trial.verdict == "CONTINUE":
        return "waiting", f"{_waiting(trial)} at {stage.title}; {trial.pairs:,} so far.", f"Run more pairs of {who}."
    good = f"CUT OVER: {pairs} show {who} to be within the margin of {stage.margin:.1%}"
    if trial.recorded:
        return "done", f"{good}. {trial.said}" if trial.said else f"{good}, and the verdict is recorded.", ""
    return "ready", f"{good}. The verdict is not recorded.", trial.obstacle or "Record the verdict."


def _kept(trial: Trial, stage: StageFacts) -> str:
    by = f"by more than the margin of {stage.margin:.1%}"
    if trial.agreement:
        differs = f"differ from {stage.before} {by}. Which is right, only true labels or people can say."
        return differs if trial.is_rehearsed_keep else f"{differs} Until then {stage.before} stays."
    return f"be worse {by}." if trial.is_rehearsed_keep else f"be worse {by}, so {stage.before} stays."


def _waiting(trial: Trial) -> str:
    return "Waiting for more pairs" if trial.needed is None else f"Waiting for about {trial.needed:,} more pairs"
