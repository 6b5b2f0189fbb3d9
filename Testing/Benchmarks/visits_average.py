"""Averages of visits: by our alignment, by elastix's, and of the unaligned scans.

    python Testing/Benchmarks/visits_average.py DATA [--eyes 3] [--visits 10] [--json FILE]

Simulated visits (`second_simulator.py`): contrast over noise of the average (structures of vessel width over the noise of single
pixels), and how well the average of all but the last agrees with the last, which is not in it. Real repeat scans (two an eye, the
split `test`): contrast over noise of the average of both. It is no measure of quality, since blur raises it; the averages of one
eye are of the same scans.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import second_simulator
from scipy import ndimage

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image, read_image, tissue
from MetaRegistrationLib.formats.tables import read_table
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.visits import Visit, align_series, average
from MetaRegistrationLib.visits.series import Series
from MetaRegistrationLib.workflows.registrars import RegistrarOptions, make_registrar

SIZE = 400


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--eyes", type=int, default=3)
    parser.add_argument("--visits", type=int, default=10)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    registrar, _ = make_registrar(RegistrarOptions(device="cpu"))
    methods = {"unaligned": _stay, "ours": registrar, **_elastix()}
    rows = []
    for name, visits in [*_simulated(arguments), *_real(arguments.data)]:
        row = {"eye": name, "visits": len(visits), "one": round(contrast_over_noise(visits[0].image), 2)}
        for method, register in methods.items():
            row[method] = _measured(visits, register)
        rows.append(row)
        print(row, flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def _measured(visits: list[Visit], register) -> dict:
    """Contrast over noise of the average; with three visits and more the last is left out, and compared with it."""
    series = align_series(visits, register, visits[0].name)
    used, last = (series.visits[:-1], series.visits[-1]) if len(visits) > 2 else (series.visits, None)
    mean = average(Series(0, "", used, series.qualities))
    found = {"aligned": sum(entry.aligned for entry in series.visits)}
    found["contrast_over_noise"] = round(contrast_over_noise(Image(mean.image, visits[0].image.geometry)), 2)
    if last is not None and last.aligned:
        image, seen = last.warped
        both = seen & (mean.count > 0)
        found["left_out"] = round(float(np.corrcoef(image[both], mean.image[both])[0, 1]), 3)
    return found


def contrast_over_noise(image: Image) -> float:
    """Contrast of structures of vessel width over the noise of single pixels, times the share of tissue."""
    known = tissue(image)
    values = np.where(known, image.array, np.median(image.array[known])).astype(np.float32)
    unit = max(max(values.shape) / SIZE, 0.5)
    smooth = ndimage.gaussian_filter(values, 1.5 * unit)
    structure = (smooth - ndimage.gaussian_filter(values, 6.0 * unit))[known].std()
    noise = (values - ndimage.gaussian_filter(values, 0.7 * unit))[known].std()
    return float(structure / max(noise, 1e-6) * known.mean())


class _Found:
    """What `align_series` asks of a registration, for a given pull field."""

    alignment, confidence, ncc, result_stage, error = None, np.nan, (np.nan, np.nan), "other", None

    def __init__(self, field: np.ndarray) -> None:
        self._positions = np.moveaxis(np.indices(field.shape[1:]) + field, 0, -1)

    def moving_positions(self) -> np.ndarray:
        return self._positions


def _stay(moving: Image, fixed: Image) -> _Found:
    return _Found(np.zeros((2, *fixed.array.shape)))


def _elastix() -> dict:
    """Elastix as it was tuned for these images, where it is installed."""
    try:
        from peers.elastix import peers
    except ImportError as error:
        print(f"elastix: {error}")
        return {}

    def register(peer):
        def run(moving: Image, fixed: Image) -> _Found:
            scaled = [image.array / max(float(np.percentile(image.array, 99.5)), 1e-6) for image in (moving, fixed)]
            return _Found(peer.register(*(np.clip(part, 0, 1).astype(np.float32) for part in scaled)))

        return run

    return {peer.name: register(peer) for peer in peers(1)}


def _simulated(arguments):
    folder = arguments.data / "octa_scp_single_visits"
    names = [
        row.text("image")
        for row in read_table(folder / "images.csv", ("image", "split"))
        if row.text("split") == "test"
    ]
    for number, name in enumerate(names[: arguments.eyes]):
        clean = second_simulator.cleaned(read_image(folder / "images" / name).array)
        rng, visits = np.random.default_rng([number, 77]), []
        for visit in range(arguments.visits):
            fixed, moving, _ = second_simulator.visits(clean, clean, np.zeros(clean.shape), rng, SIZE)
            image = moving if visit else fixed
            visits.append(Visit(f"v{visit}", Image(255 * image, Geometry(image.shape))))
        yield f"simulated {name}", visits


def _real(data: Path):
    for files in find_pairs(data / "octa_scp_repeat_visits").split("test"):
        pair = files.load()
        if pair.fixed.array.shape == pair.moving.array.shape:
            yield f"real {pair.name}", [Visit("fixed", pair.fixed), Visit("moving", pair.moving)]


if __name__ == "__main__":
    main()
