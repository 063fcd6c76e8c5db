"""What the gate goes by, in words: the stated confidence, or the calibrated one and on how many outcomes."""

from __future__ import annotations

from playground.guardrails.confidence import Calibration
from playground.guardrails.gate import stated_confidence
from playground.outcomes import STAGE, calibration_of
from playground.records import Step
from playground.ui import state
from playground.ui.widgets import counted


def gate_works_on() -> str:
    """Under the gate's control: what its threshold is compared with."""
    model = state.drafting_model()
    known = calibration_of(state.calibrated(), model)
    if known.stated:
        return (
            f"It works on the confidence of {model} as calibrated on {counted(known.n, 'outcome')}: {_example(known)}."
        )
    return f"It works on the confidence as {model} states it, which is not calibrated: {known.why}."


def confidence_line(step: Step) -> str:
    """A draft's confidence, stated and calibrated, for its cell; empty where it states none or was not calibrated."""
    stated = None if step.output is None or step.stage != STAGE else stated_confidence(step.output)
    known = calibration_of(state.calibrated(), _who(step))
    if stated is None or not known.stated:
        return ""
    return (
        f"Confidence {stated:.2f} as stated, {known(stated):.2f} as calibrated on {counted(known.n, 'outcome')}."
        f"{_rehearsed()}"
    )


def _who(step: Step) -> str:
    return next((a.candidate.key for a in reversed(step.attempts) if a.output is not None), step.decision.chosen.key)


def _example(known: Calibration) -> str:
    return f"a stated 0.90 counts as {known(0.9):.2f}{_rehearsed()}"


def _rehearsed() -> str:
    rehearsed = any(o.provenance == "rehearsal" for o in state.draft_outcomes())
    return " (rehearsed outcomes, for rehearsal only)" if rehearsed else ""
