"""The scripts for SLURM that the page shows, submitted to the SLURM of this machine where there is one."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from page_blocks import page_blocks
from page_files import make_files
from pages import ROOT

HANG_S = 1200
# What the page has for a large cluster, and what one machine and five pairs need.
SMALLER = {
    "/data/biobank/pairs.csv": "biobank/pairs.csv",
    "/scratch/results": "results",
    "--array=1-100": "--array=1-2",
    '/100"': '/2"',
    "--ntasks=65": "--ntasks=3",
    "--ntasks=64": "--ntasks=2",
    "--mem=4G": "--mem=1G",
}


def _answers() -> bool:
    return (
        shutil.which("sbatch") is not None
        and subprocess.run(["sinfo"], capture_output=True, check=False).returncode == 0
    )


pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not _answers(), reason="no SLURM answers here (sbatch, sinfo)"),
]


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The three blocks, made smaller, in a folder with the files that they name; our program is on the path."""
    make_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    found = [block.code for block in page_blocks(ROOT / "Documentation" / "Reference" / "Cluster.md")]
    chosen = [code for code in found if "sbatch" in code.lower()]
    assert len(chosen) == 3
    for usual, small in SMALLER.items():
        assert any(usual in code for code in chosen), usual
        chosen = [code.replace(usual, small) for code in chosen]
    return chosen


def submit(script: str) -> str:
    """Run lines that submit jobs, and wait for all of them; what the jobs printed."""
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, timeout=HANG_S, check=False)
    assert done.returncode == 0, done.stderr
    end = time.monotonic() + HANG_S
    while subprocess.run(["squeue", "--noheader", "--me"], capture_output=True, text=True, check=True).stdout.strip():
        assert time.monotonic() < end
        time.sleep(1)
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(Path().glob("slurm-*.out")))


def pairs_in(table: Path) -> list[str]:
    """The names of the pairs in a table of results."""
    with table.open(encoding="utf-8", newline="") as lines:
        return [row["pair"] for row in csv.DictReader(lines)]


def test_a_job_array_registers_all_pairs_and_its_tables_are_merged(scripts):
    Path("register.sh").write_text(scripts[0], encoding="utf-8")
    printed = submit(scripts[1])
    assert "merge finished" in printed, printed
    assert len(pairs_in(Path("results/metrics.csv"))) == 5
    assert len(pairs_in(Path("results/shard_1_of_2/metrics.csv"))) == 3


def test_a_job_that_is_requeued_does_what_is_left(scripts):
    """The job is stopped once its first pair is finished."""
    alone = scripts[0].replace("--array=1-2", "--array=1-1").replace('/2"', '/1"')
    Path("register.sh").write_text(alone, encoding="utf-8")
    job = subprocess.run(
        ["sbatch", "--parsable", "register.sh"], capture_output=True, text=True, check=True
    ).stdout.strip()
    finished, end = Path("results/shard_1_of_1/phantom_001"), time.monotonic() + HANG_S
    while not finished.exists():
        assert time.monotonic() < end
        time.sleep(0.2)
    subprocess.run(["scontrol", "requeue", f"{job}_1"], check=True)
    # SLURM waits two minutes before it starts a job again.
    printed = submit("true")
    assert "resumed: " in printed and "of 5 pairs are finished" in printed, printed
    assert len(pairs_in(Path("results/shard_1_of_1/metrics.csv"))) == 5


def test_workers_of_dask_register_all_pairs(scripts):
    pytest.importorskip("distributed")
    Path("dask.sh").write_text(scripts[2], encoding="utf-8")
    printed = submit("sbatch dask.sh")
    assert "register finished" in printed, printed
    assert len(pairs_in(Path("results/metrics.csv"))) == 5
