"""The requests of the sections to the logic."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..pairs.files import PairFiles
from ..stages import Stages
from .pixel_sizes import PixelSizes


@dataclass(frozen=True)
class FineTuningRequest:
    """A training: folder of pairs, checkpoint to start from, name of the result, initial alignment of the pairs."""

    folder: Path
    checkpoint: Path | None
    name: str
    epochs: int
    device: str
    pixel_sizes: PixelSizes = field(default_factory=PixelSizes)
    initial: str = Stages.initial


@dataclass(frozen=True)
class FolderRequest:
    """A whole folder of pairs to be registered into `output`.

    `pairs` are its pairs, as far as they are known. `replace` allows the results of other pairs there to be replaced.
    """

    folder: Path
    output: Path
    checkpoint: Path | None
    device: str
    pixel_sizes: PixelSizes = field(default_factory=PixelSizes)
    stages: Stages = field(default_factory=Stages)
    pairs: tuple[PairFiles, ...] | None = None
    replace: bool = False


@dataclass(frozen=True)
class PairRequest:
    """One pair to be registered: volume nodes, their slices, and the nodes for the results (None: none wanted).

    The checkpoint may be None if `stages` has no network. A mask is a label map or a segmentation node. Without one, the
    tissue mask is found.
    """

    moving: Any
    fixed: Any
    moving_slice: int
    fixed_slice: int
    checkpoint: Path | None
    device: str
    warped: Any | None = None
    transform: Any | None = None
    moving_points: Any | None = None
    fixed_points: Any | None = None
    pixel_sizes: PixelSizes = field(default_factory=PixelSizes)
    stages: Stages = field(default_factory=Stages)
    moving_mask: Any | None = None
    fixed_mask: Any | None = None

    @property
    def nodes(self) -> list:
        """All nodes that it names."""
        nodes = self.moving, self.fixed, self.moving_points, self.fixed_points, self.transform
        return [node for node in (*nodes, self.warped, self.moving_mask, self.fixed_mask) if node is not None]


@dataclass(frozen=True)
class PairResult:
    """A registered pair: its measures, and the nodes of the result.

    Attributes
    ----------
    outcome : mrml.registration_node.Outcome
    warped, transform : node or None
    stage_seconds : dict of str to float
        As `Registration.stage_seconds`.
    refinement_steps : int or None
        Steps taken; None if refinement was off.
    mask_versions : tuple or None
        Of the masks as they were used (see `RegisterLogic.mask_versions`); None where that is not known.
    """

    outcome: Any
    warped: Any | None
    transform: Any | None
    stage_seconds: dict[str, float] = field(default_factory=dict)
    refinement_steps: int | None = None
    mask_versions: tuple | None = None


@dataclass(frozen=True)
class ResultNotes:
    """The notes on the nodes of a result; None without one.

    Attributes
    ----------
    uncertain : mrml.registration_node.UncertainAlignment or None
    other_initial : mrml.registration_node.OtherInitial or None
    outcome : mrml.registration_node.Outcome or None
    micrometres_a_pixel : float
        Size of a pixel of the network grid; NaN if the pixel size is not known.
    changed : str or None
        What has changed since, so that the result no longer holds, as `changed_since` says it.
    sizes : mrml.registration_node.SizeContradiction or None
    slices : (int, int) or None
        Those of the result, where other ones are chosen.
    unreadable : tuple of str
        Notes on the nodes that this version cannot read, by name.
    """

    uncertain: Any | None = None
    other_initial: Any | None = None
    outcome: Any | None = None
    micrometres_a_pixel: float = float("nan")
    changed: str | None = None
    sizes: Any | None = None
    slices: tuple[int, int] | None = None
    unreadable: tuple[str, ...] = ()

    @property
    def left_unchanged(self) -> bool:
        """Whether the images were left unchanged because no alignment was confident."""
        return self.uncertain is not None and self.uncertain.kind == "none"
