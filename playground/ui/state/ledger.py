"""The server's ledger: where every run of every session writes its receipts, and where pages read money."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial

import streamlit as st

from playground.ledger import Ledger, Recorder, default_path, new_run
from playground.loop import Agent
from playground.records import Purpose

KEEP_TEXTS = "keep_texts"
"""Whether this session keeps the text of its tickets with their receipts; off unless somebody asks for it."""


@st.cache_resource
def _ledger() -> Ledger:
    return Ledger(default_path())


def ledger() -> Ledger:
    """The ledger; where its file cannot be used receipts wait in memory, and its `problem` says so."""
    return _ledger()


def recorded(agent: Agent, purpose: Purpose, run: str = "") -> Agent:
    """The agent, writing what it pays for into the ledger under a run's name; without a name it is a run of its own."""
    kept = bool(st.session_state.get(KEEP_TEXTS))
    return replace(
        agent, record=Recorder(ledger(), agent.router, purpose, agent.provenance, run or new_run(), keep_text=kept)
    )


def at_cap(agent: Agent, cap_usd: Decimal) -> Callable[[int], None] | None:
    """Keeps, for the digest, that this cap ended a run of the agent; `None` where the agent records nothing."""
    return partial(agent.record.capped, cap_usd) if isinstance(agent.record, Recorder) else None


def run_of(agent: Agent | None) -> str:
    """The name of the run that an agent records, so that a later part of it goes under the same; empty where it records none."""
    return agent.record.run if agent is not None and isinstance(agent.record, Recorder) else ""


def name_run(agent: Agent, run: str) -> None:
    """Put an agent's calls under this run, which was not known when it was made."""
    if isinstance(agent.record, Recorder):
        agent.record.run = run
