"""Money that a ticket asks back and that an answer promises, held against a limit.

Read broadly on purpose: a sentence that could be a promise counts as one, since a needless look by a person is the cheaper mistake.
What an article or a policy says word for word is nobody's promise, nor are the customer's own words where a reply quotes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from playground.difficulty import TOPICS
from playground.guardrails.amounts import Amount, amounts, bare_figures
from playground.guardrails.readings import opened
from playground.lookalikes import squeezed
from playground.records import Context, Ticket

_GIVES = re.compile(
    r"refund|reimburs|money back|\bpa(?:y|id|ying|yment)\b.{0,40}\bback|\bcredit(?! card)|compensat|pay-?out|payouts?|cash ?back|voucher|"
    r"\b(?:transfer|wire|sen[dt]|return)\w*\b.{0,40}[$€£\d]|give you.{0,20}[$€£\d]|"
    r"erstatt|rückzahl|(?:zahl|überweis).{0,60}|zurückgezahlt|gutschr|gutgeschrieben|auszahl|ausgezahlt|entschädig|"
    r"rembours|dédommag|indemnis|\bavoir de\b|crédit|vers(?:ons|é|er|ement)|virement|"
    r"reembols|devol|devuel|abon[aoóé]|indemniz|acredit|transferi", re.IGNORECASE
)  # fmt: skip
_MUST = (
    r"\b(?:i|we)\b(?:'\w+)?.{0,60}\b(?:refund|reimburs|credit|compensat|pa(?:y|id)|sen[dt]|return|issue|process|approv|grant|initiat|start|authori[sz]|"
    r"transfer|wire|giv|arrang|confirm|releas)\w*",
    r"\b(?:has|have|is|are|was|were|will|shall|gets?|got)\b(?:\s+\w+){0,3}\s+(?:approved|granted|issued|processed|refunded|credited|reimbursed|returned|"
    r"confirmed|initiated|completed|done|authori[sz]ed|sent|paid|transferred|yours|on (?:its|the) way)\b",
    r"\byou(?:'ll| will| are| get| receive|r (?:full )?(?:refund|money))\b.{0,60}",
    r"\b(?:ich|wir|das team)\b.{0,80}(?:erstatt|zahl|überweis|gutschreib|gutgeschrieben|schreib|veranlass|genehmig|bewillig|entschädig)",
    r"\b(?:wurde|wird|ist|sind|worden|werden)\b.{0,80}(?:erstattet|genehmigt|veranlasst|gutgeschrieben|überwiesen|unterwegs|ausgezahlt|bewilligt|gezahlt)",
    r"\bsie (?:erhalten|bekommen)\b",
    r"\b(?:je|nous|on)\b.{0,80}(?:rembours|crédit|vers|indemnis|dédommag|approuv|accord|effectu)",
    r"\b(?:a été|est|sera|seront|avez été|serez|sont)\b.{0,60}(?:rembours|accord|approuv|vers|crédit|effectu)",
    r"\bvous (?:recevrez|recevez|obtiendrez|allez)\b",
    r"\b(?:hemos|he|vamos|le|les|se|procederemos|procedemos|haremos)\b.{0,80}(?:reembols|devol|devuel|abon|indemniz|acredit|aprob|conced|transfer)",
    r"\b(?:ha sido|han sido|será|serán|fue|está)\b.{0,60}(?:reembols|aprob|devuel|abonad|concedid|transferid)",
    r"\b(?:recibirá|obtendrá|tendrá)\b", r"\b(?:reembolsaremos|devolveremos|abonaremos)\b",
)  # fmt: skip
_PROMISES = re.compile("|".join(_MUST), re.IGNORECASE)
_DENIES = re.compile(
    r"\b(?:not|never|cannot|unable|nor|nicht|kein\w*|nie|pas|jamais|tampoco|nunca)\b|n't\b|\bno (?:se |le |es |hay |podemos |puedo )?"
    r"(?:refund|reimburs|money|reembols|devol)", re.IGNORECASE
)  # fmt: skip
_DEFERS = re.compile(
    r"\bdeci(?:d|sion)|entscheid|décid|\bteam lead|finance team|teamleitung|finanzteam|responsable|equipo de finanzas|up to|bis zu|jusqu|hasta",
    re.IGNORECASE,
)
_ASKS = re.compile(
    rf"(?<!\w)(?:{TOPICS['refund']}|rembours\w*|(?:get|want|need|give|pay|send|reverse)\w*\b.{{0,60}}\bback|charged (?:me |us )?twice|overcharged|"
    r"double charge|zurück\w*|doppelt|devolver\w*|devuelv\w*|cobrado dos veces|deux fois)", re.IGNORECASE
)  # fmt: skip
_SENTENCE = re.compile(r"(?<=[.!?\u3002])[\"'\u201d»)*_]*\s+|\n+")


def too_much_asked(ticket: Ticket, limits: Mapping[str, Decimal], labelled: bool) -> str:
    """Why the money that a ticket asks back is for a person to decide; empty where it is not, or where it asks for none.

    `labelled` says that the model sorted it under refunds. The sums count that stand where money is asked back, or else all.
    """
    text = opened("\n".join([ticket.subject, ticket.text]))
    asking = [s for s in sentences(text) if _ASKS.search(s)]
    if not asking and not labelled:
        return ""
    named = [a for s in asking for a in amounts(s)] or list(amounts(text))
    return next((f"The customer asks for {why}." for a in named if a.value is not None and (why := _over(a, limits))), "")


def too_much_promised(answer: str, context: Context, limits: Mapping[str, Decimal]) -> str:
    """Why the money that an answer promises is for a person to decide; empty where it promises none or is inside the limit."""
    printed = _printed(tuple(_sources(context)))
    own = [s for line in opened(answer).split("\n") for s in _own_sentences(line, context.ticket, printed)]
    for sentence, after in pairwise([*own, ""]):
        if why := _promised(sentence, after, limits):
            return why
    return ""


def sentences(text: str) -> list[str]:
    """The sentences and lines of a text."""
    return [s for s in (part.strip() for part in _SENTENCE.split(text)) if s]


def _promised(sentence: str, after: str, limits: Mapping[str, Decimal]) -> str:
    if not _GIVES.search(sentence):
        return ""
    promises = _PROMISES.search(sentence) is not None and not _DENIES.search(sentence)
    if not promises and (_DEFERS.search(sentence) or _DENIES.search(sentence)):
        return ""
    here = amounts(sentence)
    sums = here or (amounts(after) if promises else ())
    over = next((why for a in sums if (why := _over(a, limits))), "")
    if over:
        return f"The {{}} promises {over}."
    if promises and (_unreadable(sums) or _bare_over(sentence, limits)):
        return "The {} promises money back, and how much cannot be read."
    return ""


def _unreadable(sums: Sequence[Amount]) -> bool:
    return not sums or any(a.value is None for a in sums)


def _bare_over(sentence: str, limits: Mapping[str, Decimal]) -> bool:
    """Whether a figure without a currency could be a sum above the limit."""
    lowest = min(limits.values(), default=Decimal(0))
    return any(value > lowest for value in bare_figures(sentence))


def _over(amount: Amount, limits: Mapping[str, Decimal]) -> str:
    """The amount beside the limit that it is above, or that it has no limit to stand beside."""
    if amount.value is None or amount.currency is None:
        return ""
    limit = limits.get(amount.currency)
    written = f"{amount.currency} {amount.value:,.2f}"
    if limit is None:
        return f"{written}, and no limit is set in that currency"
    return f"{written}, above the limit of {amount.currency} {limit:,.2f}" if amount.value > limit else ""


def _own_sentences(line: str, ticket: Ticket, printed: str) -> list[str]:
    """What a line says that neither an article nor a policy says, nor the customer where it quotes them."""
    said = sentences(line)
    if line.startswith(">"):
        theirs = squeezed(opened(f"{ticket.subject}\n{ticket.text}"))
        return [s for s in said if squeezed(s) not in theirs or (_PROMISES.search(s) and not s.endswith("?"))]
    return [s for s in said if squeezed(s) not in printed]


@lru_cache(maxsize=64)
def _printed(sources: tuple[str, ...]) -> str:
    return "\n".join(map(squeezed, sources))


def _sources(context: Context) -> Iterator[str]:
    yield from (p.text for p in context.passages)
    for policy in context.policies:
        yield from (policy.text, *policy.add.values())
