"""The few-shot benchmark of meta-learning: one modality left out, a start trained on the others, adapted to K pairs.

    python Testing/Benchmarks/few_shot.py run --data DATA --output few_shot --seeds 1
    python Testing/Benchmarks/few_shot.py run --data DATA --output few_shot_400 --confirm --targets octa --seeds 1
    python Testing/Benchmarks/few_shot.py table --output few_shot

A run that is started again continues after the units that are done.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from few_shot_runs import CONFIRMATION, METHODS, REAL, TARGETS, Plan, Runs


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="train and adapt, or continue")
    run.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    run.add_argument("--output", type=Path, required=True, help="folder of the results")
    run.add_argument("--targets", nargs="+", choices=[*TARGETS, REAL], default=list(TARGETS))
    run.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    run.add_argument("--seeds", type=int, default=3, help="number of seeds, from 0 on")
    run.add_argument("--pairs", type=int, nargs="+", help="numbers of pairs to adapt on; all unless given")
    run.add_argument("--confirm", action="store_true", help="the smaller plan on a grid of 400 pixels")
    run.add_argument("--threads", type=int, default=1)
    table = commands.add_parser("table", help="write the table and the curves")
    table.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.command == "table":
        from few_shot_table import write_tables

        write_tables(arguments.output)
        return
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    runs = Runs(arguments.output, arguments.data, CONFIRMATION if arguments.confirm else Plan())
    for seed in range(arguments.seeds):
        _work(runs.units(arguments.targets, arguments.methods, seed, arguments.pairs))
    for seed in range(arguments.seeds):
        _work(runs.recipe_units(arguments.targets, seed, arguments.pairs))


def _work(units: Iterable[tuple[str, Callable[[], None]]]) -> None:
    for name, work in units:
        started, used = time.time(), time.process_time()
        work()
        seconds = f"{time.process_time() - used:.0f} s of the processor, {time.time() - started:.0f} s"
        print(f"{name}: {seconds}", flush=True)


if __name__ == "__main__":
    main()
