"""What ten epochs of fine-tuning bring about: each set in halves, trained on one and measured on the other, both ways round.

    python Testing/Benchmarks/adaptation_halves.py --data DATA --output halves [--sets R S2 brain_rslices ...]

Sets are those of `kinds.py`; of R, the pairs of its split fine_tune are trained on. No landmark or label is used in training.
It goes on where it was ended.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import kinds_sets
import numpy as np
from accuracy_beds import bed_pairs
from kinds_methods import OfPeer, Ours
from kinds_results import measured

from MetaRegistrationLib import finetune
from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.formats.files import writable_folder, write_json
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.resources import default_checkpoint

SETS = ("R", "S2", "sem_sections", "histology_lesion3", "brain_rslices", "cross_contrast_brain")


def halves(name: str, data: Path, output: Path, count: int) -> list[tuple[list, list]]:
    """Pairs to train on and pairs to measure, each pair as its files and those of its labels."""
    files = kinds_sets.set_files(name, data, output / "made", count)
    if name == "R":
        return [([(pair, None) for pair in bed_pairs(name, "fine_tune", data, output / "made")], files)]
    first, second = files[::2], files[1::2]
    return [(first, second), (second, first)]


def errors(name: str, files: list, checkpoint: Path) -> np.ndarray:
    """Of each pair the error at its landmarks, px, or 1 - Dice."""
    ours = Ours("ours", Registrar(load_checkpoint(checkpoint), "cpu"), {})
    found = []
    for pair_files, labels in files:
        pair = kinds_sets.load(name, pair_files, labels)
        result = measured(pair, "ours", "", ours.find(pair), OfPeer().find(pair))
        found.append(result.error_px if np.isfinite(result.error_px) else 1 - result.dice)
    return np.array(found)


def measure(name: str, number: int, trained: list, held_out: list, output: Path) -> dict:
    """Train on one half, and measure the other before and after."""
    run = output / "runs" / f"{name}_{number}"
    pairs = [(pair.moving, pair.fixed) for pair, _ in trained]
    finetune(pairs, output=run, resume=(run / "last.pt").is_file(), device="cpu")
    before = errors(name, held_out, default_checkpoint())
    after = errors(name, held_out, run / "best.pt")
    change = after - before
    return {
        "trained": len(trained),
        "measured": len(held_out),
        "before": before.mean(),
        "after": after.mean(),
        "better": int((change < -0.005).sum()),
        "worse": int((change > 0.005).sum()),
        "most_worse": change.max(),
    }


def main() -> None:
    """Train and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--pairs", type=int, default=20, help="of S2")
    arguments = parser.parse_args()
    output = writable_folder(arguments.output)
    for name in arguments.sets:
        for number, (trained, held_out) in enumerate(halves(name, arguments.data, output, arguments.pairs)):
            path = output / f"{name}_{number}.json"
            if not path.is_file():
                write_json(path, measure(name, number, trained, held_out, output))
            print(name, number, json.loads(path.read_text(encoding="utf-8")), flush=True)


if __name__ == "__main__":
    main()
