"""What an image file says of its size, before a decoder takes its word and the memory for it."""

from __future__ import annotations

import gzip
import math
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from ..errors import InputError
from .image_files import file_suffix

_MOST_BYTES = 1 << 30
_EXPANSION = 1_100  # bytes that one deflated byte can stand for, at most
_HEADER = 1 << 16
_META_BYTES = {"CHAR": 1, "UCHAR": 1, "SHORT": 2, "USHORT": 2, "INT": 4, "UINT": 4, "FLOAT": 4, "LONG": 8, "ULONG": 8}
_NRRD_BYTES = (
    (r"double|long long|int64|longlong", 8),
    (r"float|\bu?int\b|(un)?signed int|int32", 4),
    (r"short|int16", 2),
)
_NRRD_FIELDS = {
    "content",
    "number",
    "type",
    "blocksize",
    "dimension",
    "space",
    "spacedimension",
    "sizes",
    "spacings",
    "thicknesses",
    "axismins",
    "axismaxs",
    "centers",
    "centerings",
    "labels",
    "units",
    "spaceunits",
    "spaceorigin",
    "spacedirections",
    "measurementframe",
    "kinds",
    "endian",
    "encoding",
    "min",
    "max",
    "oldmin",
    "oldmax",
    "lineskip",
    "byteskip",
    "datafile",
    "sampleunits",
}
_TEXT_HEADERS = (".nrrd", ".nhdr", ".mha", ".mhd")
_LONGEST = 1_000  # characters of a line: decoders copy lines into buffers of a fixed size


def check_declared_size(path: Path) -> None:
    """Refuse a file that says more pixels than it can hold, or more than 1 GB of them.

    Raises
    ------
    InputError
        It does, or its header is damaged in a way that decoders do not survive.
    """
    readers: dict[str, Callable[[Path], tuple[int, float]]] = {
        ".png": _png,
        ".bmp": _bmp,
        ".jpg": _jpeg,
        ".jpeg": _jpeg,
        ".nrrd": _nrrd,
        ".nhdr": _nrrd,
        ".mha": _meta,
        ".mhd": _meta,
        ".nii": _nifti,
        ".nii.gz": _nifti,
    }
    reader = readers.get(file_suffix(path))
    if reader is None:
        return
    try:
        declared, possible = reader(path)
    except InputError:
        raise
    except (struct.error, ValueError, OverflowError, EOFError, zlib.error, OSError) as error:
        if file_suffix(path) in _TEXT_HEADERS:
            raise InputError(f"{path}: the header of the file is damaged ({error}). Export it again.") from error
        return  # the decoder will say what is wrong
    if declared > possible:
        raise InputError(
            f"{path}: the file is damaged: it says {declared} bytes of pixels and can hold {possible:.0f}. Export it again."
        )
    if declared > _MOST_BYTES:
        raise InputError(
            f"{path}: the image is too large ({declared / 2**30:.1f} GB of pixels). Crop it, or take a slice."
        )


def _start(path: Path, count: int = _HEADER) -> bytes:
    with path.open("rb") as stream:
        return stream.read(count)


def _png(path: Path) -> tuple[int, float]:
    _refuse_long_chunks(path)
    width, height, depth, colour = struct.unpack(">IIBB", _start(path, 26)[16:])
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 4)
    return -(-width * depth * samples // 8) * height, path.stat().st_size * _EXPANSION


def _refuse_long_chunks(path: Path) -> None:
    # libpng takes the memory for what a chunk says before it looks whether the file goes on.
    size, place = path.stat().st_size, 8
    with path.open("rb") as stream:
        while place + 12 <= size:
            stream.seek(place)
            length, name = struct.unpack(">I4s", stream.read(8))
            place += 12 + length
            if place > size:
                raise InputError(f"{path}: the image cannot be read: it ends within a chunk. Export it again.")
            if name == b"IEND":
                return


def _bmp(path: Path) -> tuple[int, float]:
    width, height, _, bits, compression = struct.unpack("<iiHHI", _start(path, 34)[18:])
    if compression not in (0, 3):  # ITK decodes runs, and writes beyond its buffer where they are too long
        raise InputError(
            f"{path}: a BMP of {bits} bits compressed by method {compression} is not read. Save it as PNG."
        )
    return abs(width) * abs(height) * max(bits, 8) // 8, path.stat().st_size * 8  # a pixel of one bit is read as 8


def _jpeg(path: Path) -> tuple[int, float]:
    data, place = path.read_bytes(), 2
    while place + 9 < len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, place + 5)
            return width * height * 3, math.inf
        place += 2 + length
    return 0, math.inf


def _nrrd(path: Path) -> tuple[int, float]:
    data = _start(path)
    head = re.split(rb"\r?\n\r?\n", data)[0]
    fields: dict[str, str] = {}
    for line in head.decode("latin-1").splitlines()[1:]:
        if ":=" in line or (line.startswith("#") and len(line) <= _LONGEST):
            continue  # Slicer's own entries may be long
        name, colon, value = line.partition(":")
        known = re.sub(r"[\s_-]", "", name).lower() in _NRRD_FIELDS
        legible = line.isprintable() and len(line) <= _LONGEST
        if not legible or (fields.get("data file") is None and not (colon and known)):
            raise InputError(f"{path}: the header of the NRRD file is damaged ({name[:40]!r}). Export it again.")
        fields[re.sub(r"\s+", " ", name.strip().lower())] = value.strip()
        if name.strip().lower().replace(" ", "") == "datafile":
            fields["data file"] = value
    kind = fields.get("type", "")
    size = next((size for pattern, size in _NRRD_BYTES if re.search(pattern, kind)), 1)
    declared = math.prod(int(number) for number in fields.get("sizes", "").split()) * size
    if "data file" in fields:
        return declared, math.inf
    ratio = {"raw": 1, "gzip": _EXPANSION, "gz": _EXPANSION}.get(fields.get("encoding", "").lower(), 1e5)
    return declared, path.stat().st_size * ratio


def _meta(path: Path) -> tuple[int, float]:
    text = _start(path).decode("latin-1")
    head = text[: match.end()] if (match := re.search(r"^ElementDataFile\s*=.*$", text, re.MULTILINE)) else text
    fields = dict(re.findall(r"^\s*(\w+)\s*=\s*(.*?)\s*$", head, re.MULTILINE))
    where = fields.get("ElementDataFile", "")
    dimensions = int(fields.get("NDims", "0"))
    counts = {"DimSize": 1, "ElementSpacing": 1, "Offset": 1, "TransformMatrix": dimensions, "CenterOfRotation": 1}
    lists = {name: fields[name].split() for name in counts if name in fields}
    sound = 1 <= dimensions <= 4 and "DimSize" in lists and max(map(len, head.splitlines())) <= _LONGEST
    sound = sound and all(len(lists[name]) == counts[name] * dimensions for name in lists)
    if not sound or not (where.upper() == "LOCAL" or _beside(path, where)):
        raise InputError(
            f"{path}: the header of the MetaImage file is damaged, or its pixels are missing. Export it again."
        )
    for name in lists:
        list(map(float, lists[name]))
    kind = fields.get("ElementType", "").upper().removeprefix("MET_").removesuffix("_ARRAY")
    size = _META_BYTES.get(kind, 8) * max(int(fields.get("ElementNumberOfChannels", "1")), 1)
    declared = math.prod(int(number) for number in fields.get("DimSize", "").split()) * size
    if where.upper() != "LOCAL":
        return declared, math.inf
    compressed = fields.get("CompressedData", "").lower().startswith("t")
    return declared, path.stat().st_size * (_EXPANSION if compressed else 1)


def _beside(path: Path, name: str) -> bool:
    try:
        return bool(name) and name.isprintable() and (path.parent / name).is_file()
    except (OSError, ValueError):
        return False


def _nifti(path: Path) -> tuple[int, float]:
    compressed = file_suffix(path) == ".nii.gz"
    with gzip.open(path) if compressed else path.open("rb") as stream:
        header = stream.read(348)
    sizes, bits, slope, numbers = _nifti_fields(path, header)
    if sizes[0] >= 5 and sizes[5] > 1 and slope not in (0, 1):
        raise InputError(
            f"{path}: a NIfTI of several values a pixel that are scaled is not read. Save one value a pixel."
        )
    # libraries go round for ever on an axis of nothing, or of infinite steps
    if not 1 <= sizes[0] <= 7 or min(sizes[1 : sizes[0] + 1]) < 1 or not all(map(math.isfinite, numbers)):
        raise InputError(f"{path}: the header of the NIfTI file is damaged: sizes or positions are no numbers.")
    declared = math.prod(sizes[1 : sizes[0] + 1]) * max(bits, 8) // 8
    return declared, path.stat().st_size * (_EXPANSION if compressed else 1)


def _nifti_fields(path: Path, header: bytes) -> tuple[tuple[int, ...], int, float, tuple[float, ...]]:
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
