"""Dates of visits: read from tables, from files and from names, and compared as far as they are precise."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass

from ..date_orders import DateOrder
from ..errors import InputError

_FIRST_YEAR = 1970  # before it, there were no devices; anonymised files say 1900
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LEVELS = ("year", "month", "day", "time")
_START, _END = r"(?<![0-9])", r"(?![0-9])"
_CLOCK = r"(?:[T ,_]+(?P<clock>\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:\s*[ap]m)?)(?:Z|[+-]\d{2}:?\d{2})?)?"
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*"
_PATTERNS = {
    "year first": rf"(?P<y>\d{{4}})(?P<sep>[-/._])(?P<m>\d{{1,2}})(?P=sep)(?P<d>\d{{1,2}}){_CLOCK}",
    "compact": r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?:[T_-]?(?P<digits>\d{6}|\d{4})(?:\.\d+)?(?:[+-]\d{4})?)?",
    "month name": rf"(?P<d>\d{{1,2}})[ ._-]*{_MONTH}[ .,_-]*(?P<y>\d{{4}}){_CLOCK}",
    "month name first": rf"(?<![a-z]){_MONTH}[ ._-]*(?P<d>\d{{1,2}})[ .,_-]+(?P<y>\d{{4}}){_CLOCK}",
    "year last": rf"(?P<a>\d{{1,2}})(?P<sep>[-/._])(?P<b>\d{{1,2}})(?P=sep)(?P<y>\d{{4}}){_CLOCK}",
}
_UID = r"\d+(?:\.\d+){4,}"  # name of a DICOM file; the numbers in it are no dates of the scan
_COARSE = {"month": r"(?P<y>\d{4})[-/._](?P<m>\d{1,2})", "year": r"(?P<y>\d{4})"}


class AmbiguousDate(InputError):
    """A date of which day and month cannot be distinguished."""


@dataclass(frozen=True)
class When:
    """A date, as far as it is known.

    Attributes
    ----------
    start : datetime
        The earliest time that it can mean, in the clock of the device.
    level : str
        What is known of it: "year", "month", "day" or "time".
    """

    start: datetime.datetime
    level: str = "day"

    def __str__(self) -> str:
        """As in ISO 8601, no more than is known."""
        if self.level == "time":
            return self.start.isoformat(" ", "seconds" if self.start.second else "minutes")
        return self.start.date().isoformat()[: {"year": 4, "month": 7, "day": 10}[self.level]]

    @property
    def day(self) -> datetime.date | None:
        """The day, if it is known."""
        return self.start.date() if self.level in ("day", "time") else None

    def before(self, other: When) -> bool:
        """Whether it is certainly an earlier day (month, year) than the other; times of one day are no difference."""
        level = min(self.level, other.level, "day", key=_LEVELS.index)
        return self._cut(level) < other._cut(level)

    def agrees(self, other: When) -> bool:
        """Whether both can mean one day."""
        return not (self.before(other) or other.before(self))

    def _cut(self, level: str) -> tuple[int, ...]:
        return (self.start.year, self.start.month, self.start.day)[: _LEVELS.index(level) + 1]


def read_date(text: str, place: str, order: DateOrder = "ask", clock: str = "") -> When | None:
    """The date in a cell, or None where it holds no date (an empty cell, a word).

    Parameters
    ----------
    text : str
        The whole cell: 2021-03-04, 20210304, 4 March 2021, 04.03.2021, 2021-03, 2021, with or without a time.
    place : str
        Beginning of messages, such as file and line.
    order : DateOrder
    clock : str, optional
        The time of that day, from a cell of its own.

    Raises
    ------
    AmbiguousDate
        Day and month cannot be distinguished, and `order` does not tell.
    InputError
        It is no possible date: no such day, before 1970, or in the future.
    """
    text = text.strip()
    for kind, pattern in _PATTERNS.items():
        match = re.fullmatch(pattern, text, re.IGNORECASE)
        if match:
            return _when(kind, match, place, order, clock)
    coarse = ((level, re.fullmatch(pattern, text)) for level, pattern in _COARSE.items())
    level, match = next((found for found in coarse if found[1]), ("", None))
    return None if match is None else _possible(text, place, lambda: _coarse(match), level)


def date_in_name(name: str, place: str, order: DateOrder = "ask") -> When | None:
    """The one date in the name of a file or folder; None where there is none, or several that differ.

    Eight digits that are no date are a number, and no error.

    Raises
    ------
    AmbiguousDate, InputError
        As `read_date`.
    """
    if order == "ignore" or re.fullmatch(_UID, name):
        return None
    found = []
    for kind, pattern in _PATTERNS.items():
        for match in re.finditer(_START + pattern + _END, name, re.IGNORECASE):
            try:
                found.append(_when(kind, match, place, order, ""))
            except AmbiguousDate:
                raise
            except InputError:
                if kind != "compact":
                    raise
        if found:  # a date of a later pattern would be a part of the same digits
            break
    days = {when.day for when in found}
    return max(found, key=lambda when: _LEVELS.index(when.level)) if len(days) == 1 else None


def day_of_file(text: str, place: str) -> When | None:
    """The date of a file's own header, YYYYMMDD with or without HHMMSS; `InputError` where it is impossible."""
    return read_date(re.sub(r"\s", "", text)[:14], place) if text.strip() else None


def natural_key(name: str) -> tuple:
    """Sorts visit_2 before visit_10, and numbers before words, whatever the case of letters."""
    parts = re.split(r"(\d+)", name.casefold())
    return (*((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part), (-1, 0, name))


def _when(kind: str, match: re.Match, place: str, order: DateOrder, clock: str) -> When:
    found = match.groupdict()
    text = match.group()
    if kind == "year last":
        day, month = _day_and_month(int(found["a"]), int(found["b"]), text, place, order)
    else:
        day = int(found["d"])
        month = _MONTHS.index(found["month"].lower()) + 1 if found.get("month") else int(found["m"])
    time = _time(found.get("clock") or clock, found.get("digits"), text, place)
    level = "day" if time is None else "time"
    return _possible(
        text,
        place,
        lambda: datetime.datetime.combine(datetime.date(int(found["y"]), month, day), time or datetime.time()),
        level,
    )


def _day_and_month(first: int, second: int, text: str, place: str, order: DateOrder) -> tuple[int, int]:
    if order == "dayfirst":
        return first, second
    if order == "monthfirst":
        return second, first
    if first > 12 or first == second:
        return first, second
    if second > 12:
        return second, first
    raise AmbiguousDate(
        f"{place}: {text} is day and month, or month and day.",
        field="dates",
        advice="Say which with {field}, or write the date as 2021-03-04.",
    )


def _time(clock: str, digits: str | None, text: str, place: str) -> datetime.time | None:
    if digits:
        clock = ":".join(digits[at : at + 2] for at in range(0, len(digits), 2))
    if not clock.strip():
        return None
    match = re.fullmatch(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?\s*([ap]m)?", clock.strip(), re.IGNORECASE)
    try:
        hour, minute, second = (int(part or 0) for part in match.groups()[:3])
        if match.group(4):
            hour = hour % 12 + (12 if match.group(4).lower() == "pm" else 0)
        return datetime.time(hour, minute, min(second, 59))
    except (AttributeError, ValueError):
        raise InputError(f"{place}: the time of {text!r} is impossible. Correct it, or leave it out.") from None


def _coarse(match: re.Match) -> datetime.datetime:
    return datetime.datetime(int(match["y"]), int(match.groupdict().get("m") or 1), 1)


def _possible(text: str, place: str, make: Callable[[], datetime.datetime], level: str) -> When:
    try:
        start = make()
    except ValueError:
        raise InputError(f"{place}: {text} is no date. Correct it, or leave it out.") from None
    if start.year < _FIRST_YEAR:
        raise InputError(f"{place}: {text} is before {_FIRST_YEAR}. Correct the date, or leave it out.")
    if start.date() > datetime.date.today() + datetime.timedelta(days=1):
        raise InputError(f"{place}: {text} is in the future. Correct the date, or leave it out.")
    return When(start, level)
