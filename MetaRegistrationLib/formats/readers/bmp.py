"""BMP: plain pixels. ITK decodes."""

from __future__ import annotations

import struct
from pathlib import Path

import SimpleITK as sitk  # noqa: N813

from ...core.geometry import Geometry
from ...errors import InputError
from ..registry import FileHeader, FileImage, Reader, register

_PLAIN = (0, 3)  # methods of compression that are none


@register
class Bmp(Reader):
    """BMP that is not compressed. A fourth byte of a pixel is padding, mostly 0, and no opacity."""

    name = "BMP"
    suffixes = (".bmp",)
    rank = 3
    raster = True

    def is_whole(self, path: Path) -> bool:
        """Whether all rows are there; ITK would fill missing ones with arbitrary memory."""
        offset, width, height, bits, compression = _header(path)
        return compression not in _PLAIN or path.stat().st_size >= offset + height * ((width * bits + 31) // 32 * 4)

    def declared_size(self, path: Path) -> tuple[int, float]:
        """By its header. Pillow does not give the bits of a pixel or, for kinds that it refuses, the size."""
        _, width, height, bits, compression = _header(path)
        if compression not in _PLAIN:  # ITK decodes runs, and writes beyond its buffer where they are too long
            raise InputError(
                f"{path}: a BMP of {bits} bits compressed by method {compression} is not read. Save it as PNG."
            )
        # a pixel of one bit is read as 8
        return abs(width) * height * max(bits, 8) // 8, path.stat().st_size * 8

    def header(self, path: Path) -> FileHeader:
        """Its size."""
        _, width, height, _, _ = _header(path)
        return FileHeader(Geometry((height, abs(width))))

    def read(self, path: Path) -> FileImage:
        """Decode with ITK."""
        return FileImage(sitk.ReadImage(str(path)), opacity=False)


def _header(path: Path) -> tuple[int, int, int, int, int]:
    """Where the pixels start, width, height, bits a pixel, method of compression."""
    with path.open("rb") as stream:
        start = stream.read(34)
    offset, _, width, height, _, bits, compression = struct.unpack("<IIiiHHI", start[10:34])
    return offset, width, abs(height), bits, compression
