"""The centre and side that registered visits were measured for, and those that the scene has now."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.geometry import Geometry
from ..errors import InputError
from .change_nodes import centre_of, move_centre, note_suggested
from .visit_nodes import VisitNodes
from .volumes import volume_geometry

_CENTRE, _SIDE = "MeasuredCentre", "MeasuredSide"
_SAME_PX = 1.0  # a centre that was given is measured around the nearest pixel


@dataclass(frozen=True)
class KeptCentre:
    """The centre of a series whose results are replaced."""

    node: Any
    reference: str
    suggested: str
    moved: bool


def kept_centre(nodes: VisitNodes) -> KeptCentre | None:
    """The centre of a series, before its results are replaced."""
    if nodes["centre"] is None:
        return None
    try:
        moved = moved_centre(nodes) is not None
    except InputError:  # the reference is gone: whoever placed it, it is kept
        moved = True
    return KeptCentre(nodes["centre"], nodes.reference, nodes.attribute("SuggestedCentre"), moved)


def give_back(nodes: VisitNodes, kept: KeptCentre) -> None:
    """Give a kept centre to the new results. On another reference it is where the visits were measured around."""
    nodes["centre"], measured = kept.node, measured_centre(nodes)
    if kept.reference == nodes.reference:
        nodes.attribute("SuggestedCentre", kept.suggested)
    elif measured is not None:
        move_centre(nodes, measured, _geometry(nodes))
        if not kept.moved:
            note_suggested(nodes, measured)


def note_measured(nodes: VisitNodes, record: Mapping) -> None:
    """Note what `series.json` says of the grid that was measured on."""
    nodes.attribute(_CENTRE, " ".join(repr(float(value)) for value in record.get("centre_xy") or ()))
    nodes.attribute(_SIDE, str(record.get("side", "")))


def measured_centre(nodes: VisitNodes) -> tuple[float, float] | None:
    """The centre that was measured around, (x, y) in pixels of the reference; None if it is not known."""
    found = tuple(float(value) for value in nodes.attribute(_CENTRE).split())
    return found if len(found) == 2 else None


def measured_side(nodes: VisitNodes) -> str:
    """The side that was measured for: "right", "left" or ""."""
    return nodes.attribute(_SIDE)


def moved_centre(nodes: VisitNodes) -> tuple[float, float] | None:
    """The centre that the user moved, (x, y) in pixels of the reference; None where nobody did.

    Raises
    ------
    InputError
        The reference is no longer in the scene.
    """
    centre, moved = centre_of(nodes, _geometry(nodes))
    return centre if moved else None


def other_side(nodes: VisitNodes) -> bool:
    """Whether the side was changed after measuring. Scenes of earlier versions do not tell."""
    return measured_centre(nodes) is not None and nodes.side != measured_side(nodes)


def other_centre(nodes: VisitNodes) -> bool:
    """Whether the centre of the grid is another one than was measured around. Scenes of earlier versions do not tell.

    Raises
    ------
    InputError
        The reference is no longer in the scene.
    """
    measured, (centre, _) = measured_centre(nodes), centre_of(nodes, _geometry(nodes))
    return None not in (measured, centre) and math.dist(measured, centre) > _SAME_PX


def _geometry(nodes: VisitNodes) -> Geometry:
    return volume_geometry(nodes.volume(nodes.reference))
