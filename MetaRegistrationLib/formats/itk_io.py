"""SimpleITK's readers and writers, made quiet, with errors in the user's words and paths with accents on Windows."""

from __future__ import annotations

import locale
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from ..errors import InputError
from .declared_sizes import check_declared_size
from .dicom_files import PIXEL_SIZE_KNOWN, pydicom_there, read_dicom, undecoded
from .files import FULL_DISK, replacing, require_room
from .image_files import file_suffix, image_file, is_dicom
from .orientation import exif_orientation
from .png_alpha import RewrittenPng, rewrite_png
from .tiff_pages import readable_tiff
from .units import nrrd_millimetres

ORIENTATION = "MetaRegistration orientation"
"""Key of an image's metadata: how its file says that it is to be turned, which nothing here does."""
_COMPRESSION = 1  # of 9: the others take several times as long for a tenth less
_SPARE_ROOM = 1 << 20  # bytes beyond the pixels that a disk has unless it is full


@contextmanager
def quiet_itk() -> Iterator[None]:
    """Keep ITK's warnings (one a file, at times) off the terminal."""
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)


@contextmanager
def _file_locale() -> Iterator[None]:
    """The locale in which ITK reads and writes files right; the host's own one afterwards."""
    # ITK writes and reads the numbers of a header by C's functions: Qt may have set a decimal comma.
    wanted = [(locale.LC_NUMERIC, "C")]
    if os.name == "nt":  # C's file functions take the UTF-8 paths that SimpleITK gives them only in a UTF-8 locale
        wanted.append((locale.LC_CTYPE, ".UTF-8"))
    before = [(category, locale.setlocale(category)) for category, _ in wanted]
    try:
        for category, name in wanted:
            locale.setlocale(category, name)
        yield
    finally:
        for category, name in before:
            locale.setlocale(category, name)


def read_itk(path: str | Path) -> sitk.Image:
    """Read one file, never its numbered siblings.

    Raises
    ------
    InputError
        The file is missing, of an unknown kind, or cannot be decoded.
    """
    path = image_file(path)
    check_declared_size(path)
    try:
        with quiet_itk(), _file_locale():
            image = _decoded(path)
    except (RuntimeError, OSError, MemoryError) as error:
        raise InputError(f"{path}: the image cannot be read ({_cause(error)}). Open and save it again.") from error
    return _without_single_axes(image)


def _decoded(path: Path) -> sitk.Image:
    suffix = file_suffix(path)
    if is_dicom(path) and pydicom_there():
        try:
            return read_dicom(path)
        except InputError as error:
            if not undecoded(error):
                raise
            try:
                return sitk.ReadImage(str(path))
            except RuntimeError:
                raise error from None
    if suffix in (".tif", ".tiff"):
        return _read_tiff(path)
    if suffix in (".nrrd", ".nhdr"):
        return _in_millimetres(sitk.ReadImage(str(path)), nrrd_millimetres(path))
    rewritten = rewrite_png(path) if suffix == ".png" else None
    image = sitk.ReadImage(str(path)) if rewritten is None else _read_rewritten(rewritten)
    if suffix in (".png", ".jpg", ".jpeg"):
        image.SetMetaData(ORIENTATION, str(exif_orientation(path)))
    return image


def _read_tiff(path: Path) -> sitk.Image:
    """The numbers of a TIFF, rows and columns as they are stored, with black as zero."""
    tiff = readable_tiff(path)
    if tiff.pixels is not None:
        samples = tiff.pixels.shape[-1]
        image = sitk.GetImageFromArray(tiff.pixels if samples > 1 else tiff.pixels[..., 0], isVector=samples > 1)
    elif tiff.data is not None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "page.tif"
            file.write_bytes(tiff.data)
            image = sitk.ReadImage(str(file))
    else:
        image = sitk.ReadImage(str(path))
    if tiff.inverted:
        array = sitk.GetArrayFromImage(image)
        inverted = sitk.GetImageFromArray(np.iinfo(array.dtype).max - array)
        inverted.SetSpacing(image.GetSpacing())
        image = inverted
    image.SetMetaData(ORIENTATION, str(tiff.orientation))
    return image


def _in_millimetres(image: sitk.Image, unit: float) -> sitk.Image:
    if unit != 1:
        image.SetSpacing([step * unit for step in image.GetSpacing()])
        image.SetOrigin([place * unit for place in image.GetOrigin()])
        image.SetMetaData(PIXEL_SIZE_KNOWN, "known")
    return image


def _read_rewritten(png: RewrittenPng) -> sitk.Image:
    """Grey image of a rewritten PNG, its alpha composited over black."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "grey.png"
        file.write_bytes(png.data)
        pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(file)))
    if png.kind == "key":
        grey = np.where(pixels == png.key, 0, pixels).astype(np.float32)
    elif png.kind == "alpha8":
        grey = (pixels >> 8) * ((pixels & 255) / np.float32(255))
    else:
        high, low, alpha_high, alpha_low = np.moveaxis(pixels.astype(np.float64), -1, 0)
        grey = (high * 256 + low) * ((alpha_high * 256 + alpha_low) / 65535)
    return sitk.GetImageFromArray(grey.astype(np.float32))


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
        with replacing(path) as temporary, quiet_itk(), _file_locale():
            _write_whole(image, temporary)
    except (RuntimeError, OSError) as error:
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise InputError(f"{path}: the image cannot be written ({_cause(error)}). Choose another place.") from error


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
    """Last line of an error text of ITK, without its places in ITK's sources."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    last = lines[-1] if lines else type(error).__name__
    return re.sub(r"\(0x[0-9a-f]+\)", "", last.split("ERROR: ")[-1]).rstrip(".")
