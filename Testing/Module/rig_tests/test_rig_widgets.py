"""Widgets do what Slicer's own were seen to do and a simple stand-in would not."""

from __future__ import annotations

import ctk
import pytest
import slicer


def path_line(heard):
    """A path line that keeps its history under a key; ``heard`` gets the paths that it tells."""
    line = ctk.ctkPathLineEdit()
    line.connect("currentPathChanged(QString)", heard.append)
    line.settingKey = "RigExample/History"
    return line


def test_a_path_line_shows_the_last_path_of_its_history(rig):
    first = path_line([])
    for path in ("/one", "/two"):
        first.currentPath = path
        first.addCurrentPathToHistory()
    heard = []
    second = path_line(heard)
    assert second.currentPath == "/two" and heard == ["/two"]
    assert [second.comboBox().itemText(index) for index in range(2)] == ["/two", "/one"]


def test_a_path_that_is_in_the_history_is_taken_out_for_a_moment(rig):
    heard = []
    line = path_line(heard)
    for path in ("/one", "/two"):
        line.currentPath = path
        line.addCurrentPathToHistory()
    heard.clear()
    line.addCurrentPathToHistory()
    assert heard == ["/one", "/two"] and line.currentPath == "/two"


def test_an_emptied_path_line_tells_no_path(rig, tmp_path):
    heard, valid = [], []
    line = path_line(heard)
    line.connect("validInputChanged(bool)", valid.append)
    line.currentPath = str(tmp_path)
    line.currentPath = ""
    assert heard == [str(tmp_path)] and valid == [True, False]


def test_a_class_without_a_stand_in_is_refused(rig):
    with pytest.raises(TypeError, match="no stand-in for qMRMLRangeWidget"):
        slicer.qMRMLRangeWidget()


def test_a_layout_without_sizes_gives_a_row_of_views_little_height(rig):
    """CTK's splitter goes by size hints, and a row of views has a small one."""
    view = '<view class="vtkMRMLSliceNode" singletontag="{}"/>'
    row = "".join(f"<item{{0}}>{view.format(name)}</item>" for name in ("Red", "Yellow")).format("")
    layout = f'<layout type="vertical"><item{{0}}><layout type="horizontal">{row}</layout></item>'
    layout += f"<item{{0}}>{view.format('Green')}</item></layout>"
    manager = slicer.app.layoutManager()
    ratios = []
    for number, size in ((5010, ""), (5011, ' splitSize="500"')):
        manager.layoutLogic().GetLayoutNode().AddLayoutDescription(number, layout.format(size))
        manager.setLayout(number)
        rig.process_events()
        ratios.append(manager.sliceWidget("Red").height / manager.sliceWidget("Green").height)
    assert ratios[0] < 0.6 and ratios[1] == pytest.approx(1, abs=0.1)


def test_a_hidden_slice_view_is_still_listed(rig):
    manager = slicer.app.layoutManager()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    assert {"Red", "Yellow", "Green"} <= set(manager.sliceViewNames())
    assert not manager.sliceWidget("Yellow").visible
