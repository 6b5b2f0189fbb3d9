"""Units of length that image files state, and the units of NRRD headers, which ITK passes over."""

from __future__ import annotations

import html
import re
from pathlib import Path

from ..errors import InputError

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


def nrrd_millimetres(path: Path) -> float:
    """Millimetres in one unit of an NRRD file's spacing and origin; 1 where its header says nothing.

    Raises
    ------
    InputError
        Its unit is not known, or differs between the axes.
    """
    header = path.read_bytes()[: 1 << 16].split(b"\n\n")[0].split(b"\r\n\r\n")[0].decode("latin-1")
    stated = re.findall(r"^(?:space )?units:\s*(.*?)\s*$", header, re.MULTILINE | re.IGNORECASE)
    words = [word for text in stated for word in re.findall(r'"([^"]*)"', text)]
    found = set()
    for word in words:
        try:
            size = millimetres(word.encode("latin-1").decode("utf-8", "replace"))
        except ValueError as error:
            raise InputError(
                f"{path}: its unit of length {error} is not known, so that nobody can tell the pixel size. Use mm or um."
            ) from error
        if size is not None:
            found.add(size)
    if len(found) > 1:
        raise InputError(f"{path}: the units of its axes differ ({', '.join(words)}). Use one unit of length.")
    return found.pop() if found else 1.0
