"""Whether the field of every method points the right way: known global transforms that it has to find."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from accuracy_beds import EQUALISED, PLAIN, SIZE, BenchPair
from accuracy_run import Entry
from our_methods import OurMethod
from scipy import ndimage

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.formats.landmarks import Landmarks
from MetaRegistrationLib.pairs.folders import ImagePair

# Wrong signs, swapped axes or a transposed rotation are all off by several pixels.
_TOLERANCE_PX = 0.5
_BORDER = 60
_ANGLE, _CENTRE = np.deg2rad(3.0), np.full(2, (SIZE - 1) / 2)
_TURN = np.array([[np.cos(_ANGLE), -np.sin(_ANGLE)], [np.sin(_ANGLE), np.cos(_ANGLE)]]) @ np.diag([1.03, 0.98])
# Pull transforms in frame pixels (row, column): a fixed pixel x is found at matrix @ x + shift in the moving frame.
CASES = {
    "translation": (np.eye(2), np.array([5.0, -3.0])),
    "affine": (_TURN, _CENTRE - _TURN @ _CENTRE + np.array([4.0, -6.0])),
}


def check(entries: Sequence[Entry], pair: BenchPair) -> bool:
    """Print each method's mean error (pixels) inside the image on each case; False when one is too far off.

    Parameters
    ----------
    entries : sequence of Entry
    pair : BenchPair
        Its fixed image is the one that is moved.
    """
    sound = True
    for entry in entries:
        if entry.name == "not deformed" or (isinstance(entry.method, OurMethod) and entry.name.startswith("network")):
            continue  # what a network alone finds of a large affine transform says nothing about signs
        for name, (matrix, shift) in CASES.items():
            field, _ = entry.register(_moved(pair, matrix, shift))
            inside = (slice(None), slice(_BORDER, -_BORDER), slice(_BORDER, -_BORDER))
            error = float(np.linalg.norm((field - _truth(matrix, shift))[inside], axis=0).mean())
            sound &= error < _TOLERANCE_PX
            print(f"{entry.name:45}{name:12}{error:8.3f} px  {'ok' if error < _TOLERANCE_PX else 'WRONG'}", flush=True)
    return sound


def _truth(matrix: np.ndarray, shift: np.ndarray) -> np.ndarray:
    grid = np.indices((SIZE, SIZE)).astype(float)
    return np.einsum("ij,jhw->ihw", matrix, grid) + shift[:, None, None] - grid


def _moved(pair: BenchPair, matrix: np.ndarray, shift: np.ndarray) -> BenchPair:
    """A pair whose moving image is the fixed one, moved: moving(A x + b) = fixed(x)."""
    inverse = np.linalg.inv(matrix)

    def moved(image: np.ndarray) -> np.ndarray:
        return ndimage.affine_transform(image, inverse, -inverse @ shift, order=1).astype(np.float32)

    frames = {kind: (moved(pair.frames[kind][1]), pair.frames[kind][1]) for kind in (EQUALISED, PLAIN)}
    images = [Image(image, Geometry(size=image.shape)) for image in frames[PLAIN]]
    points = Landmarks(("",), np.zeros((1, 2)))
    everywhere = np.ones((SIZE, SIZE), dtype=bool)
    return BenchPair(
        pair.bed,
        "check",
        ImagePair("check", *images, points, points),
        frames,
        (everywhere, everywhere),
        points.points,
        points.points,
    )
