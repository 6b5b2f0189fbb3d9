"""All measures of a series: of each visit, their changes, and their trends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..octa.faz import Faz
from .changes import (
    MeasureChange,
    Occasion,
    Trend,
    compared_occasions,
    measure_changes,
    occasions,
    repeats_of,
    trends,
    why_no_trend,
)
from .comparable import LEAST_VESSEL_AGREEMENT, vessels_agree
from .dates import by_date, order_unknown
from .drawings import drawing_text
from .faz_notes import faz_text
from .fovea import Fovea
from .measured import measured_together
from .measures import Grid, Measurement, measure_each
from .polarity import dark_text, dark_visits, without_values
from .repeatability import Repeatability, repeatability, used_repeatability
from .series import AlignedVisit, Series
from .unlike_pixels import not_comparable, sizes_of, sizes_text, unlike, without_texture


@dataclass(frozen=True, eq=False)
class SeriesMeasures:
    """The measures of a series.

    Attributes
    ----------
    grid : Grid
    rows : list of Measurement
    occasions : list of Occasion
    changes : list of MeasureChange
        From the first occasion to each later one. An occasion without a place in time (`Series.in_time`) has none, and neither
        has one whose order is unknown.
    trends : list of Trend
    repeatability : Repeatability
    agreement : dict of (str, str) to float
        Agreement of the larger vessels of two occasions (`vessel_agreement`): the least of all their scans with the first one.
    zones : dict of str to (Faz or None)
        By visit, the foveal avascular zone with its outline in pixels of the reference; None where it is not clear.
    sizes : dict of str to float
        By visit, the size of its pixels in those of the reference.
    fovea : Fovea or None
        The suggestion that is the centre of the grid; None where the centre was given.
    size_note : str
        A sentence on a pixel size that the reference lacks (`Series.size_note`); empty if it does not.
    remarks : tuple of str
        Sentences on visits with dark vessels or a drawn grid, and on dates that are not precise enough for a change or a trend.
    faz_areas : dict of str to (float, float)
        By visit, the least and the greatest area (mm2) of a foveal avascular zone that is not measured, since it depends on the
        centre.
    """

    grid: Grid
    rows: list[Measurement]
    occasions: list[Occasion]
    changes: list[MeasureChange]
    trends: list[Trend]
    repeatability: Repeatability
    agreement: dict[tuple[str, str], float] = field(default_factory=dict)
    zones: dict[str, Faz | None] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)
    fovea: Fovea | None = None
    size_note: str = ""
    remarks: tuple[str, ...] = ()
    faz_areas: dict[str, tuple[float, float]] = field(default_factory=dict)

    def between(self, earlier: Occasion, later: Occasion) -> list[MeasureChange]:
        """The changes between any two occasions that show one eye."""
        return _changes(self.rows, earlier, later, self.repeatability, self.sizes)

    @property
    def axial_length_mm(self) -> float:
        """The axial length by which distances are scaled; NaN where none was given."""
        return math.nan if self.grid.eye_length is None else self.grid.eye_length.axial_mm

    @property
    def notes(self) -> list[str]:
        """Sentences on the scale of distances, the centre, the sizes of pixels and the user's own regions, for the page."""
        found = [] if self.grid.eye_length is None else [self.grid.eye_length.text]
        found += filter(None, [self.size_note, "" if self.fovea is None else self.fovea.text, sizes_text(self.sizes)])
        found += [*self.remarks, *filter(None, [faz_text(self.faz_areas)])]
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
    spacing = series.pixel_mm
    suggested = centre_xy is None and series.centre_xy is None
    length = None if spacing is None else series.eye_length
    return Grid(series.centre(centre_xy), spacing, series.side, own, length, suggested)


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
    used = by_date(series.used)
    visits = measured_together(used, [qualities[entry.visit.name] for entry in used])
    each = measure_each(visits, grid)
    dark = dark_visits(used)
    rows = without_values([row for one in each for row in one.rows], dark)
    zones = {one.visit: None if one.visit in dark else one.zone for one in each}
    unstable = {one.visit: one.faz_areas for one in each if one.faz_areas and one.visit not in dark}
    groups = occasions([visit.entry.visit for visit in visits])
    compared = compared_occasions([entry.visit for entry in series.in_time])
    scale = 1.0 if grid.eye_length is None else grid.eye_length.scale
    sizes = sizes_of(used)
    agreement = _agreements(used, (compared or groups)[0].visits[0])
    unlike_eye = {name for name, value in agreement.items() if value < LEAST_VESSEL_AGREEMENT}
    doubtful = {*unlike_eye, *dark}
    of_one_eye = [group for group in groups if doubtful.isdisjoint(group.visits)]
    of_one_day = [without_texture(pair, sizes) for pair in repeats_of(rows, of_one_eye)]
    own = repeats.scaled(scale) if repeats else repeatability(of_one_day, "visits of one day")
    known = used_repeatability(own, scale)
    changes = []
    for later in compared[1:]:
        both = {*compared[0].visits, *later.visits}
        changes += _changes(rows, compared[0], later, known, sizes, both.isdisjoint(doubtful))
    slopes = trends(without_texture(rows, sizes), of_one_eye)
    fovea = series.fovea if grid.suggested else None
    remarks = *filter(None, [dark_text(dark), drawing_text(used)]), *_of_dates(series, compared, of_one_eye)
    least = _least_agreements(compared, agreement)
    return SeriesMeasures(
        grid, rows, groups, changes, slopes, known, least, zones, sizes, fovea, series.size_note, remarks, unstable
    )


def _of_dates(series: Series, compared: Sequence[Occasion], of_one_eye: Sequence[Occasion]) -> tuple[str, ...]:
    """Sentences that say which visits are not compared because their dates are vague, and why there is no trend."""
    names = [group.name for group in compared]
    placed = occasions([entry.visit for entry in series.in_time])
    dark = set(dark_visits(series.in_time))  # a remark of their own says why they are not compared
    unknown = [group for group in placed if group.name not in names and dark.isdisjoint(group.visits)]
    found = [why_no_trend(of_one_eye)]
    if unknown:
        order = order_unknown((group.name, group.dated) for group in [*compared[:1], *unknown])
        found.insert(0, f"{order} Not compared with {names[0]}: {', '.join(group.name for group in unknown)}.")
    return tuple(filter(None, found))


def _changes(
    rows: Sequence[Measurement],
    earlier: Occasion,
    later: Occasion,
    known: Repeatability,
    sizes: Mapping[str, float],
    comparable: bool = True,
) -> list[MeasureChange]:
    """The changes between two occasions; those of the texture are not comparable where pixels have unlike sizes."""
    found = measure_changes(rows, earlier, later, known, comparable)
    return not_comparable(found) if unlike(sizes, {*earlier.visits, *later.visits}) else found


def _agreements(used: Sequence[AlignedVisit], first: str) -> dict[str, float]:
    """Agreement of the larger vessels of each other visit with those of the first one, by name; 0 where it is unknown."""
    by_name = {entry.visit.name: entry for entry in used}
    base = by_name.pop(first)
    found = {name: vessels_agree(base, other) for name, other in by_name.items()}
    return {name: value if math.isfinite(value) else 0.0 for name, value in found.items()}


def _least_agreements(compared: Sequence[Occasion], agreement: Mapping[str, float]) -> dict[tuple[str, str], float]:
    """The least agreement of the scans of the first and of each later occasion."""
    return {
        (compared[0].name, later.name): min(
            agreement[name] for name in (*compared[0].visits, *later.visits) if name in agreement
        )
        for later in compared[1:]
    }
