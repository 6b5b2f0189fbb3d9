"""Faults in writers and long runs: what was there before must be whole afterwards, and what ends early must say why.

    python Testing/Robustness/faults.py --seconds 3600
    python Testing/Robustness/faults.py --count 20 --seed 1

Writers get a full disk, EIO, a failing fsync or rename, or want of memory at a random call; a fine-tuning is killed (SIGKILL) at
random moments and must go on from a save that is whole.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))
from MetaRegistrationLib import checkpoints  # noqa: E402
from MetaRegistrationLib.errors import InputError, TrainingStopped  # noqa: E402
from MetaRegistrationLib.formats import files, itk_io  # noqa: E402
from MetaRegistrationLib.formats.image_writing import write_image  # noqa: E402
from MetaRegistrationLib.formats.landmarks import Landmarks, write_landmarks  # noqa: E402
from MetaRegistrationLib.formats.tables import write_table  # noqa: E402
from MetaRegistrationLib.frames.geometry import Geometry  # noqa: E402
from MetaRegistrationLib.networks import build_network  # noqa: E402

FAULTS = (
    ("fsync", OSError(errno.ENOSPC, "No space left on device")),
    ("fsync", OSError(errno.EIO, "Input/output error")),
    ("fsync", OSError(errno.EINVAL, "Invalid argument")),
    ("replace", PermissionError(errno.EACCES, "Access is denied")),
    ("replace", OSError(errno.EIO, "Input/output error")),
    ("open", OSError(errno.ENOSPC, "No space left on device")),
    ("open", OSError(errno.EMFILE, "Too many open files")),
    ("memory", MemoryError()),
)
ALLOWED = (OSError, InputError, TrainingStopped, MemoryError)


def writers(folder: Path) -> dict[str, tuple[Path, object]]:
    """Name of each writer: the file that it writes, and a call that writes version `n` of it."""
    geometry, array = Geometry((20, 30)), np.arange(600, dtype=np.float32).reshape(20, 30)
    settings = {"encoder": [2, 2], "decoder": [2, 2], "full_resolution": [2]}
    weights = checkpoints.cpu_weights(build_network("voxelmorph", settings))

    def checkpoint(n: int) -> checkpoints.Checkpoint:
        return checkpoints.Checkpoint({"name": "voxelmorph", "settings": settings}, weights, {}, history=[{"n": n}])

    points = Landmarks(("a", "b"), np.array([[1.0, 2], [3, 4]]))
    named = {name: folder / name for name in ("a.json", "a.csv", "a.nrrd", "a.nii.gz", "a.png", "a.pt", "a.mrk.json")}
    return {
        "json": (named["a.json"], lambda n: files.write_json(named["a.json"], {"n": n, "text": "x" * 999})),
        "table": (named["a.csv"], lambda n: write_table(named["a.csv"], ["n"], [[n]] * 50)),
        "nrrd": (named["a.nrrd"], lambda n: write_image(named["a.nrrd"], array + n, geometry)),
        "nifti": (named["a.nii.gz"], lambda n: write_image(named["a.nii.gz"], array + n, geometry)),
        "png": (named["a.png"], lambda n: write_image(named["a.png"], (array % 200 + n).astype(np.uint8), geometry)),
        "checkpoint": (named["a.pt"], lambda n: checkpoints.save_checkpoint(named["a.pt"], checkpoint(n))),
        "landmarks": (
            named["a.mrk.json"],
            lambda n: write_landmarks(named["a.mrk.json"], Landmarks(points.labels, points.points + n), geometry),
        ),
    }


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

    stack = ExitStack()
    stack.enter_context(mock.patch.object(files, "_PAUSES", (0.0,)))
    if kind == "fsync":
        stack.enter_context(mock.patch.object(os, "fsync", failing(os.fsync)))
    elif kind == "replace":
        stack.enter_context(mock.patch.object(os, "replace", failing(os.replace)))
    elif kind == "open":
        stack.enter_context(mock.patch.object(Path, "open", failing(Path.open)))
    else:
        stack.enter_context(mock.patch.object(itk_io.sitk, "WriteImage", failing(itk_io.sitk.WriteImage)))
        stack.enter_context(mock.patch.object(json, "dumps", failing(json.dumps)))
    return stack


def fault_in_a_writer(random_: random.Random, folder: Path) -> tuple[str, str | None]:
    """One fault: what it was, and what was wrong afterwards."""
    name, (path, write) = random_.choice(sorted(writers(folder).items()))
    kind, failure = random_.choice(FAULTS)
    write(1)
    before, title = path.read_bytes(), f"{name}: {kind}, {type(failure).__name__} {getattr(failure, 'errno', '')}"
    try:
        with with_fault(kind, failure, random_.randrange(3)):
            write(2)
        failed = False
    except ALLOWED:
        failed = True
    except BaseException as error:
        return title, f"it raised {type(error).__name__}: {error}"
    after = path.read_bytes()
    write(2)
    if failed and after != before:
        return title, "the file that was there is not whole"
    if not failed and after != path.read_bytes():
        return title, "it said that it had written, and had not"
    left = [entry.name for entry in folder.iterdir() if entry.name.startswith(".")]
    for entry in left:
        (folder / entry).unlink()
    return title, f"it left {left}" if left else None


def killed_run(random_: random.Random, folder: Path) -> tuple[str, str | None]:
    """A fine-tuning that is killed some times on its way to its end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    settings = {"encoder": [2, 2], "decoder": [2, 2], "full_resolution": [2]}
    weights = checkpoints.cpu_weights(build_network("voxelmorph", settings))
    start, output = folder / "start.pt", folder / "run"
    small = {"size": 64, "equalise": True, "bins": 256}
    checkpoints.save_checkpoint(
        start, checkpoints.Checkpoint({"name": "voxelmorph", "settings": settings}, weights, small)
    )
    words = [
        sys.executable,
        "-m",
        "MetaRegistrationLib",
        "finetune",
        "--pairs",
        str(ROOT / "Resources" / "SamplePairs"),
    ]
    words += ["--checkpoint", str(start), "--output", str(output), "--initial", "none", "--epochs", "40", "--plain"]
    words += ["--save-every", "0.05", "--device", "cpu"]
    for attempt in range(4):
        last = attempt == 3
        resume = ["--resume"] if (output / "last.pt").exists() else []
        process = subprocess.Popen(
            [*words, *resume], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        if not last:
            time.sleep(random_.uniform(1.5, 6.0))
            process.kill()
        _, told = process.communicate(timeout=300)
        if process.returncode not in (0, -9, 1, 137):
            return "killed run", f"attempt {attempt + 1} ended with {process.returncode}: {told.decode()[-300:]}"
        for name in ("last.pt", "best.pt"):
            if (output / name).exists():
                try:
                    checkpoints.load_checkpoint(output / name)
                except InputError as error:
                    return "killed run", f"{name} is not whole: {error}"
        if process.returncode == 0:
            break
    position = checkpoints.load_checkpoint(output / "last.pt").training["position"]["step"]
    return "killed run", None if process.returncode == 0 else f"it did not end, at step {position}"


def main() -> int:
    """Inject faults until the time is over or there were enough; 1 when something was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--count", type=int, help="faults in writers, at most")
    parser.add_argument("--kills", type=int, default=5, help="runs that are killed (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random_, done, wrong = random.Random(arguments.seed), Counter(), []
    end = time.monotonic() + arguments.seconds
    for number in range(arguments.kills):
        with tempfile.TemporaryDirectory() as folder:
            title, what = killed_run(random_, Path(folder))
            done[title] += 1
            wrong += [(number, title, what)] if what else []
    count = 0
    while time.monotonic() < end and (arguments.count is None or count < arguments.count):
        with tempfile.TemporaryDirectory() as folder:
            title, what = fault_in_a_writer(random_, Path(folder))
        count += 1
        done[title] += 1
        wrong += [(count, title, what)] if what else []
    print(f"{sum(done.values())} faults of {len(done)} kinds, {len(wrong)} with a loss")
    for _number, title, what in wrong[:20]:
        print(f"    {title}: {what}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
