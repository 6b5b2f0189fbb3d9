"""The length of an eye, and how much larger or smaller its retina is than the device assumes.

A device converts the angle of its scan to millimetres on the retina of an eye of one length. In a longer eye the same angle spans
more. Littmann-Bennett: the factor is proportional to q = 0.01306 (axial length - 1.82 mm) (Bennett, Rudnicka and Edgar, Graefe's
Archive for Clinical and Experimental Ophthalmology 232:361, 1994), so that lateral distances are scaled by
(length - 1.82) / (assumed length - 1.82).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .errors import InputError
from .numeric import real

DEVICE_MM = 24.0
"""The axial length that a device assumes unless it is stated. Published: 23.95 mm for AngioVue, 24.46 mm for Cirrus."""
POSSIBLE_MM = (15.0, 40.0)
"""Axial lengths outside of these are refused: a slip, or another unit."""
_PRINCIPAL_MM = 1.82  # from the cornea to the second principal point


@dataclass(frozen=True)
class EyeLength:
    """The axial length of an eye, and the one that the device assumed.

    Attributes
    ----------
    axial_mm : float
    device_mm : float
    """

    axial_mm: float
    device_mm: float = DEVICE_MM

    @property
    def scale(self) -> float:
        """True lateral distance in distances that the device states."""
        return (self.axial_mm - _PRINCIPAL_MM) / (self.device_mm - _PRINCIPAL_MM)

    @property
    def text(self) -> str:
        """A sentence on what was scaled."""
        return (
            f"Lateral distances are scaled by {self.scale:.4g} (Littmann-Bennett) for an axial length of {self.axial_mm:g} mm;"
            f" the device assumes {self.device_mm:g} mm."
        )


def possible_length(value: object, place: str, field: str | None = None) -> float:
    """An axial length in mm.

    Raises
    ------
    InputError
        It is no number from 15 to 40; the message begins with `place`.
    """
    low, high = POSSIBLE_MM
    number = real(value)
    if not low <= number <= high:
        shown = f"{number:g} mm" if math.isfinite(number) else repr(value)
        raise InputError(
            f"{place}: an axial length of {low:g} to {high:g} mm was expected, but it is {shown}.",
            field=field,
            advice="Correct it or its unit, or leave it out.",
        )
    return number
