"""Registering and measuring folders of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..progress import Reader
from ..stages import Stages
from ..workflows import evaluating, registering
from ..workflows.folders import PairSelection
from ..workflows.registering import PairsOutcome
from .inputs import as_path, spacing_um
from .options import registrar_options

if TYPE_CHECKING:
    import torch

    from ..checkpoints import Checkpoint


def register_folder(
    folder: str | Path,
    output: str | Path,
    *,
    checkpoint: str | Path | Checkpoint | None = None,
    network: torch.nn.Module | None = None,
    stages: Stages | None = None,
    device: str = "auto",
    split: str | None = None,
    spacing: float | Sequence[float] | None = None,
    slice_index: int | None = None,
    progress: Reader | None = None,
    replace: bool = False,
) -> PairsOutcome:
    """Register the pairs of a folder into another folder, as the command ``register`` does.

    Parameters
    ----------
    folder : path
        Folder of pairs, or a pairs.csv (Documentation/Reference/Pairs.md).
    output : path
        Gets a folder of results for each pair, `metrics.csv` and `summary.json`.
    checkpoint, network, stages, device
        As `register` takes them.
    split : str, optional
        Only the pairs of this split.
    spacing : float, optional
        Pixel size, mm, of files that carry none.
    slice_index : int, optional
        Slice to take from stacks, counted from 0.
    progress : callable, optional
        Called with one typed event after another (`MetaRegistrationLib.progress`).
    replace : bool
        Replace the results of other pairs in `output`. Results of the same pairs are replaced in any case.

    Returns
    -------
    PairsOutcome
        `rows` (one PairMeasures a pair), `summary`, `left_out` (pairs that could not be registered, with reasons).

    Raises
    ------
    InputError
        There is no pair that can be used, none could be registered, `output` cannot be written to, is or holds a file of
        a pair, or holds other files that would be replaced.
    """
    selection = PairSelection(as_path(folder, "folder"), split, spacing_um=spacing_um(spacing), slice_index=slice_index)
    options = registrar_options(checkpoint, network, stages, device)
    return registering.register_folder(selection, as_path(output, "output"), options, progress, replace=replace)


def evaluate(
    folder: str | Path,
    output: str | Path | None = None,
    *,
    checkpoint: str | Path | Checkpoint | None = None,
    network: torch.nn.Module | None = None,
    stages: Stages | None = None,
    device: str = "auto",
    split: str | None = None,
    spacing: float | Sequence[float] | None = None,
    slice_index: int | None = None,
    progress: Reader | None = None,
    replace: bool = False,
) -> PairsOutcome:
    """Register the pairs of a folder and measure them; nothing is written without `output`.

    Parameters
    ----------
    output : path, optional
        Gets `metrics.csv` and `summary.json`.
    folder, checkpoint, network, stages, device, split, spacing, slice_index, progress, replace
        As `register_folder` takes them.

    Returns
    -------
    PairsOutcome
        ``outcome.summary["distance_after_px"]["mean"]`` is the mean landmark distance, in pixels of the network grid; None
        instead of the dict if no pair has landmarks.

    Raises
    ------
    InputError
        There is no pair that can be used, or none could be registered.
    """
    selection = PairSelection(as_path(folder, "folder"), split, spacing_um=spacing_um(spacing), slice_index=slice_index)
    options = registrar_options(checkpoint, network, stages, device)
    output = None if output is None else as_path(output, "output")
    return evaluating.evaluate(selection, output, options, progress, replace=replace)
