"""Units of length that image files state."""

from __future__ import annotations

import html
import re

_MM_PER_UNIT = {
    **dict.fromkeys(("nm", "nanometer", "nanometre", "nanometers", "nanometres"), 1e-6),
    **dict.fromkeys(("um", "micron", "microns", "micrometer", "micrometre", "micrometers", "micrometres"), 1e-3),
    **dict.fromkeys(("mm", "millimeter", "millimetre", "millimeters", "millimetres"), 1.0),
    **dict.fromkeys(("cm", "centimeter", "centimetre", "centimeters", "centimetres"), 10.0),
    **dict.fromkeys(("m", "meter", "metre", "meters", "metres"), 1000.0),
    **dict.fromkeys(("in", "inch", "inches", '"'), 25.4),
}
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
