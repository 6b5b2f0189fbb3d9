"""JPEG: ITK decodes; Pillow gives size and orientation."""

from __future__ import annotations

import math
from pathlib import Path

import SimpleITK as sitk  # noqa: N813

from ...core.geometry import Geometry
from ..pillow_files import exif_orientation, jpeg_size
from ..registry import FileHeader, FileImage, Reader, register


@register
class Jpeg(Reader):
    """JPEG, grey or colour."""

    name = "JPEG"
    suffixes = (".jpg", ".jpeg")
    rank = 4
    raster = True

    def is_whole(self, path: Path) -> bool:
        """Whether an end marker follows the last start of scan; an earlier one belongs to an embedded thumbnail."""
        data = path.read_bytes()
        return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")

    def declared_size(self, path: Path) -> tuple[int, float]:
        """By its frame header; there is no bound on what the file can hold."""
        width, height = jpeg_size(path)
        return width * height * 3, math.inf

    def header(self, path: Path) -> FileHeader:
        """Its size."""
        width, height = jpeg_size(path)
        return FileHeader(Geometry((height, width)))

    def read(self, path: Path) -> FileImage:
        """Decode with ITK."""
        return FileImage(sitk.ReadImage(str(path)), exif_orientation(path, "Jpeg"))
