"""voxelmorph (Balakrishnan et al., 2019), trained on the pairs to adapt on behind our affine alignment.

There are no weights of voxelmorph for OCTA, so each test bed's `fine_tune` pairs train its network, images only, for a stated
time. Our own alignment comes first, so that the row compares networks and not affine stages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import neurite
import numpy as np
import torch
import voxelmorph
from torch import Tensor, nn

from MetaRegistrationLib.alignment import Alignment, align
from MetaRegistrationLib.alignment.aligned import aligned_image, total_displacement
from MetaRegistrationLib.formats.files import replacing
from MetaRegistrationLib.tasks import TaskPair
from MetaRegistrationLib.tasks.base import augmented
from MetaRegistrationLib.training.devices import as_batch

from .base import Peer

BEDS = ("R", "S")
_CPU = torch.device("cpu")
_FEATURES = (16, 32, 32, 44)
_INTEGRATION_STEPS = 5
_LEARNING_RATE = 1e-3
_SMOOTHNESS = 1.0
_WINDOW = 9
# The usual 1e-5 lets black corners (behind the alignment) round to a correlation above 1, which neurite refuses.
_EPSILON = 1e-2
_SEED = 0


def build() -> nn.Module:
    """voxelmorph's pairwise network with its usual integration of a stationary velocity."""
    return voxelmorph.nn.models.VxmPairwise(
        ndim=2, source_channels=1, target_channels=1, nb_features=_FEATURES, integration_steps=_INTEGRATION_STEPS
    )


def weights_file(folder: Path, bed: str) -> Path:
    """Where the network of a test bed is kept."""
    return folder / f"voxelmorph_{bed}.pt"


def peers(weights: Path, say: Callable[[str], None]) -> Iterable[Peer]:
    """One row a test bed for which `train` has been run."""
    for bed in BEDS:
        path = weights_file(weights, bed)
        if not path.is_file():
            say(f"left out: voxelmorph on {bed} is not trained; run `accuracy.py train` first")
            continue
        stored = torch.load(path, weights_only=True)
        network = build()
        network.load_state_dict(stored["weights"])
        packages = ("voxelmorph", "neurite")
        yield Peer("voxelmorph", "equalised", stored["settings"], registering(network.eval()), packages, (bed,))


def registering(network: nn.Module) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """The function that aligns a pair and lets `network` deform it."""

    def register(moving: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        alignment = align(moving, fixed, "affine")
        with torch.inference_mode():
            residual = network(as_batch([aligned_image(moving, alignment)], _CPU), as_batch([fixed], _CPU))
            return total_displacement(alignment, residual)[0].numpy()

    return register


def train(bed: str, pairs: Sequence[TaskPair], folder: Path, minutes: float, say: Callable[[str], None]) -> None:
    """Train on a test bed's pairs for so many minutes (their alignment comes on top) and keep the weights.

    Parameters
    ----------
    bed : str
    pairs : sequence of TaskPair
        Equalised frames; their landmarks are not looked at.
    folder : Path
    minutes : float
    say : callable
    """
    began = time.perf_counter()
    pairs = [_aligned(pair) for pair in pairs]
    say(f"{bed}: {len(pairs)} pairs aligned in {time.perf_counter() - began:.0f} s")
    torch.manual_seed(_SEED)
    network, rng = build(), np.random.default_rng(_SEED)
    optimiser = torch.optim.Adam(network.parameters(), lr=_LEARNING_RATE)
    steps, began = 0, time.perf_counter()
    recent: list[float] = []
    while (spent := time.perf_counter() - began) < 60 * minutes:
        pair = augmented(pairs[int(rng.integers(len(pairs)))], rng)
        loss = _loss(network, as_batch([pair.moving], _CPU), as_batch([pair.fixed], _CPU))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        steps += 1
        recent = [*recent[-99:], loss.item()]
        if steps % 100 == 0:
            say(f"{bed}: step {steps}, {spent:.0f} s, loss of the last 100 {np.mean(recent):.4f}")
    settings = {
        "features": list(_FEATURES),
        "integration_steps": _INTEGRATION_STEPS,
        "loss": f"NCC, window {_WINDOW}, and {_SMOOTHNESS:g} times the squared gradient",
        "optimiser": f"Adam, {_LEARNING_RATE:g}",
        "initial": "affine (ours)",
        "pairs": len(pairs),
        "minutes": minutes,
        "steps": steps,
        "threads": torch.get_num_threads(),
        "seed": _SEED,
    }
    with replacing(weights_file(folder, bed)) as temporary:
        torch.save({"weights": network.state_dict(), "settings": settings}, temporary)
    say(f"{bed}: {steps} steps in {minutes:g} minutes")


def _aligned(pair: TaskPair) -> TaskPair:
    alignment: Alignment = align(pair.moving, pair.fixed, "affine")
    return TaskPair(aligned_image(pair.moving, alignment), pair.fixed)


def _loss(network: nn.Module, moving: Tensor, fixed: Tensor) -> Tensor:
    similarity = neurite.nn.modules.NCC(window_size=_WINDOW, eps=_EPSILON, keepdims=False)
    penalty = neurite.nn.modules.SpatialGradient("l2")
    displacement, warped = network(moving, fixed, return_warped_source=True)
    return -similarity(fixed, warped) + _SMOOTHNESS * penalty(displacement)
