"""A pair that was loaded becomes the chosen one."""

from __future__ import annotations

from typing import Any

from ..mrml.pixel_followers import Side


def choose_pair(parameters: Any, pair: Any) -> None:
    """Choose the nodes of a pair, and with them what belongs to them.

    Parameters
    ----------
    parameters : parameter node
    pair : LoadedPair or SamplePair
        Masks and results are those that it has.
    """
    if parameters.movingVolume is not pair.moving or parameters.fixedVolume is not pair.fixed:
        # Outputs of another pair must not be overwritten by this one's; those of this pair come back.
        parameters.transform, parameters.warpedVolume = _of(pair, "transform"), _of(pair, "warped")
        parameters.distanceTable = _of(pair, "table")
        # Neither must a mask of another pair be used for this one.
        parameters.movingMask, parameters.fixedMask = _of(pair, "moving_mask"), _of(pair, "fixed_mask")
    parameters.movingVolume, parameters.fixedVolume = pair.moving, pair.fixed
    parameters.movingSlice = parameters.fixedSlice = 0
    parameters.movingPoints, parameters.fixedPoints = pair.moving_points, pair.fixed_points


def sides_of(parameters: Any) -> tuple[Side, Side]:
    """The chosen moving and fixed volume with their points and masks."""
    moving = Side(parameters.movingVolume, parameters.movingPoints, parameters.movingMask)
    return moving, Side(parameters.fixedVolume, parameters.fixedPoints, parameters.fixedMask)


def _of(pair: Any, name: str) -> Any:
    return getattr(pair, name, None)
