"""What stands around the session's calls: guardrails, caches, failover and caps, as set on their page."""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakSet

import streamlit as st

from playground.answer_store import Answers, default_path
from playground.errors import BadInput
from playground.gateway import Gateway
from playground.guarded import Surroundings, guarded, open_answers
from playground.guardrails import kept_mark
from playground.ledger import Recorder
from playground.loop import Agent
from playground.recording import Record
from playground.records import Model, Provenance
from playground.runtime import ExactCache, Runtime
from playground.semantic_cache import SemanticCache
from playground.sqlite_files import data_folder
from playground.ui.state.outcomes import calibrated
from playground.ui.state.remember import keep_guards
from playground.ui.state.session import notebook, say


def runtime() -> Runtime:
    """What is on now."""
    book = notebook()
    return book.pipeline.runtime if book.runtime is None else book.runtime


def set_runtime(found: Runtime) -> None:
    """Use this from the next run on."""
    keep_guards(notebook().pipeline.name, runtime(), found)
    notebook().runtime = found


@st.cache_resource(max_entries=4)
def _answers(rules: ExactCache) -> Answers:
    """One store for the server: sessions with the same rules share it, and customers never do."""
    return open_answers(default_path(), rules)


def reopen_answers() -> None:
    """Begin a new store where the old one's file was damaged, has been put aside, and that was said; any other problem stays."""
    rules, said = runtime().exact_cache, st.session_state.get("answers_said", ())
    if rules is not None and _answers(rules).problem in said and not default_path().exists():
        _answers(rules).close()
        _answers.clear(rules)


@st.cache_resource
def _mark() -> str:
    return kept_mark(data_folder() / "canary")


_SEMANTIC: WeakSet[SemanticCache] = WeakSet()
"""Those of every session of this server that still lives."""


def semantic_caches() -> tuple[SemanticCache, ...]:
    """Every cache of near-identical requests in this server, so that a customer can be forgotten by all of them."""
    return tuple(_SEMANTIC)


def _semantic(provenance: Provenance, threshold: float, embedder: Model | None) -> SemanticCache:
    """One for the session: what it holds is gone with it."""
    by = "" if embedder is None else f"_{embedder.id}_{embedder.endpoint}_{embedder.price}"
    key = f"semantic_{provenance}_{threshold}{by}"
    if key not in st.session_state:
        st.session_state[key] = SemanticCache(provenance, threshold=threshold, embedder=embedder)
        _SEMANTIC.add(st.session_state[key])
    found: SemanticCache = st.session_state[key]
    return found


def surroundings(gateway: Gateway | None = None) -> Surroundings:
    """What outlives a run of this session: how providers stand, which switches of the demo are off."""
    around = replace(
        notebook().around,
        answers=_answers,
        semantic=_semantic,
        mark=_mark(),
        calibrated=calibrated(),
        aside=_aside,
        outage=hanging(),
    )
    return around if gateway is None else replace(around, key_of=gateway.key_id, reaches=gateway.reaches)


def _aside(record: Record) -> Record:
    return replace(record, purpose="second opinion") if isinstance(record, Recorder) else record


def cache_problems() -> tuple[str, ...]:
    """Why a cache that is on keeps nothing, as sentences; the run goes on without it."""
    rules, found = runtime(), []
    if rules.exact_cache is not None:
        found.append(_answers(rules.exact_cache).problem)
    if rules.semantic_cache is not None:
        found += [c.problem for c in st.session_state.values() if isinstance(c, SemanticCache)]
    st.session_state.answers_said = tuple(dict.fromkeys(filter(None, found)))
    return st.session_state.answers_said  # type: ignore[no-any-return]


def with_guards(agent: Agent, gateway: Gateway | None = None) -> Agent:
    """The agent with what is on around it; one whose list of equivalents is wrong runs without failover, and that is said."""
    try:
        return guarded(agent, surroundings(gateway))
    except BadInput as error:
        say(f"{error} Until then calls are made without failover.")
        bare = replace(agent.pipeline, runtime=replace(agent.pipeline.runtime, failover=None))
        return guarded(replace(agent, pipeline=bare), surroundings(gateway))


def downs() -> tuple[str, ...]:
    """Providers that are switched off for a demo."""
    return tuple(sorted(st.session_state.get("providers_down") or ()))


def hanging() -> frozenset[str]:
    """Those of them that let calls wait before they fail; the others fail at once."""
    return frozenset(downs()) if st.session_state.get("providers_hang") else frozenset()


def switch_providers() -> None:
    """Take the chosen providers down, and bring the others up. One that hangs must not be known to be down."""
    health, chosen = notebook().around.health, set(downs()) - hanging()
    for provider in notebook().catalog.providers:
        (health.take_down if provider in chosen else health.bring_up)(provider)
