"""One pair through all stages, again and again: milliseconds after the first.

python Testing/Benchmarks/gpu_pair.py MOVING FIXED --device cuda
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.formats.files import write_json
from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.registration.registrar import Registrar

CHECKPOINT = Path(__file__).parents[2] / "Resources" / "Checkpoints" / "coarse_to_fine_any.pt"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("moving", type=Path)
    parser.add_argument("fixed", type=Path)
    parser.add_argument("--device", nargs="+", default=["cuda", "cpu"] if torch.cuda.is_available() else ["cpu"])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    moving, fixed = read_image(arguments.moving), read_image(arguments.fixed)
    found = {}
    for device in arguments.device:
        registrar = Registrar(load_checkpoint(CHECKPOINT), device)
        runs = [registrar(moving, fixed) for _ in range(arguments.rounds + 1)]
        found[device] = {
            "first_ms": 1e3 * runs[0].seconds,
            "median_ms": 1e3 * float(np.median([run.seconds for run in runs[1:]])),
            "stages_ms": {
                name: 1e3 * float(np.median([run.stage_seconds[name] for run in runs[1:]]))
                for name in runs[0].stage_seconds
            },
        }
        print(f"{device}: {found[device]}")
    if arguments.json:
        write_json(arguments.json, found)


if __name__ == "__main__":
    main()
