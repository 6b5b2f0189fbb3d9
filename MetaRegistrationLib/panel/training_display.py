"""A running training for the user: progress bar, status and chart out of its events."""

from __future__ import annotations

import math
from typing import Any

from .texts import message_text, stage_text
from .texts import tr as _
from .widgets import duration, say, show_progress


class TrainingDisplay:
    """Takes the events of a training (dicts).

    Parameters
    ----------
    bar : QProgressBar
    label : QLabel
    chart : LossChart
        Gets a point an epoch, and until the first one is done a point a step.
    estimate : jobs.estimates.Estimate, optional
        Time of the run, shown until the first step has been timed.
    """

    def __init__(self, bar: Any, label: Any, chart: Any, estimate: Any = None) -> None:
        self._bar, self._label, self._chart = bar, label, chart
        self._estimate = estimate
        self._similarities: list[float] = []
        self._held_out: bool | None = None  # None before the first epoch: the chart shows steps
        chart.label(_("step"), _("loss, each step"), _("local NCC, each step"))
        show_progress(bar, 0, 0, self._starting())

    def __call__(self, event: dict) -> None:
        """Show an event."""
        show = {
            "started": self._started,
            "step": self._step,
            "epoch": self._epoch,
            "message": self._message,
            "stage": self._stage,
        }.get(event["event"])
        if show is not None:
            show(event)

    def _started(self, event: dict) -> None:
        first, total = event["first_step"], event["total_steps"]
        show_progress(self._bar, first, total, self._starting())
        say(self._label, _("Training on {device} ...").format(device=event["device"]))

    def _step(self, event: dict) -> None:
        similarity = event["similarity"] or 0.0
        self._similarities.append(similarity)
        if self._held_out is None and event.get("loss") is not None:
            self._chart.append(event["step"], event["loss"], _correlation([similarity]))
        left = event.get("seconds_left")
        step, total = event["step"], event["total_steps"]
        text = self._starting()
        if left is not None:
            text = _("{percent} %, {time} left").format(percent=100 * step // total, time=duration(left))
        show_progress(self._bar, step, total, text)

    def _starting(self) -> str:
        """What the bar says until a step was timed: the time of the whole run as it was estimated."""
        if self._estimate is None:
            return _("Starting ...")
        return _("Starting ... About {time}").format(time=estimate_text(self._estimate))

    def _epoch(self, event: dict) -> None:
        values, similarities = event.get("values") or {}, self._similarities
        self._similarities = []
        loss, ncc = values.get("loss", event.get("loss")), values.get("ncc")
        if loss is None:
            return
        self._name_curves(ncc is not None)
        if ncc is None and similarities:
            ncc = _correlation(similarities)
        self._chart.append(event["epoch"], loss, ncc)
        text = _("Epoch {epoch} of {total}: loss {loss:.4f}").format(
            epoch=event["epoch"], total=event["total_epochs"], loss=loss
        )
        kind = _(", NCC {ncc:.3f}") if self._held_out else _(", local NCC {ncc:.3f}")
        say(self._label, text if ncc is None else text + kind.format(ncc=ncc))

    def _name_curves(self, held_out: bool) -> None:
        """Say which pairs are measured: those held out, or without any the training pairs, by their local correlation."""
        if held_out == self._held_out:
            return
        if self._held_out is None:
            self._chart.clear()  # of single steps
        self._held_out = held_out
        if held_out:
            self._chart.label(_("epoch"), _("loss, held-out pairs"), _("NCC, held-out pairs"))
        else:
            self._chart.label(_("epoch"), _("loss, training pairs"), _("local NCC, training pairs"))

    def _message(self, event: dict) -> None:
        say(self._label, message_text(event))

    def _stage(self, event: dict) -> None:
        show_progress(self._bar, event["index"], event["total"])
        say(self._label, stage_text(event))


def estimate_text(estimate: Any) -> str:
    """An estimated time, and where it comes from: 15 s (rough estimate)."""
    source = _("from your last training") if estimate.measured else _("rough estimate")
    return _("{time} ({source})").format(time=duration(estimate.seconds), source=source)


def _correlation(similarities: list[float]) -> float:
    """Root of mean squared local correlations."""
    return math.sqrt(max(sum(similarities) / len(similarities), 0.0))
