"""From an image of any size to the grid that the network sees: resampled, equalised, in [0, 1]."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

import numpy as np
from scipy import ndimage, sparse

from .. import calibration
from ..errors import InputError
from .geometry import Geometry
from .tissue import tissue_mask

_MUCH_BLUR = 1.0  # pixels, from which on filter and sampling are done together
_SAME_ASPECT = calibration.SAME_ASPECT.value
_SAME_FIELD_OF_VIEW = calibration.SAME_FIELD_OF_VIEW.value


@dataclass(frozen=True)
class NetworkGrid:
    """The network grid on an image: ``pixel = scale * grid position + offset``, per axis (row, column).

    Both are positions of pixel centres; `size` is the side of the square grid in its own pixels.
    """

    size: int
    scale: tuple[float, float]
    offset: tuple[float, float]

    def to_image(self, positions: np.ndarray) -> np.ndarray:
        """Image pixels (..., 2) of grid positions (..., 2)."""
        return np.asarray(positions) * self.scale + np.asarray(self.offset)

    def from_image(self, pixels: np.ndarray) -> np.ndarray:
        """Grid positions (..., 2) of image pixels (..., 2)."""
        return (np.asarray(pixels) - self.offset) / np.asarray(self.scale)

    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Image rows (size,) and image columns (size,) of the grid's rows and columns."""
        side = np.arange(self.size)
        return side * self.scale[0] + self.offset[0], side * self.scale[1] + self.offset[1]

    def inside(self, shape: tuple[int, int]) -> np.ndarray:
        """Grid pixels (size, size), bool, whose centre lies in an image of `shape` (rows, columns)."""
        tolerance = 1e-6
        rows, columns = (
            (positions >= -0.5 - tolerance) & (positions <= extent - 0.5 + tolerance)
            for positions, extent in zip(self.axes(), shape, strict=True)
        )
        return rows[:, None] & columns[None, :]


def stretched_grid(shape: tuple[int, int], size: int) -> NetworkGrid:
    """The grid that covers the whole image of `shape` (rows, columns), whatever its aspect, as in the paper."""
    scale = tuple(extent / size for extent in shape)
    return NetworkGrid(size, scale, tuple(0.5 * step - 0.5 for step in scale))


def grid_extents(
    grids: tuple[NetworkGrid, NetworkGrid], moving: Geometry, fixed: Geometry
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Height and width that the grids of a pair show: in mm where both pixel sizes are known, else in pixels of the images."""
    known = moving.spacing_known and fixed.spacing_known
    return (_extent(grids[0], moving if known else None), _extent(grids[1], fixed if known else None))


def _extent(grid: NetworkGrid, geometry: Geometry | None) -> tuple[float, float]:
    spacing = (1.0, 1.0) if geometry is None else geometry.spacing
    height, width = (grid.size * step * unit for step, unit in zip(grid.scale, spacing, strict=True))
    return height, width


def _centred_grid(shape: tuple[int, int], size: int, scale: tuple[float, float]) -> NetworkGrid:
    centre = (size - 1) / 2
    offset = tuple((extent - 1) / 2 - centre * step for extent, step in zip(shape, scale, strict=True))
    return NetworkGrid(size, scale, offset)


def pair_grids(moving: Geometry, fixed: Geometry, size: int) -> tuple[NetworkGrid, NetworkGrid]:
    """Network grids of a moving and a fixed image.

    The fixed image fills its grid. The moving image fills its grid if both cover the same area: the same extent in mm if the
    pixel sizes are known, else the same aspect ratio. Otherwise the moving image is centred at the scale of the fixed one (in mm
    if known, else in pixels), so that no scan is stretched against the other.
    """
    fixed_grid = stretched_grid(fixed.size, size)
    unit = np.ones(2)
    moving_spacing, fixed_spacing = unit, unit
    known = moving.spacing_known and fixed.spacing_known
    if known:
        moving_spacing, fixed_spacing = np.asarray(moving.spacing), np.asarray(fixed.spacing)
    extent_ratio = np.asarray(moving.size) * moving_spacing / (np.asarray(fixed.size) * fixed_spacing)
    if known:
        same_view = np.all(np.maximum(extent_ratio, 1 / extent_ratio) < _SAME_FIELD_OF_VIEW)
    else:
        aspect_ratio = extent_ratio[0] / extent_ratio[1]
        same_view = max(aspect_ratio, 1 / aspect_ratio) < _SAME_ASPECT
    if same_view:
        return stretched_grid(moving.size, size), fixed_grid
    scale = tuple(float(step) for step in np.asarray(fixed_grid.scale) * fixed_spacing / moving_spacing)
    return _centred_grid(moving.size, size, scale), fixed_grid


def resample_to_grid(array: np.ndarray, grid: NetworkGrid) -> tuple[np.ndarray, np.ndarray]:
    """Linear resampling of `array` (H, W) onto the grid, blurred first where the grid is coarser.

    Returns
    -------
    values : float32 (size, size)
        Zero outside the image.
    inside : bool (size, size)
        Grid pixels whose centre lies in the image.
    """
    values = np.asarray(array, dtype=np.float32)
    blur = [0.5 * np.sqrt(max(step * step - 1, 0.0)) for step in grid.scale]
    rows, columns = grid.axes()
    inside = grid.inside(values.shape)
    if min(blur) > _MUCH_BLUR:
        down, across = (
            _blurred_sampling(extent, at, sigma)
            for extent, at, sigma in zip(values.shape, (rows, columns), blur, strict=True)
        )
        return np.where(inside, (across @ (down @ values).T).T, np.float32(0)), inside
    if max(blur) > 0.2:
        values = ndimage.gaussian_filter(values, blur, mode="nearest")
    return np.where(inside, interpolate_grid(values, rows, columns), np.float32(0)), inside


def _blurred_sampling(extent: int, positions: np.ndarray, sigma: float) -> sparse.csr_array:
    """Matrix (N, extent), float32: SciPy's Gaussian filter along an axis and linear interpolation at `positions`, as one.

    Only what is sampled is computed.
    """
    radius = int(4 * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    at = np.clip(positions, 0, extent - 1)
    first = np.minimum(np.floor(at).astype(int), extent - 2)
    share = at - first
    weights = np.pad(kernel / kernel.sum(), (0, 1)) * (1 - share)[:, None]
    weights += np.pad(kernel / kernel.sum(), (1, 0)) * share[:, None]
    taken = np.clip(first[:, None] + np.arange(-radius, radius + 2), 0, extent - 1)
    numbers = np.broadcast_to(np.arange(len(at))[:, None], taken.shape)
    shape = (len(at), extent)
    return sparse.coo_array((weights.ravel().astype(np.float32), (numbers.ravel(), taken.ravel())), shape).tocsr()


def resample_masked(array: np.ndarray, grid: NetworkGrid, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`resample_to_grid` from the pixels of `mask` (H, W) only: values outside, even NaN, do not mix with them.

    Returns
    -------
    values : float32 (size, size)
        Zero outside the mask.
    inside : bool (size, size)
        Grid pixels in the mask and the image.
    """
    if mask.all():
        return resample_to_grid(array, grid)
    values, _ = resample_to_grid(np.where(mask, array, 0), grid)
    weight, _ = resample_to_grid(mask, grid)
    inside = mask_on_grid(mask, grid)
    # The least weight in a mask on the grid is near 0.5: it is half covered.
    return np.where(inside, values / np.maximum(weight, np.float32(1e-3)), np.float32(0)), inside


def mask_on_grid(mask: np.ndarray, grid: NetworkGrid) -> np.ndarray:
    """Grid pixels (size, size), bool, most of which are covered by an image mask (H, W), and so by the image."""
    inside = grid.inside(mask.shape)
    if mask.all():
        return inside
    return inside & (resample_to_grid(mask, grid)[0] > 0.5)


def interpolate_grid(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Linear interpolation of (H, W) on the grid of `rows` (h,) and `columns` (w,), in pixels; edge values beyond."""
    return _interpolate_axis(_interpolate_axis(values, rows, 0), columns, 1)


def _interpolate_axis(values: np.ndarray, positions: np.ndarray, axis: int) -> np.ndarray:
    """Linear interpolation along one axis; edge values beyond the ends. (Much faster than a 2D interpolator.)"""
    last = values.shape[axis] - 1
    positions = np.clip(positions, 0, last)
    lower = np.minimum(positions.astype(np.intp), max(last - 1, 0))
    weight = (positions - lower).astype(values.dtype)
    if axis == 0:
        weight = weight[:, None]
    below = values.take(lower, axis)
    return below + weight * (values.take(np.minimum(lower + 1, last), axis) - below)


def equalise(values: np.ndarray, inside: np.ndarray | None = None, *, bins: int = 1024) -> np.ndarray:
    """Histogram equalisation to [0, 1], float32: each value becomes the share of pixels below it.

    The lowest level becomes 0 (a black background stays black) and the highest 1; a constant image becomes 0. With
    `inside`, only those pixels are counted, and the others become 0.
    """
    counted = values if inside is None else values[inside]
    low, high = (float(counted.min()), float(counted.max())) if counted.size else (0.0, 0.0)
    if not high > low:
        return np.zeros(values.shape, dtype=np.float32)
    scale = (bins - 1) / (high - low)
    if scale > float(np.finfo(np.float32).max):  # a range below 1e-35
        values = values.astype(np.float64)
    level = np.clip((values - low) * scale, 0, bins - 1).astype(np.int32)
    histogram = np.bincount((level if inside is None else level[inside]).ravel(), minlength=bins)
    share = np.cumsum(histogram) / histogram.sum()
    share = (share - share[0]) / (1 - share[0])
    result = share.astype(np.float32)[level]
    return result if inside is None else np.where(inside, result, np.float32(0))


def rescale(values: np.ndarray, inside: np.ndarray | None = None) -> np.ndarray:
    """Linear rescaling of the counted pixels to [0, 1], float32; a constant image becomes 0."""
    counted = values if inside is None else values[inside]
    low, high = (float(counted.min()), float(counted.max())) if counted.size else (0.0, 0.0)
    if not high > low:
        return np.zeros(values.shape, dtype=np.float32)
    result = ((values - low) / (high - low)).astype(np.float32)
    return result if inside is None else np.where(inside, result, np.float32(0))


@dataclass(frozen=True)
class Preprocessing:
    """What is done to every image before the network; stored in each checkpoint.

    Attributes
    ----------
    size : int
        Side of the square grid, pixels (400 in the paper).
    equalise : bool
        Histogram equalisation (paper); otherwise only a linear rescaling to [0, 1].
    bins : int
        Grey levels of the equalisation.
    field_of_view : bool
        Use the tissue mask: grey levels are those of the tissue, and all other pixels become 0. Otherwise the border is used too.
        Settings without this key have it off.
    """

    size: int = 400
    equalise: bool = True
    bins: int = 1024
    field_of_view: bool = True

    def __post_init__(self):
        if not (isinstance(self.size, int) and 32 <= self.size <= 4096):
            raise InputError(f"preprocessing: expected a grid size from 32 to 4096 pixels, got {self.size!r}.")
        if not (isinstance(self.bins, int) and 2 <= self.bins <= 65536):
            raise InputError(f"preprocessing: expected 2 to 65536 grey levels, got {self.bins!r}.")

    def apply(
        self, array: np.ndarray, grid: NetworkGrid | None = None, field_of_view: np.ndarray | None = None
    ) -> np.ndarray:
        """Image (H, W) of any range -> float32 (size, size) in [0, 1]; stretched to the grid unless one is given.

        Parameters
        ----------
        field_of_view : np.ndarray, optional
            Tissue mask, bool (H, W); by default `tissue.tissue_mask` finds it. If the setting is off, only pixels that are
            not finite are ignored.
        """
        grid = grid or stretched_grid(array.shape, self.size)
        mask = np.isfinite(array)
        if self.field_of_view:
            mask = mask & (tissue_mask(array) if field_of_view is None else field_of_view)
        values, inside = resample_masked(array, grid, mask)
        counted = None if inside.all() else inside
        return equalise(values, counted, bins=self.bins) if self.equalise else rescale(values, counted)

    def to_dict(self) -> dict:
        """Plain values, for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> Preprocessing:
        """Inverse of `to_dict`; an `InputError` names settings that this version does not know."""
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise InputError(
                f"preprocessing: unknown settings {sorted(unknown)}; a newer version of the program wrote them."
            )
        return cls(**{"field_of_view": False, **values})
