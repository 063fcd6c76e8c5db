"""What became of drafts that stated a confidence: judged or labelled pairs, and outcomes that a team brings.

A draft of a pair counts as good where it was not beaten: by a person's label where there is one, else by the judge in both orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playground.guardrails.confidence import Calibration, cross_fitted, fit
from playground.logs import LogRead
from playground.logs.tables import Named, rows_of
from playground.pairs import Pair
from playground.records import Provenance

STAGE = "draft"
Source = Literal["judge", "people", "file"]


@dataclass(frozen=True, slots=True)
class DraftOutcome:
    """One draft: the confidence that it stated, from 0 to 1, and whether it was good.

    `model` is the key of the candidate that wrote it; empty where that is not said, and then it stands for every model.
    """

    confidence: float
    good: bool
    model: str = ""
    source: Source = "file"
    provenance: Provenance = "recorded"


def outcomes_of(
    pairs: Iterable[Pair], models: tuple[str | None, str | None], labels: Mapping[str, float] | None = None
) -> Iterator[DraftOutcome]:
    """The outcomes in pairs of drafts; `models` are the keys of the current model and the candidate, `labels` people's by ticket.

    The drafts of a model that is `None` are left out: the current one's stand in the pairs of every candidate. A pair in which one
    arm gave no usable output compares nothing, and one without a score says nothing.
    """
    labels = labels or {}
    for pair in pairs:
        said = labels.get(pair.ticket)
        if pair.kind == "failed" or (pair.missing and said is None):
            continue
        value, source = (pair.value, "judge") if said is None else (said, "people")
        for model, sure, good in zip(models, pair.confidences, (value <= 0, value >= 0), strict=True):
            if sure is not None and model is not None:
                yield DraftOutcome(sure, good, model, source, pair.provenance)  # type: ignore[arg-type]


def counting_for(found: Iterable[DraftOutcome], provenance: Provenance) -> tuple[DraftOutcome, ...]:
    """The outcomes that count for a run: rehearsed ones say nothing of live models."""
    return tuple(o for o in found if o.provenance != "rehearsal" or provenance == "rehearsal")


def calibrations(found: Iterable[DraftOutcome]) -> dict[str, Calibration]:
    """Candidate key to the calibration of its own drafts; under an empty key that of outcomes that name no model."""
    by_model: dict[str, list[DraftOutcome]] = {}
    for outcome in found:
        by_model.setdefault(outcome.model, []).append(outcome)
    return {m: fit([o.confidence for o in own], [o.good for o in own]) for m, own in by_model.items()}


def calibration_of(known: Mapping[str, Calibration], model: str) -> Calibration:
    """How a model's drafts are calibrated: on their own outcomes, else on those that name no model, else as stated."""
    found = [c for key in (model, "") if (c := known.get(key)) is not None]
    return next((c for c in found if c.stated), found[0] if found else Calibration(why="no outcome is known"))


def outcomes_for(found: Sequence[DraftOutcome], model: str) -> tuple[DraftOutcome, ...]:
    """A model's own outcomes; where it has none, those that name no model. Drafts of others say nothing of it."""
    return tuple(o for o in found if o.model == model) or tuple(o for o in found if not o.model)


def weighed(own: Sequence[DraftOutcome], known: Mapping[str, Calibration]) -> tuple[float, ...]:
    """What a gate would see of the outcomes of one model: each weighed by a fit on the others, so that none vouches for itself."""
    if not own:
        return ()
    stated = [o.confidence for o in own]
    fitted = known.get(own[0].model)
    if fitted is not None and fitted.stated:
        return tuple(cross_fitted(stated, [o.good for o in own]).tolist())
    return tuple(map(calibration_of(known, own[0].model), stated))


def read_outcomes(path: Path, read: LogRead | None = None) -> Iterator[DraftOutcome]:
    """Outcomes that a team kept: the columns confidence (0 to 1) and good (yes or no); also model.

    A row that cannot be used is named and left out. Raises `BadInput` where the file has no such columns or no row to use.
    """
    needs = "the columns confidence (0 to 1) and good (yes or no)"
    return rows_of(path, read, lambda names: {"confidence", "good"} <= names, needs, _outcome)


_SAID: Mapping[str, bool] = {
    **dict.fromkeys(("1", "1.0", "yes", "true", "good", "right"), True),
    **dict.fromkeys(("0", "0.0", "no", "false", "bad", "wrong"), False),
}


def _outcome(number: int, row: Named, read: LogRead) -> DraftOutcome | None:
    sure, good = _share(row["confidence"]), _SAID.get(str(row["good"]).strip().lower())
    if sure is None or good is None:
        read.leave_out(number, "confidence must be a number from 0 to 1, and good yes or no.")
        return None
    return DraftOutcome(sure, good, str(row.get("model") or "").strip()[:200])


def _share(value: Any) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if 0 <= number <= 1 else None
