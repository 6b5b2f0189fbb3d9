"""Drawings over the pictures: the ETDRS grid, the centre of the fovea, and the outline of the foveal avascular zone."""

from __future__ import annotations

import math

from ...octa.faz import Faz
from ..regions import RADII_MM
from .content import Content
from .markup import Html, escaped
from .pictures import Picture

_SIDES = {"right": ("T", "N"), "left": ("N", "T")}
"""Letters on the left and on the right of the image: nasal of a right eye is on the right."""
_LINE = 'fill="none" vector-effect="non-scaling-stroke"'
_CROSS = 0.015  # of the shorter side: half the length of the arms
_LETTER = 0.05  # of the shorter side


def shared_drawings(content: Content) -> Html:
    """What is drawn over all pictures, stored once."""
    height, width = content.reference.visit.image.geometry.size
    parts = [
        f'<clipPath id="frame"><rect x="-0.5" y="-0.5" width="{width}" height="{height}"/></clipPath>',
        f'<g id="centre">{_cross(content)}</g>',
    ]
    if content.spacing_mm is not None:
        parts.append(f'<g id="etdrs">{_circles(content)}{_quadrants(content)}</g>')
    parts.append(f'<g id="sides">{_letters(content)}</g>')
    return Html(f'<svg class="store" aria-hidden="true" width="0" height="0"><defs>{"".join(parts)}</defs></svg>\n')


def drawing(content: Content, picture: Picture, alt: str, zone: Faz | None = None) -> Html:
    """A picture with its drawings, in pixels of the reference; as wide and high as the eye is in mm."""
    height, width = picture.size
    step = content.spacing_mm or (1.0, 1.0)
    outline = "" if zone is None else _twice(f'<polygon points="{_points(zone)}" {_LINE}/>', "zone")
    grid = "" if content.spacing_mm is None else _twice('<use href="#etdrs"/>', "grid")
    centre = _twice('<use href="#centre"/>', "centre")
    return Html(
        f'<svg class="picture" role="img" aria-label="{escaped(alt)}" viewBox="-0.5 -0.5 {width:g} {height:g}"'
        f' preserveAspectRatio="none" style="aspect-ratio:{width * step[1]:g}/{height * step[0]:g}">'
        f'<title>{escaped(alt)}</title><use href="#{picture.name}"/>'
        f'<g clip-path="url(#frame)">{grid}{centre}{outline}</g><use class="letters" href="#sides"/></svg>'
    )


def _twice(shape: str, kind: str) -> str:
    """A shape with a dark rim, so that it shows on bright and on dark pixels."""
    return f'<g class="{kind}"><g class="rim">{shape}</g><g class="line">{shape}</g></g>'


def _circles(content: Content) -> str:
    """The circles of 1, 3 and 6 mm; ellipses where rows and columns are not equally far apart."""
    (x, y), (down, across) = content.centre_xy, content.spacing_mm
    if down == across:
        return "".join(f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius / down:.2f}" {_LINE}/>' for radius in RADII_MM)
    return "".join(
        f'<ellipse cx="{x:.2f}" cy="{y:.2f}" rx="{radius / across:.2f}" ry="{radius / down:.2f}" {_LINE}/>'
        for radius in RADII_MM
    )


def _quadrants(content: Content) -> str:
    """The lines between the quadrants, from the inner circle to the outer one."""
    x, y = content.centre_xy
    down, across = content.spacing_mm
    inner, outer = (radius * math.sqrt(0.5) for radius in (RADII_MM[0], RADII_MM[-1]))
    return "".join(
        f'<line x1="{x + right * inner / across:.2f}" y1="{y + low * inner / down:.2f}"'
        f' x2="{x + right * outer / across:.2f}" y2="{y + low * outer / down:.2f}" {_LINE}/>'
        for right in (-1, 1)
        for low in (-1, 1)
    )


def _cross(content: Content) -> str:
    (x, y), size = content.centre_xy, content.reference.visit.image.geometry.size
    arm = _CROSS * min(size)
    return (
        f'<line x1="{x - arm:.2f}" y1="{y:.2f}" x2="{x + arm:.2f}" y2="{y:.2f}" {_LINE}/>'
        f'<line x1="{x:.2f}" y1="{y - arm:.2f}" x2="{x:.2f}" y2="{y + arm:.2f}" {_LINE}/>'
    )


def _letters(content: Content) -> str:
    """N and T at the edges of the image where the side of the eye is known."""
    if content.series.side not in _SIDES:
        return ""
    height, width = content.reference.visit.image.geometry.size
    size = _LETTER * min(height, width)
    left, right = _SIDES[content.series.side]
    return "".join(
        f'<text x="{x:.1f}" y="{height / 2 + size / 3:.1f}" text-anchor="{anchor}" font-size="{size:.1f}">{letter}</text>'
        for letter, x, anchor in ((left, 0.3 * size, "start"), (right, width - 0.3 * size, "end"))
    )


def _points(zone: Faz) -> str:
    return " ".join(f"{column:.1f},{row:.1f}" for row, column in zone.outline)
