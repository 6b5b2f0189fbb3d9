"""Pixel sizes and fields of view that no scan of an eye has, and unusual ones."""

from __future__ import annotations

import math
from collections.abc import Collection

from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.units import possible_visit_um, unusual_visit_um
from .regions import check_extent

_MOST_MM = 60.0  # the retina from edge to edge along its curve, through the fovea
_USUAL_MM = 30.0
_OF_FILE = "The file states it. Give the right one in a column spacing_um of the table of visits, or with {field}."


def check_scan_size(geometry: Geometry, place: object) -> None:
    """Refuse the pixel size of an image that cannot be a scan of an eye. An unknown pixel size passes.

    Raises
    ------
    InputError
        A pixel or the field of view is too large, or a pixel is too small; the message begins with `place`.
    """
    if not geometry.spacing_known:
        return
    for step in dict.fromkeys(geometry.spacing):
        possible_visit_um(1000 * step, place, "spacing_um")
    if max(_field_mm(geometry)) > _MOST_MM:
        raise InputError(
            f"{place}: a field of view of at most {_MOST_MM:g} mm was expected, but it is {_in_words(geometry)}.",
            field="spacing_um",
            advice="Correct the {field} or its unit, or leave it out.",
        )
    check_extent(geometry.spacing, place)


def check_file_size(geometry: Geometry, path: object) -> None:
    """As `check_scan_size`, of a pixel size that the file itself states: that of all visits does not replace it."""
    try:
        check_scan_size(geometry, path)
    except InputError as error:
        raise InputError(error.problem, field="override_spacing", advice=_OF_FILE) from None


def unusual_scan_size(geometry: Geometry, place: object, said_um: Collection[float | None] = ()) -> list[str]:
    """Sentences on a pixel size and a field of view that are unusual of a scan of an eye; none of an unknown pixel size.

    Parameters
    ----------
    geometry : Geometry
    place : object
        Beginning of the sentences.
    said_um : collection of float or None
        Pixel sizes of which it was said before.
    """
    if not geometry.spacing_known:
        return []
    steps = [1000 * step for step in dict.fromkeys(geometry.spacing)]
    new = [step for step in steps if not any(said is not None and math.isclose(step, said) for said in said_um)]
    notes = [unusual_visit_um(step, place) for step in new]
    if max(_field_mm(geometry)) > _USUAL_MM:
        notes.append(f"{place}: a field of view of {_in_words(geometry)} is unusual. Check the unit of the pixel size.")
    return list(filter(None, notes))


def _field_mm(geometry: Geometry) -> list[float]:
    """Height and width."""
    return [extent * step for extent, step in zip(geometry.size, geometry.spacing, strict=True)]


def _in_words(geometry: Geometry) -> str:
    height, width = _field_mm(geometry)
    down, across = (1000 * step for step in geometry.spacing)
    return f"{width:.4g} x {height:.4g} mm, with pixels of {across:.4g} x {down:.4g} um"
