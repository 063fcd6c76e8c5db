"""A session's set-up as one versioned JSON file: everything but keys, webhook addresses and, unless asked for, the ticket."""

from playground.session_file.reading import Restored, restore
from playground.session_file.setup import ASSUMED, FORMAT, RANGES, SetUp
from playground.session_file.writing import keep

__all__ = ["ASSUMED", "FORMAT", "RANGES", "Restored", "SetUp", "keep", "restore"]
