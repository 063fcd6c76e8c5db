"""One call, answered or not, as attempts with receipts: whatever became of it is billed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from playground.errors import CallFailed, Cancelled
from playground.money import ZERO
from playground.prices import cost_usd
from playground.recording import UNRECORDED, Record
from playground.records import (
    Attempt,
    Candidate,
    Completion,
    Outcome,
    Output,
    Plan,
    Provenance,
    Receipt,
    Request,
    Try,
    Usage,
    Verdict,
)
from playground.watch import Complete, Watch

PICO_USD = Decimal("1e-12")
NO_USAGE = Usage(0, 0, counted="estimate")
Check = Callable[[Request, Completion], tuple[Verdict, Output | None]]
"""Whether an answer may be used, and the output it holds."""


def billed_usd(done: Completion, candidate: Candidate) -> Decimal | None:
    """What an answer or a part of one cost at the candidate's price; `None` where that is unknown.

    An answer out of our own cache asks nobody, and a call that was refused used nothing: both cost nothing at any price.
    """
    unused = not done.usage.input_tokens and not done.usage.output_tokens
    return ZERO if unused or done.source != "model" else whole(cost_usd(done.usage, candidate.model.price))


def whole(usd: Decimal | None) -> Decimal | None:
    """Money in whole 10^-12 USD, as the ledger keeps it: exact for every price with at most six digits after the point."""
    if usd is None:
        return None
    rounded = usd.quantize(PICO_USD)
    return usd if usd == rounded else rounded


@dataclass(frozen=True, slots=True)
class Biller:
    """Makes calls and bills them. `stage` is what stands on the receipts; `provenance` is that of a call that got no answer.

    `record` is told of every receipt before it is returned.
    """

    pipeline: str
    plan: Plan
    stage: str
    provenance: Provenance
    record: Record = UNRECORDED
    rule: str = ""
    """Why this candidate is asked, where no try has a rule of its own."""

    def attempts(
        self, request: Request, watch: Watch, complete: Complete, check: Check, first: int = 1
    ) -> tuple[Attempt, ...]:
        """Every try at a call, the last one being what came of it; `first` numbers them.

        Raises `HandedOver` where a guardrail held the call back and nothing was tried.
        """
        return self._recorded(request, self._attempts(request, watch, complete, check, first))

    def tried(self, request: Request, tries: tuple[Try, ...], first: int = 1) -> tuple[Attempt, ...]:
        """Tries of a call that got no answer, as attempts."""
        return self._recorded(request, self._all_tried(request, tries, first))

    def _recorded(self, request: Request, made: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
        if made:
            self.record.paid(request, [a.receipt for a in made])
        return made

    def _attempts(
        self, request: Request, watch: Watch, complete: Complete, check: Check, first: int
    ) -> tuple[Attempt, ...]:
        try:
            done = complete(request, watch)
        except Cancelled as stop:
            asked, number = stop.candidate or request.candidate, first + len(stop.tries)
            stopped = self._broken(request, number, asked, stop.partial, "cancelled", str(stop))
            stopped = replace(stopped, receipt=replace(stopped.receipt, rule=stop.rule or self.rule))
            return (*self._all_tried(request, stop.tries, first), stopped)
        except CallFailed as failure:
            last = failure.last or Try(request.candidate, failure.kind, str(failure), failure.partial)
            return self._all_tried(request, (*failure.tries, last), first)
        verdict, output = check(request, done)
        number = first + len(done.tries)
        receipt = self._receipt(
            request, number, done.candidate or request.candidate, done, "ok" if verdict.ok else "rejected"
        )
        answered = Attempt(done.candidate or request.candidate, done.text, verdict, receipt, output)
        return (*self._all_tried(request, done.tries, first), answered)

    def _all_tried(self, request: Request, tries: tuple[Try, ...], first: int) -> tuple[Attempt, ...]:
        return tuple(self._tried(request, number, t) for number, t in enumerate(tries, first))

    def _tried(self, request: Request, number: int, t: Try) -> Attempt:
        if t.kind is not None:
            return self._failed(request, number, t)
        done = t.partial or Completion("", NO_USAGE, self.provenance)
        receipt = replace(self._receipt(request, number, t.candidate, done, "ok"), rule=t.rule)
        return Attempt(t.candidate, "", Verdict(True), receipt)

    def _failed(self, request: Request, number: int, t: Try) -> Attempt:
        made = self._broken(request, number, t.candidate, t.partial, "failed", t.message)
        receipt = made.receipt
        latency_s = t.latency_s if receipt.latency_s is None else receipt.latency_s
        return replace(
            made,
            receipt=replace(
                receipt, failure=t.kind, rule=t.rule or self.rule, latency_s=latency_s, waited_s=t.waited_s
            ),
        )

    def _broken(
        self,
        request: Request,
        number: int,
        candidate: Candidate,
        partial: Completion | None,
        outcome: Outcome,
        why: str,
    ) -> Attempt:
        done = partial or Completion("", NO_USAGE, self.provenance)
        receipt = self._receipt(request, number, candidate, done, outcome)
        return Attempt(candidate, done.text, Verdict(False, (why,)), receipt, error=why)

    def _receipt(
        self, request: Request, number: int, candidate: Candidate, done: Completion, outcome: Outcome
    ) -> Receipt:
        model = candidate.model
        return Receipt(
            ticket_id=request.context.ticket.id,
            pipeline=self.pipeline,
            plan=self.plan,
            stage=self.stage,
            call=request.prompt.call,
            attempt=number,
            model=model.name,
            provider=model.provider,
            effort=candidate.effort,
            usage=done.usage,
            cost_usd=billed_usd(done, candidate),
            price_as_of=model.price.as_of if model.price else None,
            provenance=done.provenance,
            outcome=outcome,
            latency_s=done.latency_s,
            first_token_s=done.first_token_s,
            source=done.source,
            rule=done.rule or self.rule,
            saved=done.saved,
            saved_usd=None if done.saved is None else whole(cost_usd(done.saved, model.price)),
        )
