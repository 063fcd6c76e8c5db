"""Which models may answer in another's place: a list that is checked beforehand, and the rule that lets each one stand in.

Nothing ever moves in silence to a model that is dearer or below the bar. An equivalent is asked only where a rule says why it may,
and the receipt carries the rule; one that no rule allows is left out, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter

from playground.difficulty import cues, retrieval_cues
from playground.errors import BadInput, BadModel
from playground.money import usd
from playground.options import Limits, Load, Option
from playground.pipeline import Stage
from playground.records import Candidate, Quality, Request
from playground.router import Router

Equivalents = Mapping[str, tuple[Candidate, ...]]
"""Candidate key to the candidates that may answer in its place, in order."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether a candidate may answer in place of a request's own; `sentence` is the rule, or why it is left out."""

    ok: bool
    sentence: str


Allowed = Callable[[Request, Candidate], Ruling]


@dataclass(frozen=True, slots=True)
class Permission:
    """What the user allows beyond "costs no more and clears the bar". Each is named in the rule of the receipts it leads to.

    A router that picks the cheapest leaves only dearer equivalents. `up_to_today` admits those that cost no more than what the
    stage runs on today; `dearer_up_to` is how many times as much as the chosen candidate one may cost. `without_evidence` admits
    one of which nothing is known at a stage, such as a model on a server of one's own. Nothing admits what is known to be below
    the bar.
    """

    dearer_up_to: Decimal = Decimal(1)
    up_to_today: bool = False
    without_evidence: bool = False

    def __post_init__(self) -> None:
        if not (self.dearer_up_to.is_finite() and self.dearer_up_to >= 1):
            raise BadInput(f"dearer_up_to must be a factor of 1 or more, not {self.dearer_up_to}.")


def check_equivalents(listed: Mapping[str, Sequence[str]], named: Callable[[str], Candidate]) -> Equivalents:
    """The list with its names looked up, as `Router.named` does. A list under a model's name holds at all its efforts.

    Raises `BadInput`, in one sentence, for a name that does not exist or stands twice, and for a circle.
    """
    found: dict[str, tuple[Candidate, ...]] = {}
    for name, others in listed.items():
        key = _named(name, named).key
        if key in found:
            raise BadInput(f"Equivalents: {key} has two lists. Join them into one.")
        found[key] = tuple(_named(other, named) for other in others)
        twice = next((c.key for c in found[key] if found[key].count(c) > 1), None)
        if twice is not None:
            raise BadInput(f"Equivalents: {twice} stands twice in the list of {key}. Name it once.")
    _no_circles(found)
    return found


def in_order(equivalents: Equivalents, chosen: Candidate) -> tuple[Candidate, ...]:
    """Who may answer in a candidate's place, nearest first: its own list, then the lists of those on it; each one once."""
    order = [chosen]
    for candidate in order:  # grows while it is walked
        order += [c for c in dict.fromkeys(listed_for(equivalents, candidate)) if c not in order]
    return tuple(order[1:])


def _named(name: str, named: Callable[[str], Candidate]) -> Candidate:
    try:
        return named(name)
    except BadModel as error:
        raise BadInput(f"Equivalents: {error}") from error


def listed_for(equivalents: Equivalents, candidate: Candidate) -> tuple[Candidate, ...]:
    """A candidate's own list; where it has none, that of its model."""
    return equivalents.get(candidate.key) or equivalents.get(candidate.model.name, ())


def _no_circles(found: Equivalents) -> None:
    everyone = {c.key: c for others in found.values() for c in others}
    graph = {key: [c.key for c in others] for key, others in found.items()}
    graph |= {key: [o.key for o in listed_for(found, c)] for key, c in everyone.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1][::-1]
        if len(circle) == 2:
            raise BadInput(f"Equivalents: {circle[0]} is listed in its own place. Take it off the list.") from None
        raise BadInput(
            f"Equivalents: {' -> '.join(circle)} is a circle. Take one of these off the list of another."
        ) from None


def router_rules(router: Router, permission: Permission | None = None) -> Allowed:
    """The rule of a router: what it would not have chosen for this prompt may not answer it either.

    An equivalent must be allowed by the settings, callable, not retired, long enough in its context, and clear the stage's bar for
    this ticket; or be what the stage runs on today. Its list cost for the counted input and the typical answer may be no more than
    that of the candidate that was asked, or no more than `permission` says.
    """
    granted = permission or Permission()
    return lambda request, candidate: _Case(router, granted, request, candidate).ruling()


@dataclass(frozen=True, slots=True)
class _Case:
    """One equivalent for one request."""

    router: Router
    permission: Permission
    request: Request
    candidate: Candidate

    def ruling(self) -> Ruling:
        stage, asked = self.router.pipeline.stage(self.request.prompt.stage), self.request
        load = Load((asked.prompt.input_tokens,), asked.typical_output_tokens, stage.max_output_tokens)
        bar = self._bar(stage)
        today = self.router.named(stage.before)
        own, other, before = (self._option(stage, bar, c) for c in (asked.candidate, self.candidate, today))
        seen = other.look(load, None, Limits(self.router.settings.call_budget_usd))
        unknown = (
            seen.code == "no_evidence" and self.permission.without_evidence and not _known_below(seen.quality, bar)
        )
        if not seen.passes and not unknown:
            return Ruling(False, seen.reason)
        fit = "has no evidence here, which your list allows" if unknown else self._fit(today, bar)
        price = self._price(own.cost_usd(load), seen.cost_usd, before.cost_usd(load))
        return Ruling(True, f"{price.sentence} and {fit}") if price.ok else price

    def _bar(self, stage: Stage) -> float:
        context = self.request.context
        weak = retrieval_cues(context.passages if "rerank" in context.earlier else ())
        return self.router.bar(stage, (*cues(context.ticket), *weak)).value

    def _option(self, stage: Stage, bar: float, candidate: Candidate) -> Option:
        known = self.router.options(stage, bar, candidate)
        return next(o for o in known if o.candidate.key == candidate.key)

    def _fit(self, today: Candidate, bar: float) -> str:
        if self.candidate.key == today.key:
            return "is what this stage runs on today"
        proven = self.router.settings.assurance == "proven"
        return "is proven for this stage" if proven else f"clears the bar of {bar:.2f}"

    def _price(self, own: Decimal | None, other: Decimal | None, today: Decimal | None) -> Ruling:
        if own is None or other is None:
            who = self.request.candidate.key if own is None else self.candidate.key
            return Ruling(False, f"{who} has no known price, so the two cannot be compared")
        if other <= own:
            return Ruling(True, "costs no more")
        both, limit = f"{usd(other)} a call against {usd(own)}, at the usual length", ""
        if other <= own * self.permission.dearer_up_to:
            limit = f"{self.permission.dearer_up_to:f} times"
        elif self.permission.up_to_today and today is not None and other <= today:
            limit = f"what the stage costs today at that length, {usd(today)}"
        if limit:
            return Ruling(True, f"is dearer ({both}), which your list allows up to {limit},")
        return Ruling(False, f"it is dearer ({both})")


def _known_below(quality: Quality, bar: float) -> bool:
    return quality.enough and quality.estimate is not None and quality.estimate < bar
