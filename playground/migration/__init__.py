"""The migration plan: the article's four weeks as a checklist over the user's own numbers."""

from playground.migration.choice import candidate, picked, saves, speaking
from playground.migration.facts import Both, Delivered, Facts, Saved, Seen, StageFacts, Trial
from playground.migration.guarding import GUARDS, guard_off, guard_on
from playground.migration.papers import (
    Paperwork,
    as_calendar,
    as_issues_csv,
    as_issues_json,
    as_markdown,
    finding,
)
from playground.migration.schedule import Slot, schedule
from playground.migration.step import STATES, WEEKS, Page, State, Step
from playground.migration.weeks import Savings, costs_to_take_back, plan, savings, stopping_after, take_back
from playground.migration.words import COUNTED, ESTIMATES, a_month

__all__ = [
    "COUNTED",
    "ESTIMATES",
    "GUARDS",
    "STATES",
    "WEEKS",
    "Both",
    "Delivered",
    "Facts",
    "Page",
    "Paperwork",
    "Saved",
    "Savings",
    "Seen",
    "Slot",
    "StageFacts",
    "State",
    "Step",
    "Trial",
    "a_month",
    "as_calendar",
    "as_issues_csv",
    "as_issues_json",
    "as_markdown",
    "candidate",
    "costs_to_take_back",
    "finding",
    "guard_off",
    "guard_on",
    "picked",
    "plan",
    "saves",
    "savings",
    "schedule",
    "speaking",
    "stopping_after",
    "take_back",
]
