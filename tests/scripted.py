"""A scripted way to answer: the smallest fake that makes every stage pass, and what a test wants changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field

from playground.knowledge import Article, HelpCentre
from playground.loop import Agent
from playground.options import Settings
from playground.pipeline import Pipeline, load_shipped
from playground.records import Completion, Policy, Request, Ticket, Usage
from playground.router import Router
from playground.watch import Watch
from playground.workshop import make_router

ARTICLES = tuple(Article(f"a{i}", f"Topic {i}", f"How topic {i} works. Refunds take {i} days.") for i in range(20))
POLICIES = (Policy("P1", "Refunds", "Refunds up to $50."),)
TICKET = Ticket("t1", "Where is my refund for topic 3?", "Refund", "acme")


def good(request: Request) -> str:
    """An output that passes its checks."""
    first = request.prompt.passages[0].id if request.prompt.passages else ""
    outputs: dict[str, object] = {
        "intent": {"label": "refund_request", "language": "en", "confidence": 0.9},
        "rerank": {"scores": [{"id": p.id, "score": int(p.id[1:]) % 11} for p in request.prompt.passages]},
        "draft": {"answer": f"It takes days [{first}].", "citations": [first], "confidence": 0.8, "open_questions": []},
        "check": {
            "findings": [{"policy": "P1", "problem": "Limit not named.", "change": "Name it."}],
            "escalate": False,
        },
        "respond": "It takes days. The limit is $50.",
        "summarise": "Wants a refund. Answered.",
    }
    output = outputs[request.prompt.stage]
    return output if isinstance(output, str) else json.dumps(output)


@dataclass
class Scripted:
    """Answers with `answer`; keeps every request. An answer may be an exception, which is raised."""

    answer: Callable[[Request], str | Exception] = good
    output_tokens: int = 100
    requests: list[Request] = field(default_factory=list)

    def __call__(self, request: Request, watch: Watch) -> Completion:
        """Answer one request."""
        self.requests.append(request)
        answer = self.answer(request)
        if isinstance(answer, Exception):
            raise answer
        watch.text(request, answer)
        return Completion(
            answer, Usage(request.prompt.input_tokens, self.output_tokens, counted="provider"), "live", 0.1, 0.05
        )


def make(complete: Scripted | None = None, pipeline: Pipeline | None = None, settings: Settings | None = None) -> Agent:
    """An agent on a small help centre that answers as scripted."""
    router: Router = make_router(pipeline or load_shipped("support"), settings)
    return Agent(router.pipeline, router, HelpCentre(ARTICLES), POLICIES, complete or Scripted(), "live")
