"""ANTs (Avants et al., 2008), through antspyx."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Callable, Iterable

import ants
import numpy as np

from .base import Peer, correlation, mutual_information

Score = Callable[[np.ndarray, np.ndarray], float]
Starts = tuple[tuple[float, float], ...]

_SYN = {"type_of_transform": "SyN"}
_TUNED = {"type_of_transform": "SyN", "reg_iterations": (100, 70, 10)}
# Rigid registration from each of these translations (row, column), at low resolution; the best goes on.
_STARTS_PX = tuple(itertools.product((0.0, -25.0, 25.0), repeat=2))
_COARSE = {
    "type_of_transform": "Rigid",
    "aff_iterations": (200, 200, 50),
    "aff_shrink_factors": (16, 8, 4),
    "aff_smoothing_sigmas": (8, 4, 2),
}


def peers(threads: int) -> Iterable[Peer]:
    """SyN as it comes, and tuned. The threads are those of ITK's environment variable, which `accuracy.py` sets."""
    yield _peer("ANTs SyN", _SYN, _STARTS_PX[:1], "plain")
    yield _peer("ANTs SyN, tuned", _TUNED, _STARTS_PX, "plain")


def contrast_peers(threads: int) -> Iterable[Peer]:
    """For images of different contrast: the start is chosen by mutual information, as all else in `SyN` is already."""
    yield _peer("ANTs SyN, tuned, MI", _TUNED, _STARTS_PX, "plain", mutual_information)


def _peer(name: str, settings: dict, starts: Starts, greys: str, score: Score = correlation) -> Peer:
    def register(moving: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        return _register(moving, fixed, settings, starts, score)

    return Peer(name, greys, {**settings, "starts_px": starts}, register, ("antspyx",))


def _register(moving: np.ndarray, fixed: np.ndarray, settings: dict, starts: Starts, score: Score) -> np.ndarray:
    # from_numpy takes the first axis as x: rows are ANTs' x here, and so are the fields' first components.
    moving_image, fixed_image = ants.from_numpy(moving), ants.from_numpy(fixed)
    with tempfile.TemporaryDirectory() as folder:
        if len(starts) > 1:
            settings = {**settings, "initial_transform": _best_start(moving_image, fixed_image, starts, folder, score)}
        # It takes all files that begin with the prefix for its results, so no other file may.
        found = ants.registration(fixed_image, moving_image, outprefix=f"{folder}/found_", random_seed=1, **settings)
        whole = ants.apply_transforms(fixed_image, moving_image, found["fwdtransforms"], compose=f"{folder}/whole_")
        vectors = ants.image_read(whole).numpy()
    return np.ascontiguousarray(np.moveaxis(vectors, -1, 0))


def _best_start(moving: ants.ANTsImage, fixed: ants.ANTsImage, starts: Starts, folder: str, score: Score) -> str:
    """File of the rigid transform with the highest score over the overlap, of those found from each start."""
    ones = ants.from_numpy(np.ones(moving.shape, dtype=np.float32))
    best, best_score = "", -np.inf
    for number, shift in enumerate(starts):
        start = f"{folder}/start_{number}.mat"
        ants.write_transform(ants.create_ants_transform("Euler2DTransform", dimension=2, translation=shift), start)
        found = ants.registration(
            fixed, moving, initial_transform=start, outprefix=f"{folder}/rigid_{number}_", random_seed=1, **_COARSE
        )
        transforms = found["fwdtransforms"]
        inside = ants.apply_transforms(fixed, ones, transforms).numpy() > 0.999
        agreement = -2.0
        if inside.mean() > 0.35:
            agreement = score(found["warpedmovout"].numpy()[inside], fixed.numpy()[inside])
        if agreement > best_score:
            best, best_score = transforms[0], agreement
    return best
