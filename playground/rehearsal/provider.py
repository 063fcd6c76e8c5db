"""The offline provider itself: one request in, one completion out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from playground import tokens
from playground.catalog import reasoning_tokens
from playground.errors import Cancelled
from playground.knowledge import SAMPLES
from playground.records import Completion, Output, Request, Usage
from playground.rehearsal.draft import Drafting
from playground.rehearsal.examples import Example, load_examples
from playground.rehearsal.intent import classify
from playground.rehearsal.judging import judge
from playground.rehearsal.phrases import PHRASES
from playground.rehearsal.policy import check, part_of, respond
from playground.rehearsal.ranking import rerank, shelf_of
from playground.rehearsal.spoil import as_text, fate_of, silently, visibly
from playground.rehearsal.summary import summarise
from playground.watch import Watch

CHUNKS = 4
"""Pieces in which an answer reaches the watcher: enough to see it grow."""


class Rehearsal:
    """Answers a request with rules and word statistics; an instance is a `Complete`."""

    def __init__(self, examples: Path | Sequence[Example]) -> None:
        self.examples = load_examples(examples) if isinstance(examples, Path) else tuple(examples)
        self._stages: Mapping[str, Callable[[Request], Output]] = {
            "intent": lambda request: classify(request, self.examples),
            "rerank": lambda request: rerank(request, self.examples),
            "draft": self._draft,
            "check": check,
            "respond": self._respond,
            "summarise": summarise,
            "judge": judge,
        }

    def __call__(self, request: Request, watch: Watch) -> Completion:
        """Answer a request. Raises `Cancelled` with what had been shown by then."""
        text = self._text(request)
        shown = ""
        for chunk in _chunks(text):
            if watch.cancelled():
                raise Cancelled(partial=_completion(request, shown, "cancelled") if shown else None)
            watch.text(request, chunk)
            shown += chunk
        return _completion(request, text, "stop")

    def _text(self, request: Request) -> str:
        fate = fate_of(request)
        output = self.answer(request)
        if fate.spoiled and fate.visible:
            return visibly(request, output, fate)
        return as_text(silently(request, output, fate, self.answer) if fate.spoiled else output)

    def answer(self, request: Request) -> Output:
        """The output of a stage before anything is spoiled."""
        return self._stages[request.prompt.stage](request)

    def _draft(self, request: Request) -> Output:
        return Drafting(request.context, shelf_of(request.prompt.passages, self.examples)).output()

    def _respond(self, request: Request) -> Output:
        draft = request.context.earlier.get("draft") or self._draft(request)
        return respond(request, part_of(draft, "answer") or PHRASES["en"].thanks)


@cache
def sample_rehearsal() -> Rehearsal:
    """The rehearsal on the shipped examples."""
    return Rehearsal(SAMPLES / "intent_examples.csv")


def _completion(request: Request, text: str, finish_reason: str) -> Completion:
    thinking = reasoning_tokens(request.candidate, request.typical_output_tokens)
    output = tokens.count(text) + thinking
    usage = Usage(request.prompt.input_tokens, output, reasoning_tokens=thinking, counted="estimate")
    return Completion(text, usage, "rehearsal", finish_reason=finish_reason)


def _chunks(text: str) -> list[str]:
    size = max(1, -(-len(text) // CHUNKS))
    return [text[i : i + size] for i in range(0, len(text), size)] or [""]
