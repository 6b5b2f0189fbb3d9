"""A decimal comma that is typed into a box is the decimal point."""

from __future__ import annotations

import pytest
import slicer
from panel_helpers import SMALL, open_panel
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDoubleSpinBox


@pytest.fixture
def widget(rig):
    return open_panel(rig, size=SMALL)


def type_into(box, text: str) -> float:
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)
    return box.value


def boxes(widget) -> dict:
    return {name: box for name, box in vars(widget.ui).items() if isinstance(box, QDoubleSpinBox) and "Spin" in name}


def test_every_box_takes_a_comma(widget):
    found = boxes(widget)
    assert {"spacingSpinBox", "movingSpacingSpinBox", "visitsSpacingSpinBox", "axialLengthSpinBox"} < set(found)
    for name, box in found.items():
        for typed, value in (("18,75", 18.75), ("24.5", 24.5), ("21,5", 21.5), ("20", 20.0)):
            assert type_into(box, typed) == value, (name, typed)


def test_a_comma_replaces_what_is_selected_and_is_no_second_point(widget):
    box = widget.ui.spacingSpinBox
    assert type_into(box, ",5") == 0.5
    assert type_into(box, "1,2,5") == 1.25


def test_the_value_is_saved_with_the_scene(rig, widget):
    type_into(widget.ui.spacingSpinBox, "11,25")
    rig.process_events()
    assert widget.panel.state.parameters.spacing == 11.25


def test_a_pasted_comma_is_the_decimal_point(widget):
    box = widget.ui.spacingSpinBox
    slicer.app.clipboard().setText("1,5")
    box.selectAll()
    QTest.keyClick(box, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.value == 1.5
