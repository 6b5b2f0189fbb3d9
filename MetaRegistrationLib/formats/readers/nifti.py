"""NIfTI: ITK decodes; the header is checked first, because libraries loop for ever on some of its values."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import SimpleITK as sitk  # noqa: N813

from ...errors import InputError
from ..declared_sizes import EXPANSION
from ..registry import FileHeader, FileImage, Reader, register, volume_header

_HEADER = 348
_BLOCK = 4096


@register
class Nifti(Reader):
    """NIfTI-1 of one file, plain or compressed."""

    name = "NIfTI"
    suffixes = (".nii", ".nii.gz")
    rank = 7
    volumes = True

    def is_whole(self, path: Path) -> bool:
        """Whether all voxels are there; ITK would fill missing ones with arbitrary memory."""
        with _opened(path) as stream:
            header = stream.read(352)
            expected = _whole_size(header)
            found = len(header)
            while found < expected and (block := stream.read(1 << 22)):
                found += len(block)
        return found >= expected

    def declared_size(self, path: Path) -> tuple[int, float]:
        """By its header; values that decoders do not survive are refused."""
        header = _start(path)
        sizes, bits, slope, numbers = _fields(path, header)
        if sizes[0] >= 5 and sizes[5] > 1 and slope not in (0, 1):
            raise InputError(
                f"{path}: a NIfTI of several values a pixel that are scaled is not read. Save one value a pixel."
            )
        # libraries go round for ever on an axis of nothing, or of infinite steps
        if not 1 <= sizes[0] <= 7 or min(sizes[1 : sizes[0] + 1]) < 1 or not all(map(math.isfinite, numbers)):
            raise InputError(f"{path}: the header of the NIfTI file is damaged: sizes or positions are no numbers.")
        declared = math.prod(sizes[1 : sizes[0] + 1]) * max(bits, 8) // 8
        return declared, path.stat().st_size * (EXPANSION if _compressed(path) else 1)

    def header(self, path: Path) -> FileHeader | None:
        """By ITK."""
        return volume_header(path, "NiftiImageIO")

    def read(self, path: Path) -> FileImage:
        """Decode with ITK."""
        return FileImage(sitk.ReadImage(str(path)))


def _compressed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def _opened(path: Path) -> BinaryIO:
    return gzip.open(path) if _compressed(path) else path.open("rb")


def _start(path: Path) -> bytes:
    """The 348 bytes of the header."""
    if _compressed(path):
        with path.open("rb") as stream:
            block = stream.read(_BLOCK)
        start = zlib.decompressobj(wbits=31).decompress(block, _HEADER)
        if len(start) == _HEADER:
            return start
    with _opened(path) as stream:  # a header that is packed in several pieces
        return stream.read(_HEADER)


def _whole_size(header: bytes) -> int:
    """Number of bytes that a (decompressed) NIfTI file must have, from its header."""
    for order in "<>":
        if struct.unpack(order + "i", header[:4])[0] == 348:
            sizes = struct.unpack(order + "8h", header[40:56])
            bits = struct.unpack(order + "h", header[72:74])[0]
            offset = struct.unpack(order + "f", header[108:112])[0]
            offset = int(offset) if math.isfinite(offset) else 0
            return offset + math.prod(sizes[1 : sizes[0] + 1]) * bits // 8
    return 0  # NIfTI-2 or no NIfTI at all: refused by its declared size


def _fields(path: Path, header: bytes) -> tuple[tuple[int, ...], int, float, tuple[float, ...]]:
    """Sizes as in the header, bits a value, slope, and the numbers that say where the voxels are."""
    order = next((order for order in "<>" if struct.unpack_from(order + "i", header)[0] == 348), None)
    if order is None:
        raise InputError(f"{path}: this is no NIfTI-1 file, or its header is damaged. Save it as NIfTI-1.")
    sizes = struct.unpack_from(order + "8h", header, 40)
    numbers = struct.unpack_from(f"{order}{max(min(sizes[0], 7), 0)}f", header, 80)
    numbers += struct.unpack_from(order + "f", header, 108)
    by_rotation, by_matrix = struct.unpack_from(order + "2h", header, 252)
    numbers += struct.unpack_from(order + "6f", header, 256) if by_rotation > 0 else ()
    numbers += struct.unpack_from(order + "12f", header, 280) if by_matrix > 0 else ()
    bits, slope = struct.unpack_from(order + "h", header, 72)[0], struct.unpack_from(order + "f", header, 112)[0]
    return sizes, bits, slope, numbers
