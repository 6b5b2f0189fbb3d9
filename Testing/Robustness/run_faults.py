"""Faults in long runs: commands that are killed, whose disk is full, whose clock jumps, and jobs whose child dies."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import writer_faults

from MetaRegistrationLib import checkpoints
from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.jobs.command_lines import child_environment
from MetaRegistrationLib.jobs.hosts import PlainHost
from MetaRegistrationLib.jobs.job import Job

ROOT = Path(__file__).resolve().parents[2]
PAIRS = ROOT / "Resources" / "SamplePairs"
ENVIRONMENT = {**child_environment(), "OMP_NUM_THREADS": "1"}
COMMAND = ["-m", "MetaRegistrationLib"]
_CLOCK_JUMPS = (
    "import random, runpy, sys, time\n"
    "real, by = time.time, random.Random(sys.argv[1])\n"
    "time.time = lambda: real() + by.choice((-1e9, -3600, 0, 3600, 1e6))\n"
    "sys.argv = ['meta-registration', *sys.argv[2:]]\n"
    "runpy.run_module('MetaRegistrationLib', run_name='__main__')\n"
)
_FULL_DISK = (
    "import resource, runpy, signal, sys\n"
    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)\n"
    "sys.argv = ['meta-registration', *sys.argv[2:]]\n"
    "runpy.run_module('MetaRegistrationLib', run_name='__main__')\n"
)
_EXPECTED = (0, 2, 3, 4, 130)


def _run(words: list[str], kill_after: float | None = None) -> tuple[int, str]:
    process = subprocess.Popen(
        [sys.executable, *words], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
    _, told = process.communicate(timeout=1200)
    return process.returncode, told.decode(errors="replace")[-300:]


def _finetuning(folder: Path, epochs: int) -> list[str]:
    """A short plain fine-tuning; a run that was there is resumed."""
    start, output = folder / "start.pt", folder / "run"
    if not start.exists():
        checkpoints.save_checkpoint(start, writer_faults.small_checkpoint(0, Preprocessing(size=64).to_dict()))
    words = ["finetune", "--pairs", str(PAIRS), "--checkpoint", str(start), "--output", str(output)]
    words += ["--initial", "none", "--epochs", str(epochs), "--plain", "--save-every", "0.05", "--device", "cpu"]
    return words + (["--resume"] if (output / "last.pt").exists() else [])


def _not_whole(folder: Path) -> str | None:
    """What is wrong with a file that a run left."""
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".") or not path.is_file():
            continue
        try:
            if path.suffix == ".pt":
                checkpoints.load_checkpoint(path)
            elif path.name.endswith((".nrrd", ".nii.gz", ".png", ".tif")) and "displacement" not in path.name:
                read_image(path, slice_index=0)
        except InputError as error:
            return f"{path.name} is not whole: {error}"
    return None


def killed_finetuning(random_: random.Random, folder: Path) -> str | None:
    """Killed twice, then left to end: it must go on from a save that is whole."""
    for _ in range(2):
        code, told = _run([*COMMAND, *_finetuning(folder, 40)], random_.uniform(1.5, 6.0))
        if code not in (-9, 0, 1) or _not_whole(folder):
            return _not_whole(folder) or f"exit code {code}: {told}"
    code, told = _run([*COMMAND, *_finetuning(folder, 40)])
    return _not_whole(folder) or (None if code in (0, 2) and (folder / "run" / "last.pt").exists() else told)


def clock_jumps(random_: random.Random, folder: Path) -> str | None:
    """A fine-tuning whose wall clock jumps by years at every look."""
    code, told = _run(["-c", _CLOCK_JUMPS, str(random_.random()), *_finetuning(folder, 3)])
    return _not_whole(folder) or (None if code == 0 else f"exit code {code}: {told}")


def full_disk(random_: random.Random, folder: Path) -> str | None:
    """A fine-tuning or a registration of which no file may grow beyond some bytes."""
    size = str(int(10 ** random_.uniform(1.0, 5.5)))
    words = _finetuning(folder, 3)
    if random_.random() < 0.5:
        words = ["register", "--pairs", str(PAIRS), "--split", "test", "--checkpoint", str(folder / "start.pt")]
        words += ["--output", str(folder / "results"), "--refine", "0", "--device", "cpu", "--initial", "none"]
    code, told = _run(["-c", _FULL_DISK, size, *words])
    return _not_whole(folder) or (None if code in _EXPECTED else f"exit code {code} with {size} bytes: {told}")


def killed_registration(random_: random.Random, folder: Path) -> str | None:
    """A folder's registration killed once: what it wrote is whole, and it can be done again."""
    _finetuning(folder, 1)
    words = ["register", "--pairs", str(PAIRS), "--split", "test", "--checkpoint", str(folder / "start.pt")]
    words += ["--output", str(folder / "results"), "--refine", "0", "--device", "cpu", "--initial", "none"]
    code, told = _run([*COMMAND, *words], random_.uniform(2.0, 6.0))
    if code not in (-9, 0) or _not_whole(folder):
        return _not_whole(folder) or f"exit code {code}: {told}"
    code, told = _run([*COMMAND, *words])
    return _not_whole(folder) or (None if code == 0 else f"again: exit code {code}: {told}")


def child_dies(random_: random.Random, folder: Path) -> str | None:
    """A job whose child is killed by somebody else: it ends, says that it did, and the run can be resumed."""
    host, ends, pids = PlainHost(), [], []
    job = Job(host, lambda event: pids.append(event["pid"]) if event["event"] == "process" else None, ends.append)
    words = [*COMMAND, *_finetuning(folder, 40), "--json", "--watch-stdin"]
    job.start(words, sys.executable, ENVIRONMENT)
    if not host.run_until(lambda: pids or ends, 600.0):
        return "the child does not start"
    host.run_until(lambda: bool(ends), random_.uniform(0.5, 5.0))
    if not ends:
        os.kill(pids[0], 9)
    if not host.run_until(lambda: bool(ends), 600.0):
        return "the job does not notice that its child died"
    return _not_whole(folder)


RUNS = {
    "fine-tuning killed": killed_finetuning,
    "registration killed": killed_registration,
    "clock jumps": clock_jumps,
    "file size limit": full_disk,
    "child of a job killed": child_dies,
}
"""Name of each fault: what injects it into a run, in a folder of its own, and returns what was wrong afterwards."""


def fault_in_a_run(random_: random.Random, folder: Path) -> tuple[str, str | None]:
    """One of `RUNS`."""
    name = random_.choice(sorted(RUNS))
    return name, RUNS[name](random_, folder)
