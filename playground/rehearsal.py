"""The offline provider: works on the ticket with rules and word statistics. Every page labels it: no model was called.

It answers the same `Request` as a live provider, from `request.context`, and never reads a prompt's text. A ticket longer
than twice `extract.READ_CHARS` is read from both ends only.

Usage is counted, so it is always an "estimate": no provider saw the call. Input tokens are those of the real prompt, output
tokens those of the real output plus the thinking assumed for the candidate's effort. Nothing was cached and nothing took
time, so no cache tokens and no latency are made up.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from math import sqrt
from pathlib import Path

from playground import tokens
from playground.catalog import reasoning_tokens
from playground.errors import BadKnowledge, Cancelled
from playground.extract import (
    LANGUAGES, MOST_ASKS, QUOTE_CHARS, Ask, Lang, Source, Unit, Weights, asks, customer_text, language_of, plain,
    read_source, sentences, signed_by, stems,
)  # fmt: skip
from playground.knowledge import SAMPLES
from playground.records import Completion, Context, Output, Passage, Policy, Request, Ticket, Usage
from playground.spoil import fate_of, silently, visibly
from playground.watch import Watch

CHUNKS = 4
"""Pieces in which an answer reaches the watcher: enough to see it grow."""
CONTEXT_SHARE = 0.35
"""Weight of the words around a question against its own: enough to tell two articles apart, too little to change the topic."""
GOOD_ENOUGH = 0.3
"""Share of a question's weight that an answer must cover. Tuned by reading: below it answers were beside the point."""
BESIDE = 0.6
"""A statement joins an answer from this share of the best statement's score."""
ANSWER_WORDS = 320
"""Words quoted from passages in one reply, shared by its questions: a support reply of one screen, about 900 tokens of JSON."""
VAGUE_WORDS = 5
"""A ticket with no more words that mean something cannot be acted on; the customer is asked for details."""


@dataclass(frozen=True, slots=True)
class Example:
    """An utterance and its label."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Phrases:
    """The words around what is quoted from passages."""

    hello: str
    hello_name: str
    thanks: str
    one_by_one: str
    steps: str
    above: str
    unanswered: str
    vague: str
    details: tuple[str, str, str]
    colleague: str
    colleague_too: str
    reply: str
    sign_off: str


PHRASES: Mapping[Lang, Phrases] = {
    "en": Phrases(
        hello="Hello,",
        hello_name="Hello {name},",
        thanks="Thank you for your message.",
        one_by_one="Here are the answers to your {count} questions, one by one.",
        steps="These are the steps:",
        above="The answer above covers this as well.",
        unanswered="Our help centre does not answer this, so a colleague will look into it.",
        vague="To help you, I need to know a little more:",
        details=(
            "What did you want to do, and on which page?",
            "What happens instead? Please copy the exact message, or attach a screenshot.",
            "Since when, and does it affect only you or everyone?",
        ),
        colleague="A colleague takes over what is still open and replies to you here.",
        colleague_too="A colleague looks at your case as well and replies to you here.",
        reply="If anything is unclear, simply reply to this message.",
        sign_off="Kind regards,\nYour support team",
    ),
    "de": Phrases(
        hello="Guten Tag,",
        hello_name="Guten Tag {name},",
        thanks="vielen Dank für Ihre Nachricht.",
        one_by_one="Hier sind die Antworten auf Ihre {count} Fragen, der Reihe nach.",
        steps="So gehen Sie vor:",
        above="Das ist mit der Antwort weiter oben ebenfalls beantwortet.",
        unanswered="Dazu sagt unser Hilfezentrum nichts, deshalb sieht sich das eine Kollegin oder ein Kollege an.",
        vague="Damit wir Ihnen helfen können, brauchen wir noch einige Angaben:",
        details=(
            "Was wollten Sie tun, und auf welcher Seite?",
            "Was geschieht stattdessen? Bitte kopieren Sie die genaue Meldung, oder fügen Sie ein Bildschirmfoto an.",
            "Seit wann ist das so, und betrifft es nur Sie oder alle?",
        ),
        colleague="Um alles, was noch offen ist, kümmert sich eine Kollegin oder ein Kollege und antwortet Ihnen hier.",
        colleague_too="Eine Kollegin oder ein Kollege sieht sich Ihren Fall ebenfalls an und antwortet Ihnen hier.",
        reply="Wenn etwas unklar ist, antworten Sie einfach auf diese Nachricht.",
        sign_off="Mit freundlichen Grüßen\nIhr Support-Team",
    ),
    "es": Phrases(
        hello="Hola:",
        hello_name="Hola, {name}:",
        thanks="Gracias por su mensaje.",
        one_by_one="Estas son las respuestas a sus {count} preguntas, una por una.",
        steps="Estos son los pasos:",
        above="La respuesta anterior también resuelve este punto.",
        unanswered="Nuestro centro de ayuda no responde a esto, así que una persona de nuestro equipo lo revisará.",
        vague="Para poder ayudarle, necesito algunos datos más:",
        details=(
            "¿Qué quería hacer y en qué página?",
            "¿Qué ocurre en su lugar? Copie el mensaje exacto o adjunte una captura de pantalla.",
            "¿Desde cuándo ocurre, y le afecta solo a usted o a todos?",
        ),
        colleague="Una persona de nuestro equipo se ocupa de lo que queda pendiente y le responderá aquí.",
        colleague_too="Una persona de nuestro equipo revisará también su caso y le responderá aquí.",
        reply="Si algo no queda claro, responda a este mensaje.",
        sign_off="Un saludo,\nSu equipo de soporte",
    ),
}
# A question's words, and what a statement that answers such a question looks like. Languages share a row.
_EXPECTED = tuple(
    (re.compile(question, re.IGNORECASE), re.compile(answer, re.IGNORECASE))
    for question, answer in (
        (
            r"\b(?:when|how (?:long|soon)|wann|wie lange|cuándo|cuánto (?:tiempo|tarda))\b",
            r"\d+ (?:\w+ )?(?:minute|hour|day|week|month|year|minuto|hora|día|mes|Minute|Stunde|Tag|Woche|Monat|Arbeitstag)",
        ),
        (r"\b(?:where|which page|wo|dónde)\b", r" > |\w@\w|\w\.\w+/\w"),
        (r"\b(?:how much|what (?:\w+ ){0,2}cost|price|wie viel|kostet|cuánto cuesta)\b", r"[$€£] ?\d|\d ?[%€]"),
        (r"\b(?:who|wer|quién)\b", r"\b(?:owner|admin|manager|team|lead|Inhaber|Admin|Teamleitung|propietari|responsable|administrador)"),
        (r"\b(?:how (?:do|can|could|should)|what (?:do|should|has)|wie kann|was muss|cómo|qué (?:tengo|tiene|debo))\b", r" > |\""),
        (r"\b(?:why|warum|wieso|por qué)\b", r"\b(?:because|means?|weil|bedeutet|porque|significa)\b"),
    )
)


class Rehearsal:
    """Answers a request with rules and word statistics; an instance is a `Complete`."""

    def __init__(self, examples: Path | Sequence[Example]) -> None:
        self.examples = load_examples(examples) if isinstance(examples, Path) else tuple(examples)
        self._stages: Mapping[str, Callable[[Request], Output]] = {
            "intent": self._intent, "rerank": self._rerank, "draft": self._draft, "check": _check,
            "respond": self._respond, "summarise": _summarise,
        }  # fmt: skip

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
        if fate.spoiled and not fate.visible:
            output = silently(request, output, fate, self.answer)
        text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False, separators=(", ", ": "))
        return visibly(request, text, fate) if fate.spoiled and fate.visible else text

    def answer(self, request: Request) -> Output:
        """The output of a stage before anything is spoiled."""
        return self._stages[request.prompt.stage](request)

    def _intent(self, request: Request) -> Output:
        context = request.context
        ranked = rank_labels(context.ticket, _shelf_of_labels(self.examples, tuple(context.labels.items())))
        (label, best), (_, second) = ranked[0], (*ranked, ("", 0.0))[1]
        if best < LABEL_FLOOR and "other" in context.labels:
            label, second = "other", best
        # Sure where the words match well and no other label comes near.
        confidence = min(0.97, 0.25 + 0.45 * min(1.0, 2 * best) + 0.3 * (best - second) / best) if best else 0.2
        return {"label": label, "language": context.ticket.lang or language_of(_all_text(context.ticket)), "confidence": round(confidence, 2)}

    def _rerank(self, request: Request) -> Output:
        context = request.context
        shelf = self._shelf(context.passages or request.prompt.passages)
        queries = [_query(ask) for ask in asks(context.ticket)[:MOST_ASKS]] or [{}]
        return {"scores": [{"id": p.id, "score": _usefulness(shelf.weights, queries, _source(p))} for p in request.prompt.passages]}

    def _shelf(self, passages: Sequence[Passage]) -> _Shelf:
        background, documents = _background(self.examples)
        sources = tuple(_source(p) for p in passages)
        return _Shelf(tuple(passages), sources, Weights(sources, background, documents))

    def _draft(self, request: Request) -> Output:
        return _Drafting(request.context, self._shelf(request.prompt.passages)).output()

    def _respond(self, request: Request) -> Output:
        draft = request.context.earlier.get("draft") or self._draft(request)
        return _respond(request, draft if isinstance(draft, str) else str(draft.get("answer", "")))


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Passages, read and weighed."""

    passages: tuple[Passage, ...]
    sources: tuple[Source, ...]
    weights: Weights


@cache
def sample_rehearsal() -> Rehearsal:
    """The rehearsal on the shipped examples."""
    return Rehearsal(SAMPLES / "intent_examples.csv")


def load_examples(path: Path) -> tuple[Example, ...]:
    """Example utterances from a CSV file with the columns text and label. Raises `BadKnowledge`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if not {"text", "label"} <= set(rows.fieldnames or ()):
            raise BadKnowledge(f"{path.name}: the first line must name the columns text and label.")
        return tuple(Example(row["text"] or "", row["label"] or "") for row in rows)


def _completion(request: Request, text: str, finish_reason: str) -> Completion:
    thinking = reasoning_tokens(request.candidate, request.typical_output_tokens)
    usage = Usage(request.prompt.input_tokens, tokens.count(text) + thinking, reasoning_tokens=thinking, counted="estimate")
    return Completion(text, usage, "rehearsal", finish_reason=finish_reason)


def _chunks(text: str) -> Iterator[str]:
    size = -(-len(text) // CHUNKS) or 1
    yield from (text[i : i + size] for i in range(0, len(text), size)) if text else ("",)


def _all_text(ticket: Ticket) -> str:
    return f"{ticket.subject}\n{customer_text(ticket)}"


# Intent: the label of the nearest examples.

LABEL_FLOOR = 0.12
"""Similarity below which a ticket is like no example. Leaving one example out at a time, nearly all right guesses lie above."""


@dataclass(frozen=True, slots=True)
class _Labelled:
    """Examples as unit vectors of word weights."""

    labels: tuple[str, ...]
    weights: Weights
    vectors: tuple[tuple[str, Mapping[str, float]], ...]


@lru_cache(maxsize=16)
def _shelf_of_labels(examples: tuple[Example, ...], labels: tuple[tuple[str, str], ...]) -> _Labelled:
    names = {label for label, _ in labels}
    texts = [(e.label, e.text) for e in examples if e.label in names]
    texts += [(label, f"{label.replace('_', ' ')} {meaning}") for label, meaning in labels]
    bags = [(label, Counter(stems(text))) for label, text in texts]
    weights = Weights((), Counter(w for _, bag in bags for w in bag), len(bags))
    return _Labelled(tuple(label for label, _ in labels), weights, tuple((label, _unit(bag, weights)) for label, bag in bags))


def _unit(bag: Mapping[str, float], weights: Weights) -> dict[str, float]:
    vector = {w: n**0.5 * weights.of(w) for w, n in bag.items()}
    length = sqrt(sum(x * x for x in vector.values())) or 1.0
    return {w: x / length for w, x in vector.items()}


def rank_labels(ticket: Ticket, known: _Labelled) -> list[tuple[str, float]]:
    """Every label with its likeness to the ticket, best first: its three nearest examples, the nearest counting most."""
    query = _unit(_gist(ticket), known.weights)
    near: dict[str, list[float]] = {label: [0.0, 0.0, 0.0] for label in known.labels}
    for label, vector in known.vectors:
        near[label].append(sum(x * query.get(w, 0.0) for w, x in vector.items()))
    score = {label: sum(s * share for s, share in zip(sorted(found, reverse=True), (0.6, 0.25, 0.15), strict=False)) for label, found in near.items()}
    return sorted(score.items(), key=lambda pair: -pair[1])


def _gist(ticket: Ticket) -> Counter[str]:
    """The words of a ticket, those of its subject and its questions counting more often."""
    bag = Counter({w: 2 for w in stems(ticket.subject[:QUOTE_CHARS])})
    for ask in asks(ticket):
        bag.update(ask.words)
    bag.update(set(stems(plain(customer_text(ticket)))))
    return bag
