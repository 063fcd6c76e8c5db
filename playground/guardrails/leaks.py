"""What an answer may not carry out: links to other sites, what loads something, others' personal data, the instructions themselves.

A finding hands the ticket over and withholds the answer. The sentence names kinds, never what was found: it is shown and kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from playground.guardrails.addresses import Sites, foreign, hosts, loads
from playground.guardrails.canary import LEAK, texts_of
from playground.guardrails.copied import repeats, without
from playground.guardrails.personal import Known, strange
from playground.guardrails.readings import readings
from playground.middleware import Through
from playground.records import Context, Handover, Passage, Step, Ticket

STAGES: Mapping[str, str] = {"draft": "draft", "respond": "answer"}
"""Stages whose text reaches the customer, or becomes what does, and what a sentence calls it."""
INSTRUCTION_WORDS = 10
POLICY_WORDS = 30
"""So many words in a row are no chance. Policies may be quoted by the sentence, so more of them are needed."""
FEWEST_WORDS = 6
"""Instructions shorter than this could be said by anyone."""
_HIDDEN_RUN = re.compile(
    "[\u200b-\u200f\u2060-\u2064\ufeff\ufe00-\ufe0f\U000e0100-\U000e01ef]{8,}|[\U000e0020-\U000e007f]{8,}"
)
"""A message in characters that nobody sees; an emoji joins its parts with one or two of them, a flag with up to seven."""


def nobody(ticket: Ticket) -> tuple[str, ...]:
    """Know no addresses of the customer's own."""
    return ()


@dataclass(frozen=True, slots=True)
class Leaks(Through):
    """Looks at the draft and at the answer.

    `sites` may be named by any answer, and so may every site that a retrieved article names. `own` gives addresses that are known
    to be the customer's from a record: what a ticket says may be what an attacker wrote, so its addresses are not repeated.
    """

    sites: Sites = field(default_factory=Sites)
    own: Callable[[Ticket], tuple[str, ...]] = nobody

    def after(self, step: Step, context: Context) -> Handover | None:
        """Hand over where the text holds what it may not."""
        if step.stage not in STAGES or step.output is None:
            return None
        found = tuple(dict.fromkeys(self._found(step, context)))
        why = f"The {STAGES[step.stage]} was held back: it holds {' and '.join(found)}."
        return Handover(LEAK, why, withheld=True) if found else None

    def _found(self, step: Step, context: Context) -> Iterator[str]:
        answer, own = answer_of(step, context), self.own(context.ticket)
        if foreign(answer, self.sites, _known_hosts(context, own)):
            yield "an address of a site that is not on the list"
        if loads(answer):
            yield "an image, a script or markup"
        if _HIDDEN_RUN.search(answer):
            yield "a message in invisible characters"
        known = Known.of([*_words_of(context.ticket), *own], [*_articles(cited(step, context)), *_policies(context)])
        yield from strange(answer, known, self.sites)
        yield from _copied(step, context)


def answer_of(step: Step, context: Context) -> str:
    """The text of a draft or an answer, without its marks of citation; all texts of an output of another shape."""
    output = step.output
    if isinstance(output, Mapping) and isinstance(output.get("answer"), str):
        whole = str(output["answer"])
    else:
        whole = "\n".join(texts_of(output)) if output is not None else ""
    # An article may be called refund-rules.de, which is no site.
    return without(whole, (f"[{p.id}]" for p in context.passages))


def cited(step: Step, context: Context) -> tuple[Passage, ...]:
    """The passages that a draft cites, or that the draft before an answer did."""
    draft = step.output if step.stage == "draft" else context.earlier.get("draft")
    named = draft.get("citations") if isinstance(draft, Mapping) else None
    return tuple(p for p in context.passages if p.id in (named or ()))


def _known_hosts(context: Context, own: tuple[str, ...]) -> set[str]:
    return {host for text in _articles(context.passages) for host in _hosts_of(text)} | set(hosts("\n".join(own)))


@lru_cache(maxsize=1024)
def _hosts_of(article: str) -> tuple[str, ...]:
    return hosts(article)


def _articles(passages: tuple[Passage, ...]) -> list[str]:
    return [f"{p.title}\n{p.text}" for p in passages]


def _policies(context: Context) -> list[str]:
    return [text for p in context.policies for text in (p.title, p.text, *p.add.values())]


def _words_of(ticket: Ticket) -> list[str]:
    return [ticket.id, ticket.subject, ticket.text, ticket.customer_id or "", *(turn.text for turn in ticket.turns)]


def _copied(step: Step, context: Context) -> Iterator[str]:
    """Stretches of the instructions or of the policies, in any text of the output and any reading of it."""
    rules = [f"{p.id} {p.title}. {p.text}" for p in context.policies]
    told = {m.content for p in step.prompts for m in p.messages if m.role == "system"}
    instructions = [text for text in (without(t, rules) for t in told) if len(text.split()) >= FEWEST_WORDS]
    articles = "\n".join(_articles(context.passages))
    said = [reading for text in texts_of(step.output or "") for reading in readings(text)]
    if any(repeats(s, i, INSTRUCTION_WORDS, articles) for s in said for i in instructions):
        yield "a part of the instructions"
    if any(repeats(s, "\n".join(rules), POLICY_WORDS, articles) for s in said):
        yield "whole policies"
