"""A map of predicted errors as text, to the last digit: a node keeps it as an attribute."""

from __future__ import annotations

import base64
import binascii
import zlib

import numpy as np

from ..error_map.maps import ErrorMap

_PARTS = ("median_px", "bound_px", "mean_px", "shown")


def error_text(error: ErrorMap) -> str:
    """The map as letters, digits, `+`, `/`, `=` and spaces: size of the network grid, cells of a side, and the values."""
    values = np.stack([getattr(error, part) for part in _PARTS]).astype("<f4")
    packed = base64.b64encode(zlib.compress(values.tobytes())).decode("ascii")
    return f"{error.size} {values.shape[-1]} {packed}"


def error_from_text(text: str) -> ErrorMap | None:
    """The map that `error_text` wrote; None if the text is not one."""
    try:
        size, cells, packed = text.split(" ")
        side, width = int(cells), int(size)
        values = np.frombuffer(zlib.decompress(base64.b64decode(packed, validate=True)), dtype="<f4")
        parts = values.reshape(len(_PARTS), side, side).astype(np.float32)
        return ErrorMap(*parts, width) if side > 0 and width > 0 else None
    except (ValueError, binascii.Error, zlib.error):
        return None
