"""One run of our command line in a child process: its events, its end, and a Cancel that always works."""

from __future__ import annotations

import contextlib
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ..errors import field_name
from .command_lines import child_environment, python_executable
from .lines import LineBuffer, as_bytes, event_of
from .outcome import JobEnd, Outcome

IDLE, RUNNING, CANCELLING, ENDED = "idle", "running", "cancelling", "ended"

_ASKED_MS = 1500
_TERMINATED_MS = 300
_CLOSED_MS = 1000
_LOG_LINES = 5000
_CRASH_EXIT = 1
_FAILED_TO_START = 0


class Host(Protocol):
    """What runs processes and timers: Qt inside Slicer, a plain loop elsewhere."""

    def process(self, environment: Mapping[str, str]) -> object:
        """A new process with the interface of QProcess, as PythonQt shows it."""

    def single_shot(self, milliseconds: int, function: Callable[[], None]) -> None:
        """Call `function` once, later."""


class Job:
    """Runs one command line and turns what it writes into calls.

    Parameters
    ----------
    host : Host
    on_event : callable
        Called with each event (a dict with the key "event"; see `MetaRegistrationLib.progress`).
    on_end : callable
        Called once with a `JobEnd`; not after `close`.
    translate : callable
        Turns the English text of messages into the user's language.
    name_of : callable
        Turns the key of a field into the name that the user knows.
    """

    def __init__(
        self,
        host: Host,
        on_event: Callable[[dict], None] = lambda event: None,
        on_end: Callable[[JobEnd], None] = lambda end: None,
        *,
        translate: Callable[[str], str] = str,
        name_of: Callable[[str], str] = field_name,
    ) -> None:
        self._host, self._on_event, self._on_end = host, on_event, on_end
        self._outcome = Outcome(translate, name_of)
        self._out, self._err = LineBuffer(), LineBuffer()
        self._events: deque[dict] = deque()
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._process = None
        self._program = ""
        self._pid: int | None = None
        self.state = IDLE

    @property
    def log(self) -> str:
        """What the process wrote until now, without the events of single steps."""
        return "\n".join(self._log)

    def start(
        self, arguments: Sequence[str], program: str | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start `program` (the Python to use by default) with `arguments`; a job runs once.

        Raises
        ------
        RuntimeError
            The job was started before.
        """
        if self.state != IDLE:
            raise RuntimeError("a job runs once; make a new one")
        self.state = RUNNING
        self._program = program or python_executable()
        self._log.append(" ".join([self._program, *arguments]))
        process = self._host.process(child_environment() if environment is None else environment)
        self._process = process
        process.connect("readyReadStandardOutput()", self._read)
        process.connect("readyReadStandardError()", self._read)
        process.connect("finished(int,QProcess::ExitStatus)", self._finished)
        process.connect("errorOccurred(QProcess::ProcessError)", self._error)
        process.start(self._program, list(arguments))

    def cancel(self) -> None:
        """Ask the run to stop and to save; it has ended two seconds later, whatever it does."""
        if self.state != RUNNING:
            return
        self.state = CANCELLING
        self._process.closeWriteChannel()
        self._host.single_shot(_ASKED_MS, self._terminate)

    def wait(self, milliseconds: int) -> None:
        """Let the run end, for a time at most."""
        if self.state in (RUNNING, CANCELLING):
            self._process.waitForFinished(milliseconds)

    def close(self) -> None:
        """Kill the run at once, without further calls: for the end of the program or of a module."""
        running = self.state in (RUNNING, CANCELLING)
        self.state = ENDED
        if running:
            self._kill_everything()
            self._process.waitForFinished(_CLOSED_MS)

    def _terminate(self) -> None:
        if self.state == CANCELLING:
            # Python stops at once on it where signals exist, without the save that took too long; Windows ends it.
            self._signal(signal.SIGTERM)
            self._host.single_shot(_TERMINATED_MS, self._kill_if_still_there)

    def _kill_if_still_there(self) -> None:
        if self.state == CANCELLING:
            self._kill_everything()

    def _kill_everything(self) -> None:
        # Slicer's Python is started by a launcher; killing that one alone would leave the real one running.
        self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))
        self._process.kill()

    def _signal(self, number: int) -> None:
        if self._pid is not None:
            with contextlib.suppress(OSError):
                os.kill(self._pid, number)

    def _read(self) -> None:
        self._note(
            self._out.feed(as_bytes(self._process.readAllStandardOutput())),
            self._err.feed(as_bytes(self._process.readAllStandardError())),
        )
        self._hand_on()

    def _note(self, out: list[str], err: list[str]) -> None:
        self._log.extend(err)
        for line in out:
            event, text = event_of(line)
            if event is None or event["event"] != "step":
                self._log.append(line)
            elif text:
                self._log.append(text)
            if event is not None:
                if event["event"] == "process":
                    self._pid = event["pid"]
                self._outcome.take(event)
                self._events.append(event)

    def _hand_on(self) -> None:
        # A queue, because a callback may fail, or let the event loop run, and then this is entered again.
        while self._events and self.state != ENDED:
            self._on_event(self._events.popleft())

    def _finished(self, exit_code: int, status: object) -> None:
        if self.state not in (RUNNING, CANCELLING):
            return
        crashed = _number(status) == _CRASH_EXIT
        try:
            self._read()
            self._note(self._out.flush(), self._err.flush())
            self._hand_on()
        finally:
            if self.state != ENDED:  # else a callback closed the job
                cancelling, self.state = self.state == CANCELLING, ENDED
                self._on_end(self._outcome.end(int(exit_code), crashed, cancelling, tuple(self._log)))

    def _error(self, error: object) -> None:
        # Only a program that does not start has no `finished` afterwards.
        if _number(error) == _FAILED_TO_START and self.state in (RUNNING, CANCELLING):
            self.state = ENDED
            self._on_end(self._outcome.not_started(self._program, tuple(self._log)))


def _number(value: object) -> int:
    """A Qt enumerator as a number, however the binding shows it."""
    return int(getattr(value, "value", value))
