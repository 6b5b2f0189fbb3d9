"""Checkpoints by path or by name."""

from __future__ import annotations

from pathlib import Path

from ..checkpoints import Checkpoint
from ..checkpoints import load_checkpoint as load_file
from ..workflows.registrars import find_checkpoint
from .inputs import as_path


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
