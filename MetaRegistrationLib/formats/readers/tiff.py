"""TIFF: ITK decodes, as far as that is exact; `tiff_blocks` does the rest."""

from __future__ import annotations

import mmap
import tempfile
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from ...core.geometry import Geometry
from ..registry import FileHeader, FileImage, Reader, register
from ..tiff_blocks import decoded
from ..tiff_pages import Page, PageList, Tag, pages_of
from ..tiff_planes import planes_of
from ..tiff_tags import UNASSOCIATED_ALPHA, TiffTags

_WHOLE_NUMBERS = 1


@register
class Tiff(Reader):
    """TIFF, one page or a stack of them; black is zero. Its size is bounded where its pages are read."""

    name = "TIFF"
    suffixes = (".tif", ".tiff")
    rank = 2
    raster = True
    slicer_turns = True

    def header(self, path: Path) -> FileHeader | None:
        """The size, pixel size and orientation of a single page."""
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[:2] not in (b"II", b"MM"):
                return None
            tiff = PageList(path, data).read()
            (pages, _), size = planes_of(tiff, tiff.image_pages()), TiffTags(path, tiff).spacing_mm()
            tiff.data = b""  # of a mapping that ends here
        if len(pages) > 1:
            return None
        width, height = pages[0].size
        geometry = Geometry((height, width), size or (1.0, 1.0), spacing_known=size is not None)
        return FileHeader(geometry, _orientation(pages[0]))

    def read(self, path: Path) -> FileImage:
        """Decode the pages that are the image, rows and columns as they are stored."""
        tiff = pages_of(path)
        tags = TiffTags(path, tiff)
        if tiff is None:  # another format under this name: ITK decides
            return FileImage(sitk.ReadImage(str(path)), opacity=False, details=tags)
        pages, note = planes_of(tiff, tiff.image_pages())
        inverted = pages[0].one(Tag.PHOTOMETRIC, 1) == 0
        if inverted and pages[0].one(Tag.FORMAT, 1) != _WHOLE_NUMBERS:
            raise tiff.refuse("a TIFF whose zero is white and whose pixels are not whole numbers is not supported")
        if inverted and pages[0].one(Tag.BITS, 1) == 1 and tiff.text(pages[0], Tag.SOFTWARE).startswith("tifffile"):
            # Its own reader gives the array back, all others invert it.
            raise tiff.refuse(
                "tifffile marks truth values as white-is-zero, so that it is unclear which of them are true"
            )
        image = _decoded(tiff, pages) if any(page.in_blocks for page in pages) else _by_itk(tiff, pages)
        return FileImage(
            _inverted(image) if inverted else image,
            _orientation(pages[0]),
            tags.alpha_kind == UNASSOCIATED_ALPHA,
            notes=(note,) if note else (),
            details=tags,
        )

    def pixel_size(self, path: Path, found: FileImage) -> tuple[float, float] | None:
        """By ImageJ or OME; a print resolution is ignored."""
        return found.details.spacing_mm()


def _orientation(page: Page) -> int:
    number = page.one(Tag.ORIENTATION, 1)
    return number if 1 <= number <= 8 else 1


def _decoded(tiff: PageList, pages: list[Page]) -> sitk.Image:
    array = np.stack([decoded(tiff, page) for page in pages])
    array = array[0] if len(pages) == 1 else array
    vector = array.shape[-1] > 1
    return sitk.GetImageFromArray(array if vector else array[..., 0], isVector=vector)


def _by_itk(tiff: PageList, pages: list[Page]) -> sitk.Image:
    patched = tiff.patched(pages)
    if patched is None:
        return sitk.ReadImage(str(tiff.path))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "page.tif"
        file.write_bytes(patched)
        return sitk.ReadImage(str(file))


def _inverted(image: sitk.Image) -> sitk.Image:
    if image.GetPixelID() == sitk.sitkVectorUInt8:  # of one component: a page of single bits
        image = sitk.VectorIndexSelectionCast(image)
    array = sitk.GetArrayFromImage(image)
    inverted = sitk.GetImageFromArray(np.iinfo(array.dtype).max - array)
    inverted.SetSpacing(image.GetSpacing())
    return inverted
