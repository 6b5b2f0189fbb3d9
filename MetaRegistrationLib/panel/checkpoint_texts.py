"""Names of the checkpoints in the panel, and the images that each is for."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..errors import InputError
from ..resources import shipped_checkpoints
from .texts import tr as _


class _Shipped(NamedTuple):
    name: str
    purpose: str


def shipped_label(path: Path) -> str:
    """The name of a shipped checkpoint; that of its file for others."""
    known = _shipped().get(path.stem)
    return _("{name} (shipped)").format(name=path.stem if known is None else known.name)


def purpose(path: Path) -> str:
    """The images that a checkpoint is for, unless the user adapted it."""
    known = _shipped().get(path.stem) if _ships(path) else None
    return _("The file {path}.").format(path=path) if known is None else known.purpose


def own_purpose(described: dict) -> str:
    """The images that an adapted checkpoint is for, from the record of `CheckpointStore.describe`."""
    count = described["pairs"]
    if count is None:
        return _("Adapted earlier, for images like those it was adapted on.")
    return _("Adapted earlier on {count} pairs, for images like those.").format(count=count)


def _ships(path: Path) -> bool:
    try:
        return path in shipped_checkpoints()
    except InputError:  # a broken installation still has the user's own ones
        return False


def _shipped() -> dict[str, _Shipped]:
    return {
        "coarse_to_fine_any": _Shipped(
            _("Any images, meta-learned"),
            _("For OCTA and any other images, also of two contrasts. The best start for fine-tuning."),
        ),
        "coarse_to_fine_octa": _Shipped(
            _("Superficial OCTA, adapted"),
            _("Adapted to en-face OCTA images of the superficial layers."),
        ),
        "coarse_to_fine_meta": _Shipped(
            _("Like contrast, meta-learned"),
            _("Meta-learned on pairs of like contrast only. For comparisons."),
        ),
        "coarse_to_fine_pretrained": _Shipped(
            _("Like contrast, pretrained only"),
            _("The network for pairs of like contrast before meta-learning. For comparisons."),
        ),
        "voxelmorph_meta": _Shipped(
            _("VoxelMorph of the paper"),
            _("The network of the paper, meta-learned. For comparisons with the paper."),
        ),
        "voxelmorph_pretrained": _Shipped(
            _("VoxelMorph of the paper, pretrained only"),
            _("The network of the paper before meta-learning. For comparisons."),
        ),
    }
