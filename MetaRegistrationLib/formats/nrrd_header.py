"""The header of an NRRD file: its fields, the files of its pixels, the unit of its lengths, and which distances it states."""

from __future__ import annotations

import functools
import itertools
import math
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from .declared_sizes import LONGEST_LINE
from .units import unit_of_length

_LONGEST = 1 << 22  # bytes of a header
_FIELDS = {
    *("content", "number", "type", "blocksize", "dimension", "space", "spacedimension", "sizes", "spacings"),
    *("thicknesses", "axismins", "axismaxs", "centers", "centerings", "labels", "units", "spaceunits", "spaceorigin"),
    *("spacedirections", "measurementframe", "kinds", "endian", "encoding", "min", "max", "oldmin", "oldmax"),
    *("lineskip", "byteskip", "datafile", "sampleunits"),
}
_POSITIONAL = ("domain", "space", "time", "???", "none")  # kinds of axes that are no components of a pixel
_LIST = re.compile(r"LIST(\s+\d+)?")
_NUMBERED = re.compile(
    r"(?P<start>.*)%(?P<width>0?\d{0,2})d(?P<end>.*?)\s+(?P<first>-?\d+)\s+(?P<last>-?\d+)\s+(?P<step>-?\d+)(\s+\d+)?"
)


@dataclass(frozen=True)
class NrrdHeader:
    """What the header says.

    Attributes
    ----------
    path : Path
        The file of the header.
    fields : dict of str to str
        Values of the fields, by their names in lower case without spaces. Comments and key/value lines are no fields.
    listed : tuple of str
        Names of the pixel files behind `data file: LIST`.
    """

    path: Path
    fields: dict[str, str]
    listed: tuple[str, ...] = ()

    @classmethod
    def of(cls, path: Path) -> NrrdHeader:
        """From a file.

        Raises
        ------
        InputError
            The header has no end, or a line of it is no field that decoders survive.
        """
        fields: dict[str, str] = {}
        lines = iter(_lines(path)[1:])
        for line in lines:
            name, colon, value = line.partition(":")
            if line.startswith("#") and len(line) <= LONGEST_LINE:
                continue
            is_field = bool(colon) and not value.startswith("=") and _plain(name) in _FIELDS
            if not is_field and ":=" in line:
                continue  # a key with its value, which may be long
            if not (is_field and _is_sound(line)):
                raise _damaged(path, name)
            fields[_plain(name)] = value.strip()
            if fields.get("datafile") == "":
                raise _damaged(path, name)
            if _LIST.fullmatch(fields.get("datafile", "")):
                break
        listed = tuple(lines)
        if wrong := next((line for line in listed if not _is_sound(line)), None):
            raise _damaged(path, wrong)
        return cls(path, fields, tuple(line.strip() for line in listed))

    def pixel_files(self) -> tuple[Path, ...]:
        """The files of the pixels that the header names one by one, in a list, or by a pattern of numbers."""
        value = self.fields.get("datafile")
        if value is None or _LIST.fullmatch(value):
            return tuple(self.path.parent / name for name in self.listed)
        pattern = _NUMBERED.fullmatch(value)
        if pattern is None:
            return (self.path.parent / value,)
        first, last, step = (int(pattern[name]) for name in ("first", "last", "step"))
        form = f"{{:{pattern['width']}d}}"
        names = (
            pattern["start"] + form.format(number) + pattern["end"]
            for number in range(first, last + (1 if step > 0 else -1), step)
        )
        # A damaged number may make the range endless. Reading the image names a file that is missing.
        return tuple(itertools.takewhile(Path.is_file, (self.path.parent / name for name in names)))

    def unit_mm(self) -> float:
        """Millimetres in one unit of the file's spacing and origin; 1 where its header states no unit, or no distances.

        Raises
        ------
        InputError
            Its unit is not known, or differs between the axes.
        """
        stated = [self.fields.get(name, "") for name in ("units", "spaceunits")]
        words = [_legible(word) for text in stated for word in re.findall(r'"([^"]*)"', text)]
        unit = unit_of_length(self.path, words)
        return unit if any(self.stated_steps()) else 1.0

    def stated_steps(self) -> list[bool]:
        """Whether a distance of pixels is stated, for each axis in space of several pixels."""
        sizes = [int(number) for number in self.fields.get("sizes", "").split()]
        kinds = self.fields.get("kinds", "").lower().split() or ["none"] * len(sizes)
        steps = self.fields.get("spacings", "").split()
        directions = re.findall(r"none|\([^)]*\)", self.fields.get("spacedirections", "").lower())
        axes = itertools.zip_longest(sizes, kinds, steps, directions, fillvalue="")
        return [
            _is_number(step) or all(map(_is_number, direction.strip("()").split(",")))
            for size, kind, step, direction in axes
            if kind in _POSITIONAL and size != 1
        ]


def _lines(path: Path) -> list[str]:
    """Lines up to an empty one or the end of the file. Bytes that are no UTF-8 are kept, as in names of files."""
    lines, left = [], _LONGEST
    with path.open("rb") as stream:
        while left > 0 and (line := stream.readline(left)).strip(b"\r\n"):
            lines.append(line.rstrip(b"\r\n").decode("utf-8", "surrogateescape"))
            left -= len(line)
    if left <= 0:
        raise InputError(
            f"{path}: the header of the NRRD file has no end within {_LONGEST / 1e6:.2g} MB. Export it again."
        )
    return lines


def _legible(text: str) -> str:
    """A text whose bytes may be no UTF-8, with signs of replacement for these."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _is_sound(line: str) -> bool:
    """Whether decoders survive the line."""
    return _legible(line).replace("\t", " ").isprintable() and len(line) <= LONGEST_LINE


def _damaged(path: Path, name: str) -> InputError:
    return InputError(f"{path}: the header of the NRRD file is damaged ({_legible(name)[:40]!r}). Export it again.")


@functools.lru_cache(maxsize=256)
def _plain(name: str) -> str:
    """A name of a field in one spelling."""
    return re.sub(r"[\s_-]", "", name).lower()


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
