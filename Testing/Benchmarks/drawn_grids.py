"""A grid as of the ETDRS drawn into both images: do real repeat scans stay right, and unrelated eyes refused?

    python Testing/Benchmarks/drawn_grids.py --data DATA [--pairs 12]

The grid is drawn with Pillow alone, about the middle of the fixed image; that of the moving image lies at the same position or
beside it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.formats.tables import read_table

FIELD_MM = 6.0
RADII_MM = (0.5, 1.5, 3.0)
GRID = 400  # pixels of the network grid
FINER = 4  # the drawing is smoothed by this factor


class Drawing(NamedTuple):
    """Width of the lines (pixels), grey value or colour, how far the two grids lie apart (pixels), and whether it is smoothed."""

    width: int
    value: int | tuple[int, int, int] = 255
    apart: tuple[int, int] = (0, 0)
    smooth: bool = True


DRAWINGS = {
    "none": None,
    "white, 1 px, smoothed": Drawing(1),
    "white, 1 px": Drawing(1, smooth=False),
    "white, 3 px": Drawing(3),
    "white, 3 px, apart": Drawing(3, apart=(9, -6)),
    "grey, 2 px, apart": Drawing(2, 170, (9, -6)),
    "yellow, 2 px, apart": Drawing(2, (255, 255, 0), (9, -6)),
}


def with_grid(image: np.ndarray, drawing: Drawing | None, beside: tuple[int, int]) -> np.ndarray:
    """An image, uint8 (H, W), with a grid `beside` its middle, (columns, rows) in pixels; (H, W, 3) if it is coloured."""
    if drawing is None:
        return image
    finer = FINER if drawing.smooth else 1
    height, width = image.shape
    layer = Image.new("L", (width * finer, height * finer))
    pen = ImageDraw.Draw(layer)
    column, row = (finer * (side / 2 + far) for side, far in zip((width, height), beside, strict=True))
    radii = [finer * radius * width / FIELD_MM for radius in RADII_MM]
    for radius in radii:
        pen.ellipse(
            [column - radius, row - radius, column + radius, row + radius], outline=255, width=drawing.width * finer
        )
    for angle in np.pi / 4 + np.pi / 2 * np.arange(4):
        ends = [(column + np.cos(angle) * radius, row + np.sin(angle) * radius) for radius in (radii[0], radii[-1])]
        pen.line(ends, fill=255, width=drawing.width * finer)
    share = np.asarray(layer.resize((width, height), Image.Resampling.BOX)).astype(float)[..., None] / 255
    mixed = np.round(image[..., None] * (1 - share) + share * np.asarray(drawing.value)).astype(np.uint8)
    return mixed if mixed.shape[2] == 3 else mixed[..., 0]


def repeats(data: Path, pairs: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Moving and fixed images of the test split, and their landmarks, (row, column)."""
    folder = data / "octa_scp_repeat_visits"
    rows = [
        row
        for row in read_table(folder / "pairs.csv", ("moving", "fixed", "landmarks", "split"))
        if row.text("split") == "test"
    ]
    found = []
    for row in rows[:pairs]:
        points = np.loadtxt(folder / row.text("landmarks"), delimiter=",", skiprows=1)
        images = [np.asarray(Image.open(folder / row.text(name)).convert("L")) for name in ("moving", "fixed")]
        found.append((*images, points[:, [2, 1]], points[:, [4, 3]]))
    return found


def unrelated(data: Path, pairs: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images of two eyes each, of the test split."""
    folder = data / "octa_scp_single_visits"
    files = [
        row.text("image")
        for row in read_table(folder / "images.csv", ("image", "split"))
        if row.text("split") == "test"
    ]
    images = [np.asarray(Image.open(folder / "images" / name).convert("L")) for name in files[: 2 * pairs]]
    return list(zip(images[::2], images[1::2], strict=True))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=12, help="of each kind")
    arguments = parser.parse_args()
    related, others = repeats(arguments.data, arguments.pairs), unrelated(arguments.data, arguments.pairs)
    print("grid | error, mean, worst pair, px | confident | unrelated eyes confident, highest confidence")
    for name, drawing in DRAWINGS.items():
        apart = (0, 0) if drawing is None else drawing.apart
        errors, confident = [], 0
        for moving, fixed, points, truth in related:
            found = mr.register(with_grid(moving, drawing, apart), with_grid(fixed, drawing, (0, 0)))
            confident += found.confident
            errors.append(np.hypot(*(found.carry(points) - truth).T).mean() * GRID / fixed.shape[1])
        results = [
            mr.register(with_grid(one, drawing, apart), with_grid(other, drawing, (0, 0))) for one, other in others
        ]
        wrong = sum(found.confident for found in results)
        highest = max(found.confidence for found in results)
        print(
            f"{name} | {np.mean(errors):.2f}, {max(errors):.2f} | {confident} of {len(related)} | {wrong}, {highest:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
