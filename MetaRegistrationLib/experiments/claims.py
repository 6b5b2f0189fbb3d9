"""What the paper claims in words: how long Fine-tune needs to reach Ours at the quick row, and when each converges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .. import calibration
from .measures import WATCHED_DISTANCE, WATCHED_NCC, WATCHED_PAIRS
from .plan import Setting

WINDOW = 5
"""Measurements in a running mean: each and the ones before it, fewer at the start."""
TOLERANCE = calibration.CONVERGED.value
CURVES = {
    "distance": (f"validation_{WATCHED_DISTANCE}", -1),
    "NCC": (f"validation_{WATCHED_NCC}", 1),
    "training loss": ("train_loss", -1),
}
"""Columns of a training's log, and whether more (1) or less (-1) is better."""
PAPER_REACHED = {"distance": "more than 500", "NCC": "1500", "training loss": "-"}
PAPER_CONVERGED = {"fine_tune": "about 1500", "ours": "about 600"}

Log = Sequence[dict[str, float]]


@dataclass(frozen=True)
class Claim:
    """Epochs read from one curve of a setting; None where it did not happen within `epochs`, those that were run.

    Attributes
    ----------
    curve : str
        One of `CURVES`.
    quick_epochs : int
        Epochs of the quick row.
    quick_value : float
        What Ours had come to there.
    reached : float or None
        Epoch at which Fine-tune's running mean has come so far, too.
    fine_tune_converged, ours_converged : float or None
        First epoch at which the running mean is within 2 percent of the best one.
    epochs : float
        Epochs that both have run.
    watched_pairs : int
        Test pairs that distance and NCC are means of.
    """

    setting: Setting
    curve: str
    quick_epochs: int
    quick_value: float
    reached: float | None
    fine_tune_converged: float | None
    ours_converged: float | None
    epochs: float
    watched_pairs: int


def curve(log: Log, column: str, *, until: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
    """Epochs and values of a column of a log, where it has values."""
    points = [(line["epoch"], line[column]) for line in log if column in line and line["epoch"] <= until]
    epochs, values = np.array(points, dtype=np.float64).reshape(-1, 2).T
    return epochs, values


def running_mean(values: np.ndarray, window: int = WINDOW) -> np.ndarray:
    """Mean of each value and the `window` - 1 before it, or as many as there are."""
    return np.array([values[max(0, end - window) : end].mean() for end in range(1, len(values) + 1)])


def first_reached(epochs: np.ndarray, values: np.ndarray, target: float, better: int) -> float | None:
    """First epoch at which the running mean is as good as `target`."""
    good = better * running_mean(values) >= better * target
    return float(epochs[np.argmax(good)]) if good.any() else None


def converged(epochs: np.ndarray, values: np.ndarray, better: int) -> float | None:
    """First epoch at which the running mean is within 2 percent of the best one; None for fewer than two values."""
    if len(values) < 2:
        return None
    means = better * running_mean(values)
    return float(epochs[np.argmax(means >= means.max() - TOLERANCE * abs(means.max()))])


def claims(setting: Setting, fine_tune: Log, ours: Log, quick_epochs: int) -> list[Claim]:
    """Claims of a setting from the logs of its two trainings; none before Ours has come to the quick row."""
    found = []
    for name, (column, better) in CURVES.items():
        until = min((log[-1]["epoch"] if log else 0.0) for log in (fine_tune, ours))
        epochs, values = curve(ours, column, until=until)
        other_epochs, other_values = curve(fine_tune, column, until=until)
        if quick_epochs not in epochs or not len(other_values):
            continue
        quick_value = float(values[np.flatnonzero(epochs == quick_epochs)[0]])
        found.append(
            Claim(
                setting,
                name,
                quick_epochs,
                quick_value,
                first_reached(other_epochs, other_values, quick_value, better),
                converged(other_epochs, other_values, better),
                converged(epochs, values, better),
                until,
                int(ours[-1].get(f"validation_{WATCHED_PAIRS}", 0)),
            )
        )
    return found
