"""Networks whose displacement is known, checkpoints of them, and small images to register with them."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from MetaRegistrationLib.checkpoints import Checkpoint, save_checkpoint
from MetaRegistrationLib.preprocessing import Preprocessing


class Translation(nn.Module):
    """The same displacement everywhere, in frame pixels."""

    def __init__(self, row: float, column: float):
        super().__init__()
        self.displacement = (row, column)

    def forward(self, moving, fixed):
        return moving.new_tensor(self.displacement)[None, :, None, None].expand(1, 2, *moving.shape[-2:]).clone()


class Waves(nn.Module):
    """A smooth displacement without folds: `amplitude` times the frame's side at most."""

    def __init__(self, amplitude: float):
        super().__init__()
        self.amplitude = amplitude

    def forward(self, moving, fixed):
        side = moving.shape[-1]
        place = torch.arange(side, dtype=torch.float64) / side
        rows, columns = torch.meshgrid(place, place, indexing="ij")
        field = torch.stack(
            [
                torch.sin(2 * math.pi * (0.9 * rows + 0.6 * columns + 0.1)),
                torch.cos(2 * math.pi * (0.7 * rows - 0.8 * columns + 0.2)),
            ]
        )
        return (self.amplitude * side * field)[None].to(moving.dtype)


def known_checkpoint(name: str, *, size: int = 400, **settings) -> Checkpoint:
    """Checkpoint of the class `name` of this module."""
    network = {"name": f"known_networks:{name}", "settings": settings}
    return Checkpoint(network, {}, Preprocessing(size=size).to_dict(), history=[{"stage": "pretrain"}])


def save_known(path: Path, name: str, **settings) -> Path:
    """The same as a file."""
    save_checkpoint(path, known_checkpoint(name, **settings))
    return path


def texture(shape: tuple[int, int], seed: int = 0, *, blur: float = 3.0) -> np.ndarray:
    """Smooth random grey values (H, W), float32 from 20 to 220: nowhere 0, which marks what lies outside an image."""
    noise = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), blur)
    noise = (noise - noise.min()) / (noise.max() - noise.min())
    return (20 + 200 * noise).astype(np.float32)


def write_grey_png(path: Path, array: np.ndarray) -> Path:
    """Write (H, W) as an 8-bit PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(np.round(array).astype(np.uint8)), str(path))
    return path


def write_points(path: Path, points, columns: tuple[str, ...] = ("x", "y")) -> Path:
    """Write rows of numbers as a CSV of landmarks."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(points)
    return path


def read_rows(path: Path) -> list[dict]:
    """Rows of a CSV."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
