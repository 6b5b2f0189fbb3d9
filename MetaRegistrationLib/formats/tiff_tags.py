"""Tags of a TIFF file that SimpleITK does not give: the kind of its alpha, and the pixel size that microscopes write."""

from __future__ import annotations

import math
import re
from pathlib import Path

from ..errors import InputError
from .tiff_pages import PageList, Tag, pages_of
from .units import millimetres

UNASSOCIATED_ALPHA = 2


class TiffTags:
    """Tags of the first page of the TIFF at `path` (whose `pages` may be read already); empty when the file is no TIFF."""

    def __init__(self, path: Path, pages: PageList | None = None) -> None:
        self.path = path
        self.alpha_kind = 0
        """0 unspecified or none, 1 colours already multiplied by alpha, 2 plain alpha."""
        self._description, self._resolution = "", (0.0, 0.0)
        pages = pages or _first_page(path)
        if pages is not None:
            first = pages.pages[0]
            self.alpha_kind = first.one(Tag.EXTRA, 0)
            self._description = pages.text(first, Tag.DESCRIPTION)
            self._resolution = pages.ratio(first, Tag.X_RESOLUTION), pages.ratio(first, Tag.Y_RESOLUTION)

    def spacing_mm(self) -> tuple[float, float] | None:
        """Pixel size (row, column) in mm that ImageJ or an OME writer noted; None otherwise.

        A resolution in dots per inch or centimetre says how large a print should be, not how large the retina is:
        it is ignored.

        Raises
        ------
        InputError
            A size is noted in a unit that is not known.
        """
        try:
            return _ome_spacing(self._description) or self._imagej_spacing()
        except ValueError as error:
            raise InputError(
                f"{self.path}: its pixel size is in a unit that is not known ({error}). Give the size of a pixel by hand."
            ) from error

    def imagej_unit_mm(self) -> float | None:
        """Millimetres of the unit in which ImageJ measures on this image; None where it measures in pixels."""
        return millimetres(self._imagej_unit) if self._imagej_spacing() is not None else None

    @property
    def _imagej_unit(self) -> str:
        unit = re.search(r"^unit=(.+?)\s*$", self._description, re.MULTILINE)
        return unit.group(1) if self._description.startswith("ImageJ") and unit else ""

    def _imagej_spacing(self) -> tuple[float, float] | None:
        noted = self._imagej_unit
        # ImageJ notes inches where it took over a print resolution.
        scale = None if noted.lower() in ("inch", "in") else millimetres(noted)
        x, y = self._resolution
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


def _first_page(path: Path) -> PageList | None:
    try:
        return pages_of(path, most=1)
    except (OSError, InputError):
        return None
