"""How long a fine-tuning will take, from earlier runs on the same kind of device."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from .store import LOG, CheckpointStore

# Seconds a step (one pair of 400 x 400, batch 1) before there is a run to go by. CPU: measured on two cores with the default
# network. GPU: not measured, a cautious guess.
DEFAULT_STEP_SECONDS = {"cpu": 0.13, "gpu": 0.02}
# Starting Python, importing torch, reading and aligning the pairs.
START_SECONDS = 5.0


@dataclass(frozen=True)
class Estimate:
    """Time of a run.

    Attributes
    ----------
    seconds : float
        From start to end.
    seconds_per_step : float
    measured : bool
        Whether it comes from an earlier run here, and not from a default.
    """

    seconds: float
    seconds_per_step: float
    measured: bool


def estimate(epochs: int, pairs: int, device: str, store: CheckpointStore | None = None) -> Estimate:
    """Time for `epochs` passes over `pairs` pairs.

    Parameters
    ----------
    epochs, pairs : int
        `pairs` are those trained on; of ten and more, a tenth is held out.
    device : str
        A name of a device, also one from a record: what begins with "cpu" is a CPU, anything else a GPU.
    store : CheckpointStore, optional
        Where earlier runs are searched.
    """
    measured = None if store is None else measured_step_seconds(store, device)
    step = DEFAULT_STEP_SECONDS[device_kind(device)] if measured is None else measured
    return Estimate(START_SECONDS + epochs * pairs * step, step, measured is not None)


def measured_step_seconds(store: CheckpointStore, device: str) -> float | None:
    """Seconds a step of the newest run in the store on this kind of device; None when there is none."""
    runs = [store.describe(name) for name in store.names()]
    same = [run for run in runs if run["device"] and device_kind(run["device"]) == device_kind(device)]
    for run in sorted(same, key=lambda run: str(run["date"]), reverse=True):
        seconds = run["seconds_per_step"] or _logged_step_seconds(store, run["name"])
        if isinstance(seconds, (int, float)) and seconds > 0:
            return float(seconds)
    return None


def device_kind(device: str) -> str:
    """cpu or gpu."""
    return "cpu" if device.lower().startswith("cpu") else "gpu"


def _logged_step_seconds(store: CheckpointStore, name: str) -> float | None:
    """From the last row of a run's log, which holds steps and seconds since its start."""
    try:
        with store.path(name).with_name(LOG).open(encoding="utf-8", newline="") as stream:
            last = list(csv.DictReader(stream))[-1]
        return float(last["seconds"]) / int(last["step"])
    except (OSError, ValueError, KeyError, IndexError, TypeError, ZeroDivisionError):
        return None
