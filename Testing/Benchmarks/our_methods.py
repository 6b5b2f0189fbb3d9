"""MetaRegistration's rows in `accuracy.py`: its stages, alone and together, with each checkpoint."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accuracy_beds import BEDS, BenchPair

from MetaRegistrationLib.checkpoints import file_sha256, load_checkpoint
from MetaRegistrationLib.registration.registrar import Registrar, Registration
from MetaRegistrationLib.resources import default_checkpoint
from MetaRegistrationLib.stages import Stages

REFINEMENT_STEPS = 30
SHIPPED = "shipped"
# Row by row: what it is called, and the stages. Those with a network come once a checkpoint.
WITHOUT_NETWORK = {
    "affine": Stages(initial="affine", network=False, refine=0),
    "affine + refinement": Stages(initial="affine", network=False, refine=REFINEMENT_STEPS),
}
WITH_NETWORK = {
    "network": Stages(initial="none", network=True, refine=0),
    "affine + network": Stages(initial="affine", network=True, refine=0),
    "affine + network + refinement": Stages(initial="affine", network=True, refine=REFINEMENT_STEPS),
}


@dataclass(frozen=True)
class NamedCheckpoint:
    """A checkpoint, what its rows are called after, and the test beds that it is for."""

    name: str
    path: Path
    beds: tuple[str, ...] = BEDS


@dataclass(frozen=True, eq=False)
class OurMethod:
    """One row: a `Registrar` and the test beds that it is for."""

    name: str
    registrar: Registrar
    settings: dict
    beds: tuple[str, ...]

    def register(self, pair: BenchPair) -> tuple[np.ndarray, float]:
        """The field in frame pixels, and seconds from images in memory to it (with preprocessing)."""
        found = self.registration(pair)
        return found.displacement_px, found.seconds

    def registration(self, pair: BenchPair) -> Registration:
        """All that we know of a registered pair, for pictures."""
        return self.registrar(pair.images.moving, pair.images.fixed)


@dataclass(frozen=True)
class NotDeformed:
    """The first row of every table."""

    name: str = "not deformed"
    beds: tuple[str, ...] = BEDS

    @property
    def settings(self) -> dict:
        """None."""
        return {}

    def register(self, pair: BenchPair) -> tuple[np.ndarray, float]:
        """No displacement."""
        began = time.perf_counter()
        return np.zeros((2, *pair.inside[1].shape), dtype=np.float32), time.perf_counter() - began


def named_checkpoint(text: str) -> NamedCheckpoint:
    """A checkpoint from NAME=PATH, or BED:NAME=PATH for one that was adapted to one test bed."""
    name, separator, path = text.partition("=")
    bed, colon, rest = name.partition(":")
    if not separator or not path or not (rest if colon else name):
        raise ValueError(f"expected NAME=PATH or BED:NAME=PATH, got {text!r}")
    if colon and bed not in BEDS:
        raise ValueError(f"expected one of the test beds {', '.join(BEDS)} before the colon, got {text!r}")
    return NamedCheckpoint(rest if colon else name, Path(path), (bed,) if colon else BEDS)


def our_methods(checkpoints: list[NamedCheckpoint]) -> list[OurMethod]:
    """All our rows: without a network, with the shipped checkpoint, and with each of `checkpoints`."""
    device = torch.device("cpu")
    methods = [
        OurMethod(name, Registrar(None, device, stages), {"stages": stages.to_dict()}, BEDS)
        for name, stages in WITHOUT_NETWORK.items()
    ]
    for chosen in [NamedCheckpoint(SHIPPED, default_checkpoint()), *checkpoints]:
        checkpoint = load_checkpoint(chosen.path)
        for name, stages in WITH_NETWORK.items():
            settings = {
                "stages": stages.to_dict(),
                "checkpoint": chosen.path.name,
                "checkpoint_sha256": file_sha256(chosen.path),
                "network": checkpoint.network,
                "preprocessing": checkpoint.preprocessing,
            }
            registrar = Registrar(checkpoint, device, stages)
            methods.append(OurMethod(f"{name} ({chosen.name})", registrar, settings, chosen.beds))
    return methods
