"""The attributes and references of a result's nodes. Only this file knows them.

Scene files keep them, so that a name is never changed. A result is a grid transform or a warped volume; a table of distances has
the references to its pair alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

import slicer

from ..initial_kinds import initial_kinds
from ..registration.measures import PairMeasures, shown_in
from ..registration.schema import SCENE, Measure
from ..registration.size_check import contradicts, micrometres_text
from ..stages import LEAST_CONFIDENCE, Stages
from .error_text import error_from_text, error_text
from .geometry_text import geometry_from_text, geometry_text
from .noted_numbers import count_from_text, length_from_text, number_from_text, size_from_text

if TYPE_CHECKING:
    from ..core.geometry import Geometry
    from ..error_map.maps import ErrorMap
    from ..registration.registrar import Registration  # it imports torch

NETWORK_GRID = 400
"""Side of the network grid of a result that does not say its own."""
_PREFIX = "MetaRegistration."
_IN_CAPITALS = ("ncc",)


class UncertainAlignment(NamedTuple):
    """An initial alignment that was not confident: the kind that was used, and why."""

    kind: str
    reason: str


class OtherInitial(NamedTuple):
    """The initial alignment that a checkpoint was adapted with, and the other one that it was used with."""

    adapted: str
    used: str


class SizeContradiction(NamedTuple):
    """Pixel sizes that a registration contradicts, in micrometres, and how many times as large they make the moving image."""

    scale: float
    moving: str
    fixed: str


class MeanDistance(NamedTuple):
    """Mean landmark distance after a registration, in pixels of the network grid and in micrometres (or NaN)."""

    pixels: float
    micrometres: float
    count: int


class Outcome(NamedTuple):
    """The outcome of a registration, with its measures.

    Attributes
    ----------
    measures : PairMeasures
        Those that a scene keeps, and the others where the registration was just made.
    initial : str or None
        The kind of initial alignment that was used; None where it was off.
    alignment_alone : bool
        Whether later stages were asked for, and not used because they did not improve the alignment.
    """

    measures: PairMeasures
    initial: str | None = None
    alignment_alone: bool = False


def outcome(registration: Registration, measures: PairMeasures) -> Outcome:
    """The outcome of a new registration."""
    stages, alignment = registration.stages, registration.alignment
    alone = registration.result_stage == "initial" and bool(stages.network or stages.refine)
    return Outcome(measures, None if alignment is None else alignment.kind, alone)


class RegistrationNode:
    """A node as the result of a registration.

    Parameters
    ----------
    node : vtkMRMLNode
        Its attributes are read and written; nothing else of it is changed.
    """

    def __init__(self, node) -> None:
        self.node = node

    def note_pair(self, moving_node, fixed_node) -> None:
        """Store its volumes, by the roles that transforms have for them."""
        for role, volume in zip(_roles(), (moving_node, fixed_node), strict=True):
            self.node.SetNodeReferenceID(role, volume.GetID() if volume is not None else None)

    def is_of_pair(self, moving_node, fixed_node) -> bool:
        """Whether it is a result of these two volumes."""
        return self.pair == (moving_node, fixed_node)

    @property
    def pair(self) -> tuple:
        """The moving and the fixed volume, or None."""
        moving, fixed = (self.node.GetNodeReference(role) for role in _roles())
        return moving, fixed

    def moves(self, moving_node) -> bool:
        """Whether it is a result of this moving volume, with whatever fixed one."""
        return self.node.GetNodeReference(_roles()[0]) is moving_node

    def is_of_another_pair(self, moving_node, fixed_node) -> bool:
        """Whether it is a result, and of other volumes than these two."""
        noted = any(self.node.GetNodeReference(role) is not None for role in _roles())
        return noted and not self.is_of_pair(moving_node, fixed_node)

    def note_stages(self, registration: Registration, adapted_initial: str | None = None) -> None:
        """Store its settings, instead of earlier ones.

        Parameters
        ----------
        registration : Registration
        adapted_initial : str or None
            The initial alignment that its checkpoint was adapted with, if that is known.
        """
        stages, alignment, refinement = registration.stages, registration.alignment, registration.refinement
        self._note(
            InitialAlignment=stages.initial,
            Network="on" if stages.network else "off",
            RefinementSteps=str(stages.refine),
            RefinementStepsTaken=None if refinement is None else str(refinement.steps),
            AlignmentKept=None if alignment is None else alignment.kind,
            AlignmentConfidence=None if alignment is None else f"{alignment.confidence:.3f}",
            AlignmentReason=(alignment and alignment.reason) or None,
            AlignmentAlone="yes" if outcome(registration, PairMeasures()).alignment_alone else None,
            AdaptedInitial=adapted_initial,
        )

    @property
    def stages(self) -> Stages | None:
        """The stages that were asked for; None where the notes on them cannot be read."""
        if not all(map(self._is_readable, _STAGES)):
            return None
        steps = self._read("RefinementSteps") or 0
        return Stages(self._get("InitialAlignment") or "none", self._get("Network") == "on", steps)

    @property
    def uncertain_alignment(self) -> UncertainAlignment | None:
        """An alignment that was not confident; None if it was confident, off or not stored."""
        reason = self._get("AlignmentReason")
        if not reason or (self._read("AlignmentConfidence") or 0) >= LEAST_CONFIDENCE:
            return None
        return UncertainAlignment(self._get("AlignmentKept") or "none", reason)

    @property
    def other_initial(self) -> OtherInitial | None:
        """A checkpoint that was adapted with another initial alignment; None if none is stored."""
        adapted, used = self._get("AdaptedInitial"), self._get("InitialAlignment")
        return None if not adapted or adapted == used else OtherInitial(adapted, used or "none")

    def note_scale(self, scale: float) -> None:
        """Store the scale that was found (`Registration.scale_found`); NaN where it is not known."""
        self._note(ScaleFound=None if math.isnan(scale) else repr(scale))

    @property
    def size_contradiction(self) -> SizeContradiction | None:
        """The pixel sizes if the registration contradicts them; None if it does not, or if no scale can be read."""
        scale, images = self._read("ScaleFound"), self.geometry
        if images is None or scale is None or not contradicts(scale):
            return None
        return SizeContradiction(scale, *map(micrometres_text, images))

    def note_measures(self, measures: PairMeasures) -> None:
        """Store the measures that the schema shows in a scene, to the last digit."""
        self._note(**{_attribute(each.key): each.exact(measures[each.key]) for each in shown_in(SCENE)})

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of the registration with its measures, NaN where one cannot be read; None for a node without measures."""
        noted = {each: self._get(_attribute(each.key)) for each in shown_in(SCENE)}
        values = {each.key: _parsed(each, text) for each, text in noted.items() if text}
        values = {key: math.nan if value is None else value for key, value in values.items()}
        if not values:
            return None
        return Outcome(PairMeasures(**values), self._get("AlignmentKept"), self._get("AlignmentAlone") is not None)

    def note_error(self, error: ErrorMap | None) -> None:
        """Store the map of its predicted errors, instead of an earlier one; None if there is none."""
        self._note(ErrorMap=None if error is None else error_text(error))

    @property
    def error(self) -> ErrorMap | None:
        """The map of its predicted errors; None if none is stored."""
        return error_from_text(self.error_text)

    @property
    def error_text(self) -> str:
        """The map as it is stored; empty if none is. Another registration has another text."""
        return self._get("ErrorMap") or ""

    def note_made(self, checkpoint: str) -> None:
        """Note that it is new and in use, and by which checkpoint it was made ("" without a network)."""
        self._note(
            Made=datetime.now(timezone.utc).isoformat(timespec="microseconds"),
            Checkpoint=checkpoint or None,
            MeanDistance=None,
            Kept=None,
        )

    @property
    def made(self) -> str:
        """When it was made, as text that sorts by time; empty if not stored."""
        return self._get("Made") or ""

    @property
    def checkpoint(self) -> str:
        """Name of the checkpoint; empty without a network."""
        return self._get("Checkpoint") or ""

    @property
    def saved(self) -> bool:
        """Whether it is a saved result for comparison, beside the one in use."""
        return self._get("Kept") is not None

    @saved.setter
    def saved(self, saved: bool) -> None:
        self._note(Kept="yes" if saved else None)

    @property
    def mean_distance(self) -> MeanDistance | None:
        """Mean landmark distance as it was when this was last the result in use; None without landmarks, or if unreadable."""
        return self._read("MeanDistance")

    @mean_distance.setter
    def mean_distance(self, distance: MeanDistance | None) -> None:
        self._note(MeanDistance=None if distance is None else " ".join(map(repr, distance)))

    def note_grid(self, size: int, moving_slice: int, fixed_slice: int) -> None:
        """Note the side of the network grid, and the slices of the volumes that are registered."""
        self._note(FrameSize=str(size), MovingSlice=str(moving_slice), FixedSlice=str(fixed_slice))

    @property
    def grid_size(self) -> int:
        """Side of the network grid, whose pixels are the unit of distances."""
        return self._read("FrameSize") or NETWORK_GRID

    @property
    def slices(self) -> tuple[int, int]:
        """The slices of the moving and the fixed volume that are registered."""
        return self._read("MovingSlice") or 0, self._read("FixedSlice") or 0

    def is_of_slices(self, slices: tuple[int, int]) -> bool:
        """Whether it is a result of these slices of the moving and the fixed volume, or does not say of which."""
        return self._get("MovingSlice") is None or self.slices == tuple(slices)

    def note_geometry(self, moving: Geometry, fixed: Geometry) -> None:
        """Note where the registered images were, in the coordinates of the result."""
        self._note(MovingGeometry=geometry_text(moving), FixedGeometry=geometry_text(fixed))

    @property
    def geometry(self) -> tuple[Geometry, Geometry] | None:
        """Where the moving and the fixed image were; None for a result of an earlier version, or if unreadable."""
        moving, fixed = self._read("MovingGeometry"), self._read("FixedGeometry")
        return None if moving is None or fixed is None else (moving, fixed)

    def note_pixels(self, moving: str, fixed: str) -> None:
        """Note the checksums of the registered slices (`slice_checksum`)."""
        self._note(MovingPixels=moving, FixedPixels=fixed)

    @property
    def pixels(self) -> tuple[str | None, str | None]:
        """The checksums of the moving and the fixed slice; None for a result of an earlier version."""
        return self._get("MovingPixels"), self._get("FixedPixels")

    def note_transform(self, checksum: str) -> None:
        """Note the checksum of its transform (`transform_checksum`)."""
        self._note(TransformContent=checksum)

    @property
    def transform_checksum(self) -> str | None:
        """The checksum of its transform; None for a warped volume, and for a result of an earlier version."""
        return self._get("TransformContent")

    def of_known_size(self, image: Geometry, side: int) -> Geometry:
        """The moving (0) or fixed (1) image as it is now, its pixel size known if it was: a turned volume seems to have one."""
        noted = self.geometry
        return image if noted is None else replace(image, spacing_known=noted[side].spacing_known)

    @property
    def inverse_tolerance(self) -> float | None:
        """Tolerance of the grid's inverse, mm, which VTK does not save; None for a transform of another origin."""
        return self._read("InverseTolerance")

    @inverse_tolerance.setter
    def inverse_tolerance(self, millimetres: float) -> None:
        self._note(InverseTolerance=repr(millimetres))

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Names of the notes that this version cannot read: a newer one may have written them."""
        measures = [_attribute(each.key) for each in shown_in(SCENE) if not self._measure_is_readable(each)]
        return (*(name for name in _READERS if not self._is_readable(name)), *measures)

    @property
    def tells_positions(self) -> bool:
        """Whether the notes on the places of its images, its grid and its inverse can be read, or are not there."""
        return all(map(self._is_readable, _PLACING))

    def _read(self, name: str) -> Any:
        """The value of a note; None if it is not there or cannot be read."""
        text = self._get(name)
        return _READERS[name](text) if text else None

    def _is_readable(self, name: str) -> bool:
        return not self._get(name) or self._read(name) is not None

    def _measure_is_readable(self, measure: Measure) -> bool:
        text = self._get(_attribute(measure.key))
        return not text or _parsed(measure, text) is not None

    def _get(self, name: str) -> str | None:
        return self.node.GetAttribute(_PREFIX + name)

    def _note(self, **values: str | None) -> None:
        for name, value in values.items():
            self.node.SetAttribute(_PREFIX + name, value)  # None removes it


def _mean_distance(text: str) -> MeanDistance | None:
    words = text.split()
    if len(words) != 3:
        return None
    pixels, micrometres, count = number_from_text(words[0]), number_from_text(words[1]), count_from_text(words[2])
    return None if None in (pixels, micrometres, count) else MeanDistance(pixels, micrometres, count)


def _parsed(measure: Measure, text: str) -> Any:
    """The value of a measure that is noted as text; None if it cannot be read."""
    try:
        return measure.parse(text)
    except ValueError:
        return None


_STAGES = ("InitialAlignment", "Network", "RefinementSteps")
_PLACING = ("FrameSize", "MovingSlice", "FixedSlice", "MovingGeometry", "FixedGeometry", "InverseTolerance")
_READERS: dict[str, Callable[[str], Any]] = {
    "InitialAlignment": lambda text: text if text in initial_kinds() else None,
    "Network": lambda text: text if text in ("on", "off") else None,
    "RefinementSteps": count_from_text,
    "AlignmentConfidence": number_from_text,
    "ScaleFound": length_from_text,
    "MeanDistance": _mean_distance,
    "FrameSize": size_from_text,
    "MovingSlice": count_from_text,
    "FixedSlice": count_from_text,
    "MovingGeometry": geometry_from_text,
    "FixedGeometry": geometry_from_text,
    "InverseTolerance": length_from_text,
}
"""How the notes that are no plain texts are read; a text that cannot be read gives None."""


def result_of_pair(class_name: str, moving_node, fixed_node):
    """The result of this class for two volumes in the scene that is in use, or the latest; None without any."""
    nodes = map(RegistrationNode, slicer.util.getNodesByClass(class_name))
    found = [result for result in nodes if result.is_of_pair(moving_node, fixed_node)]
    used = [result for result in found if not result.saved]
    return ([result.node for result in used or found] or [None])[-1]


def _attribute(key: str) -> str:
    """The name of a measure's attribute: ncc_before is NCCBefore."""
    return "".join(part.upper() if part in _IN_CAPITALS else part.capitalize() for part in key.split("_"))


def _roles() -> tuple[str, str]:
    roles = slicer.vtkMRMLTransformNode
    return roles.GetMovingNodeReferenceRole(), roles.GetFixedNodeReferenceRole()
