"""Windows on tensors, as products with blocks of banded matrices: a fraction of the arithmetic of whole matrices."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

_BLOCK = 32  # results along an axis that are computed at once: fewer are more calls, more are more zeros


class Band:
    """A square matrix that is zero away from its diagonal, multiplied with images along their axes.

    Parameters
    ----------
    matrix : Tensor (n, n)
    reach : int
        Columns beside the diagonal, on each side, beyond which all entries of a row are zero.
    """

    def __init__(self, matrix: Tensor, reach: int):
        extent = len(matrix)
        block = _BLOCK if matrix.device.type == "cpu" else extent  # a GPU waits for many small kernels
        self._parts = []
        for first in range(0, extent, block):
            seen = slice(max(first - reach, 0), min(first + block + reach, extent))
            rows = matrix[first : first + block, seen]
            self._parts.append((seen, rows.contiguous(), rows.T.contiguous()))

    def down(self, values: Tensor) -> Tensor:
        """The matrix times images (..., n, m)."""
        return torch.cat([rows @ values[..., seen, :] for seen, rows, _ in self._parts], dim=-2)

    def across(self, values: Tensor) -> Tensor:
        """Images (..., m, n) times the transposed matrix."""
        return torch.cat([values[..., seen] @ columns for seen, _, columns in self._parts], dim=-1)


def smoothed(values: Tensor, sigma: float, reach: int) -> Tensor:
    """Images (..., H, W) under a Gaussian window of `sigma` pixels that ends at `reach` pixels; edge values beyond the border."""
    return _under(values, _gaussian(sigma, reach), True)


def summed(values: Tensor, reach: int) -> Tensor:
    """Sums over squares of ``2 reach + 1`` pixels about each pixel of images (..., H, W); zeros beyond the border."""
    return _under(values, (1.0,) * (2 * reach + 1), False)


@lru_cache(maxsize=64)
def _gaussian(sigma: float, reach: int) -> tuple[float, ...]:
    window = torch.exp(-0.5 * (torch.arange(-reach, reach + 1).double() / sigma).square())
    return tuple((window / window.sum()).tolist())


def _under(values: Tensor, window: tuple[float, ...], edges: bool) -> Tensor:
    down, across = (_band(extent, window, edges, values.device, values.dtype) for extent in values.shape[-2:])
    return across.across(down.down(values))


@lru_cache(maxsize=256)  # a pair that is searched in all ranges needs 115
def _band(extent: int, window: tuple[float, ...], edges: bool, device: torch.device, dtype: torch.dtype) -> Band:
    """A window along an axis; what it has beyond the border belongs to the edge, or to nothing."""
    reach = len(window) // 2
    with torch.inference_mode(False):  # what is kept must serve outside of it too
        places = torch.arange(extent)[:, None] + torch.arange(-reach, reach + 1)
        weights = torch.tensor(window, dtype=torch.float64).expand(extent, -1)
        if not edges:
            weights = weights * ((places >= 0) & (places < extent))
        matrix = torch.zeros(extent, extent, dtype=torch.float64)
        matrix.scatter_add_(1, places.clamp(0, extent - 1), weights)
        return Band(matrix.to(device, dtype), reach)
