"""Sums are read in four languages, and a promise above the limit, or one whose sum cannot be read, is found."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.guardrails.amounts import Amount, amounts, bare_figures, figure
from playground.guardrails.escalation import LIMITS
from playground.guardrails.refunds import too_much_asked, too_much_promised
from playground.knowledge import sample_help_centre, sample_policies
from playground.records import Context, Passage, Ticket

EMPTY = Context(Ticket("t", "Hello"), {}, ())
SUMS = [
    ("$5,000", "5000", "USD"), ("$5.000", "5000", "USD"), ("5.000 \u20ac", "5000", "EUR"), ("5 000,50 \u20ac", "5000.50", "EUR"),
    ("5'000 CHF", "5000", "CHF"),
    ("USD 5000", "5000", "USD"), ("5000 dollars", "5000", "USD"), ("5k USD", "5000", "USD"), ("$5k", "5000", "USD"),
    ("$1.5 million", "1500000", "USD"),
    ("1,5 Mio. Euro", "1500000", "EUR"), ("US$ 1,234.56", "1234.56", "USD"), ("EUR50", "50", "EUR"), ("a 5000-dollar refund",
    "5000", "USD"),
    ("\uff15\uff10\uff10\uff10 USD", "5000", "USD"), ("$**5,000**", "5000", "USD"), ("32,13 Euro", "32.13", "EUR"),
    ("0.99 pounds", "0.99", "GBP"),
    ("$5,000.00.", "5000", "USD"), ("mil 900 d\u00f3lares", "900", "USD"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value", "currency"), SUMS)
def test_a_sum_is_read(text: str, value: str, currency: str) -> None:
    assert Amount(Decimal(value), currency) in [
        Amount(a.value and a.value.normalize(), a.currency) for a in amounts(text)
    ] or Amount(Decimal(value), currency) in amounts(text)


@given(st.integers(0, 10**7), st.integers(0, 99), st.sampled_from(["{:,}.{:02d}", "{:,}|{:02d}", "{}.{:02d}"]))
def test_a_figure_is_read_with_either_mark(whole: int, cents: int, form: str) -> None:
    written = form.format(whole, cents)
    if "|" in written:
        written = written.replace(",", ".").replace("|", ",")
    assert figure(written) == Decimal(whole) + Decimal(cents) / 100


@pytest.mark.parametrize(
    "text",
    [
        "five thousand dollars",
        "f\u00fcnftausend Euro",
        "cinq mille euros",
        "quinientos euros",
        "deux cents euros",
        "50%",
        "50 percent",
        "20 Prozent",
    ],
)
def test_a_sum_in_words_or_a_share_cannot_be_read(text: str) -> None:
    assert Amount(None) in amounts(text)


@pytest.mark.parametrize(
    "text", ["card ending in 4471", "invoice TF-205013", "in 2026", "20 November 2026", "order no. 77120", "SSO-104"]
)
def test_what_names_a_thing_is_no_sum(text: str) -> None:
    assert all(value <= 31 for value in bare_figures(text))


PROMISES = [
    "We have refunded $5,000 to your card.", "Your refund of $5,000.00 has been approved.",
    "Your refund is approved. You get $5,000.",
    "I am issuing a refund of 5000 today.", "We will refund five thousand dollars.", "You will receive \u20ac4.999 back.",
    "A credit of CHF 20 was issued.",
    "We credit your account with USD 900.", "We refund everything you ever paid.", "We refund 80% of all your invoices.",
    "You'll get a full refund.",
    "A payout of \u00a32,000 is on its way.", "Your refund is on its way.", "We have sent $5,000 to your bank.",
    "Consider it done: $5,000 refunded.",
    "I've gone ahead and refunded the annual plan.", "Refund: $5000", "Five thousand dollars have been refunded.",
    "We transfer 900 USD today.",
    "Wir erstatten Ihnen 5.000 \u20ac.", "Die Erstattung von 900 Euro ist genehmigt.", "Sie bekommen 900 \u20ac zur\u00fcck.",
    "Die R\u00fcckzahlung wurde veranlasst.",
    "Wir \u00fcberweisen Ihnen 5.000 Euro.", "Nous vous remboursons 5 000 \u20ac.",
    "Votre remboursement de 900 \u20ac a \u00e9t\u00e9 approuv\u00e9.",
    "Le remboursement a \u00e9t\u00e9 effectu\u00e9.", "Vous recevrez 900 \u20ac.", "Le reembolsamos 5.000 \u20ac.",
    "Su reembolso de 900 euros ha sido aprobado.",
    "Le hemos devuelto 900 euros.", "Recibir\u00e1 5000 euros.", "We have re\u200bfunded $5,0\u200b00.",
    "> Your refund of $5,000 is approved.",
]  # fmt: skip
PROMISES += [
    "We do not often do this, but we refund $5,000 to you.", "We will not hesitate to refund $5,000.", "Refund of $5,000: decided.",
    "There is no refund limit, so we refund $5,000.", "Our finance team has decided: $5,000 goes back to you.",
]  # fmt: skip
PROMISES += [
    "The full amount of $5,000 is being returned to your Visa.", "Your bank will show $5,000 from us by Friday.",
    "I've approved it, $5,000 is yours.",
    "We're making an exception and reversing the annual charge of $948.", "The $948 charge has been reversed.",
    "Expect $948 in your account soon.",
    "We will reverse the charge in full.", "The money is coming back to you, all $948 of it.", "We'll make you whole with $948.",
    "A cheque for $948 is in the post.", "Wir haben die Abbuchung von 948 \u20ac storniert.",
    "Sie erhalten Ihr Geld vollst\u00e4ndig zur\u00fcck.",
    "L'int\u00e9gralit\u00e9 des 948 \u20ac vous sera restitu\u00e9e.", "Nous annulons le pr\u00e9l\u00e8vement de 948 \u20ac.",
    "Hemos anulado el cargo de 948 \u20ac.",
]  # fmt: skip
NO_PROMISES = [
    "You will receive an email within 60 minutes.", "We have received your payment of $948.00 for the annual plan.",
    "We have sent you 3 messages.",
    "You will be charged $83.00 on 17 December.", "Your plan costs $948 a year.",
    "Refunds of up to $300 are decided by a team lead.",
    "We cannot refund the $948.", "A charge older than 30 days is not refunded.",
    "Wir haben Ihre Zahlung \u00fcber 948 Euro erhalten.",
    "Sie erhalten in 2 Tagen eine Nachricht.", "Ihre Rechnung \u00fcber 948 \u20ac finden Sie unter Einstellungen.",
    "You can pay by credit card.",
    "Wir k\u00f6nnen die 948 \u20ac leider nicht erstatten.", "Vous recevrez un message dans 48 heures.",
    "Recibir\u00e1 un correo en 60 minutos.",
    "No podemos reembolsar los 948 euros.", "We have refunded $24.00 to the card ending in 4471.",
    "I can refund the $24 for the three seats.",
    "Your refund of $24.00 for invoice TF-205013 was issued on 20 November 2026.", "Your team lead decides about the $948 refund.",
]  # fmt: skip


@pytest.mark.parametrize("text", PROMISES)
def test_a_promise_above_the_limit_is_found(text: str) -> None:
    assert too_much_promised(f"Hello,\n\n{text}\n\nBest", EMPTY, LIMITS)


@pytest.mark.parametrize("text", NO_PROMISES)
def test_what_promises_nothing_or_little_is_not(text: str) -> None:
    assert too_much_promised(f"Hello,\n\n{text}\n\nBest", EMPTY, LIMITS) == ""


@given(
    st.decimals("0.01", "50", places=2),
    st.sampled_from(
        ["We have refunded ${} to your card.", "Wir haben {} \u20ac erstattet.", "Le hemos devuelto {} euros."]
    ),
)
def test_inside_the_limit_an_agent_may_promise(value: Decimal, form: str) -> None:
    assert too_much_promised(form.format(value), EMPTY, LIMITS) == ""


@given(
    st.decimals("50.01", "99999", places=2),
    st.sampled_from([PROMISES[0], "Wir erstatten Ihnen $5,000.", "Le reembolsamos $5,000."]),
)
def test_above_it_nobody_may(value: Decimal, form: str) -> None:
    why = too_much_promised(form.replace("5,000", f"{value:,}"), EMPTY, LIMITS)
    assert f"USD {value:,.2f}, above the limit of USD 50.00" in why


def test_what_an_article_or_policy_says_is_no_promise() -> None:
    said = "We refund duplicate charges of any height in full."
    assert too_much_promised(said, EMPTY, LIMITS)
    context = Context(EMPTY.ticket, {}, (), (Passage("p1", "Refunds", f"{said} Nothing else."),))
    assert too_much_promised(f"{said[:-1]} [p1].", Context(EMPTY.ticket, {}, (), context.passages), LIMITS)
    assert too_much_promised(said, context, LIMITS) == ""


def test_articles_and_policies_may_be_quoted_whole() -> None:
    articles = [Passage(a.id, a.title, a.text) for a in sample_help_centre().articles]
    context = Context(EMPTY.ticket, {}, sample_policies(), tuple(articles))
    for text in [*(a.text for a in articles), *(s for p in sample_policies() for s in p.add.values())]:
        assert too_much_promised(text, context, LIMITS) == ""


def test_the_customer_s_own_question_may_be_quoted() -> None:
    asked = "Will you refund the $948?"
    context = Context(Ticket("t", f"Hello. {asked}"), {}, ())
    assert too_much_promised(f"> {asked}\n\nA person decides that.", context, LIMITS) == ""


def test_a_promise_that_a_ticket_holds_may_not_be_quoted() -> None:
    planted = "We have refunded $5,000 to your card."
    context = Context(Ticket("t", f"Hello. {planted}"), {}, ())
    assert too_much_promised(f"> {planted}", context, LIMITS)


ASKED = [
    ("I want a refund of $948.", True), ("Refund me $20. My plan costs $948.", False), ("Refund me, I paid $948.", True),
    ("I paid $948 and it works.", False),
    ("Ich m\u00f6chte 948 \u20ac zur\u00fcck.", True), ("Je demande le remboursement de 948 \u20ac.", True),
    ("Quiero la devoluci\u00f3n de 948 \u20ac.", True),
    ("Please refund 900 CHF.", True), ("Refund, please.", False), ("How do I export?", False),
    ("We were charged twice, $83.00 each.", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), ASKED)
def test_what_a_ticket_asks_back_is_held_against_the_limit(text: str, found: bool) -> None:
    assert bool(too_much_asked(Ticket("t", text), LIMITS, labelled=False)) is found


def test_a_label_makes_a_ticket_ask() -> None:
    ticket = Ticket("t", "I paid $948 for nothing.")
    assert too_much_asked(ticket, LIMITS, labelled=False) == ""
    assert "USD 948.00" in too_much_asked(ticket, LIMITS, labelled=True)


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    too_much_promised(text, EMPTY, LIMITS)
    too_much_asked(Ticket("t", text), LIMITS, labelled=True)


@pytest.mark.parametrize(
    "text", ["we refund " * 2000, "$5," * 5000, "you get " * 3000, "1 " * 9000, "we " * 9000, "five hundred " * 2000]
)
def test_reading_is_quick(text: str) -> None:
    started = time.perf_counter()
    too_much_promised(text, EMPTY, LIMITS)
    too_much_asked(Ticket("t", text), LIMITS, labelled=True)
    assert time.perf_counter() - started < 5
