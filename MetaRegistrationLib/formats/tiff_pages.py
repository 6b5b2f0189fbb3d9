"""The pages of a TIFF: which of them are the image, and the file in a form that ITK's reader decodes exactly.

ITK falls back on 8-bit colour, upside down, for kinds that it does not know, and follows damaged lists of pages for ever. So
the structure is read here, within bounds; a file that ITK would read in another way is patched (orientation, white as zero,
thumbnails), decoded here (tiles, half floats, planes) or refused by name.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import InputError

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_STRIPS, _ORIENTATION, _SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES, _PLANAR = 273, 274, 277, 278, 279, 284
_PREDICTOR, _COLOURS, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES = 317, 320, 322, 323, 324, 325
_SUBFILE, _EXTRA, _FORMAT = 254, 338, 339
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_COMPRESSIONS = {1: "none", 5: "LZW", 7: "JPEG", 8: "deflate", 32773: "PackBits", 32946: "deflate"}
_MOST_PAGES, _MOST_ENTRIES, _MOST_VALUES, _MOST_BYTES = 10_000, 1_000, 1 << 22, 1 << 31
_EXPANSION = 1_100  # bytes that one compressed byte can stand for, at most, by deflate and LZW
_REDUCED, _MASK = 1, 4
_FLOAT = 3


@dataclass(frozen=True)
class _Page:
    """One directory: its tags as tuples of numbers, where its entries and the pointer to the next page lie."""

    tags: dict[int, tuple]
    entries: dict[int, int]
    next_pointer: int

    def one(self, tag: int, default: int) -> int:
        values = self.tags.get(tag) or (default,)
        return int(values[0])

    @property
    def size(self) -> tuple[int, int]:
        return self.one(_WIDTH, 0), self.one(_HEIGHT, 0)

    @property
    def kind(self) -> tuple:
        return (
            *self.size,
            self.tags.get(_BITS),
            self.one(_SAMPLES, 1),
            self.one(_PHOTOMETRIC, 1),
            self.one(_FORMAT, 1),
        )


@dataclass(frozen=True, eq=False)
class ReadableTiff:
    """What to read of a TIFF.

    Attributes
    ----------
    data : bytes or None
        The file for ITK, patched; None where `pixels` has been decoded or the file can be read as it is.
    pixels : numpy.ndarray or None
        (H, W) or (H, W, samples), where ITK would not read the file rightly.
    orientation : int
        As in the tag: 1 upright, 2 to 8 to be turned; the pixels are as they are stored.
    inverted : bool
        Zero is white.
    """

    data: bytes | None = None
    pixels: np.ndarray | None = None
    orientation: int = 1
    inverted: bool = False


@dataclass(eq=False)
class _Tiff:
    path: Path
    data: bytes
    order: str = "<"
    big: bool = False
    pages: list[_Page] = field(default_factory=list)

    def refuse(self, reason: str) -> InputError:
        return InputError(f"{self.path}: {reason}. Save it as plain grey or RGB TIFF, or as PNG.")

    def read(self) -> None:
        """All pages; `InputError` for a list of pages that is damaged."""
        try:
            self._read()
        except struct.error as error:
            raise self.refuse("the TIFF is damaged: it refers to places beyond its end") from error
        if not self.pages:
            raise self.refuse("the TIFF has no pages")

    def _read(self) -> None:
        self.order = {b"II": "<", b"MM": ">"}[self.data[:2]]
        self.big = self._numbers("H", 2)[0] == 43
        pointer, seen = (8 if self.big else 4), set()
        while len(self.pages) < _MOST_PAGES:
            start = self._numbers(self._word, pointer)[0]
            if start == 0:
                return
            if start in seen or start < 8:
                raise self.refuse("the TIFF is damaged: its list of pages leads back into itself")
            seen.add(start)
            self.pages.append(self._page(start))
            pointer = self.pages[-1].next_pointer
        raise self.refuse(f"the TIFF has more than {_MOST_PAGES} pages")

    @property
    def _word(self) -> str:
        return "Q" if self.big else "I"

    def _numbers(self, code: str, place: int, count: int = 1) -> tuple:
        size = struct.calcsize(self.order + code)
        if place + size * count > len(self.data):
            raise struct.error("beyond the end")
        return struct.unpack_from(f"{self.order}{count}{code}", self.data, place)

    def _page(self, start: int) -> _Page:
        count = self._numbers("Q" if self.big else "H", start)[0]
        if count > _MOST_ENTRIES:
            raise self.refuse("the TIFF is damaged: a page has thousands of tags")
        head, size = (8, 20) if self.big else (2, 12)
        tags, places = {}, {}
        for number in range(count):
            entry = start + head + number * size
            tag, kind = self._numbers("H", entry, 2)
            values = self._numbers(self._word, entry + 4)[0]
            place = entry + (12 if self.big else 8)
            if kind in _CODES and values <= _MOST_VALUES:
                if _SIZES[kind] * values > (8 if self.big else 4):
                    place = self._numbers(self._word, place)[0]
                tags[tag], places[tag] = self._numbers(_CODES[kind], place, values), place
        return _Page(tags, places, start + head + count * size)

    def image_pages(self) -> list[_Page]:
        """The pages that hold the image: neither thumbnails nor masks, all of one kind."""
        full = [page for page in self.pages if not page.one(_SUBFILE, 0) & (_REDUCED | _MASK)] or self.pages
        greatest = max(math.prod(page.size) for page in full)
        full = [page for page in full if math.prod(page.size) == greatest]
        if len({page.kind for page in full}) > 1:
            raise self.refuse("the pages of the TIFF differ in kind, so that it is unclear which is the image")
        return full

    def check(self, page: _Page) -> None:
        """Refuse what no reader here decodes exactly, and sizes that the file cannot hold."""
        width, height = page.size
        compression = page.one(_COMPRESSION, 1)
        if compression not in _COMPRESSIONS:
            raise self.refuse(f"a TIFF compressed by method {compression} is not supported")
        bits = set(page.tags.get(_BITS) or (1,))
        samples = page.one(_SAMPLES, 1)
        form = page.one(_FORMAT, 1)
        photometric = page.one(_PHOTOMETRIC, 1)
        names = {5: "CMYK", 6: "YCbCr", 8: "CIE Lab", 32803: "raw sensor", 34892: "raw sensor"}
        if photometric in names or photometric not in (0, 1, 2, 3):
            raise self.refuse(f"a {names.get(photometric, f'photometric {photometric}')} TIFF is not supported")
        if samples == 2:
            raise self.refuse("a grey + alpha TIFF is not supported")
        if photometric == 3 and (samples != 1 or len(page.tags.get(_COLOURS, ())) != 3 * 2 ** max(bits)):
            raise self.refuse("the palette of the TIFF is damaged")
        if photometric == 2 and samples not in (3, 4):
            raise self.refuse(f"an RGB TIFF of {samples} samples a pixel is not supported")
        if photometric in (0, 1) and samples != 1:
            raise self.refuse(f"a grey TIFF of {samples} samples a pixel is not supported")
        known = {1: {1, 8, 16, 32}, 2: {8, 16, 32}, 3: {16, 32, 64}}.get(form, set())
        if len(bits) != 1 or not bits <= known or (photometric == 3 and bits != {8}):
            shown = ", ".join(map(str, sorted(bits)))
            raise self.refuse(f"a TIFF of {shown} bits a sample of this kind (format {form}) is not supported")
        decoded = -(-width * samples * max(bits) // 8) * height
        stored = sum(page.tags.get(_STRIP_BYTES) or page.tags.get(_TILE_BYTES) or (len(self.data),))
        bound = stored if compression == 1 else stored * _EXPANSION + 4096
        if min(width, height) < 1 or decoded > bound or stored > len(self.data):
            raise self.refuse(f"the TIFF is damaged: it says {width} x {height} pixels, and holds fewer")
        if decoded * len(self.pages) > _MOST_BYTES:
            raise self.refuse(f"the TIFF is too large: {width} x {height} pixels on {len(self.pages)} pages")

    def decoded_here(self, page: _Page) -> bool:
        """Whether ITK would not read the page's own numbers."""
        unusual = page.one(_FORMAT, 1) == _FLOAT and page.one(_BITS, 1) in (16, 64)
        planes = page.one(_PLANAR, 1) == 2 and page.one(_SAMPLES, 1) > 1
        return _TILES in page.tags or unusual or planes

    def decoded(self, page: _Page) -> np.ndarray:
        """Pixels (H, W, samples) of strips or tiles that are stored plainly or deflated."""
        width, height = page.size
        compression = _COMPRESSIONS[page.one(_COMPRESSION, 1)]
        if compression not in ("none", "deflate") or page.one(_PREDICTOR, 1) not in (1, 2):
            raise self.refuse(
                f"a TIFF of tiles, planes, half or double floats with {compression} compression is not supported"
            )
        tiled = _TILES in page.tags
        block = (
            (page.one(_TILE_HEIGHT, 0), page.one(_TILE_WIDTH, 0))
            if tiled
            else (page.one(_ROWS_PER_STRIP, height), width)
        )
        block = (min(block[0], height) if not tiled else block[0], block[1])
        if min(block) < 1 or max(block) > 1 << 16:
            raise self.refuse("the TIFF is damaged: its tiles have no possible size")
        offsets, lengths = (
            page.tags.get(tag, ()) for tag in ((_TILES, _TILE_BYTES) if tiled else (_STRIPS, _STRIP_BYTES))
        )
        samples, planes = page.one(_SAMPLES, 1), page.one(_PLANAR, 1) == 2
        down, across = -(-height // block[0]), -(-width // block[1])
        layers, inner = (samples, 1) if planes else (1, samples)
        if len(offsets) != down * across * layers or len(lengths) != len(offsets):
            raise self.refuse("the TIFF is damaged: tiles or strips are missing")
        bits = page.one(_BITS, 8)
        dtype = np.dtype({1: "u", 2: "i", 3: "f"}[page.one(_FORMAT, 1)] + str(bits // 8)).newbyteorder(self.order)
        result = np.zeros((height, width, samples), dtype.newbyteorder("="))
        for number, (offset, length) in enumerate(zip(offsets, lengths, strict=True)):
            layer, place = divmod(number, down * across)
            top, left = (place // across) * block[0], (place % across) * block[1]
            rows = block[0] if tiled else min(block[0], height - top)
            values = self._block(offset, length, compression, (rows, block[1], inner), dtype)
            if page.one(_PREDICTOR, 1) == 2:
                values = np.cumsum(values, axis=1, dtype=values.dtype)
            part = result[top : top + rows, left : left + block[1], layer : layer + inner]
            part[...] = values[: part.shape[0], : part.shape[1]]
        return result.astype(np.float32) if result.dtype == np.float16 else result

    def _block(self, offset: int, length: int, compression: str, shape: tuple[int, int, int], dtype: np.dtype):
        wanted = math.prod(shape) * dtype.itemsize
        stored = self.data[offset : offset + length]
        try:
            plain = stored if compression == "none" else zlib.decompressobj().decompress(stored, wanted)
        except zlib.error as error:
            raise self.refuse("the TIFF is damaged: its compressed pixels cannot be read") from error
        if len(plain) < wanted:
            raise self.refuse("the TIFF is damaged or ends too early")
        return np.frombuffer(plain[:wanted], dtype).reshape(shape).astype(dtype.newbyteorder("="))

    def patched(self, pages: list[_Page]) -> bytes | None:
        """The file with the given pages alone, without orientation, zero black; None where it is so already."""
        changes: list[tuple[int, bytes]] = []
        for page in pages:
            for tag, wanted in ((_ORIENTATION, 1), (_PHOTOMETRIC, 1)):
                if tag in page.entries and page.one(tag, wanted) in ((0,) if tag == _PHOTOMETRIC else range(2, 9)):
                    changes.append((page.entries[tag], struct.pack(self.order + "H", wanted)))
        if len(pages) < len(self.pages):
            starts = dict(zip(map(id, self.pages), self._starts(), strict=True))
            pointers = [8 if self.big else 4, *(page.next_pointer for page in pages)]
            for pointer, start in zip(pointers, [*(starts[id(page)] for page in pages), 0], strict=True):
                changes.append((pointer, struct.pack(self.order + self._word, start)))
        if not changes:
            return None
        data = bytearray(self.data)
        for place, value in changes:
            data[place : place + len(value)] = value
        return bytes(data)

    def _starts(self) -> list[int]:
        pointers = [8 if self.big else 4, *(page.next_pointer for page in self.pages[:-1])]
        return [self._numbers(self._word, pointer)[0] for pointer in pointers]


def readable_tiff(path: Path) -> ReadableTiff:
    """What to read of the TIFF at `path`.

    Raises
    ------
    InputError
        It is damaged, or of a kind that is not read exactly.
    """
    data = path.read_bytes()
    if data[:2] not in (b"II", b"MM"):
        return ReadableTiff()  # another format under this name: ITK judges
    tiff = _Tiff(path, data)
    tiff.read()
    pages = tiff.image_pages()
    for page in pages:
        tiff.check(page)
    first = pages[0]
    orientation = first.one(_ORIENTATION, 1)
    orientation = orientation if 1 <= orientation <= 8 else 1
    inverted = first.one(_PHOTOMETRIC, 1) == 0
    if inverted and first.one(_FORMAT, 1) != 1:
        raise tiff.refuse("a TIFF whose zero is white and whose pixels are not whole numbers is not supported")
    if any(tiff.decoded_here(page) for page in pages):
        if len(pages) > 1 or first.one(_PHOTOMETRIC, 1) == 3:
            raise tiff.refuse(
                "a TIFF of several pages, or with a palette, in tiles, planes, half or double floats is not supported"
            )
        return ReadableTiff(None, tiff.decoded(first), orientation, inverted)
    return ReadableTiff(tiff.patched(pages), None, orientation, inverted)
