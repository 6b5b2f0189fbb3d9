"""Checkpoints by path or by name, and into files."""

from __future__ import annotations

from pathlib import Path

from ..checkpoints import Checkpoint
from ..checkpoints import load_checkpoint as load_file
from ..checkpoints import save_checkpoint as save_file
from ..errors import InputError
from ..formats.checkpoint_header import read_header
from ..workflows.registrars import find_checkpoint
from .inputs import as_path
from .writing import holds_something


def load_checkpoint(path_or_name: str | Path) -> Checkpoint:
    """Read a checkpoint.

    Parameters
    ----------
    path_or_name : path or str
        A file, or the name of a shipped checkpoint: "coarse_to_fine_any" (the default), "coarse_to_fine_octa",
        "coarse_to_fine_meta", "coarse_to_fine_pretrained", "voxelmorph_meta" or "voxelmorph_pretrained".

    Returns
    -------
    Checkpoint
        For `register`, `finetune` and the others; ``checkpoint.build()`` is the network.

    Raises
    ------
    InputError
        There is no such file or name, or the file is no checkpoint.
    """
    as_path(path_or_name, "path_or_name")
    return load_file(find_checkpoint(path_or_name))


def save_checkpoint(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically: at any kill or full disk the file that was there before is still whole.

    Parameters
    ----------
    path : path
        File to write, such as ``"adapted.pt"``. A checkpoint of this name is replaced, any other file is not.
    checkpoint : Checkpoint
        What `finetune` or `load_checkpoint` returned.

    Raises
    ------
    InputError
        The folder does not exist, there is another kind of file of this name, or what came is no checkpoint.
    """
    path = as_path(path, "path")
    if path.is_dir():
        raise InputError(f"Checkpoint {path}: it is a folder. Name a file in it, such as adapted.pt.")
    if holds_something(path) and read_header(path) is None:
        raise InputError(
            f"Checkpoint {path}: there is a file of this name that is no checkpoint, and it is not replaced. Choose another"
            " name."
        )
    save_file(path, checkpoint)
