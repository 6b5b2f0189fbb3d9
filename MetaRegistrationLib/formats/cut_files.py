"""Result files that end too early, as a full disk or a broken copy leaves them."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

_BLOCK = 1 << 20
_PNG_END = b"IEND\xaeB`\x82"


def ends_too_early(path: Path) -> bool:
    """Whether a file is empty, or the beginning of a file of its kind.

    A file that is whole, such as one that a user saved, is no such file. Neither is a file that does not begin as its kind does,
    nor a text without an end that can be recognised, such as a table.
    """
    with path.open("rb") as stream:
        start = stream.read(8)
    if not start:
        return True
    known = _KINDS.get(path.suffix.lower())
    return known is not None and start.startswith(known[0]) and not known[1](path)


def _json_is_whole(path: Path) -> bool:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        return False
    return True


def _png_is_whole(path: Path) -> bool:
    return path.read_bytes().endswith(_PNG_END)


def _nrrd_is_whole(path: Path) -> bool:
    """Of one as this program writes it, packed by gzip; any other one counts as whole if its header does."""
    with path.open("rb") as stream:
        packed = False
        for line in iter(stream.readline, b""):
            if not line.strip():
                break
            packed = packed or line.strip().lower() in (b"encoding: gzip", b"encoding: gz")
        else:
            return False
        unpacking = zlib.decompressobj(wbits=31)
        try:
            while packed and not unpacking.eof and (block := stream.read(_BLOCK)):
                unpacking.decompress(block)
        except zlib.error:
            return True  # not cut, but changed
        return not packed or unpacking.eof


_KINDS: dict[str, tuple[bytes, Callable[[Path], bool]]] = {
    ".json": (b"{", _json_is_whole),
    ".npz": (b"PK", zipfile.is_zipfile),
    ".nrrd": (b"NRRD", _nrrd_is_whole),
    ".png": (b"\x89PNG", _png_is_whole),
}
