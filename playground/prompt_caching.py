"""Prompt caching at a provider: how long it keeps a prompt's fixed part, which calls pay for writing it, and where it needs a mark.

A call that comes within the time a provider keeps the fixed part reads it at the read price, and that time begins anew. Any other
call writes it, at the write price. Where calls come at random, `rate` a second on average, none came for `keeps_s` seconds with
probability exp(-rate x keeps_s), so that is the share of calls that write (Poisson arrivals; the hit probability 1 - exp(-rate x T)
of a cache whose timer each request resets: Fofack, Nain, Neglia and Towsley 2014, Computer Networks 65, policy R). Calls of one
ticket go out side by side, and each of them writes where one does: the rate is that of tickets.

At few tickets a month writing costs more than reading saves. A day's rush makes calls stand closer together than at random.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, e, exp, log
from typing import Any, Literal

from playground.money import ZERO
from playground.prices import cached_prefix
from playground.records import Model, Prompt, Rates

SECONDS_IN_MONTH = 30.4375 * 86_400
SHORT_S, HALF_HOUR_S = 300.0, 1_800.0
"""Anthropic keeps a prefix for 5 minutes after its last use (platform.claude.com, prompt caching). OpenAI keeps what it charges for
writing at least 30 minutes (developers.openai.com, prompt caching); of older models, and by most others, 5 to 10 minutes of
silence are said, and the shorter is assumed."""
Mark = Literal["", "anthropic", "openai"]
_BY_MARK = {"mode": "explicit"}
_MARKS: Mapping[str, dict[str, Any]] = {
    "anthropic": {"cache_control": {"type": "ephemeral"}},
    "openai": {"prompt_cache_breakpoint": _BY_MARK},
}


def keeps_s(model: Model) -> float:
    """Seconds for which the provider keeps a fixed part after its last use."""
    return HALF_HOUR_S if mark_of(model) == "openai" else SHORT_S


def mark_of(model: Model) -> Mark:
    """How the end of the fixed part is marked; empty where the provider finds it by itself, or it is a server of one's own.

    OpenAI's models that charge for writing match at marks alone. Without one they write each whole prompt, and read none.
    """
    if model.endpoint is not None or model.price is None:
        return ""
    if model.provider == "Anthropic":
        return "anthropic"
    writes = model.price.rates.cache_write_usd_per_mtok
    return "openai" if model.provider == "OpenAI" and writes is not None else ""


def marked(model: Model, prompt: Prompt, is_on: bool = True) -> list[dict[str, Any]]:
    """A prompt's messages as they are sent: with a mark where the fixed part ends, if the provider needs one.

    None where that is off, or the fixed part is too short to be cached: no write is paid for nothing.
    """
    sent: list[dict[str, Any]] = [{"role": m.role, "content": m.content} for m in prompt.messages]
    mark = _MARKS.get(mark_of(model)) if is_on else None
    if mark and sent and sent[0]["role"] == "system" and cached_prefix(model, prompt.prefix_tokens):
        sent[0]["content"] = [{"type": "text", "text": sent[0]["content"], **mark}]
    return sent


def cache_options(model: Model) -> dict[str, Any]:
    """What a call says of caching as a whole: OpenAI's newest models would else write each whole prompt, which costs more."""
    return {"prompt_cache_options": _BY_MARK} if mark_of(model) == "openai" else {}


def write_share(calls_a_second: float, kept_s: float) -> float:
    """The share of calls that find nothing kept, and write."""
    return exp(-calls_a_second * kept_s)


@dataclass(frozen=True, slots=True)
class CachedPrefix:
    """The fixed part of one stage's prompts on one model, as its provider caches it; USD for an average ticket and round."""

    stage: str
    model: str
    keeps_s: float
    read_usd: Decimal
    """What is saved if every call reads."""
    extra_usd: Decimal
    """What is lost of that if every call writes."""
    share: float = 1.0
    """Of all tickets, whose calls go to this model."""

    def written(self, tickets_per_month: float) -> float:
        """The share of these calls that writes, where so many tickets come in a month, at random around the clock."""
        return write_share(tickets_per_month * self.share / SECONDS_IN_MONTH, self.keeps_s)

    def saved_usd(self, tickets_per_month: float) -> Decimal:
        """What a ticket saves; below 0 where writing costs more than reading saves."""
        return self.read_usd - Decimal(repr(self.written(tickets_per_month))) * self.extra_usd

    def part(self, share: Decimal) -> CachedPrefix:
        """The same where only a share of these calls is made; they come less often."""
        usds = (self.read_usd * share, self.extra_usd * share)
        return CachedPrefix(self.stage, self.model, self.keeps_s, *usds, self.share * float(share))

    @property
    def most_writes(self) -> float:
        """The most tickets of a month that write, at whatever volume: n x exp(-c x n) is at most 1 / (c x e)."""
        return SECONDS_IN_MONTH / (self.share * self.keeps_s * e) if self.share else 0.0

    @property
    def pays_from(self) -> int:
        """Tickets a month from which it costs less with than without; 0 where it always does."""
        return pays_from(self.read_usd, self.extra_usd, self.keeps_s, self.share)


def saved_usd(prefixes: Iterable[CachedPrefix], tickets_per_month: float) -> Decimal:
    """What all of them save an average ticket and round."""
    return sum((p.saved_usd(tickets_per_month) for p in prefixes), ZERO)


def read_saving_usd_per_mtok(rates: Rates) -> Decimal:
    """What a token saves that is read from the cache; nothing without a published price."""
    fresh, read = rates.input_usd_per_mtok, rates.cache_read_usd_per_mtok
    return Decimal(0) if fresh is None or read is None else fresh - read


def write_extra_usd_per_mtok(rates: Rates) -> Decimal:
    """What a token costs more when it is written than when it is read; a write without a price is ordinary input.

    A write price of zero is DeepSeek's, which bills what misses its cache as ordinary input: no token costs less than that.
    """
    fresh, read = rates.input_usd_per_mtok, rates.cache_read_usd_per_mtok
    if fresh is None or read is None:
        return Decimal(0)
    return (rates.cache_write_usd_per_mtok or fresh) - read


def pays_from(read_usd: Decimal, extra_usd: Decimal, kept_s: float, share: float = 1.0) -> int:
    """Tickets a month from which caching costs less than not caching, where `share` of them make the calls; 0 where it always does.

    `read_usd` is what reading saves and `extra_usd` what writing costs more than that: even where a share of read / extra writes.
    """
    if read_usd <= 0 or share <= 0 or extra_usd <= read_usd:
        return 0
    return ceil(-log(float(read_usd / extra_usd)) / kept_s * SECONDS_IN_MONTH / share)
