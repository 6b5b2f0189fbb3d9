"""The axes of a plot: ranges, round ticks, and dates that do not overlap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Axis:
    """A linear axis from values to positions in the drawing.

    Attributes
    ----------
    values : (float, float)
    places : (float, float)
        Of these two values.
    """

    values: tuple[float, float]
    places: tuple[float, float]

    def at(self, value: float) -> float:
        """Position of a value."""
        low, high = self.values
        start, end = self.places
        return start + (value - low) / (high - low) * (end - start)

    def ticks(self, most: int = 5) -> list[float]:
        """Round values within the range."""
        low, high = self.values
        step = 10.0 ** math.floor(math.log10((high - low) / most))
        step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= most)
        first = math.ceil(low / step - 1e-9)
        return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def padded(low: float, high: float) -> tuple[float, float]:
    """A range with some room at both ends, also around a single value."""
    room = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def apart(places: Sequence[float], least: float) -> list[int]:
    """Indices of positions that are far enough apart for a label each: the last one first, then from the start on."""
    order = np.argsort(places, kind="stable")
    chosen = [int(order[-1])]
    for index in order[:-1]:
        if all(abs(places[index] - places[other]) >= least for other in chosen):
            chosen.append(int(index))
    return sorted(chosen)
