"""Images and volumes from files, with their geometry; `image_writing` writes them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
import SimpleITK as sitk  # noqa: N813

from .. import calibration
from ..core.burnt_marks import burnt_marks, filled
from ..core.drawn_circles import drawn_circles
from ..core.geometry import Geometry
from ..core.tissue import tissue_mask
from ..errors import InputError
from ..numeric import real, whole
from ..words import counted
from .colour import grey_of_colour
from .grey_levels import as_float32
from .image_files import as_file_path, file_suffix, reader_by_name
from .image_writing import write_displacement_field, write_image
from .itk_images import geometry_of_itk
from .itk_io import read_file
from .itk_settings import quiet_itk
from .pillow_files import palette_indices
from .possible_geometry import possible_geometry
from .registry import FileImage, Reader
from .units import possible_pixel_um

__all__ = [
    "Image",
    "Volume",
    "check_image",
    "circles_in",
    "read_image",
    "read_pixels",
    "read_volume",
    "tissue",
    "with_spacing",
    "without_marks",
    "write_displacement_field",
    "write_image",
]

_PALETTES = {".png": "Png", ".tif": "Tiff", ".tiff": "Tiff"}
SMALLEST_SIDE = calibration.SMALLEST_SIDE.value
_LEAST_FINITE = calibration.LEAST_FINITE.value
_MOST_SHEAR = calibration.MOST_SHEAR.value


@dataclass(frozen=True, eq=False)
class Image:
    """One grey image.

    Attributes
    ----------
    array : np.ndarray
        (H, W) float32, the file's own intensities.
    geometry : Geometry
        The geometry of its pixels.
    path : Path or None
        The file that it came from.
    mask : np.ndarray or None
        Tissue mask, bool (H, W), if one was given; otherwise `tissue` finds it.
    slicer_geometry : Geometry or None
        Where Slicer puts the pixels of a PNG, JPEG, BMP or TIFF file: it takes a print resolution for a pixel size.
    orientation : int
        Orientation tag of the file (number of EXIF and TIFF, 1 for upright). It is not applied: rows and columns are as
        stored, as in ImageJ.
    notes : tuple of str
        Messages for the user on how its file was read; each names the file.
    stack : (int, int) or None
        Which slice it is, counted from 0, and of how many, where it is from a file that states the positions of its slices
        (NRRD, MetaImage, NIfTI).
    """

    array: np.ndarray
    geometry: Geometry
    path: Path | None = None
    mask: np.ndarray | None = None
    slicer_geometry: Geometry | None = None
    orientation: int = 1
    notes: tuple[str, ...] = ()
    stack: tuple[int, int] | None = None

    @property
    def turned_in_slicer(self) -> bool:
        """Whether Slicer shows other rows and columns than those of the file: of a TIFF that notes an orientation."""
        reader = reader_by_name(self.path) if self.orientation != 1 and self.path is not None else None
        return reader is not None and reader.slicer_turns


@dataclass(frozen=True, eq=False)
class Volume:
    """A stack of axial slices.

    Attributes
    ----------
    array : np.ndarray
        (S, H, W) float32: S slices from inferior to superior, rows from anterior to posterior, columns from the
        patient's right to left.
    spacing : (float, float, float)
        Distance between slices, rows and columns, mm.
    path : Path or None
        The file that it came from.
    """

    array: np.ndarray
    spacing: tuple[float, float, float]
    path: Path | None = None


def read_image(
    path: str | Path,
    *,
    slice_index: int | None = None,
    spacing_um: float | None = None,
    override: bool = False,
    luminance: bool = False,
    keep_drawings: bool = False,
) -> Image:
    """Read one grey 2D image with its geometry; transparent pixels are blended with black.

    Colour becomes luminance, or the one channel that shows clearly more structure (`grey_of_colour`).

    Parameters
    ----------
    path : path
        PNG, TIFF, BMP, JPEG, NRRD, MetaImage, NIfTI or DICOM file.
    slice_index : int, optional
        Slice to take from a stack or volume, counted from 0 along the third axis. Ignored for a single image.
    spacing_um : float, optional
        Pixel size in micrometres for a file that carries none. Ignored when the file has its own, unless `override` is set.
    override : bool
        `spacing_um` overrides the pixel size in the file.
    luminance : bool
        Colour always becomes luminance.
    keep_drawings : bool
        Coloured lines and letters on a grey image become grey. Otherwise they are NaN (`coloured_drawing`).

    Returns
    -------
    Image
        Its `geometry.spacing_known` is False when the pixel size came neither from the file nor from `spacing_um`:
        always for PNG, BMP and JPEG, for a TIFF unless ImageJ or OME noted a pixel size (a print resolution in dpi
        is ignored), for a DICOM without a pixel spacing, and for an NRRD, MetaImage or NIfTI of spacing 1 along the
        axes, which is what programs write when they know nothing.

    Raises
    ------
    InputError
        The file is missing, unreadable, of an unknown kind, a time series, a vector image, or a stack without a
        (valid) `slice_index`.
    """
    path = as_file_path(path)
    slice_index, spacing_um = _as_int(slice_index, "slice_index"), _as_float(spacing_um, "spacing_um")
    reader, found = read_file(path)
    image = _one_slice(found.pixels, path, slice_index)
    array = _grey(image, path, alpha_counts=found.opacity, luminance=luminance, keep_drawings=keep_drawings)
    geometry = _geometry(image, reader, path, found, slice_index, refused=spacing_um is None or not override)
    printed = replace(Geometry(size=array.shape), spacing=found.pixels.GetSpacing()[1::-1]) if reader.raster else None
    read = Image(
        array,
        geometry,
        path,
        slicer_geometry=printed,
        orientation=found.orientation,
        notes=(*_notes(path, found), *_drawing_notes(path, array, found.pixels)),
        stack=_stack(found.pixels, slice_index) if reader.volumes else None,
    )
    return with_spacing(read, spacing_um, override=override)


def read_pixels(path: str | Path, *, slice_index: int | None = None) -> tuple[np.ndarray, Geometry]:
    """Read the values of a 2D image or label map as they are stored, and their geometry.

    Parameters
    ----------
    path, slice_index
        As `read_image` takes them.

    Returns
    -------
    pixels : array (H, W) or (H, W, C)
        Of the file's own number type. Of a file with a palette, the indices.
    geometry : Geometry

    Raises
    ------
    InputError
        As `read_image`, but any number of components is taken.
    """
    path = Path(path)
    reader, found = read_file(path)
    image = _one_slice(found.pixels, path, slice_index)
    pixels = sitk.GetArrayFromImage(image).reshape(*image.GetSize()[1::-1], image.GetNumberOfComponentsPerPixel())
    if np.iscomplexobj(pixels):
        raise InputError(f"{path}: real numbers were expected, but its pixels are {image.GetPixelIDTypeAsString()}.")
    if pixels.shape[2] == 3 and image is found.pixels and (kind := _PALETTES.get(file_suffix(path))) is not None:
        indices = palette_indices(path, kind)
        pixels = pixels if indices is None else indices[..., None]
    # That of a raster file says nothing: a size that a TIFF notes is not asked for.
    geometry = (
        Geometry(pixels.shape[:2])
        if reader.raster
        else _geometry(image, reader, path, found, slice_index, refused=False)
    )
    return pixels if pixels.shape[2] > 1 else pixels[..., 0], geometry


def _notes(path: Path, found: FileImage) -> tuple[str, ...]:
    if found.orientation == 1:
        return found.notes
    turned = (
        f"{path}: it says that it is to be turned (orientation {found.orientation}), which is not done: its rows and"
        " columns are taken as they are stored"
    )
    return (turned, *found.notes)


def _drawing_notes(path: Path, array: np.ndarray, pixels: sitk.Image) -> tuple[str, ...]:
    """What is said of a coloured drawing: whole numbers have no unknown pixels of their own."""
    unknown = int(np.isnan(array).sum()) if pixels.GetNumberOfComponentsPerPixel() in (3, 4) else 0
    return (f"{path}: {counted(unknown, 'pixel')} of a coloured drawing are taken as unknown",) if unknown else ()


def with_spacing(image: Image, spacing_um: float | None, *, override: bool = False) -> Image:
    """`image` with a pixel size in micrometres if it carries none (or `override` is set); itself otherwise, or for None."""
    if spacing_um is not None:
        possible_pixel_um(spacing_um, image.path or "The image")
    if spacing_um is None or (image.geometry.spacing_known and not override):
        return image
    millimetres = spacing_um / 1000
    return replace(image, geometry=replace(image.geometry, spacing=(millimetres, millimetres), spacing_known=True))


def tissue(image: Image) -> np.ndarray:
    """Tissue mask of `image`, bool (H, W): its own if it has one, else the one that is found."""
    if image.mask is None:
        return tissue_mask(image.array)
    return image.mask & np.isfinite(image.array)


def check_image(image: Image) -> None:
    """Raise `InputError` when `image` cannot be registered: constant, under 16 pixels, sheared, mostly NaN or infinite."""
    name = image.path or "The image"
    check_grid(name, replace(image.geometry, size=image.array.shape))
    finite = np.isfinite(image.array)
    if finite.mean() < _LEAST_FINITE:
        bad = int(np.count_nonzero(~finite))
        raise InputError(
            f"{name}: {counted(bad, 'pixel')} of {finite.size} {'is' if bad == 1 else 'are'} NaN or infinite, so that too"
            " little of the image is left. Export it again."
        )
    values = image.array if finite.all() else image.array[finite]
    if values.min() == values.max():
        raise InputError(f"{name}: every pixel has the value {values.flat[0]:g} (constant). Export the image again.")


def check_grid(name: object, geometry: Geometry) -> None:
    """Raise `InputError` when an image has under 16 pixels on a side, no possible geometry, or no right angles."""
    rows, columns = possible_geometry(geometry, name).size
    if min(rows, columns) < SMALLEST_SIDE:
        raise InputError(
            f"{name}: {columns} x {rows} pixels are too few."
            f" Use an image of at least {SMALLEST_SIDE} pixels on each side."
        )
    check_right_angles(name, geometry)


def check_right_angles(name: object, geometry: Geometry) -> None:
    """Raise `InputError` when the rows and columns of an image are not at right angles."""
    if abs(geometry.shear) > _MOST_SHEAR:
        angle = math.degrees(math.acos(geometry.shear))
        raise InputError(
            f"{name}: its rows and columns are at an angle of {angle:.1f} degrees, so that distances and areas would be wrong."
            " Resample it to a grid with right angles, or take it out of the transform that shears it."
        )


def read_volume(path: str | Path, *, channel: int | None = None) -> Volume:
    """Read a volume, reoriented so that its slices are axial.

    Parameters
    ----------
    path : path
        NIfTI, NRRD, MetaImage or multi-page file.
    channel : int, optional
        Channel of a 4-D file (fourth axis in NIfTI), counted from 0. Needed there, refused elsewhere unless 0.

    Raises
    ------
    InputError
        The file is missing, unreadable, a single 2D image, colour, or its channel was not (rightly) named.
    """
    path = Path(path)
    found = read_file(path)[1]
    if found.slice_sizes:
        raise InputError(f"{path}: a volume was expected, but the pixel sizes of its slices differ.")
    image = _one_channel(found.pixels, path, channel)
    if image.GetDimension() != 3:
        raise InputError(f"{path}: a volume with three axes was expected, but the file has {image.GetDimension()}.")
    with quiet_itk():
        axial = sitk.DICOMOrient(image, "LPS")
    return Volume(as_float32(sitk.GetArrayFromImage(axial), path), axial.GetSpacing()[::-1], path)


def _as_int(value: object, name: str) -> int | None:
    number = whole(value)
    if value is not None and number is None:
        raise InputError(f"{name}: expected a whole number, got {value!r}.")
    return number


def _as_float(value: object, name: str) -> float | None:
    if value is None:
        return None
    if math.isnan(number := real(value)):
        raise InputError(f"{name}: expected a number, got {value!r}.")
    return number


def _one_slice(image: sitk.Image, path: Path, slice_index: int | None) -> sitk.Image:
    dimension, size = image.GetDimension(), image.GetSize()
    if dimension > 3:
        shape = " x ".join(map(str, size))
        raise InputError(f"{path}: a single 2D image was expected, but this is a {dimension}-D series ({shape}).")
    if dimension == 2:
        return image
    slices = size[2]
    if slices == 1:
        return image
    if slice_index is None:
        raise InputError(
            f"{path}: a single image was expected, but the file is a stack of {slices} slices (0 to {slices - 1}).",
            field="slice",
            advice="Name one with {field} N.",
        )
    if not 0 <= slice_index < slices:
        raise InputError(
            f"{path}: there is no slice {slice_index}; the stack has {slices} (0 to {slices - 1}).",
            field="slice",
            advice="Use {field} N with one of these.",
        )
    return image[:, :, slice_index : slice_index + 1]


def _stack(image: sitk.Image, slice_index: int | None) -> tuple[int, int] | None:
    """The slice and the number of slices, if there are several."""
    slices = image.GetSize()[2] if image.GetDimension() == 3 else 1
    return None if slices == 1 or slice_index is None else (slice_index, slices)


def _grey(image: sitk.Image, path: Path, *, alpha_counts: bool, luminance: bool, keep_drawings: bool) -> np.ndarray:
    """(H, W) float32 of a one-slice image."""
    array = sitk.GetArrayFromImage(image)
    components = image.GetNumberOfComponentsPerPixel()
    array = array.reshape(*image.GetSize()[1::-1], components)
    if components == 1 and not np.iscomplexobj(array):
        return as_float32(array[..., 0], path)
    if components not in (3, 4) or array.dtype.kind != "u":
        raise InputError(
            f"{path}: a grey or colour image was expected, but its pixels are {image.GetPixelIDTypeAsString()}"
            f" of {components} components."
        )
    alpha = array[..., 3] / np.iinfo(array.dtype).max if components == 4 and alpha_counts else None
    if alpha is not None and not alpha.any():
        raise InputError(f"{path}: all of its pixels are transparent (its alpha is 0). Save it without transparency.")
    return grey_of_colour(array[..., :3], alpha, luminance=luminance, keep_drawings=keep_drawings)


def _geometry(
    image: sitk.Image, reader: Reader, path: Path, found: FileImage, slice_index: int | None, *, refused: bool
) -> Geometry:
    """Geometry of one slice of a file; a pixel size in an unknown unit is `refused`, or else ignored."""
    own = Geometry(size=image.GetSize()[1::-1]) if reader.raster else geometry_of_itk(image, spacing_known=False)
    if found.slice_sizes:
        size = found.slice_sizes[slice_index or 0]
        return replace(own, spacing=size or (1.0, 1.0), spacing_known=size is not None)
    try:
        size = reader.pixel_size(path, found)
    except InputError:
        if refused:
            raise
        size = None
    return own if size is None else replace(own, spacing=size, spacing_known=True)


def _one_channel(image: sitk.Image, path: Path, channel: int | None) -> sitk.Image:
    """The 3-D image of one channel, kept on the fourth axis or in the components of a pixel."""
    components = image.GetNumberOfComponentsPerPixel()
    fourth_axis = image.GetDimension() == 4
    channels = image.GetSize()[3] if fourth_axis else components
    if image.GetDimension() > 4 or (fourth_axis and components > 1):
        raise InputError(f"{path}: a volume with three or four axes was expected, but the file has more.")
    if channel is None and channels > 1:
        raise InputError(f"{path}: the file has {channels} channels. Name the channel to read (0 to {channels - 1}).")
    if channel is not None and not 0 <= channel < channels:
        raise InputError(f"{path}: there is no channel {channel}; the file has {channels} (counted from 0).")
    if fourth_axis:
        return image[:, :, :, channel or 0]
    return sitk.VectorIndexSelectionCast(image, channel) if components > 1 else image


def without_marks(
    moving: Image, fixed: Image, moving_tissue: np.ndarray, fixed_tissue: np.ndarray
) -> tuple[Image, Image, int]:
    """The two images without what a device drew into them, and the number of drawn pixels in both.

    A device draws circles with spokes into either image, and marks at the same position into both. They are filled from their
    neighbourhood.
    """
    images, tissues = (moving, fixed), (moving_tissue, fixed_tissue)
    drawn = [circles_in(image, mask) for image, mask in zip(images, tissues, strict=True)]
    marks = burnt_marks(moving.array, fixed.array, moving_tissue & fixed_tissue) if _one_size(moving, fixed) else False
    drawn = [found | marks for found in drawn]
    seen = (_without(image, found) for image, found in zip(images, drawn, strict=True))
    return *seen, sum(int(found.sum()) for found in drawn)


def circles_in(image: Image, known: np.ndarray | None = None) -> np.ndarray:
    """Pixels of drawn circles in an image (`drawn_circles`), bool (H, W), found once; `known` is its tissue, if it is at hand."""
    if image not in _CIRCLES:
        found = drawn_circles(image.array, tissue(image) if known is None else known)
        found.setflags(write=False)  # several stages share it
        _CIRCLES[image] = found
    return _CIRCLES[image]


_CIRCLES: WeakKeyDictionary[Image, np.ndarray] = WeakKeyDictionary()


def _one_size(moving: Image, fixed: Image) -> bool:
    return moving.array.shape == fixed.array.shape


def _without(image: Image, drawn: np.ndarray) -> Image:
    return replace(image, array=filled(image.array, drawn)) if drawn.any() else image
