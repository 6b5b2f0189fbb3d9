"""What is said of a registered pair in tables and records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ..alignment.aligned import alignment_message
from ..formats.landmarks import Landmarks
from ..frames.metrics import landmark_distances
from .registrar import Registration

SUMMARISED = ("distance_before_px", "distance_after_px", "ncc_before", "ncc_after", "folding_percent", "seconds")


@dataclass(frozen=True)
class PairMeasures:
    """One row of `metrics.csv`; NaN where a pair has no landmarks or no known pixel size.

    Distances are means over the pair's landmarks: `_px` in pixels of the network's frame (400 x 400 in the paper),
    `_native_px` in pixels of the fixed image, `_um` in micrometres. `not_converged` counts landmarks whose inverse was not
    found to tolerance (their best position counts in the mean). `initial` is the kind of initial alignment that was kept,
    `confidence` how sure it is, from 0 to 1. `kept` is the stage whose field was kept ("none": nothing was moved), `warning` what
    the user should know before using the result.
    """

    pair: str
    distance_before_px: float
    distance_after_px: float
    ncc_before: float
    ncc_after: float
    folding_percent: float
    seconds: float
    landmarks: int
    not_converged: int
    distance_before_native_px: float
    distance_after_native_px: float
    distance_before_um: float
    distance_after_um: float
    gradient_magnitude: float
    initial: str = "none"
    confidence: float = math.nan
    kept: str = ""
    warning: str = ""


@dataclass(frozen=True, eq=False)
class CarriedLandmarks:
    """Landmarks of a pair before and after; all but `moving` in pixels of the fixed image.

    `fixed` is None when the counterpart is not known.
    """

    moving: Landmarks
    unmoved: Landmarks
    carried: Landmarks
    converged: np.ndarray
    fixed: Landmarks | None


def carry_landmarks(registration: Registration, moving: Landmarks, fixed: Landmarks | None) -> CarriedLandmarks:
    """Carry the moving landmarks into the fixed image."""
    carried, converged = registration.carry(moving)
    return CarriedLandmarks(moving, registration.unmoved(moving), carried, converged, fixed)


def measure(name: str, registration: Registration, landmarks: CarriedLandmarks | None) -> PairMeasures:
    """All measures of one registered pair."""
    known = landmarks if landmarks is not None and landmarks.fixed is not None else None
    geometry, alignment = registration.fixed.geometry, registration.alignment
    message = alignment_message(name, alignment)
    units = {
        "px": 1 / np.asarray(registration.fixed_frame.scale),
        "native_px": np.ones(2),
        "um": np.asarray(geometry.spacing) * (1000 if geometry.spacing_known else math.nan),
    }
    distances = {}
    for unit, factor in units.items():
        for moment, points in (("before", known and known.unmoved), ("after", known and known.carried)):
            distances[f"distance_{moment}_{unit}"] = (
                float(landmark_distances(points.points * factor, known.fixed.points * factor).mean())
                if known
                else math.nan
            )
    return PairMeasures(
        pair=name,
        ncc_before=registration.ncc[0],
        ncc_after=registration.ncc[1],
        folding_percent=registration.folding_percent,
        seconds=registration.seconds,
        landmarks=len(known.carried) if known else 0,
        not_converged=int((~known.converged).sum()) if known else 0,
        gradient_magnitude=registration.gradient_magnitude,
        initial=alignment.kind if alignment else "none",
        confidence=alignment.confidence if alignment else math.nan,
        kept=registration.kept,
        warning=message.text if message and message.level == "warning" else "",
        **distances,
    )


def summary(rows: Sequence[PairMeasures]) -> dict:
    """Mean, standard deviation and median of each measure over pairs, and the share of pairs that got worse (percent).

    A pair got worse when its landmark distance grew by more than a thousandth of a pixel (the inverse's own precision);
    without landmarks it does not count.
    """
    result: dict = {"pairs": len(rows)}
    for key in SUMMARISED:
        values = np.array([getattr(row, key) for row in rows], dtype=float)
        values = values[np.isfinite(values)]
        result[key] = (
            {"mean": float(values.mean()), "std": float(values.std()), "median": float(np.median(values))}
            if values.size
            else None
        )
    judged = [row for row in rows if math.isfinite(row.distance_after_px)]
    worse = sum(row.distance_after_px > row.distance_before_px + 1e-3 for row in judged)
    result["pairs_with_landmarks"] = len(judged)
    result["made_worse_percent"] = 100 * worse / len(judged) if judged else None
    return result


def as_row(measures: PairMeasures) -> dict:
    """Columns of `metrics.csv`: NaN becomes an empty cell."""
    return {
        key: ""
        if isinstance(value, float) and math.isnan(value)
        else f"{value:.6g}"
        if isinstance(value, float)
        else value
        for key, value in asdict(measures).items()
    }
