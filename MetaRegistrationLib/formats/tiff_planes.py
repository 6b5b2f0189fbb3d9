"""Stacks whose planes follow each other in a TIFF and share one directory.

ImageJ writes them above 4 GB, and tifffile with `truncate=True`. The description alone says how many planes there are.
"""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace

from .tiff_pages import MOST_BYTES, MOST_PAGES, Page, PageList, Tag

_NOT_COMPRESSED = 1


def planes_of(tiff: PageList, pages: list[Page]) -> tuple[list[Page], str]:
    """`pages`, or one page for each plane that a single directory stands for; and a message for the user, or "".

    Raises
    ------
    InputError
        Some of the planes are missing, or there are too many.
    """
    stated = _stated(tiff, pages[0]) if len(tiff.pages) == 1 else 1
    if stated <= 1:
        return pages, ""
    page, size = pages[0], _bytes_of_plane(pages[0])
    held = _held(tiff, page, size)
    if held < 2:  # one image of a former stack
        return pages, f"{tiff.path}: its description states {stated} images, but the file holds one"
    if held < stated:
        raise tiff.refuse(f"the TIFF ends too early: it states {stated} images and holds {held}")
    if stated > MOST_PAGES or stated * size > MOST_BYTES:
        raise tiff.refuse(f"the TIFF is too large: {stated} images of {size} bytes")
    return [_plane(page, number, size) for number in range(stated)], ""


def _stated(tiff: PageList, page: Page) -> int:
    """Number of planes by the description."""
    text = tiff.text(page, Tag.DESCRIPTION)
    if text.startswith("ImageJ"):
        found = re.search(r"^images=(\d{1,9})\s*$", text, re.MULTILINE)
        return int(found[1]) if found else 1
    if found := re.match(r'\{"shape": \[(\d{1,9}(?:, ?\d{1,9})*)\]', text):
        planes, rest = divmod(
            math.prod(map(int, found[1].split(","))), max(math.prod(page.size) * page.one(Tag.SAMPLES, 1), 1)
        )
        return planes if rest == 0 else 1
    return 1


def _bytes_of_plane(page: Page) -> int:
    width, height = page.size
    return -(-width * page.one(Tag.SAMPLES, 1) * page.one(Tag.BITS, 1) // 8) * height


def _lengths(page: Page, size: int) -> tuple[int, ...]:
    """Bytes of the strips of one plane; of a single strip some programs state those of the whole stack."""
    return (size,) if len(page.tags[Tag.STRIPS]) == 1 else page.tags.get(Tag.STRIP_BYTES, ())


def _held(tiff: PageList, page: Page, size: int) -> int:
    """Number of planes that the file has room for; 1 where they cannot follow each other."""
    offsets = page.tags.get(Tag.STRIPS)
    if not offsets or page.one(Tag.COMPRESSION, _NOT_COMPRESSED) != _NOT_COMPRESSED:
        return 1
    lengths = _lengths(page, size)
    places = tuple(itertools.accumulate(lengths, initial=offsets[0]))
    if sum(lengths) != size or places[:-1] != offsets:
        return 1
    return (len(tiff.data) - offsets[0]) // size


def _plane(page: Page, number: int, size: int) -> Page:
    strips = {
        Tag.STRIPS: tuple(offset + number * size for offset in page.tags[Tag.STRIPS]),
        Tag.STRIP_BYTES: _lengths(page, size),
    }
    return replace(page, tags=page.tags | strips, is_plane=True)
