"""Tickets drawn from the session's log, and what running them may cost: what a sample, pairs and second opinions share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from playground.bounded import Unit
from playground.log_pricing import PricedBatch
from playground.money import ZERO
from playground.records import Ticket
from playground.sample import digest_of, tickets_at
from playground.ui.state.log import load_sample_log, log_desk
from playground.ui.state.session import say
from playground.worst_case import Cost


@dataclass(frozen=True, slots=True)
class Drawn:
    """Tickets by the row of the log that they stand in."""

    by_row: dict[str, Ticket]
    labels: dict[str, str]
    """True labels by ticket id, where the log has them."""

    @property
    def digest(self) -> str:
        """Names the tickets by what is in them."""
        return digest_of(list(self.by_row.values()))


@dataclass(frozen=True, slots=True)
class Reserved:
    """Units with the most each can cost; `cost` is of all of them, `None` where a price is missing."""

    units: tuple[Unit, ...]
    cost: Cost | None


def log_to_draw_from() -> PricedBatch | None:
    """The session's priced log, or the sample log where there is none; says so where there is neither."""
    if log_desk().priced is None:
        load_sample_log()
    desk = log_desk()
    if desk.priced is None or desk.path is None or desk.columns is None:
        say("There is no priced ticket log to draw from. Price one on the Ticket log page.")
        return None
    return desk.priced


def tickets_of(rows: NDArray[np.int64]) -> Drawn:
    """The tickets at these rows, in their order. Raises `BadTicket` where the file has changed."""
    desk = log_desk()
    assert desk.priced is not None
    assert desk.path is not None
    assert desk.columns is not None
    in_order = np.sort(rows)
    found = tickets_at(desk.path, desk.columns, in_order.tolist())
    by_row = dict(zip(in_order.tolist(), found, strict=True))
    labels = zip((t.id for t in found), desk.priced.labels[in_order].tolist(), strict=True)
    return Drawn({str(row): by_row[row] for row in rows.tolist()}, dict(labels))


def reserved(costs: Mapping[str, Cost | None]) -> Reserved:
    """What every unit may cost, and all of them."""
    units = tuple(Unit(row, ZERO if c is None else c.most_usd) for row, c in costs.items())
    known = [c for c in costs.values() if c is not None]
    whole = Cost(sum((c.usual_usd for c in known), ZERO), sum((c.most_usd for c in known), ZERO))
    return Reserved(units, whole if len(known) == len(costs) else None)
