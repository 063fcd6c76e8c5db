"""Recorded runs: one versioned JSON file without secrets, replayed with its own date, models and prices."""

from playground.recorded.reading import EDITED, load
from playground.recorded.replay import Recording
from playground.recorded.schema import FORMAT
from playground.recorded.writing import save

__all__ = ["EDITED", "FORMAT", "Recording", "load", "save"]
