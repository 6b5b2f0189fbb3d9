"""Widgets do what Slicer's own were seen to do and a simple stand-in would not."""

from __future__ import annotations

import ctk
import pytest
import qt
import slicer
from rig_example import EXAMPLE, make_volume


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


@pytest.fixture
def selector(rig):
    """Makes a selector of volumes, and a list of what it tells."""
    made = []
    yield lambda none=True: made.append(_selector(none)) or made[-1]
    for box, _heard in made:
        box.setMRMLScene(None)


def _selector(none):
    box, heard = slicer.qMRMLNodeComboBox(), []
    box.nodeTypes, box.noneEnabled = ["vtkMRMLScalarVolumeNode"], none
    box.setMRMLScene(slicer.mrmlScene)
    box.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: heard.append(node and node.GetName()))
    return box, heard


@pytest.mark.parametrize("none", [True, False])
@pytest.mark.parametrize(("gone", "chosen"), [("first", "second"), ("second", "third"), ("third", "second")])
def test_a_selector_goes_to_a_neighbour_of_the_removed_node(rig, selector, none, gone, chosen):
    """QComboBox selects the row that takes the place of the removed one; from an action, the selector goes to the last node."""
    nodes = {name: make_volume(name) for name in ("first", "second", "third")}
    box, heard = selector(none)
    box.setCurrentNode(nodes[gone])
    heard.clear()
    slicer.mrmlScene.RemoveNode(nodes[gone])
    assert box.currentNode() is nodes[chosen] and heard == [chosen]


def test_a_selector_without_a_neighbour_is_empty(rig, selector):
    only = make_volume("only")
    box, heard = selector()
    box.setCurrentNode(only)
    slicer.mrmlScene.RemoveNode(only)
    assert box.currentNode() is None and heard == ["only", None]


def test_a_selector_that_shows_another_node_stays(rig, selector):
    gone, shown = make_volume("gone"), make_volume("shown")
    box, heard = selector()
    box.setCurrentNode(shown)
    slicer.mrmlScene.RemoveNode(gone)
    assert box.currentNode() is shown and heard == ["shown"]


def test_an_observer_of_the_module_comes_before_the_selector(rig, selector):
    gone, other = make_volume("gone"), make_volume("other")
    box, heard = selector()
    box.setCurrentNode(gone)
    tag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.NodeAboutToBeRemovedEvent, lambda *_: box.setCurrentNode(None))
    slicer.mrmlScene.RemoveNode(gone)
    slicer.mrmlScene.RemoveObserver(tag)
    assert box.currentNode() is None and other.GetScene() is not None and heard == ["gone", None]


def test_tooltips_come_back_as_html(rig):
    """ctkToolTipTrapper of Slicer turns each plain tooltip, so that long ones wrap."""
    button = qt.QPushButton("Register")
    button.toolTip = "less & more\nof it"
    assert button.toolTip == "<p>less &amp; more<br>\nof it</p>"
    button.setToolTip("again")
    assert button.toolTip == "<p>again</p>"
    button.toolTip = button.toolTip
    assert button.toolTip == "<p>again</p>"
    button.toolTip = ""
    assert button.toolTip == ""
    widget = rig.open_module(EXAMPLE)
    assert widget.ui.applyButton.toolTip == "<p>Choose two volumes</p>"
