"""The unsupervised registration loss, Eq. (1) of the paper: local cross-correlation and smoothness, in float32."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .spatial import check_displacement, identity_grid, warp


class _BoxSum(torch.autograd.Function):
    """Sum over a window x window neighbourhood, zeros beyond the border.

    Sums are doubled (2, 4, 8 pixels ...) instead of convolved: a few additions a pixel for any window, and exact for
    constant windows. The operator equals its own adjoint, so the backward pass is the same function.
    """

    @staticmethod
    def forward(ctx, maps: Tensor, window: int) -> Tensor:
        ctx.window = window
        return _sum_along(_sum_along(maps, window, -1), window, -2)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        return _BoxSum.forward(ctx, gradient.contiguous(), ctx.window), None


def _sum_along(maps: Tensor, window: int, axis: int) -> Tensor:
    length = maps.shape[axis]
    half = window // 2
    doubled = functional.pad(maps, (half, half) if axis == -1 else (0, 0, half, half))
    width, total, taken = 1, None, 0
    while True:
        if window & width:  # this power of two is part of the window: add it behind what is already there
            part = doubled.narrow(axis, taken, length)
            if taken <= 1:
                total = part if total is None else total + part
            else:
                total.add_(part)  # it has memory of its own by now; new memory costs more than the sum
            taken += width
        if 2 * width > window:
            return total
        size = doubled.shape[axis] - width
        doubled = doubled.narrow(axis, 0, size) + doubled.narrow(axis, width, size)
        width *= 2


def box_sum(maps: Tensor, window: int) -> Tensor:
    """Sum of (..., H, W) over an odd `window` x `window` neighbourhood, zeros beyond the border."""
    if window < 1 or window % 2 == 0:
        raise ValueError(f"box_sum: expected an odd positive window, got {window}")
    return _BoxSum.apply(maps, window)


def local_cross_correlation(fixed: Tensor, warped: Tensor, *, window: int = 9, epsilon: float = 1e-4) -> Tensor:
    """Mean squared local correlation coefficient of two images, in [0, 1], float32.

    ``cross^2 / (var_fixed * var_warped)`` in every window, averaged over all pixels; zeros lie beyond the border.

    Parameters
    ----------
    fixed, warped : Tensor (B, 1, H, W)
    window : int
        Side of the square window, odd. The paper's is 9.
    epsilon : float
        Smallest sum of squared deviations in a window: a window below it, in either image, is flat and treated as
        uncorrelated. It lies above float32's rounding of these sums and below one grey level of 255 in eight pixels, so
        that constant, saturated and empty images give zeros and no gradient instead of correlated rounding errors.

    References
    ----------
    Balakrishnan et al., VoxelMorph, IEEE TMI 2019, Eq. (6).
    """
    if fixed.shape != warped.shape:
        raise ValueError(
            f"local_cross_correlation: expected images of one shape, got {tuple(fixed.shape)} and {tuple(warped.shape)}"
        )
    fixed, warped = fixed.float(), warped.float()
    volume = float(window * window)
    # Trainings need no gradient of the fixed image, and its sums are most of the work.
    with torch.set_grad_enabled(fixed.requires_grad and torch.is_grad_enabled()):
        fixed_sum, fixed_square_sum = box_sum(torch.stack((fixed, fixed * fixed)), window)
        fixed_variance = fixed_square_sum - fixed_sum * fixed_sum / volume
    warped_sum, warped_square_sum, product_sum = box_sum(torch.stack((warped, warped * warped, warped * fixed)), window)
    warped_variance = warped_square_sum - warped_sum * warped_sum / volume
    cross = product_sum - warped_sum * fixed_sum / volume
    structured = (fixed_variance > epsilon) & (warped_variance > epsilon)
    # The clamp keeps the unused branch finite: a NaN there would reach the gradient in spite of `where`.
    correlation = cross * cross / (fixed_variance.clamp_min(epsilon) * warped_variance.clamp_min(epsilon))
    return torch.where(structured, correlation, 0.0).mean()


def smoothness(displacement_px: Tensor) -> Tensor:
    """Mean squared forward difference of a displacement (B, 2, H, W), over components and directions.

    It is ``sum |grad u|^2`` of Eq. (1), per component, direction and pixel: VoxelMorph's normalisation. MONAI's
    `DiffusionLoss` adds the directions up and takes central differences: it is twice as large for smooth fields, and less for
    rough ones.
    """
    check_displacement(displacement_px, "smoothness")
    displacement_px = displacement_px.float()
    down = displacement_px[:, :, 1:] - displacement_px[:, :, :-1]
    right = displacement_px[..., 1:] - displacement_px[..., :-1]
    return (down.square().mean() + right.square().mean()) / 2


def displacement_error(displacement_px: Tensor, truth_px: Tensor, *, softening_px: float = 0.05) -> Tensor:
    """Mean distance in pixels between a displacement and the true one, both (B, 2, H, W).

    Only pixels within the moving image are used, because the images say nothing about the others. Pixels whose true displacement
    is NaN (unknown) are ignored too. Below `softening_px` the distance becomes its square, so that the gradient is finite if the
    two agree.
    """
    check_displacement(displacement_px, "displacement_error")
    height, width = truth_px.shape[-2:]
    known = truth_px.isfinite()
    truth_px = torch.where(known, truth_px, 0.0)
    rows, columns = (identity_grid(height, width, like=truth_px) + truth_px).unbind(1)
    inside = known.all(dim=1) & (rows >= 0) & (rows <= height - 1) & (columns >= 0) & (columns <= width - 1)
    squared = (displacement_px.float() - truth_px).square().sum(dim=1)
    distance = (squared + softening_px**2).sqrt() - softening_px
    return (distance * inside).sum() / inside.sum().clamp_min(1)


@dataclass(frozen=True)
class LossTerms:
    """Scalar tensors: ``total = -similarity + lambda * smoothness``, and what the supervision adds."""

    total: Tensor
    similarity: Tensor
    smoothness: Tensor


@dataclass(frozen=True)
class RegistrationLoss:
    """Eq. (1): ``-CC(F, M(phi)) + lambda * |grad phi|^2``.

    Attributes
    ----------
    smoothness_weight : float
        lambda, 1 in the paper.
    window : int
        Side of the correlation window in pixels, 9 in the paper.
    scales : int
        The correlation is averaged over this many resolutions, each half the one before. 1 is the paper's loss; more let
        the loss see displacements that are longer than its window.
    supervision_weight : float
        Where the true displacement is known (simulated pairs), this times the mean distance to it, in pixels, is added. 0 is
        the paper's loss.
    """

    smoothness_weight: float = 1.0
    window: int = 9
    scales: int = 1
    supervision_weight: float = 0.0

    def __call__(
        self, moving: Tensor, fixed: Tensor, displacement_px: Tensor, truth_px: Tensor | None = None
    ) -> LossTerms:
        """Terms of the loss for images (B, 1, H, W) and displacements (B, 2, H, W)."""
        displacement_px = displacement_px.float()
        similarity = self.similarity(fixed.float(), warp(moving.float(), displacement_px))
        roughness = smoothness(displacement_px)
        total = self.smoothness_weight * roughness - similarity
        if truth_px is not None and self.supervision_weight:
            total = total + self.supervision_weight * displacement_error(displacement_px, truth_px)
        return LossTerms(total, similarity, roughness)

    def similarity(self, fixed: Tensor, warped: Tensor) -> Tensor:
        """Local cross-correlation, averaged over the resolutions."""
        total = local_cross_correlation(fixed, warped, window=self.window)
        for _ in range(1, self.scales):
            fixed, warped = functional.avg_pool2d(fixed, 2), functional.avg_pool2d(warped, 2)
            total = total + local_cross_correlation(fixed, warped, window=self.window)
        return total / self.scales

    def to_dict(self) -> dict:
        """Plain values, for a checkpoint's history."""
        return asdict(self)
