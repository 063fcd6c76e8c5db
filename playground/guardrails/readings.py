"""The ways in which an output can be read: as it stands, with what disguises an address undone, and decoded.

Covers entities, percent signs, full width, invisible characters, bracketed dots, spaced letters, base64, hexadecimal, rot13 and
text that runs backwards. Translation, paraphrase and ciphers made up for the occasion are not covered: no rule here claims that
nothing gets through.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from urllib.parse import unquote

from playground.language import NO_TOPIC
from playground.lookalikes import without_hidden

SURE_ENDINGS = ("com", "net", "org", "xyz", "biz", "info", "io", "ru", "cn")
"""Endings that are no word, so that a blank before or after the dot does not make them one."""
MOST_RUNS = 200
DEPTH = 2
"""How often what was decoded is decoded again."""
_LIKE = str.maketrans(
    {**dict.fromkeys("\u3002\uff61\u2024", "."), **dict.fromkeys("\u2044\u2215\u29f8",
    "/"), **dict.fromkeys("\u2236\ua789\u02d0", ":")}
)  # fmt: skip
_SPACED = re.compile(r"(?<!\S)(?:[^\W_]|[.@:/-])(?: (?:[^\W_]|[.@:/-])){4,}(?!\S)")
_DOT = re.compile(r"[ \t]{0,3}[\[({<]\s{0,3}(?:\.|d[o0]t|punkt|punto|point)\s{0,3}[\])}>][ \t]{0,3}", re.IGNORECASE)
_DOT_ENDING = re.compile(r"[ \t]{0,3}[\[({<]\.(?=[a-z]{2,24}[\])}>])", re.IGNORECASE)
_SAID_DOT = re.compile(
    r"(?<![^\W_])([^\W_]{1,63})[ \t_-]{1,3}(?:dot|punkt|punto)[ \t_-]{1,3}(?=([^\W\d_]{2,24})(?![^\W_]))", re.IGNORECASE
)
_BULLET = re.compile(r"(?<=[^\W_])[\u00b7\u2022\u2219\u2027](?=[^\W_])")
_AT = re.compile(r"[ \t]{0,3}[\[({<]\s{0,3}(?:@|at|arroba)\s{0,3}[\])}>][ \t]{0,3}", re.IGNORECASE)
_APART = re.compile(rf"(?<=[^\W_])(?:\s+\.\s*|\.\s+)(?=(?:{'|'.join(SURE_ENDINGS)})(?![^\W_]))")
_SCHEME = re.compile(
    r"(?<![^\W_])h\s?[tx*+_]\s?[tx*+_]\s?p\s?s?\s?[\[({]?\s?:\s?[\])}]?\s?(?:[\[({]?\s?[/\\]\s?[\])}]?\s?)+", re.IGNORECASE
)  # fmt: skip
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?:(?:0x|\\x|%)?[0-9a-fA-F]{2}[\s:,-]?){8,}")


@cache
def endings() -> frozenset[str]:
    """The last labels of host names that are known, lower case."""
    text = files("playground").joinpath("data/tlds.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())


def opened(text: str) -> str:
    """The text with the disguises of addresses undone: `hxxps[:]//evil[.]com` reads `http://evil.com`."""
    plain = text
    for _ in range(DEPTH):
        plain = unquote(html.unescape(plain))
    plain = without_hidden(unicodedata.normalize("NFKC", without_hidden(plain))).translate(_LIKE)
    plain = _SPACED.sub(_joined, plain)
    plain = _AT.sub("@", _BULLET.sub(".", _DOT_ENDING.sub(".", _DOT.sub(".", plain))))
    plain = _SAID_DOT.sub(_with_dot, plain)
    return _APART.sub(".", _SCHEME.sub("http://", plain))


def _joined(found: re.Match[str]) -> str:
    """Spaced letters in one, parted again where a word of one letter followed the name: `e v i l . c o m a` reads `evil.com a`."""
    name, dot, last = found[0].replace(" ", "").rpartition(".")
    if last.lower() in endings():
        return f"{name}{dot}{last}"
    ends = (n for n in range(len(last) - 1, 1, -1) if last[:n].lower() in endings())
    cut = next(ends, len(last)) if dot and last.isalnum() else len(last)
    return f"{name}{dot}{last[:cut]} {last[cut:]}".rstrip()


def _with_dot(found: re.Match[str]) -> str:
    """`evil dot com` with its dot; "the dot in the" names none."""
    before, ending = found[1].lower(), found[2].lower()
    named = ending in endings() and not (before in NO_TOPIC and ending in NO_TOPIC)
    return f"{found[1]}." if named else found[0]


def readings(text: str) -> Iterator[str]:
    """Every reading of a text, the plain one first."""
    plain = opened(text)
    yield from (text, plain, codecs.encode(plain, "rot13"), plain[::-1])
    yield from decoded(text)


def decoded(text: str, depth: int = DEPTH) -> Iterator[str]:
    """What base64 and hexadecimal runs of a text say, where that is text."""
    for said in _decoded_once(text):
        yield said
        if depth > 1:
            yield from decoded(said, depth - 1)


def _decoded_once(text: str) -> Iterator[str]:
    for run in [found[0] for found in _BASE64.finditer(text)][:MOST_RUNS]:
        yield from _as_text(_from_base64(run))
    for run in [found[0] for found in _HEX.finditer(text)][:MOST_RUNS]:
        digits = re.sub(r"0x|\\x|[^0-9a-fA-F]", "", run)
        yield from _as_text(bytes.fromhex(digits[: len(digits) // 2 * 2]))


def _from_base64(run: str) -> bytes:
    plain = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(plain[: len(plain) - (len(plain) % 4 == 1)] + "=" * (-len(plain) % 4 % 3))
    except (binascii.Error, ValueError):
        return b""


def _as_text(raw: bytes) -> Iterator[str]:
    try:
        said = raw.decode("utf-8")
    except UnicodeDecodeError:
        return
    if said and all(c.isprintable() or c.isspace() for c in said):
        yield said
