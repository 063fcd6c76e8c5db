"""The two prompts of a pair: the same answers in both orders, without names, and unable to leave their tags."""

from __future__ import annotations

from collections.abc import Mapping

from playground import tokens
from playground.pipeline import Stage
from playground.prompts import passage_block
from playground.records import Context, Message, Output, Prompt
from playground.scoring.reading import shown
from playground.scoring.rubrics import Rubric
from playground.templates import fence, fill

JUDGE = "judge"
"""The stage of a judge's calls, receipts and prompts."""


def judge_prompts(
    stage: Stage, context: Context, current: Output, candidate: Output, rubric: Rubric
) -> tuple[Prompt, Prompt]:
    """Both orders: in the first the current answer is A, in the second the candidate's is."""
    one, two = shown(current), shown(candidate)
    system = Message("system", _system(rubric, context))
    return (
        _prompt(1, system, stage, context, (one, two), rubric),
        _prompt(2, system, stage, context, (two, one), rubric),
    )


def _system(rubric: Rubric, context: Context) -> str:
    opinion = '{"winner": "A", "B" or "tie", "reason": "<one sentence>"}'
    names = (*rubric.criteria, "overall")
    lines = {
        "criteria": "\n".join(f"- {name}: {meaning}" for name, meaning in rubric.criteria.items()),
        "policies": "\n".join(f"{p.id} {p.title}. {p.text}" for p in context.policies),
        "form": "{" + ", ".join(f'"{name}": {opinion}' for name in names) + "}",
    }
    return fill(rubric.system, lines).strip()


def _prompt(
    call: int, system: Message, stage: Stage, context: Context, answers: tuple[str, str], rubric: Rubric
) -> Prompt:
    user = Message("user", fill(rubric.user, _values(stage, context, answers)))
    total, prefix = tokens.count_messages((system, user)), tokens.count_fixed(system.content)
    return Prompt(JUDGE, call, (system, user), total, prefix, context.passages)


def _values(stage: Stage, context: Context, answers: tuple[str, str]) -> Mapping[str, str]:
    ticket = context.ticket
    outside = {"subject": ticket.subject or "(none)", "ticket": ticket.text, "stage": stage.title}
    outside |= {"answer_a": answers[0], "answer_b": answers[1]}
    passages = "\n\n".join(passage_block(p.id, p.title, p.text) for p in context.passages)
    return {name: fence(text) for name, text in outside.items()} | {"passages": passages or "(none)"}
