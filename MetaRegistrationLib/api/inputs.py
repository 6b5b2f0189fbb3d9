"""Arrays, tensors, SimpleITK images, files and `Image` objects as images. Others are refused by name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813

from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.colour import grey_of_colour
from ..formats.grey_levels import as_float32
from ..formats.image_files import reader_of
from ..formats.images import Image, check_image, read_image, read_pixels, with_spacing
from ..formats.itk_images import geometry_of_itk, says_nothing
from ..formats.itk_settings import quiet_itk
from ..formats.possible_geometry import possible_geometry
from ..formats.units import possible_pixel_um
from ..registration.moving_visit import check_on_moving

_KINDS = "a NumPy array, torch tensor, SimpleITK image, path or Image"
_EXACT = 2**24  # the whole numbers below it are exact in float32
_LABEL_MAPS = (sitk.sitkLabelUInt8, sitk.sitkLabelUInt16, sitk.sitkLabelUInt32, sitk.sitkLabelUInt64)  # lists of runs
_SAME_SIZE = 1e-3  # relative difference up to which two pixel sizes are the same


@dataclass(frozen=True, eq=False)
class GivenImage:
    """An image as it was given.

    Attributes
    ----------
    image : Image
    dimension : int
        2, or 3 where its geometry is that of a volume of one slice.
    own : Geometry or None
        Where SimpleITK has its pixels, whatever pixel size it is registered with; None for an array.
    placed : bool
        Whether it says where its pixels lie in space; files such as PNG do not.
    """

    image: Image
    dimension: int
    own: Geometry | None = None
    placed: bool = False


def as_image(
    value: Any, name: str, *, spacing: float | Sequence[float] | None = None, mask: Any | None = None
) -> GivenImage:
    """An image that can be registered.

    Parameters
    ----------
    value : array (H, W) or (H, W, 3|4), tensor, SimpleITK image, path or Image
        Arrays and tensors have spacing 1 and origin 0. Colour becomes grey as in files.
    name : str
        What messages call it, such as "moving".
    spacing : float or (float, float), optional
        Distance between rows and between columns, mm, for what has no pixel size of its own.
    mask : optional
        As `as_mask` takes it.

    Raises
    ------
    InputError
        It is none of these, has another shape, or is constant, too small, or without finite values.
    """
    try:
        given = _given(value, name)
        image = _spaced(given.image, spacing, name)
        check_image(image)
    except InputError as error:
        raise _named(error, name) from error
    if mask is not None:
        image = replace(image, mask=as_mask(mask, image, f"{name}_mask", given.own if given.placed else None))
    return replace(given, image=image)


def _named(error: InputError, name: str) -> InputError:
    """The error with the name of the argument in front, unless it has it."""
    problem = error.problem.removeprefix("The image: ")
    named = InputError(problem, field=error.field, advice=error.advice)
    return named if problem.startswith(name) else named.within(f"{name}: ")


def as_mask(value: Any, image: Image, name: str, own: Geometry | None = None) -> np.ndarray:
    """Tissue mask of `image`, bool (H, W), from an array, tensor, SimpleITK image or path that is not zero in tissue.

    Raises
    ------
    InputError
        It has other pixels than the image, or shows no tissue.
    """
    pixels = as_pixels(value, image, name, own)
    if pixels.ndim != 2:
        raise InputError(f"{name}: expected one value a pixel, got an array of shape {pixels.shape}.")
    mask: np.ndarray = np.isfinite(pixels) & (pixels != 0) if pixels.dtype.kind == "f" else pixels != 0
    if not (mask & np.isfinite(image.array)).any():
        raise InputError(f"{name}: expected some pixels that are not zero, where there is tissue; got none.")
    return mask


def as_pixels(value: Any, image: Image, name: str, own: Geometry | None = None) -> np.ndarray:
    """Values (H, W) or (H, W, C) on the pixels of `image`, of their own type.

    `own` is the geometry that the image was given with; None where it had none.

    Raises
    ------
    InputError
        It is no image, or has other pixels than `image`: another size or another geometry.
    """
    pixels, geometry = _pixels(value, name)
    check_on_moving(pixels.shape, geometry, own or image.geometry, own is not None, name)
    return pixels


def as_label_pixels(value: Any, name: str) -> tuple[np.ndarray, str, Geometry | None]:
    """Values (H, W) or (H, W, C) of an array, tensor, SimpleITK image or Image, the name, and their geometry if they have one.

    Raises
    ------
    InputError
        It is none of these.
    """
    pixels, geometry = _pixels(value, name)
    return pixels, name, geometry


def as_path(value: Any, name: str) -> Path:
    """A path, `~` resolved.

    Raises
    ------
    InputError
        It is neither text nor a path.
    """
    if not isinstance(value, (str, Path)) or not str(value).strip():
        raise InputError(f"{name}: expected a path, got {value!r:.80}.")
    return Path(value).expanduser()


def as_points(value: Any, name: str) -> np.ndarray:
    """Points as float64 (N, 2), (row, column).

    Raises
    ------
    InputError
        They are not of this shape, not finite, or masked.
    """
    refuse_masked(value, name)
    try:
        points = _real(as_array(value, name) if _is_tensor(value) else value)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: expected numbers of shape (N, 2), (row, column); got {value!r:.80}.") from error
    if points.size == 0:
        return np.empty((0, 2))
    if points.ndim != 2 or points.shape[1] != 2:
        raise InputError(f"{name}: expected points of shape (N, 2), (row, column); got the shape {points.shape}.")
    if not np.isfinite(points).all():
        raise InputError(f"{name}: expected finite numbers; {int((~np.isfinite(points)).any(1).sum())} points are not.")
    return points


def refuse_masked(value: Any, name: str) -> None:
    """Raise an `InputError` for a masked array with masked values."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        count = int(np.ma.count_masked(value))
        raise InputError(
            f"{name}: expected an array without masked values, got {count}. Leave them out, or use `filled`."
        )


def _real(value: Any) -> np.ndarray:
    """Numbers as float64. `TypeError` for complex ones, of which NumPy would drop a part."""
    if np.iscomplexobj(numbers := np.asarray(value)):
        raise TypeError
    return numbers.astype(np.float64)


def as_spacing(value: float | Sequence[float], name: str = "spacing") -> tuple[float, float]:
    """Distance between rows and between columns, mm; one number stands for both.

    Raises
    ------
    InputError
        It is not one or two positive numbers, or senseless as a pixel size.
    """
    try:
        if np.asarray(value).dtype.kind == "b":
            raise TypeError
        steps = np.atleast_1d(_real(value))
    except (TypeError, ValueError):
        steps = np.array([])
    if steps.shape not in ((1,), (2,)) or not (np.isfinite(steps) & (steps > 0)).all():
        raise InputError(f"{name}: expected (distance of rows, distance of columns) in mm, above 0; got {value!r}.")
    for step in steps:
        possible_pixel_um(1000 * float(step), name)
    return float(steps[0]), float(steps[-1])


def spacing_um(value: float | Sequence[float] | None, name: str = "spacing") -> float | None:
    """One pixel size in micrometres, as files of a folder are read; None for None.

    Raises
    ------
    InputError
        It is no positive number, or not the same for rows and columns.
    """
    if value is None:
        return None
    rows, columns = as_spacing(value, name)
    if rows != columns:
        raise InputError(f"{name}: expected one number for the files of a folder, got {value!r}.")
    return 1000 * rows


def truth_value(value: Any, name: str) -> bool:
    """True or False; NumPy's are taken too. Words are not: "no" would count as True."""
    if not isinstance(value, (bool, np.bool_)):
        raise InputError(f"{name}: expected True or False, got {value!r:.80}.")
    return bool(value)


def _given(value: Any, name: str) -> GivenImage:
    if isinstance(value, Image):
        image = _checked_image(value, name)
        placed = not image.geometry.unplaced
        return GivenImage(image, _dimension(image), image.geometry if placed else None, placed)
    if isinstance(value, (str, Path)):
        image = _read(read_image, value)
        return GivenImage(image, _dimension(image), image.slicer_geometry or image.geometry, not _raster(value))
    if isinstance(value, sitk.Image):
        flat = _one_slice(value, name)
        array = _grey(sitk.GetArrayFromImage(flat).reshape(_itk_shape(flat)), name)
        geometry = possible_geometry(geometry_of_itk(value, spacing_known=not says_nothing(value)), name)
        return GivenImage(Image(array, geometry), value.GetDimension(), geometry, placed=True)
    array = _grey(as_array(value, name), name)
    return GivenImage(Image(array, Geometry(array.shape)), 2)


def _checked_image(image: Image, name: str) -> Image:
    array, geometry = np.asarray(image.array), possible_geometry(image.geometry, name)
    if array.ndim != 2 or array.shape != geometry.size:
        raise InputError(
            f"{name}: expected an Image whose array (H, W) has the size of its geometry, {geometry.size}; got the"
            f" shape {array.shape}."
        )
    plain = replace(image, array=_grey(array, name), geometry=geometry, mask=None)
    return plain if image.mask is None else replace(plain, mask=as_mask(image.mask, plain, f"{name} (mask)"))


def _raster(path: str | Path) -> bool:
    """Whether a file's format has no place in space; SimpleITK and Slicer take its print resolution for a pixel size."""
    reader = reader_of(Path(path).expanduser())
    return reader is not None and reader.raster


def _pixels(value: Any, name: str) -> tuple[np.ndarray, Geometry | None]:
    """Values of their own type, and their geometry if they have one."""
    if isinstance(value, Image):
        return _exact(np.asarray(value.array), name), possible_geometry(value.geometry, name)
    if isinstance(value, (str, Path)):
        pixels, geometry = _read(read_pixels, value)
        return pixels, None if _raster(value) else geometry
    if isinstance(value, sitk.Image):
        flat = _one_slice(value, name)
        stored: np.ndarray = sitk.GetArrayFromImage(flat).reshape(_itk_shape(flat))
        geometry = possible_geometry(geometry_of_itk(value, spacing_known=not says_nothing(value)), name)
        return stored if stored.shape[-1] > 1 else stored[..., 0], geometry
    pixels = as_array(value, name)
    if pixels.ndim not in (2, 3) or pixels.dtype.kind not in "buif":
        raise InputError(f"{name}: expected numbers of shape (H, W) or (H, W, C), got {_what(pixels)}.")
    return pixels, None


def _read(reader: Callable[[Path], Any], path: str | Path) -> Any:
    """What a reader gives of a path; a stack is refused with what Python has for it."""
    try:
        return reader(Path(path).expanduser())
    except InputError as error:
        if error.field != "slice":
            raise
        raise InputError(f"{error.problem} Read one with mr.read_image(path, slice_index=N).") from error


def _exact(array: np.ndarray, name: str) -> np.ndarray:
    """The array of an `Image`, unless labels may have been rounded to its float32 already."""
    if np.isfinite(array).any() and np.abs(array[np.isfinite(array)]).max() >= _EXACT:
        raise InputError(f"{name}: expected an array or a path for values of {_EXACT} and more, which an Image rounds.")
    return array


def _one_slice(image: sitk.Image, name: str) -> sitk.Image:
    size = image.GetSize()
    if image.GetDimension() == 2 or (image.GetDimension() == 3 and size[2] == 1):
        return sitk.LabelMapToLabel(image) if image.GetPixelID() in _LABEL_MAPS else image
    raise InputError(
        f"{name}: expected a 2D image or a volume of one slice, got {' x '.join(map(str, size))} voxels. Take a slice of it."
    )


def _itk_shape(image: sitk.Image) -> tuple[int, int, int]:
    return image.GetSize()[1], image.GetSize()[0], image.GetNumberOfComponentsPerPixel()


def _is_tensor(value: Any) -> bool:
    torch = sys.modules.get("torch")  # there is no tensor where it was never imported
    return torch is not None and isinstance(value, torch.Tensor)


def as_array(value: Any, name: str = "image") -> np.ndarray:
    """The array of an array-like value. Masked pixels become NaN; the channels of a tensor come last.

    Raises
    ------
    InputError
        It is no array, has masked pixels that cannot be NaN, or is a tensor without values.
    """
    if _is_tensor(value):
        return _of_tensor(value, name)
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        if value.dtype.kind != "f":
            raise InputError(f"{name}: expected an array without masked pixels, or one of floats. Use its `filled`.")
        return value.filled(np.nan)
    if not hasattr(value, "__array__"):
        advice = " Use np.asarray of it." if isinstance(value, (list, tuple)) else ""
        raise InputError(f"{name}: expected {_KINDS}, got {type(value).__name__}.{advice}")
    return np.asarray(value)


def _of_tensor(tensor: Any, name: str) -> np.ndarray:
    try:
        tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
        array = (tensor.float() if tensor.is_floating_point() and tensor.element_size() < 4 else tensor).numpy()
    except (RuntimeError, TypeError, NotImplementedError) as error:
        raise InputError(
            f"{name}: expected a dense torch tensor with values, got {tensor.dtype} on {tensor.device}."
        ) from error
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    channels_first = array.ndim == 3 and array.shape[0] in (3, 4) and array.shape[2] not in (3, 4)
    return np.moveaxis(array, 0, -1) if channels_first else array


def _grey(array: np.ndarray, name: str) -> np.ndarray:
    """Grey float32 (H, W), a copy; transparent pixels are blended with black."""
    if array.dtype.kind not in "buif":
        raise InputError(f"{name}: expected numbers, got {_what(array)}.")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim == 2:
        return as_float32(array, name)  # beyond float32 is infinite, which is checked
    if array.ndim != 3 or array.shape[2] not in (3, 4):
        raise InputError(
            f"{name}: expected an image of shape (H, W) or (H, W, 3|4), got {_what(array)}."
            + (" Take a slice of it." if array.ndim > 2 else "")
        )
    alpha = _opacity(array[..., 3], name) if array.shape[2] == 4 else None
    return grey_of_colour(array[..., :3].astype(np.float64 if array.dtype.kind == "f" else array.dtype), alpha)


def _opacity(alpha: np.ndarray, name: str) -> np.ndarray:
    """From 0 to 1."""
    if alpha.dtype.kind in "ui" and alpha.dtype not in (np.uint8, np.uint16):
        raise InputError(
            f"{name}: expected four channels as uint8, uint16 or floats from 0 to 1, since the fourth is the opacity; got"
            f" {alpha.dtype}. Leave that channel out."
        )
    highest = np.iinfo(alpha.dtype).max if alpha.dtype.kind in "ui" else 1.0
    share = alpha / highest
    if not (np.isfinite(share).all() and share.min() >= 0 and share.max() <= 1):
        raise InputError(f"{name}: expected an opacity from 0 to 1 in the fourth channel, got others.")
    if not share.any():
        raise InputError(
            f"{name}: all of its pixels are transparent (the fourth channel is 0). Leave that channel out."
        )
    return share


def _spaced(image: Image, spacing: float | Sequence[float] | None, name: str) -> Image:
    if spacing is None:
        return image
    steps, geometry = as_spacing(spacing), image.geometry
    if geometry.spacing_known:
        if not np.allclose(steps, geometry.spacing, rtol=_SAME_SIZE):
            raise InputError(
                f"{name}: expected the pixel size of {_mm(steps)} mm that `spacing` says, but the image says"
                f" {_mm(geometry.spacing)} mm. Leave `spacing` out, or read the image with another size."
            )
        return image
    if steps[0] == steps[1]:
        return with_spacing(image, 1000 * steps[0])
    return replace(image, geometry=replace(geometry, spacing=steps, spacing_known=True))


def _dimension(image: Image) -> int:
    """The dimension that SimpleITK reads from the image's file. Without a file: 2, or 3 outside the plane z = 0."""
    if image.path is not None and image.path.is_file():
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(image.path))
        try:
            with quiet_itk():
                reader.ReadImageInformation()
            return 2 if reader.GetDimension() == 2 else 3
        except RuntimeError:  # a format that ITK does not read, or a name that it does not take
            pass
    return 2 if in_plane(image.geometry) else 3


def in_plane(geometry: Geometry) -> bool:
    """Whether a geometry is that of a 2D image: in the plane z = 0."""
    direction = np.asarray(geometry.direction)
    return bool(geometry.origin[2] == 0 and np.array_equal(direction[2], [0, 0, 1]) and (direction[:2, 2] == 0).all())


def _mm(steps: Sequence[float]) -> str:
    return " x ".join(f"{step:.6g}" for step in steps)


def _what(array: np.ndarray) -> str:
    return f"an array of {array.dtype} of shape {array.shape}"
