"""How the visits were aligned, and how consistent that is."""

from __future__ import annotations

from collections.abc import Sequence

from ...registration.schema import Measure
from ..columns import LOOP_COLUMNS, VISIT_COLUMNS, Loop, VisitOfSeries, loops_of
from .content import Content
from .markup import NOTHING, Html, table
from .naming import capital

_AT_THE_TOP = ("date", "order", "side", "quality", "aligned", "expected_error_px", "excluded", "asked")
_CONSISTENCY = (
    "Each visit is registered to the reference directly and through a third visit. The two results should agree. If the reference"
    " may be at fault, visits are registered to one another too. A grid px is a pixel of the network grid (400 x 400)."
)


def alignment(content: Content) -> Html:
    """The last section, folded on the screen and open in print."""
    series = content.series
    visits = [VisitOfSeries(series, index) for index in range(len(series.visits))]
    loops = loops_of(series)
    own = [column for column in VISIT_COLUMNS if column.key not in _AT_THE_TOP]
    consistency = f"<h3>Consistency</h3><p>{_CONSISTENCY}</p>{_table(LOOP_COLUMNS, loops)}" if loops else ""
    return Html(
        '<section id="alignment"><h2>Alignment</h2><details><summary>Details of the alignment</summary>'
        f"{_table(own, visits)}{consistency}</details></section>\n"
    )


def _table(columns: Sequence[Measure], rows: Sequence[VisitOfSeries] | Sequence[Loop]) -> Html:
    """A table of columns that are declared, without the empty ones."""
    cells = [[_words(column, row) for column in columns] for row in rows]
    filled = [index for index in range(len(columns)) if any(row[index] != NOTHING for row in cells)]
    kinds = ["number" if columns[index].kind is float else "" for index in filled]
    heads = [capital(columns[index].title) for index in filled]
    return table(heads, [[row[index] for index in filled] for row in cells], groups=kinds)


def _words(column: Measure, row: VisitOfSeries | Loop) -> str:
    return column.text(column.of(row), nothing=NOTHING, most_digits=2) or NOTHING
