"""Repeating textures: how well pairs fit at another shift, of real images and of honeycombs, and how many are aligned wrongly.

    python Testing/Benchmarks/repeating.py --data DATA [--pairs 12]

The cells of a honeycomb lie up to a share of the period beside their places, the same cells in both images. The second
image is shifted by up to a tenth of the side, or turned by up to 20 degrees.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from PIL import Image
from scipy import ndimage, spatial

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.alignment import repeating
from MetaRegistrationLib.formats.tables import read_table

SIDE = 320
PERIODS = (12, 20, 35)
BESIDE = (0.0, 0.04, 0.08, 0.12, 0.2)
WRONG_PX = 3.0


def honeycomb(period: float, beside: float, rng: np.random.Generator) -> np.ndarray:
    """Cells with dark walls, float (SIDE, SIDE) in [0, 1]."""
    rows, columns = np.mgrid[-2 : int(SIDE / period * 1.2) + 4, -2 : int(SIDE / period) + 4].astype(float)
    places = np.stack((rows * np.sqrt(0.75), columns + 0.5 * (rows % 2)), axis=-1).reshape(-1, 2) * period
    places += rng.normal(0, beside * period, places.shape)
    pixels = np.stack(np.mgrid[:SIDE, :SIDE], axis=-1).reshape(-1, 2)
    nearest = spatial.cKDTree(places).query(pixels, k=2)[0]
    wall = np.clip((nearest[:, 1] - nearest[:, 0]) / (0.35 * period), 0, 1)
    return ndimage.gaussian_filter(wall.reshape(SIDE, SIDE), 0.6)


def seen_twice(image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A moving image, a fixed one, and the true positions (2, SIDE, SIDE) of fixed pixels in the moving one."""
    middle = (SIDE - 1) / 2
    grid = np.mgrid[:SIDE, :SIDE] - middle
    turned = rng.random() < 0.5
    angle = np.deg2rad(rng.uniform(5, 20)) if turned else 0.0
    shift = np.zeros(2) if turned else rng.uniform(-0.1, 0.1, 2) * SIDE
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    truth = np.einsum("ij,jrc->irc", matrix, grid) + middle + shift[:, None, None]
    fixed = ndimage.map_coordinates(image, truth, order=3)
    moving, fixed = (
        np.clip(255 * (each + 0.06 * rng.normal(size=each.shape)), 0, 255).astype(np.uint8) for each in (image, fixed)
    )
    return moving, fixed, truth


def fit_of(moving: np.ndarray, fixed: np.ndarray) -> tuple[mr.Registration, float]:
    """The registration without a limit for other shifts, and how well the best other one fits; NaN if it is refused anyway."""
    fits = [np.nan]

    def never(first, second):
        fits.append(repeating_fit(first, second))
        return 0.0

    repeating_fit = repeating.other_fit
    with mock.patch.object(repeating, "other_fit", never):
        found = mr.register(moving, fixed)
    return found, fits[-1]


def real_pairs(data: Path, most: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Kind, moving and fixed image of at most so many pairs of each kind."""
    tables = (data / "octa_scp_repeat_visits" / "pairs.csv", *sorted(data.glob("other_kinds/*/pairs.csv")))
    for table in tables:
        for row in list(read_table(table, ("moving", "fixed")))[:most]:
            images = (
                np.asarray(Image.open(table.parent / row.text(name)).convert("L")) for name in ("moving", "fixed")
            )
            yield table.parent.name, *images


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=12, help="of each kind")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    fits: dict[str, list[float]] = {}
    for kind, moving, fixed in real_pairs(arguments.data, arguments.pairs):
        fits.setdefault(kind, []).append(fit_of(moving, fixed)[1])
    print("kind | pairs | refused otherwise | highest fit at another shift")
    for kind, found in fits.items():
        print(f"{kind} | {len(found)} | {np.isnan(found).sum()} | {np.nanmax([0.0, *found]):.2f}", flush=True)
    print("cells beside their places | wrong | their least fit | right | of these refused with the limit | their fits")
    for beside in BESIDE:
        rng = np.random.default_rng(2032)
        wrong, right = [], []
        for period in PERIODS:
            for _ in range(arguments.pairs // 3):
                moving, fixed, truth = seen_twice(honeycomb(period, beside, rng), rng)
                found, fit = fit_of(moving, fixed)
                error = np.median(np.hypot(*(found.displacement_px + np.mgrid[:SIDE, :SIDE] - truth)))
                if found.confident:
                    (right if error < WRONG_PX else wrong).append(fit)
        refused = sum(fit > repeating.HALF_CONFIDENT for fit in right)
        fits_right = f"{min(right):.2f} to {max(right):.2f}" if right else "-"
        print(
            f"{beside} | {len(wrong)} | {min(wrong, default=np.nan):.2f} | {len(right)} | {refused} | {fits_right}",
            flush=True,
        )


if __name__ == "__main__":
    main()
