"""What policies leave to people, enforced in code: refunds above a limit, identity, the law, what a policy or the check says.

A rule reads the ticket's own words and the model's output, and either is enough: a model that was talked into `escalate: false`
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType

from playground.errors import BadInput
from playground.guardrails.leaks import STAGES, answer_of
from playground.guardrails.refunds import too_much_asked, too_much_promised
from playground.guardrails.topics import escalating, grants_access, is_legal, needs_identity
from playground.middleware import Through
from playground.records import Context, Handover, Step, Ticket

LIMITS: Mapping[str, Decimal] = MappingProxyType({"USD": Decimal(50), "EUR": Decimal(50), "GBP": Decimal(50)})
"""What an agent may grant per ticket: the shipped policy P01 names dollars, and the same figure stands for euros and pounds."""
REFUND_LABELS = ("refund_request", "double_charge")
IDENTITY_LABELS = ("account_access_security",)
RULES = ("refund limit", "identity", "legal", "policy", "check")
"""How the rules are named where they give a ticket to a person."""


def unverified(ticket: Ticket) -> bool:
    """Take nobody's identity as verified."""
    return False


@dataclass(frozen=True, slots=True)
class Escalation(Through):
    """The rules. `limits` is currency code to the largest refund that needs no person; a currency without one always needs one.

    `verified` says whether a ticket's sender is known, from a record and not from the ticket. Raises `BadInput` for a bad limit.
    """

    limits: Mapping[str, Decimal] = field(default_factory=lambda: LIMITS)
    verified: Callable[[Ticket], bool] = unverified
    refund_labels: tuple[str, ...] = REFUND_LABELS
    identity_labels: tuple[str, ...] = IDENTITY_LABELS

    def __post_init__(self) -> None:
        for currency, limit in self.limits.items():
            if not limit.is_finite() or limit < 0:
                raise BadInput(f"Refund limit in {currency}: {limit} is no sum of money. Write a number from 0 up.")
            if len(currency) != 3 or not currency.isupper():
                raise BadInput(f"Refund limit: {currency!r} is no currency. Write its three letters, such as USD.")

    def after(self, step: Step, context: Context) -> Handover | None:
        """Hand over where a rule asks for a person."""
        if step.stage == "check":
            said = isinstance(step.output, Mapping) and step.output.get("escalate")
            return Handover("check", "The check found that a policy asks for a person.") if said else None
        if step.stage not in STAGES or step.output is None:
            return None
        found = next(self._found(step, context), None)
        # An answer that breaks a rule was not given, so nothing after it may take it for one that was.
        return Handover(*found, withheld=step.stage == "respond") if found else None

    def _found(self, step: Step, context: Context) -> Iterator[tuple[str, str]]:
        ticket, answer, label = context.ticket, answer_of(step, context), _label(context)
        if why := too_much_promised(answer, context, self.limits):
            yield "refund limit", why.format(STAGES[step.stage])
        if why := too_much_asked(ticket, self.limits, label in self.refund_labels):
            yield "refund limit", why
        if not self.verified(ticket):
            yield from self._identity(ticket, answer, label)
        if is_legal(ticket):
            yield (
                "legal",
                "The ticket speaks of lawyers, courts, authorities or a payment dispute, which a person answers.",
            )
        if (policy := escalating(ticket, context.policies)) is not None:
            yield "policy", f"The policy {policy.id} {policy.title} asks for a person."

    def _identity(self, ticket: Ticket, answer: str, label: str) -> Iterator[tuple[str, str]]:
        if grants_access(answer):
            yield "identity", "The answer says that an account was changed, and nobody has confirmed who asks."
        if needs_identity(ticket) or label in self.identity_labels:
            yield "identity", "The ticket is about access to an account, and nobody has confirmed who asks."


def _label(context: Context) -> str:
    intent = context.earlier.get("intent")
    return str(intent.get("label", "")) if isinstance(intent, Mapping) else ""
