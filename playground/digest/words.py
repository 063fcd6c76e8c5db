"""A digest in words: a title, one sentence, and sections of rows. Slack, Markdown and the page draw the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache

from playground.digest import Alarm, Digest, Line, Mover
from playground.money import Total, percent_change, usd
from playground.pipeline import load_shipped
from playground.prices import PRICE_DATE
from playground.records import Event, EventKind, Provenance

LONGEST_NAME = 80
NOBODY = "no customer named"
ORIGIN: dict[Provenance, str] = {
    "rehearsal": "Rehearsal: no model was called, and nothing was paid",
    "live": "Live: models were called",
    "recorded": "Recorded: replayed from a saved run",
}
_CAUSES: dict[EventKind, str] = {
    "drift": "Drift", "cap": "Cap on spending", "handover": "Handed to a person", "failover": "Failover",
    "cut over": "Cut over", "keep": "Keep today's model",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A name, which may come from outside, and our words on it."""

    name: str
    said: str


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and its rows; `note` goes under the heading."""

    title: str
    rows: tuple[Row, ...]
    note: str = ""


def title(digest: Digest) -> str:
    """What it is, such as: Support agent, 25 November 2026."""
    return f"Support agent, {digest.day:%-d %B %Y}{' so far' if digest.so_far else ''}"


def origin(digest: Digest) -> str:
    """Provenance, the date of the prices and when it was made."""
    return f"{ORIGIN[digest.provenance]}. Prices of {PRICE_DATE:%-d %B %Y}. Made {digest.made_at:%-d %B %Y, %H:%M} UTC."


def headline(digest: Digest) -> str:
    """Spend and savings in one sentence; no name from outside is in it."""
    tickets = f"{digest.tickets:,} ticket{'' if digest.tickets == 1 else 's'}"
    at_least = "At least " if digest.serving.unpriced_calls else ""
    said = f"{at_least}{usd(digest.serving.known_usd)} for {tickets}"
    return f"{said}{_saved(digest)}{_evaluated(digest)}"


def evaluations(digest: Digest) -> Total:
    """What did not answer a ticket: shadow runs, judges and second opinions."""
    unpriced = digest.cost.unpriced_calls - digest.serving.unpriced_calls
    return Total(digest.cost.known_usd - digest.serving.known_usd, unpriced)


def _evaluated(digest: Digest) -> str:
    found = evaluations(digest)
    return f" Evaluations cost {found} more." if found.known_usd or found.unpriced_calls else ""


def _saved(digest: Digest) -> str:
    """The end of the headline's sentence."""
    saved = digest.saved_usd
    if saved is None:
        return ": not every call has a price, so what was saved is not known."
    if not digest.before.known_usd:
        return "."
    change = percent_change(digest.serving.exact_usd, digest.before.exact_usd)
    less = "more" if saved < 0 else "less"
    return f", {usd(abs(saved))} {less} than on today's models ({change})."


def sections(digest: Digest) -> tuple[Section, ...]:
    """Everything below the headline; a section without rows is left out."""
    found = (
        Section("Alarms", tuple(map(_alarm, digest.alarms))),
        Section("Verdicts", tuple(map(_verdict, digest.verdicts))),
        Section("Spend", tuple(_spend(digest))),
        Section("Movers", tuple(map(_mover, digest.movers)), _compared(digest)),
        Section("Top customers", tuple(_customers(digest)), f"{digest.customers_count:,} in all"),
        Section("Models", _lines(digest.models, digest.cost)),
        Section("Stages", _lines([replace(s, name=stage_title(s.name or "")) for s in digest.stages], digest.cost)),
        Section("Plans", _lines(digest.plans, digest.cost)),
        Section("Days", tuple(Row(_day(d.name), _with_tickets(d)) for d in digest.days[:-1])),
    )
    return tuple(s for s in found if s.rows)


def _spend(digest: Digest) -> Iterator[Row]:
    yield Row("Spent", f"{digest.cost}, {digest.attempts:,} attempts")
    if (forecast := digest.forecast) is not None:
        part = " The day is not over." if digest.so_far else ""
        change = percent_change(digest.serving.exact_usd, forecast.usd_a_day)
        took = f"answering tickets took {digest.serving}{_in_brackets(change)}"
        yield Row("Forecast for a day", f"{usd(forecast.usd_a_day)} under {forecast.plan}; {took}.{part}")
        yield Row("Tickets expected", f"{forecast.tickets_a_day:,.0f}; {digest.tickets:,} came{_a_ticket(digest)}")
    if digest.before.known_usd:
        yield Row("The same tickets on today's models", str(digest.before))
    beside = evaluations(digest)
    if beside.known_usd or beside.unpriced_calls:
        yield Row("Of it for evaluations", str(beside))
    if digest.failed:
        yield Row("Failed attempts", f"{digest.failed:,}, {usd(digest.failed_usd)}")
    if digest.cached_usd:
        yield Row("Saved by the cache", usd(digest.cached_usd))


def _a_ticket(digest: Digest) -> str:
    forecast = digest.forecast
    if forecast is None or forecast.usd_a_ticket is None or not digest.tickets:
        return ""
    at_least = "at least " if digest.serving.unpriced_calls else ""
    cost = usd(digest.serving.known_usd / digest.tickets)
    return f", {at_least}{cost} a ticket where {usd(forecast.usd_a_ticket)} was expected"


def _in_brackets(change: str) -> str:
    return f" ({change})" if change else ""


def _compared(digest: Digest) -> str:
    days = "the day before" if digest.days_before == 1 else f"an average day of the {digest.days_before} before"
    return f"against {days}"


def _mover(mover: Mover) -> Row:
    change = percent_change(mover.now.exact_usd, mover.usual.exact_usd)
    if not mover.usual.known_usd and not mover.usual.unpriced_calls:
        change = "new"
    name = stage_title(mover.name) if mover.kind == "stage" else mover.name
    return Row(f"{mover.kind} {name_of(name)}", f"{mover.now}, was {mover.usual}{_in_brackets(change)}")


def _alarm(alarm: Alarm) -> Row:
    times = "" if alarm.count == 1 else f"{alarm.count:,} times, the last: "
    said = _short(alarm.said.removeprefix("failover: "))
    return Row(_caused(alarm), f"{times}{said}")


def _caused(alarm: Alarm) -> str:
    stage, colon, model = alarm.cause.partition(": ")
    if alarm.kind == "failover":
        return f"Failover at {name_of(stage_title(stage))}{f' to {name_of(model)}' if colon else ''}"
    cause = f"{stage_title(stage)}{colon}{model}" if alarm.kind == "drift" else alarm.cause
    return f"{_CAUSES[alarm.kind]}: {name_of(cause)}"


def _verdict(event: Event) -> Row:
    return Row(_CAUSES[event.kind], _short(event.said))


def _short(said: str) -> str:
    return " ".join(said.split())[:300]


def stage_title(key: str) -> str:
    """A stage's title as the shipped agent has it; a judge's calls and others go by their key, written like a title."""
    return _titles().get(key) or key.replace("_", " ").capitalize()


@cache
def _titles() -> dict[str, str]:
    return {s.key: s.title for s in load_shipped("support").stages}


def _customers(digest: Digest) -> Iterator[Row]:
    named = digest.serving.known_usd - (digest.unattributed.cost.known_usd if digest.unattributed else Decimal(0))
    for line in digest.customers:
        share = f", {line.cost.known_usd / named:.0%} of what customers spent" if named else ""
        yield Row(name_of(line.name), f"{_with_tickets(line)}{share}")
    if digest.unattributed is not None:
        yield Row(NOBODY, _with_tickets(digest.unattributed))


def _lines(lines: Sequence[Line], whole: Total) -> tuple[Row, ...]:
    return tuple(Row(name_of(line.name), f"{line.cost}{_share(line.cost, whole)}") for line in lines)


def _share(part: Total, whole: Total) -> str:
    """None of what has no price, and none under half a percent: 0% would read as nothing."""
    share = part.known_usd / whole.known_usd if whole.known_usd else Decimal(0)
    return f", {share:.0%}" if share >= Decimal("0.005") else ""


def _with_tickets(line: Line) -> str:
    tickets = "" if line.tickets is None else f", {line.tickets:,} ticket{'' if line.tickets == 1 else 's'}"
    return f"{line.cost}{tickets}"


def _day(iso: str | None) -> str:
    return f"{date.fromisoformat(iso or ''):%-d %B}"


def name_of(name: str | None) -> str:
    """A name on one line and not endless."""
    line = NOBODY if name is None else " ".join(name.split())
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}\u2026"
