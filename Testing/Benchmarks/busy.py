"""One registration, and some epochs of fine-tuning, alone and beside as many busy processes as there are cores.

Runs of either kind take turns in processes of their own; the result is the ratio of the medians.

    python Testing/Benchmarks/busy.py --rounds 5
    python Testing/Benchmarks/busy.py --rounds 2 --policy library --epochs 10     # fine-tuning instead of registering
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
_SPIN = "while True: pass"
_REGISTER = """
import sys
from pathlib import Path
import numpy as np
from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.resources import default_checkpoint, sample_pairs
pair = find_pairs(sample_pairs(), check=False).pairs[0].load()
registrar = Registrar(load_checkpoint(default_checkpoint()), "cpu")
registrar(pair.moving, pair.fixed)
print(np.median([registrar(pair.moving, pair.fixed).seconds for _ in range(5)]))
"""
_FINE_TUNE = """
import sys, tempfile, time
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.resources import sample_pairs
began = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    what = ["finetune", "--pairs", str(sample_pairs()), "--epochs", "{epochs}", "--output", folder, "--device", "cpu"]
    code = main([*what, "--json"])
print()
print(time.perf_counter() - began)
sys.exit(code)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--policy",
        nargs="+",
        default=["library", "PASSIVE", "ACTIVE"],
        help="of OpenMP's waiting threads; `library`: as ours sets it",
    )
    parser.add_argument("--epochs", type=int, default=0, help="of fine-tuning on the sample pairs, in place of a pair")
    arguments = parser.parse_args()
    code = _FINE_TUNE.replace("{epochs}", str(arguments.epochs)) if arguments.epochs else _REGISTER
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for policy in arguments.policy:
        taken = {busy: [] for busy in (False, True)}
        for _ in range(arguments.rounds):
            for busy, times in taken.items():
                times.append(_seconds(code, policy, cores if busy else 0))
        alone, beside = (float(np.median(taken[busy])) for busy in (False, True))
        print(
            f"{policy}: alone {alone:.2f} s, beside {cores} busy processes {beside:.2f} s, {beside / alone:.1f} times as long"
        )


def _seconds(code: str, policy: str, busy: int) -> float:
    others = [subprocess.Popen([sys.executable, "-c", _SPIN]) for _ in range(busy)]
    try:
        time.sleep(0.2)
        environment = {
            key: value for key, value in os.environ.items() if key not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
        }
        environment |= {"PYTHONPATH": str(ROOT)} | ({} if policy == "library" else {"OMP_WAIT_POLICY": policy})
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        return float(done.stdout.split()[-1])
    finally:
        for other in others:
            other.kill()


if __name__ == "__main__":
    main()
