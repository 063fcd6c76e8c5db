"""The day of a date, and when in it, however it is written: ISO first, since nearly every export writes that."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal

from playground.log_tickets import NO_TIME, UNKNOWN
from playground.logs.log_read import LogRead

_ISO = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?=$|[T\s])")
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?=$|T)")
_SLASHED = re.compile(r"(\d{1,2})([-/])(\d{1,2})\2(\d{4}|\d\d)(?=$|[,\s])")
_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d\d)(?=$|[,\s])")
_NUMBER = re.compile(r"\d{5}(?:\.\d+)?|\d{9,13}(?:\.\d+)?")
_TIME = re.compile(r"(?<!\d)(\d{1,2}):(\d\d)(?::(\d\d))?(?:\.\d+)?\s?([AaPp]\.?[Mm])?")
_LONGEST = 64
_MOST_CACHED = 200_000
_EXCEL = range(36_526, 73_051)
"""The days 2000 to 2100 as Excel counts them, from the end of 1899."""
_EXCEL_ZERO = date(1899, 12, 30).toordinal()
_SECONDS = (631_152_000, 4_102_444_800)
"""The years 1990 to 2100 in epoch seconds: another number is no date."""


class Days:
    """Dates into `date.toordinal()`; learns from a log whether its day or its month comes first."""

    def __init__(self, read: LogRead) -> None:
        self._read = read
        self._iso: dict[str, int] = {}
        self._texts: dict[str, int | None] = {}
        self._day_first: bool | None = None
        self._votes = 0

    def day(self, value: object) -> int | None:
        """The day, unknown where there is none; `None` where it cannot be read."""
        if type(value) is str:
            found = self._iso.get(value[:10])
            return found if found is not None else self._text(value)
        if value is None:
            return UNKNOWN
        if isinstance(value, date):
            return value.toordinal()
        return _number(value) if isinstance(value, (int, float, Decimal)) else None

    def learn(self, values: Iterable[object]) -> None:
        """See which comes first, from the dates so far that leave no doubt; most of them decide."""
        texts = [v for v in values if type(v) is str and v[4:5] != "-"]
        matches = map(_SLASHED.match, map(str.strip, texts))
        pairs = [(int(m[1]), int(m[3])) for m in matches if m]
        self._votes += sum(a > 12 >= b for a, b in pairs) - sum(b > 12 >= a for a, b in pairs)
        if self._votes:
            self._decide(self._votes > 0)

    def _decide(self, day_first: bool) -> None:
        if self._day_first is day_first:
            return
        order = "day first, as in 24/11/2026" if day_first else "month first, as in 11/24/2026"
        before = "" if self._day_first is None else " from here on; those before were read the other way"
        self._read.remark(f"{self._read.file}: dates with slashes are read {order}{before}.")
        self._day_first = day_first
        self._texts.clear()

    def _text(self, text: str) -> int | None:
        found = self._texts.get(text, -1)
        if found == -1:
            if len(self._texts) >= _MOST_CACHED:
                self._texts.clear()
            found = self._texts[text] = self._parsed(text)
        return found

    def _parsed(self, text: str) -> int | None:
        stripped = text.strip()
        if not stripped:
            return UNKNOWN
        if match := _ISO.match(stripped):
            found = _ordinal(match[1], match[3], match[4])
            if found is not None and len(match[0]) == 10 and text == stripped:
                self._iso[match[0]] = found
            return found
        if match := _SLASHED.match(stripped):
            return self._slashed(match[1], match[3], match[4])
        if match := _DOTTED.match(stripped):
            return _ordinal(match[3], match[2], match[1])
        if match := _COMPACT.match(stripped):
            return _ordinal(*match.groups())
        return _number(float(stripped)) if _NUMBER.fullmatch(stripped) else _worded(stripped)

    def _slashed(self, first: str, second: str, year: str) -> int | None:
        if int(first) > 12:
            return _ordinal(year, second, first)
        if int(second) > 12:
            return _ordinal(year, first, second)
        if self._day_first is None and first != second:
            self._assume()
        return _ordinal(year, second, first) if self._day_first else _ordinal(year, first, second)

    def _assume(self) -> None:
        self._day_first = False
        self._read.remark(
            f"{self._read.file}: no date shows whether its day or its month comes first, as in 3/4/2026; they are read "
            "month first. Write dates as 2026-11-24 where that is wrong."
        )


def second_of_day(value: object) -> int:
    """When in its day a date is, as it is written; `NO_TIME` where it does not say."""
    if type(value) is str:
        return _written_second(value[:_LONGEST])
    if isinstance(value, datetime):
        return value.hour * 3_600 + value.minute * 60 + value.second
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or _number(value) is None:
        return NO_TIME
    number = float(value)
    if number < _EXCEL.stop:
        return int(number % 1 * 86_400) if number % 1 else NO_TIME
    return int(number / 1000 if number > _SECONDS[1] else number) % 86_400


def _written_second(text: str) -> int:
    found = _TIME.search(text)
    if found is None:
        stripped = text.strip()
        return second_of_day(float(stripped)) if _NUMBER.fullmatch(stripped) else NO_TIME
    hour, minute, second = (int(part or 0) for part in found.groups()[:3])
    if found[4]:
        hour = hour % 12 + 12 * (found[4][0] in "pP")
    return hour * 3_600 + minute * 60 + second if hour < 24 and minute < 60 and second < 60 else NO_TIME


_YEARS = range(1990, 2101)
"""A date outside is a slip: no help desk is older."""


def _ordinal(year: str, month: str, day: str) -> int | None:
    try:
        found = date(int(year) + 2000 * (len(year) == 2), int(month), int(day))
    except ValueError:
        return None
    return found.toordinal() if found.year in _YEARS else None


def _number(value: int | float | Decimal) -> int | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    if isinstance(value, bool) or number != number:
        return None
    if _EXCEL.start <= number < _EXCEL.stop:
        return _EXCEL_ZERO + int(number)
    seconds = number / 1000 if number > _SECONDS[1] else number
    if not _SECONDS[0] <= seconds < _SECONDS[1]:
        return None
    return datetime.fromtimestamp(seconds, UTC).toordinal()


def _worded(text: str) -> int | None:
    """`24 Nov 2026 10:11 AM`. A date without its year, month or day takes them from the default: two defaults tell."""
    if len(text) > _LONGEST or not any(c.isdigit() for c in text):
        return None
    from dateutil import parser

    try:
        found = {
            parser.parse(text, ignoretz=True, default=d).date() for d in (datetime(2000, 1, 1), datetime(2003, 2, 5))
        }
    except (ValueError, OverflowError, TypeError, ArithmeticError, AttributeError, IndexError):
        return None
    return found.pop().toordinal() if len(found) == 1 else None
