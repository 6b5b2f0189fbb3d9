"""Size and orientation of JPEG and PNG files, read with Pillow. It decodes no pixel here; ITK does, exactly.

The class of each format is used rather than `Image.open`: the limit of pixels there is a global setting, and lower than
the one of `declared_sizes`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import InputError
from .libraries import needed

_ORIENTATION = 274


def jpeg_size(path: Path) -> tuple[int, int]:
    """Width and height of a JPEG; `InputError` where its header is damaged."""
    size = _asked(path, "Jpeg", lambda image: image.size)
    if size is None:
        raise InputError(f"{path}: the header of the JPEG is damaged. Export it again.")
    return size


def exif_orientation(path: Path, kind: str) -> int:
    """How a file of the `kind` "Jpeg" or "Png" says that it is to be turned: 2 to 8; 1 is upright, or says nothing."""
    found = _asked(path, kind, lambda image: image.getexif().get(_ORIENTATION))
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def palette_indices(path: Path, kind: str) -> np.ndarray | None:
    """Indices (H, W), uint8, of a PNG or TIFF whose colours come from a palette; None for every other file."""
    return _asked(path, kind, lambda image: np.asarray(image) if image.mode == "P" else None)


def _asked(path: Path, kind: str, question: Callable[[object], object]):
    """What Pillow answers of the file; None where it is damaged."""
    plugin = needed(f"PIL.{kind}ImagePlugin", "Pillow", path, f"the header of a {kind.upper()}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with getattr(plugin, f"{kind}ImageFile")(path) as image:
                return question(image)
        except Exception:  # damaged bytes bring about errors of any kind
            return None
