"""Train the error predictor on examples, correct it on tasks that it was not trained on, and write it.

    python Testing/Benchmarks/error_examples.py --data DATA --output seen --pairs 600 --seed 11
    python Testing/Benchmarks/error_examples.py --data DATA --output unseen --pairs 1200 --seed 21 --unseen
    python Testing/Benchmarks/error_predictor_fit.py --seen seen --unseen unseen --output fit

Three quarters of the examples that it learns from have images that the networks had not seen. Drawn eyes are left out. The
predictions for them give the corrections (conformal prediction): half of the errors are below the median, 95 % below the bound,
and the means are equal. The corrections by origin are from all unseen images. A training takes three quarters of an hour on one
core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from MetaRegistrationLib.error_map.judge import Corrections, save_judge, without_affine
from MetaRegistrationLib.error_map.predictor import ErrorPredictor, Predicted, logarithm
from MetaRegistrationLib.formats.files import replacing, writable_folder

STEPS, RATE, WARMUP, PAIRS_A_STEP, FIELDS_A_PAIR = 2200, 1.5e-3, 100, 4, 3
WEIGHTS = {"median": 1.0, "bound": 2.0, "mean": 0.3, "order": 0.4}
LEFT_OUT = "fundus"
UNSEEN_SHARE = 0.75
SMALL_PX = 1.0
_LEAST_CELLS = 30
_FLOOR_PX = 0.05


def losses(predicted: Predicted, error: Tensor, known: Tensor) -> dict[str, Tensor]:
    """The parts of the loss for the fields of one pair.

    Median and bound have the pinball loss of their quantiles, on the scale of logarithms. The mean has the deviance of a gamma
    distribution, whose minimum is the mean. "order" compares the fields with one another: differences of their mean errors.
    """
    weight = known * (known > 0.5)
    count = weight.sum((1, 2))
    enough = (count > _LEAST_CELLS).float()
    target = logarithm(error)

    def mean(values: Tensor) -> Tensor:
        each = (values * weight).sum((1, 2)) / count.clamp(min=1)
        return (each * enough).sum() / enough.sum().clamp(min=1)

    def pinball(values: Tensor, level: float) -> Tensor:
        above = target - logarithm(values)
        return mean(torch.maximum(level * above, (level - 1) * above))

    expected = predicted.mean + _FLOOR_PX
    return {
        "median": pinball(predicted.median, 0.5),
        "bound": pinball(predicted.bound, 0.95),
        "mean": mean((error + _FLOOR_PX) / expected + expected.log() - target - 1),
        "order": _order(predicted, error, (known.amin(0) > 0.5).float()),
    }


def _order(predicted: Predicted, error: Tensor, common: Tensor) -> Tensor:
    cells = common.sum()
    if len(error) < 2 or cells <= _LEAST_CELLS:
        return error.new_zeros(())

    def over_cells(values: Tensor) -> Tensor:
        return (values * common).sum((1, 2)) / cells

    pairs = (
        (over_cells(logarithm(predicted.median)), over_cells(logarithm(error))),
        (over_cells(predicted.mean + _FLOOR_PX).log(), over_cells(error + _FLOOR_PX).log()),
    )
    first, second = torch.triu_indices(len(error), len(error), 1)
    return sum(((a[first] - a[second]) - (b[first] - b[second])).abs().mean() for a, b in pairs)


def tensors(pair: dict, chosen: np.ndarray) -> tuple[Tensor, ...]:
    """Fixed image (1, 2, n, n), and of the chosen fields the warped image, the field, the error and the known share."""
    examples = [pair["examples"][index] for index in chosen]
    moved, field, error, known = (
        torch.stack([e[key] for e in examples]) for key in ("moved", "field", "error", "known")
    )
    return pair["fixed"][None].float() / 255, moved.float() / 255, field.float(), error.float(), known.float() / 255


def turned(rng: np.random.Generator, fixed, moved, field, error, known) -> tuple[Tensor, ...]:
    """The same, mirrored and turned at random; the warped image inverted in some."""
    for axis in (-1, -2):
        if rng.random() < 0.5:
            fixed, moved, error, known = (image.flip(axis) for image in (fixed, moved, error, known))
            sign = field.new_ones(2)
            sign[axis] = -1
            field = field.flip(axis) * sign[:, None, None]
    if rng.random() < 0.5:
        fixed, moved, error, known = (image.transpose(-1, -2) for image in (fixed, moved, error, known))
        field = field.transpose(-1, -2).flip(1)
    if rng.random() < 0.15:
        moved = torch.cat((moved[:, 1:] * (1 - moved[:, :1]), moved[:, 1:]), dim=1)
    return fixed, moved, field, error, known


def train(seen: list[dict], unseen: list[dict], path: Path, seed: int = 0) -> ErrorPredictor:
    """Train a predictor, or read it from `path` where it is already trained."""
    torch.manual_seed(seed)
    rng, predictor = np.random.default_rng(seed), ErrorPredictor()
    if path.is_file():
        predictor.load_state_dict(torch.load(path, weights_only=True))
        return predictor.eval()
    optimiser = torch.optim.AdamW(predictor.parameters(), lr=RATE, weight_decay=1e-4)
    sums: dict[str, float] = dict.fromkeys(WEIGHTS, 0.0)
    for step in range(STEPS):
        rate = RATE * min(1, (step + 1) / WARMUP) * 0.5 * (1 + np.cos(np.pi * step / STEPS))
        for group in optimiser.param_groups:
            group["lr"] = rate
        optimiser.zero_grad()
        for _ in range(PAIRS_A_STEP):
            pairs = unseen if unseen and rng.random() < UNSEEN_SHARE else seen
            pair = pairs[rng.integers(len(pairs))]
            chosen = rng.permutation(len(pair["examples"]))[:FIELDS_A_PAIR]
            *inputs, error, known = turned(rng, *tensors(pair, chosen))
            parts = losses(predictor(*inputs[:2], without_affine(inputs[2])), error, known)
            (sum(WEIGHTS[name] * part for name, part in parts.items()) / PAIRS_A_STEP).backward()
            sums = {name: sums[name] + float(part.detach()) / PAIRS_A_STEP for name, part in parts.items()}
        torch.nn.utils.clip_grad_norm_(predictor.parameters(), 1.0)
        optimiser.step()
        if step % 100 == 99:
            print(path.stem, step + 1, {name: round(value / 100, 4) for name, value in sums.items()}, flush=True)
            sums = dict.fromkeys(sums, 0.0)
    with replacing(path) as temporary:
        torch.save(predictor.state_dict(), temporary)
    return predictor.eval()


def origin(name: str) -> str:
    """The origin of a field by the name of its example, as the predictor's corrections call it; empty for a drawn one."""
    if name.endswith("refined"):
        return "refine"
    return {
        "affine": "initial",
        "any": "network",
        "like": "network",
        "any alone": "network",
        "octa": "network",
        "any, like": "again",
        "like, like": "again",
    }.get(name, "")


@torch.no_grad()
def predictions(predictor: ErrorPredictor, pairs: list[dict]) -> list[tuple[str, np.ndarray]]:
    """Of every field that a registration makes of a related pair: its origin, and of its cells (N, 4) the three predictions
    and the true error."""
    found = []
    for pair in pairs:
        chosen = np.array([index for index, each in enumerate(pair["examples"]) if origin(each["name"])])
        if not pair["related"] or not len(chosen):
            continue
        *inputs, error, known = tensors(pair, chosen)
        predicted = predictor(*inputs[:2], without_affine(inputs[2]))
        columns = torch.stack((predicted.median, predicted.bound, predicted.mean, error), dim=-1)
        for place, index in enumerate(chosen):
            cells = columns[place][known[place] > 0.5]
            if len(cells) > _LEAST_CELLS:
                found.append((origin(pair["examples"][index]["name"]), cells.numpy()))
    return found


def by_origin(found: list[tuple[str, np.ndarray]]) -> dict[str, tuple[float, float]]:
    """A factor for a network that is run once more, and pixels that are added for a refined field; see `Corrections`.

    The factor is the median ratio of true to predicted mean errors. The pixels are the median difference where less than
    `SMALL_PX` is predicted. Both are relative to fields of a network.
    """
    names = ("network", "again", "refine")
    means = {name: np.array([cells[:, 2:].mean(0) for kind, cells in found if kind == name]) for name in names}
    ratios = {name: np.median(values[:, 1] / values[:, 0]) for name, values in means.items()}
    small = {name: values[values[:, 0] < SMALL_PX] for name, values in means.items()}
    differences = {name: np.median(values[:, 1] - values[:, 0]) for name, values in small.items()}
    added = float(differences["refine"] - differences["network"])
    return {"again": (float(ratios["again"] / ratios["network"]), 0.0), "refine": (1.0, added)}


def corrections(held_out: list[tuple[str, np.ndarray]], origins: dict[str, tuple[float, float]]) -> Corrections:
    """Factors that make predictions true; each field counts as much as any other."""
    cells = [(origins.get(name, (1.0, 0.0)), cells[:: max(len(cells) // 100, 1)]) for name, cells in held_out]
    true = np.concatenate([each[:, 3] for _, each in cells])
    median, bound, mean = np.concatenate([factor * each[:, :3] + added for (factor, added), each in cells]).T
    return Corrections(
        median=float(np.quantile((true + _FLOOR_PX) / (median + _FLOOR_PX), 0.5)),
        bound=float(np.quantile((true + _FLOOR_PX) / (bound + _FLOOR_PX), 0.95)),
        mean=float(true.mean() / mean.mean()),
        by_origin=origins,
    )


def read(folder: Path) -> list[dict]:
    """All pairs of a folder of examples."""
    return [pair for path in sorted(folder.glob("*.pt")) for pair in torch.load(path, weights_only=True)]


def main() -> None:
    """Train, correct, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seen", type=Path, required=True)
    parser.add_argument("--unseen", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    output, seen, unseen = writable_folder(arguments.output), read(arguments.seen), read(arguments.unseen)
    kept = [[pair for pair in pairs if not pair["task"].startswith(LEFT_OUT)] for pairs in (seen, unseen)]
    predictor = train(*kept, output / "weights.pt")
    held_out = [pair for pair in (*seen, *unseen) if pair["task"].startswith(LEFT_OUT)]
    factors = corrections(predictions(predictor, held_out), by_origin(predictions(predictor, unseen)))
    print(factors)
    save_judge(output / "error_predictor.pt", predictor, factors)


if __name__ == "__main__":
    main()
