"""What can be read off a text without a model: its language, its sentences, what a customer asks, and which words matter.

Rules and word lists, so that the same text always gives the same answer. Languages are English, German and Spanish; a
text in another one is split and matched all the same, and is called English, the language it will be answered in.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from math import log
from typing import Literal

from playground.knowledge import words_of
from playground.records import Ticket

Lang = Literal["en", "de", "es"]
LANGUAGES: tuple[Lang, ...] = ("en", "de", "es")
READ_CHARS = 20_000
"""Read from either end of a ticket: about ten pages each, where requests stand. The middle of a longer one is left out."""
QUOTE_CHARS = 200
"""A question is quoted back up to this length, about three lines of mail; more reads like the whole message again."""
MOST_ASKS = 6
"""Answered in one reply; a support lead would split a longer list over two. The rest become open questions."""
READ_ASKS = 24
"""Asks read at all: four replies' worth. A ticket with more is a list of something else."""
ABOUT_SENTENCES = 12
"""Sentences that say what a complaint without a question is about; more would bury it."""
THIN_WORDS = 3
"""A question with fewer words of its own says too little to find an answer by, and is read with the subject."""
_SENTENCE_CHARS = 400
"""A longer run without punctuation is cut at a space: it is not one statement."""
_WRAPPED_CHARS = range(60, 81)
"""Mail programs wrap lines at 72 to 78 characters, so a shorter or longer line ended on purpose."""

_STOP: Mapping[Lang, frozenset[str]] = {
    "en": frozenset(
        "a about after again all also am an and any anything are as ask at be because been before being both but by "
        "can cannot cant could dear did didn didnt do does doesn doesnt doing don dont each else ever everything far "
        "few for from get gets getting give given go going good got had has have having hello help her here hi him "
        "his how i if im in into is isn it its itself just kind know last let like ll long look made make many may "
        "maybe me mean might more most much must my need needs new no nor not nothing now of off on once one only or "
        "other our out over own part please possible put question quite rather re really regards right said same say "
        "see seem shall she should since so some something still such sure take tell than thank thanks that the their "
        "them then there these they thing things this those though through to too two under until up us use used "
        "using ve very want wants was way we well went were what when where whether which while who whom whose why "
        "will with within without won would yes yet you your".split()
    ),
    "de": frozenset(
        "ab aber alle allem allen aller allerdings als also am an auch auf aus außerdem bei bin bis bitte brauche braucht "
        "brauchen da dafür damit dann das dass dazu dem den denn der des deshalb die dies diese diesem diesen dieser "
        "dieses direkt doch dort du durch ein eine einem einen einer eines er es etwas euch für gehen geht gern gibt "
        "guten habe haben hallo hat hatte hätte hier ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in inzwischen ist "
        "ja jede jetzt kann kein keine keinen können könnte könnten man mehr mein meine meinem meinen meiner mich mir "
        "mit möchte möchten möglich muss müssen nach nicht nichts noch nun nur ob obwohl oder ohne schon sehr seit sein "
        "seine sich sie sind so soll sollen sondern tag über um und uns unser unsere unserem unseren unserer unter viel "
        "viele vielen vom von vor war warum was weil wenn wer werden wie wieder wir wird wo worden wurde wurden zu zum "
        "zur".split()
    ),
    "es": frozenset(
        "a además ahora al algo alguien allí antes aquí así aún aunque ayuda buenas bueno buenos cada como cómo con cual "
        "cuál cuando cuándo cuánto de del desde donde dónde e el él ella ellos en entonces entre era es esa esas ese eso "
        "esos esta está están este esto estos estoy favor fue gracias ha hace hacer han hasta hay he hemos hola hoy la "
        "las le les lo los más me mi mis mismo muchas mucho muy nada necesita necesito ni no nos nosotros nuestra "
        "nuestro nuevo o para pero poco podemos poder podría por porque puede pueden puedo pues que qué quería quién "
        "quiero quisiera se según ser si sí sido siempre sin sobre solo son soy su sus también tampoco tan te tengo "
        "tenemos tiene tienen toda todas todavía todo todos tras tu un una unas uno unos usted ustedes va verdad vez y "
        "ya yo".split()
    ),
}
# When something happened, how long it took and in which order it is told are no topics either.
_WHEN = frozenset(
    "day days month months year years tag tage tagen monat monate monaten jahr jahre día días mes meses año años "
    "january february march april june july august september october november december monday tuesday wednesday thursday "
    "friday saturday sunday today yesterday tomorrow morning noon first second third next januar februar märz mai juni juli "
    "oktober dezember montag dienstag mittwoch donnerstag freitag samstag sonntag heute gestern morgen enero febrero marzo "
    "mayo junio julio agosto septiembre octubre noviembre diciembre lunes martes miércoles jueves viernes sábado domingo "
    "ayer mañana".split()
)
_NO_TOPIC = _WHEN.union(*_STOP.values())
_LETTERS: Mapping[Lang, re.Pattern[str]] = {"de": re.compile("[äöüß]"), "es": re.compile("[ñ¿¡áíóú]")}
_NO_WORDS = re.compile(r"@[\w.-]+|[$€£] ?\d[\d.,]*|\b\d[\d.,]* ?[$€£]|_")
_RAW_WORD = re.compile(r"[^\W\d_]+")
_STEM = re.compile(
    r"^(.{4,}?)(?:ations?|ated?|ating|ings?|iones|ions?|ión|ments?|ungen|ung|ados?|adas?|al|ies?|y|ed|es|er|ern|et|en|em|"
    r"te|ten|ar|[aeons])$"
)
# Words that tickets and help centres use for the same thing; each string is one meaning.
_SAME = (
    "charge bill invoice payment paid", "refund reimburse money back", "delete remove erase rid", "login log sign signed",
    "mail email message", "phone telephone mobile device", "person member user colleague people", "error fault bug",
    "duplicate twice double", "cancel end terminate", "smaller downgrade lower reduce down", "expire valid invalid",
    "lost missing vanished disappeared", "allow permit", "retry repeat", "rechnung abbuchung zahlung betrag",
    "erstattung erstattet geld", "löschen entfernen", "platz konto", "anmelden einloggen", "umsatzsteuer steuer",
    "recuperar restaurar", "borrar eliminar", "teléfono móvil dispositivo", "factura cobro pago cargo importe",
)  # fmt: skip

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
# Nothing that opens may stand inside, so that a row of opening brackets is passed over at once.
_IMAGE = re.compile(r"!\[[^\[\]\n]{0,300}\]\([^)\n]{0,1000}\)")
_LINK = re.compile(r"\[([^\[\]\n]{0,300})\]\([^)\n]{0,1000}\)|https?://\S+|<[^<>\n]{1,300}>")
_MARKUP = re.compile(r"\*\*|__|^#{1,6} |^\s{0,3}>.*$", re.MULTILINE)
_STRAIGHT = str.maketrans({c: "'" for c in "\u2018\u2019"} | {c: '"' for c in "\u201c\u201d\u201e«»"})
# A paragraph that talks to the machine is not what the customer asks. Nothing here obeys one either way; it is left out
# so that it is neither quoted nor searched for. What slips through is matched with the passages like any other words.
_ORDER = re.compile(
    r"\bignore (?:\w+ ){0,3}(?:rules|instructions?|previous|above)|\bsystem (?:prompt|note|message)|\byou are now\b|"
    r"\bdeveloper mode|\b(?:new|previous) instructions\b|\bignorier\w* (?:\w+ ){0,3}(?:regeln|anweisungen)|"
    r"\bignor[ae] (?:\w+ ){0,3}(?:instrucciones|reglas)",
    re.IGNORECASE,
)
_ITEM = re.compile(r"^\s{0,8}(?:\d{1,2}[.)]|[-*•\u2013])\s+(?=\S)")
# Besides Latin marks those of Chinese, Japanese, Arabic, Urdu and Hindi, which need no space after them.
_END = re.compile(r"(?<=[.!?…])[\"'\u201d\u2019»)\]]*\s+|(?<=[\u3002\uff01\uff1f\u061f\u06d4\u0964])")
_ASKED = re.compile(r"[?\u061f\uff1f]")
_UNFINISHED = re.compile(
    r"(?:\b(?:e\.g|i\.e|z\. ?b|d\. ?h|dr|mrs?|ms|nr|idnr|vs|ca|bzw|inkl|approx|sra?|art)|(?:^|\s)\w)\.$", re.IGNORECASE
)
_ORDINAL = re.compile(r"(?:^|\s)\d{1,2}\.$")
_MONTH = re.compile(r"(?:jan|feb|mär|mar|apr|mai|may|jun|jul|aug|sep|okt|oct|nov|dez|dec)", re.IGNORECASE)
_PLEA = re.compile(
    r"\b(?:please|tell me|let me know|(?:i|we|you)'d like|(?:i|we) (?:\w+ )?(?:need|want)\b|would (?:\w+ )?like|"
    r"(?:can|could|would) you|bitte|möchten?|brauch(?:e|t|en)|benötigen?|hätten? gern|könn(?:ten|en) sie|por favor|"
    r"necesit(?:o|amos)|quier[oe]n?|quer(?:emos|íamos)|quisi(?:era|éramos)|(?:me|nos) gustaría|solicit(?:o|amos))\b",
    re.IGNORECASE,
)
_ASKING_HEAD = re.compile(
    r"\b(?:(?:we|i) (?:need|want)|questions?|please|fragen?|brauche|bitte|necesito|preguntas?|dudas?)\b[^.]*$",
    re.IGNORECASE,
)
# Said of oneself, it may be a mere remark: "I need to hand this in by noon".
_WISH = re.compile(
    r"^(?!.*[?\u061f\uff1f]|.*\b(?:please|tell me|let me know|bitte|por favor)\b)", re.IGNORECASE | re.DOTALL
)
_SECOND_QUESTION = re.compile(
    r",? (?:and|und|y) (?=(?:how|where|when|what|who|why|which|can|do|is|wie|wo|wann|was|wer|warum|cómo|dónde|cuándo|qué)\b)",
    re.IGNORECASE,
)
_NEXT_POINT = re.compile(r"^\W*(?:also|and|besides|finally|und|außerdem|y|además)\b", re.IGNORECASE)
_CLOSING = re.compile(
    r"^(?:(?:many )?thanks|thank you|(?:kind|best|warm) (?:regards|wishes)|regards|best|cheers|(?:yours )?sincerely|"
    r"yours faithfully|mit (?:freundlichen|besten) grüßen|(?:viele|beste|liebe|freundliche) grüße|(?:vielen )?dank|danke|"
    r"(?:muchas )?gracias|(?:un )?saludos?|atentamente)\b.{0,30}$",
    re.IGNORECASE,
)


def language_of(text: str) -> Lang:
    """The language with the most stop words and letters of its own in the text; English where there are none."""
    head = text[:READ_CHARS].lower()
    words = Counter(_RAW_WORD.findall(head))
    hits = {lang: sum(words[w] for w in _STOP[lang]) for lang in LANGUAGES}
    for lang, letters in _LETTERS.items():
        hits[lang] += len(letters.findall(head))
    return max(LANGUAGES, key=lambda lang: hits[lang])


def stems(text: str) -> list[str]:
    """Stems of the words that carry meaning. Domains, amounts of money and days of the month do not: they are no topic."""
    words = (w for w in words_of(_NO_WORDS.sub(" ", text)) if w not in _NO_TOPIC and len(w) > 1)
    return [_stem(w) for w in words if not w.isdigit() or (len(w) > 2 and w.strip("0"))]


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    # More than once, because endings pile up: answered, answer.
    for _ in range(3):
        found = _STEM.match(word)
        word = found.group(1) if found else word
    return word


def _alike() -> Mapping[str, frozenset[str]]:
    groups = [frozenset(stems(meaning)) for meaning in _SAME]
    every = frozenset().union(*groups)
    return {stem: frozenset().union(*(g for g in groups if stem in g)) - {stem} for stem in every}


_ALIKE = _alike()


def sentences(text: str) -> list[str]:
    """Sentences in order, also of text without punctuation; a line that ended on purpose ends one."""
    return [part for line in text.split("\n") for part in _split_line(line)]


def _split_line(line: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(line):
        before = line[max(start, end.start() - 12) : end.start()]
        if _UNFINISHED.search(before) or (_ORDINAL.search(before) and _MONTH.match(line, end.end())):
            continue
        yield from _cut(line[start : end.end()].strip())
        start = end.end()
    yield from _cut(line[start:].strip())


def _cut(sentence: str) -> Iterator[str]:
    while len(sentence) > _SENTENCE_CHARS:
        space = sentence.rfind(" ", 1, _SENTENCE_CHARS)
        at = space if space > 0 else _SENTENCE_CHARS
        yield sentence[:at].rstrip()
        sentence = sentence[at:].lstrip()
    if any(c.isalnum() for c in sentence):
        yield sentence


@dataclass(frozen=True, slots=True)
class Piece:
    """A paragraph, or one item of a list; the items of a list share its `list_no`, a paragraph has none."""

    text: str
    list_no: int | None = None


def pieces(text: str) -> tuple[Piece, ...]:
    """The paragraphs and list items of a text, wrapped lines joined. One numbered line alone is a heading, not a list."""
    found: list[tuple[int | None, list[str]]] = []
    lists, is_open = 0, False
    for line in text.split("\n"):
        item = _ITEM.match(line)
        if item:
            lists += not (found and found[-1][0] is not None)
            found.append((lists, [line[item.end() :].strip()]))
        elif line.strip() and is_open:
            found[-1][1].append(line.strip())
        elif line.strip():
            found.append((None, [line.strip()]))
        is_open = bool(line.strip())
    sizes = Counter(number for number, _ in found)
    return tuple(Piece(_unwrapped(lines), number if sizes[number] > 1 else None) for number, lines in found)


def _unwrapped(lines: Sequence[str]) -> str:
    joints = ["", *(" " if len(line) in _WRAPPED_CHARS else "\n" for line in lines)]
    return "".join(part for pair in zip(joints, lines, strict=False) for part in pair)


def customer_text(ticket: Ticket) -> str:
    """What the customer wrote, capped to `READ_CHARS` at either end."""
    return _capped("\n\n".join(t.text for t in ticket.turns if t.role == "customer") or ticket.text)


def _capped(text: str) -> str:
    return text if len(text) <= 2 * READ_CHARS else f"{text[:READ_CHARS]}\n\n{text[-READ_CHARS:]}"


def _latest_text(ticket: Ticket) -> str:
    """What the customer wrote since an agent last answered."""
    agents = [i for i, t in enumerate(ticket.turns) if t.role != "customer"]
    return _capped("\n\n".join(t.text for t in ticket.turns[agents[-1] + 1 :])) if agents else customer_text(ticket)


def plain(text: str) -> str:
    """The text without code, links, quoted mail and marks, and without paragraphs that give orders to a machine."""
    text = _CODE.sub("\n", text.translate(_STRAIGHT))
    text = _MARKUP.sub("", _LINK.sub(r"\1", _IMAGE.sub("", text)))
    return "\n\n".join(_before_order(p) for p in re.split(r"\n\s*\n", text))


def _before_order(paragraph: str) -> str:
    order = _ORDER.search(paragraph)
    if order is None:
        return paragraph
    kept, at = [], 0
    for sentence in sentences(paragraph):
        at = paragraph.index(sentence, at) + len(sentence)
        if at > order.start():
            break
        kept.append(sentence)
    return " ".join(kept)


def signed_by(ticket: Ticket) -> str:
    """The name under the customer's latest signed message, or nothing."""
    texts = [t.text for t in ticket.turns if t.role == "customer"] or [ticket.text]
    return next((name for text in reversed(texts) if (name := _signature(plain(text[-READ_CHARS:])))), "")


def _signature(text: str) -> str:
    paragraphs = [p for p in re.split(r"\n\s*\n", text.strip()) if p.strip()]
    lines = [line.strip() for p in paragraphs[-2:] for line in p.split("\n") if line.strip()][-4:]
    closing = next((i for i, line in enumerate(lines) if _CLOSING.match(line)), None)
    if closing is not None:
        return _name(lines[closing + 1]) if closing + 1 < len(lines) else ""
    last = paragraphs[-1].split("\n") if len(paragraphs) > 1 else []
    return _name(last[0]) if last and len(last) <= 3 and all(_name(line) for line in last) else ""


def _name(line: str) -> str:
    name = line.split(",")[0].strip()
    words = name.split()
    real = all(
        w[0].isupper() and (len(w) < 3 or not w.isupper()) and w.replace("-", "").replace("'", "").isalpha()
        for w in words
    )
    return name if 1 <= len(words) <= 3 and real and len(name) <= 40 and not _CLOSING.match(name) else ""


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing a customer asks: as it may be quoted, its words and those around it. `direct` is no wish in passing."""

    text: str
    words: tuple[str, ...]
    context: tuple[str, ...] = ()
    direct: bool = True
    parts: tuple[tuple[str, ...], ...] = ()
    """The words of each question, where it holds more than one."""


def asks(ticket: Ticket) -> tuple[Ask, ...]:
    """What the latest message asks, in order; where it asks nothing, what all messages ask, or else what they are about."""
    subject = plain(ticket.subject[:QUOTE_CHARS])
    for text in dict.fromkeys((_latest_text(ticket), customer_text(ticket))):
        found = tuple(_distinct(tuple(islice(_asks_in(pieces(plain(text))), READ_ASKS)), stems(subject)))
        if found:
            return found
    said = (subject, *sentences(plain(customer_text(ticket))))
    about = list(islice((s for s in said if stems(s)), ABOUT_SENTENCES))
    words = tuple(stems(" ".join(about)))
    return (Ask(_quote(about[:2]), words),) if words else ()


def _distinct(found: Sequence[Ask], subject: Sequence[str]) -> Iterator[Ask]:
    """Each ask once. A thin one gets the words of the subject too, except those that are what another one asks."""
    claimed = {w for ask in found for w in ask.words}
    seen: list[set[str]] = []
    for ask in found:
        own = set(ask.words)
        if any(own <= earlier for earlier in seen):
            continue
        seen.append(own)
        about = tuple(w for w in subject if w not in claimed) if len(own) < THIN_WORDS else ()
        # A wish for what the subject names is no mere remark; a question of one word often is: "Seriously?"
        direct = (ask.direct and len(own) > 1) or len(own & set(subject)) > 1
        yield replace(ask, context=(*ask.context, *about), direct=direct)


def _asks_in(parts: Sequence[Piece]) -> Iterator[Ask]:
    listed = _asking_lists(parts)
    for at, piece in enumerate(parts):
        said = [s for s in sentences(piece.text) if not s.endswith(":")]
        if piece.list_no is None:
            yield from _asks_in_prose(said)
        elif piece.list_no in listed and stems(piece.text):
            head = next((p.text for p in reversed(parts[:at]) if p.list_no is None), "")
            # What is asked stands in the questions and in the first sentence, which names the matter.
            core = [s for i, s in enumerate(said) if not i or "?" in s]
            around = [s for s in said if s not in core]
            context = (*stems(" ".join(around)), *stems(head[-_SENTENCE_CHARS:]))
            yield Ask(_quote(said), tuple(stems(" ".join(core))), context, parts=_questions(core))


def _questions(core: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The words of each question; one with hardly a word of its own goes with what stands before it."""
    found: list[list[str]] = [[]]
    for sentence in core:
        for clause in _SECOND_QUESTION.split(sentence):
            found[-1] += stems(clause)
            if "?" in sentence and len(found[-1]) > 1:
                found.append([])
    rest = found.pop() if len(found) > 1 and len(found[-1]) < 2 else []
    found[-1] += rest
    return tuple(tuple(words) for words in found)


def _asking_lists(parts: Sequence[Piece]) -> set[int]:
    """Lists of which half the items ask something, or whose heading says that they do."""
    items: dict[int, list[str]] = {}
    headed = set()
    for before, piece in zip((Piece(""), *parts), parts, strict=False):
        if piece.list_no is not None:
            items.setdefault(piece.list_no, []).append(piece.text)
            if before.list_no is None and _ASKING_HEAD.search(before.text[-_SENTENCE_CHARS:]):
                headed.add(piece.list_no)
    return headed | {n for n, texts in items.items() if 2 * sum(map(_is_asking, texts)) >= len(texts)}


def _asks_in_prose(said: Sequence[str]) -> Iterator[Ask]:
    for at, sentence in enumerate(said):
        if not _is_asking(sentence) or _leads_into_question(said, at):
            continue
        before = said[at - 1] if at else ""
        thin = len(set(stems(sentence))) < 2 and not _is_asking(before)
        joined = bool(before) and (thin or _leads_into_question(said, at - 1))
        words = tuple(stems(f"{before} {sentence}" if joined else sentence))
        if len(words) > 1 or (words and "?" in sentence):
            near = stems(" ".join(said[max(0, at - 2) : at]))
            direct = joined or _WISH.search(sentence) is None
            core = [before, sentence] if joined else [sentence]
            yield Ask(_quote(core), words, tuple(near), direct, _questions(core))


def _leads_into_question(said: Sequence[str], at: int) -> bool:
    """Whether a wish is followed by the question about it, so that the two are one ask."""
    follows = said[at + 1] if at + 1 < len(said) else ""
    return "?" not in said[at] and _is_asking(said[at]) and "?" in follows and not _NEXT_POINT.match(follows)


def _is_asking(text: str) -> bool:
    return _ASKED.search(text) is not None or _PLEA.search(text) is not None


def _quote(said: Sequence[str]) -> str:
    """The sentences, cut to what is worth quoting: all of them, or the questions, or the beginning."""
    whole = " ".join(said)
    if len(whole) > QUOTE_CHARS:
        asked = [s for s in said if "?" in s]
        longer = " … ".join(dict.fromkeys((said[0], *asked)))
        whole = longer if len(longer) <= QUOTE_CHARS else " ".join(asked) or whole
    if len(whole) <= QUOTE_CHARS:
        return whole
    return whole[: whole.rfind(" ", 1, QUOTE_CHARS) if " " in whole[1:QUOTE_CHARS] else QUOTE_CHARS] + " …"


@dataclass(frozen=True, slots=True)
class Unit:
    """One quotable statement of a passage, and the number of the paragraph or list that it belongs to."""

    text: str
    words: frozenset[str]
    part: int
    is_step: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A passage, read: its statements in order, and the words of its title, of each list and of all of it."""

    title: frozenset[str]
    units: tuple[Unit, ...]
    words: frozenset[str]
    lists: Mapping[int, frozenset[str]]
    leads: Mapping[int, str]
    """The line that ends with a colon above each list, or nothing."""
    heads: Mapping[int, frozenset[str]]
    """The words of those lines."""


@lru_cache(maxsize=2048)
def read_source(title: str, text: str) -> Source:
    """A passage's statements. Cached, because a help centre is read once and asked about for every ticket."""
    units: list[Unit] = []
    leads: dict[int, str] = {}
    for number, piece in enumerate(pieces(_capped(text))):
        is_step = piece.list_no is not None
        # Paragraphs are numbered below zero, so that they never share a list's number.
        part = piece.list_no if piece.list_no is not None else -1 - number
        if is_step and part not in leads:
            leads[part] = units.pop().text if units and units[-1].text.endswith(":") else ""
        said = [" ".join(piece.text.split())] if is_step else sentences(piece.text)
        units += [Unit(s, frozenset(stems(s)), part, is_step) for s in said]
    named = frozenset(stems(title))
    heads = {n: frozenset(stems(lead)) for n, lead in leads.items()}
    lists = {n: words.union(*(u.words for u in units if u.part == n)) for n, words in heads.items()}
    return Source(named, tuple(units), named.union(*(u.words for u in units)), lists, leads, heads)


@dataclass(frozen=True, slots=True)
class Query:
    """Words to look for: each with its weight and the words of the same meaning."""

    items: tuple[tuple[str, float, frozenset[str]], ...]
    total: float

    def hit(self, words: Collection[str]) -> float:
        """The weight found in `words`; a word of the same meaning counts 60%."""
        return sum(
            w if stem in words else 0.6 * w
            for stem, w, alike in self.items
            if stem in words or not alike.isdisjoint(words)
        )

    def cover(self, words: Collection[str]) -> float:
        """The share of the weight found in `words`."""
        return self.hit(words) / self.total if self.total else 0.0

    def found(self, words: Collection[str]) -> int:
        """How many of the words looked for are in `words`."""
        return sum(stem in words or not alike.isdisjoint(words) for stem, _, alike in self.items)

    def keeps(self, words: Collection[str]) -> float:
        """The share of `words` that is looked for."""
        return sum(stem in words for stem, _, _ in self.items) / len(words) if words else 0.0


class Weights:
    """How much a word says: its inverse document frequency over statements (BM25's, Robertson and Zaragoza 2009)."""

    def __init__(self, sources: Sequence[Source], background: Mapping[str, int], documents: int) -> None:
        self._here = Counter(w for source in sources for unit in source.units for w in unit.words)
        self._background = background
        self._documents = documents + sum(len(s.units) for s in sources)

    def of(self, stem: str) -> float:
        """The weight of a stem. No source can answer to one that none has, often a name or a slip, so it counts half."""
        here = self._here[stem]
        seen = here + self._background.get(stem, 0)
        rarity = log(1 + (self._documents - seen + 0.5) / (seen + 0.5))
        return rarity if here else rarity / 2

    def knows(self, stem: str) -> bool:
        """Whether a source has the word."""
        return self._here[stem] > 0

    def query(self, shares: Mapping[str, float]) -> Query:
        """Weigh stems, each with its share of attention."""
        items = tuple((s, share * self.of(s), _ALIKE.get(s, frozenset())) for s, share in shares.items())
        return Query(items, sum(w for _, w, _ in items))
