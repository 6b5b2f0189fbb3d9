"""Children, hosts and recordings for the tests of jobs."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from MetaRegistrationLib.jobs.command_lines import child_environment
from MetaRegistrationLib.jobs.hosts import PlainHost
from MetaRegistrationLib.jobs.job import ENDED, Job

# The promise: so long after a cancel the child is ended by force. The delays that a job asks for are added up, and no clock
# is read, so that a busy machine changes nothing.
CANCEL_MS = 2000

HANG_S = 600.0
"""Seconds after which something that is waited for hangs. No test says how fast anything is."""


@cache
def warm_python() -> str:
    """A program as Python, but that it runs commands of the library in copies of one that has loaded what a training needs."""
    path = Path(__file__).parents[1] / "Module" / "rig" / "warm_python.py"
    specification = importlib.util.spec_from_file_location("warm_python", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    if not module.AVAILABLE or os.environ.get(module.COLD):
        return sys.executable
    folder = Path(tempfile.mkdtemp())
    program = module.launcher(
        folder, "python", "torch._dynamo", "MetaRegistrationLib.workflows.finetuning", "MetaRegistrationLib.tasks"
    )
    end = time.monotonic() + HANG_S
    while not (folder / "warm").exists():
        assert time.monotonic() < end, "the warm Python does not begin"
        time.sleep(0.05)
    return str(program)


def environment() -> dict[str, str]:
    """That of a child, on one thread."""
    return {**child_environment(), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class PatientHost(PlainHost):
    """Its timers wait a hundred times as long, so that a child that listens has the time on a busy machine too."""

    def single_shot(self, milliseconds, function):
        super().single_shot(100 * milliseconds, function)


class Recorded:
    """A job in a plain loop with all its events and its end."""

    def __init__(self, host=None, on_event=lambda event: None):
        self.host = host or PlainHost()
        self.events: list[dict] = []
        self.ends: list = []
        self._react = on_event
        self.delays_ms: list[int] = []
        self._single_shot, self.host.single_shot = self.host.single_shot, self._delayed
        self.job = Job(self.host, self._take, self.ends.append)

    def _delayed(self, milliseconds, function):
        self.delays_ms.append(milliseconds)
        self._single_shot(milliseconds, function)

    def _take(self, event):
        self.events.append(event)
        self._react(event)

    def start(self, arguments, program=sys.executable):
        self.job.start(arguments, program, environment())
        return self

    def until(self, condition):
        assert self.host.run_until(condition, HANG_S), self.job.log
        return self

    def until_event(self, name, count=1):
        return self.until(lambda: self.kinds().count(name) >= count or self.ends)

    def end(self):
        """Wait for the end and return it."""
        self.until(lambda: self.ends)
        assert self.job.state == ENDED and len(self.ends) == 1
        return self.ends[0]

    def cancel(self):
        """Cancel, and return the end, which must need no longer delays than were promised."""
        self.job.cancel()
        end = self.end()
        assert sum(self.delays_ms) <= CANCEL_MS
        return end

    def kinds(self):
        return [event["event"] for event in self.events]


def script(*lines: str) -> list[str]:
    """Arguments of Python for a child that runs these lines."""
    start = (
        "import json, os, signal, subprocess, sys, time",
        "say = lambda **event: print(json.dumps(event), flush=True)",
    )
    return ["-c", "\n".join((*start, *lines))]


def event(name: str, **values: object) -> bytes:
    """The line of an event."""
    return (json.dumps({"event": name, **values}) + "\n").encode()


def is_alive(pid: int) -> bool:
    """Whether a process of this number runs (and is no zombie, where one can tell)."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", encoding="utf-8") as stream:  # noqa: PTH123
            return stream.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return sys.platform != "linux"
    except OSError:
        return False
