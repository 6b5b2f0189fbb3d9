"""Time of one training step at 400 x 400, batch 1: MetaRegistration, voxelmorph and MONAI, in one run.

The methods take turns (A, B, C, A, B, C, ...), so that whatever else the machine does slows all of them alike.
Run from the repository, in an environment with the package and its extra `benchmark`:

    python Testing/Benchmarks/step_time.py --threads 2 --rounds 30 --json step_time.json
"""

from __future__ import annotations

import argparse
import importlib.metadata
import math
import platform
import time
from collections.abc import Callable
from pathlib import Path

import methods
import numpy as np
import torch
from methods import Method
from torch import Tensor
from torch.nn import functional

from MetaRegistrationLib.formats.files import write_json
from MetaRegistrationLib.training.devices import mixed_precision_available

MAKERS = {
    "MetaRegistration": methods.ours,
    "MetaRegistration, plain": methods.ours_plain,
    "voxelmorph": methods.voxelmorph,
    "MONAI": methods.monai,
}
LARGEST_PARAMETER_DIFFERENCE = 0.1
TARGET = 1.5


def main() -> None:
    """Measure on every device asked for, print tables, write JSON."""
    arguments = _arguments()
    torch.set_num_threads(arguments.threads)
    result = {"machine": machine(arguments.threads), "size": arguments.size, "rounds": arguments.rounds, "devices": {}}
    print(", ".join(f"{key} {value}" for key, value in result["machine"].items()))
    for name in arguments.devices:
        result["devices"][name] = measure(torch.device(name), arguments.size, arguments.rounds, arguments.warm_up)
        print_table(name, result["devices"][name])
    if arguments.json is not None:
        write_json(arguments.json, result)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="CPU threads (%(default)s)")
    parser.add_argument("--rounds", type=int, default=30, help="measured steps of each method (%(default)s)")
    parser.add_argument("--warm-up", type=int, default=5, help="steps before, of each method (%(default)s)")
    parser.add_argument("--size", type=int, default=400, help="side of the images, a multiple of 16 (%(default)s)")
    parser.add_argument(
        "--devices",
        nargs="+",
        default=["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"],
        help="cpu, cuda (all there are)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here")
    return parser.parse_args()


def machine(threads: int) -> dict[str, object]:
    """What the numbers depend on besides the methods."""
    found = {
        "processor": _processor(),
        "system": platform.platform(),
        "threads": threads,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "bfloat16 on cpu": mixed_precision_available(torch.device("cpu")),
    }
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    for package in ("voxelmorph", "neurite", "monai"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def _processor() -> str:
    listing = Path("/proc/cpuinfo")  # Linux; elsewhere the standard library knows the name
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.is_file() else []
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.processor()
    )


def measure(device: torch.device, size: int, rounds: int, warm_up: int) -> dict:
    """Times of all methods on a device, and of the parts of ours."""
    moving, fixed = images(size, device)
    chosen = made(moving, fixed)
    clock = clock_of(device)
    times = interleaved([method.step for method in chosen.values() if method], rounds, warm_up, clock)
    rows, measured = {}, iter(times)
    for name, method in chosen.items():
        if method is None:
            rows[name] = None
        else:
            rows[name] = {"settings": method.settings, "parameters": method.parameters, **summary(next(measured))}
    reference = rows["MetaRegistration"]
    for row in filter(None, rows.values()):
        row["ratio_of_medians"] = row["median_s"] / reference["median_s"]
        row["ratio_of_minima"] = row["minimum_s"] / reference["minimum_s"]
    return {"methods": rows, "parts": parts(moving, fixed, rounds, warm_up, clock)}


def images(size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Smooth random textures (1, 1, size, size) in [0, 1] with noise, the fixed one moved by three pixels."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 1, size // 8, size // 8, generator=generator)
    texture = functional.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=False)
    pair = torch.cat((texture, torch.roll(texture, (3, 3), dims=(2, 3))))
    pair = 0.8 * pair.clamp(0, 1) + 0.2 * torch.rand(pair.shape, generator=generator)
    return pair[:1].to(device), pair[1:].to(device)


def made(moving: Tensor, fixed: Tensor) -> dict[str, Method | None]:
    """The methods, None for those whose library is missing.

    Raises
    ------
    SystemExit
        A method has not as many parameters as ours, or its loss is not finite: there would be nothing to compare.
    """
    chosen: dict[str, Method | None] = {}
    for name, make in MAKERS.items():
        torch.manual_seed(0)
        try:
            chosen[name] = make(moving, fixed)
        except ImportError:
            chosen[name] = None
    wanted = chosen["MetaRegistration"].parameters
    for method in filter(None, chosen.values()):
        if abs(method.parameters / wanted - 1) > LARGEST_PARAMETER_DIFFERENCE:
            raise SystemExit(f"{method.name} has {method.parameters} parameters, ours {wanted}: not comparable.")
        if not math.isfinite(loss := method.step()):
            raise SystemExit(f"{method.name}: the loss of its first step is {loss}.")
    return chosen


def clock_of(device: torch.device) -> Callable[[], float]:
    """Seconds, once the device has done all it was given."""

    def clock() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    return clock


def interleaved(steps: list[Callable[[], float]], rounds: int, warm_up: int, clock: Callable[[], float]) -> np.ndarray:
    """Seconds (methods, rounds) of steps that take turns."""
    times = np.empty((len(steps), warm_up + rounds))
    for turn in range(warm_up + rounds):
        for index, step in enumerate(steps):
            start = clock()
            step()
            times[index, turn] = clock() - start
    return times[:, warm_up:]


def summary(seconds: np.ndarray) -> dict[str, float]:
    """Median, minimum and quartiles."""
    lower, median, upper = np.percentile(seconds, (25, 50, 75))
    return {
        "median_s": float(median),
        "minimum_s": float(seconds.min()),
        "lower_quartile_s": float(lower),
        "upper_quartile_s": float(upper),
    }


def parts(moving: Tensor, fixed: Tensor, rounds: int, warm_up: int, clock: Callable[[], float]) -> dict[str, float]:
    """Median seconds of each part of our step."""
    step = methods.parts_of_ours(moving, fixed, clock)
    taken = [step() for _ in range(warm_up + rounds)][warm_up:]
    return {name: float(np.median([times[name] for times in taken])) for name in taken[0]}


def print_table(device: str, measured: dict) -> None:
    """Times in milliseconds, and how many times as long as ours."""
    print(f"\n{device}: one training step, ms")
    print(f"{'':24}{'settings':25}{'parameters':>11}{'median':>9}{'min':>8}{'quartiles':>17}{'ratio':>8}{'of min':>8}")
    for name, row in measured["methods"].items():
        if row is None:
            print(f"{name:24}not installed")
            continue
        median, low, first, third = (
            1e3 * row[key] for key in ("median_s", "minimum_s", "lower_quartile_s", "upper_quartile_s")
        )
        print(
            f"{name:24}{row['settings']:25}{row['parameters']:11}{median:9.1f}{low:8.1f}{first:9.1f}{third:8.1f}"
            f"{row['ratio_of_medians']:8.2f}{row['ratio_of_minima']:8.2f}"
        )
    print(f"ratio: times of MetaRegistration. Wanted of the other libraries: at least {TARGET}.")
    print("parts of ours, ms: " + ", ".join(f"{name} {1e3 * value:.1f}" for name, value in measured["parts"].items()))


if __name__ == "__main__":
    main()
