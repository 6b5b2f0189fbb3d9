"""Corner points of images without vessels: well defined in both directions, and so usable as landmarks."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

_GRADIENT_PX = 1.0
_NEIGHBOURHOOD_PX = 2.0


def corner_points(
    image: np.ndarray, inside: np.ndarray | None = None, *, min_distance_px: int = 4, strongest: float = 0.2
) -> np.ndarray:
    """Points where the image changes in every direction: maxima of the smaller eigenvalue of the structure tensor.

    Parameters
    ----------
    image : numpy.ndarray
        (rows, columns) of any range.
    inside : numpy.ndarray, optional
        (rows, columns) bool: where points may lie (default: everywhere).
    min_distance_px : int
        A point is the strongest within this distance along each axis.
    strongest : float
        Only points among this share of the pixels `inside` count, by the smaller eigenvalue.

    Returns
    -------
    numpy.ndarray
        (N, 2) float64 as (row, column) in pixels, the strongest first.
    """
    image = np.asarray(image, dtype=np.float64)
    inside = np.ones(image.shape, dtype=bool) if inside is None else np.asarray(inside, dtype=bool)
    strength = np.where(inside, _smaller_eigenvalue(image), 0.0)
    # Rounding alone must not make corners in a flat image.
    floor = 1e-8 * float(np.ptp(image)) ** 2
    if not (strength > floor).any():
        return np.zeros((0, 2))
    least = max(float(np.quantile(strength[inside], 1 - strongest)), floor)
    highest = ndimage.maximum_filter(strength, size=2 * min_distance_px + 1, mode="constant")
    points = np.argwhere((strength == highest) & (strength > least))
    order = np.argsort(-strength[tuple(points.T)], kind="stable")
    return points[order].astype(np.float64)


def _smaller_eigenvalue(image: np.ndarray) -> np.ndarray:
    row, column = (ndimage.gaussian_filter(image, _GRADIENT_PX, order=order) for order in ((1, 0), (0, 1)))
    products = (row * row, row * column, column * column)
    rr, rc, cc = (ndimage.gaussian_filter(product, _NEIGHBOURHOOD_PX) for product in products)
    return (rr + cc) / 2 - np.sqrt(((rr - cc) / 2) ** 2 + rc**2)
