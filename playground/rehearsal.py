"""The offline provider: works on the ticket with rules and word statistics. Every page labels it: no model was called.

It answers the same `Request` as a live provider, from `request.context`, and never reads a prompt's text. A ticket longer
than twice `extract.READ_CHARS` is read from both ends only. Text in a ticket is looked up and quoted, never obeyed: there
is nothing in here that an instruction could reach.

Usage is counted, so it is always an "estimate": no provider saw the call. Input tokens are those of the real prompt, output
tokens those of the real output plus the thinking assumed for the candidate's effort. Nothing was cached and nothing took
time, so no cache tokens and no latency are made up.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import groupby
from math import sqrt
from pathlib import Path

from playground import tokens
from playground.catalog import reasoning_tokens
from playground.errors import BadKnowledge, Cancelled
from playground.extract import (
    LANGUAGES,
    MOST_ASKS,
    QUOTE_CHARS,
    THIN_WORDS,
    Ask,
    Lang,
    Query,
    Source,
    Unit,
    Weights,
    asks,
    customer_text,
    language_of,
    plain,
    read_source,
    sentences,
    signed_by,
    stems,
)
from playground.knowledge import SAMPLES
from playground.records import Completion, Context, Output, Passage, Policy, Request, Ticket, Usage
from playground.spoil import as_text, fate_of, silently, visibly
from playground.watch import Watch

CHUNKS = 4
"""Pieces in which an answer reaches the watcher: enough to see it grow."""
LABEL_FLOOR = 0.05
"""Likeness below which a ticket is like no example: three of four examples, each left out in turn, lie above it."""
ONE_WORD_FLOOR = 0.2
"""The same for a ticket of one word, which any label may share by chance."""
ANSWER_WORDS = 300
"""Words quoted from passages in one reply, shared by its questions: one screen, and with citations under 900 tokens."""
VAGUE_WORDS = 5
"""A ticket with no more words that mean something cannot be acted on; the customer is asked for details."""
NOTE_WORDS = {"wants": 55, "answered": 25, "open": 45, "policies": 12}
"""Words for each part of a note: with its headings it stays under the 150 that the stage allows."""

# What follows was tuned on the sample tickets: moved in round steps until the statements that a support lead would quote
# were in and others out. Banking questions, which the help centre does not answer, set `GOOD_ENOUGH`.
CONTEXT_SHARE = 0.2
"""Weight of the words around a question against its own: enough to tell two articles apart, too little to change the topic."""
TICKET_SHARE = 0.5
"""How much a passage's nearness to the whole ticket counts against its nearness to one question."""
NEAR = 0.75
"""A passage may be quoted from this share of the nearest one's nearness: a farther one is about something else."""
KEEPING = 0.25
"""How much a statement's keeping to the question counts against covering it."""
NEIGHBOUR = 0.25
"""Share of its neighbour's worth that a statement gains: the sentence beside a good one usually explains it."""
RIGHT_KIND = 1.4
"""Gain of a statement of the kind that is asked for: a time for when, a place for where."""
OWN_LIST = 1.75
"""Gain of the nearest passage's list of steps where a way to do something is asked for."""
DISCOUNT = 0.7
"""What is left of a step or a sentence that reads like a fragment alone, and of an answer without the kind asked for."""
BESIDE = 0.5
"""A statement joins an answer from this share of the best one's worth."""
BESIDE_CLOSELY = 0.7
"""The same where a question says little, and for a second passage."""
GOOD_ENOUGH = 0.2
"""A question counts as answered from here: nine in ten of the shipped English examples lie above it, one in three of a bank."""
SURE = 0.7
"""An answer that covers so much could not be surer."""


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
    then: str
    colleague: str
    colleague_too: str
    reply: str
    sign_off: str


PHRASES: Mapping[Lang, Phrases] = {
    "en": Phrases(
        hello="Hello,",
        hello_name="Hello {name},",
        thanks="Thank you for your message.",
        one_by_one="Let me take your {count} points one by one.",
        steps="These are the steps:",
        above="This is covered by another answer in this message.",
        unanswered="Our help centre has no answer to this.",
        vague="To help you, I need to know a little more:",
        details=(
            "What did you want to do, and on which page?",
            "What happens instead? Please copy the exact message, or attach a screenshot.",
            "Since when, and does it affect only you or everyone?",
        ),
        then="Simply reply to this message, and we go on from there.",
        colleague="A colleague takes over what is still open and replies to you here.",
        colleague_too="A colleague looks at your case as well and replies to you here.",
        reply="If anything is unclear, simply reply to this message.",
        sign_off="Kind regards,\nYour support team",
    ),
    "de": Phrases(
        hello="Guten Tag,",
        hello_name="Guten Tag {name},",
        thanks="vielen Dank für Ihre Nachricht.",
        one_by_one="Ich gehe Ihre {count} Punkte der Reihe nach durch.",
        steps="So gehen Sie vor:",
        above="Das beantwortet eine andere Stelle dieser Nachricht.",
        unanswered="Dazu steht nichts in unserem Hilfezentrum.",
        vague="Damit wir Ihnen helfen können, brauchen wir noch einige Angaben:",
        details=(
            "Was wollten Sie tun, und auf welcher Seite?",
            "Was geschieht stattdessen? Bitte kopieren Sie die genaue Meldung, oder fügen Sie ein Bildschirmfoto an.",
            "Seit wann ist das so, und betrifft es nur Sie oder alle?",
        ),
        then="Antworten Sie einfach auf diese Nachricht, dann machen wir von dort aus weiter.",
        colleague="Um alles, was noch offen ist, kümmert sich eine Kollegin oder ein Kollege und antwortet Ihnen hier.",
        colleague_too="Eine Kollegin oder ein Kollege sieht sich Ihren Fall ebenfalls an und antwortet Ihnen hier.",
        reply="Wenn etwas unklar ist, antworten Sie einfach auf diese Nachricht.",
        sign_off="Mit freundlichen Grüßen\nIhr Support-Team",
    ),
    "es": Phrases(
        hello="Hola:",
        hello_name="Hola, {name}:",
        thanks="Gracias por su mensaje.",
        one_by_one="Respondo a sus {count} puntos uno por uno.",
        steps="Estos son los pasos:",
        above="Otra respuesta de este mensaje resuelve también este punto.",
        unanswered="Nuestro centro de ayuda no responde a este punto.",
        vague="Para poder ayudarle, necesito algunos datos más:",
        details=(
            "¿Qué quería hacer y en qué página?",
            "¿Qué ocurre en su lugar? Copie el mensaje exacto o adjunte una captura de pantalla.",
            "¿Desde cuándo ocurre, y le afecta solo a usted o a todos?",
        ),
        then="Responda a este mensaje y seguiremos a partir de ahí.",
        colleague="Una persona de nuestro equipo se ocupa de lo que queda pendiente y le responderá aquí.",
        colleague_too="Una persona de nuestro equipo revisará también su caso y le responderá aquí.",
        reply="Si algo no queda claro, responda a este mensaje.",
        sign_off="Un saludo,\nSu equipo de soporte",
    ),
}
# A question's words, and what a statement that answers such a question looks like. Languages share a row.
_EXPECTED = tuple(
    (re.compile(rf"\b(?:{question})\b", re.IGNORECASE), re.compile(answer, re.IGNORECASE))
    for question, answer in (
        (
            "when|how (?:long|soon)|wann|wie lange|cuándo|cuánto (?:tiempo|tarda)",
            r"\d+ (?:\w+ )?(?:minut|hour|day|week|month|year|hora|día|mes|stunde|tag|woche|monat|arbeitstag)",
        ),
        ("where|which page|wo|dónde", r" > |\w@\w|\w\.\w+/\w"),
        ("how much|what (?:\\w+ ){0,2}cost|price|wie viel|kostet|cuánto cuesta", r"[$€£] ?\d|\d ?[%€]"),
        ("who|wer|quién", r"\b(?:owner|admin|manager|team|lead|inhaber|teamleitung|propietari|responsable)"),
        ("why|warum|wieso|por qué", r"\b(?:because|means?|weil|bedeutet|porque|significa)\b"),
    )
)
# Asks for a way to do something: a list of steps answers it as a whole, and so does a path through the menus.
_HOW = re.compile(
    r"\b(?:how (?:do|can|could|should|to|would)|(?:what|which) (?:\w+ ){0,2}(?:do|should|has|must|can) |"
    r"what is the (?:\w+ ){0,2}way|wie (?:kann|können|muss|geht)|was (?:muss|kann|soll)|cómo|qué (?:tengo|tiene|debo|hay))\b",
    re.IGNORECASE,
)
_PATH = re.compile(" > ")
# Begins with a word that points back, so that it cannot be quoted alone.
_LEANING = re.compile(
    r"(?:(?:\w+ )?(?:then|therefore|otherwise|instead)|in (?:that|this|such a) case|this|these|those|it|they|dies\w*|dann|"
    r"sonst|in diesem fall|esto|en ese caso|entonces)\b",
    re.IGNORECASE,
)
# Never repeated, to anyone: what follows "password:" and the like, long numbers, and tokens.
_SECRET = re.compile(
    r"(?:passwor[dt]|kennwort|contraseña|cvc|cvv|token|ssn|iban|account number|kontonummer)\b.{0,12}[:=]|"
    r"\b(?:\d[ -]?){9,19}\b|\b[a-z]+_live_\w+",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\bwww\.|\w\.\w{2,}/", re.IGNORECASE)
_SORRY = re.compile(r"\b(?:sorry|apologi[sz]e|tut mir leid|entschuldig|lo siento|lamento|disculp)", re.IGNORECASE)


class Rehearsal:
    """Answers a request with rules and word statistics; an instance is a `Complete`."""

    def __init__(self, examples: Path | Sequence[Example]) -> None:
        self.examples = load_examples(examples) if isinstance(examples, Path) else tuple(examples)
        self._stages: Mapping[str, Callable[[Request], Output]] = {
            "intent": self._intent,
            "rerank": self._rerank,
            "draft": self._draft,
            "check": _check,
            "respond": self._respond,
            "summarise": _summarise,
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

    def _intent(self, request: Request) -> Output:
        ticket, labels = request.context.ticket, request.context.labels
        gist = _gist(ticket)
        (label, best), (_, second) = (*rank_labels(gist, _learn(self.examples, tuple(labels.items()))), ("", 0.0))[:2]
        if best < (LABEL_FLOOR if len(gist) > 1 else ONE_WORD_FLOOR) and "other" in labels:
            label = "other"
        # Right about as often as it says, with each example left out in turn: likeness and lead over the next label.
        confidence = min(0.97, 0.25 + 0.45 * min(1.0, 2 * best) + 0.3 * (best - second) / best) if best else 0.2
        language = _language(ticket)
        return {"label": label, "language": language, "confidence": round(confidence, 2)}

    def _rerank(self, request: Request) -> Output:
        context, wanted = request.context, request.prompt.passages
        # Weighed over all the passages of the stage, so that the scores of its calls have one scale.
        every = context.passages or wanted
        shelf = self._shelf(every)
        queries = [shelf.weights.query(_shares(ask)) for ask in asks(context.ticket)[:MOST_ASKS]]
        near = dict(zip((p.id for p in every), _relative([p.score for p in every]), strict=True))
        scores = [_usefulness(queries, _source(p), near.get(p.id, 0.0)) for p in wanted]
        return {"scores": [{"id": p.id, "score": score} for p, score in zip(wanted, scores, strict=True)]}

    def _shelf(self, passages: Sequence[Passage]) -> _Shelf:
        sources = tuple(_source(p) for p in passages)
        return _Shelf(tuple(passages), sources, Weights(sources, _background(self.examples), len(self.examples)))

    def _draft(self, request: Request) -> Output:
        return _Drafting(request.context, self._shelf(request.prompt.passages)).output()

    def _respond(self, request: Request) -> Output:
        draft = request.context.earlier.get("draft") or self._draft(request)
        return _respond(request, _part(draft, "answer") or PHRASES["en"].thanks)


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
    output = tokens.count(text) + thinking
    usage = Usage(request.prompt.input_tokens, output, reasoning_tokens=thinking, counted="estimate")
    return Completion(text, usage, "rehearsal", finish_reason=finish_reason)


def _chunks(text: str) -> list[str]:
    size = max(1, -(-len(text) // CHUNKS))
    return [text[i : i + size] for i in range(0, len(text), size)] or [""]


def _all_text(ticket: Ticket) -> str:
    return f"{ticket.subject}\n{customer_text(ticket)}"


def _part(output: Output, key: str) -> str:
    return output if isinstance(output, str) else str(output.get(key, ""))


# Intent: the label whose examples are most like the ticket.


@dataclass(frozen=True, slots=True)
class _Labelled:
    """For each label the direction of its examples' mean: word weights of length 1."""

    weights: Weights
    means: Mapping[str, Mapping[str, float]]


@lru_cache(maxsize=16)
def _learn(examples: tuple[Example, ...], labels: tuple[tuple[str, str], ...]) -> _Labelled:
    """Learn the labels from their descriptions and examples; examples of other labels are left out."""
    texts = {label: [f"{label.replace('_', ' ')} {meaning}"] for label, meaning in labels}
    for example in examples:
        texts.get(example.label, []).append(example.text)
    bags = {label: [Counter(stems(t)) for t in said] for label, said in texts.items()}
    every = [bag for found in bags.values() for bag in found]
    weights = Weights((), Counter(w for bag in every for w in bag), len(every))
    return _Labelled(weights, {label: _mean([_weighed(b, weights) for b in found]) for label, found in bags.items()})


def _mean(vectors: Sequence[Mapping[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for vector in vectors:
        for word, x in vector.items():
            total[word] = total.get(word, 0.0) + x
    return _unit(total)


def _weighed(bag: Mapping[str, int], weights: Weights) -> dict[str, float]:
    return _unit({w: sqrt(n) * weights.of(w) for w, n in bag.items()})


def _unit(vector: Mapping[str, float]) -> dict[str, float]:
    length = sqrt(sum(x * x for x in vector.values())) or 1.0
    return {w: x / length for w, x in vector.items()}


def rank_labels(gist: Mapping[str, int], known: _Labelled) -> list[tuple[str, float]]:
    """Every label with its likeness (cosine) to a ticket's words, the most alike first."""
    query = _weighed(gist, known.weights)
    score = {label: sum(x * mean.get(w, 0.0) for w, x in query.items()) for label, mean in known.means.items()}
    return sorted(score.items(), key=lambda pair: -pair[1])


def _gist(ticket: Ticket) -> Counter[str]:
    """The words of a ticket; those of its subject and its questions count more often."""
    bag = Counter(dict.fromkeys(stems(ticket.subject[:QUOTE_CHARS]), 2))
    for ask in asks(ticket):
        bag.update(ask.words)
    bag.update(set(stems(plain(customer_text(ticket)))))
    return bag


@lru_cache(maxsize=16)
def _background(examples: tuple[Example, ...]) -> Mapping[str, int]:
    """In how many examples each word occurs: ordinary words of tickets must not pass for topics."""
    return Counter(w for e in examples for w in set(stems(e.text)))


# Re-rank: how far a passage covers what is asked.


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Passages, read and weighed."""

    passages: tuple[Passage, ...]
    sources: tuple[Source, ...]
    weights: Weights

    def only(self, lang: Lang) -> _Shelf:
        """The passages in one language, under the same weights."""
        kept = [(p, s) for p, s in zip(self.passages, self.sources, strict=True) if _passage_language(p) == lang]
        return _Shelf(tuple(p for p, _ in kept), tuple(s for _, s in kept), self.weights)


def _source(passage: Passage) -> Source:
    return read_source(passage.title, passage.text)


def _passage_language(passage: Passage) -> Lang:
    ending = passage.id.rpartition(".")[2]
    return next((lang for lang in LANGUAGES if lang == ending), "en")


def _shares(ask: Ask, part: Sequence[str] = ()) -> dict[str, float]:
    return dict.fromkeys(ask.context, CONTEXT_SHARE) | dict.fromkeys(part or ask.words, 1.0)


def _affinity(query: Query, source: Source) -> float:
    """How well a passage suits a query, 0 to 1: all of it, its best statement, and whether its title is what is asked."""
    best = max((query.cover(u.words) for u in source.units), default=0.0)
    return 0.4 * query.cover(source.words) + 0.35 * best + 0.25 * query.keeps(source.title)


def _relative(values: Sequence[float]) -> list[float]:
    top = max(values, default=0.0)
    return [v / top if top > 0 else 0.0 for v in values]


def _usefulness(queries: Sequence[Query], source: Source, near: float) -> float:
    """Score from 0 to 10: mostly the question a passage answers best, then how near retrieval put it to the ticket."""
    found = [_affinity(q, source) for q in queries] or [0.0]
    return round(10 * min(1.0, 0.6 * max(found) + 0.1 * sum(found) / len(found) + 0.3 * max(0.0, near)), 1)


# Draft: for each question the best statements, in the order in which their passage has them.


@dataclass(frozen=True, slots=True)
class _Pick:
    """A statement and its worth for a question; `at` is its place in its passage."""

    passage: Passage
    at: int
    unit: Unit
    score: float


@dataclass(frozen=True, slots=True)
class _Search:
    """One question, looked up: what it expects, and every statement with its worth for it."""

    ask: Ask
    thin: bool
    by_steps: bool
    expected: tuple[re.Pattern[str], ...]
    picks: tuple[_Pick, ...] = ()

    @property
    def top(self) -> float:
        """The worth of the best statement."""
        return max((p.score for p in self.picks), default=0.0)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What is said to one question. `covered` is how far; `elsewhere` that another answer says it already."""

    ask: Ask
    picks: tuple[_Pick, ...] = ()
    covered: float = 0.0
    elsewhere: bool = False

    @property
    def found(self) -> bool:
        """Whether there is anything to say."""
        return self.elsewhere or bool(self.picks)


class _Drafting:
    """One draft in the making."""

    def __init__(self, context: Context, shelf: _Shelf) -> None:
        self.context = context
        every = asks(context.ticket)
        self.asks, self.left = every[:MOST_ASKS], every[MOST_ASKS:]
        self.lang, answers = self._in_best_language(shelf)
        # A remark that nothing answers was no question, unless it is all there is.
        self.answers = [a for a in answers if a.found or a.ask.direct] or answers
        said = set(stems(plain(_all_text(context.ticket))))
        self.raised = [p for p in applying(context) if p.escalate]
        self.vague = len(said) <= VAGUE_WORDS and not self.raised and not any(a.found for a in answers)

    def output(self) -> Output:
        """The draft as the stage wants it."""
        is_open = [*self._left_open(), *(f"{p.id} {p.title}: a person decides." for p in self.raised)]
        covered = [min(1.0, a.covered / SURE) for a in self.answers] or [0.0]
        return {
            "answer": "\n\n".join(self._paragraphs(bool(is_open))),
            "citations": list(dict.fromkeys(p.passage.id for a in self.answers for p in a.picks)),
            "confidence": round(0.1 + 0.85 * sum(covered) / len(covered), 2),
            "open_questions": is_open,
        }

    def _in_best_language(self, shelf: _Shelf) -> tuple[Lang, list[_Answer]]:
        """The customer's language if a passage in it answers something, else English if one in English does."""
        lang = _reply_language(self.context.ticket)
        own = _answers(self.asks, shelf.only(lang))
        if lang == "en" or any(a.found for a in own):
            return lang, own
        english = _answers(self.asks, shelf.only("en"))
        return ("en", english) if any(a.found for a in english) else (lang, own)

    def _left_open(self) -> Iterator[str]:
        if self.vague:
            yield "Too little to act on: which function, what happens, since when and for whom."
            return
        yield from (f"The help centre does not answer: {_told(a.ask)}" for a in self.answers if not a.found)
        yield from (f"Not answered yet: {_told(ask)}" for ask in self.left)

    def _paragraphs(self, is_open: bool) -> Iterator[str]:
        say = PHRASES[self.lang]
        name = signed_by(self.context.ticket)
        yield say.hello_name.format(name=name) if name and self._quotable(name) else say.hello
        yield from self._asking_back(say) if self.vague else self._answered(say)
        yield say.then if self.vague else self._next(say, is_open)
        yield say.sign_off

    def _next(self, say: Phrases, is_open: bool) -> str:
        waiting = self.left or not all(a.found for a in self.answers)
        return f"{say.colleague if waiting else say.colleague_too} {say.reply}" if is_open else say.reply

    def _asking_back(self, say: Phrases) -> Iterator[str]:
        yield f"{say.thanks} {say.vague}"
        yield "\n".join(f"{n}. {question}" for n, question in enumerate(say.details, 1))

    def _answered(self, say: Phrases) -> Iterator[str]:
        if not any(a.found for a in self.answers):
            yield from (say.thanks, say.unanswered)
            return
        several = len(self.answers) > 1
        yield f"{say.thanks} {say.one_by_one.format(count=len(self.answers))}" if several else say.thanks
        for answer in self.answers:
            if several and self._quotable(answer.ask.text):
                yield f"> {answer.ask.text}"
            yield _body(answer, say)

    def _quotable(self, text: str) -> bool:
        """Whether a customer's words may stand in the reply: no policy forbids them, and they hold no secret or link."""
        forbidden = (phrase for p in self.context.policies for phrase in p.forbids)
        return not (_SECRET.search(text) or _ADDRESS.search(text) or _says_any(text, forbidden))


def _told(ask: Ask) -> str:
    """What a customer asks, for a colleague's eyes."""
    return ask.text if not _SECRET.search(ask.text) else "(a point with private data, see the ticket)"


def _reply_language(ticket: Ticket) -> Lang:
    return next((lang for lang in LANGUAGES if lang == _language(ticket)), "en")


def _language(ticket: Ticket) -> str:
    """The ticket's two-letter code: as given, or else guessed."""
    return (ticket.lang or language_of(_all_text(ticket)))[:2].lower()


def _answers(asked: Sequence[Ask], shelf: _Shelf) -> list[_Answer]:
    searches = [_search(ask, shelf) for ask in asked]
    first = [_answer(s, hand, shelf) for s, hand in zip(searches, _dealt(searches), strict=True)]
    # What was dealt to a question that is not answered after all, another one may use.
    kept = [s for s, a in zip(searches, first, strict=True) if a.found]
    again = {id(s): _answer(s, hand, shelf) for s, hand in zip(kept, _dealt(kept), strict=True)}
    return [again.get(id(s), a) for s, a in zip(searches, first, strict=True)]


def _search(ask: Ask, shelf: _Shelf) -> _Search:
    known = sum(map(shelf.weights.knows, set(ask.words)))
    expected = tuple(answer for question, answer in _EXPECTED if question.search(ask.text))
    search = _Search(ask, known < THIN_WORDS, _HOW.search(ask.text) is not None, expected)
    return replace(search, picks=tuple(_picks(search, shelf)))


def _picks(search: _Search, shelf: _Shelf) -> Iterator[_Pick]:
    """Every statement of the passages that are near enough; for a thin question, near enough to the whole ticket."""
    queries = [shelf.weights.query(_shares(search.ask, part)) for part in search.ask.parts or (search.ask.words,)]
    own = _relative([max(_affinity(q, s) for q in queries) for s in shelf.sources])
    ticket = _relative([p.score for p in shelf.passages])
    near = _relative([(1 - TICKET_SHARE) * a + TICKET_SHARE * b for a, b in zip(own, ticket, strict=True)])
    for passage, source, close, to_ticket in zip(shelf.passages, shelf.sources, near, ticket, strict=True):
        if close >= NEAR and (to_ticket >= NEAR or not search.thin):
            worth = _with_neighbours(source, _worth(search, queries, source, nearest=close == 1.0))
            units = enumerate(zip(source.units, worth, strict=True))
            yield from (_Pick(passage, at, unit, close * w) for at, (unit, w) in units)


def _worth(search: _Search, queries: Sequence[Query], source: Source, nearest: bool) -> list[float]:
    """How well each statement suits a question."""
    worth = []
    for unit in source.units:
        fit = max(_fit(q, unit.words) for q in queries)
        if unit.is_step:
            # The line above a list says what it is for; where a way is asked for, all its steps tell.
            told = source.lists[unit.part] if search.by_steps else source.heads[unit.part]
            gain = OWN_LIST if search.by_steps and nearest else 1.0
            fit = max(fit * DISCOUNT, gain * max(_fit(q, told) for q in queries))
        elif _LEANING.match(unit.text):
            fit *= DISCOUNT
        wanted = (*search.expected, _PATH) if search.by_steps else search.expected
        worth.append(fit * (RIGHT_KIND if any(w.search(unit.text) for w in wanted) else 1.0))
    return worth


def _fit(query: Query, words: frozenset[str]) -> float:
    return (1 - KEEPING) * query.cover(words) + KEEPING * query.keeps(words)


def _with_neighbours(source: Source, worth: Sequence[float]) -> list[float]:
    """Add to each sentence a share of the better one beside it; steps stand for themselves."""
    parts = [i if u.is_step else u.part - len(worth) for i, u in enumerate(source.units)]
    padded = [(None, 0.0), *zip(parts, worth, strict=True), (None, 0.0)]
    beside = [
        max([w for part, w in (before, after) if part == own], default=0.0)
        for before, (own, _), after in zip(padded, padded[1:], padded[2:], strict=False)
    ]
    return [w + NEIGHBOUR * b for w, b in zip(worth, beside, strict=True)]


def _dealt(searches: Sequence[_Search]) -> list[list[_Pick]]:
    """Each statement to the question that it suits best, until a question has its share of the words."""
    # Between the worth itself and its share of the question's best: neither do strong questions take all, nor weak ones.
    offers = [(p.score / sqrt(s.top), i, p) for i, s in enumerate(searches) if s.top for p in s.picks]
    hands: list[list[_Pick]] = [[] for _ in searches]
    for _, i, pick in sorted(offers, key=lambda offer: -offer[0]):
        words = ANSWER_WORDS // len(searches)
        if _joins(hands[i], pick, searches[i], words) and not _repeats(pick, [p for hand in hands for p in hand]):
            begun = any(p.unit.is_step and _list_of(p) == _list_of(pick) for p in hands[i])
            taken = _with_companions(pick, whole=begun or searches[i].by_steps)
            places = {(p.passage.id, p.at) for p in taken}
            hands = [[p for p in hand if (p.passage.id, p.at) not in places] for hand in hands]
            hands[i] += taken
    return hands


def _list_of(pick: _Pick) -> tuple[str, int]:
    return pick.passage.id, pick.unit.part


def _joins(hand: Sequence[_Pick], pick: _Pick, search: _Search, words: int) -> bool:
    """Whether a statement is good enough for a hand and fits into it: a thin question has one passage, others have two."""
    passages = {p.passage.id for p in (*hand, pick)}
    other = len(passages) > 1 and hand[0].passage.id != pick.passage.id and len(search.ask.parts) < 2
    if pick.score < search.top * (BESIDE_CLOSELY if search.thin or other else BESIDE):
        return False
    said = sum(len(p.unit.text.split()) for p in (*hand, pick))
    return not hand or (said <= words and len(passages) <= (1 if search.thin else 2))


def _repeats(pick: _Pick, used: Sequence[_Pick]) -> bool:
    """Whether a statement says what another has said: four in five of its words stand there."""
    return any(5 * len(pick.unit.words & u.unit.words) >= 4 * len(pick.unit.words) for u in used)


def _with_companions(pick: _Pick, whole: bool) -> list[_Pick]:
    """A step with all the others of its list, since half a procedure helps nobody; a sentence with the one it leans on."""
    units = _source(pick.passage).units
    places = [at for at, unit in enumerate(units) if pick.unit.is_step and whole and unit.part == pick.unit.part]
    if pick.at and units[pick.at - 1].part == pick.unit.part and _LEANING.match(pick.unit.text):
        places.append(pick.at - 1)
    return [_Pick(pick.passage, at, units[at], pick.score) for at in dict.fromkeys((*places, pick.at))]


def _answer(search: _Search, hand: Sequence[_Pick], shelf: _Shelf) -> _Answer:
    if not search.picks:
        return _Answer(search.ask)
    order = list(dict.fromkeys(p.passage.id for p in hand))
    picks = tuple(sorted(hand, key=lambda p: (order.index(p.passage.id), p.at)))
    covered = _covered(search, picks or (max(search.picks, key=lambda p: p.score),), shelf.weights)
    return _Answer(search.ask, picks, covered, not picks) if covered >= GOOD_ENOUGH else _Answer(search.ask)


def _covered(search: _Search, picks: Sequence[_Pick], weights: Weights) -> float:
    """How far the best statement covers a question, less so where the passages do not know its words."""
    titles = [_source(p.passage).title for p in picks]
    said = [p.unit.words | title for p, title in zip(picks, titles, strict=True)]
    around = weights.query(_shares(search.ask))
    # One word in common may be chance, unless it is half of what the article is called.
    if max(map(around.found, said)) < 2 and max(map(around.keeps, titles)) < 0.5:
        return 0.0
    missed = search.expected and not any(e.search(p.unit.text) for p in picks for e in search.expected)
    best = max(_strength(part, said, weights) for part in search.ask.parts or (search.ask.words,))
    return best * (DISCOUNT if missed else 1.0)


def _strength(words: Sequence[str], said: Sequence[frozenset[str]], weights: Weights) -> float:
    query = weights.query(dict.fromkeys(words, 1.0))
    known = sum(map(weights.knows, set(words))) / len(set(words))
    return known * max(map(query.cover, said))


def _body(answer: _Answer, say: Phrases) -> str:
    if not answer.picks:
        return say.above if answer.elsewhere else say.unanswered
    steps = Counter(_list_of(p) for p in answer.picks if p.unit.is_step)
    blocks = groupby(answer.picks, lambda p: (p.passage.id, p.unit.part if steps[_list_of(p)] > 1 else None))
    return "\n\n".join(_block(list(picks), part, say) for (_, part), picks in blocks)


def _block(picks: Sequence[_Pick], list_part: int | None, say: Phrases) -> str:
    """A paragraph of statements, or the numbered steps of a list under their heading."""
    lines = [f"{p.unit.text} [{p.passage.id}]" for p in picks]
    if list_part is None:
        return " ".join(lines)
    lead = _source(picks[0].passage).leads[list_part] or say.steps
    return "\n".join([lead, *(f"{n}. {line}" for n, line in enumerate(lines, 1))])


# Check: cues, needed and forbidden phrases.


def applying(context: Context) -> tuple[Policy, ...]:
    """The policies whose cues occur in what the customer wrote; a policy without cues always applies."""
    said = _plainly(_all_text(context.ticket))
    return tuple(p for p in context.policies if not p.cues or any(_begins_word(_plainly(c), said) for c in p.cues))


def _begins_word(cue: str, said: str) -> bool:
    """Whether a cue stands at the beginning of a word: "erstattung" finds Erstattungen, "bug" does not find debug."""
    at = said.find(cue)
    while at > 0 and said[at - 1].isalnum():
        at = said.find(cue, at + 1)
    return at >= 0


def _plainly(text: str) -> str:
    return text.lower().replace("\u2019", "'")


def _own_words(reply: str) -> str:
    """A reply without the customer's quoted words: what policies are held against."""
    return _plainly("\n".join(line for line in reply.split("\n") if not line.startswith(">")))


def _says_any(text: str, phrases: Iterable[str]) -> bool:
    said = _plainly(text)
    return any(_plainly(phrase) in said for phrase in phrases)


def _lacks(policy: Policy, said: str) -> bool:
    return bool(policy.needs) and not _says_any(said, policy.needs)


def _check(request: Request) -> Output:
    said = _own_words(_part(request.context.earlier.get("draft", ""), "answer"))
    policies = applying(request.context)
    findings = [finding for p in policies for finding in _findings(p, said, language_of(said))]
    return {"findings": findings, "escalate": any(p.escalate for p in policies)}


def _findings(policy: Policy, said: str, lang: Lang) -> Iterator[dict[str, str]]:
    if _lacks(policy, said):
        problem = f"“{policy.title}” applies, but the reply leaves out what it asks for."
        change = policy.add.get(lang) or policy.add.get("en") or policy.text
        yield {"policy": policy.id, "problem": problem, "change": change}
    for phrase in policy.forbids:
        if _says_any(said, [phrase]):
            yield {"policy": policy.id, "problem": f"The reply says “{phrase}”.", "change": f"Take out “{phrase}”."}


# Response: the draft without citations, with every finding worked in.


def _respond(request: Request, draft: str) -> str:
    context = request.context
    reply = _without_marks(draft, {p.id for p in (*request.prompt.passages, *context.passages)})
    named = _named_policies(context)
    reply = _without_phrases(reply, [phrase for p in named for phrase in p.forbids])
    said = _own_words(reply)
    lang = language_of(said)
    added = [p.add.get(lang) or p.add.get("en", "") for p in named if _lacks(p, said)]
    return _with_added(reply, [sentence for sentence in added if sentence]) or PHRASES[lang].thanks


def _named_policies(context: Context) -> list[Policy]:
    check = context.earlier.get("check", {})
    named = [] if isinstance(check, str) else [f.get("policy") for f in check.get("findings", ())]
    return [p for p in context.policies if p.id in named]


def _without_marks(text: str, ids: set[str]) -> str:
    marks = [mark for i in sorted(ids) for mark in (f" [{i}]", f"[{i}]")]
    while any(mark in text for mark in marks):
        for mark in marks:
            text = text.replace(mark, "")
    return text.strip()


def _without_phrases(text: str, phrases: Sequence[str]) -> str:
    lines = text.split("\n")
    kept = [
        " ".join(s for s in sentences(n) if not _says_any(s, phrases)) if _says_any(n, phrases) else n for n in lines
    ]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _with_added(reply: str, added: Sequence[str]) -> str:
    """Apologies after the opening sentence, the rest before the closing."""
    sorry = [s for s in added if _SORRY.search(s)]
    rest = " ".join(s for s in added if s not in sorry)
    paragraphs = reply.split("\n\n")
    if len(paragraphs) < 4:
        return "\n\n".join(p for p in (" ".join(sorry), reply, rest) if p)
    hello, opening, *body = paragraphs[:-2]
    first, *others = sentences(opening) or [""]
    opening = " ".join([first, *sorry, *others]) if sorry else opening
    return "\n\n".join(p for p in (hello, opening, *body, rest, *paragraphs[-2:]) if p)


# Summary: who wants what, what was answered, what is open.


def _summarise(request: Request) -> Output:
    context = request.context
    draft, check = (context.earlier.get(key, {}) for key in ("draft", "check"))
    cited = () if isinstance(draft, str) else draft.get("citations", ())
    still_open = () if isinstance(draft, str) else draft.get("open_questions", ())
    found = () if isinstance(check, str) else [f.get("policy", "") for f in check.get("findings", ())]
    touched = dict.fromkeys([*(p.id for p in applying(context) if p.cues), *found])
    note = {
        "wants": " ".join(map(_told, asks(context.ticket))) or "not clear from the message.",
        "answered": "; ".join(p.title for p in context.passages if p.id in cited) or "nothing from the help centre.",
        "open": " ".join(map(str, still_open)) or "nothing.",
        "policies": ", ".join(touched) or "none in particular.",
    }
    return "\n".join(f"{name.capitalize()}: {_shortened(text, NOTE_WORDS[name])}" for name, text in note.items())


def _shortened(text: str, words: int) -> str:
    # Scripts without spaces have no words to count: ten characters stand for one.
    short = " ".join(text.split()[:words])[: 10 * words]
    return short if len(short) == len(" ".join(text.split())) else f"{short} …"
