"""What stands around a command's run, as the part `runtime` of its agent's file says: the same parts as in the app."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from playground.answer_store import Answers, default_path
from playground.guarded import Surroundings, guarded, open_answers
from playground.guardrails import kept_mark
from playground.ledger import Recorder
from playground.loop import Agent
from playground.money import Total
from playground.recording import Record
from playground.records import Trace
from playground.report.around import parts_said
from playground.router import Router
from playground.runtime import ExactCache, Runtime
from playground.sqlite_files import data_folder
from playground.workshop import make_agent

FORGETS = "The semantic cache holds what it has seen in memory, so a command that runs one ticket has no hits."


def agent_of(router: Router) -> Agent:
    """An agent that rehearses with every part on that its file has on; answers are kept where the app keeps them.

    Raises `BadInput` where equivalents form a circle or name a model that does not exist.
    """
    on = router.pipeline.runtime
    around = Surroundings(answers=_answers, mark=kept_mark(data_folder() / "canary") if on.leaks else "", aside=_aside)
    return guarded(make_agent(router), around)


def _answers(rules: ExactCache) -> Answers:
    return open_answers(default_path(), rules)


def _aside(record: Record) -> Record:
    return replace(record, purpose="second opinion") if isinstance(record, Recorder) else record


def on_lines(on: Runtime) -> list[str]:
    """What was on, a sentence each; empty where nothing was."""
    return [*parts_said(on), *([FORGETS] if on.semantic_cache is not None else [])]


def on_text(on: Runtime) -> list[str]:
    """The same under a heading of its own."""
    return ["On around the calls:", *(f"    {said}" for said in found)] if (found := on_lines(on)) else []


def done_lines(trace: Trace) -> Iterator[str]:
    """What the parts did in a run, a sentence each."""
    if trace.handover is not None:
        yield f"The ticket went to a person: {trace.handover.reason}"
    served = [r for r in trace.receipts if r.source != "model"]
    if served:
        saved = Total.of(r.saved_usd for r in served)
        calls = "1 call was" if len(served) == 1 else f"{len(served)} calls were"
        yield f"{calls} answered from the cache, which saved {saved}."
