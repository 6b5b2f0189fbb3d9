"""How cameras say that a picture is to be turned before it is looked at: EXIF's orientation (1 upright, 2 to 8 turned)."""

from __future__ import annotations

import struct
from pathlib import Path

_TAG = 274
_MARKERS_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}


def exif_orientation(path: Path) -> int:
    """Orientation by the EXIF block of a JPEG or PNG file; 1 where there is none."""
    data = path.read_bytes()
    block = _jpeg_exif(data) if data[:2] == b"\xff\xd8" else _png_exif(data)
    try:
        found = _orientation(block) if block else 1
    except (struct.error, KeyError):
        return 1
    return found if 1 <= found <= 8 else 1


def _jpeg_exif(data: bytes) -> bytes | None:
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in _MARKERS_WITHOUT_LENGTH:
            place += 2
            continue
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == 0xE1 and data[place + 4 : place + 10] == b"Exif\0\0":
            return data[place + 10 : place + 2 + length]
        if marker == 0xDA or length < 2:
            return None
        place += 2 + length
    return None


def _png_exif(data: bytes) -> bytes | None:
    place = 8
    while data[:8] == b"\x89PNG\r\n\x1a\n" and place + 8 <= len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] == b"eXIf":
            return data[place + 8 : place + 8 + length]
        place += 12 + length
    return None


def _orientation(block: bytes) -> int:
    order = {b"II": "<", b"MM": ">"}[block[:2]]
    start = struct.unpack_from(order + "I", block, 4)[0]
    for number in range(struct.unpack_from(order + "H", block, start)[0]):
        tag, _, _, value = struct.unpack_from(order + "HHIH", block, start + 2 + 12 * number)
        if tag == _TAG:
            return value
    return 1
