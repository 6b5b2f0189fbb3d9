"""Other registration programs, each in a file of its own, behind one function: a pair of frames to a pull field."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

from .base import Peer

__all__ = ["Peer", "installed_peers"]

_UNTRAINED = ("elastix", "ants", "greedy", "fireants_peer")


def installed_peers(threads: int, weights: Path, say: Callable[[str], None] = print) -> list[Peer]:
    """All peers that can be used here; `say` is told which cannot, and why.

    Parameters
    ----------
    threads : int
        CPU threads for those that take a number.
    weights : Path
        Folder of the trained networks.
    say : callable
    """
    found: list[Peer] = []
    for module in _UNTRAINED:
        try:
            found += importlib.import_module(f"{__name__}.{module}").peers(threads)
        except ImportError as error:
            say(f"left out: {module.removesuffix('_peer')} is not installed ({error})")
    try:
        found += importlib.import_module(f"{__name__}.voxelmorph_peer").peers(weights, say)
    except ImportError as error:
        say(f"left out: voxelmorph is not installed ({error})")
    return found
