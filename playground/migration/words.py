"""What a sum of the plan is, in words: always a month, always an estimate, and never silent about a stage without a price."""

from __future__ import annotations

from playground.money import Total, usd

COUNTED = "with failed attempts and tickets that come back"
"""What a month of the plan holds and a month of models alone does not."""
ESTIMATES = f"Sums a month are estimates, {COUNTED}."


def a_month(total: Total, of: str = "") -> str:
    """`$5.00 a month`; where a stage has no price, `at least $5.00 a month, 2 stages unpriced`. `of` stands after the sum."""
    if not total.unpriced_calls:
        return f"{usd(total.known_usd)}{of} a month"
    stages = "1 stage" if total.unpriced_calls == 1 else f"{total.unpriced_calls} stages"
    if not total.known_usd:
        return f"an unknown sum{of} a month, {stages} unpriced"
    return f"at least {usd(total.known_usd)}{of} a month, {stages} unpriced"
