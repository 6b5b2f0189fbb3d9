"""Measures of each visit and region: densities, the foveal avascular zone, non-perfused area, brightness.

Definitions follow Sampson et al., Towards standardizing retinal optical coherence tomography angiography: a review (Light:
Science & Applications 11:63, 2022): densities are shares of an area, lengths per area are those of a skeleton, and circularity is
4 pi area / perimeter squared. All visits of a series are measured on one grid and one common mask.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk  # noqa: N813

from .. import calibration
from ..eye_length import EyeLength
from ..octa.capillaries import bare_places, filter_unit, local_density, region_density, texture_around
from ..octa.faz import Faz, FazSearch, measured_outline, search_faz
from .measured import MeasuredVisit, common_between, common_mask, in_parallel, without_shadows
from .regions import regions, whole_areas

UNITS = {
    "vessel_density": "%",
    "capillary_density": "%",
    "large_vessel_density": "%",
    "vessel_length_density": "mm/mm2",
    "faz_area": "mm2",
    "faz_perimeter": "mm",
    "faz_circularity": "",
    "nonperfused_area": "mm2",
    "brightness": "grey levels",
    "signal_quality": "",
}
"""The measures, each with its unit."""
OF_THE_EYE = ("faz_area", "faz_perimeter", "faz_circularity", "signal_quality")
"""Measures that have no regions; their region is "whole"."""
OF_THE_SCAN = ("brightness", "signal_quality")
"""Measures of the scan, not of the eye: they have no verdict and no trend."""
WINDOW_UM = 160.0
"""Standard deviation of the Gaussian window for non-perfused area and for the change map."""
_NONPERFUSED = calibration.NONPERFUSED_DENSITY.value
_LEAST_COVERED = 0.5  # of a region that the scan has to cover
LEAST_MEASURABLE = 0.5
"""Share of a region that has to be measurable, and of its measurable part that has to be aligned with certainty."""


@dataclass(frozen=True)
class Measurement:
    """One measure of one visit in one region.

    Attributes
    ----------
    visit, date, region, measure : str
    value : float
        NaN where it is not measurable.
    unit : str
    measurable_percent : float
        Of the region, with what lies beyond the scan.
    signal_quality : float
        Of the visit (`visits.quality`).
    uncertain_percent : float
        Of the measurable part of the region, where the alignment is too uncertain. It changes no value. NaN if no error was
        predicted.
    """

    visit: str
    date: str
    region: str
    measure: str
    value: float
    unit: str
    measurable_percent: float
    signal_quality: float = math.nan
    uncertain_percent: float = math.nan

    @property
    def uncertain(self) -> bool:
        """Whether more than half of the measurable part is too uncertain to compare. Measures of the eye have no regions."""
        return self.uncertain_percent > 100 * (1 - LEAST_MEASURABLE) and self.measure not in OF_THE_EYE


@dataclass(frozen=True, eq=False)
class VisitMeasures:
    """All measures of one visit.

    Attributes
    ----------
    visit : str
    rows : list of Measurement
        Region by region.
    zone : Faz or None
        The foveal avascular zone, its outline in pixels of the reference; None where it is not clear.
    faz_areas : (float, float) or None
        The least and the greatest area of the zone in mm2, where it depends on the centre and is therefore not measured.
    """

    visit: str
    rows: list[Measurement]
    zone: Faz | None = None
    faz_areas: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Grid:
    """Where visits are measured.

    Attributes
    ----------
    centre_xy : (float, float)
        The fovea, (x, y) in pixels of the reference.
    spacing_mm : (float, float) or None
        Distance between rows and between columns; None if unknown.
    side : str
        "right", "left" or "".
    own : mapping of str to bool array (H, W)
        Regions that the user drew.
    eye_length : EyeLength or None
        The axial length by which `spacing_mm` is scaled already.
    suggested : bool
        Whether the centre is only suggested.
    """

    centre_xy: tuple[float, float]
    spacing_mm: tuple[float, float] | None = None
    side: str = ""
    own: Mapping[str, np.ndarray] | None = None
    eye_length: EyeLength | None = None
    suggested: bool = False

    @property
    def device_spacing_mm(self) -> tuple[float, float] | None:
        """As `spacing_mm`, before it was scaled by the axial length."""
        if self.spacing_mm is None or self.eye_length is None:
            return self.spacing_mm
        down, across = self.spacing_mm
        return down / self.eye_length.scale, across / self.eye_length.scale

    def regions(self, shape: tuple[int, int]) -> dict[str, np.ndarray]:
        """The regions that the scan covers, by name; without a pixel size only the whole and the user's own."""
        return {name: where for name, (where, _) in self.covered_regions(shape).items()}

    def covered_regions(self, shape: tuple[int, int]) -> dict[str, tuple[np.ndarray, float]]:
        """As `regions`, each with the share of it that the scan covers."""
        found = {"whole": (np.ones(shape, bool), 1.0)}
        if self.spacing_mm is not None:
            found |= {name: part for name, part in _etdrs(shape, self).items() if part[1] >= _LEAST_COVERED}
        return found | {name: (np.asarray(where, bool), 1.0) for name, where in (self.own or {}).items()}


def measure_visits(visits: Sequence[MeasuredVisit], grid: Grid) -> list[Measurement]:
    """The rows of `measure_each`, visit by visit, region by region."""
    return [row for found in measure_each(visits, grid) for row in found.rows]


def measure_each(visits: Sequence[MeasuredVisit], grid: Grid) -> list[VisitMeasures]:
    """All measures of visits of one eye, on their common mask without shadows.

    Parameters
    ----------
    visits : sequence of MeasuredVisit
        Of one series.
    grid : Grid

    Returns
    -------
    list of VisitMeasures
        In the order of the visits.
    """
    shown, known = common_mask(visits), without_shadows(visits)
    between = common_between(visits) & known
    places = grid.covered_regions(known.shape)
    unit = filter_unit(known.shape, _pixel_mm(grid.device_spacing_mm))  # as the texture: at the scale of the device
    bare = bare_places(in_parallel(lambda visit: texture_around(visit.fine_texture(), between, unit), visits))
    return in_parallel(
        lambda one: _measure(one[0], one[1], _faz(one[0], shown, grid), known, between, places, grid),
        list(zip(visits, bare, strict=True)),
    )


def _measure(
    visit: MeasuredVisit,
    bare: np.ndarray,
    search: FazSearch,
    known: np.ndarray,
    between: np.ndarray,
    places: Mapping[str, tuple[np.ndarray, float]],
    grid: Grid,
) -> VisitMeasures:
    """All measures of one visit; `bare` are the places without capillaries."""
    features, line = visit.features(), _skeleton(visit.large)
    zone = search.zone
    lost = nonperfused(features, known, between, zone or search.widest, grid.spacing_mm)
    rows = []
    for region, (where, covered) in places.items():
        share = covered * float(known[where].mean()) if where.any() else 0.0
        uncertain = _uncertain_percent(visit, where & known)
        values = dict(_values(visit, features, where & known, between, bare, lost, line, grid.spacing_mm))
        if region == "whole":
            values |= {**_of_zone(zone), "signal_quality": visit.quality}
        for measure, value in values.items():
            good = share >= LEAST_MEASURABLE or measure in OF_THE_EYE
            rows.append(_row(visit, region, measure, value if good else math.nan, 100 * share, uncertain))
    return VisitMeasures(visit.entry.visit.name, rows, zone, _areas(search))


def nonperfused(
    features: np.ndarray,
    known: np.ndarray,
    between: np.ndarray,
    zone: Faz | None,
    spacing_mm: tuple[float, float] | None,
) -> np.ndarray:
    """Pixels around which nearly no capillary is left, without the foveal avascular zone, bool (H, W).

    Parameters
    ----------
    features : float32 array (18, H, W)
        Of the visit.
    known, between : bool arrays (H, W)
        The common mask, and its pixels that are near no larger vessel.
    zone : Faz or None
    spacing_mm : (float, float) or None
    """
    pixel_mm = _pixel_mm(spacing_mm)
    pixel_um = 18.75 * 320 / min(known.shape) if pixel_mm is None else 1000 * pixel_mm
    density = local_density(features, between, WINDOW_UM / pixel_um)
    found = known & (density < _NONPERFUSED)
    return found & ~filled(zone, known.shape) if zone is not None else found


def _pixel_mm(spacing_mm: tuple[float, float] | None) -> float | None:
    return None if spacing_mm is None else math.sqrt(math.prod(spacing_mm))


def filled(zone: Faz, shape: tuple[int, int]) -> np.ndarray:
    """Pixels within the outline of a zone, bool (H, W)."""
    from PIL import Image, ImageDraw

    picture = Image.new("1", (shape[1], shape[0]))
    ImageDraw.Draw(picture).polygon([(float(column), float(row)) for row, column in zone.outline], fill=1)
    return np.array(picture, dtype=bool)


def _faz(visit: MeasuredVisit, known: np.ndarray, grid: Grid) -> FazSearch:
    """The zone of a visit, searched at the scale of the device: the outline does not depend on the axial length."""
    if grid.spacing_mm is None or grid.device_spacing_mm is None:
        return FazSearch(None)
    found = search_faz(visit.image, visit.seen & known, grid.centre_xy, grid.device_spacing_mm)
    return FazSearch(*(None if zone is None else measured_outline(zone.outline, grid.spacing_mm) for zone in found))


def _areas(search: FazSearch) -> tuple[float, float] | None:
    if search.least is None or search.widest is None:
        return None
    return search.least.area_mm2, search.widest.area_mm2


def _of_zone(zone: Faz | None) -> dict[str, float]:
    names = ("faz_area", "faz_perimeter", "faz_circularity")
    if zone is None:
        return dict.fromkeys(names, math.nan)
    return dict(zip(names, (zone.area_mm2, zone.perimeter_mm, zone.circularity), strict=True))


def _values(visit, features, where, between, bare, lost, line, spacing_mm) -> Iterator[tuple[str, float]]:
    """The measures of one region, of which `where` is measurable."""
    count = int(where.sum())
    large = float(visit.large[where].mean()) if count else math.nan
    capillaries = region_density(features, where & between, bare)
    yield "vessel_density", 100 * large + (1 - large) * capillaries
    yield "capillary_density", capillaries
    yield "large_vessel_density", 100 * large
    if spacing_mm is not None:
        area = count * math.prod(spacing_mm)
        yield "vessel_length_density", _length(line, where, spacing_mm) / area if count else math.nan
        yield "nonperfused_area", float((lost & where).sum() * math.prod(spacing_mm)) if count else math.nan
    yield "brightness", float(visit.image[where].mean()) if count else math.nan


def _skeleton(vessels: np.ndarray) -> np.ndarray:
    image = sitk.GetImageFromArray(np.pad(vessels, 1).astype(np.uint8))  # the filter neglects the outermost pixels
    return sitk.GetArrayFromImage(sitk.BinaryThinning(image))[1:-1, 1:-1] != 0


def _length(line: np.ndarray, where: np.ndarray, spacing_mm: tuple[float, float]) -> float:
    """Length of a skeleton within a region, mm: steps between neighbours, diagonal ones only where no other way joins them.

    Of a step that crosses the border of the region, half counts.
    """
    down, across = line[1:] & line[:-1], line[:, 1:] & line[:, :-1]
    slanted = line[1:, 1:] & line[:-1, :-1] & ~line[1:, :-1] & ~line[:-1, 1:]
    leaning = line[1:, :-1] & line[:-1, 1:] & ~line[1:, 1:] & ~line[:-1, :-1]
    steps = (
        (down, where[1:], where[:-1], spacing_mm[0]),
        (across, where[:, 1:], where[:, :-1], spacing_mm[1]),
        (slanted, where[1:, 1:], where[:-1, :-1], math.hypot(*spacing_mm)),
        (leaning, where[1:, :-1], where[:-1, 1:], math.hypot(*spacing_mm)),
    )
    return sum(
        0.5 * length * (int((step & one).sum()) + int((step & other).sum())) for step, one, other, length in steps
    )


def _etdrs(shape: tuple[int, int], grid: Grid) -> dict[str, tuple[np.ndarray, float]]:
    """The ETDRS regions within the image, and the share of each that the image covers."""
    areas = whole_areas(grid.centre_xy, grid.spacing_mm, grid.side)
    inside = regions(shape, grid.centre_xy, grid.spacing_mm, grid.side)
    return {
        name.replace(" ", "_"): (inside[name], float(inside[name].sum() / max(area, 1))) for name, area in areas.items()
    }


def _uncertain_percent(visit: MeasuredVisit, where: np.ndarray) -> float:
    """Percent of some pixels at which the alignment of a visit is too uncertain; NaN if that is not known."""
    uncertain = visit.entry.uncertain
    return math.nan if uncertain is None or not where.any() else 100 * float(uncertain[where].mean())


def _row(
    visit: MeasuredVisit, region: str, measure: str, value: float, measurable: float, uncertain: float
) -> Measurement:
    one, unit = visit.entry.visit, UNITS[measure]
    return Measurement(one.name, one.date, region, measure, float(value), unit, measurable, visit.quality, uncertain)
