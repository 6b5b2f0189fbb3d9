"""PNG: ITK decodes; kinds that it refuses (grey with alpha or with a transparent value) are rewritten into kinds that it reads.
So are files with a chunk sBIT.

Pillow decodes grey with alpha too, but 16 bits of it as 8, so it is not used for that.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from ...core.geometry import Geometry
from ...errors import InputError
from ..declared_sizes import EXPANSION
from ..pillow_files import exif_orientation
from ..registry import FileHeader, FileImage, Reader, register

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SIGNIFICANT = b"sBIT"  # ITK shifts the values right by the bits that it calls insignificant
_GREY, _GREY_ALPHA, _RGBA = 0, 4, 6
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


@register
class Png(Reader):
    """PNG of all kinds; transparent pixels are blended with black."""

    name = "PNG"
    suffixes = (".png",)
    rank = 1
    raster = True

    def declared_size(self, path: Path) -> tuple[int, float]:
        """By its header; chunks that go on beyond the end of the file are refused."""
        data = path.read_bytes()
        for _ in _chunks(path, data):
            pass
        width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
        row = -(-width * depth * _SAMPLES.get(colour, 4) // 8)
        return row * height, len(data) * EXPANSION

    def header(self, path: Path) -> FileHeader | None:
        """Its size."""
        with path.open("rb") as stream:
            start = stream.read(24)
        if not start.startswith(_SIGNATURE):
            return None
        width, height = struct.unpack(">II", start[16:])
        return FileHeader(Geometry((height, width)))

    def read(self, path: Path) -> FileImage:
        """Decode with ITK."""
        data = path.read_bytes()
        chunks = list(_chunks(path, data)) if data.startswith(_SIGNATURE) else []
        if (rewritten := _rewritten(chunks)) is not None:
            image = _grey_of(rewritten)
        elif any(name == _SIGNIFICANT for name, _ in chunks):
            image = _decoded(_without(_SIGNIFICANT, data, chunks))
        else:
            image = sitk.ReadImage(str(path))
        turned = any(name == b"eXIf" for name, _ in chunks)
        return FileImage(image, exif_orientation(path, "Png") if turned else 1)


def _chunks(path: Path, data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk; libpng allocates the declared size before it checks whether the chunk is there."""
    place = len(_SIGNATURE)
    while place + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        start, place = place + 8, place + 12 + length
        if place > len(data):
            raise InputError(f"{path}: the image cannot be read: it ends within a chunk. Export it again.")
        yield name, data[start : start + length]
        if name == b"IEND":
            return


@dataclass(frozen=True)
class _Rewritten:
    """A PNG that SimpleITK reads, and what its pixels mean.

    Attributes
    ----------
    data : bytes
        The PNG file.
    kind : str
        "alpha8": 16-bit grey whose high byte is grey and low byte alpha. "alpha16": 8-bit RGBA of grey (high, low
        byte) and alpha (high, low byte). "key": plain grey, of which `key` is the transparent value.
    key : int
        Transparent value, for the kind "key".
    """

    data: bytes
    kind: str
    key: int = 0


def _rewritten(chunks: list[tuple[bytes, bytes]]) -> _Rewritten | None:
    """The file when it is of a kind that SimpleITK refuses; None when it is not.

    Grey + alpha of 8 bits has the same bytes in a row, and the same filters on them, as grey of 16 bits: only the
    header needs another colour type. So no pixel is decoded here.
    """
    header = chunks[0][1] if chunks and chunks[0][0] == b"IHDR" and len(chunks[0][1]) == 13 else None
    if header is None:
        return None
    depth, colour = header[8], header[9]
    transparent = dict(chunks).get(b"tRNS", b"")
    if colour == _GREY_ALPHA:
        new = (16, _GREY) if depth == 8 else (8, _RGBA)
        kind, key = f"alpha{depth}", 0
    elif colour == _GREY and len(transparent) == 2:
        new = (depth, _GREY)
        # ITK stretches 1, 2 and 4 bits to 8; the transparent value with them.
        kind, key = "key", struct.unpack(">H", transparent)[0] * (255 // (2**depth - 1) if depth < 8 else 1)
    else:
        return None
    plain = [(b"IHDR", header[:8] + bytes(new) + header[10:])]
    plain += [chunk for chunk in chunks if chunk[0] in (b"IDAT", b"IEND")]
    return _Rewritten(_SIGNATURE + b"".join(_packed(*chunk) for chunk in plain), kind, key)


def _packed(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _without(unwanted: bytes, data: bytes, chunks: list[tuple[bytes, bytes]]) -> bytes:
    """The file without the chunks of one name; the others keep their check sums."""
    kept, place = [data[: len(_SIGNATURE)]], len(_SIGNATURE)
    for name, content in chunks:
        start, place = place, place + 12 + len(content)
        if name != unwanted:
            kept.append(data[start:place])
    return b"".join(kept)


def _decoded(data: bytes) -> sitk.Image:
    """A PNG in memory, by ITK."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rewritten.png"
        file.write_bytes(data)
        return sitk.ReadImage(str(file))


def _grey_of(png: _Rewritten) -> sitk.Image:
    """Grey image of a rewritten PNG, its alpha composited over black."""
    pixels = sitk.GetArrayFromImage(_decoded(png.data))
    if png.kind == "key":
        grey = np.where(pixels == png.key, 0, pixels).astype(np.float32)
    elif png.kind == "alpha8":
        grey = (pixels >> 8) * ((pixels & 255) / np.float32(255))
    else:
        high, low, alpha_high, alpha_low = np.moveaxis(pixels.astype(np.float64), -1, 0)
        grey = (high * 256 + low) * ((alpha_high * 256 + alpha_low) / 65535)
    return sitk.GetImageFromArray(grey.astype(np.float32))
