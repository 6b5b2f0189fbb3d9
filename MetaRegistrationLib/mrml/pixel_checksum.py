"""A checksum of a slice of a volume, by which other pixels in the same node are noticed."""

from __future__ import annotations

import zlib

import numpy as np
import slicer

_MOST = 64  # slices whose checksums are known
_known: dict[tuple[str, int], tuple[int, str]] = {}


def slice_checksum(volume, slice_index: int) -> str:
    """The checksum of a slice. It is computed once until the image data of the volume are modified."""
    modified, place = volume.GetImageData().GetMTime(), (volume.GetID(), slice_index)
    known = _known.get(place)
    if known is None or known[0] != modified:
        if len(_known) >= _MOST:
            _known.clear()
        known = _known[place] = modified, _checksum(slicer.util.arrayFromVolume(volume)[slice_index])
    return known[1]


def _checksum(pixels: np.ndarray) -> str:
    # As float32, because files may keep another type: the checksum has to be the same when the scene is opened again.
    return f"{zlib.crc32(np.ascontiguousarray(pixels, dtype=np.float32)):08x}"
