"""The module's own test inside Slicer."""

from __future__ import annotations

from typing import Any

from ..pairs.folders import find_pairs
from ..resources import default_checkpoint, sample_pairs
from .requests import PairRequest


def mean_distances(logic: Any) -> tuple[float, float]:
    """Mean landmark distance of the first sample pair before and after its registration, px.

    Parameters
    ----------
    logic : MetaRegistrationLogic
    """
    pair = logic.pairs.load(find_pairs(sample_pairs(), check=False).pairs[0])
    result = logic.register.register(
        PairRequest(pair.moving, pair.fixed, 0, 0, default_checkpoint(), "cpu", moving_points=pair.moving_points)
    )
    parameters = logic.getParameterNode()
    parameters.movingVolume, parameters.fixedVolume = pair.moving, pair.fixed
    parameters.movingPoints, parameters.fixedPoints = pair.moving_points, pair.fixed_points
    parameters.transform = result.transform
    rows, _registered = logic.landmarks.distances(parameters)
    return sum(row.before_px for row in rows) / len(rows), sum(row.after_px for row in rows) / len(rows)
