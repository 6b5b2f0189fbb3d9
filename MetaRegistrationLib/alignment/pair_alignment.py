"""The initial alignment of a pair by a search: from network grids to canvases in their right shapes, and back."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ..preparation import PreparedPair
from .affine import IDENTITY, to_frame
from .aligner import AlignmentContext
from .result import Alignment
from .search import Search

KINDS = ("none", "translation", "rigid", "affine")
"""The kinds of transform that can be searched for."""


class SearchedAlignment:
    """An `Aligner` that searches for the transform.

    Parameters
    ----------
    name : str
        One of `KINDS`.
    """

    needs_landmarks = False

    def __init__(self, name: str):
        self.name = name

    def __call__(self, pair: PreparedPair, context: AlignmentContext) -> Alignment:
        """See `align`."""
        moving, fixed = pair.moving, pair.fixed
        return align(
            moving.on_grid,
            fixed.on_grid,
            self.name,
            inside_moving=moving.inside,
            inside_fixed=fixed.inside,
            extent_moving=moving.extent,
            extent_fixed=fixed.extent,
            device=context.device,
            second_opinion=context.second_opinion,
        )


def align(
    moving: np.ndarray,
    fixed: np.ndarray,
    kind: str = "affine",
    *,
    inside_moving: np.ndarray | None = None,
    inside_fixed: np.ndarray | None = None,
    extent_moving: tuple[float, float] = (1.0, 1.0),
    extent_fixed: tuple[float, float] = (1.0, 1.0),
    device: torch.device | str = "cpu",
    second_opinion: Callable[[np.ndarray], float] | None = None,
) -> Alignment:
    """Find the global transform between two images of any contrasts.

    Directions of edges and ridges are compared (`structure`). All shifts that leave a fifth of the smaller image in common
    are tried, first under rotations of up to 8 degrees and scales from 0.9 to 1.1. If the result is not very confident, the
    rotations go up to 16 degrees and the scales from 0.8 to 1.25. If it is not confident then, edges and ridges
    are compared alone. If that is not enough, or if the details of a candidate do not coincide, all rotations and scales from 0.4
    to 2.5 are tried, and a mirror image of about the same scale, which is named and not applied. If blocks confirm no candidate,
    finer surveys give more, which are judged by all pixels together (`coincidence`).
    Agreeing blocks of the fixed image then refine the transform. An affine transform gets a quadratic term if the blocks
    need one (`quadratic`). If the images do not agree beyond chance, the result is the identity.

    Parameters
    ----------
    moving, fixed : float arrays (S, S)
        Images on network grids of one size; grey values of any range.
    kind : str
        One of `KINDS`.
    inside_moving, inside_fixed : bool arrays (S, S), optional
        Tissue masks; every pixel by default.
    extent_moving, extent_fixed : (float, float)
        Heights and widths that the network grids cover, relative to one another. An image that was stretched to its grid
        is compared in its right shape.
    device : torch.device or str
        Where search and refinement run.
    second_opinion : callable, optional
        ``second_opinion(matrix)`` gives the confidence, 0 to 1, in a matrix between grid positions, as in `Alignment`. If no
        affine transform makes enough blocks agree, it is called with the best candidates and with the identity: a network can
        recognise a pair in spite of a strong local deformation.

    Raises
    ------
    ValueError
        The kind is unknown, the images are not square or differ in size, or values are not finite.
    """
    began = time.perf_counter()
    _check(moving, fixed, kind, inside_moving, inside_fixed)
    # Apple's devices lack float64 and, in older versions, FFTs; the processor beside them is as fast here.
    device = torch.device("cpu") if torch.device(device).type == "mps" else torch.device(device)
    shapes = [np.asarray(extent, dtype=float) / max(extent) for extent in (extent_moving, extent_fixed)]
    canvases = [
        _canvas(frame, inside, shape, device)
        for frame, inside, shape in zip((moving, fixed), (inside_moving, inside_fixed), shapes, strict=True)
    ]

    def of_frames(matrix: np.ndarray) -> np.ndarray:
        return to_frame(np.diag(1 / shapes[0]) @ matrix @ np.diag([*shapes[1], 1.0]), len(fixed))

    opinion = None if second_opinion is None else lambda matrix: second_opinion(of_frames(matrix))
    found = Search(*canvases, kind, opinion).found()
    return Alignment(
        kind,
        kind if found.kept else "none",
        of_frames(found.matrix) if found.kept else IDENTITY,
        found.before,
        found.after,
        found.confidence,
        time.perf_counter() - began,
        found.reason,
        found.directions,
        None if found.bend is None else _bend_of_frames(found.bend, shapes, len(fixed)),
        tuple(of_frames(matrix) for matrix in found.rejected),
        found.pattern,
    )


def _bend_of_frames(bend: np.ndarray, shapes: list[np.ndarray], size: int) -> np.ndarray:
    """A bend between canvases, half a side being 1, as one of `Alignment`."""
    rows, columns = shapes[1]
    return size / 2 * bend * [rows * rows, rows * columns, columns * columns] / shapes[0][:, None]


def _canvas(frame: np.ndarray, inside: np.ndarray | None, shape: np.ndarray, device: torch.device) -> Tensor:
    """Values and weight (2, S, S) of an image in its right shape: (height, width), the greater one 1."""
    values = torch.as_tensor(np.array(frame, dtype=np.float32))
    weight = torch.ones_like(values) if inside is None else torch.as_tensor(np.array(inside, dtype=np.float32))
    stack = torch.stack((values * weight, weight))[None]
    size = values.shape[-1]
    sides = [max(round(size * float(part)), 16) for part in shape]
    if sides != [size, size]:
        small = interpolate(stack, size=tuple(sides), mode="bilinear", align_corners=False, antialias=True)
        stack = stack.new_zeros(1, 2, size, size)
        top, left = ((size - side) // 2 for side in sides)
        stack[..., top : top + sides[0], left : left + sides[1]] = small
    return stack[0].to(device)


def _check(moving, fixed, kind, inside_moving, inside_fixed) -> None:
    if kind not in KINDS:
        raise ValueError(f"align: expected a kind of {', '.join(KINDS)}, got {kind!r}")
    shape = np.shape(fixed)
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"align: expected square images, got {shape}")
    for name, array in (("moving", moving), ("inside_moving", inside_moving), ("inside_fixed", inside_fixed)):
        if array is not None and np.shape(array) != shape:
            raise ValueError(f"align: expected {name} of shape {shape} as the fixed image has, got {np.shape(array)}")
    for name, array in (("moving", moving), ("fixed", fixed)):
        if not np.isfinite(array).all():
            raise ValueError(f"align: expected finite values, got others in {name}")
