"""The predicted error of the alignment of each visit, on the pixels of the reference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from .. import calibration
from ..error_map.maps import ErrorMap
from .unknown import usual_area

if TYPE_CHECKING:
    from ..core.preprocessing import NetworkGrid
    from ..registration.registrar import Registration
    from .series import Series

UNCERTAIN_PX = calibration.UNCERTAIN_PX.value
"""Where the 95 % bound of the error is larger, in pixels of the network grid, an alignment is too uncertain to measure."""


@dataclass(frozen=True, eq=False)
class StepError:
    """The predicted error of a registration, or of several in a row.

    Attributes
    ----------
    map : ErrorMap
        On the network grid of the fixed image.
    grid : NetworkGrid
        That grid.
    """

    map: ErrorMap
    grid: NetworkGrid

    @classmethod
    def of(cls, registration: Registration) -> StepError | None:
        """That of one registration; None if no error was predicted."""
        return None if registration.error is None else cls(registration.error, registration.fixed_grid)

    def after(self, step: StepError, positions: np.ndarray) -> StepError:
        """The error of this registration after another one: both add up.

        Parameters
        ----------
        step : StepError
            Of the registration of this one's fixed image with a third image.
        positions : array (H, W, 2)
            Position of each pixel of the third image in this one's fixed image, (row, column).
        """
        places = self.grid.from_image(_sampled(positions, step._centres()))
        own = [
            self.map.at(places[..., 0], places[..., 1], each)
            for each in (self.map.median_px, self.map.bound_px, self.map.mean_px)
        ]
        factor = _pixel(self.grid) / _pixel(step.grid) / math.sqrt(abs(usual_area(positions)))
        before = (step.map.median_px, step.map.bound_px, step.map.mean_px)
        added = (
            (first + factor * np.nan_to_num(second)).astype(np.float32)
            for first, second in zip(before, own, strict=True)
        )
        shown = np.where(np.isfinite(own[1]), step.map.shown, np.float32(0))
        return StepError(ErrorMap(*added, shown, step.map.size), step.grid)

    def bound_image(self, shape: tuple[int, int]) -> np.ndarray:
        """The 95 % bound on the pixels of the fixed image, float32 (H, W), in pixels of its network grid; NaN if not known."""
        rows, columns = np.moveaxis(self.grid.from_image(np.stack(np.indices(shape), axis=-1)), -1, 0)
        return self.map.at(rows, columns, self.map.bound_px)

    def _centres(self) -> np.ndarray:
        """Centres of the cells in pixels of the fixed image, (n, n, 2)."""
        centres = (np.indices(self.map.known.shape) + 0.5) * self.map.size / len(self.map.known) - 0.5
        return self.grid.to_image(np.moveaxis(centres, 0, -1))


@dataclass(frozen=True, eq=False)
class AlignmentError:
    """The predicted error of an aligned visit, in pixels of the reference's network grid.

    Attributes
    ----------
    expected_px, error_95_px, uncertain_percent : float
        As of `ErrorMap`.
    bound_px : float32 array (H, W)
        The 95 % bound on the pixels of the reference; NaN where it is not known.
    """

    expected_px: float
    error_95_px: float
    uncertain_percent: float
    bound_px: np.ndarray

    @classmethod
    def of(cls, step: StepError, shape: tuple[int, int]) -> AlignmentError:
        """That of a registration with a reference of this shape."""
        found = step.map
        return cls(found.expected_px, found.error_95_px, found.uncertain_percent, step.bound_image(shape))

    @classmethod
    def none(cls, shape: tuple[int, int]) -> AlignmentError:
        """That of the reference itself."""
        return cls(0.0, 0.0, 0.0, np.zeros(shape, np.float32))

    @cached_property
    def uncertain(self) -> np.ndarray:
        """Pixels of the reference whose 95 % bound is over 2 px or not known, bool (H, W)."""
        return ~(self.bound_px <= UNCERTAIN_PX)


def alignment_errors(series: Series, steps: Mapping[tuple[int, int], StepError | None]) -> list[AlignmentError | None]:
    """The predicted error of each visit of a series; None for one that is not aligned, and for all if no error was predicted.

    Parameters
    ----------
    series : Series
    steps : mapping of (int, int) to (StepError or None)
        Of each registration, by the indices of its moving and its fixed visit.
    """
    if all(step is None for step in steps.values()):
        return [None] * len(series.visits)
    names = [entry.visit.name for entry in series.visits]
    shape = series.visits[series.reference].visit.image.geometry.size

    def whole(index: int) -> StepError | None:
        entry = series.visits[index]
        if not entry.via:
            return steps.get((index, series.reference))
        bridge = names.index(entry.via)
        own, rest = steps.get((index, bridge)), whole(bridge)
        return None if own is None or rest is None else own.after(rest, series.visits[bridge].positions)

    def one(index: int) -> AlignmentError | None:
        if index == series.reference:
            return AlignmentError.none(shape)
        step = whole(index) if series.visits[index].aligned else None
        return None if step is None else AlignmentError.of(step, shape)

    return [one(index) for index in range(len(names))]


def _sampled(positions: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Positions (H, W, 2) at other places (..., 2), linear."""
    at = np.moveaxis(places, -1, 0)
    channels = np.moveaxis(positions, -1, 0)
    return np.stack([ndimage.map_coordinates(each, at, order=1, mode="nearest") for each in channels], axis=-1)


def _pixel(grid: NetworkGrid) -> float:
    """Size of a pixel of a network grid in pixels of the image."""
    return math.sqrt(math.prod(grid.scale))
