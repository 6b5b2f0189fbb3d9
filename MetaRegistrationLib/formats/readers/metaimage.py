"""MetaImage: ITK decodes."""

from __future__ import annotations

import math
import re
from pathlib import Path

import SimpleITK as sitk  # noqa: N813

from ...errors import InputError
from ..declared_sizes import EXPANSION, LONGEST_LINE, start_of
from ..registry import FileHeader, FileImage, Reader, register, volume_header

_BYTES = {"CHAR": 1, "UCHAR": 1, "SHORT": 2, "USHORT": 2, "INT": 4, "UINT": 4, "FLOAT": 4, "LONG": 8, "ULONG": 8}


@register
class MetaImage(Reader):
    """MetaImage of one file, or of a header and its pixels beside it."""

    name = "MetaImage"
    suffixes = (".mha", ".mhd")
    rank = 6
    volumes = True
    text_header = True

    def declared_size(self, path: Path) -> tuple[int, float]:
        """By its header; lines and lists of numbers that end the decoder's process are refused."""
        fields = _fields(path)
        kind = fields.get("ElementType", "").upper().removeprefix("MET_").removesuffix("_ARRAY")
        size = _BYTES.get(kind, 8) * max(int(fields.get("ElementNumberOfChannels", "1")), 1)
        declared = math.prod(int(number) for number in fields.get("DimSize", "").split()) * size
        if fields["ElementDataFile"].upper() != "LOCAL":
            return declared, math.inf
        compressed = fields.get("CompressedData", "").lower().startswith("t")
        return declared, path.stat().st_size * (EXPANSION if compressed else 1)

    def header(self, path: Path) -> FileHeader | None:
        """By ITK."""
        return volume_header(path, "MetaImageIO")

    def read(self, path: Path) -> FileImage:
        """Decode with ITK."""
        return FileImage(sitk.ReadImage(str(path)))


def _fields(path: Path) -> dict[str, str]:
    text = start_of(path).decode("latin-1")
    head = text[: match.end()] if (match := re.search(r"^ElementDataFile\s*=.*$", text, re.MULTILINE)) else text
    fields = dict(re.findall(r"^\s*(\w+)\s*=\s*(.*?)\s*$", head, re.MULTILINE))
    where = fields.get("ElementDataFile", "").encode("latin-1").decode("utf-8", "replace")  # a name may have accents
    dimensions = int(fields.get("NDims", "0"))
    counts = {"DimSize": 1, "ElementSpacing": 1, "Offset": 1, "TransformMatrix": dimensions, "CenterOfRotation": 1}
    lists = {name: fields[name].split() for name in counts if name in fields}
    sound = 1 <= dimensions <= 4 and "DimSize" in lists and max(map(len, head.splitlines())) <= LONGEST_LINE
    sound = sound and all(len(lists[name]) == counts[name] * dimensions for name in lists)
    if not sound or not (where.upper() == "LOCAL" or _beside(path, where)):
        raise InputError(
            f"{path}: the header of the MetaImage file is damaged, or its pixels are missing. Export it again."
        )
    for name in lists:
        list(map(float, lists[name]))
    return fields


def _beside(path: Path, name: str) -> bool:
    try:
        return bool(name) and name.isprintable() and (path.parent / name).is_file()
    except (OSError, ValueError):
        return False
