"""The rows of `kinds.py`, and what each gives on a pair: carried points, sampled positions, confidence."""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accuracy_beds import SIZE
from accuracy_measures import checked_field
from kinds_sets import CONTRASTS, KindPair
from peers import Peer

import MetaRegistrationLib
from MetaRegistrationLib.checkpoints import file_sha256, load_checkpoint
from MetaRegistrationLib.core.preprocessing import interpolate_grid
from MetaRegistrationLib.core.spatial import invert_points
from MetaRegistrationLib.progress import plain
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.resources import default_checkpoint
from MetaRegistrationLib.stages import Stages

_PEERS = ("elastix", "ants", "greedy", "sift", "fireants_peer")


@dataclass(frozen=True, eq=False)
class Found:
    """What a method found for a pair.

    Attributes
    ----------
    points : (N, 2) or None
        The moving landmarks in pixels of the fixed image.
    positions : (2, H, W)
        Where each fixed pixel lies in the moving image, in its pixels.
    seconds, cpu_seconds : float
        Wall time, and the processor time of all threads: on a busy machine only the latter tells methods apart.
    confidence : float
        NaN for methods that do not say how sure they are.
    initial : str
        The kind of initial alignment that was kept.
    """

    points: np.ndarray | None
    positions: np.ndarray
    seconds: float
    cpu_seconds: float = 0.0
    confidence: float = float("nan")
    initial: str = ""


@dataclass(frozen=True, eq=False)
class Ours:
    """A row of ours. What it gives is measured in the images' own pixels, whatever frame the library chooses."""

    name: str
    registrar: Registrar
    settings: dict

    def suits(self, kind: str) -> bool:
        """For all kinds."""
        return True

    def record(self) -> dict:
        """Settings, and a fingerprint of the library's code."""
        return {**plain(self.settings), "library": _library()}

    def find(self, pair: KindPair) -> Found:
        """Register."""
        landmarks, began = pair.images.moving_landmarks, _now()
        found = self.registrar(pair.images.moving, pair.images.fixed)
        seconds = _now() - began
        points = found.carry(landmarks)[0].points if landmarks is not None else None
        positions = np.moveaxis(found.moving_positions(), -1, 0)
        return Found(points, positions, *map(float, seconds), found.alignment.confidence, found.alignment.kind)


@dataclass(frozen=True, eq=False)
class OfPeer:
    """A row of another program, or that of images that are left as they lie (`peer` is None)."""

    peer: Peer | None = None
    only_contrasts: bool = False

    @property
    def name(self) -> str:
        """As in the tables."""
        return self.peer.name if self.peer else "not deformed"

    def suits(self, kind: str) -> bool:
        """Whether the row is for that set."""
        return not self.only_contrasts or kind.startswith(CONTRASTS)

    def record(self) -> dict:
        """Settings and versions."""
        if self.peer is None:
            return {}
        versions = {package: importlib.metadata.version(package) for package in self.peer.packages}
        return plain({"greys": self.peer.greys, **self.peer.settings, "versions": versions})

    def find(self, pair: KindPair) -> Found:
        """Register the frames."""
        if self.peer is None:
            return from_field(pair, np.zeros((2, SIZE, SIZE), dtype=np.float32), np.zeros(2))
        frames = pair.frames(self.peer.greys)
        began = _now()
        field = checked_field(self.peer.register(*frames), SIZE)
        return from_field(pair, field, _now() - began)


def from_field(pair: KindPair, field: np.ndarray, seconds: np.ndarray) -> Found:
    """A pull field (2, 400, 400) between frames, brought to the images; `seconds` are wall and processor time."""
    moving, fixed = pair.places
    points = None
    if pair.images.moving_landmarks is not None:
        carried, _ = invert_points(field, moving.from_image(pair.images.moving_landmarks.points))
        points = fixed.to_image(carried)
    rows, columns = (
        (np.arange(side) - start) / step
        for side, start, step in zip(pair.images.fixed.geometry.size, fixed.offset, fixed.scale, strict=True)
    )
    displacement = np.stack([interpolate_grid(channel, rows, columns) for channel in field])
    grid = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    positions = np.moveaxis(moving.to_image(np.moveaxis(grid + displacement, 0, -1)), -1, 0)
    return Found(points, positions, *map(float, seconds))


def _now() -> np.ndarray:
    return np.array([time.perf_counter(), time.process_time()])


def fingerprint(method: Ours | OfPeer) -> str:
    """A result counts as there only for these settings, versions, and (ours) this library and checkpoint."""
    return hashlib.sha256(json.dumps(method.record(), sort_keys=True).encode()).hexdigest()[:12]


def all_methods(threads: int, label: str, checkpoints: list[tuple[str, Path]]) -> list[Ours | OfPeer]:
    """All rows that can be used here; those of ours are called after `label` and the checkpoint."""
    return [OfPeer(), *_ours(label, checkpoints), *_peers(threads)]


def _ours(label: str, checkpoints: list[tuple[str, Path]]) -> list[Ours]:
    device, default = torch.device("cpu"), Stages()
    alone = Stages(initial=default.initial, network=False, refine=0)
    rows = [Ours(f"{label}, {alone.initial} alone", Registrar(None, device, alone), {"stages": alone.to_dict()})]
    for name, path in [("shipped", default_checkpoint()), *checkpoints]:
        settings = {"stages": default.to_dict(), "checkpoint_sha256": file_sha256(path)}
        rows.append(Ours(f"{label}, default ({name})", Registrar(load_checkpoint(path), device, default), settings))
    return rows


def _peers(threads: int) -> list[OfPeer]:
    rows: list[OfPeer] = []
    for module in _PEERS:
        try:
            found = importlib.import_module(f"peers.{module}")
        except ImportError as error:
            print(f"left out: {module} is not installed ({error})")
            continue
        rows += [OfPeer(peer) for peer in found.peers(threads) if "R" in peer.beds]
        if hasattr(found, "contrast_peers"):
            rows += [OfPeer(peer, only_contrasts=True) for peer in found.contrast_peers(threads)]
    return rows


def _library() -> str:
    """A fingerprint of all the library's Python files."""
    root, total = Path(MetaRegistrationLib.__file__).parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return total.hexdigest()[:12]
