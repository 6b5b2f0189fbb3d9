"""What the densities say of a disc without any vessel, painted into the second scans of real repeat pairs.

    python Testing/Benchmarks/disc_losses.py DATA

A disc of 0.5 to 1.6 mm radius, with noise of 0 to 8 grey levels, is painted at a random place. The difference of each measure
between both scans is compared with that without the disc, in the whole image and in the regions of the ETDRS grid, by the share
of the region that is painted.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from painted_eyes import disc, without
from repeatability import PIXEL_UM, measurements
from scipy import ndimage

from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.visits import Visit, align_series
from MetaRegistrationLib.visits.series import Series
from MetaRegistrationLib.visits.series_measures import grid_of
from MetaRegistrationLib.workflows.registrars import RegistrarOptions, make_registrar

MEASURES = ("large_vessel_density", "vessel_length_density", "capillary_density")
RADII_PX = (27, 45, 60, 85)
NOISES = (0, 2, 4, 8)  # grey levels
SHARES = ((-1, 0), (5, 15), (20, 30), (40, 60), (60, 80), (97, 100))  # percent of a region
Row = tuple[str, str, float, float]
"""Measure, region, percent of the region that is painted, and what that adds to the difference, percent of the measure."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    registrar, _ = make_registrar(RegistrarOptions(device="cpu"))
    rows: dict[str, list[Row]] = {"fine_tune": [], "test": []}
    for number, files in enumerate(find_pairs(data / "octa_scp_repeat_visits", spacing_um=PIXEL_UM).pairs):
        pair = files.load()
        found = align_series([Visit("first", pair.fixed), Visit("second", pair.moving)], registrar, "first")
        if all(entry.aligned for entry in found.visits):
            rows[files.split] += responses(found, number)
    for split, found in rows.items():
        report(split, found)


def responses(one: Series, number: int) -> list[Row]:
    """The rows of one pair."""
    entry, rows = one.visits[1], []
    regions, before = grid_of(one).regions(one.visits[0].visit.image.array.shape), by_key(one)
    for step, radius in enumerate(RADII_PX):
        rng = np.random.default_rng(100 * number + radius)
        scan, gone = painted(entry.visit.image.array, radius, NOISES[(number + step) % len(NOISES)], rng)
        image = replace(entry.visit.image, array=scan)
        other = replace(one, visits=[one.visits[0], replace(entry, visit=replace(entry.visit, image=image))])
        placed = ndimage.map_coordinates(gone.astype(np.float32), np.moveaxis(entry.positions, -1, 0), order=1) > 0.5
        for (measure, region), (first, second) in by_key(other).items():
            known, usual = before[measure, region]
            if usual > 0:
                added = (second - first) - (usual - known)
                rows.append((measure, region, 100 * float(placed[regions[region]].mean()), 100 * added / usual))
    return rows


def by_key(one: Series) -> dict[tuple[str, str], tuple[float, float]]:
    """Values of both scans by measure and region."""
    found: dict[tuple[str, str], list[float]] = {}
    for row in measurements(one):
        if row.measure in MEASURES:
            found.setdefault((row.measure, row.region), []).append(row.value)
    return {key: (values[0], values[1]) for key, values in found.items()}


def painted(scan: np.ndarray, radius: float, noise: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A scan without vessels in a disc, as dark as its darkest region, and the disc."""
    gone = disc(scan.shape, rng.uniform(60, min(scan.shape) - 60, 2), radius)
    grain = ndimage.gaussian_filter(rng.normal(size=scan.shape), 0.6)
    level = np.percentile(ndimage.gaussian_filter(scan, 3), 0.5) + noise * grain / grain.std()
    return without(scan, gone, np.clip(level, 0, 255)), gone


def report(split: str, rows: list[Row]) -> None:
    """Median and middle 80 % of the differences, by measure, kind of region and painted share."""
    for measure in MEASURES:
        for kind in ("whole", "regions"):
            for low, high in SHARES:
                values = [
                    far
                    for name, region, share, far in rows
                    if name == measure and (region == "whole") == (kind == "whole") and low < share <= high
                    if np.isfinite(far)
                ]
                if values:
                    middle = ", ".join(f"{value:+.0f}" for value in np.percentile(values, (10, 50, 90)))
                    painted_share = f"{max(low, 0)} to {high} % painted"
                    print(f"{split}: {measure}, {kind}, {painted_share}: {middle} % (10, 50, 90 %) of {len(values)}")


if __name__ == "__main__":
    main()
