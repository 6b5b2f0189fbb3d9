"""Fit the weights of the density of capillaries (`octa.capillary_weights`), and say what they do on scans that were not used.

    python Testing/Benchmarks/density_fit.py DATA

The weights make one linear function of the logarithms of the mean features. It is wanted to be 0 for differences of repeat
scans and of disturbed scans, log(1 - t) where a share t of the capillaries is painted out, and log(0.08) where all are, or in
the fovea. Used: the split fine_tune of `octa_scp_repeat_visits`, every tenth of that split of `octa_scp_single_visits`, and ten
of `octa_synthetic`. Checked: the split test of both, and six other synthetic images.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from painted_eyes import disc, disturbed, larger, thinned, thinned_labels, without
from scipy import ndimage
from visits_change import aligned

from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.formats.tables import read_table
from MetaRegistrationLib.octa.capillaries import FEATURES, parts, texture
from MetaRegistrationLib.octa.capillary_weights import FLOOR
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.visits.fovea import suggested_centre
from MetaRegistrationLib.workflows.registrars import RegistrarOptions, make_registrar

PIXEL_MM = 6 / 320
NONE_LEFT = np.log(0.08)
RIDGE = 0.02
WEIGHTS = {"whole": 20.0, "region": 6.0, "local": 0.5, "paint": 1.0, "none": 1.0, "disturbed": 1.0, "shadow": 0.7}
Row = tuple[str, str, np.ndarray, float]
"""Kind, name, difference of the logarithms of the features, and its target."""


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    rows: dict[str, list[Row]] = {"fine_tune": [], "test": []}
    with ProcessPoolExecutor() as pool:
        for split, found in pool.map(_rows, _jobs(data)):
            rows[split] += found
    weights = fit(rows["fine_tune"])
    print(dict(zip(FEATURES, weights.round(4).tolist(), strict=True)))
    for split, found in rows.items():
        report(split, found, weights)


def _jobs(data: Path) -> list[tuple]:
    """What is read, a scan or a pair a job: split, kind, seed, and its files."""
    pairs = find_pairs(data / "octa_scp_repeat_visits").pairs
    jobs = [(files.split, "repeats", files) for files in pairs]
    for split, step in (("fine_tune", 10), ("test", 5)):
        jobs += [(split, "painted", path) for path in _single(data, split)[::step]]
    synthetic = sorted((data / "source_tasks" / "octa_synthetic" / "images").glob("*.png"))[::9][:16]
    jobs += [("fine_tune" if number < 10 else "test", "labelled", path) for number, path in enumerate(synthetic)]
    return [(split, kind, seed, source) for seed, (split, kind, source) in enumerate(jobs)]


def _rows(job: tuple) -> tuple[str, list[Row]]:
    """The rows of one job."""
    split, kind, seed, source = job
    rng = np.random.default_rng(seed)
    if kind == "painted":
        return split, list(painted(read_image(source).array, rng))
    if kind == "labelled":
        labels = read_image(source.parents[1] / "vessel_labels" / source.name).array > 0
        return split, list(labelled(read_image(source).array, labels, rng))
    pair = source.load()
    made = aligned(make_registrar(RegistrarOptions(device="cpu"))[0], pair.fixed, pair.moving)
    if made is None:
        return split, []
    return split, [
        *repeats(pair.fixed.array, pair.moving.array, made[2], made[3], rng),
        *painted(pair.moving.array, rng),
    ]


def fit(rows: list[Row]) -> np.ndarray:
    """Ridge regression, each kind with its own weight."""
    scale = np.array([WEIGHTS[kind] for kind, *_ in rows])
    left, right = np.array([row[2] for row in rows]) * scale[:, None], np.array([row[3] for row in rows]) * scale
    return np.linalg.solve(left.T @ left + RIDGE * 22 * np.eye(left.shape[1]), left.T @ right)


def report(split: str, rows: list[Row], weights: np.ndarray) -> None:
    """Coefficient of repeatability, and the mean response to each painting and disturbance in units of it."""
    values: dict[tuple[str, str], list[float]] = {}
    for kind, name, difference, _ in rows:
        values.setdefault((kind, name), []).append(float(difference @ weights))
    cor = 1.96 * float(np.sqrt(np.mean(np.square(values["whole", ""]))))
    print(f"{split}: CoR {100 * cor:.1f} % of the mean")
    for (kind, name), found in values.items():
        if kind not in ("whole", "region", "local"):
            mean = float(np.mean(found))
            print(
                f"  {kind} {name}: {mean:+.2f}, index {abs(mean) / cor:.1f}, falls in {np.mean(np.array(found) < 0):.0%}"
            )


def repeats(fixed, moving, known, positions, rng) -> list[Row]:
    """Differences of two aligned repeat scans, over the whole, regions and small windows."""
    first, between = _features(fixed, known)
    second, again = _features(moving, np.ones(moving.shape, bool), positions)
    between = between & again & known
    rows, columns = np.indices(known.shape)
    height, width = known.shape
    away = np.hypot(rows - height / 2, columns - width / 2) * PIXEL_MM
    quadrant = np.floor((np.arctan2(columns - width / 2, height / 2 - rows) + np.pi / 4) / (np.pi / 2)).astype(int) % 4
    areas = [("whole", between), ("region", between & (away <= 0.5))]
    for low, high in ((0.5, 1.5), (1.5, 3.0)):
        areas += [("region", between & (away > low) & (away <= high) & (quadrant == part)) for part in range(4)]
    areas += [("local", between & disc(known.shape, rng.uniform(30, height - 30, 2), 14)) for _ in range(25)]
    return [(kind, "", _log(first, where) - _log(second, where), 0.0) for kind, where in areas if where.sum() > 100]


def painted(scan: np.ndarray, rng) -> Iterator[Row]:
    """Differences of a scan that is painted or disturbed from the same scan."""
    features, between = _features(scan)
    for kind in ("scale", "ridges", "1.0", "2.0", "3.5"):
        for share in (0.2, 0.4, 0.6):
            yield _whole(
                "paint", f"{kind} {share}", thinned(scan, share, kind, rng), features, between, np.log(1 - share)
            )
    for name, other in disturbed(scan, rng):
        yield _whole("disturbed", name, other, features, between, 0.0)
    yield from _local(scan, features, between, rng)
    fovea = disc(scan.shape, suggested_centre(scan, np.ones(scan.shape, bool))[::-1], 7)
    yield "none", "fovea", _log(features, fovea) - _log(features, between), NONE_LEFT


def labelled(scan: np.ndarray, labels: np.ndarray, rng) -> Iterator[Row]:
    """As `painted`, for a synthetic scan whose fine vessels are known."""
    features, between = _features(scan, pixel=None)
    fovea = disc(scan.shape, np.array(scan.shape) / 2, 45)
    for share in (0.2, 0.4, 0.6):
        other = thinned_labels(scan, labels, share, rng)
        yield _whole("paint", f"labels {share}", other, features, between & ~fovea, np.log(1 - share), None)
    core = disc(scan.shape, np.array(scan.shape) / 2, 18)
    yield "none", "synthetic fovea", _log(features, core) - _log(features, between & ~fovea), NONE_LEFT


def _local(scan, features, between, rng) -> Iterator[Row]:
    """Discs without vessels, and shadows."""
    for kind in ("all", "capillaries"):
        spots = [(rng.uniform(50, min(scan.shape) - 50, 2), rng.uniform(18, 34)) for _ in range(3)]
        gone = np.logical_or.reduce([disc(scan.shape, *spot) for spot in spots])
        if kind == "capillaries":
            gone &= ~larger(scan)
        level = np.percentile(scan, rng.choice([2, 10])) + rng.normal(0, rng.choice([0, 6, 12]), scan.shape)
        other, _ = _features(np.clip(without(scan, gone, level, 1.5), 0, 255))
        for centre, radius in spots:
            where = disc(scan.shape, centre, radius - 8) & between
            if where.sum() > 60:
                yield "none", f"disc, {kind}", _log(other, where) - _log(features, where), NONE_LEFT
    for share in (0.5, 0.3):
        centre, radius = rng.uniform(60, min(scan.shape) - 60, 2), rng.uniform(30, 50)
        soft = ndimage.gaussian_filter(disc(scan.shape, centre, radius).astype(np.float32), 6)
        other, _ = _features((scan * (1 - (1 - share) * soft)).astype(np.float32))
        where = disc(scan.shape, centre, radius - 10) & between
        if where.sum() > 150:
            yield "shadow", f"{share}", _log(other, where) - _log(features, where), 0.0


def _whole(kind, name, other, features, between, target, pixel=PIXEL_MM) -> Row:
    changed, again = _features(other, pixel=pixel)
    where = between & again
    return kind, name, _log(changed, where) - _log(features, where), float(target)


def _features(scan, tissue=None, positions=None, pixel=PIXEL_MM) -> tuple[np.ndarray, np.ndarray]:
    """Features and the pixels between larger vessels, at `positions` if given."""
    tissue = np.ones(scan.shape, bool) if tissue is None else tissue
    found = parts(scan, tissue, pixel)
    features = texture(scan, tissue, found.large, pixel)
    if positions is None:
        return features, found.between
    places = np.moveaxis(positions, -1, 0)
    warped = [ndimage.map_coordinates(part, places, order=1, mode="nearest") for part in features]
    between = ndimage.map_coordinates(found.between.astype(np.float32), places, order=1, mode="nearest")
    return np.stack(warped), between > 0.7


def _log(features: np.ndarray, where: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(features[:, where].mean(axis=1), 0) + FLOOR)


def _single(data: Path, split: str) -> list[Path]:
    folder = data / "octa_scp_single_visits"
    rows = read_table(folder / "images.csv", ("image", "split"))
    return [folder / "images" / row.text("image") for row in rows if row.text("split") == split]


if __name__ == "__main__":
    main()
