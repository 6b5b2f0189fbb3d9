"""What follows an initial alignment: the aligned image, its points, and the field of both together.

An alignment has a transform A (a matrix, perhaps with a bend) from a position of the fixed network grid to one of the moving
grid. The aligned image is ``moving(A(x))``; a residual r, found on it, makes the total displacement ``u(x) = A(x + r(x)) - x``.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from .. import calibration
from ..core.borders import continued
from ..core.spatial import identity_grid, warp
from ..initial_kinds import NONE, needs_landmarks
from ..progress import Message
from ..stages import LEAST_CONFIDENCE
from .affine import IDENTITY
from .result import Alignment

_INVERSIONS = 30  # each brings a point nearer by the bend's slope, a tenth or so
_WHOLLY = 0.999  # of a pixel's weight, but for rounding
_HIDDEN = calibration.HIDDEN_REACH.value
_HIDDEN_SHARE = calibration.HIDDEN_SHARE.value


def aligned_image(image: np.ndarray, alignment: Alignment | None) -> np.ndarray:
    """``image(A(x))``, float32 (size, size): bilinear, zero outside; the image itself without an alignment."""
    if _is_identity(alignment):
        return image
    displacement = torch.from_numpy(alignment.displacement(image.shape[-1]))[None]
    return warp(torch.from_numpy(np.asarray(image, dtype=np.float32))[None, None], displacement)[0, 0].numpy()


def seen_by_network(
    moving: np.ndarray,
    fixed: np.ndarray,
    alignment: Alignment | None,
    border: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The aligned moving image and the fixed one, float32 (size, size), as a network gets them.

    Parameters
    ----------
    border : (bool array, bool array), optional
        Tissue masks of the moving and the fixed network grid, if the border of the pair is drawn (`borders.is_drawn`). Both
        images are continued beyond the tissue that both show. The network would otherwise see an edge at the same position
        in both images and leave the vessels beside it unchanged.
    """
    aligned = aligned_image(moving, alignment)
    if border is None:
        return aligned, fixed
    return continued((aligned, fixed), _shown_by_both(alignment, border))


def hides_tissue(residual_px: Tensor, alignment: Alignment | None, border: tuple[np.ndarray, np.ndarray]) -> bool:
    """Whether a residual (1, 2, size, size) finds common tissue well beyond what the alignment finds.

    Continuing the images would hide that tissue from the network. It happens if the alignment is many pixels off near the border.

    Parameters
    ----------
    border : (bool array, bool array)
        As of `seen_by_network`.
    """
    moving = torch.from_numpy(aligned_image(border[0].astype(np.float32), alignment))[None, None].to(residual_px)
    found = (warp(moving, residual_px)[0, 0] > _WHOLLY).cpu().numpy() & border[1]
    beyond = ndimage.distance_transform_edt(~_shown_by_both(alignment, border))[found]
    size = residual_px.shape[-1]
    return bool((beyond > _HIDDEN * size).sum() > _HIDDEN_SHARE * size * size)


def _shown_by_both(alignment: Alignment | None, border: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return (aligned_image(border[0].astype(np.float32), alignment) > _WHOLLY) & border[1]


def aligned_points(points: np.ndarray, alignment: Alignment | None, size: int) -> np.ndarray:
    """Points of the moving network grid of `size` pixels in the aligned one, (N, 2) in (row, column): the inverse of A."""
    if _is_identity(alignment):
        return points
    linear, shift = alignment.matrix[:, :2], alignment.matrix[:, 2]
    straight = (np.asarray(points) - shift).T
    found = np.linalg.solve(linear, straight)
    for _ in range(0 if alignment.bend is None else _INVERSIONS):
        found = np.linalg.solve(linear, straight - alignment.bent(found, size))
    return found.T


def total_displacement(alignment: Alignment | None, residual_px: Tensor) -> Tensor:
    """The exact ``A(x + r(x)) - x`` of a residual (1, 2, size, size); the residual itself without an alignment."""
    if _is_identity(alignment):
        return residual_px
    # A(x) - x is taken in double precision by the alignment: single precision would lose digits in A(x + r(x)).
    start = torch.from_numpy(alignment.displacement(residual_px.shape[-1])).to(residual_px)
    linear = torch.from_numpy(alignment.matrix[:, :2]).to(residual_px)
    total = start + torch.einsum("ij,bjhw->bihw", linear, residual_px)
    return total if alignment.bend is None else total + _bent_by_residual(alignment, residual_px)


def _bent_by_residual(alignment: Alignment, residual_px: Tensor) -> Tensor:
    """``B(x + r(x)) - B(x)`` of the bend B, from the slopes of its terms."""
    size = residual_px.shape[-1]
    rows, columns = ((identity_grid(size, size, like=residual_px) + 0.5) * (2 / size) - 1)[0]
    down, right = (residual_px * (2 / size)).unbind(1)
    terms = (down * (2 * rows + down), rows * right + columns * down + down * right, right * (2 * columns + right))
    return torch.einsum("ik,bkhw->bihw", torch.from_numpy(alignment.bend).to(residual_px), torch.stack(terms, dim=1))


def alignment_message(pair: str, alignment: Alignment | None) -> Message | None:
    """The message about the alignment of `pair` if a simpler one than was asked for was used, or a pattern was left out."""
    if alignment is not None and alignment.pattern and not alignment.reason:
        return Message(
            f"{pair}: a pattern lies at the same pixels of both images, as of a camera or a lens. It was left out of the"
            " alignment. The network and the refinement, which would follow it, were not used. Check the overlay.",
            "warning",
        )
    if alignment is None or not alignment.reason:
        return None
    used = "images left unchanged" if alignment.kind == "none" else f"{alignment.kind} used"
    if alignment.confidence < LEAST_CONFIDENCE:
        return Message(f"initial alignment of {pair} is not confident ({alignment.reason}): {used}", "warning")
    return Message(f"initial alignment of {pair}: {used} ({alignment.reason})")


def other_initial_message(adapted: str | None, used: str) -> Message | None:
    """The message if a checkpoint was adapted with another initial alignment than the one in use, else None.

    Parameters
    ----------
    adapted : str or None
        `adapted_initial`; None if unknown.
    used : str
    """
    if adapted is None or adapted == used or (needs_landmarks(used) and adapted != NONE):
        return None
    return Message(
        f"the checkpoint was adapted with the initial alignment {adapted!r} and is used with {used!r}. The result may be less"
        f" accurate. Use {adapted!r}, or adapt it again.",
        "warning",
    )


def _is_identity(alignment: Alignment | None) -> bool:
    return alignment is None or (alignment.bend is None and np.array_equal(alignment.matrix, IDENTITY))
