"""Dates of visits: read from tables, from files and from names, and compared as far as they are precise."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..date_orders import DateOrder
from ..errors import InputError

_FIRST_YEAR = 1970  # before it, there were no devices; anonymised files say 1900
_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_LEVELS = ("year", "month", "day", "time")
_START, _END = r"(?<![0-9])", r"(?![0-9])"
_CLOCK = r"(?:[T ,_]+(?P<clock>\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?(?:\s*[ap]m)?)(?:Z|[+-]\d{2}:?\d{2})?)?"
_MONTH = rf"(?P<month>{'|'.join(f'{name[:3]}(?:{name[3:]})?' if name[3:] else name for name in _MONTHS)}|sept)(?![a-z])"
_PATTERNS = {
    "year first": rf"(?P<y>\d{{4}})(?P<sep>[-/._])(?P<m>\d{{1,2}})(?P=sep)(?P<d>\d{{1,2}}){_CLOCK}",
    "compact": r"(?P<y>(?:19|20)\d{2})(?P<m>\d{2})(?P<d>\d{2})(?:T?(?P<minutes>\d{4})|[T_-]?(?P<seconds>\d{6}))?",
    "month name": rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[ ._-]*{_MONTH}[ .,_-]*(?P<y>\d{{4}}){_CLOCK}",
    "month name first": rf"(?<![a-z]){_MONTH}[ ._-]*(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[ .,_-]+(?P<y>\d{{4}}){_CLOCK}",
    "year last": rf"(?P<a>\d{{1,2}})(?P<sep>[-/._])(?P<b>\d{{1,2}})(?P=sep)(?P<y>\d{{4}}){_CLOCK}",
}
_OF_CELLS = {
    **_PATTERNS,
    "short year": rf"(?P<d>\d{{1,2}})(?:[ ._-]*){_MONTH}[ .,_-]+(?P<y>\d{{2}}){_CLOCK}",
}
"""Kinds in cells: spreadsheets write 05-Mar-21. In names two digits may be any number."""
_SERIAL_FROM = datetime.date(1899, 12, 30)  # day 0 of spreadsheets
_NUMBERS = ("compact", "month name", "month name first")
"""Kinds that a name may hold by chance: if they are no possible date there, they are no date."""
_NUMBERED = "visit visite v session timepoint tp followup fu scan image img patient pat p subject subj sub case no nr"
_OF_A_NUMBER = re.compile(
    rf"(?<![^\W\d_])(?:{'|'.join(_NUMBERED.split())}|follow[ -]up)(?P<gap>[._-]?)\Z", re.IGNORECASE
)
"""What a name says before a number that may be no day: visit_2, P3."""
_SCAN_KIND = ("oct", "OCT")  # the kind of scan; "Oct" and "October" are months
_UID = r"\d+(?:\.\d+){4,}"  # name of a DICOM file; the numbers in it are no dates of the scan
_COARSE = (
    ("month", r"(?P<y>\d{4})[-/._](?P<m>\d{1,2})"),
    ("month", r"(?P<m>\d{1,2})[-/._](?P<y>\d{4})"),
    ("month", rf"{_MONTH}[ .,_-]*(?P<y>\d{{4}})"),
    ("year", r"(?P<y>\d{4})"),
)
_HEADER = r"(\d{4})(?:(\d{2})(?:(\d{2})(\d{2})?(\d{2})?(\d{2})?)?)?"


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


class Dated(Protocol):
    """What may have a date."""

    @property
    def when(self) -> When | None:
        """The date, if it is known."""


AnyDated = TypeVar("AnyDated", bound=Dated)
_Item = TypeVar("_Item")


def by_date(visits: Sequence[AnyDated]) -> list[AnyDated]:
    """Visits in the order of their dates, those without one last; as they are if fewer than two have dates."""
    dated = [(visit.when.start, number) for number, visit in enumerate(visits) if visit.when is not None]
    if len(dated) < 2:
        return list(visits)
    return [visits[number] for _, number in sorted(dated)] + [visit for visit in visits if visit.when is None]


def in_known_order(
    items: Sequence[_Item], when: Callable[[_Item], When | None], first: Sequence[_Item] = ()
) -> list[_Item]:
    """The item that is certainly before most others, and these; the item alone if there are none.

    Of items that are certainly before equally many others, the earliest counts. Without the date of an item, all are in order.

    Parameters
    ----------
    items : sequence
        In the order of `by_date`.
    when : callable
        The date of an item.
    first : sequence, optional
        The items of which one is taken as the first, by their own number of later ones; by default all.
    """
    if not items:
        return []
    candidates = first or items
    dates = {id(item): when(item) for item in items}
    if None in dates.values():
        return list(items[items.index(candidates[0]) :])

    def later(item: _Item, others: Sequence[_Item]) -> list[_Item]:
        return [other for other in others if dates[id(item)].before(dates[id(other)])]

    earliest = max(candidates, key=lambda item: len(later(item, candidates)))
    return [earliest, *later(earliest, items)]


def order_unknown(dates: Iterable[tuple[str, When | None]]) -> str:
    """A sentence on visits, each with its name and its date, whose order is unknown."""
    named = (name if when is None or str(when) in name else f"{name} ({when})" for name, when in dates)
    return f"The dates do not tell the order of {', '.join(named)}."


def read_date(text: str, place: str, order: DateOrder = "ask", clock: str = "") -> When | None:
    """The date in a cell, or None where it holds no date (an empty cell, a word).

    Parameters
    ----------
    text : str
        The whole cell: 2021-03-04, 20210304, 4 March 2021, 4-Mar-21, 04.03.2021, 2021-03, 2021, with or without a time.
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
    for kind, pattern in _OF_CELLS.items():
        match = re.fullmatch(pattern, text, re.IGNORECASE)
        if match:
            return _when(kind, match, place, order, clock)
    coarse = ((level, re.fullmatch(pattern, text, re.IGNORECASE)) for level, pattern in _COARSE)
    level, match = next((found for found in coarse if found[1]), ("", None))
    return None if match is None else _possible(text, place, lambda: _coarse(match), level)


def not_read(text: str) -> str:
    """A sentence on a cell that is not read as a date. A number may be the day of a spreadsheet."""
    number = int(text) if re.fullmatch(r"\d{5}", text.strip()) else 0
    day = _SERIAL_FROM + datetime.timedelta(days=number)
    if _FIRST_YEAR <= day.year <= datetime.date.today().year:
        return (
            f"{text!r} is not read as a date. It may be the number of the day {day} in a spreadsheet. If it is, write the date as"
            f" {day}."
        )
    return f"{text!r} is not read as a date. Write it as 2021-03-04."


def date_in_name(name: str, place: str, order: DateOrder = "ask") -> When | None:
    """The one date in the name of a file or folder; None where there is none, or several that differ.

    Eight digits that are no date are a number, and no error. So are six digits behind a date that are no time. "oct" and "OCT"
    are the kind of scan here, and only "Oct" and "october" a month. The number of a visit, as in visit_2_mar_2021, is no day.

    Raises
    ------
    AmbiguousDate, InputError
        As `read_date`.
    """
    if order == "ignore" or re.fullmatch(_UID, name):
        return None
    found: list[When] = []
    for kind, pattern in _PATTERNS.items():
        for match in re.finditer(_START + pattern + _END, name, re.IGNORECASE):
            if match.groupdict().get("month") not in _SCAN_KIND and not _begins_with_a_number(kind, match):
                found += _of_match(kind, match, place, order)
        if found:  # a date of a later pattern would be a part of the same digits
            break
    days = {when.day for when in found}
    return max(found, key=lambda when: _LEVELS.index(when.level)) if len(days) == 1 else None


def _begins_with_a_number(kind: str, match: re.Match) -> bool:
    """Whether what seems to be a day before the name of a month is the number of a visit or a patient.

    It is, if it is stuck to the word, as in visit31_mar_2023, or if it is one digit between two marks, as in visit_2_mar_2021.
    """
    number = _OF_A_NUMBER.search(match.string[: match.start()])
    if kind != "month name" or number is None:
        return False
    between_marks = len(match["d"]) == 1 and match.string[match.end("d")] in "._-"
    return not number["gap"] or between_marks


def _of_match(kind: str, match: re.Match, place: str, order: DateOrder) -> list[When]:
    """The date of a part of a name; none where it is a number that no date can be."""
    try:
        return [_when(kind, match, place, order, "")]
    except AmbiguousDate:
        raise
    except InputError:
        if kind not in _NUMBERS:
            raise
    day = re.match(_PATTERNS[kind] + r"(?=[_-])", match.group()[:9]) if kind == "compact" else None
    return [] if day is None else _of_match(kind, day, place, order)


def date_of_header(text: str, place: str) -> When | None:
    """The date in a file's own header, YYYYMMDDHHMMSS or the beginning of it; None without one.

    Raises
    ------
    InputError
        It is no possible date.
    """
    match = re.match(_HEADER, re.sub(r"\s", "", text))
    if match is None:
        return None
    year, month, day, *clock = match.groups()
    level = "year" if month is None else "month" if day is None else "day" if clock[0] is None else "time"
    numbers = [int(part or first) for part, first in zip((year, month, day, *clock), (0, 1, 1, 0, 0, 0), strict=True)]
    return _possible(text, place, lambda: datetime.datetime(*numbers[:5], min(numbers[5], 59)), level)


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
        month = _month(found["month"]) if found.get("month") else int(found["m"])
    time = _time(found.get("clock") or found.get("minutes") or found.get("seconds") or clock, place)
    level = "day" if time is None else "time"
    return _possible(
        text,
        place,
        lambda: datetime.datetime.combine(datetime.date(_year(found["y"]), month, day), time or datetime.time()),
        level,
    )


def _year(digits: str) -> int:
    """A year of four digits, or of two: the last one that is not in the future."""
    year = int(digits)
    if len(digits) > 2:
        return year
    this = datetime.date.today().year
    return this - (this - year) % 100


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


def _month(name: str) -> int:
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(name.lower()[:3]))


def _time(text: str, place: str) -> datetime.time | None:
    """A time of day: 13:30, 13.30, 1330, 1:30 pm, with or without seconds; None for an empty text."""
    if not text.strip():
        return None
    match = re.fullmatch(
        r"(\d{1,2})[:.h]?(\d{2})(?:[:.]?(\d{2}))?(?:\.\d+)?\s*([ap])?\.?m?\.?", text.strip(), re.IGNORECASE
    )
    try:
        hour, minute, second = (int(part or 0) for part in match.groups()[:3])
        if match.group(4):
            hour = hour % 12 + (12 if match.group(4).lower() == "p" else 0)
        return datetime.time(hour, minute, min(second, 59))
    except (AttributeError, ValueError):
        raise InputError(f"{place}: the time {text!r} is impossible. Correct it, or leave it out.") from None


def _coarse(match: re.Match) -> datetime.datetime:
    found = match.groupdict()
    month = _month(found["month"]) if found.get("month") else int(found.get("m") or 1)
    return datetime.datetime(int(found["y"]), month, 1)


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
