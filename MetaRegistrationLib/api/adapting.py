"""Fine-tuning on images of one's own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..checkpoints import load_checkpoint
from ..errors import InputError
from ..formats.files import writable_folder
from ..pairs.files import ImagePair, check_sizes
from ..pairs.folders import PairFolder
from ..pairs.in_memory import PairInMemory
from ..progress import Reader
from ..stages import Stages, check_initial
from ..workflows.finetuning import FinetuneOptions, finetune_folder, finetune_pairs
from ..workflows.folders import PairSelection
from .gradients import with_gradients
from .inputs import as_image, spacing_um, truth_value
from .options import checked_checkpoint, checked_device, checked_network, random_numbers_kept, whole_number
from .precision import own_precision
from .python_warnings import as_reader

if TYPE_CHECKING:
    import torch

    from ..checkpoints import Checkpoint
    from ..pairs.files import PairFiles

_NAME = "pairs"


@own_precision
@with_gradients
def finetune(
    pairs: str | Path | Iterable[tuple[Any, Any]],
    *,
    epochs: int = 10,
    checkpoint: str | Path | Checkpoint | None = None,
    network: torch.nn.Module | None = None,
    output: str | Path | None = None,
    progress: Reader | None = None,
    device: str = "auto",
    initial: str = Stages.initial,
    plain: bool = False,
    hold_out: bool = True,
    resume: bool = False,
    seed: int = 0,
    spacing: float | Sequence[float] | None = None,
) -> Checkpoint:
    """Adapt a network to pairs of images, without landmarks. torch's random numbers go on as they were.

    Parameters
    ----------
    pairs : sequence of (moving, fixed), or path
        Each image as `register` takes it; or a folder of pairs (Documentation/Reference/Pairs.md).
    epochs : int
        Passes over the pairs.
    checkpoint, network, device
        Where the adaptation starts, and where it runs; as `register` takes them.
    output : path, optional
        Folder that keeps the run: `best.pt`, `last.pt` (to resume) and `log.csv`. Without it nothing stays on disk.
    progress : callable, optional
        Called with one typed event after another (`MetaRegistrationLib.progress`). Without it, the warnings among them are those
        of Python, such as that the result has the weights of the start.
    initial : str
        Initial alignment before the network: "affine", "rigid", "translation" or "none".
    plain : bool
        The paper's recipe: Eq. (1) alone.
    hold_out : bool
        Hold out one pair in ten, of ten and more, to choose the best epoch.
    resume : bool
        Resume the run in `output`.
    seed : int
        Start of the random numbers.
    spacing : float or (float, float), optional
        Distance of rows and of columns, mm, of images that carry no pixel size. For a folder one number only.

    Returns
    -------
    Checkpoint
        The adapted one, for `register`; its `path` is None without `output`. `save_checkpoint` writes it. Where the class of a
        network of your own needs arguments, give `network` beside the file.

    Raises
    ------
    InputError
        An image, checkpoint, network or setting cannot be used.
    TrainingStopped
        The training ended early, for example because the loss is not finite.
    """
    epochs, seed = whole_number(epochs, "epochs", 1), whole_number(seed, "seed", 0)
    check_initial(initial, "initial")
    reader = as_reader(progress)
    if output is None and resume:
        raise InputError("resume: expected `output`, the folder of the run to resume; got none.")
    with _run_folder(output) as folder, random_numbers_kept():
        options = FinetuneOptions(
            output=folder,
            checkpoint=checked_checkpoint(checkpoint),
            network=checked_network(network),
            epochs=epochs,
            device=checked_device(device),
            initial=initial,
            plain=truth_value(plain, "plain"),
            hold_out=truth_value(hold_out, "hold_out"),
            resume=truth_value(resume, "resume"),
            seed=seed,
        )
        adapted = load_checkpoint(_best(pairs, spacing, options, reader))
    adapted = adapted if output is not None else replace(adapted, path=None)
    return adapted if network is None else adapted.with_module(network)


@contextmanager
def _run_folder(output: str | Path | None) -> Iterator[Path]:
    """The folder of the run; a temporary one, removed afterwards, where none is given."""
    if output is not None:
        yield writable_folder(Path(output).expanduser())
        return
    with tempfile.TemporaryDirectory(prefix="metaregistration-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _best(pairs: Any, spacing: Any, options: FinetuneOptions, progress: Reader) -> Path:
    if isinstance(pairs, (str, Path)):
        selection = PairSelection(Path(pairs).expanduser(), spacing_um=spacing_um(spacing))
        return finetune_folder(selection, options, progress).best
    return finetune_pairs(_folder_of(pairs, spacing), options, progress).best


def _folder_of(pairs: Iterable[Any], spacing: float | Sequence[float] | None) -> PairFolder:
    """Pairs in memory, as a folder of pairs."""
    if not isinstance(pairs, Iterable):
        raise InputError(f"{_NAME}: expected a sequence of (moving, fixed) or a folder, got {type(pairs).__name__}.")
    found = tuple(_pair(pair, number, spacing) for number, pair in enumerate(pairs, 1))
    if not found:
        raise InputError(f"{_NAME}: expected at least one pair (moving, fixed), got none.")
    # Pairs in memory are as files, as far as training goes.
    return PairFolder(Path(_NAME), "pairs in memory", cast("tuple[PairFiles, ...]", found), ())


def _pair(pair: Any, number: int, spacing: float | Sequence[float] | None) -> PairInMemory:
    where = f"{_NAME}[{number - 1}]"
    try:
        moving, fixed = pair
    except (TypeError, ValueError):
        raise InputError(f"{where}: expected (moving, fixed), got {type(pair).__name__}.") from None
    images = (
        as_image(moving, f"{where} (moving)", spacing=spacing).image,
        as_image(fixed, f"{where} (fixed)", spacing=spacing).image,
    )
    try:
        check_sizes(*images)
    except InputError as error:
        raise error.within(f"{where}: ") from error
    name = f"pair_{number:03d}"
    return PairInMemory(name, ImagePair(name, *images))
