"""Units of length that image files state, and pixel sizes that are none or in another unit."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Sequence

from ..errors import InputError

_MM_PER_UNIT = {
    **dict.fromkeys(("nm", "nanometer", "nanometre", "nanometers", "nanometres"), 1e-6),
    **dict.fromkeys(("um", "micron", "microns", "micrometer", "micrometre", "micrometers", "micrometres"), 1e-3),
    **dict.fromkeys(("mm", "millimeter", "millimetre", "millimeters", "millimetres"), 1.0),
    **dict.fromkeys(("cm", "centimeter", "centimetre", "centimeters", "centimetres"), 10.0),
    **dict.fromkeys(("m", "meter", "metre", "meters", "metres"), 1000.0),
    **dict.fromkeys(("in", "inch", "inches", '"'), 25.4),
}
POSSIBLE_UM = (0.01, 100_000.0)
"""Pixel sizes of any image, from far below the wavelength of light to 10 cm; others are refused."""
_OF_VISIT_UM = (0.1, 1000.0)  # of a scan of an eye
_USUAL_OF_VISIT_UM = (1.0, 200.0)
_NO_UNIT = ("", "pixel", "pixels", "px", "voxel", "voxels", "none", "unknown", "?", "???", "referenceframe")


def millimetres(unit: str) -> float | None:
    """Millimetres in one of a unit, however it is spelt or escaped; None for no unit of length (pixels, nothing).

    Raises
    ------
    ValueError
        It is a word that is not known.
    """
    plain = (
        html.unescape(unit).replace("\\u00B5", "u").replace("\\u00b5", "u").replace("\\xb5", "u").replace("\\xB5", "u")
    )
    plain = re.sub("\u00c2?[\u00b5\u03bc\u03bc]|\u00ce\u00bc|\ufffd", "u", plain)
    plain = re.sub(r"[\s_]", "", plain.strip().strip("\0")).lower()
    if plain in _NO_UNIT:
        return None
    if plain not in _MM_PER_UNIT:
        raise ValueError(unit.strip())
    return _MM_PER_UNIT[plain]


def unit_of_length(place: object, words: Sequence[str]) -> float:
    """Millimetres in the one unit of length that a file states for its axes; 1 where it states none.

    Raises
    ------
    InputError
        A unit is not known, or the units differ.
    """
    try:
        found = {size for size in map(millimetres, words) if size is not None}
    except ValueError as error:
        raise InputError(
            f"{place}: its unit of length {error} is not known, so the pixel size is unknown. Use mm or um."
        ) from error
    if len(found) > 1:
        raise InputError(f"{place}: the units of its axes differ ({', '.join(words)}). Use one unit of length.")
    return found.pop() if found else 1.0


def possible_pixel_um(
    size_um: float, place: object, field: str | None = None, *, limits: tuple[float, float] = POSSIBLE_UM
) -> float:
    """A pixel size in micrometres that an image can have.

    Parameters
    ----------
    size_um : float
    place : object
        Beginning of the message: the file, the argument or `{field}`.
    field : str, optional
        Key of the field that the user can change.
    limits : (float, float)
        The least and the largest size that are accepted.

    Raises
    ------
    InputError
        It is outside of the limits, or not finite.
    """
    least, most = limits
    if math.isfinite(size_um) and least <= size_um <= most:
        return size_um
    limit = f"at most {most:g}" if size_um > most else f"at least {least:g}"
    raise InputError(
        f"{place}: a pixel size of {limit} um was expected, but it is {_in_words(size_um)}.",
        field=field,
        advice="Correct it or its unit, or leave it out.",
    )


def possible_visit_um(size_um: float, place: object, field: str | None = None) -> float:
    """As `possible_pixel_um`, of a scan of an eye: from 0.1 to 1000."""
    return possible_pixel_um(size_um, place, field, limits=_OF_VISIT_UM)


def _in_words(size_um: float) -> str:
    millimetres = f" ({size_um / 1000:g} mm)" if math.isfinite(size_um) and size_um >= 1000 else ""
    return f"{size_um:g} um{millimetres}"


def unusual_visit_um(size_um: float, place: object) -> str:
    """A sentence on the pixel size of a scan of an eye that is unusual; empty if it is not."""
    low, high = _USUAL_OF_VISIT_UM
    return "" if low <= size_um <= high else f"{place}: a pixel size of {size_um:g} um is unusual. Check its unit."
