"""Tooltips of widgets as Slicer has them: ctkToolTipTrapper turns each plain text into HTML, so that long lines wrap."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets


def rich(text: Any) -> Any:
    """What a widget answers when asked for a tooltip that was set to `text`."""
    return _html(text) if isinstance(text, str) and text else text


@lru_cache(maxsize=4096)  # the texts of a panel come again and again
def _html(text: str) -> str:
    if QtGui.Qt.mightBeRichText(text):
        return text
    return QtGui.Qt.convertFromPlainText(text, QtCore.Qt.WhiteSpaceMode.WhiteSpaceNormal)


def make_rich(root: QtWidgets.QWidget) -> None:
    """Turn the tooltips of a widget and of all widgets in it."""
    for widget in (root, *root.findChildren(QtWidgets.QWidget)):
        QtWidgets.QWidget.setToolTip(widget, rich(QtCore.QObject.property(widget, "toolTip")))
