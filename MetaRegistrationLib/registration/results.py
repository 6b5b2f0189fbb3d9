"""The files of a registration: images, transform, landmarks, overlay, record; and tables over pairs."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from ..core.preprocessing import interpolate_grid
from ..formats.compact_field import CompactField, write_compact
from ..formats.files import write_json
from ..formats.images import write_displacement_field, write_image
from ..formats.landmarks import write_landmarks
from ..formats.output_folder import Output, writing
from ..formats.pictures import write_picture
from ..formats.tables import write_table
from ..formats.written_files import image_source
from ..progress import plain
from .file_names import COMPACT, DEFAULT_PARTS, RECORD, result_files, table_files
from .landmark_columns import landmark_table
from .measures import CarriedLandmarks, PairMeasures
from .overlays import overlay, side_by_side
from .predicted_error import error_volume
from .registrar import Registration
from .tables import write_tables

__all__ = [
    "compact_field",
    "overlay_picture",
    "registration_output",
    "write_files",
    "write_registration",
    "write_tables",
]

_PICTURED = 1600


def registration_output(
    folder: Path, registration: Registration, name: str, *, landmarks: bool, replace: bool = False
) -> Output:
    """The files of one registered pair and the tables over it, as results in a folder."""
    sources = [image_source(image) for image in (registration.moving, registration.fixed)]
    targets = [*result_files(folder, landmarks=landmarks), *table_files(folder)]
    return Output(folder, "register", {name: sources}, targets=lambda: targets, replace=replace)


def write_registration(
    folder: Path,
    registration: Registration,
    landmarks: CarriedLandmarks | None,
    measures: PairMeasures,
    record: dict,
) -> None:
    """Write one registered pair into `folder`, which can be dropped on Slicer.

    Files
    -----
    moving.nrrd, fixed.nrrd
        The images as grey values, with their geometry.
    warped.nrrd
        The moving image in the fixed image's geometry.
    displacement_field.nrrd
        Transform from fixed to moving points: LPS vectors in mm, three components, one slice. Slicer (5.10 and later)
        loads it as a grid transform; applied to the moving image and its landmarks, it aligns them with the fixed image.
    expected_error.nrrd
        The predicted error in pixels of the network grid, NaN where only one image shows tissue.
    moving_landmarks.mrk.json, fixed_landmarks.mrk.json, carried_landmarks.mrk.json
        Point lists: as given, and the moving ones in the fixed image.
    landmarks.csv
        The same in pixels, with the distance before and after: `landmark_columns` says which pixels.
    overlay.png
        Before (left) and after (right): moving magenta, fixed green, carried landmarks green, fixed ones yellow.
    registration.json
        Settings, versions and inputs; written last, so that its presence shows that the other files are complete.

    Raises
    ------
    InputError
        The folder is or holds one of the images, it holds files that are not replaced (`formats.output_folder`), or it cannot be
        written to.
    """
    with writing(registration_output(folder, registration, measures.pair, landmarks=landmarks is not None)):
        write_files(folder, registration, landmarks, measures, record)


def write_files(
    folder: Path,
    registration: Registration,
    landmarks: CarriedLandmarks | None,
    measures: PairMeasures,
    record: dict,
    parts: Collection[str] = DEFAULT_PARTS,
) -> None:
    """Write the chosen parts (`file_names.PARTS`) of a registered pair, as `write_registration`, and always its record."""
    geometry = registration.fixed.geometry
    if "images" in parts:
        write_image(folder / "moving.nrrd", _compact(registration.moving.array), registration.moving.geometry)
        write_image(folder / "fixed.nrrd", _compact(registration.fixed.array), geometry)
    warped = registration.warped() if not {"warped", "overlay"}.isdisjoint(parts) else None
    if "warped" in parts:
        write_image(folder / "warped.nrrd", warped, geometry)
    if "field" in parts:
        write_displacement_field(folder / "displacement_field.nrrd", *registration.transform_grid())
    if "transform" in parts:
        write_compact(folder / COMPACT, compact_field(registration))
    if "error" in parts:
        write_image(folder / "expected_error.nrrd", *error_volume(registration))
    if landmarks is not None and "landmarks" in parts:
        _write_landmarks(folder, registration, landmarks)
    if "overlay" in parts:
        write_picture(folder / "overlay.png", overlay_picture(registration, warped, landmarks))
    write_json(folder / RECORD, plain({**record, **registration.record(), "measures": dict(measures)}))


def compact_field(registration: Registration) -> CompactField:
    """The field of a registration, to be written in a few kilobytes."""
    grids = (np.array([grid.scale, grid.offset]) for grid in (registration.moving_grid, registration.fixed_grid))
    return CompactField(
        registration.displacement_px,
        registration.moving.geometry,
        registration.moving_in_order.geometry,
        registration.fixed.geometry,
        *grids,
    )


def _compact(array: np.ndarray) -> np.ndarray:
    """The same numbers in the smallest whole type that holds them all, if one does: a quarter of the bytes, for most images."""
    low, high = float(array.min()), float(array.max())
    for dtype in (np.uint8, np.uint16, np.int16):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            whole = array.astype(dtype)
            return whole if np.array_equal(whole, array) else array
    return array


def _write_landmarks(folder: Path, registration: Registration, landmarks: CarriedLandmarks) -> None:
    geometry = registration.fixed.geometry
    write_landmarks(folder / "moving_landmarks.mrk.json", landmarks.moving, registration.moving.geometry)
    write_landmarks(folder / "carried_landmarks.mrk.json", landmarks.carried, geometry)
    if landmarks.fixed is not None:
        write_landmarks(folder / "fixed_landmarks.mrk.json", landmarks.fixed, geometry)
    write_table(folder / "landmarks.csv", *landmark_table(registration, landmarks))


def overlay_picture(registration: Registration, warped: np.ndarray, landmarks: CarriedLandmarks | None) -> np.ndarray:
    """Overlays before and after, side by side, uint8 (h, w, 3)."""
    geometry = registration.fixed.geometry
    step = -(-max(geometry.size) // _PICTURED)  # no more pixels than a picture can show
    rows, columns = (np.arange(0, extent, step) for extent in geometry.size)
    of_moving = [
        places * scale + shift
        for places, scale, shift in zip((rows, columns), registration.scale, registration.offset, strict=True)
    ]
    unmoved = np.stack(np.meshgrid(*of_moving, indexing="ij"), axis=-1)
    moved = registration.from_stored(registration.moving_positions(rows, columns))
    before = _unmoved_image(registration.moving_in_order.array, *of_moving)
    given = (landmarks.unmoved, landmarks.carried, landmarks.fixed) if landmarks else (None, None, None)
    points = [None if each is None else each.points / step for each in given]
    fixed = registration.fixed.array[::step, ::step]
    return side_by_side(
        *(
            overlay(
                image,
                fixed,
                carried,
                points[2],
                pixel_aspect=geometry.spacing[0] / geometry.spacing[1],
                outside=_outside(registration, positions, step),
            )
            for image, carried, positions in (
                (before, points[0], unmoved),
                (warped[::step, ::step], points[1], moved),
            )
        )
    )


def _unmoved_image(array: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    inside_rows = (rows >= -0.5) & (rows <= array.shape[0] - 0.5)
    inside_columns = (columns >= -0.5) & (columns <= array.shape[1] - 0.5)
    known = np.isfinite(array)
    finite = array if known.all() else np.where(known, array, np.float32(0))
    return np.where(inside_rows[:, None] & inside_columns, interpolate_grid(finite, rows, columns), 0)


def _outside(registration: Registration, positions: np.ndarray, step: int) -> np.ndarray:
    """Pixels outside a tissue mask, (h, w) bool, of every `step`-th fixed pixel.

    The mask is that of the fixed image or, at `positions` (h, w, 2), of the moving image in the order of the fixed one.
    """
    outside = np.zeros(positions.shape[:2], dtype=bool)
    if registration.tissue_fixed is not None:
        outside |= ~registration.tissue_fixed[::step, ::step]
    moving = registration.tissue_moving
    if moving is not None and not moving.all():
        pixels = np.round(positions).astype(int)
        row, column = (np.clip(pixels[..., axis], 0, moving.shape[axis] - 1) for axis in (0, 1))
        outside |= ~moving[row, column]
    return outside
