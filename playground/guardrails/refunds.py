"""Money that a ticket asks back and that an answer promises, held against a limit.

Read broadly on purpose: a sentence that could be a promise counts as one, since a needless look by a person is the cheaper mistake.
What an article or a policy says word for word is nobody's promise, nor are the customer's own words where a reply quotes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from playground.guardrails.amounts import Amount, amounts, bare_figures
from playground.guardrails.cues import cue
from playground.guardrails.readings import opened
from playground.lookalikes import squeezed
from playground.records import Context, Ticket

_SENTENCE = re.compile(r"(?<=[.!?\u3002])[\"'\u201d»)*_]*\s+|\n+")


def too_much_asked(ticket: Ticket, limits: Mapping[str, Decimal], labelled: bool) -> str:
    """Why the money that a ticket asks back is for a person to decide; empty where it is not, or where it asks for none.

    `labelled` says that the model sorted it under refunds. The sums count that stand where money is asked back, or else all.
    """
    text = opened("\n".join([ticket.subject, ticket.text]))
    asking = [s for s in sentences(text) if cue("asks").search(s)]
    if not asking and not labelled:
        return ""
    named = [a for s in asking for a in amounts(s)] or list(amounts(text))
    return next(
        (f"The customer asks for {why}." for a in named if a.value is not None and (why := _over(a, limits))), ""
    )


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


def _promised(said: str, after: str, limits: Mapping[str, Decimal]) -> str:
    # Only the words of a refusal are passed over: what else the sentence gives still counts.
    sentence = cue("denies").sub(" ", said)
    gives = cue("gives").search(sentence) is not None
    promises = cue("promises").search(sentence) is not None
    if not (gives or _may_move(sentence, refused=sentence != said)) or (
        not promises and cue("defers").search(sentence)
    ):
        return ""
    here = amounts(sentence)
    sums = here or (amounts(after) if promises and gives else ())
    if over := next((why for a in sums if (why := _over(a, limits))), ""):
        return f"The {{}} promises {over}."
    unclear = any(a.value is None for a in sums) or (gives and (not sums or _bare_over(sentence, limits)))
    return "The {} promises money back, and how much cannot be read." if promises and unclear else ""


def _may_move(sentence: str, refused: bool) -> bool:
    """Whether a sum may be one that goes to the customer: the sentence says so, or speaks neither of a price nor of a refusal."""
    if cue("came").search(sentence):
        return False
    return cue("moves").search(sentence) is not None or not (refused or cue("prices").search(sentence))


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
        return [s for s in said if squeezed(s) not in theirs or _names_sum_as_given(s)]
    return [s for s in said if squeezed(s) not in printed]


def _names_sum_as_given(quoted: str) -> bool:
    """Whether a customer's own words, quoted, would read as a promise all the same: a ticket may hold one to be quoted."""
    return not quoted.endswith("?") and bool(amounts(quoted)) and cue("promises").search(quoted) is not None


@lru_cache(maxsize=64)
def _printed(sources: tuple[str, ...]) -> str:
    return "\n".join(map(squeezed, sources))


def _sources(context: Context) -> Iterator[str]:
    yield from (p.text for p in context.passages)
    for policy in context.policies:
        yield from (policy.text, *policy.add.values())
