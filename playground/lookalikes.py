"""Characters that read like another one: folded to one plain letter, so that text cannot hide from a rule by its spelling.

Compatibility forms (full width, mathematical, circled) and accents go by Unicode's own decomposition (UAX 15). Letters of other
alphabets that look Latin are a selection from Unicode's confusables (UTS 39), and so cover the common ones, not all.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LATIN = {
    "a": "аɑαᴀ", "b": "ьЬвᏏʙ", "c": "сϲᴄⅽ", "d": "ԁɗᴅᏧ", "e": "еєεᴇҽ℮", "f": "ғϝꜰ", "g": "ɡցɢ", "h": "һհʜнᏂ",  # noqa: RUF001
    "i": "іıɩιɪӏ", "j": "јϳᴊ", "k": "кκᴋҡ", "l": "ⅼʟᏞłا", "m": "мᴍⅿ", "n": "ոпηɴ", "o": "оοσᴏօøо", "p": "рρᴘ",  # noqa: RUF001
    "q": "ԛգ", "r": "гᴦʀ", "s": "ѕꜱʂ", "t": "тτᴛŧ", "u": "υսᴜ", "v": "ѵνᴠⅴ", "w": "ԝѡωᴡ", "x": "хχⅹ",  # noqa: RUF001
    "y": "уүγʏ", "z": "ᴢʐ",  # noqa: RUF001
}  # fmt: skip
_LETTER = {lookalike: letter for letter, all_of_it in _LATIN.items() for lookalike in all_of_it}
# Letters in boxes, and the flags' letters, have no decomposition; each row runs from A to Z.
_ROWS = (0x1F130, 0x1F150, 0x1F170, 0x1F1E6)
_TAGS = range(0xE0020, 0xE007F)
"""Invisible copies of ASCII, which a model may read all the same."""
_UNSEEN = frozenset({"Cf", "Mn", "Me"})
_HIDDEN = re.compile("[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
                     "\ufeff\uffa0\U000e0000-\U000e0fff]")  # fmt: skip

_NO_ASCII_WORD = re.compile(r"[^a-z0-9]+")


def without_hidden(text: str) -> str:
    """The text without what a reader cannot see."""
    return text if text.isascii() else _HIDDEN.sub("", text)


@lru_cache(maxsize=8192)
def folded(char: str) -> str:
    """What a character reads like: plain lower-case characters, or nothing for one that is not seen."""
    if char.isascii():
        return char.lower()
    code = ord(char)
    if code in _TAGS:
        return chr(code - 0xE0000).lower()
    if _HIDDEN.match(char):
        return ""
    for first in _ROWS:
        if first <= code < first + 26:
            return chr(ord("a") + code - first)
    seen = (c for c in unicodedata.normalize("NFKD", char) if unicodedata.category(c) not in _UNSEEN)
    low = "".join(seen).casefold()
    return "".join(_LETTER.get(c, c) for c in low)


def squeezed(text: str) -> str:
    """Only the letters and digits, folded: what is left however a word is spaced, cased or dressed up."""
    if text.isascii():
        return _NO_ASCII_WORD.sub("", text.lower())
    return "".join(c for char in text for c in folded(char) if c.isalnum())
