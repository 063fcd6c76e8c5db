"""Data in a text that points at a person: e-mail addresses, phone, card and account numbers, order numbers, keys.

Found by their form, so names and postal addresses are not: no rule can tell a customer's name from another's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from playground.guardrails.addresses import Sites
from playground.guardrails.readings import decoded, opened
from playground.lookalikes import squeezed
from playground.redact import redact

MAIL, CARD, ACCOUNT, NUMBER, REFERENCE, KEY = (
    "an e-mail address", "a card number", "an account number", "a phone number or another long number",
    "an order or invoice number",
    "a key or a token",
)  # fmt: skip
FEWEST_DIGITS = 7
"""A shorter number is a price, a year, a step; phone numbers begin here (E.164 has no lower end, subscriber numbers do)."""

_MAIL = re.compile(r"[^\s@<>()\[\]{},;:\"']{1,64}@[^\W_](?:[\w-]{0,63}\.?){1,8}")
_ACCOUNT = re.compile(r"(?<![^\W_])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}(?![^\W_])")
_NUMBER = re.compile(r"(?<![\w.,$€£])\+?\(?\d(?:[ \u00a0().\-/]{0,3}\d){6,24}(?![\w])")
_REFERENCE = re.compile(
    r"(?<![^\W_])(?:[A-Za-z]{1,6}-\d{4,}|(?!(?:USD|EUR|GBP|CHF|JPY) )[A-Z]{2,6} ?\d{5,})(?![^\W_])|(?<![\w&])#\d{4,}"
)
_NAMED = re.compile(
    r"\b(?:order|invoice|case|customer|account|booking|reference|rechnung|bestellung|auftrag|kunden(?:nummer)?|factura|pedido|"
    r"facture|commande)(?:\s+(?:no\.?|number|nr\.?|nº|n°|id))?[\s:#]{1,3}([A-Za-z]{0,4}\d{4,})(?![\w])", re.IGNORECASE
)  # fmt: skip
_TOKEN = re.compile(r"(?<![^\W_])[a-z]{2,8}_(?:live|test|prod|secret)_\w{6,}", re.IGNORECASE)
_WHEN = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:T[\d:.]+Z?)?|(?<!\d)\d{1,2}[./]\d{1,2}[./]\d{2,4}(?!\d)|(?<!\d)\d{1,2}:\d{2}(?::\d{2})?(?!\d)|"
    r"(?<![\d-])(?:19|20)\d{2}\s?[-/]\s?(?:19|20)\d{2}(?![\d-])"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """What a text may repeat: all that its ticket, its articles and the policies hold, and keys only where `public` has them."""

    mails: frozenset[str]
    numbers: frozenset[str]
    letters: str
    public: str

    @staticmethod
    def of(ticket: Iterable[str], public: Iterable[str]) -> Known:
        """What the sources say; `public` are the articles and the policies."""
        open_to_all = "\n".join(map(opened, public))
        whole = "\n".join([*map(opened, ticket), open_to_all])
        return Known(frozenset(_mails(whole)), frozenset(map(_digits, _runs(whole))), squeezed(whole), open_to_all)


def strange(text: str, known: Known, sites: Sites) -> tuple[str, ...]:
    """The kinds of personal data in a text that its sources do not hold, once each; a key from the ticket is one, too.

    A mailbox of an allowed site is nobody's own.
    """
    said = "\n".join((opened(text), *map(opened, decoded(text))))
    found = [MAIL for mail in _mails(said) if mail not in known.mails and not sites.allow(mail.rpartition("@")[2])]
    found += [kind for kind, run in _long_numbers(said) if _digits(run) not in known.numbers]
    found += [REFERENCE for ref in _references(said) if squeezed(ref) not in known.letters]
    found += [KEY for key in _keys(said) if key not in known.public]
    return tuple(dict.fromkeys(found))


def masked(text: str) -> str:
    """The text with e-mail addresses, card, account, phone and other long numbers and references replaced; dates stay."""
    text = _MAIL.sub("[e-mail removed]", text)
    text = _ACCOUNT.sub(lambda found: "[account number removed]" if is_account(found[0]) else found[0], text)
    dates = [*_WHEN.findall(text), ""]
    text = "".join(
        _NUMBER.sub(_number_masked, part) + when for part, when in zip(_WHEN.split(text), dates, strict=True)
    )
    text = _REFERENCE.sub("[reference removed]", text)
    return _NAMED.sub(lambda found: found[0].replace(found[1], "[reference removed]"), text)


def _number_masked(found: re.Match[str]) -> str:
    digits = _digits(found[0])
    if len(digits) < FEWEST_DIGITS:
        return found[0]
    return "[card number removed]" if is_card(digits) else "[number removed]"


def is_card(digits: str) -> bool:
    """Whether digits pass the check of payment cards (ISO/IEC 7812-1, Luhn)."""
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))
    return 13 <= len(digits) <= 19 and sum(n - 9 * (n > 9) for n in doubled) % 10 == 0


def is_account(text: str) -> bool:
    """Whether letters and digits pass the check of account numbers (ISO 13616, IBAN)."""
    plain = re.sub(r"[ -]", "", text)
    return int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 == 1


def _long_numbers(text: str) -> Iterator[tuple[str, str]]:
    for found in _ACCOUNT.finditer(text):
        if is_account(found[0]):
            yield ACCOUNT, found[0]
    for run in _runs(text):
        yield (CARD if is_card(_digits(run)) else NUMBER), run


def _runs(text: str) -> list[str]:
    """Long numbers, without dates and times; the digits of an account number are among them."""
    undated = _WHEN.sub(" ; ", text)
    accounts = [f[0] for f in _ACCOUNT.finditer(undated)]
    return [run for run in [*_NUMBER.findall(undated), *accounts] if len(_digits(run)) >= FEWEST_DIGITS]


def _digits(run: str) -> str:
    return "".join(c for c in run if c.isdigit())


def _references(text: str) -> Iterator[str]:
    yield from _REFERENCE.findall(text)
    yield from (found[1] for found in _NAMED.finditer(text))


def _mails(text: str) -> Iterator[str]:
    yield from (mail.rstrip(".").lower() for mail in _MAIL.findall(text))


def _keys(text: str) -> Iterator[str]:
    """The words that redaction takes out, and tokens that say what they are."""
    left = set(redact(text).split())
    yield from dict.fromkeys(word for word in text.split() if word not in left)
    yield from _TOKEN.findall(text)
