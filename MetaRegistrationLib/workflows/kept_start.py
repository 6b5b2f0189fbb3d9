"""A run of which nothing was trained, because contrasts are unlike: its folder holds the start as the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..progress import Finished, Message, Reader

if TYPE_CHECKING:
    from ..checkpoints import Checkpoint

_UNLIKE = (
    "Fine-tuning uses the correlation of grey values, which misleads where contrasts are unlike (two modalities, two stains): "
    "nothing was trained, and the result has the weights of the start."
)
_ALL_THE_SAME = "{field} or a smoothness of your own trains all the same."


def keep_start(output: Path, base: Checkpoint, task: str, progress: Reader) -> Path:
    """Write the start as the result."""
    from ..checkpoints import save_checkpoint
    from ..training.folder import BEST

    best = output / BEST
    save_checkpoint(best, base)
    progress(Message.about("plain", _UNLIKE, _ALL_THE_SAME, "warning"))
    progress(Finished(task, best))
    return best


def holds_start(output: Path, base: Checkpoint) -> bool:
    """Whether a folder holds nothing of a run but its start, as `keep_start` writes it."""
    import torch

    from ..checkpoints import load_checkpoint
    from ..training.folder import BEST, LAST, LOG

    if not (output / BEST).is_file() or any((output / name).exists() for name in (LAST, LOG)):
        return False
    try:
        found = load_checkpoint(output / BEST)
    except InputError:
        return False
    described = [(each.network, each.preprocessing, each.history) for each in (found, base)]
    same_names = found.weights.keys() == base.weights.keys()
    return (
        described[0] == described[1]
        and same_names
        and all(torch.equal(value, base.weights[name]) for name, value in found.weights.items())
    )


def remove_start(output: Path) -> None:
    """Remove the start that `keep_start` wrote, so that a training begins in the folder."""
    from ..training.folder import BEST

    (output / BEST).unlink()
