"""The landmarks of one image: the pixel size and the slice that its file means, and whether they are in the image."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from .. import calibration
from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.headers import ImageHeader
from ..formats.images import Image
from ..formats.landmarks import (
    Landmarks,
    is_imagej_table,
    is_physical,
    noted_pixel_size,
    read_landmarks,
    read_positions,
)
from ..formats.tiff_tags import TiffTags

Seen = Image | ImageHeader
"""An image, or its header, which shares the attributes that checks of a pair use."""

_FIRST_CORNER = calibration.FIRST_CORNER.value
_HALF_A_SLICE = 0.501  # some formats keep positions as float32
_EDGE_PX = 0.51  # from the centre of an outer pixel: a point on its edge is rounded when it is kept in mm
_SAME_SIZE = 1e-4  # a relative difference of pixel sizes: below 0.1 pixel over 1000 pixels


def read_points(path: Path, image: Seen, own: Geometry) -> Landmarks:
    """Landmarks of `image` in its pixels. `own` is the geometry that its file gives.

    Raises
    ------
    InputError
        The file is malformed, its pixel size is not known, or a point is outside of the image or on another slice.
    """
    if not is_physical(path):
        landmarks = _in_pixels(path, read_landmarks(path, image.geometry), image, own)
        check_inside(landmarks, image.geometry, path)
        return landmarks
    if image.turned_in_slicer:
        raise InputError(
            f"{path}: its image has an orientation tag, by which Slicer turns it, so the positions of these points are"
            " unknown. Give the landmarks as CSV, in pixels as stored, or save the image without the tag."
        )
    geometry = _geometry_of_points(path, image, own)
    landmarks = read_landmarks(path, geometry)
    check_inside(landmarks, geometry, path)
    _check_slice(path, image)
    return landmarks


def check_inside(landmarks: Landmarks, geometry: Geometry, place: object) -> None:
    """Raise `InputError`, starting with `place`, if a landmark is outside the pixels of its image."""
    rows, columns = geometry.size
    inside = _are_inside(landmarks.points, geometry.size)
    if not inside.all():
        first = int(np.flatnonzero(~inside)[0])
        row, column = landmarks.points[first]
        raise InputError(
            f"{place}: landmark {_name(landmarks.labels, first)} at x = {column:.1f}, y = {row:.1f} pixels is outside its"
            f" image of {columns} x {rows} pixels. Correct the point, or the image's pixel size and origin."
        )


def _are_inside(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Which points (N, 2) are on the pixels of an image, its outer edge included, bool (N,)."""
    return np.all((points >= -_EDGE_PX) & (points <= np.asarray(size) - 1 + _EDGE_PX), axis=1)


def _check_slice(path: Path, image: Seen) -> None:
    """Raise `InputError` if a point is nearer to another slice of the stack than to that of the image."""
    if image.stack is None:
        return
    labels, positions = read_positions(path)
    found = on_another_slice(labels, image.geometry.depths(positions), image.stack)
    if found is not None:
        raise InputError(
            f"{path}: {found}, but landmarks of slice {image.stack[0]} of {image.path} were expected.",
            field="slice",
            advice="Choose the slice of the landmarks with {field}, or mark them on the chosen one, or give them as CSV, in"
            " pixels.",
        )


def on_another_slice(labels: tuple[str, ...], depths: np.ndarray, stack: tuple[int, int] | None) -> str | None:
    """What is wrong with the first point that is nearer to another slice than to that of its image; None if none is.

    Parameters
    ----------
    labels : tuple of str
    depths : array (N,)
        Distances from the slice, in slices (`Geometry.depths`).
    stack : (int, int) or None
        The slice and their number; None for a single image. Its depth decides nothing: no other slice is possible, and its
        thickness is often arbitrary.
    """
    beside = np.flatnonzero(np.abs(depths) > _HALF_A_SLICE)
    if stack is None or not len(beside):
        return None
    (index, count), first = stack, int(beside[0])
    nearest = index + round(float(depths[first]))
    found = f"lies on slice {nearest}" if 0 <= nearest < count else _beyond(nearest, count)
    return f"landmark {_name(labels, first)} {found}"


def _beyond(nearest: int, count: int) -> str:
    return f"lies outside of the stack (slice {nearest} of 0 to {count - 1})"


def _name(labels: tuple[str, ...], index: int) -> str:
    return labels[index] or f"number {index + 1}"


def _in_pixels(path: Path, landmarks: Landmarks, image: Seen, own: Geometry) -> Landmarks:
    """Points of ImageJ's Results in pixels: they are in the unit of the image, where it has one."""
    if not is_imagej_table(path):
        return landmarks
    unit = TiffTags(image.path).imagej_unit_mm() if image.path is not None else None
    if unit is not None:
        return Landmarks(landmarks.labels, landmarks.points * unit / np.asarray(own.spacing))
    if not _beyond_corner(landmarks.points, own):
        raise InputError(
            f"{path}: ImageJ measured these points in a unit that the image {image.path} does not state: all of them are in its"
            " first corner. Measure on the TIFF that ImageJ saved, or in pixels (Set Scale / Click to Remove Scale)."
        )
    return landmarks


def _beyond_corner(points: np.ndarray, geometry: Geometry) -> bool:
    """Whether some point is outside of the image's first corner."""
    return bool(np.any(points > _FIRST_CORNER * np.asarray(geometry.size)))


def _geometry_of_points(path: Path, image: Seen, own: Geometry) -> Geometry:
    """The geometry of an image with which its physical landmarks were written.

    This program writes points with the given pixel size, and notes it. Another program knew only the file, and Slicer converts
    a print resolution to millimetres. With a wrong geometry, the points are outside the image or all in its first corner. If
    they are not, the geometry is unknown.
    """
    possible = [image.geometry, own] + ([image.slicer_geometry] if image.slicer_geometry else [])
    noted = _noted_geometry(path, image, possible, own)
    if noted is not None:
        return noted
    found: list[tuple[Geometry, np.ndarray]] = []
    for geometry in possible:
        points = read_landmarks(path, geometry).points
        if not any(np.allclose(points, others) for _, others in found):  # a print resolution of 1 mm is rounded
            found.append((geometry, points))
    inside = [(geometry, points) for geometry, points in found if _are_inside(points, own.size).all()]
    beyond = [geometry for geometry, points in inside if _beyond_corner(points, own)]
    if not inside:
        return own
    if not image.geometry.spacing_known and inside[0][0] == own and own not in beyond:
        raise _in_the_corner(path, image, own)  # whatever a print resolution makes of them
    if len(beyond) == 1:
        return beyond[0]
    if len(inside) == 1:
        if inside[0][0].spacing_known:
            return inside[0][0]
        raise _in_the_corner(path, image, inside[0][0])
    sizes = ", ".join(f"{geometry.spacing[1]:.4g} mm" for geometry, _ in inside)
    raise InputError(
        f"{path}: its points are inside the image with each of the pixel sizes that they may have been written in"
        f" ({sizes}: as given, as 1 mm, or as the print resolution that Slicer takes for a size). Give the landmarks as"
        " CSV, in pixels."
    )


def _noted_geometry(path: Path, image: Seen, possible: list[Geometry], own: Geometry) -> Geometry | None:
    """The geometry whose pixel size the file notes; None where it notes none, or the image's own size decides."""
    noted = noted_pixel_size(path)
    if noted is None:
        return None
    for geometry in possible:
        if all(math.isclose(*steps, rel_tol=_SAME_SIZE) for steps in zip(geometry.spacing, noted, strict=True)):
            return geometry
    if own.spacing_known:
        return None
    if not image.geometry.spacing_known:
        return replace(own, spacing=noted)
    raise InputError(
        f"{path}: it was written on pixels of {_um(noted)}, but the image {image.path} is given pixels of"
        f" {_um(image.geometry.spacing)}.",
        field="spacing_um",
        advice="Correct the pixel size ({field}), or give the landmarks as CSV, in pixels.",
    )


def _in_the_corner(path: Path, image: Seen, geometry: Geometry) -> InputError:
    """The error on points that all are in the first corner with `geometry`, whose pixel size is none that somebody stated."""
    rows, columns = (_FIRST_CORNER * side for side in geometry.size)
    return InputError(
        f"{path}: points on pixels of {geometry.spacing[1]:.4g} mm were expected, since the image {image.path} states no pixel"
        f" size, but all of them would be in its first corner of {columns:.0f} x {rows:.0f} pixels.",
        field="spacing_um",
        advice="Give the pixel size that they were marked with ({field}), or give the landmarks as CSV, in pixels.",
    )


def _um(spacing: tuple[float, float]) -> str:
    rows, columns = (1000 * step for step in spacing)
    return f"{columns:.4g} x {rows:.4g} um"
