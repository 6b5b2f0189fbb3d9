"""What the signal quality of visits sees: scans spoiled in known ways, resampled scans, repeats, and the limit.

    python Testing/Benchmarks/visit_quality.py DATA [--split test] [--json FILE]

Each scan of the pairs of `octa_scp_repeat_visits` of a split is spoiled in each way (`spoiled_scans.py`). The table has the
number of scans of which the quality fell, the mean change, and the number below the limit under which a visit is excluded.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from spoiled_scans import harmless, spoiled, zoomed

from MetaRegistrationLib import calibration
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image, read_image
from MetaRegistrationLib.formats.tables import read_table
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.visits.quality import quality

LEAST = calibration.LEAST_SIGNAL_QUALITY.value
FIELD_MM = 6.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", default="test", choices=("fine_tune", "test"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    pairs = [
        pair.load()
        for pair in find_pairs(arguments.data / "octa_scp_repeat_visits").pairs
        if pair.split == arguments.split
    ]
    scans = [image.array for pair in pairs for image in (pair.fixed, pair.moving)]
    plain = [scored(scan) for scan in scans]
    print(f"{len(scans)} scans of {len(pairs)} eyes: {text(plain)}, below {LEAST:g}: {below(plain)}")
    rows = table(scans, plain)
    repeats(plain)
    singles = [scored(image) for image in single_scans(arguments.data, arguments.split)]
    print(f"{len(singles)} scans of other eyes of the split: {text(singles)}, below {LEAST:g}: {below(singles)}")
    seconds(scans[0])
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def scored(scan: np.ndarray) -> float:
    """The quality of a scan of 6 x 6 mm."""
    size = FIELD_MM / min(scan.shape)
    return quality(Image(scan, Geometry(scan.shape, (size, size), spacing_known=True)))


def table(scans: Sequence[np.ndarray], plain: Sequence[float]) -> list[dict]:
    """Print a row for each way to spoil a scan."""
    found: dict[str, list[float]] = {}
    for number, scan in enumerate(scans):
        for name, array in (*spoiled(scan, np.random.default_rng(number)), *harmless(scan)):
            found.setdefault(name, []).append(scored(array))
    print("\n| | fell | mean change | largest change upwards | below the limit |\n|---|---|---|---|---|")
    return [row(name, plain, values) for name, values in found.items()]


def row(name: str, plain: Sequence[float], values: Sequence[float]) -> Mapping[str, object]:
    """Print one row, and give it."""
    change = np.subtract(values, plain)
    fell = int((change < 0).sum())
    print(
        f"| {name} | {fell} of {len(plain)} | {change.mean():+.1f} | {change.max():+.2f} | {below(values)} of {len(plain)} |"
    )
    return {"name": name, "fell": fell, "of": len(plain), "mean": float(change.mean()), "below": below(values)}


def repeats(plain: Sequence[float]) -> None:
    """Print how near two repeats of an eye are, relative to the spread of eyes."""
    first, second = np.array(plain[::2]), np.array(plain[1::2])
    within = math.sqrt(float(((first - second) ** 2).mean()) / 2)
    between = float(((first + second) / 2).std(ddof=1))
    print(
        f"\nrepeats: within-eye SD {within:.2f}, SD of the means of eyes {between:.2f},"
        f" correlation {np.corrcoef(first, second)[0, 1]:.2f}"
    )


def single_scans(data: Path, split: str) -> list[np.ndarray]:
    """The scans of `octa_scp_single_visits` of a split."""
    folder = data / "octa_scp_single_visits"
    rows = [each for each in read_table(folder / "images.csv", ["image"]) if each.text("split") == split]
    return [read_image(folder / "images" / each.text("image")).array for each in rows]


def seconds(scan: np.ndarray) -> None:
    """Print the time of one scan of 400 x 400 pixels."""
    large = zoomed(scan, 1.25)
    scored(large)
    times = []
    for _ in range(9):
        start = time.perf_counter()
        scored(large)
        times.append(time.perf_counter() - start)
    print(f"{large.shape}: {1000 * float(np.median(times)):.0f} ms, median of nine")


def text(values: Sequence[float]) -> str:
    """Mean and range."""
    return f"mean {np.mean(values):.1f}, {min(values):.1f} to {max(values):.1f}"


def below(values: Sequence[float]) -> int:
    """The number below the limit."""
    return sum(value < LEAST for value in values)


if __name__ == "__main__":
    main()
