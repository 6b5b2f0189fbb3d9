"""Reader that shows progress to a person on stderr: a bar where rich and a terminal are there, else plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

from ..progress import Epoch, Event, Finished, Item, Message, SecondsLeft, Stage, Started, Step

_SECONDS_BETWEEN_LINES = 5.0


class ProgressBar:
    """Reader for a terminal; `close` it at the end, however the run ends.

    Parameters
    ----------
    stream : text stream, optional
        Where to write; `sys.stderr` by default, so that stdout stays free for results.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        stream = sys.stderr if stream is None else stream
        self._display = _rich_bar(stream) or _PlainLines(stream)
        self._seconds: SecondsLeft | None = None

    def __call__(self, event: Event) -> None:
        """Show `event`."""
        if isinstance(event, Started):
            self._seconds = SecondsLeft(event.total_steps, event.first_step)
            self._display.start(event.task, event.total_steps, event.first_step)
        elif isinstance(event, Step):
            self._display.advance(event.step, f"loss {event.loss:.4f}", event.seconds_left)
        elif isinstance(event, Item):
            self._display.advance(event.index, "", self._seconds.after(event.index) if self._seconds else None)
        text = sentence(event)
        if text:
            self._display.line(text)

    def close(self) -> None:
        """Leave the terminal as a program should."""
        self._display.stop()


def sentence(event: Event) -> str | None:
    """The line to print for `event`, or None when it only moves the bar."""
    if isinstance(event, Started):
        return f"{event.task} on {event.device}" + (f", resumed at step {event.first_step}" if event.first_step else "")
    if isinstance(event, Epoch):
        return _epoch(event)
    if isinstance(event, Item) and event.values:
        return f"{event.index}/{event.total} {event.name}: {listing(event.values)}"
    if isinstance(event, Stage):
        return _stage(event)
    if isinstance(event, Message):
        return f"warning: {event.text}" if event.level == "warning" else event.text
    if isinstance(event, Finished):
        return f"{event.task} finished" + (f": {event.path}" if event.path else "")
    return None


def _stage(event: Stage) -> str:
    if event.name == "align":
        return f"Aligning {event.detail} ..." + (f" {event.index} of {event.total}" if event.index else "")
    return f"{'registering' if event.name == 'register' else event.name} {event.detail}"


def _epoch(event: Epoch) -> str:
    """Training loss and validation; values of single tasks (`task/loss`) are left to the log."""
    values = {name: value for name, value in event.values.items() if "/" not in name}
    if event.epoch == 0 and values.get("step"):  # a run that is shorter than the distance between validations
        step = values.pop("step")
        return f"step {step}: {listing({'training loss': event.loss} | values)}"
    if event.epoch == 0:
        return f"before training: {listing(values)}"
    return f"epoch {event.epoch}/{event.total_epochs}: {listing({'training loss': event.loss} | values)}"


def listing(values: dict) -> str:
    """'name value, name value' of plain values, numbers with four digits; nested ones are left out."""
    parts = [f"{name} {_short(value)}" for name, value in values.items() if not isinstance(value, (dict, list, tuple))]
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Seconds as '48 s', '5 min 20 s' or '2 h 5 min'."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _short(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


class _PlainLines:
    """Text lines; those that only report progress come at most every few seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._last = clock()
        self._task, self._total = "", 0

    def start(self, task: str, total: int, first: int) -> None:
        self._task, self._total = task, total

    def advance(self, step: int, note: str, seconds_left: float | None) -> None:
        if self._clock() - self._last < _SECONDS_BETWEEN_LINES:
            return
        left = "" if seconds_left is None else f"{duration(seconds_left)} left"
        self.line(", ".join(part for part in (f"{self._task} {step}/{self._total}", note, left) if part))

    def line(self, text: str) -> None:
        self._last = self._clock()
        print(text, file=self._stream, flush=True)

    def stop(self) -> None:
        """Nothing to leave behind."""


class _RichBar:
    """A bar at the foot of the terminal with the lines above it."""

    def __init__(self, progress) -> None:
        self._progress = progress
        self._bar = None

    def start(self, task: str, total: int, first: int) -> None:
        self._progress.start()
        if self._bar is not None:  # a second piece of work in the same run takes the bar over
            self._progress.remove_task(self._bar)
        self._bar = self._progress.add_task(task, total=total, completed=first, note="", left="")

    def advance(self, step: int, note: str, seconds_left: float | None) -> None:
        if self._bar is not None:
            left = "" if seconds_left is None else f"{duration(seconds_left)} left"
            self._progress.update(self._bar, completed=step, note=note, left=left)

    def line(self, text: str) -> None:
        # Names of files may hold square brackets, which rich would take for markup.
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def stop(self) -> None:
        self._progress.stop()


def _rich_bar(stream: TextIO) -> _RichBar | None:
    """A bar on `stream`, or None when it is no terminal or rich is not installed."""
    if not stream.isatty():
        return None
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    except ImportError:
        return None
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TextColumn("{task.fields[left]}", markup=False),
    )
    return _RichBar(Progress(*columns, console=Console(file=stream)))
