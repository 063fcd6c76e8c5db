"""How many times the customer wrote, from a list of turns or a number of messages."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from playground.log_tickets import UNKNOWN

MOST = 1_000
_CUSTOMERS = frozenset(
    """customer user enduser contact lead requester client human visitor guest buyer caller student patient member
    in inbound incoming""".split()
)
_WHO = ("role", "author_type", "author", "sender", "from", "speaker", "direction", "type")
_INNER = ("type", "role", "name")


def rounds_of(value: object, turns_of: str, each: bool = False) -> int | None:
    """The rounds, from 1 to `MOST`; `UNKNOWN` where nothing is given, `None` where it cannot be read.

    With `each` every message of the customer is a round, also where two stand in a row.
    """
    if isinstance(value, str):
        value = _read(value.strip())
    if value is None or value == []:
        return UNKNOWN
    if isinstance(value, list):
        return _of_list(value, each)
    return _of_number(value, turns_of) if _is_number(value) else None


def _read(text: str) -> object:
    if not text:
        return None
    try:
        return json.loads(text) if text[0] == "[" else float(text)
    except (ValueError, RecursionError):
        return text


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _of_number(value: object, turns_of: str) -> int | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError:
        return None
    if not 0 <= number < math.inf:
        return None
    return _bounded(math.ceil(number if turns_of == "customer" else number / 2))


def _of_list(turns: Sequence[object], each: bool) -> int | None:
    if all(isinstance(t, str) for t in turns):
        return _bounded(len(turns))
    said = [is_customer(t) for t in turns if not _is_private(t)]
    if all(s is None for s in said):
        return None
    if each:
        return _bounded(said.count(True))
    return _bounded(sum(now is True and before is not True for before, now in pairwise([None, *said])))


def _bounded(rounds: int) -> int:
    return max(1, min(MOST, rounds))


def one_sided(values: Iterable[object]) -> bool:
    """Whether some of these are threads of several messages and none holds one of the agent's: such a log leaves them out."""
    threads = [v for v in map(_thread, values) if len(v) > 1]
    return bool(threads) and not any(is_customer(turn) is False for turns in threads for turn in turns)


def _thread(value: object) -> Sequence[object]:
    found = _read(value.strip()) if isinstance(value, str) else value
    return found if isinstance(found, list) and all(isinstance(t, Mapping) for t in found) else ()


def _is_private(turn: object) -> bool:
    return isinstance(turn, Mapping) and (turn.get("private") is True or turn.get("public") is False)


def is_customer(turn: object) -> bool | None:
    """Whether the customer wrote a turn; `None` where it does not say."""
    if not isinstance(turn, Mapping):
        return True if isinstance(turn, str) else None
    if isinstance(turn.get("incoming"), bool):
        return bool(turn["incoming"])
    names = (_name(turn[key]) for key in _WHO if key in turn)
    return next((name in _CUSTOMERS for name in names if name), None)


def _name(who: object) -> str:
    if isinstance(who, Mapping):
        who = next((who[key] for key in _INNER if isinstance(who.get(key), str)), "")
    return who.lower().replace("-", "").replace("_", "").replace(" ", "") if isinstance(who, str) else ""
