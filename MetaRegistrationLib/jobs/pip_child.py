"""Runs pip, or a module that works as pip does, and tells how far it is.

`python -m MetaRegistrationLib.jobs.pip_child MODULE ...`. What the module writes goes on as it is. Beside it there are events:
`process` first, `step` with what is done now, and `finished`.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import sys
from typing import TextIO

_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_PHASES = (("Collecting ", "finding"), ("Downloading ", "downloading"), ("Installing collected packages", "installing"))


def phase_of(line: str) -> dict | None:
    """What a line of pip says that is done now: `phase` (finding, downloading or installing) and `name`; None for other lines."""
    text = line.strip()
    for start, phase in _PHASES:
        if text.startswith(start):
            return {"phase": phase, "name": text.removeprefix(start).strip(" :")}
    return None


class Told:
    """A text stream that hands lines on, and turns those on progress into events.

    Parameters
    ----------
    stream : text stream
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._rest, self._percent = stream, "", -1

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text; an unfinished line waits."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._line(line)
        return len(text)

    def tell_event(self, **event: object) -> None:
        """Write an event."""
        self._stream.write(json.dumps(event) + "\n")
        self._stream.flush()

    def _line(self, line: str) -> None:
        if found := _PROGRESS.fullmatch(line.strip()):
            done, total = map(int, found.groups())
            percent = 100 * done // total if total else 0
            if percent != self._percent:
                self._percent = percent
                self.tell_event(event="step", phase="downloading", done=done, total=total)
            return
        self._stream.write(line + "\n")
        if phase := phase_of(line):
            self._percent = -1
            self.tell_event(event="step", **phase)


def main(arguments: list[str]) -> int:
    """Run a module with arguments; its exit status."""
    told = Told(sys.stdout)
    told.tell_event(event="process", pid=os.getpid())
    before, sys.stdout, sys.argv = sys.stdout, told, list(arguments)
    try:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout = before
    if code == 0:
        told.tell_event(event="finished", path=None)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
