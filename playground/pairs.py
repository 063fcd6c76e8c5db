"""A pair: what two models made of one prompt, scored. What is kept of it holds no text of a ticket unless that is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from playground.logs import LogRead
from playground.logs.tables import Named, Once, rows_of
from playground.money import Total
from playground.records import Provenance, Step
from playground.scoring import Ballot, Score, Winner

NO_INTENT = "other"
SCORES = ("current_score", "candidate_score")
OUTPUTS = ("current", "candidate")
_ALSO = ("ticket", "customer", "intent", "thread")


@dataclass(frozen=True, slots=True)
class Pair:
    """One ticket at one stage under two models. `value` is the candidate's score minus the current model's, from -1 to 1."""

    ticket: str
    value: float
    customer: str = ""
    intent: str = NO_INTENT
    current_score: float | None = None
    candidate_score: float | None = None
    kind: str = "imported"
    note: str = ""
    current_chars: int = 0
    candidate_chars: int = 0
    current_usd: Decimal | None = None
    """What the stage cost on the current model; `None` where nothing is known."""
    candidate_usd: Decimal | None = None
    provenance: Provenance = "rehearsal"
    orders: tuple[Winner | None, Winner | None] = (None, None)
    """The side that the judge named in each order: A, B or tie; `None` where it was not asked or could not be read."""
    outcomes: tuple[str, ...] = ()
    """How each of the judge's attempts ended."""
    missing: bool = False
    """Whether the judge gave no usable answer: such a pair is counted and not scored."""
    thread: str = ""
    """The conversation it is part of, where that is more than the ticket."""
    texts: tuple[str, str, str] | None = None
    """Ticket, current and candidate output, where they are kept so that people can label them."""
    confidences: tuple[float | None, float | None] = (None, None)
    """What the current and the candidate output state of their own confidence, from 0 to 1; `None` where they state none."""


def neither(found: Score) -> bool:
    """Whether no arm gave a usable output: that says nothing of either, and must not pass for a tie."""
    return found.kind == "failed" and found.current == found.candidate


def without_texts(pair: Pair) -> Pair:
    """What may be kept where texts may not: a judge's reason quotes what it read."""
    return replace(pair, texts=None, note="" if pair.kind == "judge" else pair.note)


def ballot_of(pair: Pair) -> Ballot:
    """What the judge said of a pair."""
    return Ballot(*pair.orders, (pair.current_chars, pair.candidate_chars), pair.outcomes)


def cost_of(step: Step) -> Decimal | None:
    """What a stage cost on one arm; `None` where a call has no price."""
    return Total.of(r.cost_usd for r in step.receipts).exact_usd


def as_payload(pair: Pair) -> dict[str, Any]:
    """A pair as JSON, sums of money as strings."""
    found = asdict(pair)
    for name in ("current_usd", "candidate_usd"):
        found[name] = None if found[name] is None else str(found[name])
    return found


def from_payload(found: Mapping[str, Any]) -> Pair:
    """The pair again."""
    money = {n: None if found[n] is None else Decimal(found[n]) for n in ("current_usd", "candidate_usd")}
    # Pairs that were kept before confidences were have none.
    tuples = {n: tuple(found[n]) for n in ("orders", "outcomes", "texts", "confidences") if found.get(n) is not None}
    return Pair(**{**found, **money, **tuples})


def scored(pairs: Sequence[Pair]) -> list[Pair]:
    """Those that have a score."""
    return [p for p in pairs if not p.missing]


def read_pairs(path: Path, read: LogRead | None = None) -> Iterator[Pair]:
    """Pairs that a team scored elsewhere: a column for each arm's score from 0 to 1, or one column `value` from -1 to 1.

    Columns: current_score and candidate_score, or value; also ticket, thread, customer, intent. A ticket that comes twice is
    named and left out. Raises `BadInput` where the file cannot be read or has none of these columns.
    """
    once = Once()

    def take(number: int, row: Named, told: LogRead) -> Pair | None:
        pair = _pair(number, row, told)
        return pair if pair is not None and once.is_new(pair.ticket, number, told) else None

    needs = f"the columns {SCORES[0]} and {SCORES[1]} (0 to 1), or value (-1 to 1)"
    return rows_of(path, read, lambda names: set(SCORES) <= names or "value" in names, needs, take)


def _pair(number: int, row: Mapping[str, Any], read: LogRead) -> Pair | None:
    names = {name: str(row.get(name) or "").strip() for name in _ALSO}
    known = Pair(
        names["ticket"] or f"row {number}",
        0.0,
        names["customer"][:300],
        names["intent"][:100] or NO_INTENT,
        thread=names["thread"][:300],
    )
    if "value" in row and not {*SCORES} <= set(row):
        value = _number(row["value"], -1.0)
        if value is None:
            read.leave_out(number, f"the value {_said(row['value'])} is not a number from -1 to 1.")
            return None
        return replace(known, value=value, kind="imported value")
    arms = [_number(row.get(name), 0.0) for name in SCORES]
    if arms[0] is None or arms[1] is None:
        wrong = SCORES[0] if arms[0] is None else SCORES[1]
        read.leave_out(number, f"{wrong} {_said(row.get(wrong))} is not a number from 0 to 1.")
        return None
    return replace(
        known, value=arms[1] - arms[0], current_score=arms[0], candidate_score=arms[1], kind="imported scores"
    )


def _said(value: object) -> str:
    return "(empty)" if value in (None, "") else repr(str(value)[:40])


def _number(value: object, least: float) -> float | None:
    """A number from `least` to 1; booleans and words for right and wrong count."""
    text = str(value).strip().lower()
    if text in ("true", "yes", "right"):
        return 1.0
    if text in ("false", "no", "wrong"):
        return 0.0
    try:
        number = float(text)
    except ValueError:
        return None
    return number if least <= number <= 1 else None
