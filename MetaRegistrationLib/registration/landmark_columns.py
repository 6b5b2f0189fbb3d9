"""The columns of a pair's table of landmarks, each with its unit. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..formats.landmarks import Landmarks
from .distances import MOMENTS, NATIVE, NETWORK, PHYSICAL, CarriedLandmarks, Grid, distances
from .predicted_error import PointErrors, errors_at
from .schema import GRID_PX, IMAGE_PX, MOVING_PX, Measure, Unit

if TYPE_CHECKING:  # it imports torch
    from .registrar import Registration


class RegisteredLandmarks(NamedTuple):
    """What a column is made of."""

    registration: Registration
    landmarks: CarriedLandmarks


def _errors(pair: RegisteredLandmarks) -> PointErrors:
    return errors_at(pair.registration, pair.landmarks.carried.points)


def _numbered(landmarks: Landmarks) -> list[str]:
    return [label or str(number) for number, label in enumerate(landmarks.labels, 1)]


def _position(side: str, which: str, unit: Unit) -> tuple[Measure, Measure]:
    def along(axis: int) -> Callable[[RegisteredLandmarks], np.ndarray]:
        return lambda pair: getattr(pair.landmarks, side).points[:, axis]

    return (
        Measure(f"{side}_x", f"column of the {which}", along(1), unit=unit, digits=4),
        Measure(f"{side}_y", f"row of the {which}", along(0), unit=unit, digits=4),
    )


def _distances(grid: Grid) -> tuple[Measure, ...]:
    def of(moment: str) -> Callable[[RegisteredLandmarks], np.ndarray]:
        return lambda pair: distances(grid, moment, pair.registration, pair.landmarks)

    return tuple(
        Measure(f"distance_{moment}_{grid.suffix}", f"distance {moment}", of(moment), unit=grid.unit, digits=4)
        for moment in MOMENTS
    )


_ALWAYS = (
    Measure(
        "label",
        "label",
        lambda pair: _numbered(pair.landmarks.moving),
        kind=str,
        note="Points without one are numbered",
    ),
    *_position("moving", "landmark in the moving image", MOVING_PX),
    *_position("carried", "moving landmark, carried into the fixed image", IMAGE_PX),
    Measure(
        "converged",
        "converged",
        lambda pair: pair.landmarks.converged.astype(int),
        kind=int,
        note="1 where the inverse was found to tolerance, else 0",
    ),
)
_PREDICTED = (
    Measure(
        "error_px",
        "predicted error",
        lambda pair: _errors(pair).mean_px,
        unit=GRID_PX,
        digits=4,
        note="Empty where only one image shows the place",
    ),
    Measure("error_95_px", "95 % bound of the error", lambda pair: _errors(pair).bound_px, unit=GRID_PX, digits=4),
    Measure(
        "uncertain",
        "uncertain",
        lambda pair: _errors(pair).uncertain.astype(int),
        kind=int,
        note="1 where the 95 % bound is over 2 px or not known: too uncertain to measure",
    ),
)
_WITH_COUNTERPARTS = (
    *_position("fixed", "landmark in the fixed image", IMAGE_PX),
    *_distances(NETWORK),
    *_distances(NATIVE),
)
_WITH_A_PIXEL_SIZE = _distances(PHYSICAL)
LANDMARK_COLUMNS = (*_ALWAYS, *_WITH_COUNTERPARTS, *_WITH_A_PIXEL_SIZE, *_PREDICTED)
"""All columns of `landmarks.csv`, in their order."""


def landmark_table(registration: Registration, landmarks: CarriedLandmarks) -> tuple[list[str], list[list[str]]]:
    """Column names and rows of `landmarks.csv`.

    Columns that need the fixed counterparts exist if these are known; micrometres also need the pixel size.
    """
    columns = _ALWAYS
    if landmarks.fixed is not None:
        columns += _WITH_COUNTERPARTS
        if registration.fixed.geometry.spacing_known:
            columns += _WITH_A_PIXEL_SIZE
    columns += _PREDICTED
    pair = RegisteredLandmarks(registration, landmarks)
    texts = [[column.text(value, nothing="") for value in column.of(pair)] for column in columns]
    return [column.key for column in columns], [list(row) for row in zip(*texts, strict=True)]
