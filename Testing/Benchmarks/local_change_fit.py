"""Fit the weights of the evidence of local change (`visits.evidence_weights`), and say what it finds in scans that were not used.

    python Testing/Benchmarks/local_change_fit.py DATA [--write]

Real repeat scans of `octa_scp_repeat_visits`: in the pairs nothing changed. In the second scan of each, vessels are painted out,
or it is dimmed by shadows and vignetting. Weights, limits and clusters are of the split fine_tune; numbers are printed of both.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from painted_eyes import disc, larger, without
from scipy import ndimage
from visits_change import aligned

from MetaRegistrationLib.formats.images import tissue
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.visits import evidence_weights, local_evidence
from MetaRegistrationLib.visits.change import clusters, largest_mm2
from MetaRegistrationLib.visits.evidence_weights import LEVELS, WINDOW, Evidence
from MetaRegistrationLib.visits.local_evidence import features_between, slow
from MetaRegistrationLib.visits.measured import Local, local_of
from MetaRegistrationLib.visits.shadows import dimmed
from MetaRegistrationLib.visits.unknown import nothing_known
from MetaRegistrationLib.workflows.registrars import RegistrarOptions, make_registrar

PIXEL_MM = 6 / 320
NOISES = ("noise 0", ("noise 0", "noise 12"))
"""Painted losses that each kind of evidence is fitted to."""
RIDGES = (0.2, 1.0)
LEAST = 0.004  # mm2, three places
SECOND_MARGIN = 1.5  # of the second kind, so that both together rarely call a pair without change changed
SECOND_LEAST = 0.49  # mm2 at the lowest level of the second kind: a disc of 800 um
SHADOWS = 0.3
LIMIT_SDS = 2.0
MOST_FALSE = 0.05


@dataclass(frozen=True, eq=False)
class Case:
    """Features between the first scan of a pair and its second one, which may be painted.

    `where` is what was painted, bool at every place; `both` holds the features of loss and of gain.
    """

    kind: str
    both: tuple[np.ndarray, np.ndarray]
    known: np.ndarray
    where: np.ndarray


def main() -> None:
    """Fit, print and, if asked to, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    cases = cases_of(arguments.data)
    kinds, least = fit(cases["fine_tune"])
    for split, found in cases.items():
        report(split, found, kinds, least)
    if arguments.write:
        write(kinds, least, sum(case.kind == "repeat" for case in cases["fine_tune"]))


def cases_of(data: Path) -> dict[str, list[Case]]:
    """The cases of each split."""
    found: dict[str, list[Case]] = {"fine_tune": [], "test": []}
    pairs = find_pairs(data / "octa_scp_repeat_visits").pairs
    with ProcessPoolExecutor(2) as pool:
        jobs = list(enumerate(pairs))
        for files, made in zip(pairs, pool.map(_of_pair, jobs), strict=True):
            found[files.split] += made
    return found


def _of_pair(job: tuple) -> list[Case]:
    """The cases of one pair; none if it cannot be aligned."""
    cases = []
    for kind, first, second, known, painted in second_scans(job, _scans):
        grey, large = (first.structure[0], second.structure[0]), (first.large, second.large)
        known = known & ~dimmed(grey, large, known, 1.0)
        forth, back, places = features_between(first, second, known, 1.0, WINDOW)
        where = painted[:: local_evidence.STEP, :: local_evidence.STEP]
        cases.append(Case(kind, (forth.astype(np.float16), back.astype(np.float16)), places, where))
    return cases


def second_scans(job: tuple, scans) -> Iterator[tuple[str, Local, Local, np.ndarray, np.ndarray]]:
    """Scans that `scans` makes of the second one of a pair (number, files), on the pixels of the first one; none if not aligned.

    Each is (kind, first scan, second scan, measurable pixels, painted pixels).
    """
    number, files = job
    pair = files.load()
    made = aligned(make_registrar(RegistrarOptions(device="cpu"))[0], pair.fixed, pair.moving)
    if made is None:
        return
    _, _, valid, positions = made
    own, first = tissue(pair.moving), local_of(pair.fixed.array.astype(np.float32), tissue(pair.fixed), PIXEL_MM)
    for kind, scan, where in scans(pair.moving.array.astype(np.float32), np.random.default_rng(number)):
        second, image = _warped(local_of(scan, own, PIXEL_MM), positions), _placed(scan, positions)
        known = valid & ~nothing_known(pair.fixed.array, image, valid, positions)
        yield kind, first, second, known, _placed(where.astype(np.float32), positions) > 0.5


def _scans(scan: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The second scan as it is, painted, and disturbed: kind, scan, and where."""
    nothing = np.zeros(scan.shape, bool)
    yield "repeat", scan, nothing
    vessels, dark = larger(scan), np.percentile(scan, 10)
    for what in ("all", "capillaries"):
        for um in (400, 800):
            spots = [rng.uniform(50, min(scan.shape) - 50, 2) for _ in range(4 if um == 400 else 2)]
            where = np.logical_or.reduce([disc(scan.shape, spot, um / 2 / 18.75) for spot in spots])
            gone = where & ~vessels if what == "capillaries" else where
            for noise in (0, 12):
                level = dark + rng.normal(0, noise, scan.shape)
                painted = np.clip(without(scan, gone, level, 1.5), 0, None)
                yield f"{what} {um} um, noise {noise}", painted, where
    rows, columns = np.indices(scan.shape)
    for share in (0.25, 0.5, 0.75):
        where = columns < share * scan.shape[1] if rng.random() < 0.5 else rows >= (1 - share) * scan.shape[0]
        yield f"frame {share:.0%}", without(scan, where & ~vessels, dark, 1.5), where
    for share in (0.5, 0.7):
        where = disc(scan.shape, rng.uniform(70, min(scan.shape) - 70, 2), rng.uniform(30, 50))
        soft = ndimage.gaussian_filter(where.astype(np.float32), 6)
        yield f"shadow {share:.0%}", (scan * (1 - share * soft)).astype(np.float32), where
    middle = (np.array(scan.shape) - 1) / 2
    away = np.hypot(rows - middle[0], columns - middle[1]) / np.hypot(*middle)
    yield "vignetting 60 %", (scan * (1 - 0.6 * away**2)).astype(np.float32), ~nothing


def _placed(image: np.ndarray, positions: np.ndarray) -> np.ndarray:
    places = np.moveaxis(positions, -1, 0)
    return ndimage.map_coordinates(image.astype(np.float32), places, order=1, mode="nearest")


def _warped(found: Local, positions: np.ndarray) -> Local:
    stacks = [np.stack([_placed(part, positions) for part in stack]) for stack in (found.texture, found.structure)]
    return Local(*stacks, _placed(found.large, positions) > 0.5, _placed(found.between, positions) > 0.7)


def fit(cases: list[Case]) -> tuple[tuple[Evidence, ...], tuple[float, ...]]:
    """The two kinds of evidence, and the least clusters."""
    repeats = [(part, case.known) for case in cases if case.kind == "repeat" for part in case.both]
    limits = LIMIT_SDS * np.concatenate([part[:, known] for part, known in repeats], 1).astype(np.float32).std(1)
    null, lost, shadows = [], [], []
    for case in cases:
        inside = case.known & ndimage.binary_erosion(case.where, iterations=2)
        if case.kind == "repeat":
            null += [_rest(part, case.known, limits)[:, case.known] for part in case.both]
        elif " um" in case.kind:
            lost.append((case.kind, _rest(case.both[0], case.known, limits)[:, inside]))
        elif case.kind.startswith("shadow"):
            shadows.append(_rest(case.both[0], case.known, limits)[:, inside])
    null, shadows = np.concatenate(null, 1), np.concatenate(shadows, 1)
    kinds = []
    for noises, ridge in zip(NOISES, RIDGES, strict=True):
        rows = np.concatenate([part for kind, part in lost if kind.endswith(noises)], 1)
        weights = discriminant(null, rows, shadows, ridge)
        rough = Evidence(tuple(weights), tuple(limits), 1.0)
        usual = float(np.median([local_evidence.spread_of(part, known, rough) for part, known in repeats]))
        kinds.append(Evidence(_few(weights), _few(limits), float(f"{usual:.4g}")))
    return tuple(kinds), limits_of([largest(case, kinds) for case in cases if case.kind == "repeat"])


def discriminant(null: np.ndarray, lost: np.ndarray, shadows: np.ndarray, ridge: float) -> np.ndarray:
    """Fisher's linear discriminant of what was painted against repeat scans and shadows; repeat scans have a deviation of 1."""
    spread = np.cov(null) + SHADOWS * shadows @ shadows.T / shadows.shape[1]
    sd = np.sqrt(np.diag(spread))
    correlation = spread / np.outer(sd, sd) + ridge * np.eye(len(sd))
    weights = np.linalg.solve(correlation, (lost.mean(1) - null.mean(1)) / sd) / sd
    return weights / (weights @ null).std()


def limits_of(areas: list[list[float]]) -> tuple[float, ...]:
    """Limits that at most one of twenty pairs exceeds in any kind at any level; the same pairs in each kind."""
    rank = int(np.ceil((1 - MOST_FALSE) * len(areas))) - 1
    table = np.array(areas)
    first = table[:, : len(LEVELS)]
    each = np.maximum(np.sort(first, axis=0)[rank], LEAST)
    beyond = (first / each).max(axis=1)
    each = each * max(float(np.sort(beyond)[rank]), 1)
    usual = beyond <= np.sort(beyond)[rank]
    rest = SECOND_MARGIN * np.maximum(table[usual, len(LEVELS) :].max(axis=0), LEAST)
    rest[0] = max(rest[0], SECOND_LEAST)
    return tuple(float(f"{1.02 * area:.3g}") for area in (*each, *rest))  # more than rounding takes


def _rest(features: np.ndarray, known: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Features without what changes slowly."""
    return np.stack([part - slow(part, known, limit) for part, limit in zip(features, limits, strict=True)])


def _few(values: np.ndarray) -> tuple[float, ...]:
    return tuple(float(f"{value:.4g}") for value in values)


def scores(features: np.ndarray, known: np.ndarray, kinds) -> np.ndarray:
    """Scores of each kind of evidence."""
    return np.stack([local_evidence.score(features, known, kind) for kind in kinds])


def largest(case: Case, kinds) -> list[float]:
    """Area of the largest cluster of either sign, mm2, of each kind and level."""
    return list(np.maximum(*(largest_mm2(scores(part, case.known, kinds), 1.0) for part in case.both)))


def report(split: str, cases: list[Case], kinds: tuple[Evidence, ...], least: tuple[float, ...]) -> None:
    """Print what is found."""
    found: dict[str, list[float]] = {}
    for case in cases:
        lost, gained = (clusters(scores(part, case.known, kinds), least, 1.0) for part in case.both)
        if case.kind == "repeat":
            found.setdefault("repeat: pairs with a cluster", []).append(float((lost | gained).any()))
        elif " um" in case.kind:
            spots, number = ndimage.label(case.where)
            parts = [spots == part for part in range(1, number + 1)]
            found.setdefault(f"{case.kind}: found", []).extend(float(lost[part].mean() > 0.2) for part in parts)
        elif case.kind.startswith("frame"):
            for name, part, where in (("lost", lost, case.where), ("rest gained", gained, ~case.where)):
                known = where & case.known
                if known.any():
                    found.setdefault(f"{case.kind}: {name}, area", []).append(float(part[known].mean()))
        else:
            found.setdefault(f"{case.kind}: called changed, area", []).append(float((lost | gained)[case.where].mean()))
    print(f"{split}: least clusters {least} mm2 at levels {LEVELS} of each kind")
    for name, values in found.items():
        print(f"  {name}: {np.mean(values):.1%} ({len(values)})")


def write(kinds: tuple[Evidence, ...], least: tuple[float, ...], pairs: int) -> None:
    """Replace the numbers in `evidence_weights`."""
    path = Path(evidence_weights.__file__)
    text = path.read_text(encoding="utf-8")
    values = zip(local_evidence.NAMES, kinds[0].limits, *(kind.weights for kind in kinds), strict=True)
    rows = "\n".join(f'    "{name}": ({", ".join(map(str, numbers))}),' for name, *numbers in values)
    text = re.sub(r"PAIRS = .*", f"PAIRS = {pairs}", text)
    text = re.sub(r"LEAST_MM2 = .*", f"LEAST_MM2 = {least!r}", text)
    text = re.sub(r"SPREADS = .*", f"SPREADS = {tuple(kind.spread for kind in kinds)!r}", text)
    text = re.sub(r"FEATURES = \{[^}]*\}", f"FEATURES = {{\n{rows}\n}}", text)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
