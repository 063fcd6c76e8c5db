"""Check and response: which policies apply, what a reply lacks or must not say, and the reply with that worked in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from playground.language import Lang, language_of
from playground.records import Context, Output, Policy, Request
from playground.rehearsal.message import all_text
from playground.rehearsal.phrases import PHRASES
from playground.rehearsal.sentences import sentences

_SORRY = re.compile(r"\b(?:sorry|apologi[sz]e|tut mir leid|entschuldig|lo siento|lamento|disculp)", re.IGNORECASE)


def applying(context: Context) -> tuple[Policy, ...]:
    """The policies whose cues occur in what the customer wrote; a policy without cues always applies."""
    said = _plainly(all_text(context.ticket))
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


def says_any(text: str, phrases: Iterable[str]) -> bool:
    """Whether a text holds one of the phrases."""
    said = _plainly(text)
    return any(_plainly(phrase) in said for phrase in phrases)


def _lacks(policy: Policy, said: str) -> bool:
    return bool(policy.needs) and not says_any(said, policy.needs)


def part_of(output: Output, key: str) -> str:
    """One field of an output; an output that is plain text is all of it."""
    return output if isinstance(output, str) else str(output.get(key, ""))


def check(request: Request) -> Output:
    """The output of the check: what the draft has against the policies that apply."""
    said = _own_words(part_of(request.context.earlier.get("draft", ""), "answer"))
    policies = applying(request.context)
    findings = [finding for p in policies for finding in _findings(p, said, language_of(said))]
    return {"findings": findings, "escalate": any(p.escalate for p in policies)}


def _findings(policy: Policy, said: str, lang: Lang) -> Iterator[dict[str, str]]:
    if _lacks(policy, said):
        problem = f"“{policy.title}” applies, but the reply leaves out what it asks for."
        change = policy.add.get(lang) or policy.add.get("en") or policy.text
        yield {"policy": policy.id, "problem": problem, "change": change}
    for phrase in policy.forbids:
        if says_any(said, [phrase]):
            yield {"policy": policy.id, "problem": f"The reply says “{phrase}”.", "change": f"Take out “{phrase}”."}


def respond(request: Request, draft: str) -> str:
    """The draft without citations, with every finding worked in."""
    context = request.context
    reply = _without_marks(draft, {p.id for p in (*request.prompt.passages, *context.passages)})
    named = _named_policies(context)
    reply = _without_phrases(reply, [phrase for p in named for phrase in p.forbids])
    said = _own_words(reply)
    lang = language_of(said)
    added = [p.add.get(lang) or p.add.get("en", "") for p in named if _lacks(p, said)]
    return _with_added(reply, [sentence for sentence in added if sentence]) or PHRASES[lang].thanks


def _named_policies(context: Context) -> list[Policy]:
    checked = context.earlier.get("check", {})
    named = [] if isinstance(checked, str) else [f.get("policy") for f in checked.get("findings", ())]
    return [p for p in context.policies if p.id in named]


def _without_marks(text: str, ids: set[str]) -> str:
    marks = [mark for i in sorted(ids) for mark in (f" [{i}]", f"[{i}]")]
    while any(mark in text for mark in marks):
        for mark in marks:
            text = text.replace(mark, "")
    return text.strip()


def _without_phrases(text: str, phrases: Sequence[str]) -> str:
    lines = text.split("\n")
    kept = [" ".join(s for s in sentences(n) if not says_any(s, phrases)) if says_any(n, phrases) else n for n in lines]
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
