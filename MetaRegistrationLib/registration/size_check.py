"""Whether an alignment contradicts what the files state: the pixel sizes, or directions that say that an image is mirrored."""

from __future__ import annotations

import math

import numpy as np

from .. import calibration
from ..core.geometry import Geometry
from ..progress import Message

_SCALE_LIMIT = calibration.SCALE_CONTRADICTION.value


def local_matrix(positions: np.ndarray) -> np.ndarray:
    """Median slope (2, 2) of positions (H, W, 2): moving pixels (row, column) by a step along rows, and along columns."""
    inner = [np.diff(positions, axis=axis).reshape(-1, 2) for axis in (0, 1)]
    return np.stack([np.median(steps, axis=0) for steps in inner], axis=1)


def scale_found(positions: np.ndarray, moving: Geometry, fixed: Geometry, step: int = 1) -> float:
    """Millimetres of the moving image, by its stated pixel size, for one of the fixed image; 1 where the sizes agree.

    Parameters
    ----------
    positions : array (H, W, 2)
        Of every `step`-th pixel of the fixed image in the moving one, (row, column) in its stored pixels.
    moving, fixed : Geometry
    step : int

    Returns
    -------
    float
        NaN unless both pixel sizes are known.
    """
    if not (moving.spacing_known and fixed.spacing_known):
        return math.nan
    slope = np.asarray(moving.spacing)[:, None] * local_matrix(positions) / (step * np.asarray(fixed.spacing))
    return float(math.sqrt(abs(np.linalg.det(slope))))


def contradicts(scale: float) -> bool:
    """Whether a scale, as of `scale_found`, contradicts the stated pixel sizes by more than 3 %."""
    return max(scale, 1 / scale if scale else math.inf) > 1 + _SCALE_LIMIT


def size_message(name: str, scale: float, moving: tuple[str, Geometry], fixed: tuple[str, Geometry]) -> Message | None:
    """The warning that a scale contradicts the stated pixel sizes by more than 3 %; None where it does not.

    Parameters
    ----------
    name : str
        Of the pair or the visit.
    scale : float
        As of `scale_found`.
    moving, fixed : (str, Geometry)
        Name of the file and its geometry.
    """
    if not contradicts(scale):
        return None
    sizes = " and ".join(f"{micrometres_text(geometry)} um of {file}" for file, geometry in (moving, fixed))
    return Message(
        f"{name}: registration contradicts the pixel sizes of {sizes}: by them, the same tissue is {scale:.3f} times as large"
        " in the first image as in the second. Check the pixel sizes.",
        "warning",
    )


def micrometres_text(geometry: Geometry) -> str:
    """The size of a pixel in micrometres: one number if it is square."""
    rows, columns = (1000 * step for step in geometry.spacing)
    return f"{columns:.4g}" if math.isclose(rows, columns, rel_tol=1e-3) else f"{columns:.4g} x {rows:.4g}"
