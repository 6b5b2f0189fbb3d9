"""The size that an image file declares, checked before a decoder allocates memory for it."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from .registry import Reader

EXPANSION = 1_100
"""Bytes that one compressed byte can stand for, at most, by deflate and LZW."""
LONGEST_LINE = 1_000
"""Characters of a line of a header: decoders copy lines into buffers of a fixed size."""
_MOST_BYTES = 1 << 30
_HEADER = 1 << 16


def start_of(path: Path) -> bytes:
    """The part of a file that holds its header, if it is one of text."""
    with path.open("rb") as stream:
        return stream.read(_HEADER)


def check_declared_size(path: Path, reader: Reader) -> None:
    """Refuse a file that says more pixels than it can hold, or more than 1 GB of them.

    Raises
    ------
    InputError
        It does, or its header is damaged in a way that decoders do not survive.
    """
    try:
        size = reader.declared_size(path)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # as many kinds as decoders have
        if reader.text_header:
            raise InputError(f"{path}: the header of the file is damaged ({error}). Export it again.") from error
        return  # the decoder will say what is wrong
    if size is None:
        return
    declared, possible = size
    if declared > possible:
        raise InputError(
            f"{path}: the file is damaged: it says {declared} bytes of pixels and can hold {possible:.0f}. Export it again."
        )
    if declared > _MOST_BYTES:
        raise InputError(
            f"{path}: the image is too large ({declared / 2**30:.1f} GB of pixels). Crop it, or take a slice."
        )
