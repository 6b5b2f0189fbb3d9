"""Registering and measuring folders of pairs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..progress import Reader
from ..registration.file_names import PARTS
from ..stages import Stages
from ..workflows import evaluating, registering
from ..workflows.folders import PairSelection
from ..workflows.registering import PairsOutcome
from ..workflows.run_options import RunOptions
from .inputs import as_path, spacing_um, truth_value
from .options import random_numbers_kept, registrar_options, whole_number
from .precision import own_precision
from .python_warnings import as_reader

if TYPE_CHECKING:
    import torch

    from ..checkpoints import Checkpoint


@own_precision
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
    jobs: int | None = None,
    resume: bool = False,
    write: Collection[str] | None = None,
    batch: int = 1,
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
        Called with one typed event after another (`MetaRegistrationLib.progress`). Without it, the warnings among them are those
        of Python.
    replace : bool
        Replace the results of other pairs in `output`. Results of the same pairs are replaced in any case.
    jobs : int, optional
        Number of processes, each with one thread. By default one a core, or one on a GPU, for a `network`, or for a reader or
        alignment that is in no module. The fields do not depend on it.
    resume : bool
        Go on where an earlier run into `output` stopped. Pairs whose files, checkpoint or stages changed are done again.
    write : collection of str, optional
        The parts of each result: images, warped, field, transform, error, landmarks, overlay. By default all but the transform,
        which is the field in some kilobytes, to 0.01 px.
    batch : int
        Pairs that go through the networks at once, for GPUs.

    Returns
    -------
    PairsOutcome
        `rows` (one PairMeasures a pair), `summary`, `left_out` (pairs that could not be read or registered, with reasons).

    Raises
    ------
    InputError
        There is no pair that can be used, none could be registered, `output` cannot be written to, is or holds a file of
        a pair, or holds other files that would be replaced.
    RunStopped
        The disk is full or takes no files any more. `resume` continues.
    """
    selection = PairSelection(
        as_path(folder, "folder"), split, spacing_um=spacing_um(spacing), slice_index=_slice(slice_index)
    )
    options, replaced = registrar_options(checkpoint, network, stages, device), truth_value(replace, "replace")
    run = RunOptions(
        _jobs(jobs), truth_value(resume, "resume"), parts=_parts(write), batch=whole_number(batch, "batch", 1)
    )
    with random_numbers_kept():
        return registering.register_folder(
            selection, as_path(output, "output"), options, as_reader(progress), replace=replaced, run=run
        )


@own_precision
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
    jobs: int | None = None,
    resume: bool = False,
) -> PairsOutcome:
    """Register the pairs of a folder and measure them; nothing is written without `output`.

    Parameters
    ----------
    output : path, optional
        Gets `metrics.csv` and `summary.json`.
    folder, checkpoint, network, stages, device, split, spacing, slice_index, progress, replace, jobs, resume
        As `register_folder` takes them.

    Returns
    -------
    PairsOutcome
        ``outcome.summary["distance_after_px"]["mean"]`` is the mean landmark distance, in pixels of the network grid.

    Raises
    ------
    InputError
        There is no pair that can be used, none could be registered, or none has landmarks in both images.
    RunStopped
        The disk is full or takes no files any more. `resume` continues.
    """
    selection = PairSelection(
        as_path(folder, "folder"), split, spacing_um=spacing_um(spacing), slice_index=_slice(slice_index)
    )
    options, replaced = registrar_options(checkpoint, network, stages, device), truth_value(replace, "replace")
    output = None if output is None else as_path(output, "output")
    run = RunOptions(_jobs(jobs), truth_value(resume, "resume"))
    with random_numbers_kept():
        return evaluating.evaluate(selection, output, options, as_reader(progress), replace=replaced, run=run)


def _slice(number: Any) -> int | None:
    return None if number is None else whole_number(number, "slice_index", 0)


def _jobs(jobs: Any) -> int | None:
    return None if jobs is None else whole_number(jobs, "jobs", 1)


def _parts(write: Any) -> frozenset[str] | None:
    if write is None:
        return None
    names = [write] if isinstance(write, str) else list(write) if isinstance(write, Iterable) else []
    unknown = [name for name in names if not (isinstance(name, str) and name in PARTS)]
    if unknown or not names:
        raise InputError(f"write: expected some of {', '.join(PARTS)}; got {unknown or write!r}.")
    return frozenset(names)
