"""Tags of a TIFF file that SimpleITK does not tell: kind of the samples, and the pixel size that microscopes write."""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path

from .errors import InputError

_PHOTOMETRIC, _DESCRIPTION, _SAMPLES, _X_RESOLUTION, _Y_RESOLUTION, _EXTRA = 262, 270, 277, 282, 283, 338
_TYPES = {1: ("B", 1), 2: ("s", 1), 3: ("H", 2), 4: ("I", 4), 5: ("II", 8), 16: ("Q", 8)}
_MM_PER_UNIT = {"nm": 1e-6, "um": 1e-3, "micron": 1e-3, "microns": 1e-3, "mm": 1.0, "cm": 10.0, "m": 1000.0}
_CMYK = 5
UNASSOCIATED_ALPHA = 2


class TiffTags:
    """Tags of the first page of the TIFF at `path`; empty when the file is no TIFF."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._values = _first_page(path)
        except (OSError, struct.error):
            self._values = {}

    @property
    def alpha_kind(self) -> int:
        """0 unspecified or none, 1 colours already multiplied by alpha, 2 plain alpha."""
        return self._values.get(_EXTRA, 0)

    def refuse_unreadable(self) -> None:
        """Raise `InputError` for the kinds that ITK returns as scrambled pixels instead of refusing them."""
        if self._values.get(_SAMPLES, 1) == 2:
            kind = "grey + alpha"
        elif self._values.get(_PHOTOMETRIC) == _CMYK:
            kind = "CMYK"
        else:
            return
        raise InputError(f"{self.path}: a {kind} TIFF is not supported. Save it as grey or RGB TIFF, or as PNG.")

    def spacing_mm(self) -> tuple[float, float] | None:
        """Pixel size (row, column) in mm that ImageJ or an OME writer noted; None otherwise.

        A resolution in dots per inch or centimetre says how large a print should be, not how large the retina is:
        it does not count.
        """
        description = self._values.get(_DESCRIPTION, "")
        return _ome_spacing(description) or self._imagej_spacing(description)

    def _imagej_spacing(self, description: str) -> tuple[float, float] | None:
        unit = re.search(r"^unit=(.+)$", description, re.MULTILINE)
        scale = _millimetres(unit.group(1)) if description.startswith("ImageJ") and unit else None
        x, y = self._values.get(_X_RESOLUTION, 0.0), self._values.get(_Y_RESOLUTION, 0.0)
        return (scale / y, scale / x) if scale and x > 0 and y > 0 else None


def _ome_spacing(description: str) -> tuple[float, float] | None:
    if "<OME" not in description:
        return None
    sizes = []
    for axis in "YX":
        size = re.search(rf'PhysicalSize{axis}="([0-9.eE+-]+)"', description)
        unit = re.search(rf'PhysicalSize{axis}Unit="([^"]+)"', description)
        scale = _millimetres(unit.group(1)) if unit else 1e-3  # OME's default unit is the micrometre
        length = _positive(size.group(1)) if size else None
        if length is None or scale is None:
            return None
        sizes.append(length * scale)
    return sizes[0], sizes[1]


def _positive(text: str) -> float | None:
    """`text` as a finite number above 0, None when it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _millimetres(unit: str) -> float | None:
    plain = unit.strip().replace("\\u00B5", "u").replace("\u00b5", "u").replace("\u03bc", "u")
    return _MM_PER_UNIT.get(plain.lower())


def _first_page(path: Path) -> dict[int, object]:
    with path.open("rb") as stream:
        mark = stream.read(16)
        order = {b"II": "<", b"MM": ">"}.get(mark[:2])
        if order is None:
            return {}
        big = struct.unpack(order + "H", mark[2:4])[0] == 43
        stream.seek(struct.unpack(order + "Q", mark[8:16])[0] if big else struct.unpack(order + "I", mark[4:8])[0])
        count_format, entry_format = (order + "Q", order + "HHQ8s") if big else (order + "H", order + "HHI4s")
        count = struct.unpack(count_format, stream.read(struct.calcsize(count_format)))[0]
        size = struct.calcsize(entry_format)
        block = stream.read(size * min(count, 1000))
        entries = [struct.unpack(entry_format, block[i : i + size]) for i in range(0, len(block) - size + 1, size)]
        wanted = (_PHOTOMETRIC, _DESCRIPTION, _SAMPLES, _X_RESOLUTION, _Y_RESOLUTION, _EXTRA)
        return {entry[0]: _value(stream, order, *entry[1:]) for entry in entries if entry[0] in wanted}


def _value(stream, order: str, kind: int, count: int, field: bytes) -> object:
    code, size = _TYPES.get(kind, ("B", 1))
    if size * count > len(field):
        stream.seek(struct.unpack(order + ("Q" if len(field) == 8 else "I"), field)[0])
        field = stream.read(min(size * count, 1 << 20))
    if code == "s":
        return field[:count].rstrip(b"\0").decode("utf-8", "replace")
    numbers = struct.unpack(order + code, field[:size])
    return numbers[0] if len(numbers) == 1 else numbers[0] / max(numbers[1], 1)
