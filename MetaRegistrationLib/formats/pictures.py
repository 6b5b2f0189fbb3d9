"""Pictures for people, in colour and small: PNG of as many colours as fit."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from ..errors import InputError
from .files import FULL_DISK, replacing

LARGEST_BYTES = 500_000
"""A folder of a thousand pairs then holds half a gigabyte of pictures."""
_COLOURS = (256, 128, 64, 32, 16, 8)


def write_picture(path: str | Path, picture: np.ndarray) -> None:
    """Write a picture as PNG with a palette, of at most `LARGEST_BYTES` unless it is very large.

    The more noise a picture shows, the fewer colours it gets. It is for people to look at: values are changed.

    Parameters
    ----------
    path : path
        File to write, ending in .png.
    picture : uint8 array (H, W, 3)

    Raises
    ------
    InputError
        The folder is missing or cannot be written.
    OSError
        The disk is full; it names `path`.
    """
    path = Path(path)
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(_small_png(picture))
    except OSError as error:
        if error.errno in FULL_DISK:
            raise OSError(error.errno, error.strerror, str(path)) from error
        reason = error.strerror or error
        raise InputError(f"{path}: the picture cannot be written ({reason}). Choose another folder.") from error


def _small_png(picture: np.ndarray) -> bytes:
    from PIL import Image

    image, content = Image.fromarray(np.ascontiguousarray(picture)), b""
    exact = image.getcolors(_COLOURS[0]) is not None  # few colours: they stay as they are
    method = Image.Quantize.MEDIANCUT if exact else Image.Quantize.FASTOCTREE
    for colours in _COLOURS:
        few = image.quantize(colours, method=method, dither=Image.Dither.NONE)
        stream = io.BytesIO()
        few.save(stream, "PNG")
        content = stream.getvalue()
        if len(content) <= LARGEST_BYTES:
            break
    return content
