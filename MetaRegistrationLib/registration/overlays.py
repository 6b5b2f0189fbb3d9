"""Overlay pictures as in the paper's Fig. 4: moving magenta, fixed green, agreement white, landmarks as discs."""

from __future__ import annotations

import numpy as np

from ..core.preprocessing import interpolate_grid

SIDE = 800
"""About how many pixels the longer side of an overlay has."""
_CARRIED, _FIXED, _OUTLINE = (0, 255, 0), (255, 255, 0), (0, 0, 0)
_OUTSIDE, _OUTSIDE_COVER = (30, 40, 110), 0.6
# The carried disc is smaller and on top. If both coincide, the fixed one still shows as a ring.
_CARRIED_RADIUS, _FIXED_RADIUS, _OUTLINE_WIDTH = 4.0, 7.0, 1.25


def grey_levels(image: np.ndarray) -> np.ndarray:
    """Image (H, W) as float32 in [0, 1], its first and ninety-ninth percentile stretched to the ends.

    Pixels that are not finite become 0.
    """
    finite = np.isfinite(image)
    values = np.asarray(image)[finite] if finite.any() else np.zeros(1)
    low, high = (float(value) for value in np.percentile(values, (1, 99)))
    if not high > low:
        low, high = float(np.min(values)), max(float(np.max(values)), float(np.min(values)) + 1)
    return np.clip((np.where(finite, image, low).astype(np.float32) - low) / (high - low), 0, 1)


def overlay(
    moving: np.ndarray,
    fixed: np.ndarray,
    carried_points: np.ndarray | None = None,
    fixed_points: np.ndarray | None = None,
    *,
    pixel_aspect: float = 1.0,
    outside: np.ndarray | None = None,
    side: int = SIDE,
) -> np.ndarray:
    """Overlay of two images of one grid.

    Parameters
    ----------
    moving, fixed : arrays (H, W)
        Any range.
    carried_points, fixed_points : arrays (N, 2), optional
        Landmarks of the moving image on this grid (green discs) and of the fixed one (yellow discs), joined by
        lines; (row, column) in pixels.
    pixel_aspect : float
        Height of a pixel over its width.
    outside : bool array (H, W), optional
        Pixels outside the tissue mask of one of the images; they are shown blue.
    side : int
        About how many pixels the longer side of the picture has.

    Returns
    -------
    uint8 array (h, w, 3)
    """
    height, width = fixed.shape
    factor = side / max(height * pixel_aspect, width)
    zoom = np.array([factor * pixel_aspect, factor])
    rows = (np.arange(max(round(height * zoom[0]), 1)) + 0.5) / zoom[0] - 0.5
    columns = (np.arange(max(round(width * zoom[1]), 1)) + 0.5) / zoom[1] - 0.5
    magenta, green = (interpolate_grid(grey_levels(image), rows, columns) for image in (moving, fixed))
    picture = np.stack([magenta, green, magenta], axis=-1) * 255
    if outside is not None and outside.any():
        cover = _OUTSIDE_COVER * interpolate_grid(outside.astype(np.float32), rows, columns)[..., None]
        picture += cover * (np.asarray(_OUTSIDE, dtype=picture.dtype) - picture)
    if carried_points is not None and fixed_points is not None and len(carried_points) == len(fixed_points):
        for start, end in zip(_zoomed(carried_points, zoom), _zoomed(fixed_points, zoom), strict=True):
            _draw(picture, start, end, 1.5, _FIXED)
    for points, radius, colour in (
        (fixed_points, _FIXED_RADIUS, _FIXED),
        (carried_points, _CARRIED_RADIUS, _CARRIED),
    ):
        for point in () if points is None else _zoomed(points, zoom):
            _draw(picture, point, point, radius + _OUTLINE_WIDTH, _OUTLINE)
            _draw(picture, point, point, radius, colour)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def side_by_side(*pictures: np.ndarray, gap: int = 12) -> np.ndarray:
    """Pictures of one height beside each other on white."""
    height = max(picture.shape[0] for picture in pictures)
    parts = []
    for picture in pictures:
        below = height - picture.shape[0]
        parts.append(np.pad(picture, ((0, below), (0, 0), (0, 0)), constant_values=255))
        parts.append(np.full((height, gap, 3), 255, dtype=np.uint8))
    return np.hstack(parts[:-1])


def _zoomed(points: np.ndarray, zoom: np.ndarray) -> np.ndarray:
    return (np.asarray(points, dtype=float) + 0.5) * zoom - 0.5


def _draw(picture: np.ndarray, start: np.ndarray, end: np.ndarray, radius: float, colour: tuple[int, int, int]) -> None:
    """Blend a line with round ends (a disc when start equals end) into a picture, anti-aliased."""
    low = np.maximum(np.floor(np.minimum(start, end) - radius - 1), 0).astype(int)
    high = np.minimum(np.ceil(np.maximum(start, end) + radius + 2), picture.shape[:2]).astype(int)
    if np.any(low >= high):
        return
    rows, columns = np.mgrid[low[0] : high[0], low[1] : high[1]]
    along = end - start
    length = float(along @ along)
    offset = np.stack([rows - start[0], columns - start[1]], axis=-1)
    share = np.clip(offset @ along / length, 0, 1) if length else np.zeros(rows.shape)
    distance = np.linalg.norm(offset - share[..., None] * along, axis=-1)
    cover = np.clip(radius + 0.5 - distance, 0, 1)[..., None]
    region = picture[low[0] : high[0], low[1] : high[1]]
    region += cover * (np.asarray(colour, dtype=region.dtype) - region)
