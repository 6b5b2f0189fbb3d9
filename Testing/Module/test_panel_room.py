"""The panel in a narrow dock, with large text, and by keyboard."""

from __future__ import annotations

import pytest
from panel_helpers import open_panel
from PySide6 import QtCore, QtWidgets

NARROW = 400
SECTIONS = ("pairs", "adapt", "register", "stages", "masks", "landmarks", "visits")


def opened(rig):
    widget = open_panel(rig)
    for name in SECTIONS:
        getattr(widget.ui, f"{name}CollapsibleButton").collapsed = False
    rig.process_events()
    return widget


@pytest.mark.parametrize(("larger", "narrow"), [(1.0, NARROW), (1.5, 1.15 * NARROW)])
def test_no_section_needs_more_than_a_narrow_dock(rig, larger, narrow):
    application = QtWidgets.QApplication.instance()
    font = application.font()
    size = font.pointSizeF()
    try:
        font.setPointSizeF(size * larger)
        application.setFont(font)
        widget = opened(rig)
        wide = {}
        for name in SECTIONS:
            button = getattr(widget.ui, f"{name}CollapsibleButton")
            hint = (
                QtWidgets.QWidget.minimumSizeHint(button)
                if button.layout() is None
                else button.layout().totalMinimumSize()
            )
            wide[name] = hint.width()
    finally:
        font.setPointSizeF(size)
        application.setFont(font)
    assert max(wide.values()) <= narrow, wide


def test_everything_that_can_be_worked_can_be_reached_by_tab(rig):
    widget = opened(rig)
    kinds = (
        QtWidgets.QAbstractButton,
        QtWidgets.QComboBox,
        QtWidgets.QAbstractSpinBox,
        QtWidgets.QLineEdit,
        QtWidgets.QTableWidget,
    )
    unreachable = []
    for name in (name for name in dir(widget.ui) if not name.startswith("qt_")):
        part = getattr(widget.ui, name, None)
        if isinstance(part, kinds) and not part.focusPolicy & QtCore.Qt.FocusPolicy.TabFocus:
            unreachable.append(name)
    assert unreachable == []
