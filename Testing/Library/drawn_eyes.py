"""Drawn eyes that tests share: each is drawn once, for all tests and processes, until the code that draws it changes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from functools import cache
from pathlib import Path

import numpy as np
import scipy

from MetaRegistrationLib.simulation import draw_phantom

_ROOT = Path(__file__).resolve().parents[2]
_FOLDER = _ROOT / ".pytest_cache" / "drawn_eyes"


def drawn_eye(seed: int, size: int) -> np.ndarray:
    """The image of the phantom of a seed, (size, size): it takes a second or two to draw."""
    return _drawn(seed, size).copy()


@cache
def _drawn(seed: int, size: int) -> np.ndarray:
    path = _FOLDER / f"{_version()}_{seed}_{size}.npy"
    try:
        image = np.load(path)
    except (OSError, ValueError, EOFError):
        image = draw_phantom(np.random.default_rng(seed), size=size).image
        _keep(path, image)
    return image


@cache
def _version() -> str:
    """What an eye depends on beside seed and size."""
    digest = hashlib.sha256(f"{np.__version__} {scipy.__version__}".encode())
    for folder in ("core", "simulation"):
        for path in sorted((_ROOT / "MetaRegistrationLib" / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _keep(path: Path, image: np.ndarray) -> None:
    """Write whole or not at all: several processes may draw the same eye."""
    temporary = path.with_name(f"{uuid.uuid4().hex}.npy")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(temporary, image)
        os.replace(temporary, path)
