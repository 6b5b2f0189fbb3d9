"""Wide fields of a curved eye: the alignment and the default on two views of one sphere, with known truth.

    python Testing/Benchmarks/wide_fields.py --data DATA [--pairs 20] [--field 60] [--tilt 12] [--json FILE]

A scene (a drawn eye, or an OCTA image of `octa_scp_single_visits`) lies on a sphere. Each view looks at it from another
direction, stereographically, over `--field` degrees, as a fundus camera does; the moving one is turned away by up to `--tilt`
degrees, rolled, and given its own noise and gain. The sphere is no quadratic transform, so that the model is not its own judge.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image, read_image
from MetaRegistrationLib.simulation.fundus import draw_eye, render
from MetaRegistrationLib.stages import Stages
from MetaRegistrationLib.workflows.registrars import RegistrarOptions, make_registrar

SIZE = 400


def rotation(tilt: tuple[float, float], roll: float) -> np.ndarray:
    """Turn by angles (radians) about the row and the column axis, and about the line of sight."""
    (cosine_a, cosine_b, cosine_c), (sine_a, sine_b, sine_c) = np.cos([*tilt, roll]), np.sin([*tilt, roll])
    about_rows = np.array([[1, 0, 0], [0, cosine_a, -sine_a], [0, sine_a, cosine_a]])
    about_columns = np.array([[cosine_b, 0, sine_b], [0, 1, 0], [-sine_b, 0, cosine_b]])
    about_sight = np.array([[cosine_c, -sine_c, 0], [sine_c, cosine_c, 0], [0, 0, 1]])
    return about_rows @ about_columns @ about_sight


def directions(field: float) -> np.ndarray:
    """Unit vectors (3, S, S) of the pixels of a stereographic view over `field` (radians) from side to side."""
    axis = (np.arange(SIZE) - (SIZE - 1) / 2) / (SIZE / 2) * np.tan(field / 4)
    rows, columns = np.meshgrid(axis, axis, indexing="ij")
    square = rows**2 + columns**2
    return np.stack((2 * rows, 2 * columns, 1 - square)) / (1 + square)


def seen_at(vectors: np.ndarray, field: float) -> np.ndarray:
    """Pixels (2, ...) of unit vectors in such a view."""
    plane = vectors[:2] / (1 + vectors[2])
    return plane / np.tan(field / 4) * (SIZE / 2) + (SIZE - 1) / 2


def scene_at(vectors: np.ndarray, field: float) -> np.ndarray:
    """Pixels (2, ...) in the scene, whose distances from the middle are angles."""
    angle = np.arccos(np.clip(vectors[2], -1, 1))
    length = np.maximum(np.hypot(*vectors[:2]), 1e-9)
    return vectors[:2] / length * angle / (field / 2) * (SIZE / 2) + (SIZE - 1) / 2


def pair(scene: np.ndarray, field: float, tilt: float, rng: np.random.Generator):
    """Moving and fixed image, and where the fixed pixels lie in the moving one."""
    turn = rotation(tuple(rng.uniform(-tilt, tilt, 2)), rng.normal(0, np.deg2rad(4)))
    looked = directions(field)
    wide = 1.6 * field
    views = []
    for vectors in (np.tensordot(turn.T, looked, 1), looked):
        view = ndimage.map_coordinates(scene, scene_at(vectors, wide), order=1, mode="constant")
        views.append(np.clip(view * rng.uniform(0.8, 1.1) + rng.normal(0, 0.04, view.shape), 0, 1).astype(np.float32))
    return views[0], views[1], seen_at(np.tensordot(turn, looked, 1), field)


def scenes(data: Path, count: int):
    """Scenes, twice as large as a view, drawn and real in turn."""
    files = sorted((data / "octa_scp_single_visits" / "images").glob("*.png"))
    for number in range(count):
        rng = np.random.default_rng([7, number])
        if number % 2 or not files:
            yield "drawn", render(draw_eye(rng, SIZE), ("colour", "angiogram")[number // 2 % 2], rng), rng
        else:
            array = read_image(files[int(rng.integers(len(files)))]).array.astype(np.float32)
            array = ndimage.zoom(array / array.max(), [SIZE / side for side in array.shape], order=1)
            yield "OCTA", array, rng


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--field", type=float, default=60.0)
    parser.add_argument("--tilt", type=float, default=12.0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    registrars = {
        "alignment alone": make_registrar(RegistrarOptions(stages=Stages(network=False, refine=0), device="cpu"))[0],
        "default": make_registrar(RegistrarOptions(device="cpu"))[0],
    }
    entries = []
    for kind, scene, rng in scenes(arguments.data, arguments.pairs):
        moving, fixed, truth = pair(np.clip(scene, 0, 1), np.deg2rad(arguments.field), np.deg2rad(arguments.tilt), rng)
        seen = ((truth >= 0) & (truth <= SIZE - 1)).all(axis=0)
        entry = {"kind": kind, "not moved": float(np.hypot(*(truth - np.mgrid[:SIZE, :SIZE]))[seen].mean())}
        for name, registrar in registrars.items():
            began = time.process_time()
            found = registrar(Image(moving, Geometry(moving.shape)), Image(fixed, Geometry(fixed.shape)))
            error = np.hypot(*(np.moveaxis(found.moving_positions(), -1, 0) - truth))[seen]
            entry[name] = float(error.mean())
            entry[f"{name}, greatest"] = float(error.max())
            entry[f"{name}, CPU s"] = time.process_time() - began
            entry["confidence"], entry["bent"] = found.alignment.confidence, found.alignment.bend is not None
        print({key: round(value, 2) if isinstance(value, float) else value for key, value in entry.items()}, flush=True)
        entries.append(entry)
    for name in ("not moved", *registrars):
        print(
            name,
            *(
                f"{np.mean([entry[name] for entry in entries if entry['kind'] == kind]):.2f} px ({kind})"
                for kind in dict.fromkeys(entry["kind"] for entry in entries)
            ),
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(entries, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
