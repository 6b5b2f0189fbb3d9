"""greedy (Yushkevich et al., 2016), through picsl-greedy."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
import SimpleITK
from picsl_greedy import Greedy2D

from .base import Peer, from_xy

# As in its documentation.
_USUAL = ("-dof 12 -ia-image-centers -m NCC 4x4 -n 100x50x10",)
_USUAL_DEFORMABLE = "-m NCC 4x4 -n 100x50x10"
# A rigid transform by search first, for the large shifts; then all twelve (in 2D six) degrees of freedom.
_TUNED = (
    "-dof 6 -ia-image-centers -search 1000 5 30 -m NCC 4x4 -n 100x100x50x10",
    "-dof 12 -m NCC 4x4 -n 100x50x10",
)
_TUNED_DEFORMABLE = "-m NCC 4x4 -n 100x100x50x20"
# For images of different contrast: normalised mutual information, in the linear stages and in the deformable one.
_CONTRASTS = tuple(stage.replace("NCC 4x4", "NMI") for stage in _TUNED)
_CONTRASTS_DEFORMABLE = _TUNED_DEFORMABLE.replace("NCC 4x4", "NMI")


def peers(threads: int) -> Iterable[Peer]:
    """greedy with its usual settings, and tuned."""
    yield _peer("greedy", _USUAL, _USUAL_DEFORMABLE, "plain", threads)
    yield _peer("greedy, tuned", _TUNED, _TUNED_DEFORMABLE, "plain", threads)


def contrast_peers(threads: int) -> Iterable[Peer]:
    """greedy for images of different contrast."""
    yield _peer("greedy, tuned, MI", _CONTRASTS, _CONTRASTS_DEFORMABLE, "plain", threads)


def _peer(name: str, linear: tuple[str, ...], deformable: str, greys: str, threads: int) -> Peer:
    def register(moving: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        return _register(moving, fixed, linear, deformable, threads)

    settings = {"linear": list(linear), "deformable": deformable}
    return Peer(name, greys, settings, register, ("picsl-greedy",))


def _register(
    moving: np.ndarray, fixed: np.ndarray, linear: tuple[str, ...], deformable: str, threads: int
) -> np.ndarray:
    with _silent_output():
        return _execute(moving, fixed, linear, deformable, threads)


@contextmanager
def _silent_output() -> Iterator[None]:
    """Its optimiser writes to the process's output, past Python, whenever a line search ends."""
    kept = os.dup(1)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123  (no path of the file system)
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _execute(
    moving: np.ndarray, fixed: np.ndarray, linear: tuple[str, ...], deformable: str, threads: int
) -> np.ndarray:
    program = Greedy2D()  # it keeps what it is given and what it makes, under the names in the command lines
    images = {"moving": SimpleITK.GetImageFromArray(moving), "fixed": SimpleITK.GetImageFromArray(fixed)}

    def execute(command: str, **objects: object) -> None:
        program.execute(f"-d 2 -V 0 -threads {threads} {command}", out=io.StringIO(), err=io.StringIO(), **objects)

    start = ""
    for number, stage in enumerate(linear):
        execute(f"-i fixed moving -a {stage} {start} -o linear{number}", **{f"linear{number}": None}, **images)
        start, images = f"-ia linear{number}", {}
    found = f"linear{len(linear) - 1}"
    execute(f"-i fixed moving {deformable} -it {found} -o warp", warp=None)
    execute(f"-rf fixed -r warp {found} -rc whole", whole=None)
    return from_xy(SimpleITK.GetArrayFromImage(program["whole"]))
