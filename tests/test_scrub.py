"""What leaves the machine: keys never, and what points at a person where that is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.scrub import each_text, masked, secrets_of, without_keys


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("Mail a.b@c.example now", "Mail [e-mail removed] now"),
        ("Call +49 170 1234567.", "Call [number removed]."),
        ("Card 4111 1111 1111 1111!", "Card [card number removed]!"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [account number removed]"),
        ("my order 12345", "my order [reference removed]"),
        ("On 2026-11-12 at 10:30, $1,200.50, 3 seats", "On 2026-11-12 at 10:30, $1,200.50, 3 seats"),
        ("Paid 12/11/2026 by 4111111111111111", "Paid 12/11/2026 by [card number removed]"),
    ],
)
def test_what_points_at_a_person_is_masked_and_the_rest_stays(text: str, want: str) -> None:
    assert masked(text) == want
    assert masked(masked(text)) == want


@pytest.mark.parametrize(
    "secret",
    ["sk-proj-abcdEFGH12345678", "https://hooks.slack.com/services/T0/B0/abcDEF", "xoxb-123456789012-abcdef", 
     "sk_live_abcdef123456",     "ghp_abcdefghijklmnop1234", "https://x.webhook.office.com/webhookb2/abc"],
)  # fmt: skip
def test_what_looks_like_a_key_goes_without_being_known(secret: str) -> None:
    assert secret not in without_keys(f"here it is: {secret}, keep it")


def test_a_login_in_an_address_goes() -> None:
    assert without_keys("http://bob:hunter2@host.example/v1") == "http://[key removed]@host.example/v1"


def test_variables_named_like_a_key_are_secrets_and_short_ones_are_not() -> None:
    environ = {"A_API_KEY": "0123456789", "PATH": "/usr/bin:/bin", "TOKEN": "local", "DB_PASSWORD": " correcthorse "}
    assert set(secrets_of(environ, ["given-by-hand", None, ""])) == {"0123456789", "correcthorse", "given-by-hand"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_every_text_of_a_tree_is_changed_and_nothing_else(tree: object) -> None:
    assert each_text(tree, lambda text: text) == tree
    assert "SECRET" not in str(each_text(each_text(tree, lambda t: t + "SECRET"), lambda t: t.replace("SECRET", "")))
