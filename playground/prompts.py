"""The prompts of a stage for one ticket."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from playground import tokens
from playground.pipeline import Stage
from playground.records import Context, Message, Output, Passage, Policy, Prompt
from playground.templates import fence, fill


def render(stage: Stage, context: Context) -> tuple[Prompt, ...]:
    """One prompt for each of the stage's calls; each call of a re-rank sees its share of the passages."""
    shares = deal(context.passages, stage.calls)
    values = _values(context)
    return tuple(_prompt(stage, call, share, values, context) for call, share in enumerate(shares, 1))


def deal(passages: Sequence[Passage], hands: int) -> tuple[tuple[Passage, ...], ...]:
    """The passages dealt round, so that every hand has strong and weak ones; with one hand, all of them."""
    return tuple(tuple(passages[i::hands]) for i in range(hands))


def _prompt(
    stage: Stage, call: int, passages: tuple[Passage, ...], values: Mapping[str, str], context: Context
) -> Prompt:
    system = system_message(stage.prompt.system, context.labels, context.policies)
    user = Message("user", fill(stage.prompt.user, {**values, "passages": _passages(passages)}))
    prefix = tokens.count_fixed(system.content)
    total = tokens.count_messages((system, user))
    return Prompt(stage.key, call, (system, user), total, prefix, passages)


def system_message(template: str, labels: Mapping[str, str], policies: tuple[Policy, ...]) -> Message:
    """A stage's system message: the same for every ticket."""
    lines = {
        "labels": "\n".join(f"- {label}: {meaning}" for label, meaning in labels.items()),
        "policies": "\n".join(f"{p.id} {p.title}. {p.text}" for p in policies),
    }
    return Message("system", fill(template, lines).strip())


def _values(context: Context) -> dict[str, str]:
    draft, check, intent = (context.earlier.get(k, {}) for k in ("draft", "check", "intent"))
    outside = {
        "ticket": context.ticket.text,
        "subject": context.ticket.subject or "(none)",
        "customer": context.ticket.customer_id or "(unknown)",
        "draft": _part(draft, "answer"),
        "reply": _part(context.earlier.get("respond", ""), ""),
        "findings": _findings(check),
        "open_questions": "\n".join(f"- {q}" for q in _items(draft, "open_questions")) or "(none)",
        "intent": _part(intent, "label") or "other",
    }
    return {name: fence(text) for name, text in outside.items()} | stable_values(context.labels, context.policies)


def stable_values(labels: Mapping[str, str], policies: tuple[Policy, ...]) -> dict[str, str]:
    """What labels and policies are in a user message: their names alone."""
    return {"labels": ", ".join(labels), "policies": "\n".join(f"{p.id} {p.title}" for p in policies)}


def _part(output: Output, key: str) -> str:
    return output if isinstance(output, str) else str(output.get(key, ""))


def _items(output: Output, key: str) -> Sequence[str]:
    return () if isinstance(output, str) else tuple(output.get(key, ()))


def _findings(check: Output) -> str:
    found = () if isinstance(check, str) else check.get("findings", ())
    return "\n".join(f"- {f['policy']}: {f['problem']} {f['change']}" for f in found) or "(none)"


def _passages(passages: Sequence[Passage]) -> str:
    return "\n\n".join(passage_block(p.id, p.title, p.text) for p in passages)


def passage_block(name: str, title: str, text: str) -> str:
    """One passage as a prompt shows it."""
    return fence(f"[{name}] {title}\n{text}")


def as_text(output: Output) -> str:
    """An output as a person reads it: text as it is, JSON indented."""
    return output if isinstance(output, str) else json.dumps(output, indent=2, ensure_ascii=False)
