"""The confidence gate: a draft that is not sure enough goes to a person before money is spent on checking and answering."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from playground.errors import BadInput
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
        sure = self.calibrate(stated)
        # Written so that a calibration that returns no number hands over.
        return None if sure >= self.threshold else Handover(RULE, self._why(stated, sure))

    def _why(self, stated: float, sure: float) -> str:
        digits = 2 if f"{sure:.2f}" != f"{self.threshold:.2f}" else 4
        said = "" if f"{stated:.2f}" == f"{sure:.2f}" else f" (it states {stated:.2f})"
        needed = f"{self.threshold:.{digits}f}"
        return f"The draft's confidence is {sure:.{digits}f}{said}, below the {needed} that the gate asks for."


def stated_confidence(output: Output) -> float | None:
    """The confidence that an output states, or `None` where it states none from 0 to 1."""
    stated = output.get("confidence") if isinstance(output, Mapping) else None
    if isinstance(stated, bool) or not isinstance(stated, int | float) or not math.isfinite(stated):
        return None
    return float(stated) if 0 <= stated <= 1 else None
