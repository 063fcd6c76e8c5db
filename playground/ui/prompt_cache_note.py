"""The sentence on prompt caching that stands beside a month's figures."""

from __future__ import annotations

from playground.forecast import Assumptions
from playground.prompt_cache_note import said_of_month
from playground.ui import state


def prompt_cache_said(basis: state.Basis, a: Assumptions) -> str:
    """What it changes at the volume, or that it is off."""
    return said_of_month(basis.spends, a.tickets_per_month, state.prompt_cache_is_on())
