"""A running training for the user: progress bar, status and chart out of its events."""

from __future__ import annotations

import math
from typing import Any

from .texts import tr as _
from .widgets import duration, say, show_progress


class TrainingDisplay:
    """Takes the events of a training (dicts).

    Parameters
    ----------
    bar : QProgressBar
    label : QLabel
    chart : LossChart
        Gets a point an epoch.
    """

    def __init__(self, bar: Any, label: Any, chart: Any) -> None:
        self._bar, self._label, self._chart = bar, label, chart
        self._similarities: list[float] = []
        show_progress(bar, 0, 0, _("Starting ..."))

    def __call__(self, event: dict) -> None:
        """Show an event."""
        show = {
            "started": self._started,
            "step": self._step,
            "epoch": self._epoch,
            "message": self._message,
        }.get(event["event"])
        if show is not None:
            show(event)

    def _started(self, event: dict) -> None:
        show_progress(self._bar, event["first_step"], event["total_steps"])
        say(self._label, _("Training on {device} ...").format(device=event["device"]))

    def _step(self, event: dict) -> None:
        self._similarities.append(event["similarity"] or 0.0)
        left = event.get("seconds_left")
        text = _("{percent} %, {time} left").format(
            percent=100 * event["step"] // event["total_steps"], time=_("?") if left is None else duration(left)
        )
        show_progress(self._bar, event["step"], event["total_steps"], text)

    def _epoch_values(self, event: dict) -> tuple[float | None, float | None]:
        values = event.get("values") or {}
        loss = values.get("loss", event.get("loss"))
        ncc = values.get("ncc")
        if ncc is None and self._similarities:
            # Without held-out pairs: of the training pairs, as the root of the mean squared local correlation.
            ncc = math.sqrt(max(sum(self._similarities) / len(self._similarities), 0.0))
        return loss, ncc

    def _epoch(self, event: dict) -> None:
        loss, ncc = self._epoch_values(event)
        self._similarities = []
        if loss is None:
            return
        self._chart.append(event["epoch"], loss, ncc)
        text = _("Epoch {epoch} of {total}: loss {loss:.4f}").format(
            epoch=event["epoch"], total=event["total_epochs"], loss=loss
        )
        say(self._label, text if ncc is None else text + _(", NCC {ncc:.3f}").format(ncc=ncc))

    def _message(self, event: dict) -> None:
        say(self._label, event["text"])
