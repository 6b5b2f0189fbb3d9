"""The same noise at the same pixels of both images, as of a camera: is the pair aligned by it, or by what the images show?

    python Testing/Benchmarks/fixed_patterns.py --data DATA [--pairs 12]

The noise is correlated over 1.2 pixels; its deviation is a share of the grey range. It lies on real repeat scans, and on images
of other kinds that are seen twice, turned by 12 degrees or shifted by up to a tenth of the side.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from unittest import mock

import numpy as np
from drawn_grids import GRID, repeats, unrelated
from PIL import Image
from scipy import ndimage

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.alignment import search

SIDE = 320
KINDS = ("sem_sections", "histology_lesion3", "head_mr_2d")
LEVELS = (0.0, 0.04, 0.08, 0.12)


def noise(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Of deviation 1."""
    found = ndimage.gaussian_filter(rng.normal(size=shape), 1.2)
    return found / found.std()


def with_noise(image: np.ndarray, level: float, pattern: np.ndarray) -> np.ndarray:
    """An image, uint8."""
    return np.clip(np.round(image + 255 * level * pattern), 0, 255).astype(np.uint8)


def seen_twice(image: np.ndarray, number: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An image as it is turned (even numbers) or shifted, and the true positions (2, SIDE, SIDE) of its pixels."""
    middle = (SIDE - 1) / 2
    angle, shift = (np.deg2rad(12), (6, -9)) if number % 2 == 0 else (0.0, rng.uniform(0.04, 0.1, 2) * SIDE)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    grid = np.mgrid[:SIDE, :SIDE] - middle
    truth = np.einsum("ij,jrc->irc", matrix, grid) + middle + np.reshape(shift, (2, 1, 1))
    return ndimage.map_coordinates(image.astype(float), truth, order=3), truth


def of_other_kinds(data: Path, count: int, level: float) -> list[float]:
    """Median errors of pairs, pixels of the network grid; NaN where refused."""
    found = []
    for kind in KINDS:
        files = sorted((data / "other_kinds" / kind / "images").glob("*.png"))
        for number in range(count):
            rng = np.random.default_rng([number, len(kind)])
            image = Image.open(files[number % len(files)]).convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
            second, truth = seen_twice(np.asarray(image), number, rng)
            pattern = noise((SIDE, SIDE), rng)
            pair = mr.register(*(with_noise(each, level, pattern) for each in (np.asarray(image), second)))
            seen = ((truth >= 0) & (truth <= SIDE - 1)).all(axis=0)
            wrong = np.hypot(*(pair.displacement_px + np.mgrid[:SIDE, :SIDE] - truth))[seen] * GRID / SIDE
            found.append(float(np.median(wrong)) if pair.confident else np.nan)
    return found


def of_repeats(data: Path, count: int, level: float) -> list[float]:
    """Mean errors at the landmarks of real repeat scans, likewise."""
    found = []
    for number, (moving, fixed, points, truth) in enumerate(repeats(data, count)):
        pattern = noise(fixed.shape, np.random.default_rng(number))
        pair = mr.register(with_noise(moving, level, pattern), with_noise(fixed, level, pattern))
        error = np.hypot(*(pair.carry(points) - truth).T).mean() * GRID / fixed.shape[1]
        found.append(float(error) if pair.confident else np.nan)
    return found


def confident_unrelated(data: Path, count: int, level: float) -> int:
    """How many pairs of two eyes are confident."""
    found = 0
    for number, images in enumerate(unrelated(data, count)):
        pattern = noise(images[0].shape, np.random.default_rng(number))
        found += mr.register(*(with_noise(each, level, pattern) for each in images)).confident
    return found


def summary(errors: list[float]) -> str:
    """Median, worst, and how many are refused."""
    if np.isnan(errors).all():
        return "all refused"
    return f"{np.nanmedian(errors):.2f}, {np.nanmax(errors):.2f}, {np.isnan(errors).sum()}"


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=12, help="of real eyes; half as many of each other kind")
    arguments = parser.parse_args()
    data, count = arguments.data, arguments.pairs
    print("noise | repeat scans: error, worst, refused | without the rule | other kinds | without | two eyes confident")
    for level in LEVELS:
        with_rule = summary(of_repeats(data, count, level)), summary(of_other_kinds(data, count // 2, level))
        with mock.patch.object(search, "may_be_a_pattern", lambda matches: False):
            without = summary(of_repeats(data, count, level)), summary(of_other_kinds(data, count // 2, level))
        wrong = confident_unrelated(data, count, level)
        print(
            f"{level} | {with_rule[0]} | {without[0]} | {with_rule[1]} | {without[1]} | {wrong} of {count}", flush=True
        )


if __name__ == "__main__":
    main()
