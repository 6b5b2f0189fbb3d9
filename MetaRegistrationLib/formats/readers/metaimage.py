"""MetaImage: ITK decodes; the unit of its lengths, which ITK passes over, is read here."""

from __future__ import annotations

import math
import re
import zlib
from pathlib import Path
from typing import BinaryIO

import SimpleITK as sitk  # noqa: N813

from ...errors import InputError
from ..declared_sizes import EXPANSION, LONGEST_LINE, start_of
from ..itk_images import in_millimetres
from ..pixel_places import require_pixels
from ..registry import FileHeader, FileImage, Reader, register, volume_header
from ..units import unit_of_length

_BYTES = {
    **dict.fromkeys(("ASCII_CHAR", "CHAR", "UCHAR"), 1),
    **dict.fromkeys(("SHORT", "USHORT"), 2),
    **dict.fromkeys(("INT", "UINT", "LONG", "ULONG", "FLOAT"), 4),  # others have 8
}
_BLOCK = 1 << 22
_ZLIB_OR_GZIP = 47  # what MetaIO takes


@register
class MetaImage(Reader):
    """MetaImage of one file, or of a header and its pixels beside it."""

    name = "MetaImage"
    suffixes = (".mha", ".mhd")
    rank = 6
    volumes = True
    text_header = True

    def is_whole(self, path: Path) -> bool:
        """Whether all pixels are there and can be unpacked; ITK would leave the memory of others as it was."""
        fields, start = _fields(path)
        local, packed = _is_local(fields), _says(fields, "CompressedData")
        if not _says(fields, "BinaryData"):
            return not packed
        file = path if local else path.parent / _text(fields["ElementDataFile"])
        size, wanted = file.stat().st_size, _declared(fields)
        skipped = int(fields.get("HeaderSize", "0"))
        start = max(skipped, 0) or (start if local else 0)
        if not packed or skipped < 0:
            return not packed and size - start >= wanted
        stated = int(fields.get("CompressedDataSize", "0"))
        if stated == 0 and local:
            raise InputError(
                f"{path}: its header has no CompressedDataSize, without which it is not read. Export it again."
            )
        start = start if stated else 0
        if not 0 <= stated <= size - start:
            return False
        with file.open("rb") as stream:
            stream.seek(start)
            return _unpacks_to(wanted, stream, stated or size)

    def pixel_files(self, path: Path) -> tuple[Path, ...]:
        """The file that the header names; several are not read."""
        fields, _ = _fields(path)
        return () if _is_local(fields) else (path.parent / _text(fields["ElementDataFile"]),)

    def declared_size(self, path: Path) -> tuple[int, float]:
        """By its header; lines and lists of numbers that end the decoder's process are refused."""
        fields, _ = _fields(path)
        declared = _declared(fields)
        if not _is_local(fields):
            return declared, math.inf
        return declared, path.stat().st_size * (EXPANSION if _says(fields, "CompressedData") else 1)

    def header(self, path: Path) -> FileHeader | None:
        """By ITK, for lengths in millimetres."""
        return volume_header(path, "MetaImageIO") if _unit_mm(path) == 1 else None

    def read(self, path: Path) -> FileImage:
        """Decode with ITK, then take its lengths in millimetres."""
        unit = _unit_mm(path)
        return FileImage(in_millimetres(sitk.ReadImage(str(path)), unit), details=unit)

    def pixel_size(self, path: Path, found: FileImage) -> tuple[float, float] | None:
        """As of any volume; a size in another unit than the millimetre is stated, whatever it is."""
        return super().pixel_size(path, found) if found.details == 1 else found.pixels.GetSpacing()[1::-1]


def _unit_mm(path: Path) -> float:
    """Millimetres in one unit of the file's spacing and origin; 1 where its header states no unit, or no spacing."""
    fields, _ = _fields(path)
    unit = unit_of_length(path, [_text(fields.get("DistanceUnits", ""))])
    return unit if "ElementSpacing" in fields or "ElementSize" in fields else 1.0


def _declared(fields: dict[str, str]) -> int:
    """Bytes of the pixels."""
    kind = fields.get("ElementType", "").upper().removeprefix("MET_").removesuffix("_ARRAY")
    size = _BYTES.get(kind, 8) * max(int(fields.get("ElementNumberOfChannels", "1")), 1)
    return math.prod(int(number) for number in fields.get("DimSize", "").split()) * size


def _says(fields: dict[str, str], name: str) -> bool:
    return fields.get(name, "")[:1] in ("T", "t", "1")


def _is_local(fields: dict[str, str]) -> bool:
    return fields["ElementDataFile"].upper() == "LOCAL"


def _unpacks_to(wanted: int, stream: BinaryIO, size: int) -> bool:
    """Whether the next `size` bytes are a whole packed stream of `wanted` bytes."""
    unpacker, found = zlib.decompressobj(_ZLIB_OR_GZIP), 0
    while found <= wanted and not unpacker.eof:
        block = unpacker.unconsumed_tail or stream.read(min(size, _BLOCK))
        if not block:
            return False
        if not unpacker.unconsumed_tail:
            size -= len(block)
        found += len(unpacker.decompress(block, _BLOCK))
    return unpacker.eof and found == wanted


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """The fields of the header, and its length."""
    text = start_of(path).decode("latin-1")
    head = text[: match.end()] if (match := re.search(r"^ElementDataFile\s*=.*$", text, re.MULTILINE)) else text
    fields = dict(re.findall(r"^\s*(\w+)\s*=\s*(.*?)\s*$", head, re.MULTILINE))
    where = _text(fields.get("ElementDataFile", ""))
    if "%" in where or re.match(r"LIST\b", where):
        raise InputError(f"{path}: its pixels are in several files ({where}), which is not read. Save it as one file.")
    dimensions = int(fields.get("NDims", "0"))
    counts = {"DimSize": 1, "ElementSpacing": 1, "Offset": 1, "TransformMatrix": dimensions, "CenterOfRotation": 1}
    lists = {name: fields[name].split() for name in counts if name in fields}
    sound = 1 <= dimensions <= 4 and "DimSize" in lists and max(map(len, head.splitlines())) <= LONGEST_LINE
    sound = sound and all(len(lists[name]) == counts[name] * dimensions for name in lists)
    sound = sound and min(map(int, lists["DimSize"])) >= 1
    named = where.isprintable() and where and len(where) <= LONGEST_LINE
    if not (sound and named):
        raise InputError(f"{path}: the header of the MetaImage file is damaged. Export it again.")
    if where.upper() != "LOCAL":
        require_pixels(path, [path.parent / where])
    for name in lists:
        list(map(float, lists[name]))
    return fields, len(head) + 1


def _text(name: str) -> str:
    """A name of a file, which may have accents."""
    return name.encode("latin-1").decode("utf-8", "replace")
