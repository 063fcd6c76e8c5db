"""What two texts say decides before how alike they are: one word, number or "not" is enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.lexical import COLUMNS, Said, is_slip, shareable, tokens_of, vectors

SAME = [
    ("How do I reset my password?", "how can I reset the password please"),
    ("My card was declined.", "Why was my card declined?"),
    ("I need a refund", "Hi, I'd like a refund, thanks!"),
    ("Where are my invoices", "where is my invoice"),
    ("I never received it", "I never recieved it"),
    ("Don\u2019t renew my plan", "don't renew my plan"),
    ("The payment of 20 euros", "the payment, of 20 euros."),
    ("WO IST MEINE RECHNUNG", "wo ist meine rechnung"),
]
DIFFERENT = [
    ("My card works", "My card doesn't work"),
    ("My card is working", "My card is not working"),
    ("I can log in", "I cannot log in"),
    ("I don't know why it isn't charged", "I know why it isn't charged"),
    ("Refund 20 euros", "Refund 200 euros"),
    ("Refund $20", "Refund \u20ac20"),
    ("It was on 3/4", "It was on 4/3"),
    ("Come on Monday", "Come on Tuesday"),
    ("Charge me tomorrow", "Charge me yesterday"),
    ("Call me Sam", "Call Sam"),
    ("How do I verify my identity?", "Why do I verify my identity?"),
    ("Move it from savings to checking", "Move it from checking to savings"),
    ("Turn it on before Monday", "Turn it on after Monday"),
    ("Change my card", "Charge my card"),
    ("Enable the webhook", "Disable the webhook"),
    ("Is my transfer cancelled", "Cancel my transfer"),
    ("I am Anna Schmidt and need a refund", "I am Anna Schulz and need a refund"),
    ("My card has not arrived yet", "My card has not arrived"),
    ("How do I do that?", "How can I do this?"),
    ("\u6211\u7684\u5361\u53ef\u4ee5\u7528", "\u6211\u7684\u5361\u4e0d\u53ef\u4ee5\u7528"),
    ("", ""),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_in_other_words(one: str, other: str) -> None:
    assert Said.of(one).same_as(Said.of(other))
    assert Said.of(other).same_as(Said.of(one))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_one_word_number_or_negation_makes_it_another_request(one: str, other: str) -> None:
    assert not Said.of(one).same_as(Said.of(other))
    assert not Said.of(other).same_as(Said.of(one))


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("receive", "recieve", True),
        ("receive", "recive", True),
        ("transferr", "transfer", True),
        ("charge", "change", False),
        ("block", "unblock", False),
        ("trail", "trial", False),
        ("transfer", "transfers", True),
        ("transfer", "transferred", False),
        ("", "", False),
    ],
)
def test_a_slip_of_the_keys(one: str, other: str, slip: bool) -> None:
    assert is_slip(one, other) == is_slip(other, one) == slip


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("Where is my card?", True),
        ("It takes 2 or 3 days for 1 of them", True),
        ("My order is 4711", False),
        ("On 12/05 at 9", False),
        ("I am sam@example.com", False),
        ("See https://example.com", False),
        ("see WWW.example.com", False),
        ("\u0661\u0662\u0663\u0664", False),
        ("word " * 400, True),
        ("word " * 401, False),
    ],
)
def test_what_may_be_somebodys_is_not_shared(text: str, may: bool) -> None:
    assert shareable(text) is may


def test_tokens_keep_numbers_whole_and_drop_apostrophes() -> None:
    assert tokens_of("Don\u2019t pay $1,000.50 (5%) on 12/05, O'Neil!") == [
        "dont",
        "pay",
        "$",
        "1,000.50",
        "5",
        "%",
        "on",
        "12/05",
        "oneil",
    ]


def test_alike_is_a_cosine_in_which_function_words_count_less() -> None:
    texts = ["where is my card", "where is the card", "where is my phone", "unrelated words"]
    alike = (vectors(texts) @ vectors(texts).T).toarray()
    assert alike.shape == (4, 4)
    assert np.allclose(alike.diagonal(), 1, atol=1e-6)
    assert alike[0, 1] > 0.9 > alike[0, 2] > alike[0, 3]
    assert vectors([]).shape == (0, COLUMNS)
    assert vectors(["", "?!"]).nnz == 0


@given(st.lists(st.text(max_size=40), max_size=5))
def test_vectors_of_anything_are_of_length_one_or_empty(texts: list[str]) -> None:
    found = vectors(texts)
    lengths = np.sqrt(np.asarray(found.multiply(found).sum(axis=1))).ravel()
    assert all(abs(length - bool(tokens_of(text))) < 1e-5 for length, text in zip(lengths, texts, strict=True))
    for text in texts:
        said = Said.of(text)
        assert said.same_as(said) == bool(said.words)
