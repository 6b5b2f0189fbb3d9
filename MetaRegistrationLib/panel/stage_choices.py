"""The stages of a registration in the panel, and their names."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Any

from ..initial_kinds import NONE, declared
from ..stages import Stages
from .texts import tr as _

_NOTHING = Stages("none", False, 0)


class _Choice(enum.Enum):
    """A kind of initial alignment; the scene keeps the name."""

    def label(self) -> str:
        """What the list shows; the parameter node asks for it."""
        name = kind_name(self.value)
        return _("{kind} (recommended)").format(kind=name) if self.value == Stages.initial else name


def initial_choices() -> type[_Choice]:
    """The declared kinds in the order of the list: those that are searched for, those by landmarks, none."""
    order = list(reversed(declared()))
    order.sort(key=lambda kind: (kind.name == NONE, kind.needs_landmarks))
    return _Choice("InitialAlignment", {kind.name: kind.name for kind in order}, module=__name__)


InitialAlignment = initial_choices()


def kind_name(kind: str) -> str:
    """A kind of initial alignment in the user's language."""
    names = {
        "affine": _("affine"),
        "rigid": _("rigid"),
        "translation": _("translation"),
        "landmarks": _("landmarks"),
        "none": _("none"),
    }
    return names.get(kind, kind)


def stages_of(parameters: Any) -> Stages:
    """The stages that the parameters of the scene hold; those of `Stages()` while there is no scene."""
    if parameters.initialAlignment is None:
        return Stages()
    return Stages(parameters.initialAlignment.value, parameters.useNetwork, parameters.refinementSteps)


def missing_for(stages: Stages, checkpoint: Path | None) -> list[str]:
    """What is missing before these stages can run."""
    if stages == _NOTHING:
        return [_("a stage (under Advanced)")]
    return [_("a checkpoint (under Fine-tune)")] if stages.network and checkpoint is None else []


def stages_in_words(stages: Stages, *, with_steps: bool = False) -> str:
    """The stages that are on, in their order, with the most steps of refinement if asked for."""
    parts = []
    if stages.initial != NONE:
        parts.append(_("{kind} alignment").format(kind=kind_name(stages.initial)))
    if stages.network:
        parts.append(_("network"))
    if stages.refine:
        steps = _("refinement ({count} steps)").format(count=stages.refine)
        parts.append(steps if with_steps else _("refinement"))
    return ", ".join(parts) or _("all off")
