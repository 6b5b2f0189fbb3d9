"""Which registered visits are no longer what, or where, they were when they were registered."""

from __future__ import annotations

from ..errors import InputError
from .changed_volumes import changed_since
from .visit_nodes import VisitNodes

_ADVICE = "Register all visits again."


def moved_visits(nodes: VisitNodes) -> list[str]:
    """Names of the visits that were moved or rescaled alone, or edited, since the registration, the reference first.

    So are those whose notes on the registration cannot be read.
    """
    volumes = nodes.volumes
    at = volumes.get(nodes.reference)
    found = [(name, _what(volumes.get(name), at, transform)) for name, transform in nodes.transforms.items()]
    reference = [nodes.reference] if any(what == "fixed" for _, what in found) else []
    return reference + [name for name, what in found if what not in (None, "fixed")]


def refuse_moved(nodes: VisitNodes, name: str) -> None:
    """Raise an `InputError` if a visit or the reference was moved or edited after the registration. The error names it."""
    volumes = nodes.volumes
    what = _what(volumes.get(name), volumes.get(nodes.reference), nodes.transform(name))
    if what == "transform":
        raise InputError(f"{name}: the transform of this visit was moved after the registration.", advice=_ADVICE)
    if what == "content":
        raise InputError(f"{name}: the transform of this visit was changed after the registration.", advice=_ADVICE)
    if what == "unreadable":
        raise InputError(f"{name}: the notes on the registration of this visit cannot be read.", advice=_ADVICE)
    if what is not None:
        moved = nodes.reference if what == "fixed" else name
        raise InputError(f"{moved}: this visit was moved, rescaled or edited after the registration.", advice=_ADVICE)


def _what(volume, reference, transform) -> str | None:
    """As `changed_since`; None for the reference too, and where a node is no longer in the scene."""
    return None if None in (volume, reference, transform) else changed_since(transform, volume, reference)
