"""How often the program is confident, and how often it is then wrong: on many related and unrelated pairs of many kinds.

    python Testing/Benchmarks/calibration.py --data DATA --output calibration --pairs 300 --seed 1

Images are the real ones of `--data` (eyes, brains, CT, tissue, sections), and drawn eyes. A related pair is one image
twice, the moving one turned, scaled and shifted, and for a third of them bent as an eye's curvature bends a wide field; an
unrelated pair is two images of different eyes, patients or kinds, so that nothing is right. Half of all images get a random
look (contrast, inversion, blur, noise, shading). The looks are those of the training tasks; turns, bends and the choice of
images are not. Results are kept in `results.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage

from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.files import writable_folder
from MetaRegistrationLib.formats.images import Image, read_image, read_volume
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.resources import default_checkpoint
from MetaRegistrationLib.simulation.appearance import AppearanceSettings, random_appearance
from MetaRegistrationLib.simulation.fundus import draw_eye, render
from MetaRegistrationLib.stages import Stages

SIZE, WRONG_PX, LEAST_CONFIDENCE = 400, 10.0, 0.5


class Images:
    """Scenes in [0, 1], (S, S), by kind; what shows one thing has one name."""

    def __init__(self, data: Path):
        self._files = {
            "OCTA": sorted((data / "octa_scp_single_visits" / "images").glob("*.png")),
            "synthetic OCTA": sorted((data / "source_tasks" / "octa_synthetic").rglob("*.png")),
            "tissue": sorted((data / "other_kinds").glob("histology*/images/*")),
            "section": sorted((data / "other_kinds" / "sem_sections" / "images").glob("*"))[::4],
            "brain": sorted((data / "source_tasks" / "brain_t1w").glob("*.nii*")),
            "abdomen": sorted((data / "source_tasks" / "abdomen_ct").glob("*.nii*")),
        }
        self.kinds = [*(kind for kind, files in self._files.items() if files), "drawn eye"]

    def draw(self, kind: str, rng: np.random.Generator) -> tuple[str, np.ndarray]:
        """Name and scene of some image of a kind."""
        if kind == "drawn eye":
            seed = int(rng.integers(10**6))
            own = np.random.default_rng(seed)
            modality = ("colour", "angiogram", "octa")[int(own.integers(3))]
            return f"eye {seed}", _unit(render(draw_eye(own, SIZE), modality, own))
        path = self._files[kind][int(rng.integers(len(self._files[kind])))]
        if kind in ("brain", "abdomen"):
            volume = read_volume(path).array
            volume = volume[..., 0] if volume.ndim == 4 else volume
            where = np.flatnonzero((volume > np.percentile(volume, 30)).mean(axis=(1, 2)) > 0.1)
            low, high = np.percentile(where, (25, 75))
            array = volume[int(rng.uniform(low, high))]
            return path.name, _unit(np.clip(array, -160, 240) if kind == "abdomen" else array)
        array = read_image(path).array
        # Stains and sections of one piece show the same thing.
        return (path.parents[1].name if kind in ("tissue", "section") else path.name), _unit(array)


def _unit(array: np.ndarray) -> np.ndarray:
    array = np.asarray(array, dtype=np.float32)
    low, high = np.percentile(array, (0.5, 99.5))
    zoom = [SIZE / side for side in array.shape]
    return np.clip(ndimage.zoom((array - low) / max(high - low, 1e-6), zoom, order=1), 0, 1)


def positions_of(rng: np.random.Generator) -> np.ndarray:
    """Where each pixel of the fixed frame lies in the moving one, (2, S, S): a turn, a scale, a shift, some of them bent."""
    wide = rng.random() < 0.5
    angle = np.deg2rad(rng.uniform(-180, 180) if wide else rng.normal(0, 6))
    scale = np.exp(rng.uniform(np.log(0.5), np.log(2)) if wide else rng.normal(0, 0.05))
    shift = rng.uniform(-0.12, 0.12, 2) * SIZE
    grid = np.stack(np.meshgrid(*[np.arange(SIZE) - (SIZE - 1) / 2] * 2, indexing="ij"))
    turned = scale * np.tensordot([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], grid, 1)
    if rng.random() < 1 / 3:
        u, v = grid / (SIZE / 2)
        bends = rng.normal(0, 1, (2, 3))
        bends *= rng.uniform(4, 16) / np.abs(bends).sum()  # pixels at the corners
        turned += np.tensordot(bends, np.stack((u * u, u * v, v * v)), 1)
    return turned + shift[:, None, None] + (SIZE - 1) / 2


def _look(scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.5:
        return np.clip(scene + rng.normal(0, 0.03, scene.shape), 0, 1).astype(np.float32)
    return random_appearance(scene.astype(np.float32), rng, AppearanceSettings())


def pair(images: Images, related: bool, rng: np.random.Generator):
    """Kinds, moving and fixed image, and where fixed pixels lie in the moving one (None: nowhere)."""
    kind = images.kinds[int(rng.integers(len(images.kinds)))]
    name, scene = images.draw(kind, rng)
    if related:
        positions = positions_of(rng)
        fixed = ndimage.map_coordinates(scene, positions, order=1, mode="constant", prefilter=False)
        return kind, _look(scene, rng), _look(fixed, rng), positions
    for _ in range(100):
        other_kind = kind if rng.random() < 0.5 else images.kinds[int(rng.integers(len(images.kinds)))]
        other, second = images.draw(other_kind, rng)
        if other != name:
            return f"{kind} / {other_kind}", _look(scene, rng), _look(second, rng), None
    raise SystemExit(f"There are no two images of the kind {kind}.")


def result(registrar: Registrar, images: Images, related: bool, seed: int) -> dict:
    """One pair's outcome."""
    kind, moving, fixed, positions = pair(images, related, np.random.default_rng([seed, int(related)]))
    began = time.process_time()
    found = registrar(*(Image(array, Geometry(array.shape)) for array in (moving, fixed)))
    entry = {"seed": seed, "related": related, "kind": kind, "confidence": found.alignment.confidence}
    entry |= {"kept": found.result_stage, "cpu_seconds": time.process_time() - began}
    entry["uncertain_percent"] = found.error.uncertain_percent
    if positions is not None:
        there = np.moveaxis(found.moving_positions(), -1, 0)
        seen = ((positions >= 0) & (positions <= SIZE - 1)).all(axis=0)
        error = np.hypot(*(there - positions))[seen]
        entry |= {"error_px": float(error.mean()) if error.size else None, "in_common": float(seen.mean())}
    return entry


def table(entries: list[dict]) -> str:
    """What came of it, a line a group."""
    lines = [
        "| pairs | number | confident | confident and wrong | median error of the confident, px |",
        "|---|---:|---:|---:|---:|",
    ]
    groups: dict[str, list[dict]] = defaultdict(list)
    for entry in entries:
        groups["related" if entry["related"] else "unrelated"].append(entry)
        if entry["related"]:
            groups[f"related: {entry['kind']}"].append(entry)
    for name, group in sorted(groups.items()):
        confident = [entry for entry in group if entry["confidence"] >= LEAST_CONFIDENCE]
        wrong = [entry for entry in confident if not entry["related"] or entry["error_px"] > WRONG_PX]
        errors = [entry["error_px"] for entry in confident if entry["related"]]
        median = f"{np.median(errors):.2f}" if errors else ""
        lines.append(f"| {name} | {len(group)} | {len(confident)} | {len(wrong)} | {median} |")
    kinds = Counter(
        entry["kind"] for entry in entries if not entry["related"] and entry["confidence"] >= LEAST_CONFIDENCE
    )
    return "\n".join([*lines, "", f"Unrelated and confident: {dict(kinds)}"])


def main() -> None:
    """Run, or go on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=300, help="related ones, and as many unrelated (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    results = writable_folder(arguments.output) / "results.jsonl"
    entries = (
        [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()] if results.exists() else []
    )
    done = {(entry["seed"], entry["related"]) for entry in entries}
    images = Images(arguments.data)
    registrar = Registrar(load_checkpoint(default_checkpoint()), torch.device("cpu"), Stages())
    for number in range(arguments.pairs):
        for related in (False, True):
            seed = arguments.seed * 100_000 + number
            if (seed, related) in done:
                continue
            entries.append(result(registrar, images, related, seed))
            with results.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(entries[-1]) + "\n")
        if number % 20 == 19:
            print(number + 1, flush=True)
    print(table(entries))


if __name__ == "__main__":
    main()
