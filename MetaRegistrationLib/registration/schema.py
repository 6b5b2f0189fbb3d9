"""How a number is declared once: its key in files, its label, unit and digits for people, and where it is shown.

Needs no torch: the panel opens without it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

SUMMARY = "summary.json"
TERMINAL = "terminal"
SCENE = "scene"
PANEL = "panel"
COMPARED = "results table"
"""Where a measure can be shown, beside the table that it belongs to.

`SUMMARY`: mean, deviation and median over pairs, and the progress of a command. `TERMINAL`: the table that a command prints.
`SCENE`: attributes of the nodes of a result. `PANEL`: the text under *Register*. `COMPARED`: the panel's table of results.
What the panel shows of a saved result is read from the scene.
"""


class Unit(NamedTuple):
    """A unit: the symbol beside a number, and the words for it in the documentation."""

    symbol: str = ""
    words: str = ""


NO_UNIT = Unit()
PERCENT = Unit("%", "percent")
SECONDS = Unit("s", "seconds")
GRID_PX = Unit("grid px", "pixels of the network grid (400 x 400)")
IMAGE_PX = Unit("image px", "pixels of the fixed image")
MOVING_PX = Unit("px of the moving image", "pixels of the moving image")
MICROMETRES = Unit("µm", "micrometres")


@dataclass(frozen=True)
class Measure:
    """One column of a table.

    Attributes
    ----------
    key : str
        Name of the column and key in records; never changed, since files are read back by it.
    label : str
        What people read.
    of : callable
        Gives the value; what it gets depends on the table.
    unit : Unit
    digits : int
        Decimals that people see.
    kind : type
        float, int or str. A float that is not known is NaN, a count 0, a text empty.
    note : str
        What else the documentation says.
    shown_in : frozenset of str
        `SUMMARY`, `TERMINAL`, `SCENE`, `PANEL`, `COMPARED`.
    group : str
        Measures of one group are shown by the panel as one: before and after.
    zero : str
        The words for a value of exactly 0, where it has words.
    """

    key: str
    label: str
    of: Callable[[Any], Any]
    unit: Unit = NO_UNIT
    digits: int = 3
    kind: type = float
    note: str = ""
    shown_in: frozenset[str] = frozenset()
    group: str = ""
    zero: str = ""

    @property
    def title(self) -> str:
        """Label and unit, for the head of a column."""
        return f"{self.label}, {self.unit.symbol}" if self.unit.symbol else self.label

    @property
    def missing(self) -> Any:
        """The value where nothing is known."""
        return math.nan if self.kind is float else self.kind()

    def cell(self, value: Any) -> Any:
        """The cell of a CSV file: six significant digits, empty where nothing is known."""
        if not isinstance(value, float):
            return value
        return "" if math.isnan(value) else f"{value:.6g}"

    def exact(self, value: Any) -> str:
        """A text from which `parse` makes the very same value."""
        return repr(float(value)) if self.kind is float else str(value)

    def parse(self, text: str) -> Any:
        """The value of a text that `cell` or `exact` gave.

        Raises
        ------
        ValueError
            The text is no number.
        """
        return self.kind(text) if text else self.missing

    def text(self, value: Any, nothing: str = "-", most_digits: int | None = None) -> str:
        """What people read, without the unit; with at most `most_digits` decimals."""
        if self.kind is not float:
            return str(value)
        digits = self.digits if most_digits is None else min(self.digits, most_digits)
        return nothing if math.isnan(value) else f"{value:.{digits}f}"


def grouped(measures: Iterable[Measure]) -> list[tuple[Measure, ...]]:
    """The measures that are shown together, in the order of the first of each group."""
    groups: dict[str, list[Measure]] = {}
    for measure in measures:
        groups.setdefault(measure.group or measure.key, []).append(measure)
    return [tuple(group) for group in groups.values()]


def markdown_table(measures: Iterable[Measure]) -> str:
    """The table of the documentation: a row a column, with its unit."""
    rows = [("column", "unit", "content"), ("---", "---", "---")]
    rows += [(f"`{each.key}`", each.unit.words or "–", _content(each)) for each in measures]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _content(measure: Measure) -> str:
    label = measure.label[:1].upper() + measure.label[1:]
    return f"{label}. {measure.note}" if measure.note else label
