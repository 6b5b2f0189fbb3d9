"""What the sections ask of the logic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class FineTuningRequest:
    """What is to be trained: folder of pairs, checkpoint to start from, and the name of the result."""

    folder: Path
    checkpoint: Path | None
    name: str
    epochs: int
    device: str
    spacing_um: float | None


@dataclass(frozen=True)
class FolderRequest:
    """A whole folder of pairs to be registered into `output`."""

    folder: Path
    output: Path
    checkpoint: Path | None
    device: str
    spacing_um: float | None


@dataclass(frozen=True)
class PairRequest:
    """One pair to be registered: volume nodes, their slices, and the nodes for the results (None: none wanted)."""

    moving: Any
    fixed: Any
    moving_slice: int
    fixed_slice: int
    checkpoint: Path
    device: str
    warped: Any | None = None
    transform: Any | None = None
    moving_points: Any | None = None
    fixed_points: Any | None = None
    spacing_um: float | None = None


@dataclass(frozen=True)
class PairResult:
    """A registered pair: what was measured, and the nodes that hold the result.

    Attributes
    ----------
    ncc_before, ncc_after, folding_percent, seconds : float
    warped, transform : node or None
    """

    ncc_before: float
    ncc_after: float
    folding_percent: float
    seconds: float
    warped: Any | None
    transform: Any | None
