"""Pictures for people, in colour and small: PNG of as many colours as fit."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .files import FULL_DISK, replacing

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_BYTES = 500_000
"""A folder of a thousand pairs then holds half a gigabyte of pictures."""
_COLOURS = (256, 128, 64, 32, 16, 8)
_LEVELS = (4, 6)  # of zlib: the lower one takes a third of the time, for at most a tenth more bytes
_TOO_LARGE = 1.1  # at the lower level, for the higher one to help
_ONE_OF = 8
_FAR_TOO_LARGE = 1.25  # the estimate is 5 to 15 % too high


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
        if colours != _COLOURS[-1] and _roughly(few) > _FAR_TOO_LARGE * LARGEST_BYTES:
            continue
        for level in _LEVELS:
            stream = io.BytesIO()
            few.save(stream, "PNG", compress_level=level)
            content = stream.getvalue()
            if len(content) <= LARGEST_BYTES:
                return content
            if len(content) > _TOO_LARGE * LARGEST_BYTES:
                break
    return content


def _roughly(picture: Image) -> int:
    """Bytes that a picture will take, from one of eight rows, in a small part of the time."""
    rows = np.asarray(picture)[::_ONE_OF]
    return _ONE_OF * len(zlib.compress(rows.tobytes(), 1))
