"""NRRD: ITK decodes; the unit of its lengths, which ITK passes over, is read here."""

from __future__ import annotations

import functools
import itertools
import math
import re
from pathlib import Path

import SimpleITK as sitk  # noqa: N813

from ...errors import InputError
from ..declared_sizes import EXPANSION, LONGEST_LINE, start_of
from ..registry import FileHeader, FileImage, Reader, register, volume_header
from ..units import millimetres

_BYTES = (
    (r"double|long long|int64|longlong", 8),
    (r"float|\bu?int\b|(un)?signed int|int32", 4),
    (r"short|int16", 2),
)
_FIELDS = {
    *("content", "number", "type", "blocksize", "dimension", "space", "spacedimension", "sizes", "spacings"),
    *("thicknesses", "axismins", "axismaxs", "centers", "centerings", "labels", "units", "spaceunits", "spaceorigin"),
    *("spacedirections", "measurementframe", "kinds", "endian", "encoding", "min", "max", "oldmin", "oldmax"),
    *("lineskip", "byteskip", "datafile", "sampleunits"),
}
_NAMES_PIXELS = re.compile(r"\s*data *file *:(?!=)", re.IGNORECASE)
_LIST = re.compile(r"LIST(\s+\d+)?")
_NUMBERED = re.compile(
    r"(?P<start>.*)%(?P<width>0?\d{0,2})d(?P<end>.*?)\s+(?P<first>-?\d+)\s+(?P<last>-?\d+)\s+(?P<step>-?\d+)(\s+\d+)?"
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
        """The files that the header names one by one, in a list, or by a pattern of numbers."""
        if "data file" not in _fields(path):
            return ()
        lines = _head(path).splitlines()
        place = next(number for number, line in enumerate(lines) if _NAMES_PIXELS.match(line))
        value = lines[place].partition(":")[2].strip()
        if _LIST.fullmatch(value):
            return tuple(path.parent / _text(line.strip()) for line in lines[place + 1 :] if line.strip())
        pattern = _NUMBERED.fullmatch(value)
        if pattern is None:
            return (path.parent / _text(value),)
        first, last, step = (int(pattern[name]) for name in ("first", "last", "step"))
        form = f"{{:{pattern['width']}d}}"
        names = (
            _text(pattern["start"] + form.format(number) + pattern["end"])
            for number in range(first, last + (1 if step > 0 else -1), step)
        )
        # A damaged number may make the range endless. Reading the image names a file that is missing.
        return tuple(itertools.takewhile(Path.is_file, (path.parent / name for name in names)))

    def declared_size(self, path: Path) -> tuple[int, float]:
        """By its header; lines and fields that end the decoder's process are refused."""
        fields = _fields(path)
        kind = fields.get("type", "")
        size = next((size for pattern, size in _BYTES if re.search(pattern, kind)), 1)
        declared = math.prod(int(number) for number in fields.get("sizes", "").split()) * size
        if "data file" in fields:
            return declared, math.inf
        ratio = {"raw": 1, "gzip": EXPANSION, "gz": EXPANSION}.get(fields.get("encoding", "").lower(), 1e5)
        return declared, path.stat().st_size * ratio

    def header(self, path: Path) -> FileHeader | None:
        """By ITK, for lengths in millimetres."""
        return volume_header(path, "NrrdImageIO") if _millimetres(path) == 1 else None

    def read(self, path: Path) -> FileImage:
        """Decode with ITK, then take its lengths in millimetres."""
        image, unit = sitk.ReadImage(str(path)), _millimetres(path)
        if unit != 1:
            image.SetSpacing([step * unit for step in image.GetSpacing()])
            image.SetOrigin([place * unit for place in image.GetOrigin()])
        return FileImage(image, details=unit)

    def pixel_size(self, path: Path, found: FileImage) -> tuple[float, float] | None:
        """As of any volume; a size in another unit than the millimetre is stated, whatever it is."""
        return super().pixel_size(path, found) if found.details == 1 else found.pixels.GetSpacing()[1::-1]


def _head(path: Path) -> str:
    return re.split(rb"\r?\n\r?\n", start_of(path), maxsplit=1)[0].decode("latin-1")


def _fields(path: Path) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in _head(path).splitlines()[1:]:
        if ":=" in line or (line.startswith("#") and len(line) <= LONGEST_LINE):
            continue  # Slicer's own entries may be long
        name, colon, value = line.partition(":")
        legible = line.isprintable() and len(line) <= LONGEST_LINE
        if not legible or (fields.get("data file") is None and not (colon and _is_known(name))):
            raise InputError(f"{path}: the header of the NRRD file is damaged ({name[:40]!r}). Export it again.")
        fields[" ".join(name.lower().split())] = value.strip()
        if name.strip().lower().replace(" ", "") == "datafile":
            fields["data file"] = value
    return fields


def _text(name: str) -> str:
    """A name of a file, which may have accents."""
    return name.encode("latin-1").decode("utf-8", "surrogateescape")


@functools.lru_cache(maxsize=256)
def _is_known(name: str) -> bool:
    return re.sub(r"[\s_-]", "", name).lower() in _FIELDS


def _millimetres(path: Path) -> float:
    """Millimetres in one unit of the file's spacing and origin; 1 where its header says nothing.

    Raises
    ------
    InputError
        Its unit is not known, or differs between the axes.
    """
    header = _head(path)
    if "units" not in header.lower():
        return 1.0
    stated = re.findall(r"^(?:space )?units:\s*(.*?)\s*$", header, re.MULTILINE | re.IGNORECASE)
    words = [word for text in stated for word in re.findall(r'"([^"]*)"', text)]
    found = set()
    for word in words:
        try:
            size = millimetres(word.encode("latin-1").decode("utf-8", "replace"))
        except ValueError as error:
            raise InputError(
                f"{path}: its unit of length {error} is not known, so the pixel size is unknown. Use mm or um."
            ) from error
        if size is not None:
            found.add(size)
    if len(found) > 1:
        raise InputError(f"{path}: the units of its axes differ ({', '.join(words)}). Use one unit of length.")
    return found.pop() if found else 1.0
