"""What a fake model answers to each stage's prompt: the smallest output that passes its checks."""

from __future__ import annotations

import json
import re
from typing import Any

from playground.pipeline import load_shipped

_OPENINGS = {s.prompt.system.split("{{")[0].strip()[:40]: s.key for s in load_shipped("support").stages}
_PASSAGE = re.compile(r"^\[([\w.-]+)\] ", re.MULTILINE)


def stage_of(body: dict[str, Any]) -> str:
    """The stage whose system message this request carries."""
    return _OPENINGS[body["messages"][0]["content"][:40]]


def answer(body: dict[str, Any]) -> str:
    """A passing output for the request's stage."""
    stage, user = stage_of(body), body["messages"][-1]["content"]
    ids = _PASSAGE.findall(user.split("<passages>")[-1])
    outputs: dict[str, Any] = {
        "intent": {"label": "refund_request", "language": "en", "confidence": 0.9},
        "rerank": {"scores": [{"id": i, "score": 5} for i in ids]},
        "draft": {
            "answer": f"A live answer [{(ids or [''])[0]}].",
            "citations": ids[:1],
            "confidence": 0.8,
            "open_questions": [],
        },
        "check": {"findings": [], "escalate": False},
        "respond": "A live answer for the customer.",
        "summarise": "The customer wants a refund. Answered live.",
    }
    output = outputs[stage]
    return output if isinstance(output, str) else json.dumps(output)
