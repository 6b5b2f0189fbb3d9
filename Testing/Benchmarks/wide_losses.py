"""Losses of capillaries over a large part of real repeat scans, which leave noise or dim remains behind: does the map mark them?

    python Testing/Benchmarks/wide_losses.py DATA [--split test]

The second scan of each pair of `octa_scp_repeat_visits` is painted, or disturbed as scans of unlike quality are.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from local_change_fit import second_scans
from painted_eyes import disc, disturbed, larger, without
from scipy import ndimage

from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.visits import change

PART = 0.4  # of the frame


def scans(scan: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The second scan as it is, painted, and disturbed: kind, scan, and where."""
    nothing = np.zeros(scan.shape, bool)
    vessels, dark = larger(scan), np.percentile(scan, 10)
    right = np.indices(scan.shape)[1] >= (1 - PART) * scan.shape[1]
    yield "repeat", scan, nothing
    for noise in (0, 4, 8, 15):
        level = dark + rng.normal(0, noise, scan.shape)
        yield f"40 % of the frame, noise {noise}", np.clip(without(scan, right & ~vessels, level, 1.5), 0, 255), right
    soft = ndimage.gaussian_filter((right & ~vessels).astype(np.float32), 1.0)
    for share in (0.5, 0.8):
        dim = scan * (1 - soft) + (dark + (1 - share) * (scan - dark)) * soft
        yield f"40 % of the frame, contrast less by {share:.0%}", dim.astype(np.float32), right
    where = disc(scan.shape, rng.uniform(70, 250, 2), 1000 / 18.75)
    level = dark + rng.normal(0, 15, scan.shape)
    yield "2 mm across, noise 15", np.clip(without(scan, where & ~vessels, level, 1.5), 0, 255), where
    for name, array in disturbed(scan, rng):
        yield f"unchanged, {name}", array, nothing


def of_pair(job: tuple) -> list[tuple[str, np.ndarray, bool]]:
    """Of each scan: kind, the shares of the lost area and of the rest that are marked, and whether anything is."""
    found = []
    for kind, first, second, known, lost in second_scans(job, scans):
        changed = change._change(first, second, known, 1.0, None)
        shares = [changed.lost[part].mean() if part.any() else np.nan for part in (known & lost, known & ~lost)]
        found.append((kind, np.array(shares), bool((changed.lost | changed.gained).any())))
    return found


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", choices=("fine_tune", "test"), help="both by default")
    arguments = parser.parse_args()
    pairs = find_pairs(arguments.data / "octa_scp_repeat_visits").pairs
    jobs = [(number, files) for number, files in enumerate(pairs) if arguments.split in (None, files.split)]
    kinds: dict[str, list[tuple[np.ndarray, bool]]] = {}
    with ProcessPoolExecutor(2) as pool:
        for made in pool.map(of_pair, jobs):
            for kind, shares, any_marked in made:
                kinds.setdefault(kind, []).append((shares, any_marked))
    print(
        "kind | pairs | with a cluster | lost area marked over half in | lost area marked, mean | rest marked as lost, mean"
    )
    for kind, rows in kinds.items():
        shares = np.array([row[0] for row in rows])
        lost = shares[:, 0]
        parts = ("- | -", f"{np.mean(lost > 0.5):.0%} | {np.mean(lost):.0%}")[bool(np.isfinite(lost).all())]
        print(f"{kind} | {len(rows)} | {sum(row[1] for row in rows)} | {parts} | {np.nanmean(shares[:, 1]):.1%}")


if __name__ == "__main__":
    main()
