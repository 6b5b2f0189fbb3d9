"""The panel in a narrow dock, with large text, and by keyboard."""

from __future__ import annotations

import re
from contextlib import contextmanager

import pytest
from panel_helpers import open_panel
from PySide6 import QtCore, QtWidgets

NARROW, LARGE = 400, 460  # px, with text as usual and 1.5 times as large
SECTIONS = (
    *("pairs", "adapt", "register", "otherVolumes", "advanced", "stages", "masks", "landmarks"),
    *("visits", "visitsOptions", "measures", "folder"),
)


def opened(rig):
    widget = open_panel(rig)
    for name in SECTIONS:
        getattr(widget.ui, f"{name}CollapsibleButton").collapsed = False
    rig.process_events()
    return widget


@contextmanager
def larger_text(factor: float):
    """Text of the whole application that many times as large."""
    application = QtWidgets.QApplication.instance()
    font = application.font()
    size = font.pointSizeF()
    try:
        font.setPointSizeF(size * factor)
        application.setFont(font)
        yield
    finally:
        font.setPointSizeF(size)
        application.setFont(font)


@pytest.mark.parametrize(("larger", "narrow"), [(1.0, NARROW), (1.5, LARGE)])
def test_no_section_needs_more_than_a_narrow_dock(rig, larger, narrow):
    with larger_text(larger):
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
    assert max(wide.values()) <= narrow, wide


def test_the_panel_with_large_text_and_all_sections_open_needs_no_horizontal_scroll_bar(rig):
    with larger_text(1.5):
        widget = opened(rig)
        bar = QtWidgets.QApplication.style().pixelMetric(QtWidgets.QStyle.PixelMetric.PM_ScrollBarExtent)
        assert widget.parent.layout().totalMinimumSize().width() + bar <= LARGE


def test_the_panel_with_its_scroll_bar_fits_a_narrow_dock(rig):
    widget = opened(rig)
    for name in ("advanced", "visits"):  # the tutorial's state, in which these are folded
        getattr(widget.ui, f"{name}CollapsibleButton").collapsed = True
    rig.process_events()
    bar = QtWidgets.QApplication.style().pixelMetric(QtWidgets.QStyle.PixelMetric.PM_ScrollBarExtent)
    assert widget.parent.layout().totalMinimumSize().width() + bar <= NARROW


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


def test_texts_with_colours_of_their_own_are_readable_in_every_style(rig):
    """Dark or light: a text colour comes with its background, and the two differ enough (WCAG 2, 4.5 to 1)."""
    widget = open_panel(rig)
    coloured = [
        part.styleSheet
        for name in dir(widget.ui)
        if (part := getattr(widget.ui, name, None)) is not None and getattr(part, "styleSheet", "")
    ]
    assert coloured
    for sheet in coloured:
        found = dict(re.findall(r"(?<![\w-])(background|color):\s*#([0-9a-f]{6})", sheet))
        assert set(found) == {"background", "color"}, sheet
        light = sorted(_luminance(code) for code in found.values())
        assert (light[1] + 0.05) / (light[0] + 0.05) >= 4.5, sheet


def _luminance(code: str) -> float:
    """Relative luminance of a colour, WCAG 2."""
    parts = [int(code[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
