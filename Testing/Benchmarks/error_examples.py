"""Make the examples that the error predictor learns from: fields of every stage between images whose displacement is known.

    python Testing/Benchmarks/error_examples.py --data DATA --output examples --pairs 600 --seed 11
    python Testing/Benchmarks/error_examples.py --data DATA --output examples --pairs 1200 --seed 21 --unseen

Pairs are training pairs of `Resources/Tasks/any_images.toml`. With `--unseen` their images are others than those that the
networks were trained on: the validation patients, and in place of the synthetic OCTA the real eyes of the split fine_tune of
`octa_scp_single_visits`. The errors of the networks are like those on a user's images there.

The fields of a pair are: none; an affine transform near the true one (some found by the alignment); those of the shipped networks
after it, once and twice; one of them refined; the true one with smooth errors of 0.2 to 30 px, everywhere or here and there; and
one that is lost by 8 to 60 px. In 15 % of the pairs the moving image is another one: no field is right, and the error is the
largest. Each file holds 50 pairs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from error_fields import jittered, lost, nearest_affine, of_matrix, smooth_error
from torch.nn.functional import adaptive_avg_pool2d

from MetaRegistrationLib.alignment.pair_alignment import align
from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.core.spatial import compose, warp
from MetaRegistrationLib.error_map.judge import MOVED_LEAST, reduced
from MetaRegistrationLib.error_map.predictor import CELLS, LARGEST_PX
from MetaRegistrationLib.error_map.tissue import tissue_on_grid
from MetaRegistrationLib.formats.files import writable_folder
from MetaRegistrationLib.formats.tables import read_table
from MetaRegistrationLib.refinement import RefinementSettings, refine
from MetaRegistrationLib.resources import default_checkpoint, resource
from MetaRegistrationLib.tasks import Task
from MetaRegistrationLib.tasks.task_sets import load_task_set

SIZE, UNRELATED, PAIRS_A_FILE = 400, 0.15, 50
NETWORKS = {"any": "coarse_to_fine_any", "like": "coarse_to_fine_meta", "octa": "coarse_to_fine_octa"}
SLOW = {"fundus": 0.45}
"""Tasks that are drawn less often than their weight says, because they are slow to draw."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Two images with their tissue masks, and the true displacement; None if they are unrelated."""

    moving: np.ndarray
    fixed: np.ndarray
    inside_moving: np.ndarray
    inside_fixed: np.ndarray
    truth: np.ndarray | None


class Fields:
    """The fields of a scene, by name."""

    def __init__(self) -> None:
        checkpoints = {name: load_checkpoint(resource(f"Checkpoints/{stem}.pt")) for name, stem in NETWORKS.items()}
        self._networks = {name: checkpoint.build() for name, checkpoint in checkpoints.items()}

    def __call__(self, scene: Scene, rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
        """Names and fields (2, S, S)."""
        none = np.zeros((2, SIZE, SIZE), np.float32)
        matrix = _matrix(scene, rng)
        found = {"none": none, "affine": of_matrix(matrix, SIZE)}
        for name, start, network in (
            ("any", "affine", "any"),
            ("any, like", "any", "like"),
            ("like", "affine", "like"),
            ("like, like", "like", "like"),
            ("any alone", "none", "any"),
            ("octa", "affine", "octa"),
        ):
            if rng.random() < {"like, like": 0.7, "any alone": 0.3, "octa": 0.15}.get(name, 1.0):
                found[name] = self._after(scene, found[start], network)
        if rng.random() < 0.7:
            start = ("affine", "any", "any, like", "like")[int(rng.integers(4))]
            found[f"{start}, refined"] = _refined(scene, found[start])
        yield from found.items()
        if scene.truth is None:
            return
        for number in range(2):
            yield f"true, error {number}", scene.truth + smooth_error(SIZE, rng)
        if rng.random() < 0.4:
            yield "lost", self._after(scene, of_matrix(lost(scene.truth, scene.inside_fixed, rng), SIZE), "any")

    @torch.no_grad()
    def _after(self, scene: Scene, field: np.ndarray, network: str) -> np.ndarray:
        moving, fixed = (torch.from_numpy(image)[None, None] for image in (scene.moving, scene.fixed))
        start = torch.from_numpy(field)[None]
        return compose(start, self._networks[network](warp(moving, start), fixed).float())[0].numpy()


_EYES = "octa_scp_single_visits"
_SWAPPED = {
    'validation = ["BraTS-MET-*"]': 'validation = ["BraTS-GLI-*", "TCGA-*"]',
    'validation = ["totalseg_ctA*"]': 'validation = ["LIDC-*", "dcmqi_*", "totalseg_ctB*"]',
    "validation = 0.06": "",
    'masks = "octa_synthetic/vessel_labels"': "",
    'folder = "octa_synthetic/images"': f'folder = "../{_EYES}/images"\nvalidation = [TEST]',
}


def unseen_set(data: Path) -> str:
    """The task set of `any_images.toml` with images that the networks were not trained on, as TOML."""
    text = resource("Tasks/any_images.toml").read_text(encoding="utf-8")
    for old, new in _SWAPPED.items():
        text = text.replace(old, new)
    rows = read_table(data / _EYES / "images.csv", ("image", "split"))
    test = [f'"{row.text("image")}"' for row in rows if row.text("split") == "test"]
    return text.replace("TEST", ", ".join(test))


def task_set(data: Path, output: Path, *, unseen: bool) -> list[Task]:
    """The tasks."""
    path = resource("Tasks/any_images.toml")
    if unseen:
        path = output / "unseen.toml"
        path.write_text(unseen_set(data), encoding="utf-8")
    return load_task_set(path, load_checkpoint(default_checkpoint()).build_preprocessing(), data=data)


def _matrix(scene: Scene, rng: np.random.Generator) -> np.ndarray:
    """An affine transform as an alignment finds it: near the true one, or found by the search."""
    if scene.truth is None:
        matrix = jittered(np.eye(2, 3), rng, np.exp(rng.uniform(0, np.log(40))), SIZE)
    else:
        true = nearest_affine(scene.truth, scene.inside_fixed)
        matrix = jittered(true, rng, np.exp(rng.uniform(np.log(0.3), np.log(6))), SIZE)
    if scene.truth is not None and rng.random() >= 0.12:
        return matrix
    inside = {"inside_moving": scene.inside_moving, "inside_fixed": scene.inside_fixed}
    found = align(scene.moving, scene.fixed, "affine", **inside)
    if found.kind != "none":
        return found.matrix
    if found.rejected and scene.truth is None:
        return found.rejected[-1]
    return found.rejected[0] if found.rejected and rng.random() < 0.5 else matrix


def _refined(scene: Scene, field: np.ndarray) -> np.ndarray:
    images = (torch.from_numpy(image)[None, None] for image in (scene.moving, scene.fixed))
    masks = {"inside_moving": scene.inside_moving, "inside_fixed": scene.inside_fixed}
    masks = {name: torch.from_numpy(mask)[None, None] for name, mask in masks.items()}
    return refine(*images, torch.from_numpy(field)[None], RefinementSettings(), **masks).displacement_px[0].numpy()


def scenes(tasks: list, rng: np.random.Generator) -> Iterator[tuple[str, Scene]]:
    """Endless scenes, with the names of their tasks."""
    weights = np.array([task.weight * SLOW.get(task.name.split("_")[0], 1.0) for task in tasks])
    number = 0
    while True:
        number += 1
        task, other = (tasks[rng.choice(len(tasks), p=weights / weights.sum())] for _ in range(2))
        pair = task.training_pair(rng, number)
        moving, truth = pair.moving, pair.displacement_px
        if truth is None:
            continue
        if rng.random() < UNRELATED:
            moving, truth = (other if rng.random() < 0.5 else task).training_pair(rng, number).moving, None
        images = [np.asarray(image, dtype=np.float32) for image in (moving, pair.fixed)]
        masks = [tissue_on_grid(image) for image in images]
        if min(mask.mean() for mask in masks) >= 0.05:
            yield task.name, Scene(*images, *masks, truth)


def example(scene: Scene, field: np.ndarray) -> dict:
    """One example: what the predictor sees, in bytes, and the error of each cell, and where it is known."""
    weight = scene.inside_moving.astype(np.float32)
    stack = torch.from_numpy(np.stack((scene.moving * weight, weight)))[None]
    moved = warp(stack, torch.from_numpy(np.asarray(field, np.float32))[None])
    known = scene.inside_fixed & (moved[0, 1].numpy() > MOVED_LEAST)
    if scene.truth is None:
        error = np.full((SIZE, SIZE), LARGEST_PX, np.float32)
    else:
        error = np.minimum(np.hypot(*(field - scene.truth)), LARGEST_PX)
        there = np.indices((SIZE, SIZE)) + scene.truth
        known &= ((there >= 0) & (there <= SIZE - 1)).all(axis=0)
    share = _cells(known.astype(np.float32)[None])
    return {
        "moved": _bytes(reduced(moved, MOVED_LEAST)[0]),
        "field": _cells(field).half(),
        "error": (_cells((error * known)[None]) / share.clamp(min=1e-6))[0].half(),
        "known": _bytes(share[0]),
    }


def _cells(values: np.ndarray) -> torch.Tensor:
    return adaptive_avg_pool2d(torch.from_numpy(np.asarray(values, np.float32))[None], CELLS)[0]


def _bytes(values: torch.Tensor) -> torch.Tensor:
    return (255 * values.clamp(0, 1)).round().byte()


def main() -> None:
    """Make them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--unseen", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    output, rng, fields = writable_folder(arguments.output), np.random.default_rng(arguments.seed), Fields()
    tasks = task_set(arguments.data, output, unseen=arguments.unseen)
    made, began = [], time.time()
    for number, (task, scene) in enumerate(scenes(tasks, rng), 1):
        weight = scene.inside_fixed.astype(np.float32)
        fixed = reduced(torch.from_numpy(np.stack((scene.fixed * weight, weight)))[None], 0.5)[0]
        examples = [{"name": name, **example(scene, field)} for name, field in fields(scene, rng)]
        made.append({"task": task, "related": scene.truth is not None, "fixed": _bytes(fixed), "examples": examples})
        if number % PAIRS_A_FILE == 0 or number == arguments.pairs:
            torch.save(made, output / f"{arguments.seed}_{number:05d}.pt")
            print(f"{number} pairs, {time.time() - began:.0f} s", flush=True)
            made = []
        if number == arguments.pairs:
            break


if __name__ == "__main__":
    main()
