"""Pixels of a TIFF page in tiles, planes, half or double floats, or with a palette in tiles: what ITK would not read exactly.

What is stored plainly or deflated is decoded here, within the bounds of what the page declares. For other compressions the
package imagecodecs, which keeps such bounds too, is asked.
"""

from __future__ import annotations

import itertools
import math
import zlib
from collections.abc import Iterator

import numpy as np

from .declared_sizes import EXPANSION
from .libraries import needed
from .tiff_pages import COMPRESSIONS, Page, PageList, Tag

_KINDS = {1: "u", 2: "i", 3: "f"}
_HORIZONTAL, _FLOATING = 2, 3
_PALETTE = 3


def decoded(tiff: PageList, page: Page) -> np.ndarray:
    """Pixels (H, W, samples) of a page; colours of a palette are looked up.

    Raises
    ------
    InputError
        It is damaged, of a kind that is not decoded, or needs a package that is not installed.
    """
    bits, samples, planes = page.one(Tag.BITS, 1), page.one(Tag.SAMPLES, 1), page.one(Tag.PLANAR, 1) == 2
    if bits < 8:
        raise tiff.refuse(f"a TIFF of {bits} bits a sample in tiles or planes is not supported")
    dtype = np.dtype(f"{_KINDS[page.one(Tag.FORMAT, 1)]}{bits // 8}").newbyteorder(tiff.order)
    (width, height), (rows, columns) = page.size, _block_size(tiff, page)
    layers, inner = (samples, 1) if planes else (1, samples)
    stored = _stored(tiff, page, layers * -(-height // rows) * -(-width // columns))
    places = itertools.product(range(layers), range(0, height, rows), range(0, width, columns))
    result = np.zeros((height, width, samples), dtype.newbyteorder("="))
    for (layer, top, left), block in zip(places, stored, strict=True):
        # A tile is always whole; the last strip is not.
        high = rows if Tag.TILES in page.tags else min(rows, height - top)
        values = _values(tiff, page, block, (high, columns, inner), dtype)
        part = result[top : top + rows, left : left + columns, layer : layer + inner]
        part[...] = values[: part.shape[0], : part.shape[1]]
    if page.one(Tag.PHOTOMETRIC, 1) == _PALETTE:
        return np.moveaxis(np.array(page.tags[Tag.COLOURS], np.uint16).reshape(3, -1)[:, result[..., 0]], 0, -1)
    return result.astype(np.float32) if result.dtype == np.float16 else result


def _block_size(tiff: PageList, page: Page) -> tuple[int, int]:
    """Rows and columns of a tile or strip."""
    width, height = page.size
    if Tag.TILES in page.tags:
        rows, columns = page.one(Tag.TILE_HEIGHT, 0), page.one(Tag.TILE_WIDTH, 0)
    else:
        rows, columns = min(page.one(Tag.ROWS_PER_STRIP, height), height), width
    if min(rows, columns) < 1 or max(rows, columns) > 1 << 16:
        raise tiff.refuse("the TIFF is damaged: its tiles have no possible size")
    return rows, columns


def _stored(tiff: PageList, page: Page, count: int) -> Iterator[bytes]:
    """The bytes of each tile or strip, row after row, plane after plane; there must be `count`."""
    tags = (Tag.TILES, Tag.TILE_BYTES) if Tag.TILES in page.tags else (Tag.STRIPS, Tag.STRIP_BYTES)
    offsets, lengths = (page.tags.get(tag, ()) for tag in tags)
    if len(offsets) != count or len(lengths) != count:
        raise tiff.refuse("the TIFF is damaged: tiles or strips are missing")
    return (tiff.data[offset : offset + length] for offset, length in zip(offsets, lengths, strict=True))


def _values(tiff: PageList, page: Page, stored: bytes, shape: tuple[int, int, int], dtype: np.dtype) -> np.ndarray:
    """(rows, columns, samples) of one tile or strip."""
    wanted = math.prod(shape) * dtype.itemsize
    plain = _unpacked(tiff, page, stored, wanted)
    if len(plain) < wanted:
        raise tiff.refuse("the TIFF is damaged or ends too early")
    values = np.frombuffer(plain[:wanted], dtype).reshape(shape)
    predictor = page.one(Tag.PREDICTOR, 1)
    if predictor == _FLOATING:
        values = _codecs(tiff, "a TIFF of predicted floats in tiles").floatpred_decode(values, axis=-2)
    elif predictor not in (1, _HORIZONTAL):
        raise tiff.refuse(f"a TIFF of tiles, planes, half or double floats with predictor {predictor} is not supported")
    values = values.astype(dtype.newbyteorder("="))
    return np.cumsum(values, axis=1, dtype=values.dtype) if predictor == _HORIZONTAL else values


def _unpacked(tiff: PageList, page: Page, stored: bytes, wanted: int) -> bytes:
    """The bytes of a tile or strip, at most `wanted` of them."""
    compression = COMPRESSIONS[page.one(Tag.COMPRESSION, 1)]
    if compression == "none":
        return stored
    if compression == "deflate":
        try:
            return zlib.decompressobj().decompress(stored, wanted)
        except zlib.error as error:
            raise tiff.refuse("the TIFF is damaged: its compressed pixels cannot be read") from error
    if compression == "JPEG":
        raise tiff.refuse("a TIFF of tiles, planes, half or double floats with JPEG compression is not supported")
    if wanted > len(stored) * EXPANSION + 4096:
        raise tiff.refuse("the TIFF is damaged or ends too early")
    codecs = _codecs(tiff, f"a TIFF of tiles, planes, half or double floats with {compression} compression")
    unpack = codecs.lzw_decode if compression == "LZW" else codecs.packbits_decode
    try:
        return unpack(stored, out=wanted)
    except (RuntimeError, ValueError) as error:
        raise tiff.refuse("the TIFF is damaged: its compressed pixels cannot be read") from error


def _codecs(tiff: PageList, what: str):
    return needed("imagecodecs", "imagecodecs", tiff.path, what)
