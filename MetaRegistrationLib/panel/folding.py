"""Completed sections collapse and the next one opens. Sections that the user opened or closed stay as they are left."""

from __future__ import annotations

_AFTER = {"register": (("pairs", "adapt"), "landmarks")}  # not adapt by itself: its last words stay in sight
_SECTIONS = ("pairs", "adapt", "register", "landmarks", "visits")


class Folding:
    """Collapses and opens the sections of the panel.

    Parameters
    ----------
    ui : namespace of widgets
    """

    def __init__(self, ui) -> None:
        self._buttons = {name: getattr(ui, f"{name}CollapsibleButton") for name in _SECTIONS}
        self._by_hand: set[str] = set()
        self._own = False
        for name, button in self._buttons.items():
            button.connect("contentsCollapsed(bool)", lambda collapsed, name=name: self._changed(name))

    def done(self, name: str) -> None:
        """A section has completed its work: "register" (a pair is registered)."""
        folded, opened = _AFTER[name]
        for section in folded:
            self._fold(section, True)
        self._fold(opened, False)

    def open(self, name: str) -> None:
        """Open the section of the next step."""
        if name in self._buttons:
            self._fold(name, False)

    def _fold(self, name: str, collapsed: bool) -> None:
        if name in self._by_hand:
            return
        self._own = True
        try:
            self._buttons[name].collapsed = collapsed
        finally:
            self._own = False

    def _changed(self, name: str) -> None:
        if not self._own:
            self._by_hand.add(name)
