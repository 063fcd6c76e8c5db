"""A set-up out of a file that people may have edited: what can be restored, and one sentence for each thing that cannot."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter, ValidationError

from playground import tickets
from playground.benchmark_scale import EFFORTS
from playground.catalog import Catalog
from playground.errors import BadInput
from playground.evidence_file import ALSO_OF_A_PROOF, PAIR_COLUMNS, PROOF_COLUMNS, ROW_COLUMNS, OwnEvidence, read_own
from playground.forecast import Assumptions
from playground.json_file import explain, read
from playground.options import Settings
from playground.pipeline import STAGE_KEYS, Pipeline, PromptTemplate, check_prompt, load_shipped, parse
from playground.records import Model, Ticket
from playground.runtime import Runtime
from playground.scoring import parse_rubric
from playground.session_file.setup import ASSUMED, FORMAT, RANGES, LimitsFile, Line, SetUp, SetUpFile
from playground.session_file.writing import ALSO_OF_A_ROW
from playground.workshop import check_models, make_router

_LINE = re.compile(r"line \d+: ")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Restored:
    """What a file holds of what can be had here. `problems` are sentences on the rest; `catalog` has the file's own models."""

    setup: SetUp
    catalog: Catalog
    problems: tuple[str, ...] = ()


def restore(raw: bytes, file: str, catalog: Catalog) -> Restored:
    """The set-up in a file, over the catalogue of today. Raises `BadInput` where nothing of it can be used."""
    tree = read(raw, file, FORMAT)
    try:
        found = SetUpFile.model_validate_json(json.dumps(tree, allow_nan=False))
    except ValidationError as error:
        raise explain(error, file) from None
    return _Reader(found, file, catalog).restored()


class _Reader:
    """Takes a file apart; `problems` grows by a sentence for what has to be left out."""

    def __init__(self, found: SetUpFile, file: str, catalog: Catalog) -> None:
        self.found, self.file, self.problems = found, file, list[str]()
        self.catalog = catalog
        for model in self._own_models():
            self.catalog = self.catalog.with_model(model)

    def restored(self) -> Restored:
        """All that can be restored."""
        k, flow, own = self.found.knobs, self._flow(), self._own()
        setup = SetUp(
            flow=flow,
            plan=k.plan,
            mode=k.mode,
            assurance=k.assurance,
            bar_shift=self._within("knobs.bar_shift", k.bar_shift, "bar_shift", 0.0),
            providers=self._providers(k.providers),
            limits=self._limits(self.found.limits),
            bars=self._shares("bars", self.found.bars),
            margins=self._shares("margins", self.found.margins),
            edits=self._edits(),
            runtime=self._runtime(),
            own=own,
            rehearsed=self._rehearsed(own),
            month=self._month(),
            models=tuple(self._own_models()),
            rubric=self._rubric(),
            ticket=self._ticket(self.found.ticket),
        )
        setup = replace(setup, pins=self._pins(setup))
        return Restored(setup, self.catalog, tuple(self.problems))

    def _own_models(self) -> Sequence[Model]:
        return [m for m in self.found.models if m.endpoint and m.name.strip() and len(m.name) <= 200]

    def _flow(self) -> Pipeline:
        asked = self.found.pipeline
        try:
            flow = load_shipped(asked) if isinstance(asked, str) else parse(yaml.safe_dump(asked), "pipeline")
            return check_models(flow, self.catalog)
        except (BadInput, yaml.YAMLError) as error:
            # The line is that of a text that nobody has seen.
            self._leave(f"the agent, so the shipped one is used ({_LINE.sub('', str(error))})")
            return load_shipped("support")

    def _leave(self, what: str) -> None:
        self.problems.append(f"Not restored: {' '.join(what.split())[:300].rstrip('.')}.")

    def _within(self, where: str, value: float, key: str, usual: T) -> float | T:
        low, high = RANGES[key]
        if low <= value <= high:
            return value
        self._leave(f"{where} {value:g}, which must be from {low:g} to {high:,g}")
        return usual

    def _providers(self, asked: Sequence[str] | None) -> frozenset[str] | None:
        return frozenset(self._known("provider", asked or (), self.catalog.providers)) or None

    def _known(self, kind: str, asked: Sequence[str], known: Sequence[str]) -> list[str]:
        for name in asked:
            if name not in known:
                self._leave(f"the {kind} {name[:60]}, which does not exist here")
        return [name for name in asked if name in known]

    def _limits(self, limits: LimitsFile) -> Settings:
        efforts = self._known("effort", limits.efforts or (), EFFORTS)
        return Settings(
            never=frozenset(self._known("model", limits.never, [m.name for m in self.catalog.models])),
            preferred=frozenset(self._known("provider", limits.preferred, self.catalog.providers)),
            efforts=frozenset(e for e in EFFORTS if e in efforts) or None,
            min_days_to_retirement=min(max(limits.min_days_to_retirement, 0), 3650),
            call_budget_usd=_decimal(limits.call_budget_usd),
            ticket_budget_usd=_decimal(limits.ticket_budget_usd),
            raise_bars=limits.raise_bars,
        )

    def _shares(self, name: str, asked: Mapping[str, float]) -> dict[str, float]:
        stages = self._known("stage", list(asked), STAGE_KEYS)
        found = {s: self._within(f"{name}.{s}", asked[s], name, None) for s in stages}
        return {s: value for s, value in found.items() if value is not None}

    def _edits(self) -> dict[str, PromptTemplate]:
        found = {}
        for stage in self._known("stage", list(self.found.edits), STAGE_KEYS):
            edit = self.found.edits[stage]
            try:
                found[stage] = check_prompt(PromptTemplate(edit.system, edit.user), stage)
            except BadInput as error:
                self._leave(f"the edited prompt ({error})")
        return found

    def _runtime(self) -> Runtime | None:
        return self._or_left("what stands around the calls", None, self._checked_runtime)

    def _checked_runtime(self) -> Runtime | None:
        asked = self.found.runtime
        return None if asked is None else TypeAdapter(Runtime).validate_python(asked)

    def _or_left(self, what: str, usual: T, make: Callable[[], T]) -> T:
        try:
            return make()
        except ValidationError as error:
            self._leave(f"{what} ({'.'.join(map(str, error.errors()[0]['loc']))}: {error.errors()[0]['msg']})")
        except BadInput as error:
            self._leave(f"{what} ({error})")
        return usual

    def _own(self) -> OwnEvidence:
        pairs = self._read(self.found.shadow_pairs, (*PAIR_COLUMNS, "effort"), "shadow_pairs")
        rows = self._read(self.found.results, (*ROW_COLUMNS, *ALSO_OF_A_ROW), "results")
        proofs = self._read(self.found.verdicts, (*PROOF_COLUMNS, *ALSO_OF_A_PROOF), "verdicts")
        self.problems += [*rows.problems, *pairs.problems, *proofs.problems]
        return OwnEvidence(rows.rows, pairs.pairs, proofs.proofs)

    def _read(self, lines: Sequence[Line], columns: Sequence[str], name: str) -> OwnEvidence:
        """The lines by the reader of the CSV files that they came from."""
        if not lines:
            return OwnEvidence()
        out = io.StringIO(newline="")
        table = csv.DictWriter(out, columns, extrasaction="ignore")
        table.writeheader()
        table.writerows({k: "" if v is None else v for k, v in line.items()} for line in lines)
        models = {m.name for m in self.catalog.models}
        return self._or_left(name, OwnEvidence(), partial(read_own, out.getvalue().encode(), name, models))

    def _rehearsed(self, own: OwnEvidence) -> frozenset[tuple[str, str]]:
        marked = {
            (p.get("stage"), p.get("model"), p.get("effort") or "default")
            for p in self.found.shadow_pairs
            if p.get("rehearsed")
        }
        return frozenset((s, c) for s, c in own.pairs if (s, *_parts(c)) in marked)

    def _month(self) -> Assumptions:
        usual, found = Assumptions(), dict[str, Any]()
        for name, value in self.found.month.items():
            if name == "own_rounds" and isinstance(value, bool):
                found[name] = value
            elif name not in ASSUMED or _number(value) is None:
                self._leave(f"the assumption {name[:60]}")
            else:
                kind = type(getattr(usual, name))
                kept = self._within(f"month.{name}", float(_number(value) or 0), name, None)
                found |= {} if kept is None else {name: kind(str(value)) if kind is Decimal else kind(_number(value))}
        return replace(usual, **found)

    def _rubric(self) -> str | None:
        text = self.found.rubric
        if text is None:
            return None
        return self._or_left("the judge's rubric", None, partial(_checked_rubric, text))

    def _ticket(self, asked: Ticket | None) -> Ticket | None:
        if asked is None:
            return None
        made = self._or_left("the ticket", None, partial(_cleaned, asked))
        return made and replace(made, created_at=asked.created_at, lang=asked.lang)

    def _pins(self, setup: SetUp) -> dict[str, str]:
        """Pins to what can be pinned: a model at an effort is offered only where something is known of it there."""
        by, found = make_router(setup.flow, setup.limits, self.catalog, setup.own), dict[str, str]()
        for stage in self._known("stage", list(self.found.pins), STAGE_KEYS):
            pinned = self._or_left(f"the pin at {stage}", None, partial(by.named, self.found.pins[stage]))
            found |= {} if pinned is None else {stage: pinned.key}
        return found


def _cleaned(asked: Ticket) -> Ticket:
    return tickets.from_text(asked.text, asked.subject, ticket_id=asked.id[:200] or None, customer_id=asked.customer_id)


def _checked_rubric(text: str) -> str:
    parse_rubric(text, "rubric")
    return text


def _parts(candidate: str) -> tuple[str, str]:
    model, _, effort = candidate.partition(" @")
    return model, effort or "default"


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _number(value: object) -> int | float | None:
    """A number out of JSON; money stands as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    try:
        return float(str(value))
    except ValueError:
        return None
