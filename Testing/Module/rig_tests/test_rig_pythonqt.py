"""Qt objects behave as they do in PythonQt: attributes, signatures, errors in slots."""

from __future__ import annotations

import sys
from pathlib import Path

import ctk
import pytest
import qt
import slicer


def test_property_is_attribute(rig):
    button = qt.QPushButton("Register")
    assert button.text == "Register"
    with pytest.raises(TypeError):
        button.text()
    button.text = "Cancel"
    assert button.text == "Cancel"
    button.setText("Again")
    assert button.text == "Again"


def test_getters_unknown_names_and_wrong_types_are_refused(rig):
    box = qt.QCheckBox()
    with pytest.raises(AttributeError, match=r"\.checked"):
        box.isChecked()
    with pytest.raises(AttributeError):
        box.colour  # noqa: B018
    with pytest.raises(AttributeError, match="creates no new attributes"):
        box.colour = 3
    with pytest.raises(AttributeError, match="cannot be overwritten"):
        box.setChecked = 3
    with pytest.raises(ValueError, match="does not accept"):
        box.text = Path("a")
    with pytest.raises(ValueError, match="does not accept"):
        box.enabled = None
    line = ctk.ctkPathLineEdit()
    with pytest.raises(AttributeError):
        line.setNameFilters(["*.pth"])  # no slot: PythonQt cannot call it
    with pytest.raises(ValueError, match="does not accept"):
        line.currentPath = Path("a")
    with pytest.raises(AttributeError):
        line.path = "a"
    with pytest.raises(AttributeError):
        qt.Signal  # noqa: B018


def test_connect_needs_the_exact_signature(rig):
    clicks = []
    button = qt.QPushButton()
    for wrong in ("clicked", "clicked(int)", "pushed()"):
        with pytest.raises(ValueError, match="has no signal"):
            button.connect(wrong, clicks.append)
    button.connect("clicked(bool)", clicks.append)
    button.click()
    assert clicks == [False]
    assert button.disconnect("clicked(bool)", clicks.append)
    button.click()
    assert clicks == [False]
    assert not button.disconnect("clicked(bool)", clicks.append)


def test_connect_of_stand_ins_needs_the_exact_signature(rig):
    selector = slicer.qMRMLNodeComboBox()
    with pytest.raises(ValueError, match="currentNodeChanged"):
        selector.connect("currentNodeChanged(vtkMRMLScalarVolumeNode*)", print)
    heard = []
    line = ctk.ctkPathLineEdit()
    line.connect("currentPathChanged(const QString&)", heard.append)
    line.currentPath = "/a folder/é"
    assert heard == ["/a folder/é"]


def test_errors_in_slots_are_seen():
    """Qt and VTK hand an error in a slot or an observer to ``sys.excepthook``, which the fixture ``rig`` watches."""
    seen, previous = [], sys.excepthook
    sys.excepthook = lambda kind, error, trace: seen.append(str(error))
    try:
        button = qt.QPushButton()
        button.connect("clicked()", lambda: 1 / 0)
        button.click()
        node = slicer.vtkMRMLScalarVolumeNode()
        node.AddObserver("ModifiedEvent", lambda *_: [][0])
        node.Modified()
    finally:
        sys.excepthook = previous
    assert seen == ["division by zero", "list index out of range"]
