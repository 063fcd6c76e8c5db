"""The confidence gate: a draft that is not sure enough goes to a person before money is spent on checking and answering."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from playground.errors import BadInput
from playground.guardrails.confidence import Calibration
from playground.middleware import Through
from playground.records import Context, Handover, Output, Step

RULE = "confidence gate"


def as_stated(stated: float) -> float:
    """Take a stated confidence at its word."""
    return stated


@dataclass(frozen=True, slots=True)
class ConfidenceGate(Through):
    """Compares a draft's calibrated confidence with a threshold from 0 to 1. Raises `BadInput` for another one."""

    threshold: float
    calibrate: Callable[[float], float] = as_stated
    by_model: Mapping[str, Callable[[float], float]] = field(default_factory=dict)
    """Candidate key to how its drafts are calibrated, where that is known; the others by `calibrate`."""

    def __post_init__(self) -> None:
        if not (isinstance(self.threshold, int | float) and 0 <= self.threshold <= 1):
            raise BadInput(f"Confidence gate: the threshold {self.threshold} is not between 0 and 1.")

    def after(self, step: Step, context: Context) -> Handover | None:
        """Hand over below the threshold, and where a draft states no confidence."""
        if step.stage != "draft" or step.output is None:
            return None
        stated = stated_confidence(step.output)
        if stated is None:
            return Handover(RULE, f"The draft states no confidence, and {self.threshold:.2f} is needed.")
        calibrate = self.by_model.get(_drafted_by(step), self.calibrate)
        sure = calibrate(stated)
        # Written so that a calibration that returns no number hands over.
        return None if sure >= self.threshold else Handover(RULE, self._why(stated, sure, _rests_on(calibrate)))

    def _why(self, stated: float, sure: float, rests_on: str) -> str:
        digits = 2 if f"{sure:.2f}" != f"{self.threshold:.2f}" else 4
        said = "" if f"{stated:.2f}" == f"{sure:.2f}" else f"it states {stated:.2f}"
        also = "; ".join(filter(None, (said, rests_on)))
        needed, known = f"{self.threshold:.{digits}f}", f" ({also})" if also else ""
        return f"The draft's confidence is {sure:.{digits}f}{known}, below the {needed} that the gate asks for."


def _drafted_by(step: Step) -> str:
    return next((a.candidate.key for a in reversed(step.attempts) if a.output is not None), step.decision.chosen.key)


def _rests_on(calibrate: Callable[[float], float]) -> str:
    outcomes = calibrate.n if isinstance(calibrate, Calibration) and calibrate.stated else 0
    return f"calibrated on {outcomes:,} outcomes" if outcomes else ""


def stated_confidence(output: Output) -> float | None:
    """The confidence that an output states, or `None` where it states none from 0 to 1."""
    stated = output.get("confidence") if isinstance(output, Mapping) else None
    if isinstance(stated, bool) or not isinstance(stated, int | float) or not math.isfinite(stated):
        return None
    return float(stated) if 0 <= stated <= 1 else None
