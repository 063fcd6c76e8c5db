"""The offline provider: works on the ticket with rules and word statistics. Every page labels it: no model was called.

It answers the same `Request` as a live provider, from `request.context`, and never reads a prompt's text. A ticket longer
than twice `extract.READ_CHARS` is read from both ends only.

Usage is counted, so it is always an "estimate": no provider saw the call. Input tokens are those of the real prompt, output
tokens those of the real output plus the thinking assumed for the candidate's effort. Nothing was cached and nothing took
time, so no cache tokens and no latency are made up.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import groupby
from math import sqrt
from pathlib import Path

from playground import tokens
from playground.catalog import reasoning_tokens
from playground.errors import BadKnowledge, Cancelled
from playground.extract import (
    LANGUAGES, MOST_ASKS, QUOTE_CHARS, Ask, Lang, Source, Unit, Weights, asks, customer_text, language_of, plain,
    Query, read_source, sentences, signed_by, stems,
)  # fmt: skip
from playground.knowledge import SAMPLES
from playground.records import Completion, Context, Output, Passage, Policy, Request, Ticket, Usage
from playground.spoil import as_text, fate_of, silently, visibly
from playground.watch import Watch

CHUNKS = 4
"""Pieces in which an answer reaches the watcher: enough to see it grow."""
CONTEXT_SHARE = 0.2
"""Weight of the words around a question against its own: enough to tell two articles apart, too little to change the topic."""
GOOD_ENOUGH = 0.3
"""Share of a question's weight that an answer must cover. Tuned by reading: below it answers were beside the point."""
WISH_COVERED = 0.55
"""The same for a wish in passing, which may be a mere remark."""
BESIDE = 0.55
"""A statement joins an answer from this share of the best statement's score."""
NEAR = 0.75
"""A passage may be quoted from this share of the best passage's fit; what stands in a farther one is about something else."""
TICKET_SHARE = 0.5
NEARNESS = 0.6
OWN_LIST = 1.75
RIGHT_KIND = 1.4
KEEPING = 0.25
BESIDE_GOOD = 0.3
LONE_STEP = 0.7
"""Share of its worth that a step keeps where no way to do something is asked for: alone it reads like a fragment."""
ANSWER_WORDS = 300
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
        (r"\b(?:why|warum|wieso|por qué)\b", r"\b(?:because|means?|weil|bedeutet|porque|significa)\b"),
    )
)


_PATH = re.compile(" > ")
# Asks for a way to do something: a list of steps answers it as a whole.
_HOW = re.compile(
    r"\b(?:how (?:do|can|could|should|to|would)|(?:what|which) (?:\w+ )?(?:do|should|has|must|can) |wie (?:kann|können|muss|geht)|was (?:muss|kann|soll)|"
    r"cómo|qué (?:tengo|tiene|debo|hay))\b",
    re.IGNORECASE,
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
        if fate.spoiled and fate.visible:
            return visibly(request, output, fate)
        return as_text(silently(request, output, fate, self.answer) if fate.spoiled else output)

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
        # All the passages of the stage, so that the scores of its calls have one scale.
        shelf = self._shelf(context.passages or request.prompt.passages)
        queries = [shelf.weights.query(_shares(ask)) for ask in asks(context.ticket)[:MOST_ASKS]]
        near = dict(zip((p.id for p in shelf.passages), _relative([p.score for p in shelf.passages]), strict=True))
        wanted = request.prompt.passages
        return {"scores": [{"id": p.id, "score": _usefulness(queries, _source(p), near.get(p.id, 0.0))} for p in wanted]}

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


@lru_cache(maxsize=16)
def _background(examples: tuple[Example, ...]) -> tuple[Mapping[str, int], int]:
    """In how many examples each word occurs: ordinary words of tickets must not pass for topics."""
    return Counter(w for e in examples for w in set(stems(e.text))), len(examples)


# Re-rank: how far a passage covers what is asked.


def _source(passage: Passage) -> Source:
    return read_source(passage.title, passage.text)


def _shares(ask: Ask, part: Sequence[str] = ()) -> dict[str, float]:
    return dict.fromkeys(ask.context, CONTEXT_SHARE) | dict.fromkeys(part or ask.words, 1.0)


def _affinity(query: Query, source: Source) -> float:
    """How well a passage suits a query, 0 to 1: all of it, its best statement, and whether its title is what is asked."""
    best = max((query.cover(u.words) for u in source.units), default=0.0)
    return 0.4 * query.cover(source.words) + 0.35 * best + 0.25 * query.keeps(source.title)


def _relative(values: Sequence[float]) -> list[float]:
    top = max(values, default=0.0)
    return [v / top if top else 0.0 for v in values]


def _usefulness(queries: Sequence[Query], source: Source, near: float) -> float:
    """A score from 0 to 10: mostly the question that the passage answers best, then how near retrieval put it to the ticket."""
    found = [_affinity(q, source) for q in queries] or [0.0]
    return round(10 * min(1.0, 0.6 * max(found) + 0.1 * sum(found) / len(found) + 0.3 * near), 1)


# Draft: for each question the best statements, in the order in which their passage has them.


@dataclass(frozen=True, slots=True)
class _Pick:
    """A statement chosen for an answer: `at` is its place in its passage."""

    passage: Passage
    at: int
    unit: Unit
    score: float


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was found for one question; `covered` is the share of the question's weight that it covers."""

    ask: Ask
    picks: tuple[_Pick, ...]
    covered: float
    above: bool = False

    @property
    def found(self) -> bool:
        return self.above or bool(self.picks)


class _Drafting:
    """One draft in the making."""

    def __init__(self, context: Context, shelf: _Shelf) -> None:
        self.context = context
        self.every_ask = asks(context.ticket)
        self.asks = self.every_ask[:MOST_ASKS]
        self.policies = applying(context)
        self.lang, self.answers = self._in_best_language(shelf)

    def output(self) -> Output:
        open_questions = [*self._left_open(), *(f"{p.id} {p.title}: a person decides." for p in self.policies if p.escalate)]
        text = "\n\n".join(self._paragraphs(bool(open_questions)))
        cited = dict.fromkeys(p.passage.id for a in self.answers for p in a.picks)
        covered = [min(1.0, a.covered / 0.75) for a in self.answers] or [0.0]
        confidence = round(0.1 + 0.85 * sum(covered) / len(covered), 2)
        return {"answer": text, "citations": list(cited), "confidence": confidence, "open_questions": open_questions}

    def _in_best_language(self, shelf: _Shelf) -> tuple[Lang, tuple[_Answer, ...]]:
        """The customer's language if a passage in it answers something, else English if one in English does."""
        lang = _reply_language(self.context.ticket)
        own = self._answer_all(shelf, lang)
        if lang == "en" or any(a.found for a in own):
            return lang, own
        english = self._answer_all(shelf, "en")
        return ("en", english) if any(a.found for a in english) else (lang, own)

    def _answer_all(self, shelf: _Shelf, lang: Lang) -> tuple[_Answer, ...]:
        chosen = [i for i, p in enumerate(shelf.passages) if _passage_language(p) == lang]
        pool = _Shelf(tuple(shelf.passages[i] for i in chosen), tuple(shelf.sources[i] for i in chosen), shelf.weights)
        scored = [tuple(_scored(ask, pool)) for ask in self.asks]
        given: list[_Pick] = []
        answers = []
        for ask, picks, best in zip(self.asks, _dealt(scored), map(_best, scored), strict=True):
            answer = _answer(ask, picks, best, pool, given, ANSWER_WORDS // len(self.asks))
            given += answer.picks
            answers.append(answer)
        # A remark that nothing answers was no question.
        return tuple(a for a in answers if a.found or a.ask.direct)

    def _left_open(self) -> Iterator[str]:
        if not any(a.found for a in self.answers) and self._vague:
            yield "Too little to act on: which function, what happens, since when and for whom."
            return
        yield from (f'The help centre does not answer: "{a.ask.text}"' for a in self.answers if not a.found)
        yield from (f'Not answered yet: "{ask.text}"' for ask in self.every_ask[MOST_ASKS:])

    @property
    def _vague(self) -> bool:
        return len(set(stems(plain(_all_text(self.context.ticket))))) <= VAGUE_WORDS

    def _paragraphs(self, is_open: bool) -> Iterator[str]:
        say = PHRASES[self.lang]
        name = signed_by(self.context.ticket)
        yield say.hello_name.format(name=name) if name and self._quotable(name) else say.hello
        if not any(a.found for a in self.answers) and self._vague:
            yield f"{say.thanks} {say.vague}"
            yield "\n".join(f"{n}. {question}" for n, question in enumerate(say.details, 1))
        else:
            yield from self._answered(say)
        waiting = [a for a in self.answers if not a.found] or self.every_ask[MOST_ASKS:]
        yield f"{(say.colleague if waiting else say.colleague_too) if is_open else ''} {say.reply}".strip()
        yield say.sign_off

    def _answered(self, say: Phrases) -> Iterator[str]:
        several = len(self.answers) > 1
        yield f"{say.thanks} {say.one_by_one.format(count=len(self.answers))}" if several else say.thanks
        for answer in self.answers:
            body = _body(answer, say)
            yield f"> {answer.ask.text}\n\n{body}" if several and self._quotable(answer.ask.text) else body

    def _quotable(self, text: str) -> bool:
        """Whether a customer's words may stand in the reply: no policy forbids them, and they hold no secret."""
        low = text.lower()
        return not any(phrase in low for p in self.context.policies for phrase in p.forbids) and not _SECRET.search(text)


# Words a reply never repeats: what follows "password:" or looks like a card number or a token (policy P05 of the samples).
_SECRET = re.compile(r"(?:password|passwort|kennwort|contraseña|cvc|cvv|token)\b.{0,12}[:=]|\b(?:\d[ -]?){13,19}\b|\b[A-Za-z]+_live_\w+", re.IGNORECASE)


def _reply_language(ticket: Ticket) -> Lang:
    told = (ticket.lang or language_of(_all_text(ticket)))[:2].lower()
    return next((lang for lang in LANGUAGES if lang == told), "en")


def _passage_language(passage: Passage) -> Lang:
    ending = passage.id.rpartition(".")[2]
    return next((lang for lang in LANGUAGES if lang == ending), "en")


def _scored(ask: Ask, shelf: _Shelf) -> Iterator[_Pick]:
    """Every statement with its worth for a question, in the order of the passages."""
    queries = [shelf.weights.query(_shares(ask, part)) for part in ask.parts or (ask.words,)]
    own = _relative([max(_affinity(q, s) for q in queries) for s in shelf.sources])
    ticket = _relative([p.score for p in shelf.passages])
    near = _relative([(1 - TICKET_SHARE) * a + TICKET_SHARE * b for a, b in zip(own, ticket, strict=True)])
    for passage, source, close in zip(shelf.passages, shelf.sources, near, strict=True):
        share = (1 - NEARNESS) + NEARNESS * close if close >= NEAR else 0.0
        fits = _with_neighbours(source, _fits(ask, queries, source, nearest=close == 1.0)) if share else [0.0] * len(source.units)
        yield from (_Pick(passage, at, unit, share * fit) for at, (unit, fit) in enumerate(zip(source.units, fits, strict=True)))


def _fits(ask: Ask, queries: Sequence[Query], source: Source, nearest: bool) -> list[float]:
    """How well each statement suits a question; one of the kind that is asked for, a time or a place, a quarter more."""
    by_steps = _HOW.search(ask.text) is not None
    expected = [answer for question, answer in _EXPECTED if question.search(ask.text)] + [_PATH] * by_steps
    fits = []
    for unit in source.units:
        fit = max(_fit(q, unit.words) for q in queries)
        if unit.is_step:
            whole = max(_fit(q, source.lists[unit.part]) for q in queries)
            # The steps of the nearest passage are most likely those that are asked for.
            fit = max(fit, (OWN_LIST if nearest else 1.0) * whole) if by_steps else LONE_STEP * fit
        fits.append(fit * (RIGHT_KIND if any(e.search(unit.text) for e in expected) else 1.0))
    return fits


def _fit(query: Query, words: frozenset[str]) -> float:
    """How well words suit a query: mostly how much of it they cover, and a little how much they keep to it."""
    return (1 - KEEPING) * query.cover(words) + KEEPING * query.keeps(words)


def _with_neighbours(source: Source, fits: Sequence[float]) -> list[float]:
    """A statement is worth a little more beside a good one of its paragraph, which it usually explains."""
    parts = [u.part for u in source.units]
    sides = [[j for j in (i - 1, i + 1) if 0 <= j < len(parts) and parts[j] == parts[i] and not source.units[i].is_step] for i in range(len(parts))]
    return [fit + BESIDE_GOOD * max((fits[j] for j in side), default=0.0) for fit, side in zip(fits, sides, strict=True)]


def _best(scored: Sequence[_Pick]) -> _Pick | None:
    return max(scored, key=lambda pick: pick.score, default=None)


def _dealt(scored: Sequence[Sequence[_Pick]]) -> list[list[_Pick]]:
    """For each question the statements that suit it better than any other question, and good enough, best first."""
    tops = [best.score if (best := _best(picks)) else 0.0 for picks in scored]
    hands: list[list[_Pick]] = [[] for _ in scored]
    for column in zip(*scored, strict=True):
        # Between the worth itself and its share of the best: neither do strong questions take all, nor weak ones anything.
        worth = [pick.score / sqrt(top) if top else 0.0 for pick, top in zip(column, tops, strict=True)]
        owner = max(range(len(worth)), key=lambda i: worth[i])
        if tops[owner] and column[owner].score >= BESIDE * tops[owner]:
            hands[owner].append(column[owner])
    return [sorted(hand, key=lambda pick: -pick.score) for hand in hands]


def _answer(ask: Ask, picks: Sequence[_Pick], best: _Pick | None, shelf: _Shelf, given: Sequence[_Pick], words: int) -> _Answer:
    if best is None:
        return _Answer(ask, (), 0.0)
    taken = _whole_lists(_within([p for p in picks if not _repeats(p, given)], words), shelf)
    covered = _covered(ask, taken or (best,), shelf)
    if covered < (GOOD_ENOUGH if ask.direct else WISH_COVERED):
        return _Answer(ask, (), 0.0)
    return _Answer(ask, taken, covered, above=not taken)


def _repeats(pick: _Pick, used: Sequence[_Pick]) -> bool:
    """Whether a statement says what another has said: most of its words stand there."""
    return any(u.unit.words and 3 * len(pick.unit.words & u.unit.words) >= 2 * len(pick.unit.words) for u in used)


def _within(ranked: Sequence[_Pick], words: int) -> list[_Pick]:
    """The best statements of at most two passages, until the words are used up."""
    taken: list[_Pick] = []
    for pick in ranked:
        passages = {p.passage.id for p in taken}
        words -= len(pick.unit.text.split())
        if taken and (words < 0 or _repeats(pick, taken)):
            continue
        if pick.passage.id in passages or len(passages) < 2:
            taken.append(pick)
    return taken


def _whole_lists(picks: Sequence[_Pick], shelf: _Shelf) -> tuple[_Pick, ...]:
    """The statements in their passages' order; a list of which two steps were picked is given whole."""
    steps = Counter((p.passage.id, p.unit.part) for p in picks if p.unit.is_step)
    whole = {key for key, n in steps.items() if n > 1}
    order = list(dict.fromkeys(p.passage.id for p in picks))
    have = {(p.passage.id, p.at) for p in picks}
    found = list(picks)
    for passage, source in zip(shelf.passages, shelf.sources, strict=True):
        for at, unit in enumerate(source.units):
            if (passage.id, unit.part) in whole and (passage.id, at) not in have:
                found.append(_Pick(passage, at, unit, 0.0))
    return tuple(sorted(found, key=lambda p: (order.index(p.passage.id), p.at)))


def _covered(ask: Ask, picks: Sequence[_Pick], shelf: _Shelf) -> float:
    """Mostly its own words: an answer that only suits the rest of the ticket is none. Nothing where too little matches."""
    said = frozenset().union(*(_source(p.passage).title | p.unit.words for p in picks))
    query = shelf.weights.query(_shares(ask))
    titled = any(query.found(_source(p.passage).title) for p in picks)
    # One word in common may be chance, unless it is what the article is called.
    if query.found(said) < 2 and not titled:
        return 0.0
    return 0.8 * shelf.weights.query(dict.fromkeys(ask.words, 1.0)).cover(said) + 0.2 * query.cover(said)


def _body(answer: _Answer, say: Phrases) -> str:
    if not answer.picks:
        return say.above if answer.above else say.unanswered
    return "\n\n".join(_block(list(group), key, say) for key, group in groupby(answer.picks, _block_of))


def _block_of(pick: _Pick) -> tuple[str, int | None]:
    """What stands together: the statements of a passage, or the steps of one of its lists."""
    return pick.passage.id, pick.unit.part if pick.unit.is_step else None


def _block(picks: Sequence[_Pick], key: tuple[str, int | None], say: Phrases) -> str:
    lines = [f"{p.unit.text} [{p.passage.id}]" for p in picks]
    if key[1] is None or len(lines) == 1:
        return " ".join(lines)
    lead = _source(picks[0].passage).leads[key[1]] or say.steps
    return "\n".join([lead, *(f"{n}. {line}" for n, line in enumerate(lines, 1))])


# Check, response and summary.


def applying(context: Context) -> tuple[Policy, ...]:
    """The policies whose cues occur in what the customer wrote; a policy without cues always applies."""
    said = _all_text(context.ticket).lower().replace("’", "'")
    return tuple(p for p in context.policies if not p.cues or _cue_pattern(p.cues).search(said))


@lru_cache(maxsize=512)
def _cue_pattern(cues: tuple[str, ...]) -> re.Pattern[str]:
    # Only the beginning is held to a word's edge: "erstattung" is to find Erstattungen, "bug" is not to find debug.
    return re.compile("|".join(rf"(?<!\w){re.escape(cue.lower())}" for cue in cues))


def _own_words(reply: str) -> str:
    """A reply without the customer's quoted words, in lower case: what policies are held against."""
    return "\n".join(line for line in reply.split("\n") if not line.startswith(">")).lower().replace("’", "'")


def _check(request: Request) -> Output:
    context = request.context
    draft = context.earlier.get("draft", "")
    reply = draft if isinstance(draft, str) else str(draft.get("answer", ""))
    said, lang = _own_words(reply), language_of(_own_words(reply))
    policies = applying(context)
    findings = [f for p in policies for f in _findings(p, said, lang)]
    return {"findings": findings, "escalate": any(p.escalate for p in policies)}


def _findings(policy: Policy, said: str, lang: Lang) -> Iterator[dict[str, str]]:
    if _lacks(policy, said):
        change = policy.add.get(lang) or policy.add.get("en") or policy.text
        yield {"policy": policy.id, "problem": f"“{policy.title}” applies, but the reply leaves out what it asks for.", "change": change}
    for phrase in policy.forbids:
        if phrase in said:
            yield {"policy": policy.id, "problem": f"The reply says “{phrase}”.", "change": f"Take out “{phrase}”."}


def _lacks(policy: Policy, said: str) -> bool:
    return bool(policy.needs) and not any(phrase in said for phrase in policy.needs)


def _respond(request: Request, draft: str) -> str:
    context = request.context
    ids = {p.id for p in (*request.prompt.passages, *context.passages)}
    reply = _without_marks(draft, ids)
    policies = _named_policies(context)
    reply = _without_phrases(reply, [phrase for p in policies for phrase in p.forbids])
    said, lang = _own_words(reply), language_of(_own_words(reply))
    added = [p.add.get(lang) or p.add.get("en", "") for p in policies if _lacks(p, said)]
    return _with_added(reply, [sentence for sentence in added if sentence]) or PHRASES[lang].thanks


def _named_policies(context: Context) -> list[Policy]:
    """The policies that the check's findings name, each once."""
    check = context.earlier.get("check", {})
    named = [] if isinstance(check, str) else [f.get("policy") for f in check.get("findings", ())]
    return [p for p in context.policies if p.id in named]


def _without_marks(text: str, ids: set[str]) -> str:
    for passage_id in ids:
        text = text.replace(f" [{passage_id}]", "").replace(f"[{passage_id}]", "")
    return text.strip()


def _without_phrases(text: str, phrases: Sequence[str]) -> str:
    if not phrases:
        return text
    lines = (" ".join(s for s in sentences(line) if not any(p in s.lower() for p in phrases)) if _breaks(line, phrases) else line for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _breaks(line: str, phrases: Sequence[str]) -> bool:
    return any(p in line.lower() for p in phrases)


_SORRY = re.compile(r"\b(?:sorry|apologi[sz]e|tut mir leid|entschuldig|lo siento|lamento|disculp)", re.IGNORECASE)


def _with_added(reply: str, added: Sequence[str]) -> str:
    """Apologies after the opening sentence, the rest before the closing."""
    if not added:
        return reply
    paragraphs = reply.split("\n\n")
    sorry = [s for s in added if _SORRY.search(s)]
    rest = [s for s in added if s not in sorry]
    if len(paragraphs) < 3:
        return "\n\n".join([*sorry, *paragraphs, *([" ".join(rest)] if rest else [])])
    first, *others = sentences(paragraphs[1])
    paragraphs[1] = " ".join([first, *sorry, *others]) if sorry else paragraphs[1]
    closing = paragraphs[-2:]
    return "\n\n".join([*paragraphs[:-2], *([" ".join(rest)] if rest else []), *closing])


NOTE_WORDS = {"wants": 60, "answered": 30, "open": 45}
"""Words for each part of a note: with the names of policies they stay under the 150 that the stage allows."""


def _summarise(request: Request) -> Output:
    context = request.context
    draft, check = (context.earlier.get(key, {}) for key in ("draft", "check"))
    cited = () if isinstance(draft, str) else draft.get("citations", ())
    titles = [p.title for p in context.passages if p.id in cited]
    still_open = [] if isinstance(draft, str) else [str(q) for q in draft.get("open_questions", ())]
    findings = [] if isinstance(check, str) else [str(f["policy"]) for f in check.get("findings", ())]
    policies = ", ".join(dict.fromkeys([p.id for p in applying(context) if p.cues] + findings))
    parts = {
        "wants": "; ".join(ask.text for ask in asks(context.ticket)) or " ".join(sentences(plain(customer_text(context.ticket)))[:1]),
        "answered": "; ".join(titles) or "nothing from the help centre yet",
        "open": " ".join(still_open) or "nothing",
    }
    lines = [f"{name.capitalize()}: {_shortened(text, NOTE_WORDS[name])}" for name, text in parts.items()]
    return "\n".join([*lines, f"Policies: {_shortened(policies, 12) or 'none in particular'}."])


def _shortened(text: str, words: int) -> str:
    parts = text.split()
    short = " ".join(parts[:words])
    # Scripts without spaces have no words to count: ten characters stand for one.
    return short + " …" if len(parts) > words else short if len(short) <= 10 * words else short[: 10 * words] + " …"
