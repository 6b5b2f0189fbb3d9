"""Reptile in a group of one process over NCCL, beside Reptile alone: the weights must be the same.

python -m torch.distributed.run --nproc_per_node=1 Testing/Benchmarks/gpu_nccl.py
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
import torch.distributed as dist
from scipy.ndimage import gaussian_filter

from MetaRegistrationLib.core.losses import RegistrationLoss
from MetaRegistrationLib.networks import build_network
from MetaRegistrationLib.tasks import TaskPair
from MetaRegistrationLib.training.devices import to_device
from MetaRegistrationLib.training.distributed import Group, TorchGroup
from MetaRegistrationLib.training.reptile import Reptile
from MetaRegistrationLib.training.step import OptimisationStep

STEPS = 5


class Textures:
    """Random textures, each with itself moved by a few pixels."""

    weight = 1.0

    def __init__(self, shift: int):
        self.name, self._shift = f"shift {shift}", shift

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        """A texture and itself moved."""
        image = gaussian_filter(rng.random((400, 400), dtype=np.float32), 3)
        return TaskPair(np.roll(image, self._shift, axis=0), image)


def trained(group: Group, device: torch.device) -> torch.Tensor:
    """All weights after a few meta-steps."""
    torch.manual_seed(0)
    network = to_device(build_network("voxelmorph", {}), device)
    step = OptimisationStep(RegistrationLoss(), device)
    tasks = [Textures(shift) for shift in (1, 2, 3)]
    reptile = Reptile(network, tasks, step, steps=STEPS, inner_updates=5, group=group)
    began = time.perf_counter()
    for number in range(STEPS):
        reptile.advance(number)
    print(f"{type(group).__name__}: {STEPS / (time.perf_counter() - began):.2f} meta-steps a second")
    return torch.cat([parameter.detach().reshape(-1) for parameter in network.parameters()])


def main() -> int:
    """Train both ways and compare."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    torch.backends.cudnn.deterministic = True
    apart = (trained(TorchGroup(0, 1), device) - trained(Group(), device)).abs().max().item()
    print(f"{dist.get_backend()}: the weights differ by at most {apart:.2e}")
    dist.destroy_process_group()
    return int(apart > 1e-5)


if __name__ == "__main__":
    sys.exit(main())
