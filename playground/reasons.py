"""The one sentence beside each candidate, and what would make another one win."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from playground.ladder import CANNOT_RUN, cheapest_first
from playground.money import percent_change, usd
from playground.options import down
from playground.records import Bar, Considered


def dearer(option: Considered, winner: Considered) -> Considered:
    """A candidate that clears the bar and costs more than the winner."""
    if option.expected_cost_usd is None or winner.expected_cost_usd is None:
        return option
    if option.expected_cost_usd < winner.expected_cost_usd:
        return replace(option, reason=f"cheaper, but you prefer {winner.candidate.model.provider}")
    more = usd(option.expected_cost_usd - winner.expected_cost_usd)
    return replace(option, reason=f"dearer by {more} a ticket, retries counted")


def favoured(best: Considered, cheapest: Considered) -> str:
    """Why a preferred provider's candidate wins over the cheapest."""
    more = percent_change(best.expected_cost_usd, cheapest.expected_cost_usd) or "+0%"
    return f"you prefer {best.candidate.model.provider}: {more} against {cheapest.candidate.key}"


def dearer_than_today(best: Considered, own: Considered) -> str:
    """Why the stage gets dearer; empty where it does not."""
    if own.code not in CANNOT_RUN or best.cost_usd is None or own.cost_usd is None or best.cost_usd <= own.cost_usd:
        return ""
    return f"; dearer than {own.candidate.key}, which cannot be used: {own.reason}"


def plain(option: Considered) -> Considered:
    """A candidate under a plan that does not ask what is cheapest."""
    return replace(option, reason="clears the bar") if option.code == "dearer" else option


def flip(winner: Considered, rest: Sequence[Considered], bar: Bar) -> str:
    """At which bar, before what a hard ticket adds, a cheaper candidate would win; empty where none would."""
    limit = winner.expected_cost_usd
    cheaper = [
        c for c in rest if c.code == "below_bar" and limit is not None and (c.expected_cost_usd or limit) < limit
    ]
    if not cheaper:
        return ""
    at = down(max(c.quality.estimate or 0.0 for c in cheaper))
    # Several may clear the rounded bar; the cheapest of them is the one that would win.
    would_win = min((c for c in cheaper if (c.quality.estimate or 0.0) >= float(at)), key=cheapest_first)
    more = bar.value - bar.base
    own = f"{float(at) - more:.2f} or below, which this ticket raises to {at}" if more else f"{at} or below"
    return f"{would_win.candidate.key} would win at a bar of {own}"
