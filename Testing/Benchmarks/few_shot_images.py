"""The images of the few-shot benchmark, by group: what is left out, what trains, what tests.

A group is a folder, or a way of drawing. Its training images and its test images come from different eyes, patients or sections.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np

from MetaRegistrationLib.core.preprocessing import resample_to_grid, stretched_grid
from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.simulation.fundus import draw_eye, render
from MetaRegistrationLib.simulation.label_maps import random_intensities, random_label_map
from MetaRegistrationLib.tasks.any_contrast import unit_image
from MetaRegistrationLib.tasks.volumes import held_volume

_SLICES = 14
_EYES = {"train": range(20), "test": range(20, 32)}
_CT_WINDOW = (-160.0, 240.0)
_TEST_PATIENTS = {"brain": ("BraTS-MET", "TCGA-FG"), "abdomen_ct": ("totalseg_ctA", "dcmqi")}

SOURCES = (
    "octa_synthetic",
    "brain_t1w",
    "brain_t1gd",
    "brain_t2w",
    "abdomen_ct",
    "fundus_colour",
    "fundus_angiogram",
    "shapes",
)
"""Groups that training may see."""

TARGETS = {
    "octa": ("octa_eyes",),
    "brain": ("brain_t1w", "brain_t1gd", "brain_t2w"),
    "fundus": ("fundus_colour", "fundus_angiogram"),
    "em": ("em_sections",),
    "ct": ("abdomen_ct",),
}
"""Groups of each target modality."""

_LEFT_OUT = {
    # Bright vessels on a dark ground: a drawn angiogram is too much like OCTA.
    "octa": ("octa_synthetic", "fundus_angiogram"),
    "brain": TARGETS["brain"],
    "fundus": TARGETS["fundus"],
    "em": (),
    "ct": TARGETS["ct"],
}


def sources_without(target: str) -> tuple[str, ...]:
    """Groups that a training for `target` may see: none of its modality, none that looks like it."""
    return tuple(group for group in SOURCES if group not in _LEFT_OUT[target] and group not in TARGETS[target])


def images_of(group: str, split: str, data: Path, side: int) -> list[np.ndarray]:
    """The images (side, side), float32 in [0, 1], of a group's `train` or `test` part, always the same ones."""
    return [unit_image(image) for image in _reader(group)(group, split, data, side)]


def _reader(group: str) -> Callable[[str, str, Path, int], list[np.ndarray]]:
    if group.startswith("brain"):
        return _brain
    if group.startswith("fundus"):
        return _fundus
    return {"octa_synthetic": _synthetic, "octa_eyes": _eyes, "abdomen_ct": _ct, "em_sections": _em, "shapes": _shapes}[
        group
    ]


def _scaled(image: np.ndarray, side: int) -> np.ndarray:
    return resample_to_grid(image, stretched_grid(image.shape, side))[0]


def _files(paths: list[Path], side: int) -> list[np.ndarray]:
    return [_scaled(read_image(path, luminance=True).array, side) for path in paths]


def _synthetic(group: str, split: str, data: Path, side: int) -> list[np.ndarray]:
    paths = sorted((data / "source_tasks" / group / "images").iterdir())
    return _files(paths[:-16] if split == "train" else paths[-16:], side)


def _eyes(group: str, split: str, data: Path, side: int) -> list[np.ndarray]:
    folder = data / "octa_scp_single_visits"
    wanted = "fine_tune" if split == "train" else "test"
    with (folder / "images.csv").open(newline="", encoding="utf-8") as stream:
        names = [row["image"] for row in csv.DictReader(stream) if row["split"] == wanted]
    return _files([folder / "images" / name for name in names[:40]], side)


def _volume_slices(paths: list[Path], window: tuple[float, float] | None, side: int) -> list[np.ndarray]:
    found = []
    for path in paths:
        held = held_volume(path, window=window)
        content = np.flatnonzero(held.content)
        chosen = np.unique(content[np.linspace(0, len(content) - 1, min(_SLICES, len(content))).astype(int)])
        found += [_scaled(held.volume.array[index], side) for index in chosen]
    return found


def _split_volumes(folder: Path, tests: tuple[str, ...], split: str) -> list[Path]:
    paths = sorted(folder.glob("*.nii.gz"))
    return [path for path in paths if path.name.startswith(tests) == (split == "test")]


def _brain(group: str, split: str, data: Path, side: int) -> list[np.ndarray]:
    return _volume_slices(_split_volumes(data / "source_tasks" / group, _TEST_PATIENTS["brain"], split), None, side)


def _ct(group: str, split: str, data: Path, side: int) -> list[np.ndarray]:
    return _volume_slices(_split_volumes(data / "source_tasks" / group, _TEST_PATIENTS[group], split), _CT_WINDOW, side)


def _fundus(group: str, split: str, data: Path, side: int) -> list[np.ndarray]:
    modality = group.removeprefix("fundus_")
    found = []
    for number in _EYES[split]:
        rng = np.random.default_rng([91, number])
        found.append(render(draw_eye(rng, side), modality, rng))
    return found


def _em(group: str, split: str, data: Path, side: int) -> list[np.ndarray]:
    """Four quarters of each section; the first half of the series trains, the second tests, one between is left out."""
    paths = sorted((data / "other_kinds" / "sem_sections" / "images").iterdir())
    found = []
    for path in paths[:6] if split == "train" else paths[-5:]:
        image = read_image(path, luminance=True).array
        half = image.shape[0] // 2
        quarters = [image[top : top + half, left : left + half] for top in (0, half) for left in (0, half)]
        found += [_scaled(quarter, side) for quarter in quarters]
    return found


def _shapes(group: str, split: str, data: Path, side: int) -> list[np.ndarray]:
    found = []
    for number in range(150 if split == "train" else 16):
        rng = np.random.default_rng([92, split == "test", number])
        found.append(random_intensities(random_label_map(side, rng), rng))
    return found
