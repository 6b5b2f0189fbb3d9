"""Sums over square windows, again and again on maps of one size, in memory that is taken once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


class BoxSums:
    """`core.losses.box_sum` of several maps, without new memory at each call: most of the time goes into that.

    Parameters
    ----------
    maps : int
    size : (int, int)
        Rows and columns of a map.
    window : int
        Side of the square window, odd.
    like : Tensor
        Of the device and type of the maps.
    at_once : bool
        Sum all maps at once, in fewer kernels of a GPU. A CPU is faster with one map after the other, which stays in its cache.
    """

    def __init__(self, maps: int, size: tuple[int, int], window: int, *, like: Tensor, at_once: bool):
        rows, columns = size
        half = window // 2
        together = maps if at_once else 1
        zeros, empty = like.new_zeros, like.new_empty
        self._maps, self._together = maps, together
        self._padded = zeros(together, rows, columns + 2 * half)
        self._map = self._padded[..., half : half + columns]
        self._summed = zeros(together, rows + 2 * half, columns)
        self._middle = self._summed[:, half : half + rows]
        lost = [2**k - 1 for k in range(1, window.bit_length())]  # a sum of 2^k columns has as many fewer of them
        along_columns = [empty(together, rows, columns + 2 * half - less) for less in lost]
        along_rows = [empty(together, rows + 2 * half - less, columns) for less in lost]
        self._along_columns = _Sum(self._padded, along_columns, -1, columns, window)
        self._along_rows = _Sum(self._summed, along_rows, -2, rows, window)

    def __call__(self, fills: Sequence[Callable[..., object]], out: Tensor) -> None:
        """Write the sums of maps into `out` (maps, rows, columns); each of `fills` writes a map into its argument `out`."""
        for first in range(0, self._maps, self._together):
            for place, fill in zip(self._map, fills[first : first + self._together], strict=True):
                fill(out=place)
            self._along_columns(self._middle)
            self._along_rows(out[first : first + self._together])


class _Sum:
    """The sum of a window's neighbours along an axis: of 1, 2, 4 ... of them, those that make up the window.

    All views are made once: to make one takes as long as to add a small map.
    """

    def __init__(self, padded: Tensor, doubled: Sequence[Tensor], axis: int, length: int, window: int):
        self._doublings: list[tuple[Tensor, Tensor, Tensor]] = []
        self._parts: list[Tensor] = []
        taken, width = 0, 1
        for wider in [*doubled, None]:
            if window & width:
                self._parts.append(padded.narrow(axis, taken, length))
                taken += width
            if wider is not None:
                rest = padded.shape[axis] - width
                self._doublings.append((padded.narrow(axis, 0, rest), padded.narrow(axis, width, rest), wider))
                padded, width = wider, 2 * width

    def __call__(self, out: Tensor) -> None:
        for first, second, wider in self._doublings:
            torch.add(first, second, out=wider)
        torch.add(self._parts[0], self._parts[1], out=out)
        for part in self._parts[2:]:
            out.add_(part)
