"""Scans whose rows lie beside one another: how far is found in one image, and how true is the predicted error of a pair?

    python Testing/Benchmarks/uneven_rows.py --data DATA [--pairs 6]

The displacement is drawn with NumPy and SciPy alone, and known at every pixel.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image
from torn_scans import SIZE, judged, second_scan

from MetaRegistrationLib.error_map.uneven_rows import unevenness
from MetaRegistrationLib.formats.tables import read_table
from MetaRegistrationLib.registration import pipeline

Rows = Callable[[np.random.Generator], np.ndarray]


def every_other(shift: float) -> Rows:
    """Every other row shifted."""
    return lambda rng: shift * (np.arange(SIZE) % 2 - 0.5)


def each_row(deviation: float) -> Rows:
    """Each row shifted by an amount of its own."""
    return lambda rng: rng.normal(0, deviation, SIZE)


def walk(deviation: float) -> Rows:
    """Each row shifted against the one before."""
    return lambda rng: np.cumsum(rng.normal(0, deviation, SIZE))


KINDS = {
    "as recorded": each_row(0.0),
    "every other row, 1 px": every_other(1.0),
    "every other row, 3 px": every_other(3.0),
    "each row, 0.5 px": each_row(0.5),
    "each row, 1 px": each_row(1.0),
    "each row against the one before, 1 px": walk(1.0),
}


def real_images(data: Path) -> list[Path]:
    """Real images of all kinds."""
    folders = [data / "octa_scp_single_visits", data / "octa_scp_repeat_visits", *sorted(data.glob("other_kinds/*"))]
    return [path for folder in folders for path in sorted((folder / "images").glob("*.png"))]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=6, help="of each kind")
    arguments = parser.parse_args()
    images = real_images(arguments.data)
    found = []
    for path in images:
        image = np.asarray(Image.open(path).convert("L"), float)
        found += [unevenness(each, np.ones(each.shape, bool)) for each in (image, image.T)]
    uneven = sum(each.deviation_px > 0 for each in found)
    print(f"{len(images)} images, rows and columns: {uneven} of {len(found)} are called uneven")
    folder = arguments.data / "octa_scp_single_visits"
    rows = read_table(folder / "images.csv", ("image", "split"))
    files = [row.text("image") for row in rows if row.text("split") == "test"]
    print(
        "rows | error, mean, predicted | over 2 px, %, predicted | below the bound, %, least | below without the rule, %, least"
    )
    for number, (name, kind) in enumerate(KINDS.items()):
        with_rule, without = [], []
        for pair in range(arguments.pairs):
            image = Image.open(folder / "images" / files[(5 * pair + 2) % len(files)]).convert("L").resize((SIZE, SIZE))
            rng = np.random.default_rng([pair, number, 7])
            scans = second_scan(np.asarray(image, float) / 255, kind(rng), np.zeros(SIZE), rng)
            with_rule.append(judged(*scans))
            with mock.patch.object(pipeline, "with_uneven_rows", lambda error, deviations: error):
                without.append(judged(*scans))
        true, predicted, over, uncertain, below, _ = np.transpose(with_rule)
        before = np.transpose(without)[4]
        print(
            f"{name} | {np.median(true):.2f}, {np.median(predicted):.2f} | {np.median(over):.1f}, {np.median(uncertain):.1f}"
            f" | {np.median(below):.0f}, {below.min():.0f} | {np.median(before):.0f}, {before.min():.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
