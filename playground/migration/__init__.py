"""The migration plan: the article's four weeks as a checklist over the user's own numbers."""

from playground.migration.choice import candidate, picked, saves, speaking
from playground.migration.facts import Both, Delivered, Facts, Saved, Seen, StageFacts, Trial
from playground.migration.guarding import GUARDS, guard_off, guard_on
from playground.migration.step import STATES, WEEKS, Page, State, Step
from playground.migration.weeks import Savings, costs_to_take_back, plan, savings, take_back

__all__ = [
    "GUARDS",
    "STATES",
    "WEEKS",
    "Both",
    "Delivered",
    "Facts",
    "Page",
    "Saved",
    "Savings",
    "Seen",
    "StageFacts",
    "State",
    "Step",
    "Trial",
    "candidate",
    "costs_to_take_back",
    "guard_off",
    "guard_on",
    "picked",
    "plan",
    "saves",
    "savings",
    "speaking",
    "take_back",
]
