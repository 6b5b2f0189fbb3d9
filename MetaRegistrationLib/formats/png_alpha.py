"""PNG kinds that SimpleITK refuses (grey with alpha or a transparent value), rewritten into kinds that it reads."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _GREY_ALPHA, _RGBA = 0, 4, 6


@dataclass(frozen=True)
class RewrittenPng:
    """A PNG that SimpleITK reads, and what its pixels mean.

    Attributes
    ----------
    data : bytes
        The PNG file.
    kind : str
        "alpha8": 16-bit grey whose high byte is grey and low byte alpha. "alpha16": 8-bit RGBA of grey (high, low
        byte) and alpha (high, low byte). "key": plain grey, of which `key` is the transparent value.
    key : int
        Transparent value, for the kind "key".
    """

    data: bytes
    kind: str
    key: int = 0


def rewrite_png(path: Path) -> RewrittenPng | None:
    """Rewrite the PNG at `path` when it is of a kind that SimpleITK refuses; None when it is not.

    Grey + alpha of 8 bits has the same bytes in a row, and the same filters on them, as grey of 16 bits: only the
    header needs another colour type. So no pixel is decoded here.
    """
    chunks = _chunks(path.read_bytes())
    header = chunks[0][1] if chunks and chunks[0][0] == b"IHDR" and len(chunks[0][1]) == 13 else None
    if header is None:
        return None
    depth, colour = header[8], header[9]
    transparent = dict(chunks).get(b"tRNS", b"")
    if colour == _GREY_ALPHA:
        new = (16, _GREY) if depth == 8 else (8, _RGBA)
        kind, key = f"alpha{depth}", 0
    elif colour == _GREY and len(transparent) == 2:
        new = (depth, _GREY)
        # ITK stretches 1, 2 and 4 bits to 8; the transparent value with them.
        kind, key = "key", struct.unpack(">H", transparent)[0] * (255 // (2**depth - 1) if depth < 8 else 1)
    else:
        return None
    plain = [(b"IHDR", header[:8] + bytes(new) + header[10:])]
    plain += [chunk for chunk in chunks if chunk[0] in (b"IDAT", b"IEND")]
    return RewrittenPng(_SIGNATURE + b"".join(_packed(*chunk) for chunk in plain), kind, key)


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    chunks, position = [], len(_SIGNATURE)
    while data.startswith(_SIGNATURE) and position + 8 <= len(data):
        length, name = struct.unpack(">I4s", data[position : position + 8])
        chunks.append((name, data[position + 8 : position + 8 + length]))
        position += 12 + length
    return chunks


def _packed(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
