"""A month at a volume: what the models cost, what retries, returning tickets and escalations add, and where people are cheaper.

What providers' prompt caches take off a round depends on the volume: the more tickets come, the fewer calls write. How many write
goes by tickets, one round of each; rounds that follow and retries are taken to read and write as often, which is on the safe side.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from decimal import Decimal
from math import exp, log

from playground.money import ZERO
from playground.prompt_caching import CachedPrefix, saved_usd

Z_95 = 1.6448536269514722
VOLUME_RANGE = (1_000, 10_000_000)
DAYS_IN_MONTH = Decimal("30.4375")


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the user sets. Shares run from 0 to 1; `human_cost_usd` is for one ticket answered by a person."""

    tickets_per_month: int = 100_000
    again_share: float = 0.093
    """Tickets whose customer writes again after the agent's answer. 9.3% once more is the article's mean of 1.093 rounds."""
    again_rounds: float = 1.0
    """How many more rounds of the loop such a ticket takes, on average."""
    escalation_share: float = 0.12
    human_cost_usd: Decimal = Decimal("3.20")
    fixed_cost_usd: Decimal = Decimal(0)
    growth_share: float = 0.0
    """Growth of the volume from month to month."""
    retry_share: float = 0.01
    """What attempts that fail their check add to a round: an answer that only turns out poor is not asked for again. About what
    rehearsals of the sample log spend on them; a live run tells more."""
    bill_usd: Decimal = Decimal(0)
    """What is paid for models a month today; shown beside the plans, and part of none."""
    own_rounds: bool = True
    """Whether rounds measured in a log stand in for `again_share` and `again_rounds`."""

    @property
    def assumed_rounds(self) -> Decimal:
        """Rounds of an average ticket, as assumed."""
        return 1 + Decimal(str(self.again_share)) * Decimal(str(self.again_rounds))

    @property
    def resolved_share(self) -> Decimal:
        """Share of tickets that the agent resolves."""
        return 1 - Decimal(str(self.escalation_share))


Range = tuple[Decimal, Decimal] | None


@dataclass(frozen=True, slots=True)
class Spend:
    """What an average ticket costs in USD. A range bounds its mean at 95%, as shares of it; `None` where nothing can be said."""

    one_round_usd: Decimal
    """Without the provider's cache."""
    answers_usd: Decimal = Decimal(0)
    """The part of a round that is output tokens."""
    rounds: Decimal | None = None
    """Rounds of an average ticket as measured, each ticket weighted by its cost; `None` where nothing was measured."""
    one_round: Range = None
    with_rounds: Range = None
    """The same for all measured rounds of a ticket."""
    tickets: int = 1
    prefixes: tuple[CachedPrefix, ...] = ()
    """The fixed parts that providers cache; none where prompt caching is off."""
    warm_one_round: Range = None
    warm_with_rounds: Range = None
    """The same two with caches that are always warm, as shares of that mean."""
    cached_rounds: Decimal | None = None
    """Rounds as measured, each ticket weighted by what the cache takes off it; as `rounds` where it is not given."""

    @property
    def warm_usd(self) -> Decimal:
        """One round with caches that are always warm."""
        return self.one_round_usd - sum((p.read_usd for p in self.prefixes), ZERO)

    def cached_usd(self, tickets_per_month: float) -> Decimal:
        """One round with the provider's cache as a month of so many tickets keeps it."""
        return self.one_round_usd - saved_usd(self.prefixes, tickets_per_month)

    def all_rounds_usd(self, a: Assumptions, off_usd: Decimal) -> Decimal:
        """All rounds of an average ticket, without retries, where the cache takes so much off one."""
        rounds = self.mean_rounds(a)
        cached = self.cached_rounds if self.rounds is not None and a.own_rounds else None
        return self.one_round_usd * rounds - off_usd * (rounds if cached is None else cached)

    def range(self, a: Assumptions) -> Range:
        """The range that goes with the rounds that are used."""
        return self.with_rounds if self.rounds is not None and a.own_rounds else self.one_round

    def warm_range(self, a: Assumptions) -> Range:
        """The same with caches that are always warm."""
        return self.warm_with_rounds if self.rounds is not None and a.own_rounds else self.warm_one_round

    def mean_rounds(self, a: Assumptions) -> Decimal:
        """Rounds of an average ticket: measured where they are known and wanted, else assumed."""
        return self.rounds if self.rounds is not None and a.own_rounds else a.assumed_rounds


@dataclass(frozen=True, slots=True)
class Month:
    """One plan's month in USD. `per_resolved_usd` is all the agent costs over the tickets that needed no person."""

    models_usd: Decimal
    """One round for every ticket, without the provider's cache."""
    prompt_cache_usd: Decimal
    """What the provider's cache changes on that: below 0 it saves."""
    retries_usd: Decimal
    repeats_usd: Decimal
    people_usd: Decimal
    fixed_usd: Decimal
    low_usd: Decimal | None
    """All in at the lower end of the mean cost's interval; `None` where there is none."""
    high_usd: Decimal | None
    wasted_usd: Decimal
    """What the models cost for tickets that a person answered after all."""
    per_resolved_usd: Decimal | None
    again_ticket_usd: Decimal
    """The models for one ticket that comes back as often as assumed."""
    people_only_usd: Decimal
    break_even_resolved_share: Decimal | None
    """Share of tickets that the agent must resolve to be cheaper than people alone; `None` where human cost is zero."""

    @property
    def one_round_usd(self) -> Decimal:
        """One round for every ticket, with the provider's cache."""
        return self.models_usd + self.prompt_cache_usd

    @property
    def tokens_usd(self) -> Decimal:
        """All that is paid for models."""
        return self.one_round_usd + self.retries_usd + self.repeats_usd

    @property
    def agent_usd(self) -> Decimal:
        """Models and the fixed cost: all that the agent itself costs."""
        return self.tokens_usd + self.fixed_usd

    @property
    def all_in_usd(self) -> Decimal:
        """The agent and the people who answer what it escalates."""
        return self.agent_usd + self.people_usd


def month(spend: Spend, a: Assumptions) -> Month:
    """A month of tickets that cost as much as `spend` says. An escalated ticket pays for the agent and for a person."""
    n, a_round = Decimal(a.tickets_per_month), spend.cached_usd(a.tickets_per_month)
    retries = a_round * n * _decimal(a.retry_share)
    all_rounds = spend.all_rounds_usd(a, spend.one_round_usd - a_round)
    repeats = (all_rounds - a_round) * n * (1 + _decimal(a.retry_share))
    tokens, people = a_round * n + retries + repeats, n * (1 - a.resolved_share) * a.human_cost_usd
    agent, (low, high) = tokens + a.fixed_cost_usd, _ends(spend, a)
    return Month(
        models_usd=spend.one_round_usd * n,
        prompt_cache_usd=(a_round - spend.one_round_usd) * n,
        retries_usd=retries,
        repeats_usd=repeats,
        people_usd=people,
        fixed_usd=a.fixed_cost_usd,
        low_usd=None if low is None else agent + people + low,
        high_usd=None if high is None else agent + people + high,
        wasted_usd=tokens * (1 - a.resolved_share),
        per_resolved_usd=agent / (n * a.resolved_share) if n * a.resolved_share else None,
        again_ticket_usd=a_round * (1 + _decimal(a.retry_share)) * (1 + _decimal(a.again_rounds)),
        people_only_usd=n * a.human_cost_usd,
        break_even_resolved_share=agent / (n * a.human_cost_usd) if n * a.human_cost_usd else None,
    )


def _decimal(number: float) -> Decimal:
    return Decimal(str(number))


def _ends(spend: Spend, a: Assumptions) -> tuple[Decimal | None, Decimal | None]:
    """How far a month may lie below and above: between what it does without caches and with caches that are always warm.

    Where the latter is not known, caches are taken to change every ticket by the same.
    """
    cold, warm, n = spend.range(a), spend.warm_range(a), a.tickets_per_month
    if cold is None:
        return None, None
    read = spend.one_round_usd - spend.warm_usd
    used = saved_usd(spend.prefixes, n) / read if warm is not None and read else ZERO
    plain, cached = spend.all_rounds_usd(a, ZERO), spend.all_rounds_usd(a, read)
    low, high = (
        plain * (c - 1) * (1 - used) + cached * (w - 1) * used for c, w in zip(cold, warm or cold, strict=True)
    )
    return low * n * (1 + _decimal(a.retry_share)), high * n * (1 + _decimal(a.retry_share))


def break_even_tickets(spend: Spend, a: Assumptions) -> int | None:
    """Tickets a month above which the agent is cheaper than people alone; `None` where it never is.

    With a provider's cache the first tickets of a month cost more than the later ones: they write what those read. A month's writes
    are n x exp(-c x n) times what one costs, at most 1 / (c x e) times, so beyond that many savings it is cheaper for good.
    """
    person, tried = a.human_cost_usd * a.resolved_share, 1 + _decimal(a.retry_share)
    read = spend.one_round_usd - spend.warm_usd
    saved = person - spend.all_rounds_usd(a, read) * tried
    if saved <= 0:
        return None
    once = sum((p.extra_usd * Decimal(repr(p.most_writes)) for p in spend.prefixes), ZERO)
    writes = (spend.all_rounds_usd(a, ZERO) - spend.all_rounds_usd(a, once)) * tried
    enough = int(((a.fixed_cost_usd + writes) / saved).to_integral_value(rounding="ROUND_CEILING"))

    def pays(n: int) -> bool:
        a_ticket = spend.all_rounds_usd(a, saved_usd(spend.prefixes, n)) * tried
        return n * a_ticket + a.fixed_cost_usd <= n * person

    below = enough
    while below and pays(below):
        below //= 2
    return bisect_left(range(below, enough), True, key=pays) + below


def year(spend: Spend, a: Assumptions, months: int = 12) -> tuple[tuple[int, Month], ...]:
    """Tickets and cost, month by month, as the volume grows; the first month is at the volume itself."""
    volumes = (round(a.tickets_per_month * (1 + a.growth_share) ** i) for i in range(months))
    return tuple((n, month(spend, replace(a, tickets_per_month=max(1, n)))) for n in volumes)


def lognormal_mean(p95: float) -> Decimal:
    """Mean of a log-normal with median 1 and this 95th percentile (Crow and Shimizu 1988): exp(s^2 / 2) with s = ln p95 / 1.645."""
    sigma = log(p95) / Z_95
    return Decimal(str(round(exp(sigma * sigma / 2), 6)))


def volumes(points: int = 41) -> tuple[int, ...]:
    """Volumes from 1,000 to 10 million, evenly spaced on a log scale, to two digits."""
    low, high = (log(v) for v in VOLUME_RANGE)
    raw = (exp(low + (high - low) * i / (points - 1)) for i in range(points))
    return tuple(sorted({int(float(f"{v:.2g}")) for v in raw}))
