"""The image formats that are read. Each is a reader in a file of its own under `readers/`; nothing else lists them."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path

import SimpleITK as sitk  # noqa: N813

from ..core.geometry import Geometry
from ..errors import InputError
from .itk_images import geometry_of_itk, itk_header, says_nothing


@dataclass(frozen=True, eq=False)
class FileImage:
    """What a reader found in a file.

    Attributes
    ----------
    pixels : sitk.Image
        The numbers of the file, rows and columns as they are stored, placed in LPS millimetres. Of a raster format, its
        spacing is what Slicer takes for a pixel size (a print resolution).
    orientation : int
        Orientation tag of the file (number of EXIF and TIFF, 1 for upright), which is not applied.
    opacity : bool
        Whether the fourth component of a pixel is its opacity.
    notes : tuple of str
        Messages for the user, one sentence each; they start with the file's name.
    slice_sizes : tuple of ((float, float) or None)
        Pixel size (row, column) in mm that the file states for each slice, if the slices of a stack differ in it. Empty
        otherwise.
    details : object
        What the reader keeps for its own `pixel_size`.
    """

    pixels: sitk.Image
    orientation: int = 1
    opacity: bool = True
    notes: tuple[str, ...] = ()
    slice_sizes: tuple[tuple[float, float] | None, ...] = ()
    details: object = None


@dataclass(frozen=True)
class FileFacts:
    """What a file says of its scan, beyond the pixels; empty where it says nothing.

    Attributes
    ----------
    acquired : tuple of (str, str)
        Dates with times, YYYYMMDDHHMMSS or the beginning of it, and the attribute of each; the nearest to the scan first.
    laterality : str
        As it is stated, such as R or L.
    patient : str
        An identifier, only to tell patients apart.
    """

    acquired: tuple[tuple[str, str], ...] = ()
    laterality: str = ""
    patient: str = ""


@dataclass(frozen=True)
class FileHeader:
    """What the header of a file says.

    Attributes
    ----------
    geometry : Geometry
        That of the one slice, with the pixel size that the file states.
    orientation : int
        As of `FileImage`; 1 where the reader turns nothing in Slicer.
    """

    geometry: Geometry
    orientation: int = 1


class Reader(ABC):
    """One image format. A new one is a file in `readers/` with a subclass that `register` decorates.

    Attributes
    ----------
    name : str
        As people call it; no two readers share one.
    suffixes : tuple of str
        In lower case, with the dot; no two readers share one.
    rank : int
        Position in lists that people read; the usual formats come first.
    raster : bool
        Whether its files hold rows and columns without a position in space.
    volumes : bool
        Whether one file may hold a whole volume in space.
    slicer_turns : bool
        Whether Slicer turns an image as the file says that it is to be turned.
    text_header : bool
        Whether a header that `declared_size` cannot read is refused. Otherwise the decoder says what is wrong.
    """

    name = ""
    suffixes: tuple[str, ...] = ()
    rank = 100
    raster = False
    volumes = False
    slicer_turns = False
    text_header = False

    def recognises(self, path: Path) -> bool:
        """Whether the content shows the format, whatever the name of the file is."""
        return False

    def is_whole(self, path: Path) -> bool:
        """Whether the file goes on to its end; for decoders that fill missing pixels with arbitrary memory."""
        return True

    def pixel_files(self, path: Path) -> tuple[Path, ...]:
        """The further files that hold the pixels of a header; none where all is in one file.

        Raises
        ------
        InputError, OSError or ValueError
            The header cannot be read.
        """
        return ()

    def declared_size(self, path: Path) -> tuple[int, float] | None:
        """Bytes of pixels that the file declares, and the most that it can hold; None where the reader itself bounds them.

        It is asked before a decoder sees the file. It raises `InputError` for what decoders do not survive.
        """
        return None

    @abstractmethod
    def read(self, path: Path) -> FileImage:
        """Read a file that is there, whole, and of a possible size.

        Raises
        ------
        InputError
            It cannot be decoded. Any other exception but `MemoryError` becomes an `InputError` that names the file.
        """

    def header(self, path: Path) -> FileHeader | None:
        """What the header of a single grey image says, without its pixels; None where only `read` knows.

        A reader may leave it out: its files are then read in full. What `declared_size` checks is checked before.

        Raises
        ------
        InputError
            As of `read`. After any other exception the file is read in full.
        """
        return None

    def pixel_size(self, path: Path, found: FileImage) -> tuple[float, float] | None:
        """Pixel size (row, column) in mm that the file states; None where it states none."""
        return None if self.raster or says_nothing(found.pixels) else found.pixels.GetSpacing()[1::-1]

    def facts(self, path: Path) -> FileFacts:
        """What the header says of date, side and patient; it decodes no pixels, and raises nothing."""
        return FileFacts()


def volume_header(path: Path, decoder: str) -> FileHeader | None:
    """The header of a format of volumes, as ITK's class `decoder` reads it. `RuntimeError` where that class does not know it.

    None if it does not tell: ITK turns a negative spacing into a direction only when it reads the pixels.
    """
    found = itk_header(path, decoder)
    if found is None or min(found.GetSpacing()) <= 0:
        return None
    return FileHeader(geometry_of_itk(found, spacing_known=not says_nothing(found)))


_READERS: dict[str, Reader] = {}


def register(kind: type[Reader]) -> type[Reader]:
    """Decorate a class of readers: its files are read from now on.

    A class that is defined again, as by a cell of a notebook, takes the place of the first.

    Raises
    ------
    InputError
        Another reader has its name or one of its suffixes.
    """
    for name, reader in list(_READERS.items()):
        if _place(type(reader)) == _place(kind):
            del _READERS[name]
        elif name == kind.name or set(reader.suffixes) & set(kind.suffixes):
            raise InputError(
                f"{kind.__name__}: the reader {type(reader).__name__} ({name}) has its name or one of its suffixes"
                f" {', '.join(kind.suffixes)}. Choose others."
            )
    _READERS[kind.name] = kind()
    return kind


def _place(kind: type) -> tuple[str, str]:
    return kind.__module__, kind.__qualname__


@functools.cache
def _discover() -> None:
    from . import readers as package

    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")


def readers() -> tuple[Reader, ...]:
    """All readers, by rank."""
    _discover()
    return _by_rank(tuple(_READERS.values()))


@functools.lru_cache(maxsize=8)
def _by_rank(found: tuple[Reader, ...]) -> tuple[Reader, ...]:
    return tuple(sorted(found, key=lambda reader: reader.rank))


def image_suffixes() -> tuple[str, ...]:
    """Suffixes of all formats."""
    return _suffixes(readers())


@functools.lru_cache(maxsize=8)
def _suffixes(found: tuple[Reader, ...]) -> tuple[str, ...]:
    return tuple(suffix for reader in found for suffix in reader.suffixes)


def volume_suffixes() -> tuple[str, ...]:
    """Suffixes of the formats of which one file may hold a volume."""
    return tuple(suffix for reader in readers() if reader.volumes for suffix in reader.suffixes)
