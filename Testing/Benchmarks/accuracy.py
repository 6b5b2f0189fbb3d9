"""Accuracy and time of MetaRegistration and of other registration programs, on the same pairs, in one run.

Run from the repository, in an environment with the package and its extra `benchmark` (README.md says more):

    python Testing/Benchmarks/accuracy.py train --data DATA --output accuracy
    python Testing/Benchmarks/accuracy.py run --data DATA --output accuracy --threads 2

`run` goes on where it was ended; `check` shows that every program's field points the right way.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

BED_NAMES = ("R", "S")


def main() -> None:
    """Choose threads before any library starts its own, then do what is asked."""
    arguments = _arguments()
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
        os.environ[variable] = str(arguments.threads)
    import accuracy_actions
    import torch

    torch.set_num_threads(arguments.threads)
    raise SystemExit(getattr(accuracy_actions, arguments.action)(arguments))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    run = actions.add_parser("run", help="register, measure, write tables and pictures")
    train = actions.add_parser("train", help="train voxelmorph's network on the pairs to adapt on")
    check = actions.add_parser("check", help="known transforms that every method has to find")
    for action in (run, train, check):
        action.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with octa_scp_*")
        action.add_argument(
            "--output", type=Path, required=True, metavar="DIR", help="results, weights, simulated pairs"
        )
        action.add_argument(
            "--simulated", type=Path, metavar="DIR", help="simulated repeats (default: made in --output; seed 0)"
        )
        action.add_argument("--beds", nargs="+", choices=BED_NAMES, default=list(BED_NAMES), help="R, S (both)")
        action.add_argument("--threads", type=int, default=os.cpu_count() or 1, metavar="N", help="CPU threads")
        action.add_argument("--split", default="test", help=argparse.SUPPRESS if action is train else "(%(default)s)")
        action.add_argument("--pairs", type=int, metavar="N", help="only N pairs a test bed, spread over all")
    for action in (run, check):
        action.add_argument(
            "--methods", nargs="+", metavar="NAME", help="only rows whose name starts with one of these"
        )
        action.add_argument(
            "--checkpoint",
            action="append",
            default=[],
            metavar="[BED:]NAME=PATH",
            help="rows with this checkpoint as well; BED: for one adapted to a test bed (may be repeated)",
        )
    run.add_argument("--worst", type=int, default=3, metavar="N", help="pictures of the N worst pairs (%(default)s)")
    run.add_argument("--worst-of", metavar="ROW", help="row of ours to picture (default: the last one with all stages)")
    train.add_argument("--minutes", type=float, default=10.0, help="of training, a test bed (%(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
