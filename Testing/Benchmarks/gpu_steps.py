"""Training steps a second on a GPU: networks, batches, precisions, with and without CUDA graphs, beside the floor.

The floor of a step is the longest of three times: its operations at the card's measured rate of matrix products, the bytes
that its operators read and write at the measured rate of copies, and its kernels at the time that a recorded kernel takes to
start. Methods take turns, so that whatever else the machine does slows all of them alike.

    python Testing/Benchmarks/gpu_steps.py --device cuda --rounds 40 --json steps.json
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import step_time
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from MetaRegistrationLib.core.losses import RegistrationLoss
from MetaRegistrationLib.formats.files import write_json
from MetaRegistrationLib.networks import build_network
from MetaRegistrationLib.progress import Silent
from MetaRegistrationLib.training.cuda_graph import with_cuda_graph
from MetaRegistrationLib.training.devices import to_device
from MetaRegistrationLib.training.step import OptimisationStep

KERNEL_START_S = 1.0e-6
"""From one kernel of a recorded graph to the next, on Hopper; an assumption, not measured here."""
PAPERS_LAUNCH_FLOOR_S = 1e-4


class Traffic(TorchDispatchMode):
    """Counts operators, and the bytes of the tensors that each of them reads and writes."""

    def __init__(self):
        super().__init__()
        self.bytes, self.operators = 0, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        tensors = (*args, *(result if isinstance(result, tuple) else (result,)))
        self.bytes += sum(item.numel() * item.element_size() for item in tensors if isinstance(item, torch.Tensor))
        self.operators += 1
        return result


def main() -> None:
    """Measure, print, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--size", type=int, default=400)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    clock = step_time.clock_of(device)
    rates = card_rates(device, clock)
    print(f"measured rates: {rates}")
    rows = []
    for name in ("voxelmorph", "coarse_to_fine"):
        for batch in arguments.batches:
            rows += _rows(name, batch, device, arguments, clock, rates)
    result = {"machine": step_time.machine(torch.get_num_threads()), "rates": rates, "steps": rows}
    if arguments.json:
        write_json(arguments.json, result)


def card_rates(device: torch.device, clock: Callable[[], float]) -> dict[str, float]:
    """Operations a second of matrix products, bfloat16 and float32, and bytes a second of a copy."""
    side = 8192 if device.type == "cuda" else 512
    found = {}
    for name, dtype in (("bfloat16", torch.bfloat16), ("float32", torch.float32)):
        one = torch.randn(side, side, device=device, dtype=dtype)
        found[f"{name}_operations"] = 2 * side**3 / _best(lambda one=one: one @ one, clock)
    block = torch.empty(2**30 if device.type == "cuda" else 2**24, dtype=torch.uint8, device=device)
    target = torch.empty_like(block)
    found["bytes"] = 2 * block.numel() / _best(lambda: target.copy_(block), clock)
    return found


def _best(work: Callable[[], object], clock: Callable[[], float]) -> float:
    taken = []
    for _ in range(5):
        start = clock()
        work()
        taken.append(clock() - start)
    return min(taken)


def _rows(name, batch, device, arguments, clock, rates) -> list[dict]:
    moving, fixed = (image.expand(batch, -1, -1, -1).contiguous() for image in step_time.images(arguments.size, device))
    kinds = [(mixed, graph) for mixed in (False, True) for graph in (False, True) if device.type == "cuda" or not graph]
    steps = [_step(name, moving, fixed, mixed, graph) for mixed, graph in kinds]
    times = step_time.interleaved(steps, arguments.rounds, 6, clock)
    floors = {mixed: floor(name, moving, fixed, mixed, rates) for mixed in (False, True)}
    found = []
    for (mixed, graph), taken in zip(kinds, times, strict=True):
        median, bound = float(np.median(taken)), floors[mixed]
        row = {
            "network": name,
            "batch": batch,
            "precision": "bfloat16" if mixed else "float32",
            "cuda_graph": graph,
            "median_ms": 1e3 * median,
            "steps_per_second": 1 / median,
            "floor_ms": 1e3 * bound["floor"],
            "times_the_floor": median / bound["floor"],
            **bound,
        }
        print(
            f"{name:15} batch {batch} {row['precision']:9} {'graph' if graph else 'eager':6}"
            f"{row['median_ms']:9.2f} ms {row['steps_per_second']:8.1f} a second, floor {row['floor_ms']:.3f} ms, "
            f"{row['times_the_floor']:.1f} times it ({bound['operators']} operators)"
        )
        found.append(row)
    return found


def _step(name: str, moving, fixed, mixed: bool, graph: bool) -> Callable[[], float]:
    torch.manual_seed(0)
    network = to_device(build_network(name, {}), moving.device)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)
    step = OptimisationStep(RegistrationLoss(), moving.device, mixed)
    step = with_cuda_graph(step, "auto" if graph else "off", own_network=True, progress=Silent())
    return lambda: step(network, optimiser, moving, fixed).loss


def floor(name: str, moving, fixed, mixed: bool, rates: dict[str, float]) -> dict[str, float]:
    """Operations, bytes and operators of one loss and its gradients, and the seconds below which no step can be."""
    network = to_device(build_network(name, {}), moving.device)
    step = OptimisationStep(RegistrationLoss(), moving.device, mixed)
    step.gradients(network, moving, fixed)
    network.zero_grad(set_to_none=True)
    counter = FlopCounterMode(display=False)
    with counter, Traffic() as traffic:
        step.gradients(network, moving, fixed)
    operations = counter.get_total_flops()
    seconds = {
        "operations_s": operations / rates["bfloat16_operations" if mixed else "float32_operations"],
        "bytes_s": sum(p.numel() * 4 for p in network.parameters()) * 8 / rates["bytes"],
        "launch_s": PAPERS_LAUNCH_FLOOR_S,
    }
    return {
        "operations": operations,
        "operators": traffic.operators,
        "bytes_of_all_operators": traffic.bytes,
        "bytes_of_all_operators_s": traffic.bytes / rates["bytes"],
        "started_one_by_one_s": traffic.operators * KERNEL_START_S,
        **seconds,
        "floor": max(seconds.values()),
    }


if __name__ == "__main__":
    start = time.perf_counter()
    main()
    print(f"{time.perf_counter() - start:.0f} s")
