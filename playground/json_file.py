"""A JSON file that people may edit, as plain values: its size, its numbers and its version are checked before anything reads it.

Nothing in it is run: JSON holds values only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from typing import Any

from pydantic import ValidationError

from playground.errors import BadInput

MOST = 10**12
"""More than any count, time or sum of money in a file of ours."""
_MONEY = re.compile(r"\d{1,12}(\.\d{1,40})?([eE][+-]?\d{1,2})?")
_COUNTED = ("_tokens", "_s", "_chars")
ONE_LINE = 500
"""Characters of a value that stands on one line of a file."""
FREE = frozenset({"output", "pipeline", "schema"})
"""Keys under which a file holds what others wrote: their own names mean nothing here."""
Step = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Format:
    """What a file of one kind must be. `steps` lead from a version to the next; `largest` is in bytes."""

    marker: str
    name: str
    version: int
    largest: int
    steps: Mapping[int, Step]


def read(raw: bytes, file: str, of: Format) -> dict[str, Any]:
    """The mapping in a file, brought to the present version. Raises `BadInput`, naming the file and the key."""
    if len(raw) > of.largest:
        raise BadInput(f"{file}: {len(raw):,} bytes; {of.name} may have at most {of.largest:,}.")
    tree = _parsed(raw, file)
    if not isinstance(tree, dict) or tree.get("format") != of.marker:
        raise BadInput(f'{file}: this is not {of.name}; its key format would say "{of.marker}".')
    tree = _clean(tree, file)
    return _migrated(tree, file, of)


def _parsed(raw: bytes, file: str) -> Any:
    try:
        return json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: byte {error.start:,} is not UTF-8 text. Choose the file as it was saved.") from None
    except json.JSONDecodeError as error:
        raise BadInput(f"{file}: line {error.lineno:,} is not valid JSON ({error.msg}).") from None
    except RecursionError:
        raise BadInput(f"{file}: its values are nested too deeply to be read.") from None
    except ValueError as error:
        raise BadInput(f"{file}: {_number_said(error)}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number that can be used here.")


def _number_said(error: ValueError) -> str:
    return str(error) if "that can be used" in str(error) else "it holds a number with too many digits."


def _clean(tree: Any, file: str) -> Any:
    try:
        return _checked(tree, file, (), False)
    except RecursionError:
        raise BadInput(f"{file}: its values are nested too deeply to be read.") from None


def _checked(value: Any, file: str, path: tuple[str, ...], free: bool) -> Any:
    if isinstance(value, dict):
        inner = ((_text(k), k, v) for k, v in value.items())
        return {name: _checked(v, file, (*path, name), free or k in FREE) for name, k, v in inner}
    if isinstance(value, list):
        return [_checked(v, file, (*path, str(i)), free) for i, v in enumerate(value)]
    if isinstance(value, str):
        value = _text(value)
    if problem := _problem(value, path[-1] if path else "", free):
        raise BadInput(f"{file}: {at(path)}: {problem}")
    return value


def _text(text: str) -> str:
    # Half an emoji cannot be written anywhere again.
    return text.encode("utf-8", "replace").decode("utf-8")


def _problem(value: Any, key: str, free: bool) -> str:
    """What is wrong with a value at a key; empty where nothing is."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not isfinite(value) or abs(value) > MOST:
            return "this number is too large to be used."
        if not free and value < 0 and key.endswith((*_COUNTED, "_usd")):
            return f"it must not be negative (got {value})."
    money = isinstance(value, str) and key.endswith(("_usd", "_usd_per_mtok")) and not free
    if money and not _is_money(value):
        return f"this must be a sum of money in digits (got {_short(value)})."
    return ""


def _is_money(text: str) -> bool:
    return bool(_MONEY.fullmatch(text)) and float(text) <= MOST


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def at(path: tuple[str, ...]) -> str:
    """A place in a file: `steps.2.attempts.0.receipt`."""
    return ".".join(p if len(p) <= 60 else p[:57] + "..." for p in path) or "the whole file"


def _migrated(tree: dict[str, Any], file: str, of: Format) -> dict[str, Any]:
    found = tree.get("schema_version")
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise BadInput(f"{file}: schema_version: this must be a whole number from 1 (got {_short(found)}).")
    if found > of.version:
        raise BadInput(
            f"{file}: it was made by a newer version of this app (file version {found}; this app reads up to {of.version}). "
            "Update the app."
        )
    for version in range(found, of.version):
        tree = {**of.steps[version](tree), "schema_version": version + 1}
    return tree


def explain(error: ValidationError, file: str) -> BadInput:
    """The first thing wrong with a file's shape, as one sentence that names the key."""
    first = min(error.errors(), key=lambda e: e["type"] not in ("extra_forbidden", "unexpected_keyword_argument"))
    where = at(tuple(str(p) for p in first["loc"]))
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        problem = "this key is not known"
    elif first["type"] in ("missing", "missing_argument"):
        problem = "this key is missing"
    else:
        problem = f"{first['msg']} (got {_short(first.get('input'))})"
    more = error.error_count() - 1
    return BadInput(f"{file}: {where}: {problem}.{f' And {more} more.' if more else ''}")


def digest(tree: Mapping[str, Any]) -> str:
    """A file's content as one short word, whatever the order of its keys; it tells that a file was edited, not by whom."""
    rest = {k: v for k, v in tree.items() if k != "digest"}
    return sha256(json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()).hexdigest()[:32]


def write(tree: Mapping[str, Any], of: Format) -> bytes:
    """The file. Raises `BadInput` where it would be too large to be read again."""
    raw = (_laid_out(tree, "\n") + "\n").encode("utf-8", "replace")
    if len(raw) > of.largest:
        raise BadInput(
            f"{of.name.capitalize()} would have {len(raw):,} bytes; at most {of.largest:,} can be read again."
        )
    return raw


def _laid_out(value: Any, line: str) -> str:
    """JSON with short values on one line: a person finds a value, and a tool that compares lines finds a change."""
    short = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if len(short) <= ONE_LINE or not isinstance(value, dict | list):
        return short
    inner = f"{line} "
    if isinstance(value, list):
        return f"[{inner}" + f",{inner}".join(_laid_out(v, inner) for v in value) + f"{line}]"
    parts = (f"{json.dumps(k, ensure_ascii=False)}: {_laid_out(v, inner)}" for k, v in value.items())
    return f"{{{inner}" + f",{inner}".join(parts) + f"{line}}}"
