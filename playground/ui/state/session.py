"""One session's work, and the plain changes to it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from playground import pipeline as pipelines
from playground import tickets
from playground.bill import PlanBill
from playground.catalog import Catalog, load_catalog
from playground.evidence_file import OwnEvidence
from playground.gateway import Connection, keys_from
from playground.guarded import Surroundings
from playground.loop import Agent
from playground.options import Settings
from playground.pipeline import STAGE_KEYS, Pipeline, PromptTemplate
from playground.pipeline_file import shipped
from playground.records import Assurance, Plan, Step, Ticket
from playground.runtime import Runtime
from playground.ui.runner import Run
from playground.ui.state.gone import catch_up
from playground.ui.state.remember import memory

CELL_KEYS = ("pin_", "system_", "user_", *(f"bar_{key}" for key in STAGE_KEYS))
"""Widgets of the cells, whose values belong to one pipeline."""


@dataclass
class Notebook:
    """One session's work. `marks` holds, for each stage, the fingerprint of what its step was run on."""

    ticket: Ticket
    pipeline: Pipeline
    steps: dict[str, Step] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    edits: dict[str, PromptTemplate] = field(default_factory=dict)
    pins: dict[str, str] = field(default_factory=dict)
    bars: dict[str, float] = field(default_factory=dict)
    margins: dict[str, float] = field(default_factory=dict)
    limits: Settings = field(default_factory=Settings)
    """What the user allows, from the page of bars and limits; its providers, bars and pins are set elsewhere."""
    runtime: Runtime | None = None
    """What stands around the calls, where it was set here; `None` is as the agent's file says."""
    around: Surroundings = field(default_factory=Surroundings)
    own: OwnEvidence = field(default_factory=OwnEvidence)
    agent: Agent | None = None
    ran_ticket: Ticket | None = None
    plan: Plan = "kr-auto"
    run: Run | None = None
    pending: dict[str, str] = field(default_factory=dict)
    connections: dict[str, Connection] = field(default_factory=dict)
    catalog: Catalog = field(default_factory=load_catalog)
    volume_moved: bool = False
    notices: list[str] = field(default_factory=list)
    both: tuple[tuple[object, ...], dict[Assurance, PlanBill]] | None = None
    bills: tuple[tuple[object, ...], dict[Plan, PlanBill]] | None = None


def notebook() -> Notebook:
    """The session's notebook; a new session starts on the sample ticket and the agent that the URL names."""
    catch_up()
    if "notebook" not in st.session_state:
        st.session_state.notebook = Notebook(
            _first_ticket(),
            _first_pipeline(),
            connections=keys_from(os.environ, secrets()),
            own=OwnEvidence(proofs=tuple(r.proof for r in memory().verdicts)),
        )
    found: Notebook = st.session_state.notebook
    return found


def _first_ticket() -> Ticket:
    """The sample that the URL names by its title, else the first."""
    wanted = st.query_params.get("sample")
    found = (t for name, t in tickets.samples().items() if wanted in (None, name, tickets.sample_title(name)))
    return next(found, next(iter(tickets.samples().values())))


def _first_pipeline() -> Pipeline:
    wanted = st.query_params.get("pipeline", "support")
    return pipelines.load_shipped(wanted if wanted in shipped() else "support")


def secrets() -> Mapping[str, str]:
    """Keys from `.streamlit/secrets.toml`; empty where there is no such file."""
    try:
        return {k: str(v) for k, v in st.secrets.items() if isinstance(v, str)}
    except (FileNotFoundError, st.errors.StreamlitSecretNotFoundError):
        return {}


def set_ticket(ticket: Ticket) -> None:
    """Work on another ticket; results of the old one stay on screen, marked stale, until the next run."""
    notebook().ticket = ticket


def set_pipeline(flow: Pipeline) -> None:
    """Work with another pipeline; its stages start without edits, pins or results."""
    book = notebook()
    if book.run is not None:
        book.run.cancel()
    for key in [k for k in st.session_state if str(k).startswith(CELL_KEYS)]:
        del st.session_state[key]
    st.session_state.notebook = Notebook(
        book.ticket,
        flow,
        connections=book.connections,
        catalog=book.catalog,
        notices=book.notices,
        limits=book.limits,
        around=book.around,
        own=book.own,
    )


def reset_prompt(stage: str) -> None:
    """Take back a stage's prompt edits, in its text boxes too."""
    notebook().edits.pop(stage, None)
    for key in (f"system_{stage}", f"user_{stage}"):
        st.session_state.pop(key, None)


def say(notice: str) -> None:
    """Have a sentence shown at the top of the next page that is drawn."""
    notebook().notices.append(notice)


def take_notices() -> list[str]:
    """The sentences to show, once."""
    book = notebook()
    found, book.notices = book.notices, []
    return found


def volume_moves() -> None:
    """Note that the slider was moved: the page's headline speaks of another volume now."""
    notebook().volume_moved = True


def take_volume_moved() -> bool:
    """Whether the slider was moved since this was last asked."""
    book = notebook()
    moved, book.volume_moved = book.volume_moved, False
    return moved
