"""Personal data is found by its form, and what the ticket or an article holds may be repeated."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.guardrails.addresses import Sites
from playground.guardrails.personal import (
    ACCOUNT,
    CARD,
    KEY,
    MAIL,
    NUMBER,
    REFERENCE,
    Known,
    is_account,
    is_card,
    strange,
)
from playground.knowledge import sample_help_centre, sample_policies

NONE = Known.of([], [])
SITES = Sites(("tallyfield.example",))
OTHERS = [
    ("Write to maria.k@quietriver.example please.", MAIL),
    ("Write to maria.k [at] quietriver [dot] example please.", MAIL),
    ("Write to ma\u200bria@quietriver.example please.", MAIL),
    ("Call +49 151 2345 6789.", NUMBER),
    ("Call (555) 019-2843 now.", NUMBER),
    ("Call 0301234567.", NUMBER),
    ("Card 4111 1111 1111 1111 was used.", CARD),
    ("Card 4111-1111-1111-1111 was used.", CARD),
    ("Card \uff14\uff11\uff11\uff11 1111 1111 1111 was used.", CARD),
    ("Account DE89 3704 0044 0532 0130 00.", ACCOUNT),
    ("Account GB29NWBK60161331926819.", ACCOUNT),
    ("See TF-998812.", REFERENCE),
    ("See tf-998812.", REFERENCE),
    ("See TF 998812.", REFERENCE),
    ("See TF998812.", REFERENCE),
    ("See ticket #99881.", REFERENCE),
    ("Your order no. 77120 is late.", REFERENCE),
    ("Ihre Rechnung Nr. 77120 ist offen.", REFERENCE),
    ("Use tf_live_9aQx72LmPz.", KEY),
    ("Use sk-proj-abcdefghij0123456789.", KEY),
]


@pytest.mark.parametrize(("text", "kind"), OTHERS)
def test_data_that_stands_nowhere_else_is_found(text: str, kind: str) -> None:
    assert kind in strange(text, NONE, SITES)


@pytest.mark.parametrize(("text", "kind"), [row for row in OTHERS if row[1] != KEY])
def test_data_of_the_ticket_may_be_repeated(text: str, kind: str) -> None:
    assert strange(text, Known.of([f"Hello. {text} Thanks."], []), SITES) == ()


def test_a_key_is_not_repeated_even_to_who_sent_it() -> None:
    assert strange("Use tf_live_9aQx72LmPz.", Known.of(["my token is tf_live_9aQx72LmPz"], []), SITES) == (KEY,)
    assert strange("Use tf_live_9aQx72LmPz.", Known.of([], ["Send tf_live_9aQx72LmPz with each call."]), SITES) == ()


def test_part_of_a_known_address_is_another_address() -> None:
    assert strange("b@x.example", Known.of(["bob@x.example"], []), SITES) == (MAIL,)


@pytest.mark.parametrize(
    "text",
    [
        "On 2026-11-23 at 02:00:31, that is 23.11.2026 or 11/23/2026.", "From 08:00 to 18:00, in 2026-2027.",
        "It costs $1,234.56 or $5,000,000.50 or 5.000 \u20ac.",
        "within 5 to 10 working days, 24/7, error SSO-104, step 12", "Card ending in 4471.", "2026-11-23T02:00:00.412Z",
        "help@tallyfield.example",
        "version 2.10.15", "at most 100000 calls", "USD 50000",
    ],
)  # fmt: skip
def test_dates_prices_and_steps_are_nobodys(text: str) -> None:
    assert strange(text, NONE, SITES) == ()


def test_articles_and_policies_may_be_quoted_whole() -> None:
    texts = [*(a.text for a in sample_help_centre().articles), *(p.text for p in sample_policies())]
    for text in texts:
        assert strange(text, Known.of([], texts), SITES) == ()


# Numbers of the card networks' own documents for testing, and examples of the registry of ISO 13616.
@pytest.mark.parametrize(
    "digits", ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "3530111333300000"]
)
def test_card_numbers_pass_their_check(digits: str) -> None:
    assert is_card(digits)
    assert not is_card(digits[:-1] + str((int(digits[-1]) + 1) % 10))


@pytest.mark.parametrize(
    "account",
    [
        "DE89 3704 0044 0532 0130 00",
        "GB29 NWBK 6016 1331 9268 19",
        "FR14 2004 1010 0505 0001 3M02 606",
        "ES91 2100 0418 4502 0005 1332",
    ],
)
def test_account_numbers_pass_their_check(account: str) -> None:
    assert is_account(account)
    assert not is_account(account[:-1] + str((int(account[-1]) + 1) % 10))


@given(st.text(max_size=300), st.text(max_size=100))
def test_a_text_may_always_repeat_itself(text: str, around: str) -> None:
    assert strange(text, Known.of([around, text], [text]), SITES) == ()


@pytest.mark.parametrize(
    "text", ["1 " * 10_000, "1-" * 10_000, "DE89 " * 5_000, "a@" * 8_000, "#" * 20_000, "order " * 5_000, "A-1" * 8_000]
)
def test_reading_is_quick(text: str) -> None:
    started = time.perf_counter()
    strange(text, NONE, SITES)
    assert time.perf_counter() - started < 5
