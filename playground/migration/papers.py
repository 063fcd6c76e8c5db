"""The plan to take away: a Markdown checklist, a calendar, and a list of issues as CSV and JSON. Each says what its money is.

Model and stage names come from the user's files: they are shown inert in Markdown, escaped in the calendar, and no cell of the CSV
begins like a formula.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from playground.migration.schedule import Slot
from playground.migration.step import WEEKS, Step
from playground.migration.weeks import Savings, stopping_after
from playground.migration.words import COUNTED, ESTIMATES, a_month
from playground.money import Total, usd
from playground.prices import PRICE_DATE
from playground.safe_cells import safe

VERSION = 1
"""Of the JSON."""
FIRST_MINUTE = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = ("Title", "Body", "Labels", "Due date")
"""Linear reads them as they are; in Jira they are mapped to summary, description, labels and due date."""
_STATUS = {"done": "CONFIRMED", "failed": "CANCELLED"}


@dataclass(frozen=True, slots=True)
class Paperwork:
    """A plan with its dates, its sums, and where its figures come from."""

    agent: str
    slots: tuple[Slot, ...]
    savings: Savings
    basis: str
    on: date
    made_at: datetime
    """In UTC; a calendar takes the later of two files."""

    @property
    def said(self) -> str:
        """What the money is, in one line."""
        return (
            f"Agent {self.agent}, as of {self.on}. {self.basis} Prices of {PRICE_DATE}. {ESTIMATES} "
            "What is saved so far is from the receipts of live runs. A step that passed in rehearsals only does not count as done, "
            "and neither does one that is not in force."
        )


def money_lines(found: Savings) -> tuple[tuple[str, str], ...]:
    """The sums by name, in words."""
    far = found.so_far.usd
    return (
        ("Done", f"{found.done} of {found.steps} steps"),
        ("Saved so far", "nothing yet: no live receipt" if not found.so_far.receipts else usd(far)),
        ("If you stop here", a_month(found.stop_here)),
        ("Passed in rehearsals only", a_month(found.rehearsed)),
        ("Potential, all steps", a_month(found.potential)),
    )


def as_markdown(paper: Paperwork) -> str:
    """A checklist; only what counts for production is ticked."""
    lines = ["# Migration plan", "", inert(paper.said), ""]
    lines += [f"- {name}: {inert(text)}" for name, text in money_lines(paper.savings)]
    after = _after(paper.slots)
    for week, title in WEEKS.items():
        own = [s for s in paper.slots if s.step.week == week]
        lines += ["", f"## Week {week}: {title} ({own[0].first} to {max(s.last for s in own)})", ""]
        for slot in own:
            lines += _items(slot, after[slot.step.key])
    return "\n".join(lines) + "\n"


def _after(slots: Sequence[Slot]) -> dict[str, Total]:
    """What a month saves if the plan ends after each step, by its key."""
    steps = tuple(s.step for s in slots)
    return dict(zip((s.key for s in steps), stopping_after(steps), strict=True))


def saving_lines(step: Step, after: Total) -> tuple[str, ...]:
    """What a step that hands a stage over has saved, will save, and what the plan saves if it ends after it."""
    if not step.hands_over:
        return ()
    far, month = step.so_far, step.saves_usd_month
    return (
        *((f"Saved so far: {usd(far.usd)}, by {far.receipts:,} live receipts.",) if far.receipts else ()),
        *(() if month is None else (f"Saves about {usd(month)} a month, {COUNTED}: an estimate.",)),
        f"If the plan ends after this step and all before it hold, it saves {a_month(after)}.",
    )


def _items(slot: Slot, after: Total) -> list[str]:
    step = slot.step
    box = "x" if step.is_done else " "
    found = [f"- [{box}] **{inert(step.title)}** ({step.state}, due {slot.last}): {inert(step.because)}"]
    if step.next:
        found.append(f"  - Next: {inert(step.next)}")
    found += [f"  - {inert(line)}" for line in saving_lines(step, after)]
    return [*found, f"  - To take it back: {inert(step.reverse)}"]


_MEANS_SOMETHING = frozenset("\\`*_{}[]()<>#|~$&!")


def inert(text: str) -> str:
    """Text on one line that Markdown and HTML show as it is; an address in it is no link."""
    flat = "".join(f"\\{c}" if c in _MEANS_SOMETHING else c for c in _flat(text))
    return flat.replace("://", "\\://").replace("www.", "www\\.").replace("@", "\\@")


def as_calendar(paper: Paperwork) -> bytes:
    """RFC 5545: an all-day event for each step. The same step of the same agent keeps its UID, so a later file moves it.

    A calendar keeps what it has unless SEQUENCE rose, so that counts minutes.
    """
    from icalendar import Calendar, Event, vText

    sequence = (paper.made_at - FIRST_MINUTE) // timedelta(minutes=1)
    calendar = Calendar()
    calendar.add("prodid", "-//Ticket Playground//Migration plan//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"Migration plan, {_flat(paper.agent)}")
    after = _after(paper.slots)
    for slot in paper.slots:
        event = Event()
        event.add("uid", uid(paper.agent, slot.step))
        event.add("dtstamp", paper.made_at)
        event.add("sequence", sequence)
        event.add("dtstart", slot.first)
        event.add("dtend", slot.last + timedelta(days=1))
        event.add("summary", vText(_flat(f"{slot.step.title} ({slot.step.state})")))
        event.add("description", vText("\n".join(_body(slot.step, paper, after[slot.step.key]))))
        event.add("status", _STATUS.get(slot.step.state, "TENTATIVE"))
        event.add("transp", "TRANSPARENT")
        event.add("categories", [f"Week {slot.step.week}"])
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def uid(agent: str, step: Step) -> str:
    """Of the agent's name and the step's key alone."""
    return f"{sha256(f'{agent}/{step.key}'.encode('utf-8', 'replace')).hexdigest()[:32]}@ticket-playground.invalid"


def as_issues_csv(paper: Paperwork) -> bytes:
    """One issue for each step that is not done, in UTF-8, as GitHub's and Linear's importers and Jira's read it."""
    out = io.StringIO(newline="")
    sheet = csv.writer(out)
    sheet.writerow(COLUMNS)
    after = _after(paper.slots)
    for slot in _open(paper.slots):
        body = "\n".join(_body(slot.step, paper, after[slot.step.key]))
        sheet.writerow([safe(_flat(slot.step.title)), safe(body), ",".join(_labels(slot.step)), slot.last.isoformat()])
    return out.getvalue().encode()


def as_issues_json(paper: Paperwork) -> str:
    """The same issues, with every step's state and the sums; money as decimal strings, `null` where it is not known."""
    found = {
        "kind": "migration plan", "version": VERSION, "agent": paper.agent, "as_of": paper.on.isoformat(), "basis": paper.basis,
        "price_date": PRICE_DATE.isoformat(), "sums": _sums(paper.savings), "issues": [_issue(s, paper) for s in paper.slots],
    }  # fmt: skip
    return json.dumps(found, indent=2)


def _sums(found: Savings) -> dict[str, Any]:
    return {
        "saved_so_far_usd": _money(found.so_far.usd),
        "stop_here_usd_month": _money(found.stop_here.exact_usd),
        "rehearsed_only_usd_month": _money(found.rehearsed.exact_usd),
        "potential_usd_month": _money(found.potential.exact_usd),
        "before_usd_month": _money(found.before_usd),
        "done": found.done,
        "steps": found.steps,
        "provenance": {"saved_so_far_usd": "live receipts", "a month": "estimate"},
    }


def _issue(slot: Slot, paper: Paperwork) -> dict[str, Any]:
    step, after = slot.step, _after(paper.slots)[slot.step.key]
    return {
        "key": step.key, "title": step.title, "body": "\n".join(_body(step, paper, after)), "labels": _labels(step),
        "state": step.state, "starts_on": slot.first.isoformat(), "due_on": slot.last.isoformat(),
        "saves_usd_month": _money(step.saves_usd_month), "saved_so_far_usd": _money(step.so_far.usd),
        "stop_after_usd_month": _money(after.exact_usd),
    }  # fmt: skip


def _open(slots: Sequence[Slot]) -> list[Slot]:
    return [s for s in slots if not s.step.is_done]


def _labels(step: Step) -> list[str]:
    return ["migration", f"week-{step.week}", step.state]


def _body(step: Step, paper: Paperwork, after: Total) -> list[str]:
    """The same lines everywhere; each is one line, whatever a name holds."""
    found = [step.what, f"State: {step.state}. {step.because}"]
    found += [f"Next: {step.next}"] if step.next else []
    found += saving_lines(step, after)
    return [_flat(line) for line in (*found, f"To take it back: {step.reverse}", paper.said)]


def _flat(text: str) -> str:
    """One line without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def finding(found: Savings) -> str:
    """The finding in one line."""
    before = "" if found.before_usd is None else f" of {usd(found.before_usd)}"
    return f"{found.done} of {found.steps} steps done; stopping here saves {a_month(found.stop_here, before)}"
