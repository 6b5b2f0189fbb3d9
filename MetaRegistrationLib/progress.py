"""Progress of long work as a stream of small events; a terminal bar, a JSON line and a panel are readers of one stream.

A function that works for long takes a `Reader` and calls it with one event after another. Nothing here needs torch.
"""

from __future__ import annotations

import errno
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import ClassVar, Literal, TextIO

from .errors import UserError, told


@dataclass(frozen=True)
class Event:
    """What all events share: a name and their form as plain values."""

    event: ClassVar[str] = ""

    def to_dict(self) -> dict:
        """Plain values with `event` first: paths become strings, NaN and infinities None (JSON has none)."""
        return {"event": self.event} | {item.name: plain(getattr(self, item.name)) for item in fields(self)}


@dataclass(frozen=True)
class Process(Event):
    """The program runs, as process `pid`, and has not begun yet; sent at once, to a program that watches over it."""

    event: ClassVar[str] = "process"
    pid: int = field(default_factory=os.getpid)


@dataclass(frozen=True)
class Started(Event):
    """Work begins: steps or items will be counted up to `total_steps`; `first_step` of them a resumed run has done."""

    event: ClassVar[str] = "started"
    task: str
    total_steps: int
    first_step: int = 0
    pid: int = field(default_factory=os.getpid)
    device: str = "cpu"
    detail: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Step(Event):
    """One optimisation step is done (`step` counts from 1); `seconds_left` is None until there is an estimate."""

    event: ClassVar[str] = "step"
    step: int
    total_steps: int
    loss: float
    similarity: float
    smoothness: float
    seconds_left: float | None = None


@dataclass(frozen=True)
class Epoch(Event):
    """One epoch is done (counted from 1); `values` holds validation results such as loss, ncc, distance_px."""

    event: ClassVar[str] = "epoch"
    epoch: int
    total_epochs: int
    loss: float
    values: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Saved(Event):
    """A file is whole on disk: the last or the best checkpoint, or a result."""

    event: ClassVar[str] = "saved"
    path: str | Path
    kind: Literal["last", "best", "result"]
    step: int = 0


@dataclass(frozen=True)
class Stage(Event):
    """What is being done now.

    `name` is a key for programs ("register", "align"), `detail` says for people of what. `index` counts up to `total`, which
    may grow; both are 0 where nothing is counted.
    """

    event: ClassVar[str] = "stage"
    name: str
    detail: str
    index: int = 0
    total: int = 0


@dataclass(frozen=True)
class Message(Event):
    """A sentence for the user.

    One that speaks of a field has also `field`, `problem` and `advice`, from which each reader makes a sentence with its own
    name of the field (`errors.told`).
    """

    event: ClassVar[str] = "message"
    text: str
    level: Literal["info", "warning"] = "info"
    field: str | None = None
    problem: str = ""
    advice: str = ""

    @classmethod
    def about(
        cls, field: str | None, problem: str, advice: str = "", level: Literal["info", "warning"] = "info"
    ) -> Message:
        """A message on a field, whose name takes the place of `{field}` in problem and advice."""
        return cls(told(problem, field, advice), level, field, problem, advice)

    @classmethod
    def of(cls, error: BaseException, start: str = "") -> Message:
        """A warning: what an error says, after `start`."""
        if isinstance(error, UserError):
            return cls.about(error.field, start + error.problem, error.advice, "warning")
        return cls(start + (str(error) or type(error).__name__), "warning")


@dataclass(frozen=True)
class Item(Event):
    """One of several things (a pair of a folder) is done; `index` counts from 1 to `total`."""

    event: ClassVar[str] = "item"
    index: int
    total: int
    name: str
    values: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Finished(Event):
    """The work is complete; `path` is its result, None if it wrote nothing."""

    event: ClassVar[str] = "finished"
    task: str
    path: str | Path | None = None
    values: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Failed(Event):
    """The work ended early; `saved` is the checkpoint to resume from, None if there is none.

    `reason` is the whole sentence. `field`, `problem` and `advice` are its parts as in a `Message`; without a problem the
    error is unexpected.
    """

    event: ClassVar[str] = "failed"
    task: str
    reason: str
    saved: str | Path | None = None
    field: str | None = None
    problem: str = ""
    advice: str = ""


Reader = Callable[[Event], None]


class ReaderGone(KeyboardInterrupt):
    """The program that read the events closed its end: the run stops, and saves, as on Ctrl-C."""


def plain(value: object) -> object:
    """`value` as JSON's types: numbers of NumPy and torch become Python's, paths strings, non-finite floats None."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # arrays, tensors and their scalars, without importing either library
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)


class Silent:
    """Reader that ignores every event."""

    def __call__(self, event: Event) -> None:
        """Do nothing with `event`."""


class JsonLines:
    """Reader that writes each event to `stream` as one line of strict ASCII JSON, at once.

    When the other end of the pipe is closed, `ReaderGone` is raised once, so that the run stops as on Ctrl-C;
    later events (what is said while it saves) are dropped. Other errors, such as a full disk, are raised as they are.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._gone = False

    def __call__(self, event: Event) -> None:
        """Write `event`."""
        if self._gone:
            return
        line = json.dumps(event.to_dict(), allow_nan=False)
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError as error:
            # Windows reports a closed pipe as EINVAL.
            if error.errno not in (errno.EPIPE, errno.EINVAL):
                raise
            self._gone = True
            raise ReaderGone("the program that read the progress is gone") from error


class SecondsLeft:
    """Estimate of the time that remains, from a running average of the time a step took.

    Parameters
    ----------
    total_steps : int
        The last step's number.
    first_step : int
        Number of steps that were done before (a resumed run).
    weight : float
        Share of the newest step in the average once there are more than 1 / weight steps; a plain mean before that,
        so that a slow first step soon stops to count.
    clock : callable
        Seconds that never go back.
    """

    def __init__(
        self, total_steps: int, first_step: int = 0, weight: float = 0.05, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total = total_steps
        self._weight = weight
        self._clock = clock
        self._step = first_step
        self._time = clock()
        self._seen = 0
        self._average: float | None = None

    def after(self, step: int) -> float | None:
        """Seconds left now that `step` is done; None before the first step."""
        if step > self._step:
            self._add(step)
        if self._average is None:
            return None
        return max(self._total - step, 0) * self._average

    def _add(self, step: int) -> None:
        now = self._clock()
        seconds = (now - self._time) / (step - self._step)
        self._step, self._time = step, now
        self._seen += 1
        weight = max(self._weight, 1 / self._seen)
        self._average = seconds if self._average is None else self._average + weight * (seconds - self._average)
