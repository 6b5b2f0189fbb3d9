"""How repeatable the measures of visits are, and whether eyes of different people are told apart.

    python Testing/Benchmarks/repeatability.py DATA [--write]

The split fine_tune of `octa_scp_repeat_visits` makes the table that ships (`--write` replaces it); its verdicts are counted on
the split test, in which nothing changed either. Then areas without capillaries are painted into the second scans of that split,
and whole retinas are thinned: part of the verdicts that are right.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from painted_eyes import disturbed, enlarged_zone, larger, thinned, without
from scipy import ndimage

from MetaRegistrationLib import visits
from MetaRegistrationLib.formats.files import write_text
from MetaRegistrationLib.formats.images import Image, tissue
from MetaRegistrationLib.octa.faz import find_faz
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.visits import Visit, align_series
from MetaRegistrationLib.visits.changes import Occasion, Verdict, measure_changes
from MetaRegistrationLib.visits.comparable import vessel_agreement, vessels_agree
from MetaRegistrationLib.visits.measured import common_mask, measured_together
from MetaRegistrationLib.visits.measures import Measurement, measure_visits
from MetaRegistrationLib.visits.repeatability import MARGIN, Repeatability, as_table, repeatability
from MetaRegistrationLib.visits.series import Series
from MetaRegistrationLib.visits.series_measures import grid_of
from MetaRegistrationLib.workflows.registrars import RegistrarOptions, make_registrar

PIXEL_UM = 1000 * 6 / 320
SOURCE = "22 pairs of real repeat scans of another device (6 x 6 mm, superficial plexus)"
FIRST, SECOND = Occasion("first", ("first",)), Occasion("second", ("second",))
MEASURES = ("capillary_density", "vessel_density", "nonperfused_area", "faz_area")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", action="store_true", help="replace the table that ships")
    arguments = parser.parse_args()
    registrar, _ = make_registrar(RegistrarOptions(device="cpu"))
    series: dict[str, list[Series]] = {"fine_tune": [], "test": []}
    for files in find_pairs(arguments.data / "octa_scp_repeat_visits", spacing_um=PIXEL_UM).pairs:
        pair = files.load()
        found = align_series([Visit("first", pair.fixed), Visit("second", pair.moving)], registrar, "first")
        if all(entry.aligned for entry in found.visits):
            series[files.split].append(found)
    rows = {split: [measurements(one) for one in all_of] for split, all_of in series.items()}
    known = {split: repeatability(found, SOURCE) for split, found in rows.items()}
    print_table(rows, known)
    if arguments.write:
        write_text(Path(visits.__file__).with_name("shipped_repeats.py"), source_text(known["fine_tune"]))
    known["fine_tune"] = replace(
        known["fine_tune"], cor={key: MARGIN * cor for key, cor in known["fine_tune"].cor.items()}
    )
    unchanged = [change for found in rows["test"] for change in changes(found, known["fine_tune"])]
    print(f"unchanged, split test: {share(unchanged, Verdict.CHANGED):.1%} of {len(unchanged)} verdicts are 'changed'")
    agreements(series["fine_tune"] + series["test"])
    moved_centres(series["fine_tune"] + series["test"])
    paintings(series["test"], known["fine_tune"])


def source_text(known: Repeatability) -> str:
    """`visits/shipped_repeats.py`."""
    rows = [
        f'    "{measure}": {{' + ", ".join(f'"{kind}": {value!r}' for kind, value in kinds.items()) + "},"
        for measure, kinds in as_table(known).items()
    ]
    return "\n".join(
        [
            '"""The coefficients of repeatability that ship: measure, kind of region, value in the unit of the measure.',
            "",
            "`Testing/Benchmarks/repeatability.py` makes this file.",
            '"""',
            "",
            "from __future__ import annotations",
            "",
            f"PAIRS = {known.pairs}",
            f'SOURCE = "{known.source}"',
            "COR = {",
            *rows,
            "}",
            "",
        ]
    )


def measurements(found: Series) -> list[Measurement]:
    """Of both scans, on their common mask."""
    return measure_visits(measured_together(found.visits), grid_of(found))


def changes(rows, known: Repeatability) -> list:
    """From the first scan to the second."""
    return measure_changes(rows, FIRST, SECOND, known)


def share(found, verdict: Verdict) -> float:
    """Part of the measurable changes that have a verdict."""
    good = [change for change in found if change.verdict not in (Verdict.NOT_MEASURABLE, Verdict.UNCERTAIN)]
    return sum(change.verdict is verdict for change in good) / max(len(good), 1)


def print_table(rows: dict[str, list], known: dict[str, Repeatability]) -> None:
    """Mean and CoR of each measure and kind of region."""
    for key in known["fine_tune"].cor:
        values = [row.value for found in rows.values() for pair in found for row in pair if row.measure == key[0]]
        cors = {split: table.cor.get(key, float("nan")) for split, table in known.items()}
        print(f"{' '.join(key)}: mean over all regions {np.nanmean(values):.3f}, CoR {json.dumps(cors)}")


def agreements(series: list[Series]) -> None:
    """Agreement of the larger vessels: of one eye, of different eyes, and of eyes turned by 90 degrees."""
    pairs = [tuple(found.visits) for found in series]
    values = {"one eye": [], "different eyes": [], "turned": []}
    for number, (first, second) in enumerate(pairs):
        values["one eye"].append(vessels_agree(first, second))
        others = (pairs[(number + step) % len(pairs)][1] for step in (1, 2, 3))
        values["different eyes"] += [vessels_agree(first, other) for other in others]
        turned = np.rot90(second.larger_vessels), np.rot90(second.warped[1])
        values["turned"].append(vessel_agreement(first.larger_vessels, turned[0], first.warped[1] & turned[1]))
    for name, found in values.items():
        print(f"vessel agreement, {name}: {np.nanmin(found):.2f} to {np.nanmax(found):.2f} of {len(found)}")


def moved_centres(series: list[Series]) -> None:
    """How far the area of the FAZ moves when the centre moves by one pixel in eight directions."""
    unmeasured, jumps = 0, []
    for one in series:
        grid, scans = grid_of(one), measured_together(one.visits)
        shown = common_mask(scans)
        for scan in scans:
            x, y = grid.centre_xy
            centres = [(x, y), *((x + right, y + down) for right in (-1, 0, 1) for down in (-1, 0, 1) if right or down)]
            zones = [find_faz(scan.image, scan.seen & shown, centre, grid.device_spacing_mm) for centre in centres]
            area, *others = [np.nan if zone is None else zone.area_mm2 for zone in zones]
            unmeasured += np.isnan(area)
            if np.isfinite(area) and np.isfinite(others).any():
                beside = np.array(others)[np.isfinite(others)]
                jumps.append((np.abs(beside - area).max(), np.maximum(beside / area, area / beside).max()))
    moved, factor = np.array(jumps).T
    print(
        f"FAZ not measured in {unmeasured} of {2 * len(series)} scans; the centre moved by one pixel: over 0.05 mm2 in",
        end=" ",
    )
    print(f"{(moved > 0.05).sum()}, a factor over 1.3 in {(factor > 1.3).sum()}, greatest {moved.max():.3f} mm2")


def paintings(series: list[Series], known: Repeatability) -> None:
    """What is found of painted losses, and what is called changed under disturbances."""
    found: dict[str, list] = {}
    ratios: dict[str, list[float]] = {}
    for number, one in enumerate(series):
        rng = np.random.default_rng(number)
        scan = one.visits[1].visit.image.array
        for amount in (0.2, 0.4):
            for kind in ("2.0", "ridges", "scale"):
                other = thinned(scan, amount, kind, rng)
                found.setdefault(f"thinned {amount} {kind}", []).append(whole(one, other, known))
        for amount in (0.25, 0.5, 0.75):
            other, area = part_lost(one, amount, rng)
            eye = whole(one, other, known)
            found.setdefault(f"lost {amount}", []).append(eye)
            ratios.setdefault(f"lost {amount}: non-perfused area", []).append(eye["nonperfused_area"].difference / area)
        for amount, other, area in grown_zones(one, rng):
            eye = whole(one, other, known)
            found.setdefault(f"FAZ larger by {amount}", []).append(eye)
            ratios.setdefault(f"FAZ larger by {amount}: area", []).append(eye["faz_area"].difference / area)
        for name, other in disturbed(scan, rng):
            found.setdefault(name, []).append(whole(one, other, known))
    for name, eyes in found.items():
        print(f"{name}: {'; '.join(told(measure, eyes) for measure in MEASURES)}")
    for name, values in ratios.items():
        good = np.array([value for value in values if np.isfinite(value)])
        print(f"{name}, over the truth: median {np.median(good):.2f}, of {len(good)} within 20 and 25 %:", end=" ")
        print(" and ".join(f"{np.mean(np.abs(good - 1) <= far):.0%}" for far in (0.2, 0.25)))


def told(measure: str, eyes: list[dict]) -> str:
    """How often a measure falls and is called changed, and its mean difference."""
    rows = [eye[measure] for eye in eyes if measure in eye and np.isfinite(eye[measure].difference)]
    if not rows:
        return f"{measure} not measurable"
    down = np.mean([row.difference < 0 for row in rows])
    changed, of_four = (np.mean([abs(row.difference) > scale * row.cor for row in rows]) for scale in (1, 0.5))
    mean = np.mean([row.difference for row in rows])
    return (
        f"{measure} falls in {down:.0%}, changed in {changed:.0%} (four scans a visit: {of_four:.0%}), mean {mean:+.2f}"
    )


def grown_zones(one: Series, rng) -> Iterator[tuple[float, np.ndarray, float]]:
    """The second scan with a larger foveal avascular zone, and by how many mm2; nothing where it has no clear zone."""
    entry = one.visits[1]
    grid = grid_of(one)
    column, row = (round(value) for value in grid.centre_xy)
    place = entry.positions[row, column]
    zone = find_faz(entry.visit.image.array, tissue(entry.visit.image), tuple(place[::-1]), grid.spacing_mm)
    if zone is not None:
        for amount in (0.25, 0.5):
            yield amount, enlarged_zone(entry.visit.image.array, zone.outline, amount, rng), amount * zone.area_mm2


def part_lost(one: Series, amount: float, rng) -> tuple[np.ndarray, float]:
    """The second scan without capillaries on one side of a line, and the mm2 of that side which both scans show."""
    entry = one.visits[1]
    scan = entry.visit.image.array
    rows, columns = np.indices(scan.shape)
    angle = rng.uniform(0, 2 * np.pi)
    along = columns * np.cos(angle) + rows * np.sin(angle)
    side = along < np.quantile(along, amount)
    shown = ndimage.map_coordinates(side.astype(np.float32), np.moveaxis(entry.positions, -1, 0), order=1) > 0.5
    area = (shown & one.visits[0].warped[1] & entry.warped[1]).sum() * (PIXEL_UM / 1000) ** 2
    return without(scan, side & ~larger(scan), np.percentile(scan, 10), 1.5), float(area)


def whole(one: Series, scan: np.ndarray, known: Repeatability) -> dict:
    """The changes of the whole image, by measure, with another second scan."""
    entry = one.visits[1]
    image: Image = replace(entry.visit.image, array=scan)
    other = replace(entry, visit=replace(entry.visit, image=image))
    rows = measurements(replace(one, visits=[one.visits[0], other]))
    return {change.measure: change for change in changes(rows, known) if change.region == "whole"}


if __name__ == "__main__":
    main()
