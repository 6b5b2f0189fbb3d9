"""Local cross-correlation over the region where both images are defined, with its gradient written out."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from ..core.losses import box_sum

_LEAST_DEFINED = 0.5


class LocalCorrelation:
    """`losses.local_cross_correlation` against one fixed image, over its defined part.

    Sums, means and variances of a window count its defined pixels alone, so that neither the border of the grid nor a region
    outside the moving image pulls at the field. The mean is taken over windows at least half of which is defined; flat
    windows count as uncorrelated. Where all is defined and away from the border it is the same number.

    Parameters
    ----------
    fixed : Tensor (1, 1, H, W)
    defined : Tensor (1, 1, H, W)
        1 where both images are defined, else 0. It stays the same while the field changes, so that values compare.
    window : int
        Side of the square window, odd.
    epsilon : float
        As in `losses.local_cross_correlation`.
    """

    def __init__(self, fixed: Tensor, defined: Tensor, *, window: int = 9, epsilon: float = 1e-4):
        self.window, self.epsilon, self.defined = window, epsilon, defined
        self.fixed = fixed * defined
        self.count = box_sum(defined, window).clamp_min(1)
        total = box_sum(self.fixed, window)
        self.fixed_mean = total / self.count
        self.fixed_variance = box_sum(self.fixed * self.fixed, window) - total * self.fixed_mean
        counted = (self.count >= _LEAST_DEFINED * window * window) & (defined > 0)
        # Weight of each window in the mean, over the fixed image's part of the denominator.
        self.weight = counted * (self.fixed_variance > epsilon) / self.fixed_variance.clamp_min(epsilon)
        self.weight = self.weight / counted.sum().clamp_min(1)

    def __call__(self, warped: Tensor) -> Tensor:
        """Scalar in [0, 1]: the correlation with `warped` (1, 1, H, W); differentiable once."""
        return _Correlation.apply(warped, self)


class _Correlation(torch.autograd.Function):
    """The gradient costs three box sums more; autograd would take about three times as long."""

    @staticmethod
    def forward(ctx, warped: Tensor, against: LocalCorrelation) -> Tensor:
        window, fixed = against.window, against.fixed
        warped = warped * against.defined
        total, square_sum, product_sum = box_sum(torch.stack((warped, warped * warped, warped * fixed)), window)
        mean = total / against.count
        variance = square_sum - mean * total
        cross = product_sum - total * against.fixed_mean
        structured = variance > against.epsilon
        variance = variance.clamp_min(against.epsilon)
        by_cross = cross * against.weight * structured / variance  # half the derivative by `cross`
        value = cross * by_cross
        if ctx.needs_input_grad[0]:
            by_variance = value / variance  # minus the derivative by the variance
            sums = box_sum(
                torch.stack((by_cross, by_variance, by_variance * mean - by_cross * against.fixed_mean)), window
            )
            ctx.save_for_backward(2 * against.defined * (fixed * sums[0] - warped * sums[1] + sums[2]))
        return value.sum()

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        (by_warped,) = ctx.saved_tensors
        return gradient * by_warped, None
