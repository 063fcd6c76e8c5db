"""Text from outside stays text where Markdown is read."""

from __future__ import annotations

import pytest

from playground.ui.widgets import plain


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("see https://evil.example/x", "see https\\://\u2060evil\\.example/x"),
        ("WWW.evil.example", "WWW\u2060\\.evil\\.example"),
        ("bob.o+x@evil.example now", "bob\\.o\\+x@\u2060evil\\.example now"),
        ("gpt-5.6 @high", "gpt\\-5\\.6 @high"),
        ("a\n b", "a b"),
        ("[x](y) `z` $1 :red[a]", "\\[x\\]\\(y\\) \\`z\\` \\$1 \\:red\\[a\\]"),
    ],
)
def test_markup_and_addresses_are_not_read(given: str, seen: str) -> None:
    assert plain(given) == seen
