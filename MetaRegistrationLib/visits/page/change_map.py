"""The change map in words, and its table of regions."""

from __future__ import annotations

from ..change_files import WHAT_IT_SHOWS, SeriesChange
from ..regions import REGION_COLUMNS
from .markup import Html, escaped, number, table
from .naming import capital, column_words, region_words


def caption(found: SeriesChange) -> Html:
    """What the colours of the map mean."""
    return escaped(
        "difference of the local density of capillaries, percentage points. Blue: decreased, orange: increased, hatched: not"
        " measurable. Full colours with an outline: clusters larger than those of repeat scans"
        f" ({found.change.limits.source}), and differences over more than {found.change.limits.wide_mm2:.1f} mm² that repeat"
        " scans do not have."
    )


def map_table(found: SeriesChange) -> Html:
    """The regions of the map."""
    names = f"{found.earlier.visit.name} to {found.later.visit.name}"
    circles = "" if found.pixel_mm else " The pixel size is unknown: the circles are no ETDRS circles."
    columns = [capital(column_words(key)) for key in REGION_COLUMNS]
    rows = [[_cell(key, row[key]) for key in REGION_COLUMNS] for row in found.rows]
    return Html(f"<h3>The change map by region</h3><p>{escaped(WHAT_IT_SHOWS)}{circles}</p>") + table(
        columns, rows, f"Change map, {names}"
    )


def _cell(key: str, value: object) -> object:
    if isinstance(value, str):
        return region_words(value)
    return value if isinstance(value, int) else number(value, sign=key.startswith("difference"))
