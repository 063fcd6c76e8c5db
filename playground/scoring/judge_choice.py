"""Who may judge a pair: a model of another family than both arms, because a model is lenient to its own kin."""

from __future__ import annotations

import re
from datetime import date

from playground.catalog import Catalog
from playground.evidence import Evidence, evidence_for
from playground.records import Candidate, Model

EVIDENCE_STAGE = "check"
"""The stage whose benchmarks count the ability to judge."""
_FAMILIES = {
    "Anthropic": r"claude", "OpenAI": r"gpt|chatgpt|o[134](?:-|$)", "Google": r"gemini|gemma", "Mistral": r"mi[sx]tral|magistral",
    "DeepSeek": r"deepseek", "xAI": r"grok", "Alibaba": r"qwen|qwq", "Meta": r"llama", "Amazon": r"nova-|titan",
    "Microsoft": r"phi-?\d", "Moonshot": r"kimi", "Zhipu": r"glm", "Cohere": r"command|aya",
}  # fmt: skip


def family(model: Model) -> str:
    """Who made a model, whoever serves it: by its name, or else its provider."""
    name = model.name.lower().rpartition("/")[2]
    return next((maker for maker, start in _FAMILIES.items() if re.match(start, name)), model.provider)


def fit_judges(
    catalog: Catalog,
    current: Candidate,
    candidate: Candidate,
    evidence: Evidence | None = None,
    today: date | None = None,
) -> tuple[Candidate, ...]:
    """Models at their default effort whose family differs from both arms', best evidence first; retired ones are left out."""
    known, day = evidence or evidence_for(catalog), today or date.today()
    usable = [c for c in catalog.candidates() if not (c.model.retires_on and c.model.retires_on <= day)]
    fit = [c for c in usable if not unfit(c, current, candidate)]
    return tuple(sorted(fit, key=lambda c: _rank(known, c)))


def unfit(by: Candidate, current: Candidate, candidate: Candidate) -> str:
    """Why a model should not judge this pair, as a sentence; empty where it may."""
    kin = [arm.key for arm in (current, candidate) if family(arm.model) == family(by.model)]
    if not kin:
        return ""
    return f"{by.key} and {' and '.join(dict.fromkeys(kin))} are both by {family(by.model)}. Choose a judge of another family."


def _rank(evidence: Evidence, candidate: Candidate) -> tuple[bool, float]:
    """Enough evidence before little, and a higher estimate before a lower one; catalogue order among equals."""
    quality = evidence.quality(EVIDENCE_STAGE, candidate)
    return not quality.enough, -(quality.estimate or 0.0)
