"""All measures of a series: of each visit, their changes, and their trends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..octa.faz import Faz
from .changes import MeasureChange, Occasion, Trend, measure_changes, occasions, repeats_of, trends
from .comparable import LEAST_VESSEL_AGREEMENT, vessel_agreement
from .dates import by_date
from .measured import MeasuredVisit, common_mask, in_parallel, measured
from .measures import Grid, Measurement, measure_each
from .regions import suggested_centre
from .repeatability import Repeatability, repeatability, used_repeatability
from .series import Series


@dataclass(frozen=True, eq=False)
class SeriesMeasures:
    """The measures of a series.

    Attributes
    ----------
    grid : Grid
    rows : list of Measurement
    occasions : list of Occasion
    changes : list of MeasureChange
        From the first occasion to each later one.
    trends : list of Trend
    repeatability : Repeatability
    agreement : dict of (str, str) to float
        Agreement of the larger vessels of two occasions (`vessel_agreement`).
    zones : dict of str to (Faz or None)
        By visit, the foveal avascular zone with its outline in pixels of the reference; None where it is not clear.
    """

    grid: Grid
    rows: list[Measurement]
    occasions: list[Occasion]
    changes: list[MeasureChange]
    trends: list[Trend]
    repeatability: Repeatability
    agreement: dict[tuple[str, str], float] = field(default_factory=dict)
    zones: dict[str, Faz | None] = field(default_factory=dict)

    @property
    def axial_length_mm(self) -> float:
        """The axial length by which distances are scaled; NaN where none was given."""
        return math.nan if self.grid.eye_length is None else self.grid.eye_length.axial_mm

    @property
    def notes(self) -> list[str]:
        """Sentences on the scale of distances and on the user's own regions, for the page."""
        found = [] if self.grid.eye_length is None else [self.grid.eye_length.text]
        if self.grid.own:
            found.append(
                f"Regions of your own: {', '.join(self.grid.own)}. Repeat scans without these regions give no CoR of them;"
                " the largest CoR of all regions then counts."
            )
        return found


def grid_of(
    series: Series, centre_xy: tuple[float, float] | None = None, own: Mapping[str, np.ndarray] | None = None
) -> Grid:
    """The grid of a series: around the given centre, that of a visit, or the suggested one.

    Raises
    ------
    InputError
        The given centre is outside of the reference, or not finite.
    """
    if centre_xy is not None:
        series.check_centre(centre_xy)
    centre = centre_xy or series.centre_xy or suggested_centre(*series.visits[series.reference].warped)
    spacing = series.pixel_mm
    return Grid(centre, spacing, series.side, own, None if spacing is None else series.eye_length)


def measure_series(series: Series, grid: Grid, repeats: Repeatability | None = None) -> SeriesMeasures:
    """Measure the used visits of a series, in the order of their dates; shadows are found against the first of them.

    Parameters
    ----------
    series : Series
        With at least one used visit.
    grid : Grid
    repeats : Repeatability, optional
        Of the user's own repeat scans. Visits of one day are used as such by themselves.
    """
    qualities = {entry.visit.name: quality for entry, quality in zip(series.visits, series.qualities, strict=True)}
    visits = in_parallel(lambda entry: measured(entry, qualities[entry.visit.name]), by_date(series.used))
    each = measure_each(visits, grid)
    rows = [row for one in each for row in one.rows]
    zones = {one.visit: one.zone for one in each}
    groups = occasions([visit.entry.visit for visit in visits])
    scale = 1.0 if grid.eye_length is None else grid.eye_length.scale
    own = repeats.scaled(scale) if repeats else repeatability(repeats_of(rows, groups), "visits of one day")
    known = used_repeatability(own, scale)
    agreement = _agreements(visits, groups)
    changes = []
    for later in groups[1:]:
        least = agreement[groups[0].name, later.name]
        changes += measure_changes(rows, groups[0], later, known, not least < LEAST_VESSEL_AGREEMENT)
    return SeriesMeasures(grid, rows, groups, changes, trends(rows, groups), known, agreement, zones)


def _agreements(visits: Sequence[MeasuredVisit], groups: Sequence[Occasion]) -> dict[tuple[str, str], float]:
    """Agreement of the larger vessels of the first visits of the first and of each later occasion."""
    by_name = {visit.entry.visit.name: visit for visit in visits}
    first = by_name[groups[0].visits[0]]
    found = {}
    for group in groups[1:]:
        other = by_name[group.visits[0]]
        value = vessel_agreement(first.large, other.large, common_mask([first, other]))
        found[groups[0].name, group.name] = value if math.isfinite(value) else 0.0
    return found
