"""Sums of money in a sentence, in the ways in which English, German, French and Spanish write them.

Where a figure can be read in two ways (`5.000`), the larger reading counts. A sum in words cannot be read, nor can a share.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

_CURRENCY: Mapping[str, str] = {
    "us$": "USD", "ca$": "CAD", "c$": "CAD", "au$": "AUD", "a$": "AUD", "mx$": "MXN", "$": "USD", "€": "EUR", "£": "GBP",
    "¥": "JPY",
    "usd": "USD", "eur": "EUR", "gbp": "GBP", "chf": "CHF", "cad": "CAD", "aud": "AUD", "jpy": "JPY", "mxn": "MXN", "sek": "SEK",
    "nok": "NOK", "dkk": "DKK", "pln": "PLN", "inr": "INR", "brl": "BRL", "cny": "CNY", "btc": "BTC", "bitcoins": "BTC",
    "bitcoin": "BTC",
    "us-dollar": "USD", "dollars": "USD", "dollar": "USD", "bucks": "USD", "dólares": "USD", "dólar": "USD", "dolares": "USD",
    "euros": "EUR", "euro": "EUR", "pounds": "GBP", "pound": "GBP", "pfund": "GBP", "libras": "GBP", "livres": "GBP", "quid": "GBP",
    "franken": "CHF", "francs": "CHF", "pesos": "MXN", "yen": "JPY",
}  # fmt: skip
_TIMES: Mapping[str, int] = {
    "k": 1000, "thousand": 1000, "grand": 1000, "tausend": 1000, "mille": 1000, "mil": 1000, "m": 10**6, "mn": 10**6, "mio": 10**6,
    "million": 10**6, "millions": 10**6, "millionen": 10**6, "millones": 10**6, "hundred": 100, "hundert": 100,
}  # fmt: skip
_FIGURE = r"\d(?:[\d.,'\u2019]|[ \u00a0\u202f](?=\d{3}(?!\d)))*"
_MANY = rf"(?:\s?(?P<times>{'|'.join(sorted(_TIMES, key=len, reverse=True))})(?![^\W\d_])\.?)?"
_UNIT = "|".join(re.escape(word) for word in sorted(_CURRENCY, key=len, reverse=True))
_SUM = re.compile(
    rf"(?:(?<![^\W\d_])(?P<before>{_UNIT})\s?)?(?P<figure>{_FIGURE}){_MANY}"
    rf"(?:\s?[-]?\s?(?P<after>{_UNIT})(?![^\W\d_]))?", re.IGNORECASE
)  # fmt: skip
_IN_WORDS = re.compile(
    r"\b(?:hundreds?|thousands?|millions?|(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn)?(?:hundert|tausend)\w*|"
    r"millionen|cents?|mille|"
    r"cien(?:to|tos)?|\w*cientos|quinientos|mil|mill[oó]n(?:es)?|one|two|three|four|five|six|seven|eight|nine|ten|\w+teen|twenty|"
    r"thirty|forty|fifty|sixty|seventy|eighty|ninety)[\s-](?:[\w-]+\s){0,4}?(?:dollars?|bucks|euros?|pounds?|quid|francs?|"
    r"franken|d[oó]lar(?:es)?|"
    r"libras|pesos|usd|eur|gbp)\b", re.IGNORECASE
)  # fmt: skip
_SHARE = re.compile(r"\d\s?(?:%|percent|per cent|prozent|pour ?cent|por ciento)", re.IGNORECASE)
# Figures that are no sum: days and years, and what a number of something is called.
_NO_SUM = re.compile(
    r"(?:ending (?:in|with)|endet auf|endenden?|terminad[ao] en|terminant par|se termine par|number|no\.|nr\.|nº|n°|invoice|"
    r"order|ticket|card|"
    r"rechnung|bestellung|karte|factura|pedido|tarjeta|facture|commande|carte|ref\w*|id)[\s:#]*$", re.IGNORECASE
)  # fmt: skip
_MONTH = re.compile(
    r"(?:jan|feb|fev|fév|mar|mär|apr|abr|avr|may|mai|jun|juin|jul|juil|aug|ago|aoû|sep|oct|okt|nov|dec|dez|dic|déc|"
    r"ene)[\wûé]*\.?,?\s+(?:de\s+)?$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Amount:
    """A sum of money; without a `value` it cannot be read, without a `currency` none is named."""

    value: Decimal | None
    currency: str | None = None


def amounts(text: str) -> tuple[Amount, ...]:
    """The sums in a text whose currency is named, and one without a value for each that cannot be read."""
    return tuple(a for a in _all(text) if a.currency or a.value is None)


def bare_figures(text: str) -> tuple[Decimal, ...]:
    """The figures in a text that may be sums but name no currency, without years, days of a month and names of things."""
    return tuple(a.value for a in _all(text) if a.currency is None and a.value is not None)


def _all(text: str) -> Iterator[Amount]:
    plain = re.sub(r"[*_`]", "", unicodedata.normalize("NFKC", text))
    yield from (Amount(None) for pattern in (_IN_WORDS, _SHARE) for _ in pattern.finditer(plain))
    for found in _SUM.finditer(plain):
        unit = found["before"] or found["after"]
        if unit or not _is_no_sum(plain, found):
            yield Amount(figure(found["figure"]) * _TIMES.get((found["times"] or "").lower(), 1), _code(unit))


def _code(unit: str | None) -> str | None:
    return _CURRENCY[unit.lower()] if unit else None


def _is_no_sum(text: str, found: re.Match[str]) -> bool:
    before, after = text[max(0, found.start() - 24) : found.start()], text[found.end() : found.end() + 1]
    glued = (
        before[-1:].isalnum()
        or before[-1:] in ("-", "#", "/", "_")
        or after.isalpha()
        or after in ("-", "_", "/", "%", ":")
    )
    is_year = _YEAR.fullmatch(found["figure"].rstrip(".,")) is not None and (
        _MONTH.search(before) is not None
        or re.search(r"\b(?:in|of|since|seit|en|de|vom|year|jahr|año)\s+$", before) is not None
    )
    return glued or is_year or _NO_SUM.search(before) is not None


def figure(written: str) -> Decimal:
    """What a figure says: the last mark before one or two digits is the decimal mark, all others group thousands."""
    plain = re.sub(r"[ \u00a0\u202f'\u2019]", "", written.rstrip(".,"))
    found = re.fullmatch(r"([\d.,]*?)(?:[.,](\d{1,2}))?", plain)
    whole, cents = (found[1], found[2]) if found else (plain, None)
    digits = re.sub(r"\D", "", whole)
    return Decimal(f"{digits or 0}.{cents or 0}")
