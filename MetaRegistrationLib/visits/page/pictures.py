"""The pictures of the page, each stored once as PNG in text; drawings refer to them by number."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...registration.overlays import grey_levels
from .content import Content
from .markup import Html

_BYTES = 1_600_000  # of all grey pictures, so that the page stays below about 3 MB
_BYTES_A_PIXEL = 0.8  # of a grey PNG of a scan
_SIDES = (240, 800)  # least and most pixels of the longer side
_MAP_SIDE = 640


@dataclass(frozen=True)
class Picture:
    """A picture on the pixels of the reference.

    Attributes
    ----------
    number : int
    data : str
        PNG in base 64.
    size : (float, float)
        Height and width, in pixels of the reference.
    """

    number: int
    data: str
    size: tuple[float, float]

    @property
    def name(self) -> str:
        """Its name within the page."""
        return f"picture-{self.number}"


@dataclass(frozen=True)
class Pictures:
    """All pictures of a page.

    Attributes
    ----------
    visits : dict of str to Picture
        Of the aligned visits.
    average : Picture
    change : Picture or None
    """

    visits: dict[str, Picture]
    average: Picture
    change: Picture | None = None

    def store(self) -> Html:
        """The pictures themselves, not shown."""
        found = [*self.visits.values(), self.average, *([self.change] if self.change else [])]
        images = "".join(
            f'<image id="{each.name}" x="-0.5" y="-0.5" width="{each.size[1]:g}" height="{each.size[0]:g}"'
            f' preserveAspectRatio="none" href="data:image/png;base64,{each.data}"/>'
            for each in found
        )
        return Html(f'<svg class="store" aria-hidden="true" width="0" height="0"><defs>{images}</defs></svg>\n')


def pictures(content: Content) -> Pictures:
    """The pictures of the visits, the average and the change map, small enough for one page."""
    aligned = [entry for entry in content.series.visits if entry.aligned]
    side = _side(len(aligned) + 1)
    found = {entry.visit.name: _grey(number, *entry.warped, side) for number, entry in enumerate(aligned, 1)}
    mean = _grey(len(aligned) + 1, content.mean.image, content.mean.count > 0, side)
    return Pictures(found, mean, _map(content, len(aligned) + 2))


def _side(count: int) -> int:
    least, most = _SIDES
    return int(np.clip((_BYTES / _BYTES_A_PIXEL / count) ** 0.5, least, most))


def _grey(number: int, image: np.ndarray, seen: np.ndarray, side: int) -> Picture:
    from PIL import Image

    levels = grey_levels(np.where(seen, image, np.nan))
    return Picture(number, _png(Image.fromarray(np.round(255 * levels).astype(np.uint8)), side), image.shape)


def _map(content: Content, number: int) -> Picture | None:
    from PIL import Image

    if content.change_picture is None:
        return None
    height = content.reference.visit.image.geometry.size[0]
    with Image.open(Path(content.change_picture)) as picture:
        width = picture.width * height / picture.height
        return Picture(number, _png(picture, _MAP_SIDE), (height, width))


def _png(picture, side: int) -> str:
    """A picture with at most `side` pixels on its longer side."""
    from PIL import Image

    factor = side / max(picture.size)
    if factor < 1:
        picture = picture.resize(_scaled(picture.size, factor), Image.Resampling.BOX)
    stream = io.BytesIO()
    picture.save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode("ascii")


def _scaled(size: Sequence[int], factor: float) -> tuple[int, int]:
    width, height = (max(round(factor * length), 1) for length in size)
    return width, height
