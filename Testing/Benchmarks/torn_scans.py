"""Repeat scans that eye movements tear: steps along the rows, missing and doubled rows. How true is the predicted error there?

    python Testing/Benchmarks/torn_scans.py --data DATA [--pairs 10]

The displacement is drawn with NumPy and SciPy alone, and known at every pixel.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.formats.tables import read_table

SIZE = 400


class Kind(NamedTuple):
    """Least and greatest jump along the rows and rows that are missing (negative: doubled), pixels; and the number of tears.

    With `strip`, the eye moves back after so many rows.
    """

    jump: tuple[float, float]
    rows: tuple[float, float]
    tears: int
    strip: tuple[float, float] | None = None


KINDS = {
    "jumps of 2 to 4 px, 1 to 3 rows missing": Kind((2, 4), (1, 3), 4),
    "jumps of 4 to 8 px, 2 to 5 rows missing": Kind((4, 8), (2, 5), 4),
    "jumps of 8 to 14 px, 4 to 10 rows missing": Kind((8, 14), (4, 10), 4),
    "strips of 6 to 14 rows doubled": Kind((0, 0.01), (-14, -6), 3),
    "one jump of 20 to 40 px": Kind((20, 40), (0, 0.01), 1),
    "strips of 20 to 60 rows that moved by 14 to 28 px": Kind((14, 28), (0, 0.01), 1, (20, 60)),
    "6 to 14 rows missing, no jump": Kind((0, 0.01), (6, 14), 2),
    "30 to 55 rows doubled": Kind((0, 0.01), (-55, -30), 1),
}


def torn(image: np.ndarray, kind: Kind, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two scans of an eye (400, 400), the second one torn, and the positions (2, 400, 400) of its pixels in the first one."""
    across, down = np.zeros(SIZE), np.zeros(SIZE)
    for row in rng.choice(np.arange(40, 360, 20), kind.tears, replace=False):
        last = row + round(rng.uniform(*kind.strip)) if kind.strip else SIZE
        across[row:last] += rng.uniform(*kind.jump) * rng.choice([-1, 1])
        down[row:] += rng.uniform(*kind.rows)
    return second_scan(image, across - across.mean(), down - down.mean(), rng)


def second_scan(
    image: np.ndarray, across: np.ndarray, down: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As of `torn`, of a second scan whose rows are displaced by `across` and `down` (400,), pixels."""
    rows, columns = np.indices(image.shape, float)
    rows, columns = rows + down[:, None], columns + across[:, None]
    turn, scale, middle = np.deg2rad(rng.normal(0, 3)), np.exp(rng.normal(0, 0.03)), (SIZE - 1) / 2
    bend = ndimage.gaussian_filter(rng.normal(size=(2, SIZE, SIZE)), (0, 40, 40), mode="wrap")
    bend *= 2 / np.sqrt(np.square(bend).sum(0).mean())
    bend = [ndimage.map_coordinates(each, (rows, columns), order=1, mode="nearest") for each in bend]
    rows, columns = rows - middle, columns - middle
    turned = (np.cos(turn) * rows - np.sin(turn) * columns, np.sin(turn) * rows + np.cos(turn) * columns)
    shift = rng.uniform(-0.05, 0.05, 2) * SIZE
    places = np.stack([scale * axis + middle + far + near for axis, far, near in zip(turned, shift, bend, strict=True)])
    return noisy(image, rng), noisy(ndimage.map_coordinates(image, places, order=3), rng), places


def noisy(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A scan with noise of its own, uint8."""
    speckle = 1 + 0.24 * ndimage.gaussian_filter(rng.normal(size=image.shape), 0.7)
    return (255 * np.clip(image * speckle + rng.normal(0, 0.03, image.shape), 0, 1)).astype(np.uint8)


def judged(moving: np.ndarray, fixed: np.ndarray, places: np.ndarray) -> list[float]:
    """True and predicted mean error and share over 2 px (percent), and the share of errors below the bound (percent)."""
    found = mr.register(moving, fixed)
    wrong = np.hypot(*(found.displacement_px + np.indices(fixed.shape) - places))
    seen = np.isfinite(found.error_px) & ((places >= 0) & (places <= SIZE - 1)).all(0)
    wrong, measures = wrong[seen], found.measures
    below = 100 * np.mean(wrong <= found.error_95_px[seen])
    over = 100 * np.mean(wrong > 2)
    return [wrong.mean(), measures.expected_error_px, over, measures.uncertain_percent, below, found.confident]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=10, help="of each kind")
    arguments = parser.parse_args()
    folder = arguments.data / "octa_scp_single_visits"
    files = [
        row.text("image")
        for row in read_table(folder / "images.csv", ("image", "split"))
        if row.text("split") == "test"
    ]
    print("kind | error, mean, predicted | over 2 px, %, predicted | below the bound, %, least | confident")
    for number, (name, kind) in enumerate(KINDS.items()):
        rows = []
        for pair in range(arguments.pairs):
            image = Image.open(folder / "images" / files[(5 * pair + 1) % len(files)]).convert("L").resize((SIZE, SIZE))
            rng = np.random.default_rng([pair, number])
            rows.append(judged(*torn(np.asarray(image, float) / 255, kind, rng)))
        true, predicted, over, uncertain, below, confident = np.transpose(rows)
        print(
            f"{name} | {np.median(true):.2f}, {np.median(predicted):.2f} | {np.median(over):.1f}, {np.median(uncertain):.1f}"
            f" | {np.median(below):.0f}, {below.min():.0f} | {int(confident.sum())}",
            flush=True,
        )


if __name__ == "__main__":
    main()
