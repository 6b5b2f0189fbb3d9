"""Sets of `kinds.py` that are made when they are first asked for, as folders of pairs with exact landmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import second_simulator
import SimpleITK
from kinds_warped import other_kinds
from scipy import ndimage

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.core.spatial import invert_points
from MetaRegistrationLib.formats.files import writable_folder, write_text
from MetaRegistrationLib.formats.images import read_image, read_volume, write_image
from MetaRegistrationLib.formats.landmarks import Landmarks, write_landmark_pairs
from MetaRegistrationLib.formats.tables import read_table, write_table

SEED = 20
_DONE = "made.txt"
_PADDING, _GRID_PX, _EROSION = 16, 12, 4
_HEIGHTS = (0.40, 0.52, 0.64)  # of the slices that hold brain


def made(name: str, data: Path, folder: Path, count: int) -> Path:
    """The folder of a set, made where it is not yet there.

    Parameters
    ----------
    name : {"S2", "strong", "cross_contrast_brain", "aligned_cross_contrast_brain", "warped_other_kinds"}
        "aligned": what mutual information finds between the two contrasts of a slice is taken out first.
    data : Path
        The folder with octa_scp_single_visits, source_tasks and other_kinds.
    folder : Path
        Where sets are kept.
    count : int
        Pairs of S2 or strong.
    """
    target = folder / (f"{name}_{count}" if name in ("S2", "strong") else name)
    if not (target / _DONE).is_file():
        writer = Writer(writable_folder(target))
        if name in ("S2", "strong"):
            strength = second_simulator.STRONG if name == "strong" else second_simulator.USUAL
            _second_repeats(data / "octa_scp_single_visits", writer, count, strength)
        elif name.endswith("cross_contrast_brain"):
            _brains(data / "source_tasks", writer, aligned=name.startswith("aligned"))
        else:
            other_kinds(data / "other_kinds", writer)
        writer.finish()
    return target


class Writer:
    """Writes a folder of pairs with landmarks."""

    def __init__(self, folder: Path):
        self._folder, self._rows = folder, []
        for part in ("images", "landmarks"):
            writable_folder(folder / part)

    def add(self, name: str, moving, fixed, moving_points: np.ndarray, fixed_points: np.ndarray) -> None:
        """Images in [0, 1] and points (row, column) in their pixels."""
        paths = [f"images/{name}_moving.png", f"images/{name}_fixed.png", f"landmarks/{name}.csv"]
        for path, image in zip(paths, (moving, fixed), strict=False):
            write_image(self._folder / path, np.round(255 * image).astype(np.uint8), Geometry(image.shape))
        labels = tuple(str(number) for number in range(1, len(fixed_points) + 1))
        pairs = Landmarks(labels, moving_points), Landmarks(labels, fixed_points)
        write_landmark_pairs(self._folder / paths[2], *pairs)
        self._rows.append((name, *paths))

    def finish(self) -> None:
        write_table(self._folder / "pairs.csv", ("name", "moving", "fixed", "landmarks"), self._rows)
        write_text(self._folder / _DONE, f"seed {SEED}\n")


def _second_repeats(eyes: Path, writer: Writer, count: int, strength: second_simulator.Strength) -> None:
    names = [row.text("image") for row in read_table(eyes / "images.csv", ("image",)) if row.text("split") == "test"]
    for index in np.unique(np.linspace(0, len(names) - 1, count).round().astype(int)):
        image, vessels = (read_image(eyes / part / names[index]).array for part in ("images", "vessel_masks"))
        rng = np.random.default_rng((SEED, index))
        found = second_simulator.repeat(image, vessels > 0, rng, strength=strength)
        writer.add(Path(names[index]).stem, found.moving, found.fixed, found.moving_points, found.fixed_points)


def _brains(tasks: Path, writer: Writer, *, aligned: bool) -> None:
    for number, path in enumerate(sorted((tasks / "brain_t1w").glob("*.nii.gz"))):
        patient = path.name.removesuffix("_t1w.nii.gz")
        volumes = [
            _grey(read_volume(tasks / kind / f"{patient}_{kind.removeprefix('brain_')}.nii.gz").array)
            for kind in ("brain_t1w", "brain_t2w")
        ]
        filled = np.flatnonzero((volumes[0] > 0).mean(axis=(1, 2)) > 0.02)
        for order, height in enumerate((*_HEIGHTS, _HEIGHTS[1])):
            rng = np.random.default_rng((SEED, number, order))
            index = filled[round(height * (len(filled) - 1))]
            t1, t2 = (np.pad(volume[index], _PADDING) for volume in volumes)
            if aligned:
                t2 = _by_mutual_information(t2, t1)
            in_place = order == len(_HEIGHTS)
            fixed, other = (t2, t1) if order == 1 else (t1, t2)
            deformation = np.zeros((2, *fixed.shape)) if in_place else _brain_field(fixed.shape, rng)
            places = np.indices(fixed.shape) + deformation
            moving = np.clip(ndimage.map_coordinates(other, places, order=3 if not in_place else 0), 0, 1)
            points = _grid(t1 > 0)
            moved, converged = invert_points(deformation, points)
            inside = converged & (moved >= 0).all(axis=1) & (moved <= np.array(fixed.shape) - 1).all(axis=1)
            what = "T1_in_T2" if order == 1 else "T2_in_T1"
            name = f"{patient}_{what}_{'same' if in_place else order + 1}"
            writer.add(name, moving, fixed, moved[inside], points[inside])


def _by_mutual_information(moving: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """The moving image on the fixed one, by SimpleITK's affine transform of the greatest mutual information."""
    images = [SimpleITK.GetImageFromArray(image.astype(np.float32)) for image in (fixed, moving)]
    transform = SimpleITK.AffineTransform(2)
    transform.SetCenter([side / 2 for side in images[0].GetSize()])
    search = SimpleITK.ImageRegistrationMethod()
    search.SetMetricAsMattesMutualInformation(40)
    search.SetInitialTransform(transform, True)
    search.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 200)
    search.SetOptimizerScalesFromPhysicalShift()
    search.SetInterpolator(SimpleITK.sitkLinear)
    search.Execute(*images)
    there = SimpleITK.Resample(images[1], images[0], transform, SimpleITK.sitkBSpline)
    return np.clip(SimpleITK.GetArrayFromImage(there), 0, 1)


def _grey(volume: np.ndarray) -> np.ndarray:
    top = np.percentile(volume[volume > 0], 99.5)
    return np.clip(volume.astype(np.float32) / top, 0, 1)


def _brain_field(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A small affine transform about the centre, and a smooth elastic field, in pixels of 1 mm."""
    rows, columns = np.indices(shape)
    away = np.stack([rows - (shape[0] - 1) / 2, columns - (shape[1] - 1) / 2])
    angle = rng.uniform(-1, 1) * np.deg2rad(8)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) - np.eye(2)
    matrix += rng.uniform(-0.05, 0.05, (2, 2))
    shift = rng.uniform(-6, 6, 2)
    elastic = np.stack([ndimage.gaussian_filter(rng.normal(size=shape), 14) for _ in range(2)])
    elastic *= rng.uniform(1.2, 2.5) / elastic.std()
    return np.einsum("ij,jhw->ihw", matrix, away) + shift[:, None, None] + elastic


def _grid(brain: np.ndarray) -> np.ndarray:
    inner = ndimage.binary_erosion(ndimage.binary_fill_holes(brain), iterations=_EROSION)
    nodes = np.stack(np.meshgrid(*(np.arange(4, side, _GRID_PX) for side in brain.shape), indexing="ij"), axis=-1)
    nodes = nodes.reshape(-1, 2)
    return nodes[inner[tuple(nodes.T)]].astype(np.float64)
