"""A recorded run out of a file that people may have edited."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC
from typing import Any

import yaml
from pydantic import ValidationError

from playground.catalog import Catalog, load_catalog
from playground.errors import BadInput, BadPipeline
from playground.json_file import digest, explain, read
from playground.money import usd
from playground.pipeline import Pipeline, parse
from playground.prices import cost_usd
from playground.receipts import billed_usd, whole
from playground.recorded.names import Known
from playground.recorded.replay import RecordedEvidence, Recording
from playground.recorded.schema import (
    FORMAT,
    AttemptFile,
    BilledFile,
    ConsideredFile,
    DecisionFile,
    RecordingFile,
    SecondFile,
    StepFile,
)
from playground.records import (
    Attempt,
    Candidate,
    Completion,
    Considered,
    Decision,
    EvidenceRow,
    Quality,
    Receipt,
    SecondOpinion,
    Step,
    Trace,
)
from playground.router import Router
from playground.workshop import check_models

EDITED = "This file was edited by hand"
_LINE = re.compile(r"line \d+: ")


def load(raw: bytes, file: str = "the recording") -> Recording:
    """The run in a file. Its money is recomputed from the receipts' usage and the prices in the file.

    Raises `BadInput` where the file cannot be used: too large, not JSON, another shape, from a newer version, contradictory.
    """
    tree = read(raw, file, FORMAT)
    found = _checked(tree, file)
    flow = _pipeline(found.pipeline, file)
    catalog = Catalog(found.models[: found.catalog])
    known = Known(found.models)
    reader = _Reader(found, known, file)
    steps = tuple(reader.step(s) for s in found.steps)
    _fits(found, flow, file)
    router = _router(reader, flow, catalog, file)
    trace = Trace(found.ticket, flow.name, found.plan, "recorded", steps)
    notes = (*_edited(found, tree, reader.wrong), *_missing(known), *_gone(trace, known))
    made_at = found.made_at.astimezone(UTC)
    return Recording(
        trace,
        router,
        made_at,
        found.origin,
        found.price_date,
        found.app_version[:40],
        found.without_personal_data,
        notes,
        digest(tree),
    )


def _checked(tree: dict[str, Any], file: str) -> RecordingFile:
    try:
        return RecordingFile.model_validate_json(json.dumps(tree, allow_nan=False))
    except ValidationError as error:
        raise explain(error, file) from None


def _pipeline(tree: dict[str, Any], file: str) -> Pipeline:
    try:
        return parse(yaml.safe_dump(tree, allow_unicode=True, sort_keys=False), f"{file}: pipeline")
    except (BadPipeline, yaml.YAMLError) as error:
        # The line is that of a text that nobody has seen.
        raise BadInput(_LINE.sub("", str(error))) from None


def _fits(found: RecordingFile, flow: Pipeline, file: str) -> None:
    """Refuse a file whose parts contradict each other."""
    if not found.steps:
        raise BadInput(f"{file}: steps: the run has no step, so there is nothing to show.")
    if not 0 < found.catalog <= len(found.models):
        raise BadInput(f"{file}: catalog: this must be from 1 to the number of models ({len(found.models)}).")
    order, stages = [s.stage for s in found.steps], [s.key for s in flow.stages]
    if any(key not in stages for key in order) or [s for s in stages if s in order] != order:
        raise BadInput(f"{file}: steps: stages must be those of the pipeline, once each and in its order.")
    for i, step in enumerate(found.steps):
        if not step.prompts:
            raise BadInput(f"{file}: steps.{i}.prompts: a stage needs at least one prompt.")
        if step.state == "done" and step.output is None:
            raise BadInput(f"{file}: steps.{i}.output: a stage that is done has an output.")


def _router(reader: _Reader, flow: Pipeline, catalog: Catalog, file: str) -> Router:
    try:
        check_models(flow, catalog)
    except BadPipeline as error:
        raise BadInput(
            f"{file}: pipeline: {str(error).removesuffix(' Models and prices lists what is allowed.')}"
        ) from None
    evidence = RecordedEvidence(catalog, reader.options)
    return Router(flow, catalog, evidence, replace(reader.found.settings, reachable=None), reader.found.proofs)


class _Reader:
    """Turns the parts of a file into records; notes what every candidate was known by, and receipts whose money is wrong."""

    def __init__(self, found: RecordingFile, known: Known, file: str) -> None:
        self.found, self.known, self.file = found, known, file
        self.options: list[tuple[str, Considered, float | None]] = []
        self.wrong: list[str] = []

    def step(self, step: StepFile) -> Step:
        """One stage as it ran."""
        if len({a.receipt.call for a in step.attempts} - {p.call for p in step.prompts}):
            raise BadInput(f"{self.file}: {step.stage}: a receipt is of a call that has no prompt.")
        attempts = tuple(self._attempt(a, step.stage) for a in step.attempts)
        second = None if step.second is None else self._second(step.second, step.stage)
        return Step(
            step.stage,
            step.state,
            self._decision(step.decision, step.stage),
            step.prompts,
            attempts,
            step.output,
            step.passages,
            step.message,
            step.handover,
            second,
        )

    def _second(self, found: SecondFile, stage: str) -> SecondOpinion:
        receipts = tuple(self._beside(r, stage) for r in found.receipts)
        return SecondOpinion(found.candidate, found.probability, found.disagrees, found.note, receipts)

    def _beside(self, found: BilledFile, stage: str) -> Receipt:
        self._of_the_same_kind(found.receipt, stage)
        made = self._receipt(found.receipt, self.known.candidate(found.candidate), stage)
        # A judge's receipt says judge and not the stage.
        return replace(made, stage=found.receipt.stage)

    def _attempt(self, attempt: AttemptFile, stage: str) -> Attempt:
        candidate = self.known.candidate(attempt.candidate)
        self._of_the_same_kind(attempt.receipt, stage)
        receipt = self._receipt(attempt.receipt, candidate, stage)
        return Attempt(candidate, attempt.text, attempt.verdict, receipt, attempt.output, attempt.error)

    def _of_the_same_kind(self, receipt: Receipt, stage: str) -> None:
        if receipt.provenance != self.found.origin:
            raise BadInput(
                f"{self.file}: {stage}: a receipt says {receipt.provenance}, and origin says {self.found.origin}. "
                "A run is one or the other."
            )

    def _receipt(self, stated: Receipt, candidate: Candidate, stage: str) -> Receipt:
        """The receipt with its money computed anew."""
        price = candidate.model.price
        cost = billed_usd(Completion("", stated.usage, stated.provenance, source=stated.source), candidate)
        saved = None if stated.saved is None else whole(cost_usd(stated.saved, price))
        if (stated.cost_usd, stated.saved_usd) != (cost, saved):
            where = f"{stage}, call {stated.call}, try {stated.attempt}"
            self.wrong.append(f"{where} stated {usd(stated.cost_usd)} instead of {usd(cost)}")
        return replace(stated, cost_usd=cost, saved_usd=saved, provenance="recorded", stage=stage)

    def _decision(self, d: DecisionFile, stage: str) -> Decision:
        name = self.known.candidate
        return Decision(
            stage,
            d.plan,
            d.assurance,
            name(d.chosen),
            tuple(name(c) for c in d.ladder),
            tuple(self._considered(o, stage) for o in d.considered),
            d.bar,
            d.code,
            d.reason,
            d.flip,
            None if d.fallback is None else name(d.fallback),
            d.cues,
            d.spent_usd,
        )

    def _considered(self, o: ConsideredFile, stage: str) -> Considered:
        q = o.quality
        rows = tuple(self._row(i, stage) for i in q.results)
        quality = Quality(q.estimate, q.low, q.high, q.worth, rows, q.enough, q.pairs, q.proven)
        found = Considered(
            self.known.candidate(o.candidate), quality, o.cost_usd, o.expected_cost_usd, o.code, o.reason
        )
        self.options.append((stage, found, q.sure))
        return found

    def _row(self, place: int, stage: str) -> EvidenceRow:
        if not 0 <= place < len(self.found.evidence):
            raise BadInput(f"{self.file}: {stage}: a candidate names evidence {place}, which the file does not hold.")
        return self.found.evidence[place]


def _edited(found: RecordingFile, tree: dict[str, Any], wrong: list[str]) -> Iterator[str]:
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        yield f"{EDITED}: {wrong[0]}{more}. Shown is what the tokens cost at the prices in the file."
    elif found.digest != digest(tree):
        yield f"{EDITED} after it was saved: its digest no longer agrees with what it holds."


def _missing(known: Known) -> Iterator[str]:
    if known.missing:
        names = ", ".join(name[:60] for name in known.missing[:5])
        yield f"The file names models that it does not describe, shown without a price: {names}."


def _gone(trace: Trace, known: Known) -> Iterator[str]:
    now = {m.name for m in load_catalog().models} | set(known.missing)
    used = dict.fromkeys(a.candidate.model.name for s in trace.steps for a in s.asked)
    if gone := [name[:60] for name in used if name not in now]:
        yield f"Not in today's catalogue, shown with the price in the file: {', '.join(gone)}."
