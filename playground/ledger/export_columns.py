"""The columns of an export: names that stay, what each holds, and what OpenTelemetry calls it.

`SCHEMA_VERSION` goes up when a column is renamed, removed or means something else; columns that are added go to the end.
OpenTelemetry's names are those of its conventions for generative AI, which are still in development.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from playground.ledger.values import Kept
from playground.records import Usage

SCHEMA_VERSION = 1
Kind = Literal["integer", "text", "money", "number", "time", "day"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `value` gives a time as `datetime`, a day as `date`, money as `Decimal`; `None` is unknown."""

    name: str
    kind: Kind
    about: str
    value: Callable[[Kept], Any]
    otel: str = ""


def _saved(name: str) -> Callable[[Kept], Any]:
    def value(kept: Kept) -> Any:
        usage: Usage | None = kept.entry.receipt.saved
        return None if usage is None else getattr(usage, name)

    return value


def _receipt(name: str) -> Callable[[Kept], Any]:
    return lambda kept: getattr(kept.entry.receipt, name)


def _used(name: str) -> Callable[[Kept], Any]:
    return lambda kept: getattr(kept.entry.receipt.usage, name)


COLUMNS: tuple[Column, ...] = (
    Column("schema_version", "integer", "Version of these columns", lambda k: SCHEMA_VERSION),
    Column("receipt_id", "integer", "Number in the ledger, rising; the row's key within one ledger", lambda k: k.id),
    Column("at", "time", "When the attempt ended, UTC", lambda k: k.entry.at, "the span's end time"),
    Column("day", "day", "Its day, UTC", lambda k: k.entry.at.date()),
    Column("run_id", "text", "The run that it belongs to", lambda k: k.entry.run),
    Column("purpose", "text", "ticket, sample, shadow, second opinion or tuning", lambda k: k.entry.purpose),
    Column("provenance", "text", "rehearsal (no model was called), live or recorded; never add them up", _receipt("provenance")),
    Column("customer_id", "text", "Whose ticket it was; null where the ticket names nobody", lambda k: k.entry.customer),
    Column("ticket_id", "text", "The ticket", _receipt("ticket_id"), "gen_ai.conversation.id"),
    Column("ticket_digest", "text", "Tells tickets apart without their text", lambda k: k.entry.ticket_digest),
    Column("ticket_text", "text", "The ticket's text; null unless it was asked to be kept", lambda k: k.entry.text),
    Column("pipeline", "text", "The agent", _receipt("pipeline"), "gen_ai.agent.name"),
    Column("plan", "text", "before, stratified or kr-auto", _receipt("plan")),
    Column("stage", "text", "The agent's stage, or judge", _receipt("stage")),
    Column("call", "integer", "Number of the call within its stage", _receipt("call")),
    Column("attempt", "integer", "Number of the try within its call; failed tries are billed too", _receipt("attempt")),
    Column("provider", "text", "Who serves the model", _receipt("provider"), "gen_ai.provider.name"),
    Column("model", "text", "The model that was asked", _receipt("model"), "gen_ai.request.model"),
    Column("effort", "text", "Reasoning effort that was asked for", _receipt("effort")),
    Column("outcome", "text", "ok, rejected, failed or cancelled", _receipt("outcome")),
    Column("failure", "text", "How a failed attempt failed", _receipt("failure"), "error.type"),
    Column("source", "text", "model, exact cache or semantic cache", _receipt("source")),
    Column("rule", "text", "Why another model than the chosen one was asked; empty where none was", _receipt("rule")),
    Column("input_tokens", "integer", "Input, cached tokens included", _used("input_tokens"), "gen_ai.usage.input_tokens"),
    Column("output_tokens", "integer", "Output, reasoning included", _used("output_tokens"), "gen_ai.usage.output_tokens"),
    Column("cache_read_tokens", "integer", "Of the input, read from the provider's cache", _used("cache_read_tokens"),
           "gen_ai.usage.cache_read.input_tokens"),
    Column("cache_write_tokens", "integer", "Of the input, written to the provider's cache", _used("cache_write_tokens"),
           "gen_ai.usage.cache_creation.input_tokens"),
    Column("reasoning_tokens", "integer", "Of the output, reasoning", _used("reasoning_tokens"),
           "gen_ai.usage.reasoning.output_tokens"),
    Column("tokens_counted", "text", "Who counted: provider, tokenizer or estimate", _used("counted")),
    Column("cost_usd", "money", "What the attempt cost; null where the model has no price", _receipt("cost_usd")),
    Column("price_date", "day", "The day that its price was right", _receipt("price_as_of")),
    Column("before_usd", "money", "The same call on today's model; null where not used", lambda k: k.entry.before_usd),
    Column("saved_usd", "money", "What an answer out of our own cache saved", _receipt("saved_usd")),
    Column("saved_input_tokens", "integer", "Input of the call that a cached answer comes from", _saved("input_tokens")),
    Column("saved_output_tokens", "integer", "Output of that call", _saved("output_tokens")),
    Column("saved_cache_read_tokens", "integer", "Of that input, read from the provider's cache", _saved("cache_read_tokens")),
    Column("saved_cache_write_tokens", "integer", "Of that input, written to the provider's cache", _saved("cache_write_tokens")),
    Column("saved_reasoning_tokens", "integer", "Of that output, reasoning", _saved("reasoning_tokens")),
    Column("saved_tokens_counted", "text", "Who counted those", _saved("counted")),
    Column("latency_s", "number", "Seconds from asking to the last token; null in rehearsal", _receipt("latency_s"),
           "gen_ai.client.operation.duration"),
    Column("first_token_s", "number", "Seconds to the first token", _receipt("first_token_s"),
           "gen_ai.client.operation.time_to_first_chunk"),
    Column("waited_s", "number", "Seconds from a failed attempt to the next", _receipt("waited_s")),
    Column("assurance", "text", "How kr-auto chose: estimated or proven; null for other plans and in older receipts",
           lambda k: k.entry.assurance),
)  # fmt: skip
"""In their order in every format."""
OPERATION = ("gen_ai.operation.name", "chat")
"""What holds for every row, and therefore has no column."""
