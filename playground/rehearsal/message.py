"""What a customer wrote: the text without its wrapping, its language, and who signed it."""

from __future__ import annotations

import re

from playground.language import LANGUAGES, Lang, language_of
from playground.records import Ticket
from playground.rehearsal.sentences import READ_CHARS, capped, sentences

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
_CLOSING = re.compile(
    r"^(?:(?:many )?thanks|thank you|(?:kind|best|warm) (?:regards|wishes)|regards|best|cheers|(?:yours )?sincerely|"
    r"yours faithfully|mit (?:freundlichen|besten) grüßen|(?:viele|beste|liebe|freundliche) grüße|(?:vielen )?dank|danke|"
    r"(?:muchas )?gracias|(?:un )?saludos?|atentamente)\b.{0,30}$",
    re.IGNORECASE,
)


def customer_text(ticket: Ticket) -> str:
    """What the customer wrote, capped to `READ_CHARS` at either end."""
    return capped("\n\n".join(t.text for t in ticket.turns if t.role == "customer") or ticket.text)


def latest_text(ticket: Ticket) -> str:
    """What the customer wrote since an agent last answered."""
    agents = [i for i, t in enumerate(ticket.turns) if t.role != "customer"]
    return capped("\n\n".join(t.text for t in ticket.turns[agents[-1] + 1 :])) if agents else customer_text(ticket)


def all_text(ticket: Ticket) -> str:
    """The subject and what the customer wrote."""
    return f"{ticket.subject}\n{customer_text(ticket)}"


def ticket_language(ticket: Ticket) -> str:
    """The ticket's two-letter code: as given, or else guessed."""
    return (ticket.lang or language_of(all_text(ticket)))[:2].lower()


def reply_language(ticket: Ticket) -> Lang:
    """The language to answer in."""
    return next((lang for lang in LANGUAGES if lang == ticket_language(ticket)), "en")


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
