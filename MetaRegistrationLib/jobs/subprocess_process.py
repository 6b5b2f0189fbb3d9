"""A child process of `subprocess` with the interface of QProcess, as far as a job uses it."""
# ruff: noqa: N802 - these are Qt's names

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from typing import BinaryIO

_WINDOWS_CRASH = 0x80000000
_DRAIN_S = 0.5


class SubprocessProcess:
    """Child process whose signals are sent by `poll`, in the thread that calls it."""

    NotRunning, Starting, Running = 0, 1, 2
    NormalExit, CrashExit = 0, 1
    FailedToStart = 0

    def __init__(self) -> None:
        self._slots: dict[str, list[Callable]] = {}
        self._environment: dict[str, str] | None = None
        self._process: subprocess.Popen | None = None
        self._failed_to_start = False
        self._read: dict[str, bytearray] = {"Output": bytearray(), "Error": bytearray()}
        self._readers: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._ended_at: float | None = None
        self._done = False

    def connect(self, signature: str, slot: Callable) -> None:
        """Have `slot` called on the signal of this C++ signature."""
        self._slots.setdefault(signature, []).append(slot)

    def setProcessEnvironment(self, environment: Mapping[str, str]) -> None:
        """Set all environment variables of the child."""
        self._environment = dict(environment)

    def start(self, program: str, arguments: list[str]) -> None:
        """Start. The next `poll` reports a failure."""
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                [program, *arguments],
                env=self._environment,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError:
            self._failed_to_start = True
            return
        for name, stream in (("Output", self._process.stdout), ("Error", self._process.stderr)):
            self._readers.append(threading.Thread(target=self._collect, args=(name, stream), daemon=True))
            self._readers[-1].start()

    def readAllStandardOutput(self) -> bytes:
        """What came since the last call."""
        return self._take("Output")

    def readAllStandardError(self) -> bytes:
        """What came since the last call."""
        return self._take("Error")

    def closeWriteChannel(self) -> None:
        """Close the child's standard input."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def terminate(self) -> None:
        """Ask the child to end."""
        if self._process is not None:
            self._process.terminate()

    def kill(self) -> None:
        """End the child."""
        if self._process is not None:
            self._process.kill()

    def state(self) -> int:
        """NotRunning or Running."""
        return self.NotRunning if self._process is None or self._done else self.Running

    def processId(self) -> int:
        """The child's number; 0 when it does not run."""
        return self._process.pid if self.state() else 0

    def exitCode(self) -> int:
        """Of the child that ended last; the signal's number, below 0, when one ended it."""
        return 0 if self._process is None else self._process.returncode or 0

    def waitForFinished(self, milliseconds: int = 30000) -> bool:
        """Wait, sending signals, until the child has ended (True) or the time is over."""
        end = time.monotonic() + milliseconds / 1000
        while self.state() and time.monotonic() < end:
            self.poll()
            time.sleep(0.005)
        return not self.state()

    def poll(self) -> None:
        """Send the signals that are due."""
        if self._failed_to_start:
            self._failed_to_start = False
            self._emit("errorOccurred(QProcess::ProcessError)", self.FailedToStart)
        if self._process is None or self._done:
            return
        for name in self._read:
            if self._read[name]:
                self._emit(f"readyReadStandard{name}()")
        if not self._done and self._process.poll() is not None and self._drained():
            self._done = True
            self.closeWriteChannel()
            code = self.exitCode()
            crashed = code < 0 or code >= _WINDOWS_CRASH
            self._emit("finished(int,QProcess::ExitStatus)", code, self.CrashExit if crashed else self.NormalExit)

    def _drained(self) -> bool:
        """Whether all that the child wrote was read; a grandchild may hold the pipes open, so not for ever."""
        self._ended_at = self._ended_at or time.monotonic()
        reading = any(reader.is_alive() for reader in self._readers)
        return not reading or time.monotonic() - self._ended_at > _DRAIN_S

    def _collect(self, name: str, stream: BinaryIO) -> None:
        with stream:
            while chunk := stream.read1(65536):
                with self._lock:
                    self._read[name] += chunk

    def _take(self, name: str) -> bytes:
        with self._lock:
            taken, self._read[name] = bytes(self._read[name]), bytearray()
        return taken

    def _emit(self, signature: str, *values: int) -> None:
        for slot in self._slots.get(signature, ()):
            slot(*values)
