"""Spoils a share of rehearsed outputs, so that shadow evaluation, guardrails and drift have something true to find.

A candidate of estimated quality q has a share 1 - q of its outputs spoiled. Whether and how is read from a hash of ticket,
stage, call and candidate: the same in every process, and independent from one candidate to the next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from playground.records import Output, Request
from playground.rehearsal.judging import turned
from playground.rehearsal.sentences import sentences

VISIBLE_SHARE = 0.10
"""Share of spoiled outputs that the checks on form reject; the rest look right and are wrong. An assumption: nothing public
counts malformed answers apart from wrong ones, but models asked for JSON seldom break its form, and most bad outputs are
well-formed and wrong. It makes one bad output in ten cost a second attempt."""

MOST_DOUBT = 0.4
"""Half of the wrong drafts are as sure as they would be if they were right, the others up to so much less. Language models are
overconfident, and what they say of it tells right from wrong little better than chance (Xiong et al. 2024, abstract: an AUROC of
0.52, against 0.61 for methods that look inside the model). The two figures are an assumption."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to one output; `seed` picks among the ways to do it."""

    spoiled: bool
    visible: bool
    seed: int


def fate_of(request: Request) -> Fate:
    """The fate of a request's output; without an estimated quality nothing is spoiled."""
    prompt = request.prompt
    key = json.dumps([request.context.ticket.id, prompt.stage, prompt.call, request.candidate.key])
    digest = sha256(key.encode()).digest()
    chance, share = (int.from_bytes(digest[i : i + 8], "big") / 2**64 for i in (0, 8))
    quality = 1.0 if request.quality is None else request.quality
    return Fate(chance < 1 - quality, share < VISIBLE_SHARE, int.from_bytes(digest[16:24], "big"))


def as_text(output: Output) -> str:
    """An output as a model would send it."""
    return output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)


def visibly(request: Request, output: Output, fate: Fate) -> str:
    """The output, broken so that `checks.verify` rejects it."""
    ways = list(_broken_text(request, output) if isinstance(output, str) else _broken_json(request, output))
    return ways[fate.seed % len(ways)]


def _broken_text(request: Request, text: str) -> Iterator[str]:
    yield ""
    if request.prompt.passages and "no_citation_marks" in request.output.checks:
        yield f"{text} [{request.prompt.passages[0].id}]"


def _broken_json(request: Request, output: Mapping[str, Any]) -> Iterator[str]:
    text, context = as_text(output), request.context
    yield text[: max(1, len(text) * 2 // 3)]
    if request.prompt.stage == "intent" and "label_known" in request.output.checks:
        yield as_text({**output, "label": _unused(f"{output['label']}_issue", context.labels)})
    if request.prompt.stage == "rerank" and "scores_complete" in request.output.checks and output["scores"]:
        yield as_text({**output, "scores": output["scores"][1:]})
    if request.prompt.stage == "draft" and "citations_present" in request.output.checks:
        invented = _unused("common-questions", {p.id for p in request.prompt.passages})
        yield as_text({**output, "citations": [*output["citations"], invented]})
    if request.prompt.stage == "check" and "policies_known" in request.output.checks:
        finding = _finding(_unused("P00", {p.id for p in context.policies}))
        yield as_text({**output, "findings": [*output["findings"], finding]})


def _unused(name: str, taken: Mapping[str, str] | set[str]) -> str:
    while name in taken:
        name += "_2"
    return name


def _finding(policy: str) -> dict[str, str]:
    return {"policy": policy, "problem": "The reply does not follow this policy.", "change": "Follow it."}


def silently(request: Request, output: Output, fate: Fate, again: Callable[[Request], Output]) -> Output:
    """The output, made wrong so that only its content tells. `again` answers a changed request."""
    if isinstance(output, str):
        return _without_open_points(output) if request.prompt.stage == "summarise" else without_part(output)
    wrong: Mapping[str, Callable[[], Mapping[str, Any]]] = {
        "intent": lambda: _next_label(request, output, again),
        "rerank": lambda: {**output, "scores": _shuffled(output["scores"], fate.seed)},
        "draft": lambda: _partial(output, fate),
        "check": lambda: _misjudged(request, output),
        "judge": lambda: turned(output),
    }
    return wrong[request.prompt.stage]()


def _next_label(request: Request, output: Mapping[str, Any], again: Callable[[Request], Output]) -> Mapping[str, Any]:
    """The label that would have come second, as sure of itself as the right one."""
    others = {label: meaning for label, meaning in request.context.labels.items() if label != output["label"]}
    second = again(replace(request, context=replace(request.context, labels=others))) if others else output
    return {**output, "label": second["label"]} if isinstance(second, Mapping) else output


def _shuffled(scores: Sequence[Mapping[str, Any]], seed: int) -> list[dict[str, Any]]:
    """The same scores handed to other passages; where that changes nothing, upside down."""
    values = [s["score"] for s in scores]
    turn = 1 + seed % max(1, len(values) - 1)
    turned = values[turn:] + values[:turn]
    values = [round(10 - v, 1) for v in values] if turned == values else turned
    return [{"id": s["id"], "score": v} for s, v in zip(scores, values, strict=True)]


def _partial(output: Mapping[str, Any], fate: Fate) -> Mapping[str, Any]:
    answer = without_part(output["answer"])
    cited = [c for c in output["citations"] if f"[{c}]" in answer] or output["citations"][:1]
    sure = 1 - MOST_DOUBT * max(0, fate.seed % 101 - 50) / 50
    return {**output, "answer": answer, "citations": cited, "confidence": round(output["confidence"] * sure, 2)}


def without_part(reply: str) -> str:
    """A reply that leaves out its last question, or the second half of what it says; never a part of a sentence."""
    paragraphs = reply.split("\n\n")
    body, closing = (paragraphs[:-2], paragraphs[-2:]) if len(paragraphs) > 3 else (paragraphs, [])
    questions = [i for i, p in enumerate(body) if p.startswith("> ")]
    if len(questions) > 1:
        return "\n\n".join([*body[: questions[-1]], *closing])
    if len(body) > 3:
        return "\n\n".join([*body[:-1], *closing])
    half = _half(body[-1])
    return "\n\n".join([*body[:-1], *([half] if half != body[-1] else []), *closing]) or reply


def _half(paragraph: str) -> str:
    """The first half of a paragraph's lines or sentences; a single sentence stays whole."""
    lines = paragraph.split("\n")
    parts, joint = (lines, "\n") if len(lines) > 1 else (sentences(paragraph), " ")
    return joint.join(parts[: max(1, len(parts) // 2)])


def _misjudged(request: Request, output: Mapping[str, Any]) -> Mapping[str, Any]:
    """Findings missed, or one made up where there was nothing to miss."""
    if output["findings"] or not request.context.policies:
        return {"findings": [], "escalate": False}
    return {"findings": [_finding(request.context.policies[0].id)], "escalate": not output["escalate"]}


def _without_open_points(note: str) -> str:
    """A note without its line on what is open, or without its second half."""
    kept = [line for line in note.split("\n") if not line.startswith("Open:")]
    return "\n".join(kept) if len(kept) < len(note.split("\n")) else _half(note)
