"""A judge at work: both orders of a pair through one way to call models, with every attempt kept and billed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from playground.catalog import reasoning_tokens
from playground.errors import CallFailed, HandedOver
from playground.pipeline import Stage
from playground.receipts import Biller
from playground.recording import UNRECORDED, Record
from playground.records import (
    Attempt,
    Candidate,
    Completion,
    Context,
    Output,
    OutputSpec,
    Plan,
    Prompt,
    Provenance,
    Receipt,
    Request,
    Verdict,
)
from playground.scoring.judge_prompts import JUDGE, judge_prompts
from playground.scoring.judgements import Judgement, joined, judgement_schema, read_judgement
from playground.scoring.reading import shown, usable
from playground.scoring.rubrics import Rubric, shipped_rubric
from playground.scoring.scores import Lengths, Score
from playground.scoring.stages import same_text, score
from playground.watch import Complete, Unwatched, Watch

TRIES = 2
"""A second try where the first was off-format or failed; a third would hide a judge that cannot do the work."""
TYPICAL_OUTPUT_TOKENS = 160
MAX_OUTPUT_TOKENS = 700
THINKING_ROOM = 4
_FINAL = ("auth", "no_access", "no_credit", "bad_request", "rate_limit", "down")
"""Failures that a second try meets again: a provider that limits calls or is down answers none right after."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Who judges, by which rubric and how it is called. `plan` and `pipeline` go on its receipts.

    `quality` makes only a rehearsal err: that share of its judgements holds.
    """

    candidate: Candidate
    complete: Complete
    provenance: Provenance
    rubric: Rubric
    pipeline: str = ""
    plan: Plan = "before"
    quality: float | None = None
    timeout_s: float = 60.0
    record: Record = UNRECORDED

    @classmethod
    def shipped(cls, candidate: Candidate, complete: Complete, provenance: Provenance) -> Judge:
        """A judge with the rubric that comes with the app."""
        return cls(candidate, complete, provenance, shipped_rubric())


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair, judged. `score` is `None` where the judge's answer is missing; `attempts` hold every call, in order."""

    score: Score | None
    first: Judgement | None = None
    second: Judgement | None = None
    attempts: tuple[Attempt, ...] = ()
    lengths: Lengths = (0, 0)
    held: str = ""
    """Why a cap let no further call out; empty where none did."""

    @property
    def missing(self) -> bool:
        """Whether the judge gave no usable answer; such a pair has no score and must be counted as missing."""
        return self.score is None

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """Every attempt's receipt, failed ones included: they are billed."""
        return tuple(a.receipt for a in self.attempts)

    @property
    def problem(self) -> str:
        """Why the judge's answer is missing; empty where it is not."""
        if self.held or not (self.missing and self.attempts):
            return self.held
        return " ".join(self.attempts[-1].verdict.findings)

    @property
    def unanswered(self) -> str:
        """Why no answer came at all; empty for one that came and cannot be read, which counts as missing."""
        last = self.attempts[-1].receipt.outcome if self.attempts else "ok"
        return self.problem if self.held or last in ("failed", "cancelled") else ""


def judge(
    by: Judge,
    stage: Stage,
    context: Context,
    current: Output | None,
    candidate: Output | None,
    watch: Watch | None = None,
) -> Judged:
    """Judge a pair in both orders. A failed arm and equal texts need no call; a first order without an answer ends it.

    A call that a cap holds back ends it too, and what was paid before it is kept.
    """
    lengths = (len(shown(current)), len(shown(candidate)))
    one, two = usable(stage, current), usable(stage, candidate)
    if one is None or two is None or same_text(one, two):
        return Judged(score(stage, context, current, candidate), lengths=lengths)
    prompts, answers = judge_prompts(stage, context, one, two, by.rubric), (shown(one), shown(two))
    found: list[Judgement] = []
    attempts: list[Attempt] = []
    for prompt, order in zip(prompts, (answers, answers[::-1]), strict=True):
        call = _Call(by, prompt, _with_answers(context, stage, order), watch or Unwatched())
        try:
            judgement = call.answer(attempts)
        except HandedOver as held:
            return Judged(None, found[0] if found else None, None, tuple(attempts), lengths, str(held))
        if judgement is None:
            return Judged(None, found[0] if found else None, None, tuple(attempts), lengths)
        found.append(judgement)
    return Judged(joined(found[0], found[1], lengths), found[0], found[1], tuple(attempts), lengths)


def _with_answers(context: Context, stage: Stage, answers: tuple[str, ...]) -> Context:
    """The context with the answers in the order of the prompt: the rehearsal reads it in place of the prompt."""
    return replace(context, earlier={**context.earlier, "judged": stage.key, "A": answers[0], "B": answers[1]})


@dataclass(frozen=True, slots=True)
class _Call:
    """One order of a pair."""

    by: Judge
    prompt: Prompt
    context: Context
    watch: Watch

    def answer(self, attempts: list[Attempt]) -> Judgement | None:
        """Ask until an answer can be read, and add every attempt to the list. Raises `HandedOver` where a cap holds one back."""
        bill = Biller(self.by.pipeline, self.by.plan, JUDGE, self.by.provenance, self.by.record)
        before = len(attempts) - 1
        for _ in range(TRIES):
            request, number = self._request(), len(attempts) - before
            try:
                attempts += bill.attempts(request, self.watch, self.by.complete, self._check, number)
            except HandedOver as held:
                attempts += bill.tried(request, held.tries, number)
                raise
            last = attempts[-1]
            if last.output is not None:
                return read_judgement(last.text, self.by.rubric.criteria)
            if last.receipt.outcome == "cancelled" or last.receipt.failure in _FINAL or self.watch.cancelled():
                return None
        return None

    def _check(self, request: Request, done: Completion) -> tuple[Verdict, Output | None]:
        try:
            read_judgement(done.text, self.by.rubric.criteria)
        except CallFailed as off_format:
            return Verdict(False, (str(off_format),)), None
        return Verdict(True), done.text

    def _request(self) -> Request:
        candidate = self.by.candidate
        # Thinking is billed and capped as output, as in the loop.
        cap = MAX_OUTPUT_TOKENS + THINKING_ROOM * reasoning_tokens(candidate, TYPICAL_OUTPUT_TOKENS)
        spec = OutputSpec("json", judgement_schema(self.by.rubric.criteria))
        return Request(
            candidate, self.prompt, spec, cap, TYPICAL_OUTPUT_TOKENS, self.context, self.by.quality, self.by.timeout_s
        )
