"""How the overlay compares the two images: the choice, and the slider that belongs to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..mrml.overlay import Compared
from .texts import tr as _


class _Range(NamedTuple):
    """Of the slider: lowest, highest, step, decimals, and the value at first."""

    low: float
    high: float
    step: float
    decimals: int
    first: float


_SHARE, _TILES, _SWITCH = _Range(0, 1, 0.05, 2, 0.5), _Range(2, 20, 1, 0, 8), _Range(0, 1, 1, 0, 1)
_RANGES = {"blend": _SHARE, "swipe": _SHARE, "checkerboard": _TILES, "blink": _SWITCH}


class CompareChoice:
    """Controls the combo box and the slider.

    Parameters
    ----------
    ui : namespace of widgets
    changed : callable
        Called after the user chose another comparison or value.
    """

    def __init__(self, ui, changed: Callable[[], None]) -> None:
        self._box, self._slider, self._changed = ui.compareComboBox, ui.blendSlider, changed
        self._values = {kind: values.first for kind, values in _RANGES.items()}
        for text in (_("Blend"), _("Swipe"), _("Checkerboard"), _("Blink")):
            self._box.addItem(text)
        self._box.connect("activated(int)", lambda index: self._chosen())
        self._slider.connect("valueChanged(double)", lambda value: self._moved(value))

    @property
    def how(self) -> Compared:
        """The comparison that is chosen."""
        return Compared(self._kind, self._values[self._kind])

    def enable(self, on: bool) -> None:
        """Let the user choose, or not."""
        self._box.enabled = self._slider.enabled = on

    def follow(self, how: Compared) -> None:
        """Say what a view of a loaded scene shows."""
        if how.kind in _RANGES:
            self._values[how.kind] = how.value
            self._box.setCurrentIndex(list(_RANGES).index(how.kind))
            self._set_slider()

    @property
    def _kind(self) -> str:
        return list(_RANGES)[max(self._box.currentIndex, 0)]

    def _chosen(self) -> None:
        self._set_slider()
        self._changed()

    def _moved(self, value: float) -> None:
        self._values[self._kind] = value
        self._changed()

    def _set_slider(self) -> None:
        values, slider = _RANGES[self._kind], self._slider
        blocked = slider.blockSignals(True)
        # A value beyond the former range would be cut.
        slider.minimum, slider.maximum = min(slider.minimum, values.low), max(slider.maximum, values.high)
        slider.decimals = values.decimals
        slider.value = self._values[self._kind]
        slider.minimum, slider.maximum, slider.singleStep = values.low, values.high, values.step
        slider.blockSignals(blocked)
