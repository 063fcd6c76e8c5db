"""Evidence as CSV: the shipped results, and a user's own results, shadow pairs and verdicts. A bad row is named and left out."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import TypeVar

from playground.errors import BadEvidence
from playground.records import Effort, EvidenceRow, Pairs, Proof

FILE = Path(__file__).parent / "data" / "evidence.csv"
STAGES = ("intent", "rerank", "draft", "check", "respond", "summarise")
EFFORTS: tuple[Effort, ...] = ("default", "none", "minimal", "low", "medium", "high", "xhigh", "max")
RANGES: Mapping[str, tuple[float, float]] = {"pct": (0, 100), "0-1": (0, 1), "score": (0, 100), "elo": (0, 4000)}
ROW_COLUMNS = ("stage", "model", "benchmark", "value", "unit", "n", "grade")
PAIR_COLUMNS = ("stage", "model", "accepted", "pairs")
PROOF_COLUMNS = (
    "stage",
    "model",
    "model_id",
    "pipeline",
    "version",
    "prompt_digest",
    "pairs",
    "decided_on",
    "provenance",
)
ALSO_OF_A_PROOF = ("effort", "verdict", "current", "margin", "unit", "judge", "labels")
MAX_BYTES = 2_000_000
LEAST_PAIRS_OF_A_VERDICT = 100
"""No verdict at a margin of a few points can come of fewer."""
Line = Mapping[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OwnEvidence:
    """What a user's file holds. `problems` are sentences: a line that was left out, or two that contradict each other."""

    rows: tuple[EvidenceRow, ...] = ()
    pairs: Mapping[tuple[str, str], Pairs] = field(default_factory=dict)
    proofs: tuple[Proof, ...] = ()
    problems: tuple[str, ...] = ()


@cache
def shipped_rows() -> tuple[EvidenceRow, ...]:
    """The shipped results."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(_shipped(line) for line in csv.DictReader(file))


def _shipped(line: Line) -> EvidenceRow:
    names = ("stage", "model", "benchmark", "metric", "unit", "grade", "proxy_for", "date", "source")
    n = int(line["n"]) if line["n"] else None
    return EvidenceRow(**{k: line[k] for k in names}, effort=_effort(line), value=float(line["value"]), n=n)


def read_own(raw: bytes, file: str, models: Collection[str]) -> OwnEvidence:
    """Results, shadow pairs or verdicts from an uploaded CSV, told apart by their columns. Raises `BadEvidence`.

    `models` are the catalogue's names. Lines with a problem are left out and named; the rest is used.
    """
    lines = _lines(raw, file)
    columns = set(lines[0][1]) if lines else set()
    for needed, take in ((PROOF_COLUMNS, _proofs), (PAIR_COLUMNS, _pairs), (ROW_COLUMNS, _rows)):
        if columns >= set(needed):
            return take(lines, file, models)
    raise BadEvidence(
        f"{file}: the first line must name the columns of results ({', '.join(ROW_COLUMNS)}), of shadow pairs "
        f"({', '.join(PAIR_COLUMNS)}) or of verdicts ({', '.join(PROOF_COLUMNS)}), and a line must follow."
    )


def _lines(raw: bytes, file: str) -> list[tuple[int, Line]]:
    if len(raw) > MAX_BYTES:
        raise BadEvidence(f"{file}: {len(raw):,} bytes; at most {MAX_BYTES:,} are read.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadEvidence(f"{file}: byte {error.start:,} is not UTF-8 text. Save the file as UTF-8.") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        return [(reader.line_num, {str(k).strip(): _cell(v) for k, v in line.items()}) for line in reader]
    except csv.Error as error:
        raise BadEvidence(f"{file}, line {reader.line_num}: this is not valid CSV ({error}).") from None


def _cell(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _each(
    lines: Iterable[tuple[int, Line]], file: str, read: Callable[[Line], T]
) -> tuple[list[tuple[int, T]], list[str]]:
    good: list[tuple[int, T]] = []
    problems: list[str] = []
    for number, line in lines:
        try:
            good.append((number, read(line)))
        except ValueError as error:
            problems.append(f"{file}, line {number}: {error}. The line is left out.")
    return good, problems


def _rows(lines: list[tuple[int, Line]], file: str, models: Collection[str]) -> OwnEvidence:
    good, problems = _each(lines, file, lambda line: _row(line, models))
    seen: dict[tuple[str, ...], tuple[int, float]] = {}
    for number, row in good:
        key = (row.stage, row.model, row.effort, row.benchmark, row.metric)
        first, value = seen.setdefault(key, (number, row.value))
        if value != row.value:
            problems.append(
                f"{file}, lines {first} and {number} contradict each other: {row.model} has {value:g} and {row.value:g} on "
                f"{row.benchmark}. Both count."
            )
    return OwnEvidence(rows=tuple(row for _, row in good), problems=tuple(problems))


def _row(line: Line, models: Collection[str]) -> EvidenceRow:
    unit = _one_of(line, "unit", tuple(RANGES))
    low, high = RANGES[unit]
    return EvidenceRow(
        stage=_one_of(line, "stage", STAGES),
        model=_model(line, models),
        effort=_effort(line),
        benchmark=_filled(line, "benchmark"),
        metric=line.get("metric", ""),
        value=_number(line, "value", low, high),
        unit=unit,
        n=int(_number(line, "n", 1, 10_000_000)),
        grade=_one_of(line, "grade", ("A", "B", "C")),
        proxy_for=line.get("proxy_for", ""),
        date=line.get("date", ""),
        source=line.get("source") or "your own file",
    )


def _pairs(lines: list[tuple[int, Line]], file: str, models: Collection[str]) -> OwnEvidence:
    good, problems = _each(lines, file, lambda line: _pair(line, models))
    found: dict[tuple[str, str], Pairs] = {}
    for number, (key, pairs) in good:
        old = found.get(key, Pairs(0, 0))
        if old.pairs:
            problems.append(f"{file}, line {number}: {key[1]} at {key[0]} stood before; the pairs are added up.")
        found[key] = Pairs(old.accepted + pairs.accepted, old.pairs + pairs.pairs)
    return OwnEvidence(pairs=found, problems=tuple(problems))


def _pair(line: Line, models: Collection[str]) -> tuple[tuple[str, str], Pairs]:
    pairs = int(_number(line, "pairs", 1, 10_000_000))
    accepted = _number(line, "accepted", 0, pairs)
    return (_one_of(line, "stage", STAGES), _candidate(line, models)), Pairs(accepted, pairs)


def _proofs(lines: list[tuple[int, Line]], file: str, models: Collection[str]) -> OwnEvidence:
    good, problems = _each(lines, file, lambda line: _proof(line, models))
    return OwnEvidence(proofs=tuple(proof for _, proof in good), problems=tuple(problems))


def _proof(line: Line, models: Collection[str]) -> Proof:
    provenance = _one_of(line, "provenance", ("live", "recorded", "rehearsal"))
    return Proof(
        stage=_one_of(line, "stage", STAGES),
        candidate=_candidate(line, models),
        model_id=_filled(line, "model_id"),
        pipeline=_filled(line, "pipeline"),
        version=_filled(line, "version"),
        prompt_digest=_filled(line, "prompt_digest"),
        pairs=int(_number(line, "pairs", 1 if line.get("verdict") == "KEEP" else LEAST_PAIRS_OF_A_VERDICT, 10_000_000)),
        decided_on=_date(line, "decided_on"),
        provenance=provenance,  # type: ignore[arg-type]
        verdict=_one_of({"verdict": line.get("verdict") or "CUT OVER"}, "verdict", ("CUT OVER", "KEEP")),  # type: ignore[arg-type]
        current=line.get("current", ""),
        margin=_number(line, "margin", 0, 1) if line.get("margin") else None,
        unit=_one_of({"unit": line.get("unit") or "ticket"}, "unit", ("ticket", "thread", "customer")),
        judge=line.get("judge", ""),
        labels=int(_number(line, "labels", 0, 10_000_000)) if line.get("labels") else 0,
    )


def proofs_csv(proofs: Iterable[Proof]) -> bytes:
    """Verdicts as a CSV file that `read_own` takes back."""
    out = io.StringIO(newline="")
    file = csv.DictWriter(out, (*PROOF_COLUMNS, *ALSO_OF_A_PROOF))
    file.writeheader()
    for proof in proofs:
        model, _, effort = proof.candidate.partition(" @")
        row = {name: getattr(proof, name, "") for name in file.fieldnames}
        margin = "" if proof.margin is None else proof.margin
        file.writerow({**row, "model": model, "effort": effort, "margin": margin})
    return out.getvalue().encode()


def _candidate(line: Line, models: Collection[str]) -> str:
    model, effort = _model(line, models), _effort(line)
    return model if effort == "default" else f"{model} @{effort}"


def _model(line: Line, models: Collection[str]) -> str:
    name = _filled(line, "model").rpartition("/")[2]
    if name not in models:
        raise ValueError(f"the catalogue has no model {name[:60]!r}")
    return name


def _effort(line: Line) -> Effort:
    return _one_of({"effort": line.get("effort") or "default"}, "effort", EFFORTS)  # type: ignore[return-value]


def _one_of(line: Line, key: str, allowed: tuple[str, ...]) -> str:
    value = line.get(key, "")
    if value not in allowed:
        raise ValueError(f"{key} {value[:60]!r} is not one of {', '.join(allowed)}")
    return value


def _filled(line: Line, key: str) -> str:
    if not line.get(key):
        raise ValueError(f"{key} is missing")
    return line[key]


def _number(line: Line, key: str, low: float, high: float) -> float:
    text = _filled(line, key)
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{key} {text[:60]!r} is not a number") from None
    if not low <= value <= high:
        raise ValueError(f"{key} {text[:60]} is out of range: {low:g} to {high:,g}")
    return value


def _date(line: Line, key: str) -> date:
    try:
        found = date.fromisoformat(_filled(line, key))
    except ValueError:
        raise ValueError(f"{key} {line.get(key, '')[:60]!r} is not a date; write it like 2026-11-24") from None
    if found > date.today():
        raise ValueError(f"{key} {found} lies in the future")
    return found
