"""A Python that has loaded torch and the library already, and copies itself for each command of the library that a test starts.

Imports take most of the time of a short command, and the module's tests start about seventy of them. Slicer has no
such helper: here only the start is shorter. The copy has the environment, folder, streams and arguments of the one that asks, and
a process of its own, which ends as any Python does. Where the copy would find another library, it loads that one.

`python warm_python.py SOCKET [MODULE ...]` serves until its standard input is closed, with the modules that are named loaded too.
Not where there is no `os.fork` (Windows).
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import importlib.machinery
import importlib.util
import io
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

AVAILABLE = hasattr(os, "fork") and hasattr(socket, "recv_fds")
COLD = "META_REGISTRATION_COLD_PYTHON"
"""The variable that turns it off, if it is set: each command then starts as in Slicer."""

_LOADED = ("torch", "numpy", "scipy.ndimage", "SimpleITK", "PIL.PngImagePlugin")
_LIBRARY = "MetaRegistrationLib"
_OF_THE_LIBRARY = ("commands", "registration.registrar", "visits.report", "visits.series_measures", "visits.sources")
"""What brings most of it in. None of it reads the environment or the command line while it is imported."""
_PART = 1 << 16  # bytes


_LAUNCHER = """import os, subprocess, sys
python, warm = {python!r}, {warm!r}
def in_a_copy(words):
    import json, socket
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(warm)
        request = dict(words=words, environment=dict(os.environ), folder=os.getcwd())
        socket.send_fds(asking, [json.dumps(request).encode() + b"\\n"], [0, 1, 2])
        return int(asking.recv(64) or -9)
words = sys.argv[1:]
if words[:1] == ["-m"] and words[1].startswith("MetaRegistrationLib") and os.path.exists(warm):
    code = in_a_copy(words[1:])
else:
    code = subprocess.call([python, *words])
if code < 0:
    sys.stderr.write("error: [" + python + "] exit abnormally - Report the problem.\\n")
sys.exit(1 if code < 0 else code)
"""


def launcher(folder: Path, name: str, *more: str) -> Path:
    """Write a program that runs commands of the library in copies, and all else as Python does; `more` modules are loaded.

    It is another process than the one that works, as Slicer's launcher is: that goes on where the launcher is killed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "launcher.py"
    script.write_text(_LAUNCHER.format(python=sys.executable, warm=str(start(folder, *more))), encoding="utf-8")
    if os.name == "nt":
        program = folder / f"{name}.bat"
        program.write_text(f'@"{sys.executable}" -I -S "{script}" %*\n', encoding="utf-8")
    else:
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{script}" "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    return program


def start(folder: Path, *more: str) -> Path:
    """Start it, with `more` modules, to end with this process; gives the address that the launcher asks."""
    address = folder / "warm"
    if AVAILABLE and not os.environ.get(COLD):
        environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONSAFEPATH": "1"}
        words = [sys.executable, __file__, str(address), *more]
        server = subprocess.Popen(words, stdin=subprocess.PIPE, env=environment)
        atexit.register(server.wait)
        atexit.register(server.kill)  # it may still be loading; copies that work go on
    return address


def serve(address: str) -> tuple[dict, list[int]] | None:
    """Answer until the standard input is closed. In each copy this returns what the copy has to do."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the keepers
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    while True:
        ready, _, _ = select.select([listening, sys.stdin], [], [])
        if listening not in ready:
            return None
        asking, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            return _keep(asking)
        asking.close()


def _keep(asking: socket.socket) -> tuple[dict, list[int]] | None:
    """Wait for the copy that does the work, and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, streams, _, _ = socket.recv_fds(asking, _PART, 3)
    while not text.endswith(b"\n"):
        part = asking.recv(_PART)
        if not part:  # the launcher was killed before it had asked
            os._exit(0)
        text += part
    worker = os.fork()
    if worker == 0:
        asking.close()
        return json.loads(text), streams
    for stream in streams:
        os.close(stream)
    code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    with contextlib.suppress(OSError):  # the launcher was killed
        asking.sendall(str(code).encode())
    os._exit(0)


def become(request: dict, streams: list[int]) -> None:
    """Take over environment, folder, streams and arguments, and run the module."""
    for target, stream in enumerate(streams):
        os.dup2(stream, target, inheritable=True)
        os.close(stream)
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8")
    sys.stdout = sys.__stdout__ = _unbuffered(1, "strict")
    sys.stderr = sys.__stderr__ = _unbuffered(2, "backslashreplace")
    own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    asked = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = asked + [path for path in sys.path if path not in own]
    _forget_another_library()
    module, *sys.argv[1:] = request["words"]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _load_library() -> None:
    """The library that this Python finds, if there is one: the rig serves any module."""
    if importlib.util.find_spec(_LIBRARY) is not None:
        for name in _OF_THE_LIBRARY:
            importlib.import_module(f"{_LIBRARY}.{name}")


def _forget_another_library() -> None:
    """Unload the library where the paths of the copy lead to another one."""
    loaded = sys.modules.get(_LIBRARY)
    found = importlib.machinery.PathFinder.find_spec(_LIBRARY)
    if loaded is not None and (found is None or found.origin != loaded.__file__):
        for name in [name for name in sys.modules if name.partition(".")[0] == _LIBRARY]:
            del sys.modules[name]


def _unbuffered(stream: int, errors: str) -> io.TextIOWrapper:
    """As `python -u` opens it."""
    return io.TextIOWrapper(io.FileIO(stream, "w", closefd=False), "utf-8", errors, write_through=True)


if __name__ == "__main__":
    sys.path[:] = [path for path in sys.path if path != str(Path(__file__).parent)]  # on Python 3.10
    for name in (*_LOADED, *sys.argv[2:]):
        importlib.import_module(name)
    _load_library()
    work = serve(sys.argv[1])
    if work is not None:
        become(*work)
