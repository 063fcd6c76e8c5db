"""A cell as text: cleaned as every ticket is, with a short way for the plain ASCII that most of a log is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playground.tickets import clean

_CONTROL = bytes({*range(32), 127} - {9, 10, 13})
_NAMED = ("id", "external_id", "email", "name")


def cleaned(text: str) -> str:
    """What `clean` makes of a text."""
    if text.isascii() and (text.isprintable() or not _has_control(text)):
        return text.strip()
    return clean(text)[0]


def cell_text(value: object) -> str:
    """A cell as one cleaned text; of an object, such as a requester, what names it."""
    if type(value) is str:
        return cleaned(value)
    if isinstance(value, Mapping):
        value = next((value[key] for key in _NAMED if value.get(key)), None)
    return "" if value is None or isinstance(value, (Mapping, list)) else cleaned(str(value))


def column_texts(values: Sequence[object]) -> list[str]:
    """`cell_text` of a whole column: most are plain ASCII strings, which one look at all of them tells."""
    strings = ["" if v is None else v for v in values]
    try:
        joined = "".join(strings)  # type: ignore[arg-type]
    except TypeError:
        return [cell_text(v) for v in values]
    if joined.isascii() and joined.isprintable():
        return [str(s).strip() for s in strings]
    return [cell_text(s) for s in strings]


def _has_control(text: str) -> bool:
    raw = text.encode()
    return len(raw.translate(None, _CONTROL)) != len(raw)
