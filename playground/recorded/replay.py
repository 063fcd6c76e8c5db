"""A recorded run to look at again: its own date, models, prices and label. Nothing is called, and nothing is spent again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from playground.catalog import Catalog
from playground.evidence import Evidence
from playground.recorded.schema import Origin
from playground.records import Candidate, Considered, Effort, Quality, Trace
from playground.router import Router

FROM: Mapping[Origin, str] = {"live": "a live run", "rehearsal": "a rehearsal: no model was called"}


@dataclass(frozen=True, slots=True)
class Recording:
    """A run out of a file. Every receipt of `trace` says recorded; `router` decides and prices as then.

    `notes` are sentences on what the file lacks, or on what was changed in it.
    """

    trace: Trace
    router: Router
    made_at: datetime
    """In UTC."""
    origin: Origin
    price_date: date
    app_version: str
    without_personal_data: bool = False
    notes: tuple[str, ...] = ()
    digest: str = ""
    """Of the file as it was read."""

    @property
    def label(self) -> str:
        """When it was recorded and from what, as a sentence that says no word on its money."""
        return f"Recorded on {self.made_at:%-d %B %Y} from {FROM[self.origin]}."

    @property
    def title(self) -> str:
        """A short name for a list."""
        subject = self.trace.ticket.subject or self.trace.ticket.id
        return f"{self.trace.plan}, {self.origin} of {self.made_at:%-d %B %Y, %H:%M} UTC: {subject[:60]}"


class RecordedEvidence(Evidence):
    """What was known when a run was recorded, as its decisions say it."""

    def __init__(self, catalog: Catalog, options: Iterable[tuple[str, Considered, float | None]]) -> None:
        super().__init__((), catalog)
        self._efforts: dict[str, set[Effort]] = {}
        self._sure: dict[tuple[str, str], float] = {}
        for stage, option, sure in options:
            self._note(stage, option.candidate, option.quality, sure)

    def _note(self, stage: str, candidate: Candidate, quality: Quality, sure: float | None) -> None:
        # Whether it is proven follows from the verdicts, as it did then.
        self._known[stage, candidate.key] = replace(quality, proven=False)
        if candidate.effort != "default":
            self._efforts.setdefault(candidate.model.name, set()).add(candidate.effort)
        if sure is not None:
            self._sure[stage, candidate.key] = sure

    @property
    def efforts(self) -> dict[str, set[Effort]]:
        """The efforts that were on offer."""
        return self._efforts

    def sure(self, stage: str, candidate: Candidate, bar: float) -> float:
        """How sure it was at the bar of then."""
        return self._sure.get((stage, candidate.key), 0.0)
