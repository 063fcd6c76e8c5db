"""The words that values are made of: each is a closed list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Plan = Literal["before", "stratified", "kr-auto"]
PLANS: tuple[Plan, ...] = ("before", "stratified", "kr-auto")
Provenance = Literal["rehearsal", "live", "recorded"]
Assurance = Literal["estimated", "proven"]
ASSURANCES: tuple[Assurance, ...] = ("estimated", "proven")
Effort = Literal["default", "none", "minimal", "low", "medium", "high", "xhigh", "max"]
Counted = Literal["provider", "tokenizer", "estimate"]
Outcome = Literal["ok", "rejected", "failed", "cancelled"]
FailureKind = Literal[
    "auth", "rate_limit", "server", "timeout", "cut_stream", "bad_request", "connection", "malformed", "down",
    "no_access", "no_credit",
]  # fmt: skip
"""How a call failed; `down` was never sent, because its provider is known not to answer."""
Source = Literal["model", "exact cache", "semantic cache"]
"""Where an answer came from."""
EMBEDDED = "embedded for the semantic cache"
"""The rule on the receipt of an embedding."""
CLIMBED = "the stage's next step up"
"""How the rule begins on the receipt of a call that climbed."""
StepState = Literal["done", "failed", "cancelled"]
ReasonCode = Literal[
    "chosen", "pinned", "before", "tier", "dearer", "below_bar", "no_evidence", "too_long", "over_budget",
    "provider_off", "retired", "unpriced", "never",
]  # fmt: skip
Output = Mapping[str, Any] | str
