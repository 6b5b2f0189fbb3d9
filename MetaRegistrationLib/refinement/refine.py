"""Refinement of a displacement on its own pair of images."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.spatial import check_displacement, compose, jacobian_determinant
from .objective import Objective
from .search import ascend
from .settings import RefinementSettings
from .smoothing import smooth_start

_DEFAULTS = RefinementSettings()


@dataclass(frozen=True, eq=False)
class Refinement:
    """A refined displacement.

    Attributes
    ----------
    displacement_px : float32 Tensor (1, 2, H, W)
        The total field: the start itself where nothing better was found.
    steps : int
        Optimisation steps taken.
    measure_before, measure_after : float
        The measure that decided, of the start and of `displacement_px`: see `refine`. Never lower after than before.
    seconds : float
    settings : RefinementSettings
        Those that it was made with.
    """

    displacement_px: Tensor
    steps: int
    measure_before: float
    measure_after: float
    seconds: float
    settings: RefinementSettings = _DEFAULTS

    def to_dict(self) -> dict:
        """Plain values, for a record; without the field."""
        values = {name: value for name, value in vars(self).items() if name != "displacement_px"}
        return {**values, "settings": self.settings.to_dict()}


def refine(
    moving: Tensor,
    fixed: Tensor,
    displacement_px: Tensor,
    settings: RefinementSettings = _DEFAULTS,
    *,
    inside_moving: Tensor | None = None,
    inside_fixed: Tensor | None = None,
) -> Refinement:
    """Improve a field on its own pair of images by gradient ascent; the result is never worse by the measure below.

    Parameters
    ----------
    moving, fixed : Tensor (1, 1, H, W)
        Images in [0, 1]; `moving` as it is, not warped.
    displacement_px : Tensor (1, 2, H, W)
        The field to start from.
    settings : RefinementSettings
    inside_moving, inside_fixed : bool Tensor (1, 1, H, W), optional
        Tissue masks; every pixel by default. Pixels outside have no influence on the field.

    Returns
    -------
    Refinement

    Raises
    ------
    ValueError
        Shapes that do not fit.

    Notes
    -----
    The start u is smoothed first (`smooth_start`) to a base b: a network's field carries ripples that follow the noise of
    the images. What is added to the base is a displacement c of cubic B-splines (`SplineGrid`). It is *composed* with it:
    the result is ``c(x) + b(x + c(x))``, so that the moving image is warped by the base once, and then only by c.

    The measure of b with c is their local cross-correlation over the region where the base finds both images defined, less
    `smoothness_weight` times the roughness of c; that of the start has the roughness of ``u - b`` in its place. The best c
    of all steps is used. Its composed field is then measured again, from the moving image itself: it is taken when that is
    above the start's measure and when it folds in no more pixels than the start. Otherwise half of c is tried, then a
    quarter, then the start stays.

    It may be called in `torch.inference_mode`; nothing is random.
    """
    began = time.perf_counter()
    _check(moving, fixed, displacement_px)
    with torch.inference_mode(False), torch.no_grad():
        # Clones: tensors made in inference mode cannot take part in a gradient.
        moving, fixed, start = (tensor.detach().clone().float() for tensor in (moving, fixed, displacement_px))
        base = smooth_start(start, settings.start_blur_px, settings.keep_px)
        objective = Objective(moving, fixed, base, settings, inside_moving=inside_moving, inside_fixed=inside_fixed)
        before = objective.of_start(start)
        steps, levels, added = 0, objective.grid.zeros(), None
        for stage in settings.passes():
            seen = objective if stage.shrink == settings.shrink else objective.coarser(stage)
            taken, levels = ascend(seen, stage, levels)
            steps, added = steps + taken, objective.grid.total(levels)
        after, field = before, start
        for candidate in () if added is None else (added, added / 2, added / 4):
            found = compose(base, objective.displacement(candidate))
            measure = objective.of_field(found, candidate)
            if measure > before + settings.least_gain and _folds(found) <= _folds(start):
                after, field = measure, found
                break
    return Refinement(field, steps, before, after, time.perf_counter() - began, settings)


def _check(moving: Tensor, fixed: Tensor, displacement_px: Tensor) -> None:
    check_displacement(displacement_px, "refine")
    expected = (1, 1, *displacement_px.shape[-2:])
    if len(displacement_px) != 1 or moving.shape != expected or fixed.shape != expected:
        raise ValueError(
            "refine: expected one pair of images (1, 1, H, W) and a displacement (1, 2, H, W), got "
            f"{tuple(moving.shape)}, {tuple(fixed.shape)} and {tuple(displacement_px.shape)}"
        )


def _folds(displacement_px: Tensor) -> int:
    return int((jacobian_determinant(displacement_px) <= 0).sum())
