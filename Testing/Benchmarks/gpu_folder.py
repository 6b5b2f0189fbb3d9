"""Pairs per second of a folder on one device, by the number of pairs at once, and the difference to the processor's fields.

python Testing/Benchmarks/gpu_folder.py PAIRS --device cuda --batch 1 16 64 --json folder.json
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from MetaRegistrationLib.formats.files import write_json
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.workflows import pair_work
from MetaRegistrationLib.workflows.batched import outcomes
from MetaRegistrationLib.workflows.pair_work import PairWork, WorkSettings
from MetaRegistrationLib.workflows.registrars import RegistrarOptions


class _Kept(PairWork):
    """Keeps the fields."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self.fields: dict[str, np.ndarray] = {}

    def registered(self, files: object, tell: object) -> pair_work.Registered:
        """As of `PairWork`."""
        done = super().registered(files, tell)
        self.fields[files.name] = done.registration.displacement_px
        return done


def measured(pairs: list, device: str, batch: int) -> tuple[float, dict[str, np.ndarray]]:
    """Pairs per second after the first ones, and the fields."""
    work = _Kept.of(WorkSettings(RegistrarOptions(device=device)))
    list(outcomes(work, pairs[: batch + 1], lambda files: None, batch))  # sets things up
    began = time.perf_counter()
    list(outcomes(work, pairs, lambda files: None, batch))
    return len(pairs) / (time.perf_counter() - began), work.fields


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--count", type=int, default=128, help="pairs, those of the folder again and again")
    parser.add_argument("--compared", type=int, default=16, help="pairs that are registered on the processor too")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    found = find_pairs(arguments.pairs, check=False).pairs
    pairs = [found[number % len(found)] for number in range(arguments.count)]
    expected = measured(pairs[: arguments.compared], "cpu", 1)[1]
    rows = []
    for batch in arguments.batch:
        speed, fields = measured(pairs, arguments.device, batch)
        apart = [np.linalg.norm(fields[name] - field, axis=0) for name, field in expected.items()]
        rows.append(
            {
                "batch": batch,
                "pairs_per_second": speed,
                "mean_difference_px": float(np.mean([each.mean() for each in apart])),
                "largest_difference_px": float(np.max([each.max() for each in apart])),
            }
        )
        print(rows[-1], flush=True)
    if arguments.json:
        write_json(arguments.json, {"device": arguments.device, "rows": rows})


if __name__ == "__main__":
    main()
