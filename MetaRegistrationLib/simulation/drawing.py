"""Anti-aliased drawing of lines of varying width and brightness."""

from __future__ import annotations

import numpy as np

_STEP_PX = 0.35


def sampled_lines(starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points along straight lines, about 0.35 px apart.

    Parameters
    ----------
    starts, ends : numpy.ndarray
        (N, 2) as (row, column) in pixels.

    Returns
    -------
    points : numpy.ndarray
        (M, 2).
    lines : numpy.ndarray
        (M,) index of each point's line.
    fractions : numpy.ndarray
        (M,) how far each point lies along its line, 0 to 1.
    """
    counts = np.maximum(np.ceil(np.linalg.norm(ends - starts, axis=1) / _STEP_PX).astype(int), 1) + 1
    lines = np.repeat(np.arange(len(starts)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    fractions = (np.arange(len(lines)) - first) / (counts[lines] - 1)
    return starts[lines] + fractions[:, None] * (ends - starts)[lines], lines, fractions


def draw_discs(image: np.ndarray, points: np.ndarray, radii: np.ndarray, values: np.ndarray) -> None:
    """Draw soft-edged discs into `image` (rows, columns) in place, the brighter value winning.

    Parameters
    ----------
    points : numpy.ndarray
        (M, 2) centres as (row, column) in pixels; what lies outside the image is cut off.
    radii, values : numpy.ndarray
        (M,) in pixels and in units of the image. A disc fades out over one pixel around its radius.
    """
    reaches = np.ceil(radii + 0.5).astype(int)
    for reach in np.unique(reaches):  # discs of like size share their window of pixels
        of_size = reaches == reach
        _draw_discs_of_size(image, points[of_size], radii[of_size], values[of_size], int(reach))


def _draw_discs_of_size(
    image: np.ndarray, points: np.ndarray, radii: np.ndarray, values: np.ndarray, reach: int
) -> None:
    # A margin around the image takes the parts of discs that hang over its border.
    padded = np.pad(image, 2 * reach + 1)
    row, column = points.T
    near = (
        (row > -reach) & (row < image.shape[0] - 1 + reach) & (column > -reach) & (column < image.shape[1] - 1 + reach)
    )
    row, column, radii, values = row[near], column[near], radii[near], values[near].astype(image.dtype)
    nearest_row, nearest_column = np.rint(row).astype(int), np.rint(column).astype(int)
    for dr in range(-reach, reach + 1):
        for dc in range(-reach, reach + 1):
            distance = np.hypot(nearest_row + dr - row, nearest_column + dc - column)
            coverage = np.clip(radii + 0.5 - distance, 0, 1).astype(image.dtype)
            pixel = (nearest_row + (dr + 2 * reach + 1), nearest_column + (dc + 2 * reach + 1))
            np.maximum.at(padded, pixel, coverage * values)
    inner = slice(2 * reach + 1, -2 * reach - 1)
    image[...] = padded[inner, inner]
