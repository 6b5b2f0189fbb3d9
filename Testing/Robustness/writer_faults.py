"""Faults in each writer of files: a full disk, EIO, a failing fsync or rename, want of memory, a process that is killed."""

from __future__ import annotations

import errno
import io
import json
import multiprocessing
import os
import random
import time
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import numpy as np

from MetaRegistrationLib import checkpoints
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError, TrainingStopped
from MetaRegistrationLib.formats import files, itk_io, patience
from MetaRegistrationLib.formats.image_writing import write_image
from MetaRegistrationLib.formats.landmarks import Landmarks, write_landmarks
from MetaRegistrationLib.formats.tables import write_table
from MetaRegistrationLib.networks import build_network

FAULTS = (
    ("fsync", OSError(errno.ENOSPC, "No space left on device")),
    ("fsync", OSError(errno.EIO, "Input/output error")),
    ("fsync", OSError(errno.EINVAL, "Invalid argument")),
    ("replace", PermissionError(errno.EACCES, "Access is denied")),
    ("replace", OSError(errno.EIO, "Input/output error")),
    ("open", OSError(errno.ENOSPC, "No space left on device")),
    ("open", OSError(errno.EMFILE, "Too many open files")),
    ("write", OSError(errno.EIO, "Input/output error")),
    ("write", OSError(errno.ENOSPC, "No space left on device")),
    ("memory", MemoryError()),
    ("kill", None),
)
ALLOWED = (OSError, InputError, TrainingStopped, MemoryError)
SMALL_NETWORK = {"encoder": [2, 2], "decoder": [2, 2], "full_resolution": [2]}
NAMES = {
    "json": "a.json",
    "table": "a.csv",
    "nrrd": "a.nrrd",
    "nifti": "a.nii.gz",
    "png": "a.png",
    "checkpoint": "a.pt",
    "landmarks": "a.mrk.json",
}


def write(name: str, path: Path, n: int) -> None:
    """Write version `n` of what the writer `name` writes."""
    geometry, array = Geometry((20, 30)), np.arange(600, dtype=np.float32).reshape(20, 30)
    if name == "json":
        files.write_json(path, {"n": n, "text": "x" * 999})
    elif name == "table":
        write_table(path, ["n"], [[n]] * 50)
    elif name in ("nrrd", "nifti"):
        write_image(path, array + n, geometry)
    elif name == "png":
        write_image(path, (array % 200 + n).astype(np.uint8), geometry)
    elif name == "checkpoint":
        checkpoints.save_checkpoint(path, small_checkpoint(n))
    else:
        write_landmarks(path, Landmarks(("a", "b"), np.array([[1.0, 2], [3, 4]]) + n), geometry)


def small_checkpoint(n: int = 0, preprocessing: dict | None = None) -> checkpoints.Checkpoint:
    """A checkpoint of a tiny network, the same at every call but for `n`."""
    network = build_network("voxelmorph", SMALL_NETWORK)
    weights = {key: value * 0 + 0.01 for key, value in checkpoints.cpu_weights(network).items()}
    description = {"name": "voxelmorph", "settings": SMALL_NETWORK}
    return checkpoints.Checkpoint(description, weights, preprocessing or {}, history=[{"n": n}])


class _Failing(io.RawIOBase):
    """A file that takes some bytes, then none."""

    def __init__(self, stream, failure: BaseException, room: int) -> None:
        self._stream, self._failure, self._room = stream, failure, room

    def __enter__(self):
        return self

    def __exit__(self, *exception) -> None:
        self._stream.close()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, data) -> int:
        fits = data[: self._room]
        self._room -= len(fits)
        self._stream.write(fits)
        self._stream.flush()
        if len(fits) < len(data):
            raise self._failure
        return len(data)


def with_fault(kind: str, failure: BaseException, at: int) -> ExitStack:
    """A context in which call number `at` of a system function, and those after it, fail."""
    count = [0]

    def failing(real):
        def call(*arguments, **settings):
            count[0] += 1
            if count[0] > at:
                raise failure
            return real(*arguments, **settings)

        return call

    def open_failing(real):
        def call(path, mode="r", *arguments, **settings):
            stream = real(path, mode, *arguments, **settings)
            return _Failing(stream, failure, 37 * at) if mode.startswith("w") else stream

        return call

    stack = ExitStack()
    stack.enter_context(mock.patch.object(patience, "_PAUSES", (0.0,)))
    if kind == "fsync":
        stack.enter_context(mock.patch.object(os, "fsync", failing(os.fsync)))
    elif kind == "replace":
        stack.enter_context(mock.patch.object(os, "replace", failing(os.replace)))
    elif kind == "open":
        stack.enter_context(mock.patch.object(Path, "open", failing(Path.open)))
    elif kind == "write":
        stack.enter_context(mock.patch.object(Path, "open", open_failing(Path.open)))
    else:
        stack.enter_context(mock.patch.object(itk_io.sitk, "WriteImage", failing(itk_io.sitk.WriteImage)))
        stack.enter_context(mock.patch.object(json, "dumps", failing(json.dumps)))
    return stack


def _write_without_end(name: str, path: Path) -> None:
    while True:
        write(name, path, 2)


def _killed_while_it_writes(name: str, path: Path, seconds: float) -> None:
    # Forked so that a kill costs milliseconds: a new interpreter would load torch every time.
    process = multiprocessing.get_context("fork").Process(target=_write_without_end, args=(name, path))
    process.start()
    time.sleep(seconds)
    process.kill()
    process.join()


def fault_in_a_writer(random_: random.Random, folder: Path) -> tuple[str, str | None]:
    """One fault: what it was, and what was wrong afterwards."""
    name, file = random_.choice(sorted(NAMES.items()))
    kind, failure = random_.choice(FAULTS)
    path = folder / file
    write(name, path, 2)
    new = path.read_bytes()
    write(name, path, 1)
    old, title = path.read_bytes(), f"{name}: {kind} {type(failure).__name__} {getattr(failure, 'errno', '')}"
    if kind == "kill":
        _killed_while_it_writes(name, path, random_.uniform(0.0, 0.05))
        return title, None if path.read_bytes() in (old, new) else "the file is neither the old nor the new one"
    try:
        with with_fault(kind, failure, random_.randrange(3)):
            write(name, path, 2)
        failed = False
    except ALLOWED:
        failed = True
    except BaseException as error:
        return title, f"it raised {type(error).__name__}: {error}"
    if failed and path.read_bytes() != old:
        return title, "the file that was there is not whole"
    if not failed and path.read_bytes() != new:
        return title, "it said that it had written, and had not"
    left = [entry.name for entry in folder.iterdir() if entry.name.startswith(".")]
    return title, f"it left {left}" if left else None
