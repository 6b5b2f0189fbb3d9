"""A comma typed into a box for a decimal number is its decimal point.

Slicer's boxes take a point, whatever the language. A comma separates thousands there: of 18,75 it would leave 187.
"""

from __future__ import annotations

from typing import Any


def take_commas(ui: Any) -> list:
    """Make each QDoubleSpinBox of a panel take a comma as its decimal point.

    Returns
    -------
    list
        What does it, to be stored as long as the boxes are used.
    """
    boxes = [widget for widget in vars(ui).values() if widget.className() == "QDoubleSpinBox"]
    return [_taking_commas(box) for box in boxes]


def _taking_commas(box):
    import qt

    edit = next(child for child in box.children() if child.className() == "QLineEdit")

    class CommaFilter(qt.QObject):
        """Puts in a point for the key."""

        def eventFilter(self, watched, event):  # noqa: N802  (of Qt)
            if event.type() != qt.QEvent.KeyPress or event.text() != ",":
                return False
            edit.insert(".")
            return True

    def pasted(text: str) -> None:
        if "," in text:
            position = edit.cursorPosition
            edit.text = text.replace(",", ".")
            edit.cursorPosition = position

    edit.connect("textEdited(QString)", pasted)
    keys = CommaFilter()
    box.installEventFilter(keys)
    return keys
