"""TIFF: ITK decodes what `tiff_pages` has made readable for it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from ..registry import FileImage, Reader, register
from ..tiff_pages import ReadableTiff, readable_tiff
from ..tiff_tags import UNASSOCIATED_ALPHA, TiffTags


@register
class Tiff(Reader):
    """TIFF, one page or a stack of them; black is zero. Its size is bounded where its pages are read."""

    name = "TIFF"
    suffixes = (".tif", ".tiff")
    rank = 2
    raster = True
    slicer_turns = True

    def read(self, path: Path) -> FileImage:
        """Decode with ITK, as far as that is exact."""
        tiff, tags = readable_tiff(path), TiffTags(path)
        image = _pixels(path, tiff)
        if tiff.inverted:
            array = sitk.GetArrayFromImage(image)
            inverted = sitk.GetImageFromArray(np.iinfo(array.dtype).max - array)
            inverted.SetSpacing(image.GetSpacing())
            image = inverted
        return FileImage(image, tiff.orientation, tags.alpha_kind == UNASSOCIATED_ALPHA, details=tags)

    def pixel_size(self, path: Path, found: FileImage) -> tuple[float, float] | None:
        """By ImageJ or OME; a print resolution does not count."""
        return found.details.spacing_mm()


def _pixels(path: Path, tiff: ReadableTiff) -> sitk.Image:
    if tiff.pixels is not None:
        samples = tiff.pixels.shape[-1]
        return sitk.GetImageFromArray(tiff.pixels if samples > 1 else tiff.pixels[..., 0], isVector=samples > 1)
    if tiff.data is None:
        return sitk.ReadImage(str(path))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.tif"
        file.write_bytes(tiff.data)
        return sitk.ReadImage(str(file))
