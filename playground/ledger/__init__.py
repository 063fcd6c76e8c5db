"""The ledger: every attempt's receipt in one file, and what is asked of it."""

from playground.ledger.book import Ledger, default_path
from playground.ledger.recorder import Recorder, new_run, ticket_digest
from playground.ledger.schema import LedgerError
from playground.ledger.values import EVERYTHING, By, Filter, Kept, Spend

__all__ = [
    "EVERYTHING",
    "By",
    "Filter",
    "Kept",
    "Ledger",
    "LedgerError",
    "Recorder",
    "Spend",
    "default_path",
    "new_run",
    "ticket_digest",
]
