"""The files of a change between two visits of a series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.files import write_json
from ..formats.image_writing import write_image
from ..formats.tables import write_table
from .change import Change, ClusterLimits, visit_change
from .change_picture import change_picture
from .comparable import LEAST_VESSEL_AGREEMENT, vessels_agree
from .dates import by_date, in_known_order, order_unknown
from .measured import measured_alike
from .measures import WINDOW_UM
from .polarity import dark_text, dark_visits
from .regions import REGION_COLUMNS, etdrs_table
from .series import AlignedVisit, Series
from .trust import POOR_BUT_USED
from .unlike_pixels import sizes_of, sizes_text

WHAT_IT_SHOWS = (
    "Density of capillaries around each place, later minus earlier visit, in percentage points. Blue: decreased, orange:"
    " increased."
    " Full colours: clusters larger than those of repeat scans, in which nothing changed, and differences over a large part of"
    " the image that repeat scans do not have. Pale colours: within repeatability."
    " Hatched: not measurable (no overlap, border, shadow, band without signal, motion line). A change of the focal plane, or of"
    " blood flow below what the device shows, cannot be distinguished from a change of the eye. For research use: no diagnosis,"
    " and no lesions are outlined."
)


@dataclass(frozen=True, eq=False)
class SeriesChange:
    """The change between two visits of a series, on the pixels of its reference.

    `doubts` are sentences on visits that are compared although they are excluded.
    """

    earlier: AlignedVisit
    later: AlignedVisit
    change: Change
    centre_xy: tuple[float, float]
    centre_chosen: bool
    pixel_mm: tuple[float, float] | None
    rows: list[dict]
    doubts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Beginning of its files' names."""
        return f"change_{self.earlier.visit.name}_to_{self.later.visit.name}"


def series_change(
    series: Series,
    names: tuple[str, str] | None = None,
    limits: ClusterLimits | None = None,
    centre_xy: tuple[float, float] | None = None,
    eye: str = "",
) -> SeriesChange:
    """The change between two visits of a series; the first and the last that are used, if none are named.

    Visits that are named are compared even if they are excluded; `SeriesChange.doubts` then says why.

    Raises
    ------
    InputError
        There is no such visit, it is not aligned, both do not show one eye by their larger vessels, too few pixels are
        measurable, the vessels of one that nobody named or asked for are dark, or the centre is outside of the reference.
    """
    centre = series.centre(centre_xy)
    earlier, later = _chosen(series, names)
    reference = series.visits[series.reference]
    dark = dark_visits((earlier, later))
    if names is None and dark and series.asked.keys().isdisjoint(dark):
        raise InputError(dark_text(dark))
    _refuse_different_eyes(earlier, later)
    pixel, spacing = series.pixel_mm, reference.visit.image.geometry.spacing
    side = None if pixel is None else math.sqrt(math.prod(spacing))  # filters go by the scale of the device
    change = visit_change(*measured_alike((earlier, later)), side, limits)
    given = centre_xy or series.centre_xy
    rows = etdrs_table(change, centre, pixel, eye)
    doubts = (*_doubts(series, earlier, later), *filter(None, [dark_text(dark).rstrip(".")]))
    return SeriesChange(earlier, later, change, centre, given is not None, pixel, rows, doubts)


def _refuse_different_eyes(earlier: AlignedVisit, later: AlignedVisit) -> None:
    """Raise an `InputError` where the larger vessels of two visits do not agree: a map would show two eyes."""
    agreement = vessels_agree(earlier, later)  # NaN if they have nothing in common, which the map itself says
    if agreement < LEAST_VESSEL_AGREEMENT:
        raise InputError(
            f"{earlier.visit.name} and {later.visit.name} are not comparable: the agreement of their larger vessels is"
            f" {agreement:.2f}, and at least {LEAST_VESSEL_AGREEMENT:g} is expected of one eye."
        )


def _chosen(series: Series, names: tuple[str, str] | None) -> tuple[AlignedVisit, AlignedVisit]:
    aligned = {entry.visit.name: entry for entry in series.visits if entry.aligned}
    if names is None:
        return default_pair(series)
    for name in names:
        if name not in aligned:
            raise InputError(
                f"{{field}}: there is no aligned visit {name!r}; there are {', '.join(aligned)}.", field="change"
            )
    if names[0] == names[1]:
        raise InputError(f"{{field}}: {names[0]!r} twice.", field="change", advice="Name two visits.")
    return aligned[names[0]], aligned[names[1]]


def default_pair(series: Series) -> tuple[AlignedVisit, AlignedVisit]:
    """The earliest and the latest used visit by their dates; the first and the last where no dates are known.

    A visit without a date among visits with dates has no place in time. Visits with dark vessels are left out if two others are
    left. If dates overlap, such as a year and a day of it, the earlier visit is the one that is certainly before most others.

    Raises
    ------
    InputError
        Fewer than two visits are used and have a place in time, or all dated ones are of one day (repeats) or may be.
    """
    used = series.used
    if len(used) < 2:
        raise InputError("A change needs two visits that are aligned and not excluded; fewer are.")
    placed = series.in_time
    if len(placed) < 2:
        raise InputError("A change needs two visits with dates that are aligned and not excluded; fewer are.")
    bright = [entry for entry in placed if not entry.visit.dark]
    if len(bright) > 1:
        placed = bright
    ordered = in_known_order(by_date(placed), lambda entry: entry.when)
    if len(ordered) < 2:
        days = {None if entry.when is None else entry.when.day for entry in placed}
        day = days.pop()
        if days or day is None:
            raise InputError(order_unknown((entry.visit.name, entry.when) for entry in placed))
        which = _which(placed, series)
        raise InputError(f"{which} are of one day ({day}): repeats, not a change over time.")
    if any(entry.when is None for entry in ordered):
        return ordered[0], ordered[-1]
    return ordered[0], max(ordered[1:], key=lambda entry: entry.when.start)


def _which(placed: Sequence[AlignedVisit], series: Series) -> str:
    """The visits of which a pair is chosen, as the subject of a sentence."""
    if len(placed) < len(series.in_time):
        return "All visits with bright vessels"
    return "All visits" if len(placed) == len(series.used) else "All visits with a date"


def _doubts(series: Series, earlier: AlignedVisit, later: AlignedVisit) -> tuple[str, ...]:
    """What is known against the comparison of two visits."""
    against = {**series.excluded, **series.asked}
    names = [entry.visit.name for entry in (earlier, later) if entry.visit.name in against]
    found = [f"{name} is compared as asked, although it should not be: {against[name].text}" for name in names]
    poor = [name for name in (earlier.visit.name, later.visit.name) if name in series.poor]
    found += [f"{name}: {series.poor[name].text}. {POOR_BUT_USED}" for name in poor]
    if text := sizes_text(sizes_of((earlier, later))):
        found.append(f"{text} The differences of the change map have a bias for the same reason")
    when = [entry.when for entry in (earlier, later)]
    days = [None if one is None else one.day for one in when]
    if days[0] is not None and days[0] == days[1]:
        found.append(
            f"{earlier.visit.name} and {later.visit.name} are of one day ({days[0]}): repeats, not a change over time"
        )
    elif None not in when and when[0].agrees(when[1]):
        found.append(order_unknown((entry.visit.name, entry.when) for entry in (earlier, later)))
    return tuple(found)


def write_change(folder: Path, found: SeriesChange, image: np.ndarray, geometry: Geometry) -> Path:
    """Write a change into the folder of its series, and give the picture's path.

    Files
    -----
    change_A_to_B_density.nrrd
        Percentage points on the reference's pixels, NaN where not measurable.
    change_A_to_B_clusters.nrrd
        1 where density decreased, 2 where it increased, beyond repeat scans; 0 elsewhere.
    change_A_to_B.png, change_A_to_B_regions.csv, change_A_to_B.json
        Picture with legend; numbers by region; settings.
    """
    start = folder / found.name
    write_image(start.with_name(f"{found.name}_density.nrrd"), found.change.density, geometry)
    clusters = found.change.lost + np.uint8(2) * found.change.gained
    write_image(start.with_name(f"{found.name}_clusters.nrrd"), clusters, geometry)
    picture = change_picture(image, found.change)
    path = start.with_name(f"{found.name}.png")
    write_image(path, picture, Geometry(picture.shape[:2]))
    write_table(start.with_name(f"{found.name}_regions.csv"), REGION_COLUMNS, region_cells(found.rows))
    record = {
        "earlier": found.earlier.visit.name,
        "later": found.later.visit.name,
        "dates": [found.earlier.visit.date, found.later.visit.date],
        "unit": "percentage points of capillary density",
        "window_um": WINDOW_UM,
        "clusters": asdict(found.change.limits),
        "centre_xy": found.centre_xy,
        "centre_from": "the user" if found.centre_chosen else "suggested",
        "pixel_mm": found.pixel_mm,
        "doubts": list(found.doubts),
    }
    write_json(start.with_name(f"{found.name}.json"), record)
    return path


def region_cells(rows: list[dict]) -> list[list[str]]:
    """Rows of `etdrs_table` as text, empty where not measurable."""
    return [[_text(row[column]) for column in REGION_COLUMNS] for row in rows]


def _text(value) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)
