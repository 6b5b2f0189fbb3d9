"""How long to train: presets of the number of epochs."""

from __future__ import annotations

from .texts import tr as _

OWN = 0


def presets() -> list[tuple[str, int]]:
    """Label and epochs of each preset; the last one, `OWN`, leaves the number to the user."""
    return [
        (_("Quick (10 epochs)"), 10),
        (_("Thorough (600 epochs)"), 600),
        (_("Full, as in the paper (2000 epochs)"), 2000),
        (_("Custom"), OWN),
    ]


def preset_of(epochs: int) -> int:
    """Index of the preset with this number of epochs."""
    numbers = [number for _label, number in presets()]
    return numbers.index(epochs) if epochs in numbers else len(numbers) - 1
