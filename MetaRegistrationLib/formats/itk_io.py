"""SimpleITK's readers and writers with errors in the user's words and paths with accents on Windows."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import SimpleITK as sitk  # noqa: N813

from ..errors import InputError, RunStopped
from .declared_sizes import check_declared_size
from .files import FULL_DISK, replacing, require_room
from .image_files import file_suffix, image_file
from .itk_settings import file_settings
from .registry import FileImage, Reader

_COMPRESSION = 1  # of 9: the others take several times as long for a tenth less
_SPARE_ROOM = 1 << 20  # bytes beyond the pixels that a disk has unless it is full


def read_file(path: str | Path) -> tuple[Reader, FileImage]:
    """Read one file, never its numbered siblings; its reader, and what that found.

    Raises
    ------
    InputError
        The file is missing, of an unknown kind, or cannot be decoded.
    """
    path, reader = image_file(path)
    check_declared_size(path, reader)
    try:
        with file_settings():
            found = reader.read(path)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # as many kinds as decoders have
        raise InputError(f"{path}: the image cannot be read ({_cause(error)}). Open and save it again.") from error
    if not (isinstance(found, FileImage) and isinstance(found.pixels, sitk.Image)):
        raise InputError(f"{path}: {_no_image(reader, found)}")
    return reader, replace(found, pixels=_without_single_axes(found.pixels))


def _no_image(reader: Reader, found: object) -> str:
    """Words on what a reader of the user's own gave."""
    pixels = f" of {type(found.pixels).__name__}" if isinstance(found, FileImage) else ""
    return (
        f"a FileImage of a SimpleITK image was expected from the reader {type(reader).__name__}; it gave"
        f" {type(found).__name__}{pixels}."
    )


def read_itk(path: str | Path) -> sitk.Image:
    """The pixels of one file, as `read_file` reads them."""
    return read_file(path)[1].pixels


def _without_single_axes(image: sitk.Image) -> sitk.Image:
    """Drop trailing axes of size one beyond the third (a NIfTI header may declare four axes for one slice).

    Of a single slice whose first or second axis is the one of size one, that axis becomes the third.
    """
    while image.GetDimension() > 3 and image.GetSize()[-1] == 1:
        image = image[(slice(None),) * (image.GetDimension() - 1) + (0,)]
    if image.GetDimension() == 3 and image.GetSize().count(1) == 1 and image.GetSize()[2] > 1:
        return sitk.PermuteAxes(image, [0, 2, 1] if image.GetSize()[1] == 1 else [1, 2, 0])
    return image


def write_itk(path: str | Path, image: sitk.Image) -> None:
    """Write `image` whole or not at all, compressed where the format can.

    Raises
    ------
    InputError
        The folder is missing or cannot be written, or the format does not take the image.
    OSError
        The disk is full; it names `path`.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise InputError(f"{path}: cannot be written because its folder does not exist. Make the folder first.")
    try:
        with replacing(path) as temporary, file_settings():
            _write_whole(image, temporary)
    except RunStopped:  # of the watcher of the folder
        raise
    except (RuntimeError, OSError) as error:
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise InputError(f"{path}: the image cannot be written ({_cause(error)}). Choose another folder.") from error


def _write_whole(image: sitk.Image, path: Path) -> None:
    values = image.GetNumberOfPixels() * image.GetNumberOfComponentsPerPixel()
    room = values * image.GetSizeOfPixelComponent() + _SPARE_ROOM
    if file_suffix(path) in (".nii", ".nii.gz"):
        require_room(path.parent, room)  # ITK's writer of NIfTI passes over a full disk in silence
    try:
        sitk.WriteImage(image, str(path), True, _COMPRESSION)
    except RuntimeError:
        # ITK does not say why; a full disk shows while the part that was written still takes its place.
        require_room(path.parent, room)
        raise


def _cause(error: Exception) -> str:
    """Last line of an error text of ITK, without its positions in ITK's sources."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = lines[-1] if lines else type(error).__name__
    return re.sub(r"\(0x[0-9a-f]+\)", "", last.split("ERROR: ")[-1]).rstrip(".")
