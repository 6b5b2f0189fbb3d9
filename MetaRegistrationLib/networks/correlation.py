"""Local correlation of feature maps (the cost volume of optical flow)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from .precision import without_autocast

_BLOCK = 20
_FEW = 1  # a radius up to which a product for every shift is faster than those of blocks


def local_correlation(fixed: Tensor, moving: Tensor, radius: int, *, epsilon: float = 1e-4) -> Tensor:
    """Cosine of the angle between a fixed feature vector and the moving ones around it, each less its image's mean.

    Features that the whole image shares (they are all of one sign, mostly) would make every angle small: without the mean, a
    network trains several times faster.

    Parameters
    ----------
    fixed, moving : Tensor (B, C, H, W)
    radius : int
        All shifts within so many rows and columns; beyond the border the moving features are zero.
    epsilon : float
        Added to the squared length of a feature vector, so that a blank image gives zero.

    Returns
    -------
    Tensor (B, (2 radius + 1)^2, H, W), float32
        In [-1, 1]; channels in the order of the shift's columns, then rows, from -radius up.

    References
    ----------
    Dosovitskiy et al., FlowNet, ICCV 2015, Eq. (1).
    """
    with without_autocast(fixed.device.type):
        fixed, moving = _unit(fixed, epsilon), _unit(moving, epsilon)
        trained = torch.is_grad_enabled() and (fixed.requires_grad or moving.requires_grad)
        if radius <= _FEW and fixed.device.type == "cpu" and not trained:
            return _by_shifts(fixed, moving, radius)
        return _Correlation.apply(fixed, moving, radius)


def _unit(features: Tensor, epsilon: float) -> Tensor:
    features = features.float()
    features = features - features.mean(dim=(2, 3), keepdim=True)
    return features * (features.square().sum(dim=1, keepdim=True) + epsilon).rsqrt()


def _by_shifts(fixed: Tensor, moving: Tensor, radius: int) -> Tensor:
    """Inner products of (B, C, H, W) with the shifted (B, C, H, W), one shift after the other, without a gradient."""
    fixed, moving = torch.broadcast_tensors(fixed, moving)
    height, width = fixed.shape[-2:]
    span = 2 * radius + 1
    moving = functional.pad(moving, (radius,) * 4)
    found, product = fixed.new_empty(len(fixed), span * span, height, width), fixed.new_empty(fixed.shape)
    for number in range(span * span):
        column, row = divmod(number, span)
        torch.mul(fixed, moving[..., row : row + height, column : column + width], out=product)
        torch.sum(product, dim=1, out=found[:, number])
    return found


class _Correlation(torch.autograd.Function):
    """Inner products of (B, C, H, W) with the shifted (B, C, H, W), as a few matrix products.

    A row of the fixed features is taken in blocks of pixels; a block times all moving features that any of its pixels may
    see is one matrix product, of which each pixel keeps a band. Much faster on a CPU than a product for every shift.
    """

    @staticmethod
    def forward(ctx, fixed: Tensor, moving: Tensor, radius: int) -> Tensor:
        blocks, around = _blocks(fixed), _surroundings(moving, radius)
        ctx.save_for_backward(blocks, around)
        ctx.radius, ctx.width = radius, fixed.shape[-1]
        span = 2 * radius + 1
        bands = _bands(blocks @ around.transpose(-1, -2), span)  # (B, H, blocks, BLOCK, span^2)
        return bands.flatten(2, 3)[:, :, : fixed.shape[-1]].permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        blocks, around = ctx.saved_tensors
        products = _from_bands(_blocks(gradient), 2 * ctx.radius + 1)
        of_fixed = (products @ around).flatten(2, 3)[:, :, : ctx.width].permute(0, 3, 1, 2)
        of_moving = _put_back(products.transpose(-1, -2) @ blocks, ctx.radius, ctx.width)
        return of_fixed, of_moving, None


def _blocks(features: Tensor) -> Tensor:
    """(B, C, H, W) as (B, H, blocks, BLOCK, C), zeros behind the last column."""
    features = functional.pad(features.permute(0, 2, 3, 1), (0, 0, 0, -features.shape[-1] % _BLOCK))
    return features.unflatten(2, (-1, _BLOCK)).contiguous()


def _surroundings(features: Tensor, radius: int) -> Tensor:
    """What the pixels of a block may see: (B, H, blocks, (BLOCK + 2 radius) * span, C), columns before rows."""
    beyond = radius + -features.shape[-1] % _BLOCK
    features = functional.pad(features.permute(0, 2, 3, 1), (0, 0, radius, beyond, radius, radius))
    windows = features.unfold(1, 2 * radius + 1, 1).unfold(2, _BLOCK + 2 * radius, _BLOCK)
    return windows.permute(0, 1, 2, 5, 4, 3).flatten(3, 4)


def _bands(products: Tensor, span: int) -> Tensor:
    """Of row i of matrices (..., BLOCK, (BLOCK + span - 1) * span), the span^2 columns from ``i * span`` on."""
    matrices = products.contiguous()
    length = matrices.shape[-1]
    steps = (*matrices.stride()[:-2], length + span, 1)  # longer rows: each begins where its band does
    return matrices.as_strided((*matrices.shape[:-1], span * span), steps)


def _from_bands(bands: Tensor, span: int) -> Tensor:
    """Adjoint of `_bands`."""
    longer = functional.pad(bands, (0, (_BLOCK + span) * span - span * span))
    return longer.flatten(-2)[..., : -_BLOCK * span].unflatten(-1, (_BLOCK, -1))


def _put_back(windows: Tensor, radius: int, width: int) -> Tensor:
    """Adjoint of `_surroundings`: sums (B, C, H, W) of the windows' values."""
    span, (batch, height, blocks) = 2 * radius + 1, windows.shape[:3]
    windows = windows.unflatten(3, (-1, span))
    total = windows.new_zeros(batch, height + 2 * radius, blocks * _BLOCK + 2 * radius, windows.shape[-1])
    for shift in range(span):
        rows, window = total[:, shift : shift + height], windows[:, :, :, :, shift]
        rows[:, :, : blocks * _BLOCK] += window[:, :, :, :_BLOCK].flatten(2, 3)
        # What reaches beyond a block lies in the first columns of the next one.
        after = rows[:, :, _BLOCK:].unfold(2, 2 * radius, _BLOCK) if radius else None
        if after is not None:
            after += window[:, :, :, _BLOCK:].transpose(3, 4)
    return total[:, radius : radius + height, radius : radius + width].permute(0, 3, 1, 2)
