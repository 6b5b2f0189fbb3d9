"""The outcome of a job for the user, from its events and the end of its process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..errors import field_name
from .sentences import Death, cancelled_sentence, failed_sentence, finished_sentence

_INTERRUPTED = 130
_DONE = (0, 4)  # 4: some pairs were left out, which the messages name


@dataclass(frozen=True)
class JobEnd:
    """How a job ended.

    Attributes
    ----------
    status : str
        finished, cancelled or failed.
    message : str
        A sentence for the user that says what to do.
    saved : str or None
        When finished: the result (the adapted checkpoint, the folder of results). Else the checkpoint from which the
        run can be resumed, None when there is none.
    exit_code : int or None
        Of the process; None when it did not start.
    log : str
        All that the process wrote, without the events of single steps.
    """

    status: Literal["finished", "cancelled", "failed"]
    message: str
    saved: str | None
    exit_code: int | None
    log: str


class Outcome:
    """Collects from the events of a job what its end reports.

    Parameters
    ----------
    translate : callable
        From an English text to the user's language.
    name_of : callable
        From the key of a field to the name that the user knows.
    """

    def __init__(self, translate: Callable[[str], str] = str, name_of: Callable[[str], str] = field_name) -> None:
        self._translate, self._name_of = translate, name_of
        self._finished: dict | None = None
        self._failed: dict = {}
        self._last: str | None = None
        self._item: tuple[int, int] | None = None

    def take(self, event: dict) -> None:
        """Note an event."""
        kind = event["event"]
        if kind == "finished":
            self._finished = event
        elif kind == "failed":
            self._failed = event
            self._last = event.get("saved") or self._last
        elif kind == "saved" and event.get("kind") == "last":
            self._last = event.get("path")
        elif kind == "item":
            self._item = (event.get("index", 0), event.get("total", 0))

    def end(self, exit_code: int, crashed: bool, cancelling: bool, log: Sequence[str]) -> JobEnd:
        """The end of a process that ran."""
        text = "\n".join(log)
        if self._finished is not None and exit_code in _DONE and not crashed:
            path = self._finished.get("path")
            return JobEnd("finished", finished_sentence(path, self._translate), path, exit_code, text)
        if cancelling or (exit_code == _INTERRUPTED and not crashed):
            message = cancelled_sentence(self._last, self._item, self._translate, self._name_of)
            return JobEnd("cancelled", message, self._last, exit_code, text)
        death = Death(exit_code, crashed, self._failed, self._last, tuple(log))
        message = failed_sentence(death, self._translate, self._name_of)
        return JobEnd("failed", message, self._last, exit_code, text)

    def not_started(self, program: str, log: Sequence[str]) -> JobEnd:
        """The end of a job whose program could not be started."""
        message = self._translate(
            "Python could not be started ({program}): check that the program is there and may be run, or install it again."
        ).format(program=program)
        return JobEnd("failed", message, None, None, "\n".join(log))
