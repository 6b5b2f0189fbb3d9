"""Tags of a TIFF file that SimpleITK does not tell: the kind of its alpha, and the pixel size that microscopes write."""

from __future__ import annotations

import math
import re
import struct
from pathlib import Path

from ..errors import InputError
from .units import millimetres

_DESCRIPTION, _X_RESOLUTION, _Y_RESOLUTION, _EXTRA = 270, 282, 283, 338
_TYPES = {1: ("B", 1), 2: ("s", 1), 3: ("H", 2), 4: ("I", 4), 5: ("II", 8), 16: ("Q", 8)}
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

    def spacing_mm(self) -> tuple[float, float] | None:
        """Pixel size (row, column) in mm that ImageJ or an OME writer noted; None otherwise.

        A resolution in dots per inch or centimetre says how large a print should be, not how large the retina is:
        it does not count.

        Raises
        ------
        InputError
            A size is noted in a unit that is not known.
        """
        description = self._values.get(_DESCRIPTION, "")
        try:
            return _ome_spacing(description) or self._imagej_spacing(description)
        except ValueError as error:
            raise InputError(
                f"{self.path}: its pixel size is in a unit that is not known ({error}). Give the size of a pixel by hand."
            ) from error

    def imagej_unit_mm(self) -> float | None:
        """Millimetres of the unit in which ImageJ measures on this image; None where it measures in pixels."""
        description = self._values.get(_DESCRIPTION, "")
        if not description.startswith("ImageJ") or self._imagej_spacing(description) is None:
            return None
        return millimetres(re.search(r"^unit=(.+?)\s*$", description, re.MULTILINE).group(1))

    def _imagej_spacing(self, description: str) -> tuple[float, float] | None:
        unit = re.search(r"^unit=(.+?)\s*$", description, re.MULTILINE)
        noted = unit.group(1) if description.startswith("ImageJ") and unit else ""
        # ImageJ notes inches where it took over a print resolution.
        scale = None if noted.lower() in ("inch", "in") else millimetres(noted)
        x, y = self._values.get(_X_RESOLUTION, 0.0), self._values.get(_Y_RESOLUTION, 0.0)
        return (scale / y, scale / x) if scale and x > 0 and y > 0 else None


def _ome_spacing(description: str) -> tuple[float, float] | None:
    if "<OME" not in description and ":OME" not in description:
        return None
    sizes = []
    for axis in "YX":
        size = re.search(rf"""PhysicalSize{axis}\s*=\s*["']([^"']+)["']""", description)
        unit = re.search(rf"""PhysicalSize{axis}Unit\s*=\s*(?:"([^"]+)"|'([^']+)')""", description)
        scale = millimetres(unit.group(1) or unit.group(2)) if unit else 1e-3  # OME's default unit is the micrometre
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
        wanted = (_DESCRIPTION, _X_RESOLUTION, _Y_RESOLUTION, _EXTRA)
        return {entry[0]: _value(stream, order, *entry[1:]) for entry in entries if entry[0] in wanted}


def _value(stream, order: str, kind: int, count: int, field: bytes) -> object:
    code, size = _TYPES.get(kind, ("B", 1))
    if size * count > len(field):
        stream.seek(struct.unpack(order + ("Q" if len(field) == 8 else "I"), field)[0])
        field = stream.read(min(size * count, 1 << 20))
    if code == "s":
        text = field[:count].rstrip(b"\0")
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError:  # as ImageJ on Windows writes a micro sign
            return text.decode("latin-1")
    numbers = struct.unpack(order + code, field[:size])
    return numbers[0] if len(numbers) == 1 else numbers[0] / max(numbers[1], 1)
