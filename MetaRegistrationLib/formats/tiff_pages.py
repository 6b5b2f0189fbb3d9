"""The pages of a TIFF: which of them are the image, and the file in a form that ITK's reader decodes exactly.

ITK falls back on 8-bit colour, upside down, for kinds that it does not know, and follows damaged lists of pages for ever. So
the structure is read here, within bounds, before any library sees the file. No library does this: tifffile inflates without a
bound and is not part of Slicer; Pillow reads 16-bit colour as 8 bits, and takes the bytes of deflated big-endian numbers in the
wrong order.

A file that ITK would read in another way is patched (orientation, white as zero, thumbnails), decoded by `tiff_blocks` (tiles,
half and double floats, planes) or refused by name.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

from ..errors import InputError
from .declared_sizes import EXPANSION


class Tag(IntEnum):
    """The tags that are read."""

    SUBFILE = 254
    WIDTH = 256
    HEIGHT = 257
    BITS = 258
    COMPRESSION = 259
    PHOTOMETRIC = 262
    DESCRIPTION = 270
    STRIPS = 273
    ORIENTATION = 274
    SAMPLES = 277
    ROWS_PER_STRIP = 278
    STRIP_BYTES = 279
    X_RESOLUTION = 282
    Y_RESOLUTION = 283
    PLANAR = 284
    SOFTWARE = 305
    PREDICTOR = 317
    COLOURS = 320
    TILE_WIDTH = 322
    TILE_HEIGHT = 323
    TILES = 324
    TILE_BYTES = 325
    EXTRA = 338
    FORMAT = 339


COMPRESSIONS = {1: "none", 5: "LZW", 7: "JPEG", 8: "deflate", 32773: "PackBits", 32946: "deflate"}
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}
_TEXT, _RATIO = 2, 5
_KNOWN = frozenset(Tag)
_LONGEST_TEXT = 1 << 20  # bytes
MOST_PAGES, _MOST_ENTRIES, _MOST_VALUES, MOST_BYTES = 10_000, 1_000, 1 << 22, 1 << 31
_REDUCED, _MASK = 1, 4
_FLOAT = 3


@dataclass(frozen=True)
class Page:
    """One directory.

    Attributes
    ----------
    tags : dict of int to tuple of int
        The numbers of these tags.
    places : dict of int to int
        Positions of the values of these tags in the file.
    others : dict of int to (int, int, int)
        Type, count and position of the tags that are texts or ratios.
    next_pointer : int
        Position of the pointer to the next page.
    is_plane : bool
        It is one plane of several that share a directory.
    """

    tags: dict[int, tuple]
    places: dict[int, int]
    others: dict[int, tuple[int, int, int]]
    next_pointer: int
    is_plane: bool = False

    def one(self, tag: int, default: int) -> int:
        """The first number of a tag."""
        values = self.tags.get(tag) or (default,)
        return int(values[0])

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.one(Tag.WIDTH, 0), self.one(Tag.HEIGHT, 0)

    @property
    def kind(self) -> tuple:
        """What all pages of one image share."""
        samples, photometric, form = self.one(Tag.SAMPLES, 1), self.one(Tag.PHOTOMETRIC, 1), self.one(Tag.FORMAT, 1)
        return (*self.size, self.tags.get(Tag.BITS), samples, photometric, form)

    @property
    def in_blocks(self) -> bool:
        """Whether ITK would misread the page: tiles, planes, stacks in one page, half and double floats."""
        unusual = self.one(Tag.FORMAT, 1) == _FLOAT and self.one(Tag.BITS, 1) in (16, 64)
        planes = self.one(Tag.PLANAR, 1) == 2 and self.one(Tag.SAMPLES, 1) > 1
        return self.is_plane or Tag.TILES in self.tags or unusual or planes


@dataclass(eq=False)
class PageList:
    """A TIFF file and its pages, read within bounds."""

    path: Path
    data: bytes
    order: str = "<"
    big: bool = False
    pages: list[Page] = field(default_factory=list)

    def refuse(self, reason: str) -> InputError:
        """An error that names the file."""
        return InputError(f"{self.path}: {reason}. Save it as plain grey or RGB TIFF, or as PNG.")

    def read(self, most: int = MOST_PAGES) -> PageList:
        """Read all pages, or the first ones; `InputError` for a list of pages that is damaged."""
        try:
            self._read(most)
        except struct.error as error:
            raise self.refuse("the TIFF is damaged: it refers to positions beyond its end") from error
        if not self.pages:
            raise self.refuse("the TIFF has no pages")
        return self

    def _read(self, most: int) -> None:
        self.order = {b"II": "<", b"MM": ">"}[self.data[:2]]
        self.big = self._numbers("H", 2)[0] == 43
        pointer, seen = (8 if self.big else 4), set()
        while len(self.pages) < most:
            start = self._numbers(self._word, pointer)[0]
            if start == 0:
                return
            if start in seen or start < 8:
                raise self.refuse("the TIFF is damaged: its list of pages leads back into itself")
            seen.add(start)
            self.pages.append(self._page(start))
            pointer = self.pages[-1].next_pointer
        if most == MOST_PAGES:
            raise self.refuse(f"the TIFF has more than {MOST_PAGES} pages")

    @property
    def _word(self) -> str:
        return "Q" if self.big else "I"

    def _numbers(self, code: str, place: int, count: int = 1) -> tuple:
        size = struct.calcsize(self.order + code)
        if place + size * count > len(self.data):
            raise struct.error("beyond the end")
        return struct.unpack_from(f"{self.order}{count}{code}", self.data, place)

    def _page(self, start: int) -> Page:
        count = self._numbers("Q" if self.big else "H", start)[0]
        if count > _MOST_ENTRIES:
            raise self.refuse("the TIFF is damaged: a page has thousands of tags")
        head, size = (8, 20) if self.big else (2, 12)
        page = Page({}, {}, {}, start + head + count * size)
        for number in range(count):
            self._entry(page, start + head + number * size)
        return page

    def _entry(self, page: Page, entry: int) -> None:
        tag, kind = self._numbers("H", entry, 2)
        count = self._numbers(self._word, entry + 4)[0]
        place, room = (entry + 12, 8) if self.big else (entry + 8, 4)
        if kind in (_TEXT, _RATIO):
            far = count > room or (kind == _RATIO and count * 8 > room)
            page.others[tag] = (kind, count, self._numbers(self._word, place)[0] if far else place)
        elif kind in _CODES and count <= _MOST_VALUES:
            size = struct.calcsize(f"{self.order}{_CODES[kind]}") * count
            place = self._numbers(self._word, place)[0] if size > room else place
            if place + size > len(self.data):
                raise struct.error("beyond the end")
            if tag in _KNOWN:
                page.tags[tag], page.places[tag] = self._numbers(_CODES[kind], place, count), place

    def text(self, page: Page, tag: int) -> str:
        """A tag that is a text, as far as it is there; "" where it is none."""
        kind, count, place = page.others.get(tag, (0, 0, 0))
        if kind != _TEXT:
            return ""
        text = self.data[place : place + min(count, _LONGEST_TEXT)].rstrip(b"\0")
        try:
            return text.decode("utf-8")
        except UnicodeDecodeError:  # as ImageJ on Windows writes a micro sign
            return text.decode("latin-1")

    def ratio(self, page: Page, tag: int) -> float:
        """A tag that is a ratio or a number; 0 where it is none."""
        kind, _, place = page.others.get(tag, (0, 0, 0))
        if kind != _RATIO or place + 8 > len(self.data):
            return float(page.one(tag, 0))
        above, below = self._numbers("I", place, 2)
        return above / max(below, 1)

    def image_pages(self) -> list[Page]:
        """The pages that hold the image: neither thumbnails nor masks, all of one kind."""
        full = [page for page in self.pages if not page.one(Tag.SUBFILE, 0) & (_REDUCED | _MASK)] or self.pages
        greatest = max(math.prod(page.size) for page in full)
        full = [page for page in full if math.prod(page.size) == greatest]
        if len({page.kind for page in full}) > 1:
            raise self.refuse("the pages of the TIFF differ in kind, so that it is unclear which is the image")
        for page in full:
            self._check(page)
        return full

    def _check(self, page: Page) -> None:
        """Refuse what no reader here decodes exactly, and sizes that the file cannot hold."""
        width, height = page.size
        compression = page.one(Tag.COMPRESSION, 1)
        if compression not in COMPRESSIONS:
            raise self.refuse(f"a TIFF compressed by method {compression} is not supported")
        if COMPRESSIONS[compression] == "PackBits" and page.one(Tag.PREDICTOR, 1) != 1:
            raise self.refuse("a TIFF with PackBits compression and a predictor is read differently by every program")
        bits = set(page.tags.get(Tag.BITS) or (1,))
        samples = page.one(Tag.SAMPLES, 1)
        form = page.one(Tag.FORMAT, 1)
        photometric = page.one(Tag.PHOTOMETRIC, 1)
        names = {5: "CMYK", 6: "YCbCr", 8: "CIE Lab", 32803: "raw sensor", 34892: "raw sensor"}
        if photometric in names or photometric not in (0, 1, 2, 3):
            raise self.refuse(f"a {names.get(photometric, f'photometric {photometric}')} TIFF is not supported")
        if samples == 2:
            raise self.refuse("a grey + alpha TIFF is not supported")
        if photometric == 3 and (samples != 1 or len(page.tags.get(Tag.COLOURS, ())) != 3 * 2 ** max(bits)):
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
        stored = sum(page.tags.get(Tag.STRIP_BYTES) or page.tags.get(Tag.TILE_BYTES) or (len(self.data),))
        bound = stored if compression == 1 else stored * EXPANSION + 4096
        if min(width, height) < 1 or decoded > bound or stored > len(self.data):
            raise self.refuse(f"the TIFF is damaged: it says {width} x {height} pixels, and holds fewer")
        if decoded * len(self.pages) > MOST_BYTES:
            raise self.refuse(f"the TIFF is too large: {width} x {height} pixels on {len(self.pages)} pages")

    def patched(self, pages: list[Page]) -> bytes | None:
        """The file with the given pages alone, without orientation, zero black; None where it is so already."""
        changes: list[tuple[int, bytes]] = []
        for page in pages:
            for tag, wanted in ((Tag.ORIENTATION, 1), (Tag.PHOTOMETRIC, 1)):
                if tag in page.places and page.one(tag, wanted) in ((0,) if tag == Tag.PHOTOMETRIC else range(2, 9)):
                    changes.append((page.places[tag], struct.pack(self.order + "H", wanted)))
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


def pages_of(path: Path, most: int = MOST_PAGES) -> PageList | None:
    """The pages of the file at `path`, or the first ones; None where it is another format under this name.

    Raises
    ------
    InputError
        Its list of pages is damaged.
    """
    data = path.read_bytes()
    return PageList(path, data).read(most) if data[:2] in (b"II", b"MM") else None
