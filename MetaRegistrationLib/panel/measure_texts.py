"""Measures as the panel shows them: every one that the schema shows there, in the user's language."""

from __future__ import annotations

from collections.abc import Sequence

from ..registration.measures import PairMeasures, shown_in
from ..registration.schema import COMPARED, GRID_PX, PANEL, Measure, grouped
from .texts import tr as _

_NONE = "–"
_DIGITS = 2  # of values before and after in a sentence; the table of results has all


def translated() -> list[str]:
    """The texts that the schema brings, for the template of translations."""
    shown = [*shown_in(PANEL), *shown_in(COMPARED)]
    words = [measure.zero for measure in shown if measure.zero]
    return list(dict.fromkeys([*(_name(grouping) for grouping in grouped(shown)), *words, GRID_PX.symbol]))


def grid_pixels() -> str:
    """The unit of distances in pixels of the network grid."""
    return _(GRID_PX.symbol)


def measures_text(measures: PairMeasures) -> str:
    """The measures in a sentence: Similarity (NCC) 0.20 → 0.47, no folding."""
    text = ", ".join(_part(group, measures) for group in grouped(shown_in(PANEL)))
    return f"{text[:1].upper()}{text[1:]}."


def compared_titles() -> list[str]:
    """The heads of the columns of measures in the table of results."""
    return [_with_symbol(_(_name(group)), group, ", ") for group in grouped(shown_in(COMPARED))]


def compared_cells(measures: PairMeasures) -> list[str]:
    """The cells under `compared_titles`."""
    return [_values(group, measures) for group in grouped(shown_in(COMPARED))]


def _name(group: Sequence[Measure]) -> str:
    return group[0].group or group[0].label


def _part(group: Sequence[Measure], measures: PairMeasures) -> str:
    first = group[0]
    if first.zero and measures[first.key] == 0:
        return _(first.zero)
    values = _values(group, measures, _DIGITS if len(group) > 1 else None)
    return f"{_(_name(group))} {_with_symbol(values, group, ' ')}"


def _values(group: Sequence[Measure], measures: PairMeasures, most_digits: int | None = None) -> str:
    return " → ".join(each.text(measures[each.key], _NONE, most_digits) for each in group)


def _with_symbol(text: str, group: Sequence[Measure], between: str) -> str:
    symbol = group[0].unit.symbol
    return f"{text}{between}{symbol}" if symbol else text
