"""The stages of a registration as objects. Each computes a field; `acceptance` chooses the result."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ..alignment import Alignment
from ..alignment.aligned_pair import AlignedPair
from ..alignment.aligner import AlignmentContext
from ..alignment.registry import aligner
from ..core.borders import continued
from ..core.spatial import compose, warp
from ..preparation import PreparedPair
from ..refinement import Refinement, RefinementSettings, refine
from ..training.devices import as_batch

_WHOLLY = 0.999  # of a pixel's weight, but for rounding
Landmarks = tuple[np.ndarray, np.ndarray]
Opinion = Callable[[np.ndarray], float]


class InitialStep:
    """The initial alignment.

    Parameters
    ----------
    kind : str
        A declared kind (`initial_kinds`).
    device : torch.device
    """

    name = "initial"

    def __init__(self, kind: str, device: torch.device):
        self._aligner, self._device = aligner(kind), device

    def __call__(self, pair: PreparedPair, landmarks: Landmarks | None, opinion: Opinion | None) -> Alignment:
        """Align a pair; the arguments are as of `AlignmentContext`."""
        return self._aligner(pair, AlignmentContext(self._device, opinion, landmarks))


class NetworkStep:
    """The network after an alignment.

    Parameters
    ----------
    network : callable
        ``network(moving, fixed) -> displacement_px`` on tensors (1, 1, size, size) and (1, 2, size, size) of `device`.
    device : torch.device
    """

    name = "network"

    def __init__(self, network: Callable[[Tensor, Tensor], Tensor], device: torch.device):
        self._network, self._device = network, device

    @torch.no_grad()
    def __call__(self, pair: AlignedPair) -> Tensor:
        """The displacement (1, 2, size, size) of alignment and network together.

        If the border is drawn, the network sees both images continued, unless that would hide tissue.
        """
        found = self._residual(pair, continued=False)
        if pair.drawn_border and not pair.hides_tissue(found):
            found = self._residual(pair, continued=True)
        return pair.total(found)

    @torch.no_grad()
    def again(self, pair: AlignedPair, displacement_px: Tensor) -> Tensor:
        """The displacement (1, 2, size, size) of `displacement_px` and, on the image that it warps, the network together.

        If the border is drawn, the network sees both images continued.
        """
        moving, inside = (
            as_batch([image], self._device) for image in (pair.moving, pair.inside_moving.astype(np.float32))
        )
        warped, fixed = warp(moving, displacement_px), as_batch([pair.fixed], self._device)
        if pair.drawn_border:
            shown = (warp(inside, displacement_px)[0, 0] > _WHOLLY).cpu().numpy() & pair.inside_fixed
            images = continued((warped[0, 0].cpu().numpy(), pair.fixed), shown)
            warped, fixed = (as_batch([image], self._device) for image in images)
        return compose(displacement_px, self._network(warped, fixed).float())

    def _residual(self, pair: AlignedPair, *, continued: bool) -> Tensor:
        images = pair.network_images(continued=continued)
        return self._network(*(as_batch([image], self._device) for image in images)).float()


class RefinementStep:
    """The refinement on the pair itself.

    Parameters
    ----------
    steps : int
        At most.
    device : torch.device
    """

    name = "refine"

    def __init__(self, steps: int, device: torch.device):
        self._settings, self._device = RefinementSettings(steps=steps), device

    def __call__(self, pair: AlignedPair, displacement_px: Tensor) -> Refinement:
        """Refine a displacement (1, 2, size, size)."""
        masks = {"inside_moving": pair.inside_moving, "inside_fixed": pair.inside_fixed}
        images = (as_batch([image], self._device) for image in (pair.moving, pair.fixed))
        return refine(
            *images, displacement_px, self._settings, **{name: self._mask(mask) for name, mask in masks.items()}
        )

    def _mask(self, inside: np.ndarray) -> Tensor:
        return torch.from_numpy(inside)[None, None].to(self._device)
