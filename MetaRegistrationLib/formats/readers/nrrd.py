"""NRRD: ITK decodes; the unit of its lengths, which ITK passes over, is read from the header."""

from __future__ import annotations

import math
import re
from pathlib import Path

import SimpleITK as sitk  # noqa: N813

from ...errors import InputError
from ..declared_sizes import EXPANSION
from ..itk_images import in_millimetres
from ..nrrd_header import NrrdHeader
from ..pixel_places import require_pixels
from ..registry import FileHeader, FileImage, Reader, register, volume_header

_BYTES = (
    (r"double|long long|int64|longlong", 8),
    (r"float|\bu?int\b|(un)?signed int|int32", 4),
    (r"short|int16", 2),
)


@register
class Nrrd(Reader):
    """NRRD of one file, or of a header and its pixels beside it."""

    name = "NRRD"
    suffixes = (".nrrd", ".nhdr")
    rank = 5
    volumes = True
    text_header = True

    def pixel_files(self, path: Path) -> tuple[Path, ...]:
        """The files that the header names."""
        return NrrdHeader.of(path).pixel_files()

    def declared_size(self, path: Path) -> tuple[int, float]:
        """By its header; lines and fields that end the decoder's process are refused, as are missing files of pixels."""
        header = NrrdHeader.of(path)
        fields = header.fields
        kind = fields.get("type", "")
        size = next((size for pattern, size in _BYTES if re.search(pattern, kind)), 1)
        declared = math.prod(int(number) for number in fields.get("sizes", "").split()) * size
        if "datafile" in fields:
            require_pixels(path, header.pixel_files())
            return declared, math.inf
        ratio = {"raw": 1, "gzip": EXPANSION, "gz": EXPANSION}.get(fields.get("encoding", "").lower(), 1e5)
        return declared, path.stat().st_size * ratio

    def header(self, path: Path) -> FileHeader | None:
        """By ITK, for lengths in millimetres that are stated along all axes or along none."""
        header = NrrdHeader.of(path)
        plain = header.unit_mm() == 1 and len(set(header.stated_steps())) == 1
        return volume_header(path, "NrrdImageIO") if plain else None

    def read(self, path: Path) -> FileImage:
        """Decode with ITK, then take its lengths in millimetres."""
        header = NrrdHeader.of(path)
        return FileImage(in_millimetres(sitk.ReadImage(str(path)), header.unit_mm()), details=header)

    def pixel_size(self, path: Path, found: FileImage) -> tuple[float, float] | None:
        """As of any volume; a size in another unit than the millimetre is stated, whatever it is.

        Raises
        ------
        InputError
            It states a distance along some axes of several pixels, and none along others.
        """
        header: NrrdHeader = found.details
        stated = header.stated_steps()
        if not any(stated):
            return None
        if not all(stated):
            came = header.fields.get("spacedirections") or header.fields.get("spacings", "")
            raise InputError(
                f"{path}: a distance of pixels was expected along each axis or along none, but its header states {came}."
                " Correct it, or override the pixel size."
            )
        return super().pixel_size(path, found) if header.unit_mm() == 1 else found.pixels.GetSpacing()[1::-1]
