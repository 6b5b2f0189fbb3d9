"""The rig itself: that it is as strict as Slicer, and that what is real in it is real."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Union

import ctk
import numpy as np
import pytest
import qt
import slicer
import vtk
from rig import standin
from rig.pictures import OUTPUT, number_of_colours
from rig.pythonqt import properties_of
from rig.standin import API, REGISTRY, facts
from slicer.parameterNodeWrapper import parameterNodeWrapper

RIG = Path(standin.__file__).resolve().parent
EXAMPLE = Path(__file__).parent / "example" / "RigExample.py"
# Functions from base classes outside of the table (ctkLayoutFactory, qSlicerAbstractModule...) or from decorators.
BEYOND_THE_TABLE = {
    "qMRMLLayoutManager": {"viewport", "setLayout"},
    "qSlicerLayoutManager": {"viewport", "setLayout"},
    "qSlicerApplication": {"testingEnabled", "translate", "restart"},
    "qSlicerScriptedLoadableModule": {"widgetRepresentation", "createNewWidgetRepresentation"},
}
QT_OVERRIDES = {"paintEvent", "resizeEvent", "childEvent", "hitButton", "sizeHint", "minimumSizeHint"}


def make_volume(name="image", spacing=0.5, shape=(60, 80)):
    """A volume of one slice with a bright bar, x to the left and y to the back as for our images."""
    pixels = np.zeros((1, *shape), np.uint8)
    pixels[0, 10:20, 10:50] = 200
    volume = slicer.util.addVolumeFromArray(pixels, ijkToRAS=np.diag([-spacing, -spacing, 1.0, 1.0]), name=name)
    volume.CreateDefaultDisplayNodes()
    return volume


def copy_example(folder: Path, change=lambda text: text) -> Path:
    """A copy of the example whose ``.ui`` file is changed."""
    shutil.copytree(EXAMPLE.parent, folder / "example")
    ui = folder / "example" / "Resources" / "UI" / "RigExample.ui"
    ui.write_text(change(ui.read_text(encoding="utf-8")), encoding="utf-8")
    return folder / "example" / "RigExample.py"


# The stand-ins against the table of real names.


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_stand_in_invents_no_name(name):
    known = set(facts(name, "properties")) | set(facts(name, "slots")) | set(facts(name, "methods"))
    known |= {s.split("(")[0] for s in facts(name, "signals")} | BEYOND_THE_TABLE.get(name, set()) | QT_OVERRIDES
    invented = set()
    for cls in REGISTRY[name].__mro__:
        if cls.__module__.startswith("rig."):
            invented |= {n for n in vars(cls) if not n.startswith("_") and n != "staticMetaObject"} - known
    constants = {n for n in invented if n[0].isupper()}  # enumerators, which Python sees on the class
    assert invented - constants == set()


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_stand_in_has_every_property_and_signal(name):
    cls = REGISTRY[name]
    for property_name in API[name]["properties"]:
        assert property_name in properties_of(cls)
    assert len(cls._rig_signals) == len(API[name]["signals"])


# The rules of PythonQt.


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


def test_timer_process_and_settings(rig, tmp_path):
    ticks, finished = [], []
    timer = qt.QTimer()
    timer.interval, timer.singleShot = 1, True
    timer.connect("timeout()", lambda: ticks.append(1))
    timer.start()
    process = qt.QProcess()
    process.connect("finished(int,QProcess::ExitStatus)", lambda code, status: finished.append(code))
    process.start(shutil.which("PythonSlicer"), ["-c", "print('hello'); raise SystemExit(3)"])
    rig.wait_until(lambda: ticks and finished)
    assert finished == [3]
    assert bytes(process.readAllStandardOutput().data()).strip() == b"hello"
    qt.QSettings().setValue("MetaRegistration/folder", "somewhere")
    assert qt.QSettings().value("MetaRegistration/folder") == "somewhere"
    assert Path(qt.QSettings().fileName()).is_relative_to(rig.folder)
    assert Path(slicer.app.slicerUserSettingsFilePath).is_relative_to(rig.folder)


def test_python_slicer_runs_this_python():
    answer = subprocess.run(
        [shutil.which("PythonSlicer"), "-c", "import numpy; print(7)"], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "7"


def test_dialogs_are_recorded_and_answered(rig, dialogs):
    slicer.util.errorDisplay("Wrong folder")
    dialogs.answer(qt.QMessageBox.Yes, "/some/folder")
    assert slicer.util.confirmYesNoDisplay("Delete it?")
    assert qt.QFileDialog.getExistingDirectory(None, "Folder of pairs") == "/some/folder"
    qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile("/some/folder"))
    assert [shown.kind for shown in dialogs.shown] == ["error", "question", "folder", "open url"]
    assert dialogs.texts[:3] == ["Wrong folder", "Delete it?", "Folder of pairs"]
    with pytest.raises(AssertionError, match="prepare its answer"):
        slicer.util.confirmOkCancelDisplay("Sure?")


# The ``.ui`` file.


def test_panel_opens_and_shows_the_parameters(rig):
    widget = rig.open_module(EXAMPLE)
    ui = widget.ui
    assert (ui.epochsBox.value, ui.blendSlider.value, ui.spacingBox.value) == (10, 0.5, 7.5)
    assert (ui.presetBox.currentText, ui.deviceBox.currentText, ui.labelEdit.text) == ("THOROUGH", "CPU", "adapted")
    assert ui.folderEdit.filters == ctk.ctkPathLineEdit.Dirs | ctk.ctkPathLineEdit.Readable
    assert ui.inputsButton.visible and not ui.searchBox.visible
    ui.moreButton.collapsed = False
    rig.process_events()
    assert ui.searchBox.visible
    assert slicer.modules.rigexample.title == "Rig example"
    assert not slicer.modules.RigExampleInstance.started
    rig.emit_startup_completed()
    assert slicer.modules.RigExampleInstance.started


def test_forgotten_scene_connection_leaves_the_selector_empty(rig, tmp_path):
    def forget(text):
        start = text.rindex("<connection>", 0, text.index("<receiver>movingSelector"))
        return text[:start] + text[text.index("</connection>", start) + len("</connection>") :]

    volume = make_volume()
    ui = rig.open_module(copy_example(tmp_path, forget)).ui
    ui.movingSelector.setCurrentNode(volume)
    ui.fixedSelector.setCurrentNode(volume)
    assert ui.movingSelector.currentNode() is None
    assert ui.fixedSelector.currentNode() is volume
    assert not ui.applyButton.enabled


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('class="ctkSearchBox" name', 'class="ctkNoSuchBox" name', "ctkNoSuchBox"),
        ('name="noneEnabled"', 'name="noneAllowed"', "noneAllowed"),
        ("setMRMLScene(vtkMRMLScene*)</slot>", "setScene(vtkMRMLScene*)</slot>", "setScene"),
        ("<signal>contentsCollapsed(bool)", "<signal>contentsHidden(bool)", "contentsHidden"),
        ("<receiver>plotView<", "<receiver>plotsView<", "plotsView"),
    ],
)
def test_wrong_ui_file_fails_loudly(rig, tmp_path, old, new, message):
    path = copy_example(tmp_path, lambda text: text.replace(old, new))
    with pytest.raises(AssertionError, match=message):
        rig.open_module(path)


# The scene.


def test_selector_follows_the_scene(rig):
    ui = rig.open_module(EXAMPLE).ui
    volume = make_volume("first")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    assert ui.movingSelector.nodeCount() == 1
    heard = []
    ui.movingSelector.connect("currentNodeChanged(vtkMRMLNode*)", heard.append)
    ui.movingSelector.setCurrentNode(volume)
    assert ui.movingSelector.currentNodeID == volume.GetID() and heard == [volume]
    slicer.mrmlScene.RemoveNode(volume)
    assert ui.movingSelector.currentNode() is None and heard == [volume, None]


def test_selector_creates_nodes_as_its_menu_does(rig):
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes, selector.baseName, selector.noneEnabled = ["vtkMRMLGridTransformNode"], "Registration", True
    selector.setMRMLScene(slicer.mrmlScene)
    assert selector.addNode().GetName() == "Registration"
    assert selector.currentNode().GetClassName() == "vtkMRMLGridTransformNode"


def test_user_story_of_the_example(rig, dialogs):
    widget = rig.open_module(EXAMPLE)
    ui, moving, fixed = widget.ui, make_volume("moving"), make_volume("fixed")
    assert not ui.applyButton.enabled and ui.applyButton.toolTip == "Choose two volumes"
    ui.movingSelector.setCurrentNode(moving)
    ui.fixedSelector.setCurrentNode(fixed)
    ui.epochsBox.value = 600
    assert ui.applyButton.enabled
    dialogs.answer(qt.QMessageBox.No)
    ui.applyButton.click()
    assert ui.statusLabel.text == "moving to fixed, 600 epochs"
    assert dialogs.texts == ["Continue?", "Cancelled."]


@pytest.mark.parametrize("suffix", [".mrb", ".mrml"])
def test_parameter_node_survives_saving_the_scene(rig, tmp_path, suffix):
    widget = rig.open_module(EXAMPLE)
    node = widget._parameterNode
    volume = make_volume("moving")
    slicer.util.saveNode(volume, str(tmp_path / "moving.nrrd"), {})
    node.moving, node.folder, node.epochs = volume, Path("/data/a é"), 77
    node.preset, node.carry, node.device, node.blend = type(node.preset).QUICK, False, "GPU", 0.25
    path = str(tmp_path / f"scene{suffix}")
    assert slicer.util.saveScene(path, {})
    slicer.mrmlScene.Clear(0)
    assert widget._parameterNode.epochs == 10 and widget._parameterNode.moving is None
    slicer.util.loadScene(path, {})
    widget.initializeParameterNode()
    again = widget._parameterNode
    assert again.moving.GetName() == "moving"
    assert (again.folder, again.epochs, again.carry, again.device, again.blend) == (
        Path("/data/a é"),
        77,
        False,
        "GPU",
        0.25,
    )
    assert again.preset.name == "QUICK"
    assert (widget.ui.epochsBox.value, widget.ui.presetBox.currentText) == (77, "QUICK")
    assert slicer.util.arrayFromVolume(again.moving).max() == 200


def test_a_parameter_of_several_node_types_sets_those_of_its_selector(rig):
    labels, segmentation = "vtkMRMLLabelMapVolumeNode", "vtkMRMLSegmentationNode"

    @parameterNodeWrapper
    class Parameters:
        mask: Union[slicer.vtkMRMLLabelMapVolumeNode, slicer.vtkMRMLSegmentationNode, None]  # noqa: UP007
        shown: slicer.vtkMRMLDisplayableNode

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    parameters, box = Parameters(node), slicer.qMRMLNodeComboBox()
    box.noneEnabled = True
    box.setMRMLScene(rig.scene)
    parameters.connectParametersToGui({"mask": box})
    assert list(box.nodeTypes) == [labels, segmentation] and parameters.mask is None
    for name in (segmentation, labels):
        chosen = slicer.mrmlScene.AddNewNodeByClass(name)
        box.setCurrentNode(chosen)
        assert parameters.mask is chosen and Parameters(node).mask is chosen
    parameters.mask = None
    assert box.currentNode() is None and Parameters(node).mask is None
    with pytest.raises((TypeError, ValueError)):
        parameters.mask = make_volume("volume")
    with pytest.raises(TypeError, match="abstract"):
        parameters.connectParametersToGui({"shown": slicer.qMRMLNodeComboBox()})


def test_parameter_node_refuses_values_outside(rig):
    node = rig.open_module(EXAMPLE)._parameterNode
    with pytest.raises(ValueError):
        node.epochs = 0
    with pytest.raises((TypeError, ValueError)):
        node.epochs = "ten"
    assert node.epochs == 10


def test_reload_and_close(rig):
    first = rig.open_module(EXAMPLE)
    first._parameterNode.epochs = 55
    slicer.util.reloadScriptedModule("RigExample")
    second = slicer.modules.RigExampleWidget
    assert second is not first and second.ui.epochsBox.value == 55
    rig.close_module("RigExample")
    assert not hasattr(slicer.modules, "RigExampleWidget")
    assert second._parameterNode is None


def test_self_test_of_a_module_runs(rig, dialogs):
    rig.open_module(EXAMPLE)
    slicer.selfTests["RigExample"](msec=0)


def test_errors_in_slots_are_seen():
    """A slot that raises must not go unnoticed: Qt hands it to ``sys.excepthook``, which the fixture watches."""
    import sys

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


# Views.


def start_placing(points):
    """Put Slicer into the mode that places points of this list."""
    logic = slicer.app.applicationLogic()
    logic.GetSelectionNode().SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsFiducialNode")
    logic.GetSelectionNode().SetActivePlaceNodeID(points.GetID())
    interaction = logic.GetInteractionNode()
    interaction.SetPlaceModePersistence(1)
    interaction.SetCurrentInteractionMode(interaction.Place)


def test_points_are_placed_by_mouse_where_they_should(rig):
    spacing = 0.5
    volume = make_volume(spacing=spacing)
    points = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "landmarks")
    points.CreateDefaultDisplayNodes()
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    view = rig.slice_view("Red")
    start_placing(points)
    wanted = [(-10.0, -7.0, 0.0), (-25.0, -20.0, 0.0)]
    for place in wanted:
        view.click_at(place)
    assert points.GetNumberOfControlPoints() == 2
    placed = [points.GetNthControlPointPositionWorld(i) for i in range(2)]
    assert np.abs(np.array(placed) - wanted).max() / spacing < 0.5


def test_slice_view_shows_image_overlay_and_points(rig):
    view = rig.slice_view("Red")
    background, overlay = make_volume("background"), make_volume("overlay")
    slicer.util.updateVolumeFromArray(overlay, np.roll(slicer.util.arrayFromVolume(overlay), 25, axis=1))
    for volume, colour in (
        (background, "vtkMRMLColorTableNodeFileMagenta.txt"),
        (overlay, "vtkMRMLColorTableNodeGreen"),
    ):
        display = volume.GetDisplayNode()
        if slicer.mrmlScene.GetNodeByID(colour):
            display.SetAndObserveColorNodeID(colour)
        display.SetAutoWindowLevel(0)
        display.SetWindowLevelMinMax(0, 200)
    slicer.util.setSliceViewerLayers(background=background, foreground=overlay, foregroundOpacity=0.5, fit=True)
    plain = view.render()
    green = (plain[..., 1] > 60) & (plain[..., 0] < 20) & (plain[..., 2] < 20)
    x, y = view.to_display((-15.0, -20.0, 0.0))  # row 40, column 30: inside the overlay's bar only
    assert green[plain.shape[0] - 1 - round(y), round(x)]
    points = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "landmarks")
    points.CreateDefaultDisplayNodes()
    points.AddControlPoint(vtk.vtkVector3d(-15.0, -15.0, 0.0), "A")
    assert np.any(view.render() != plain)
    path = view.save(OUTPUT / "rig_slice_view.png")
    assert number_of_colours(path) > 10


def _visible(manager):
    return [name for name in manager.sliceViewNames() if manager.sliceWidget(name).visible]


def test_layouts_and_views(rig):
    manager = slicer.app.layoutManager()
    heard = []
    manager.connect("layoutChanged(int)", heard.append)
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    assert _visible(manager) == ["Red"] and heard == [slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView]
    layout = (
        '<layout type="horizontal"><item><view class="vtkMRMLSliceNode" singletontag="Moving">'
        '<property name="orientation" action="default">Axial</property></view></item>'
        '<item><view class="vtkMRMLPlotViewNode" singletontag="Curves"/></item></layout>'
    )
    manager.layoutLogic().GetLayoutNode().AddLayoutDescription(5005, layout)
    manager.setLayout(5005)
    assert _visible(manager) == ["Moving"] and manager.plotViewCount == 1
    assert manager.sliceWidget("Moving").mrmlSliceNode().GetOrientation() == "Axial"


def test_chart_table_and_screenshots(rig):
    widget = rig.open_module(EXAMPLE)
    values = np.column_stack([np.arange(5.0), np.arange(5.0)[::-1]])
    slicer.util.plot(values, xColumnIndex=0, columnNames=["epoch", "loss"], title="Loss", show=False)
    table = slicer.util.getFirstNodeByClassByName("vtkMRMLTableNode", "")
    view_node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotViewNode")
    view_node.SetPlotChartNodeID(slicer.util.getNodesByClass("vtkMRMLPlotChartNode")[0].GetID())
    ui = widget.ui
    ui.moreButton.collapsed = False
    ui.plotView.setMRMLPlotViewNode(view_node)
    ui.tableView.setMRMLTableNode(table or slicer.util.getNodesByClass("vtkMRMLTableNode")[0])
    assert ui.tableView.model().rowCount() == 5
    assert ui.tableView.model().item(0, 1).text() == "4"
    panel = rig.screenshot(widget.parent, "rig_panel")
    window = rig.screenshot_window("rig_window")
    assert number_of_colours(panel) > 50 and number_of_colours(window) > 50


def test_markups_widget_places_and_renames(rig):
    widget = rig.open_module(EXAMPLE)
    volume = make_volume()
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    points = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "landmarks")
    points.CreateDefaultDisplayNodes()
    widget.ui.markupsWidget.setCurrentNode(points)
    widget.ui.placeWidget.setCurrentNode(points)
    widget.ui.placeWidget.placeMultipleMarkups = slicer.qSlicerMarkupsPlaceWidget.ForcePlaceMultipleMarkups
    widget.ui.placeWidget.placeButton().click()
    assert widget.ui.placeWidget.placeModeEnabled
    rig.slice_view("Red").click_at((-10.0, -7.0, 0.0))
    widget.ui.placeWidget.setPlaceModeEnabled(False)
    rig.slice_view("Red").click_at((-12.0, -9.0, 0.0))
    rows = widget.ui.markupsWidget.tableWidget()
    assert rows.rowCount == 1
    rows.item(0, 0).setText("fovea")
    assert points.GetNthControlPointLabel(0) == "fovea"


def test_base_classes_come_from_where_they_should():
    source = os.environ.get("SLICER_SOURCE_DIR")
    expected = Path(source).resolve() / "Base" / "Python" if source else RIG
    for module in (slicer.parameterNodeWrapper, slicer.ScriptedLoadableModule):
        assert Path(module.__file__).resolve().is_relative_to(expected)
