"""Some faults of each campaign in writers and runs, with a fixed seed; the campaigns themselves run for hours (README.md)."""

import importlib
import random
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

posix = pytest.mark.skipif(sys.platform == "win32", reason="the campaigns need POSIX processes")


@posix
@pytest.mark.parametrize("count", [60, pytest.param(300, marks=pytest.mark.long)])
def test_writers_survive_faults(count):
    faults, writer_faults = importlib.import_module("faults"), importlib.import_module("writer_faults")
    done, wrong = faults.inject(writer_faults.fault_in_a_writer, count, time.monotonic() + 3600, seed=2)
    assert sum(done.values()) == count and not wrong


@posix
def test_a_writer_that_loses_something_is_found(tmp_path, monkeypatch):
    writer_faults = importlib.import_module("writer_faults")
    monkeypatch.setattr(writer_faults, "write", lambda name, path, n: path.open("w").write(f"{name} {n}" * 99))
    monkeypatch.setattr(writer_faults, "FAULTS", [fault for fault in writer_faults.FAULTS if fault[0] == "write"])
    assert any(writer_faults.fault_in_a_writer(random.Random(seed), tmp_path)[1] for seed in range(3))


def runs() -> list:
    """The faults in runs; kills and full disks of other commands are in `Testing/Library` too."""
    names = importlib.import_module("run_faults").RUNS if sys.platform != "win32" else []
    return [name if name == "child of a job killed" else pytest.param(name, marks=pytest.mark.long) for name in names]


@posix
@pytest.mark.parametrize("name", runs())
def test_runs_survive_faults(name, tmp_path):
    assert importlib.import_module("run_faults").RUNS[name](random.Random(4), tmp_path) is None
