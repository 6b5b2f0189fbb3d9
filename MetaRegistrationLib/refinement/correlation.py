"""Local cross-correlation over the region where both images are defined, with its gradient written out."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .box_sums import BoxSums

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
        self.window, self.epsilon, self.defined = window, epsilon, defined[0, 0]
        self.fixed = fixed[0, 0] * self.defined
        self.box = BoxSums(3, tuple(self.fixed.shape), window, like=self.fixed, at_once=self.fixed.is_cuda)
        self.sums, self.work = (self.fixed.new_empty(3, *self.fixed.shape) for _ in range(2))
        self.box(
            [partial(torch.mul, self.defined, by) for by in (self.defined, self.fixed)]
            + [partial(torch.mul, self.fixed, self.fixed)],
            self.sums,
        )
        count, total, square_sum = self.sums
        self.count = count.clamp_min(1)
        self.fixed_mean = total / self.count
        fixed_variance = square_sum - total * self.fixed_mean
        counted = (self.count >= _LEAST_DEFINED * window * window) & (self.defined > 0)
        # Weight of each window in the mean, over the fixed image's part of the denominator.
        weight = counted * (fixed_variance > epsilon) / fixed_variance.clamp_min(epsilon)
        self.weight = weight / counted.sum().clamp_min(1)

    def __call__(self, warped: Tensor) -> Tensor:
        """Scalar in [0, 1]: the correlation with `warped` (1, 1, H, W); differentiable once."""
        return _Correlation.apply(warped, self)


class _Correlation(torch.autograd.Function):
    """The gradient costs three box sums more; autograd would take about three times as long.

    All is computed in the memory of `LocalCorrelation`: taking new memory for each map costs more than the arithmetic.
    """

    @staticmethod
    def forward(ctx, image: Tensor, against: LocalCorrelation) -> Tensor:
        fixed, box, (warped, mean, by_variance) = against.fixed, against.box, against.work
        torch.mul(image[0, 0], against.defined, out=warped)
        box([partial(torch.mul, warped, other) for other in (against.defined, warped, fixed)], against.sums)
        total, variance, cross = against.sums
        torch.div(total, against.count, out=mean)
        variance.addcmul_(mean, total, value=-1)
        cross.addcmul_(total, against.fixed_mean, value=-1)
        by_cross = torch.mul(against.weight, variance > against.epsilon, out=total)
        variance.clamp_min_(against.epsilon)
        by_cross.div_(variance).mul_(cross)  # half the derivative by `cross`
        value = cross.mul_(by_cross)
        result = value.sum()
        if ctx.needs_input_grad[0]:
            torch.div(value, variance, out=by_variance)  # minus the derivative by the variance
            mean.mul_(by_variance).addcmul_(by_cross, against.fixed_mean, value=-1)
            box([partial(_copy, part) for part in (by_cross, by_variance, mean)], against.sums)
            by_cross, by_variance, rest = against.sums
            gradient = torch.addcmul(rest, fixed, by_cross).addcmul_(warped, by_variance, value=-1)
            ctx.save_for_backward(gradient.mul_(against.defined).mul_(2)[None, None])
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, None]:
        (by_warped,) = ctx.saved_tensors
        return gradient * by_warped, None


def _copy(source: Tensor, *, out: Tensor) -> None:
    out.copy_(source)
