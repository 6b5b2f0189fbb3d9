"""Headers of image files: size, pixel size and position, without the pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..core.geometry import Geometry
from ..errors import InputError
from .declared_sizes import check_declared_size
from .image_files import known_file, reader_by_name
from .images import Image, check_grid, read_image
from .itk_settings import file_settings
from .registry import FileHeader, Reader


@dataclass(frozen=True)
class ImageHeader:
    """What is known of an image whose pixels were not read. The attributes are as of `Image`."""

    geometry: Geometry
    path: Path
    slicer_geometry: Geometry | None = None
    orientation: int = 1
    stack: tuple[int, int] | None = None

    @property
    def turned_in_slicer(self) -> bool:
        """As of `Image`."""
        reader = reader_by_name(self.path) if self.orientation != 1 else None
        return reader is not None and reader.slicer_turns

    @classmethod
    def of(cls, image: Image) -> ImageHeader:
        """That of an image."""
        return cls(image.geometry, image.path, image.slicer_geometry, image.orientation, image.stack)


def read_header(path: Path, *, slice_index: int | None = None, printed: bool = False) -> ImageHeader:
    """Read the header of an image. A file whose header alone does not tell (a stack, colour) is read in full.

    Parameters
    ----------
    path : Path
    slice_index : int, optional
        As of `read_image`.
    printed : bool
        The `slicer_geometry` is needed, which only a full reading gives.

    Raises
    ------
    InputError
        As of `read_image`, as far as it shows, or as of `check_grid`.
    """
    path, reader = known_file(path)
    found = None if printed and reader.raster else _header(path, reader)
    if found is None:
        header = ImageHeader.of(read_image(path, slice_index=slice_index))
    else:
        header = ImageHeader(found.geometry, path, orientation=found.orientation)
    check_grid(path, header.geometry)
    return header


def _header(path: Path, reader: Reader) -> FileHeader | None:
    if not reader.raster:  # of a raster format no decoder sees the file
        check_declared_size(path, reader)
    try:
        with file_settings():
            return reader.header(path)
    except InputError:
        raise
    except Exception:  # as many kinds as decoders have; reading the image says what is wrong
        return None
