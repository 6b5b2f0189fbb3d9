"""How true the predicted errors are, and how good the choice by them is, on pairs with landmarks or labels.

    python Testing/Benchmarks/error_maps.py --data DATA --output error_maps [--sets R S2 strong brain_rslices ...]

Sets are those of `kinds.py`, "strong" (repeats by the second simulator, 10 to 20 px in the mean, most of it local) and
"warped_other_kinds" (stains, sections, brains, lungs and heads, each with itself under a known displacement). All
candidates of each pair are made, those too that the product leaves out where a field is predicted to be right. Their errors
at the landmarks (or 1 - Dice) are compared with the predicted ones. "Regret" is the error of the result less that of the best
candidate of the pair.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import kinds_sets
import numpy as np
import torch
from kinds_methods import Found
from kinds_results import measured
from scipy.stats import spearmanr

from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.core.metrics import landmark_distances
from MetaRegistrationLib.formats.files import writable_folder, write_json
from MetaRegistrationLib.preparation import prepare
from MetaRegistrationLib.registration.candidates import best_of
from MetaRegistrationLib.registration.pipeline import StagedField
from MetaRegistrationLib.registration.predicted_error import errors_at
from MetaRegistrationLib.registration.registrar import Registrar, Registration
from MetaRegistrationLib.resources import default_checkpoint
from MetaRegistrationLib.stages import Stages

SETS = (
    "R", "S2", "strong", "warped_other_kinds", "cross_contrast_brain", "aligned_cross_contrast_brain", "brain_itk",
    "sem_sections", "histology_lesion3", "brain_rslices",
)  # fmt: skip
LARGEST_PX = 40.0


@dataclass(frozen=True, eq=False)
class Judged:
    """A candidate: its name, whether it is the result, its true error (px or 1 - Dice), both errors at the landmarks."""

    name: str
    chosen: bool
    error: float
    at_points: np.ndarray


def judged(registrar: Registrar, pair: kinds_sets.KindPair) -> list[Judged]:
    """All candidates of a pair."""
    images = pair.images.moving, pair.images.fixed
    prepared = prepare(*images, registrar.preprocessing)
    seen, candidates = registrar.pipeline.candidates(prepared)
    best, names = best_of(candidates), {each.name for each in candidates}
    candidates += [each for each in registrar.pipeline.candidates(prepared, every=True)[1] if each.name not in names]
    return [_judged(pair, each.name, each is best, _registration(prepared, seen, each)) for each in candidates]


def _registration(prepared, seen, candidate) -> Registration:
    field = seen.on_prepared_grid(candidate.displacement_px)[0].float().cpu().numpy()
    staged = StagedField(field, seen.alignment, None, {}, candidate.stage, candidate.error)
    return Registration.of(prepared, staged, Stages(), 0.0)


def _judged(pair: kinds_sets.KindPair, name: str, chosen: bool, found: Registration) -> Judged:
    landmarks = pair.images.moving_landmarks
    points = found.carry(landmarks)[0].points if landmarks is not None else None
    as_found = Found(points, np.moveaxis(found.moving_positions(), -1, 0), 0.0)
    result = measured(pair, name, "", as_found, as_found)
    at_points = np.zeros((3, 0))
    if points is not None:
        truth = pair.images.fixed_landmarks.points
        true = landmark_distances(points / pair.unit_px, truth / pair.unit_px)
        at_points = np.stack((*errors_at(found, truth), np.minimum(true, LARGEST_PX)))
        at_points = at_points[:, np.isfinite(at_points).all(axis=0)]
    return Judged(name, chosen, result.error_px if pair.labels is None else 1 - result.dice, at_points)


def summary(pairs: list[list[Judged]]) -> dict:
    """The row of a set."""
    chosen = [next(each for each in pair if each.chosen) for pair in pairs]
    errors = np.array([each.error for each in chosen])
    regret = errors - [min(each.error for each in pair) for pair in pairs]
    row = {"pairs": len(pairs), "mean": errors.mean(), "median": np.median(errors), "most": errors.max()}
    row |= {"regret_median": np.median(regret), "regret_most": regret.max()}
    row |= dict(zip(("single", "single_mean"), _best_single(pairs), strict=True))
    points = np.concatenate([each.at_points for pair in pairs for each in pair], axis=1)
    if points.shape[1]:
        row["spearman"] = spearmanr(points[0], points[2])[0]
        row["covered_percent"] = 100 * np.mean(points[2] <= points[1])
        of_chosen = np.concatenate([each.at_points for each in chosen], axis=1)
        row["covered_chosen_percent"] = 100 * np.mean(of_chosen[2] <= of_chosen[1])
        row["mean_off_px"] = np.mean([abs(each.at_points[0].mean() - each.at_points[2].mean()) for each in chosen])
    return row


def _best_single(pairs: list[list[Judged]]) -> tuple[str, float]:
    """The candidate with the least mean error, of those that all pairs have, and that error."""
    names = set.intersection(*({each.name for each in pair} for pair in pairs))
    means = {name: np.mean([each.error for pair in pairs for each in pair if each.name == name]) for name in names}
    best = min(means, key=means.__getitem__)
    return best, float(means[best])


def loaded(name: str, data: Path, output: Path, count: int) -> Iterator[kinds_sets.KindPair]:
    """The pairs of a set."""
    for files, labels in kinds_sets.set_files(name, data, output / "made", count):
        yield kinds_sets.load(name, files, labels)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--pairs", type=int, default=20, help="of S2 and strong")
    arguments = parser.parse_args()
    output = writable_folder(arguments.output)
    registrar = Registrar(load_checkpoint(default_checkpoint()), torch.device("cpu"))
    for name in arguments.sets:
        row = summary([judged(registrar, pair) for pair in loaded(name, arguments.data, output, arguments.pairs)])
        row = {key: value if isinstance(value, str) else round(float(value), 3) for key, value in row.items()}
        write_json(output / f"{name}.json", row)
        print(name, row, flush=True)


if __name__ == "__main__":
    main()
