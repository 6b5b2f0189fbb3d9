"""The small record beside a fine-tuned checkpoint, made from the events of the fine-tuning."""

from __future__ import annotations

import datetime

FIELDS = ("epochs", "pairs", "date", "device", "seconds", "seconds_per_step", "best_step", "best", "checkpoint")


class RunRecord:
    """Reader of a job's events (dicts).

    Parameters
    ----------
    checkpoint : str, optional
        What the run started from, for the record.
    """

    def __init__(self, checkpoint: str | None = None) -> None:
        self._values: dict = dict.fromkeys(FIELDS) | {"best": {}, "checkpoint": checkpoint}
        self._steps: int | None = None
        self._measured: dict[int, dict] = {}

    def __call__(self, event: dict) -> None:
        """Take an event."""
        kind = event["event"]
        if kind == "started":
            self._steps = event.get("total_steps")
            self._values["device"] = event.get("device")
        elif kind == "epoch":
            self._take_epoch(event)
        elif kind == "finished":
            self._take_end(event.get("values") or {})

    def to_dict(self) -> dict:
        """Plain values under the keys `FIELDS`; None where nothing is known.

        epochs; pairs trained on; date (ISO 8601, local time zone); device; seconds of training; seconds_per_step; best_step;
        best: the measures of the held-out pairs at the best step, such as loss, ncc, distance_px; checkpoint.
        """
        now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        return {**self._values, "date": now}

    def _take_epoch(self, event: dict) -> None:
        epochs = self._values["epochs"] = event.get("total_epochs")
        if self._steps and epochs:
            self._values["pairs"] = self._steps // epochs
        values = dict(event.get("values") or {})
        step = values.pop("step", None)
        if step is not None and values:
            self._measured[step] = values

    def _take_end(self, values: dict) -> None:
        seconds, best_step = values.get("seconds"), values.get("best_step")
        self._values |= {"seconds": seconds, "best_step": best_step, "best": self._measured.get(best_step, {})}
        if seconds and self._steps:
            self._values["seconds_per_step"] = seconds / self._steps
