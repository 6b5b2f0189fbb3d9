"""Networks whose displacement is known, checkpoints of them, and small images to register with them."""

from __future__ import annotations

import csv
import math
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
import torch
from scipy.ndimage import gaussian_filter
from torch import nn

from MetaRegistrationLib.checkpoints import Checkpoint, save_checkpoint
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.stages import Stages

# So that the known displacement is the whole field: as an argument, and as words of the command line.
NETWORK_ALONE = Stages(initial="none", refine=0)
NETWORK_ALONE_WORDS = ("--initial", "none", "--refine", "0")


class Translation(nn.Module):
    """The same displacement everywhere, in frame pixels."""

    def __init__(self, row: float, column: float):
        super().__init__()
        self.displacement = (row, column)

    def forward(self, moving, fixed):
        return moving.new_tensor(self.displacement)[None, :, None, None].expand(1, 2, *moving.shape[-2:]).clone()


class Convolution(nn.Module):
    """A foreign network: one convolution of both images as two channels."""

    def __init__(self):
        super().__init__()
        self.displacement = nn.Conv2d(2, 2, 3, padding=1, padding_mode="replicate")

    def forward(self, images):
        return self.displacement(images)


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


def image_of(array: np.ndarray, **geometry) -> Image:
    """An array as an image that was read."""
    return Image(np.asarray(array, dtype=np.float32), Geometry(size=array.shape, **geometry))


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


def rotation(*angles: float) -> np.ndarray:
    """Rotation about x, then y, then z, degrees."""
    result = np.eye(3)
    for axis, angle in enumerate(np.radians(angles)):
        turn = np.eye(3)
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        result = turn @ result
    return result


@dataclass(frozen=True)
class Scan:
    """An image file to write: size in rows and columns, spacing likewise; without spacing a PNG."""

    size: tuple[int, int]
    spacing: tuple[float, float] | None = None
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: np.ndarray = field(default_factory=lambda: np.eye(3))
    slices: int = 1

    def write(self, folder, name, array):
        """Write `array` (in a stack: as its last slice) with SimpleITK alone; returns path and slice."""
        if self.spacing is None:
            path = folder / f"{name}.png"
            sitk.WriteImage(sitk.GetImageFromArray(np.round(array).astype(np.uint8)), str(path))
            return path, None
        stack = np.stack([array * 0 + index for index in range(self.slices - 1)] + [array])
        image = sitk.GetImageFromArray(stack)
        image.SetSpacing((self.spacing[1], self.spacing[0], 0.5))
        image.SetOrigin(self.origin)
        image.SetDirection(self.direction.ravel().tolist())
        path = folder / f"{name}.nrrd"
        sitk.WriteImage(image, str(path))
        return path, self.slices - 1 if self.slices > 1 else None


class DiesOnce(nn.Module):
    """Ends its process the first time it is called, as too little memory does; the file `path` remembers."""

    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def forward(self, moving, fixed):
        try:
            Path(self.path).rename(f"{self.path} done")  # only one process can
        except FileNotFoundError:
            return moving.new_zeros(1, 2, *moving.shape[-2:])
        os._exit(7)


class DiesOnBright(nn.Module):
    """Ends its process for images whose upper left corner is the brightest of all parts."""

    def forward(self, moving, fixed):
        if moving[..., :16, :16].mean() > 0.8:
            os._exit(7)
        return moving.new_zeros(1, 2, *moving.shape[-2:])
