"""NIfTI: ITK decodes; the header is checked first, because libraries loop for ever on some of its values."""

from __future__ import annotations

import gzip
import math
import tempfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
import SimpleITK as sitk  # noqa: N813

from ...errors import InputError
from ..declared_sizes import EXPANSION
from ..nifti_header import LEAST_OFFSET, LENGTH, SCALE_PLACE, NiftiHeader
from ..registry import FileHeader, FileImage, Reader, register, volume_header

_BLOCK = 4096
_PART = 1 << 22  # bytes of pixels at a time


@register
class Nifti(Reader):
    """NIfTI-1 of one file, plain or compressed."""

    name = "NIfTI"
    suffixes = (".nii", ".nii.gz")
    rank = 7
    volumes = True

    def is_whole(self, path: Path) -> bool:
        """Whether all voxels are there; ITK would fill missing ones with arbitrary memory."""
        with _opened(path) as stream:
            header = stream.read(LEAST_OFFSET)
            expected = NiftiHeader.of(path, header).whole_size
            found = len(header)
            while found < expected and (block := stream.read(_PART)):
                found += len(block)
        return found >= expected

    def declared_size(self, path: Path) -> tuple[int, float]:
        """By its header; values that decoders do not survive are refused."""
        header = _header(path)
        sizes = header.sizes
        if sizes[0] >= 5 and sizes[5] > 1 and header.slope not in (0, 1):
            raise InputError(
                f"{path}: a NIfTI of several values a pixel that are scaled is not read. Save one value a pixel."
            )
        if not header.is_sound:
            raise InputError(f"{path}: the header of the NIfTI file is damaged: sizes or positions are no numbers.")
        if header.offset < LEAST_OFFSET:  # decoders begin at different bytes then
            raise InputError(
                f"{path}: voxels from byte {LEAST_OFFSET} on were expected (vox_offset), but its header states"
                f" {header.offset:g}. Export it again."
            )
        declared = math.prod(sizes[1 : sizes[0] + 1]) * max(header.bits, 8) // 8
        return declared, path.stat().st_size * (EXPANSION if _compressed(path) else 1)

    def header(self, path: Path) -> FileHeader | None:
        """By ITK, where its header states one size."""
        return None if _header(path).sizes_differ else volume_header(path, "NiftiImageIO")

    def read(self, path: Path) -> FileImage:
        """Decode with ITK."""
        header, notes = _header(path), []
        apart = header.intercept_is_void or _has_unpacked_sibling(path)
        try:
            image = _read_apart(path, header) if apart else sitk.ReadImage(str(path))
        except RuntimeError as error:
            if "orthonormal" not in str(error):
                raise
            raise InputError(
                f"{path}: axes at right angles were expected, but those of its sform are sheared. Resample the image on a"
                " grid of right angles first."
            ) from error
        if header.size_is_in_matrix:
            count = image.GetDimension()
            image.SetSpacing([*header.full_matrix_sizes(), *image.GetSpacing()[3:]][:count])
            notes.append(
                f"{path}: its pixel size is that of the sform, {_mm(header.matrix_sizes())}; pixdim states none"
            )
        if used := _form_used(header, image):
            notes.append(f"{path}: its qform and its sform state different positions; those of the {used} are used")
        return FileImage(image, notes=tuple(notes), details=header)

    def pixel_size(self, path: Path, found: FileImage) -> tuple[float, float] | None:
        """As of any volume.

        Raises
        ------
        InputError
            `pixdim` and the sform state different sizes.
        """
        header = found.details
        if header.sizes_differ and not header.size_is_in_matrix:
            raise InputError(
                f"{path}: its header states two voxel sizes: {_mm(header.step_sizes())} by pixdim and"
                f" {_mm(header.matrix_sizes())} by the sform. Correct one of them, or override the pixel size."
            )
        return super().pixel_size(path, found)


def _mm(sizes: tuple[float, ...]) -> str:
    return " x ".join(f"{size:.4g}" for size in sizes) + " mm"


def _form_used(header: NiftiHeader, image: sitk.Image) -> str:
    """Which of qform and sform ITK took, if they differ; "" otherwise."""
    count = image.GetDimension()
    stated = header.differing_positions(min(count, 3))
    if not stated:
        return ""
    first = [0] * count
    last = [*(size - 1 for size in image.GetSize()[:3]), *first[3:]]
    ends = np.array([image.TransformIndexToPhysicalPoint(index)[:3] for index in (first, last)])
    return min(stated, key=lambda name: float(np.abs(stated[name][[0, -1]] - ends).max()))


def _has_unpacked_sibling(path: Path) -> bool:
    """Whether ITK would take the pixels of another file: beside `a.nii.gz`, it takes those of `a.nii`."""
    return _compressed(path) and path.with_suffix("").exists()


def _read_apart(path: Path, header: NiftiHeader) -> sitk.Image:
    """The image from an unpacked copy that lies alone in its folder.

    ITK adds an intercept even if a slope of 0 says that values are not scaled. The copy has none then.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "plain.nii"
        with _opened(path) as stream, file.open("wb") as copy:
            start = stream.read(LEAST_OFFSET)
            if header.intercept_is_void:
                start = start[:SCALE_PLACE] + bytes(8) + start[SCALE_PLACE + 8 :]
            copy.write(start)
            missing = header.whole_size  # no less than the voxels, wherever the header says that they begin
            while missing > 0 and (block := stream.read(min(missing, _PART))):
                missing -= copy.write(block)
        return sitk.ReadImage(str(file))


def _header(path: Path) -> NiftiHeader:
    return NiftiHeader.of(path, _start(path))


def _compressed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def _opened(path: Path) -> BinaryIO:
    return gzip.open(path) if _compressed(path) else path.open("rb")


def _start(path: Path) -> bytes:
    """The 348 bytes of the header."""
    if _compressed(path):
        with path.open("rb") as stream:
            block = stream.read(_BLOCK)
        start = zlib.decompressobj(wbits=31).decompress(block, LENGTH)
        if len(start) == LENGTH:
            return start
    with _opened(path) as stream:  # a header that is packed in several pieces
        return stream.read(LENGTH)
