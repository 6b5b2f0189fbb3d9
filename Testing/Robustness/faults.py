"""Faults in writers and long runs: what was there before must be whole afterwards, and what ends early must say why.

    python Testing/Robustness/faults.py --seconds 3600
    python Testing/Robustness/faults.py --writers 900 --runs 100 --seed 1

POSIX only: it kills with SIGKILL, forks writers and limits the size of files.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]
import run_faults  # noqa: E402
import writer_faults  # noqa: E402

Fault = Callable[[random.Random, Path], tuple[str, str | None]]


def inject(fault: Fault, count: int, end: float, seed: int) -> tuple[Counter, list[tuple[str, str]]]:
    """How many faults of each kind there were until `count` or the time `end` (monotonic), and what was lost by which."""
    random_, done, wrong = random.Random(seed), Counter(), []
    while sum(done.values()) < count and time.monotonic() < end:
        with tempfile.TemporaryDirectory() as folder:
            title, what = fault(random_, Path(folder))
        done[title] += 1
        wrong += [(title, what)] if what else []
    return done, wrong


def main() -> int:
    """Inject faults until the time is over or there were enough; 1 when something was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3600.0, help="a quarter of them for writers (%(default)s)")
    parser.add_argument("--writers", type=int, default=10**9, metavar="N", help="faults in writers, at most")
    parser.add_argument("--runs", type=int, default=10**9, metavar="N", help="faults in runs, at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--report", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    now = time.monotonic()
    parts = (
        (writer_faults.fault_in_a_writer, arguments.writers, now + arguments.seconds / 4),
        (run_faults.fault_in_a_run, arguments.runs, now + arguments.seconds),
    )
    done, wrong = Counter(), []
    for fault, count, end in parts:
        some, lost = inject(fault, count, end, arguments.seed)
        done, wrong = done + some, wrong + lost
    print(f"{sum(done.values())} faults of {len(done)} kinds, {len(wrong)} with a loss")
    for title, what in wrong[:20]:
        print(f"    {title}: {what}")
    if arguments.report:
        arguments.report.write_text(json.dumps({"done": done, "wrong": wrong}, indent=1), encoding="utf-8")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
