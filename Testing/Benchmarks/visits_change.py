"""Change maps: false alarms on real repeat scans, and how much of painted drop-outs and new vessels is found.

    python Testing/Benchmarks/visits_change.py DATA [--eyes 12] [--json FILE]

Real repeat scans: those of `octa_scp_repeat_visits`, in which nothing has changed. Painted: eyes of the split `test` of
`octa_scp_single_visits`, two visits by `second_simulator.py`, the later with a lesion of a known radius; registered as
`series` does.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import second_simulator
from lesions import disc, drop_out, new_vessels
from scipy import ndimage

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image, read_image
from MetaRegistrationLib.formats.tables import read_table
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.visits import Visit, align_series
from MetaRegistrationLib.visits.change import change_map
from MetaRegistrationLib.workflows.registrars import RegistrarOptions, make_registrar

SIZE = 400
PIXEL_MM = 6 / 320
RADII_PX = (16, 24, 32, 40)
FOUND = 0.2  # of a lesion's area that has to be marked for it to count as found
_BORDER = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--eyes", type=int, default=12)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    registrar, _ = make_registrar(RegistrarOptions(device="cpu"))
    found = {"false_alarms": false_alarms(arguments.data, registrar)}
    found["lesions"] = painted(arguments.data, registrar, arguments.eyes)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


def aligned(registrar, fixed: Image, moving: Image):
    """Both images on the fixed one's pixels, where both show tissue, and the positions; None if they cannot be aligned."""
    series = align_series([Visit("fixed", fixed), Visit("moving", moving)], registrar, "fixed")
    if not series.visits[1].aligned:
        return None
    (first, known), (second, seen) = (entry.warped for entry in series.visits)
    return first, second, known & seen, series.visits[1].positions


def false_alarms(data: Path, registrar) -> dict:
    """Percent of the area that is called changed, and pairs with any cluster, by split."""
    found: dict[str, list] = {}
    for files in find_pairs(data / "octa_scp_repeat_visits").pairs:
        pair = files.load()
        made = aligned(registrar, pair.fixed, pair.moving)
        if made:
            change = change_map(*made[:3], positions=made[3], pixel_mm=PIXEL_MM)
            called = 100 * float((change.lost | change.gained)[change.known].mean())
            found.setdefault(files.split, []).append((called, 100 * float(1 - change.known[made[2]].mean())))
    table = {}
    for split, rows in found.items():
        called, unknown = (list(values) for values in zip(*rows, strict=True))
        row = {"pairs": len(rows), "density": _few(called), "unknown": _few(unknown)}
        table[split] = row | {"with_a_cluster": sum(part > 0 for part in called)}
        print(f"{split}: {table[split]}", flush=True)
    return table


def painted(data: Path, registrar, eyes: int) -> dict:
    """Share of the lesions found, of their area, of what is marked elsewhere, and of what is left open, by kind and radius."""
    folder = data / "octa_scp_single_visits"
    names = [
        row.text("image")
        for row in read_table(folder / "images.csv", ("image", "split"))
        if row.text("split") == "test"
    ]
    results: dict[str, list] = {}
    for number, name in enumerate(names[:eyes]):
        image = read_image(folder / "images" / name).array
        vessels = read_image(folder / "vessel_masks" / name).array > 0
        clean = second_simulator.cleaned(image)
        for kind in ("no lesion", "drop-out", "capillaries lost", "new vessels"):
            for radius in RADII_PX if kind != "no lesion" else (0,):
                rng = np.random.default_rng([number, radius])
                lesion, eye = _painted(clean, vessels, kind, radius, rng)
                fixed, moving, where = second_simulator.visits(clean, eye, lesion, rng, SIZE)
                made = aligned(registrar, _image(fixed), _image(moving))
                if made is None:
                    results.setdefault(f"{kind} {radius}", []).append(None)
                    continue
                change = change_map(*made[:3], positions=made[3])
                marked = change.gained if kind == "new vessels" else change.lost
                beside = change.known & ~ndimage.binary_dilation(where, iterations=_BORDER)
                inside = marked[where].mean() if where.any() else np.nan
                elsewhere = (change.lost | change.gained)[beside].mean()
                open_ = (~change.known)[where].mean() if where.any() else np.nan
                results.setdefault(f"{kind} {radius}", []).append((inside, elsewhere, open_))
    table = {}
    for key, rows in results.items():
        values = np.array([row for row in rows if row is not None])
        table[key] = {
            "eyes": len(rows),
            "not_aligned": sum(row is None for row in rows),
            "found_percent": round(100 * float((values[:, 0] > FOUND).mean())),
            "area_percent": round(100 * float(values[:, 0].mean())) if np.isfinite(values[:, 0]).all() else None,
            "elsewhere_percent": round(100 * float(values[:, 1].mean()), 1),
            "unknown_percent": round(100 * float(values[:, 2].mean()), 1) if np.isfinite(values[:, 2]).all() else None,
        }
        print(f"{key}: {table[key]}", flush=True)
    return table


def _painted(clean, vessels, kind, radius, rng) -> tuple[np.ndarray, np.ndarray]:
    """Lesion mask and changed eye; the radius is in pixels of the frame."""
    if kind == "no lesion":
        return np.zeros(clean.shape, bool), clean
    own = radius * min(clean.shape) / SIZE
    room = 1.3 * own + 0.08 * min(clean.shape)
    lesion = disc(clean.shape, tuple(rng.uniform(room, side - room) for side in clean.shape), own)
    if kind == "new vessels":
        return lesion, new_vessels(clean, lesion, rng)
    return lesion, drop_out(clean, lesion, vessels if kind == "capillaries lost" else None)


def _image(array: np.ndarray) -> Image:
    return Image(255 * array, Geometry(array.shape))


def _few(values: list[float]) -> dict[str, float]:
    return {"mean": round(float(np.mean(values)), 1), "greatest": round(float(np.max(values)), 1)}


if __name__ == "__main__":
    main()
