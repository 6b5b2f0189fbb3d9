"""The panel and a scene that changes under it: nodes deleted by hand, scenes closed during work, new scenes saved."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk
from eye_in_scene import chosen_visits, put_results
from fake_logic import FakeLogic
from panel_helpers import (
    SMALL,
    choose_folder,
    choose_volumes,
    click_row,
    noise_volume,
    open_panel,
    register,
    settle,
    small_folder,
)
from test_panel_stages import choose_stages
from visit_files import PLACES, visit_folder

from MetaRegistrationLib.stages import Stages


@pytest.fixture
def widget(rig):
    widget = open_panel(rig, size=SMALL)
    choose_stages(widget, Stages("affine", False, 0))
    return widget


@pytest.fixture
def registered(rig, widget, tmp_path):
    """The panel with a registered pair, and another pair in the scene: each selector has a neighbour to go to."""
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    for row in (1, 0):
        click_row(rig, widget, row)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "other mask")
    widget.ui.warpedVolumeSelector.addNode()
    widget.ui.transformSelector.addNode()
    register(rig, widget)
    settle(rig)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", "other transform")
    return widget


def selectors(ui) -> list:
    return [one for name, one in vars(ui).items() if isinstance(one, slicer.qMRMLNodeComboBox) and "Selector" in name]


CHOSEN = ("movingVolume", "fixedVolume", "warpedVolume", "transform", "movingPoints", "fixedPoints", "distanceTable")
MASKS = ("movingMask", "fixedMask", "visitsRegions")
CLASSES = {
    "Volume": "vtkMRMLScalarVolumeNode",
    "transform": "vtkMRMLGridTransformNode",
    "Points": "vtkMRMLMarkupsFiducialNode",
    "Table": "vtkMRMLTableNode",
    "Mask": "vtkMRMLLabelMapVolumeNode",
    "Regions": "vtkMRMLSegmentationNode",
}


@pytest.mark.parametrize("new_scene", [False, True])
def test_the_panel_is_refreshed_once_when_the_user_comes_to_it(rig, widget, new_scene):
    widget.parent.exit()
    if new_scene:
        slicer.mrmlScene.Clear(0)
    refreshed: list = []
    widget.panel.state.watch(lambda: refreshed.append(widget.panel.state.in_scene))
    widget.parent.enter()
    assert refreshed == [True]


def test_a_node_deleted_by_hand_leaves_its_selector_empty(rig, widget):
    """Slicer's selector would go to the next node, and the panel would work with what nobody chose."""
    parameters, scene, chosen = widget.panel.state.parameters, slicer.mrmlScene, {}
    for name in (*CHOSEN, *MASKS):
        class_name = next(found for part, found in CLASSES.items() if name.endswith(part))
        nodes = [scene.AddNewNodeByClass(class_name, f"{name} {number}") for number in (1, 2, 3)]
        chosen[name] = nodes[1]
        setattr(parameters, name, nodes[1])
    settle(rig)
    shown = {name: getattr(widget.ui, f"{name.replace('visitsR', 'r')}Selector", None) for name in chosen}
    for name, node in tuple(chosen.items()):
        scene.RemoveNode(node)
        chosen[name] = None
        assert {other: getattr(parameters, other) for other in chosen} == chosen, name
        for other, selector in shown.items():
            assert selector is None or selector.currentNode() is chosen[other], (name, other)
    assert sum(selector is not None for selector in shown.values()) == 9
    settle(rig)
    assert not widget.ui.registerButton.enabled


def test_every_node_can_be_deleted_by_hand(rig, registered):
    """One after the other, in the order of the scene; the panel says no error, and chooses nothing by itself."""
    scene, parameters = slicer.mrmlScene, registered.panel.state.parameters
    classes = ("vtkMRMLVolumeNode", "vtkMRMLTransformNode", "vtkMRMLMarkupsNode", "vtkMRMLTableNode")
    while True:
        nodes = [node for name in classes for node in slicer.util.getNodesByClass(name)]
        if not nodes:
            break
        chosen = {name: getattr(parameters, name) for name in CHOSEN}
        scene.RemoveNode(nodes[0])
        settle(rig, 0.02)
        for name in CHOSEN:
            if name != "distanceTable":
                assert getattr(parameters, name) in (None, chosen[name]), name
        registered.ui.showOverlayButton.click()
    assert all(selector.currentNode() is None for selector in selectors(registered.ui))
    assert registered.ui.measuresLabel.text == "" and not registered.ui.registerButton.enabled


def test_undo_names_what_it_could_not_restore(rig, registered):
    points = registered.panel.state.parameters.movingPoints
    slicer.mrmlScene.RemoveNode(points)
    settle(rig)
    registered.ui.undoRegisterButton.click()
    settle(rig)
    text = registered.ui.registerStatusLabel.text
    assert text.startswith("Registration undone") and points.GetName() in text and "not restored" in text, text
    assert registered.panel.state.parameters.movingVolume.GetTransformNodeID() is None


def test_undo_restores_no_transform_that_was_deleted(rig, registered):
    parameters = registered.panel.state.parameters
    first = parameters.transform
    registered.ui.transformSelector.setCurrentNode(None)
    choose_stages(registered, Stages("translation", False, 0))
    settle(rig)
    parameters.movingVolume.SetAndObserveTransformNodeID(None)
    parameters.movingPoints.SetAndObserveTransformNodeID(None)
    register(rig, registered)
    settle(rig)
    registered.panel.register._earlier = first, None
    slicer.mrmlScene.RemoveNode(first)
    registered.ui.undoRegisterButton.click()
    settle(rig)
    assert parameters.transform is None and registered.ui.registerStatusLabel.text.startswith("Registration undone")


def test_suggestions_deleted_by_hand_are_not_accepted(rig, registered):
    ui, parameters = registered.ui, registered.panel.state.parameters
    ui.suggestButton.click()
    settle(rig)
    before = parameters.movingPoints.GetNumberOfControlPoints()
    slicer.mrmlScene.RemoveNode(slicer.util.getNode("* moving suggested points"))
    ui.acceptSuggestionsButton.click()
    settle(rig)
    assert parameters.movingPoints.GetNumberOfControlPoints() == before and not ui.acceptSuggestionsButton.enabled


def test_a_registration_stops_where_its_volume_is_deleted(rig, widget):
    moving, _fixed = choose_volumes(widget)
    noise_volume("another")
    settle(rig)
    widget.ui.registerButton.click()
    slicer.mrmlScene.RemoveNode(moving)
    settle(rig, 0.3)
    assert not widget.panel.register.running
    assert widget.ui.registerStatusLabel.text == "Stopped, because a node of the registration was deleted."
    assert widget.ui.registerButton.text == "Register" and not widget.ui.registerButton.enabled


def test_the_folder_is_saved_with_the_scene_after_another_was_closed(rig, widget, tmp_path):
    folder = small_folder(tmp_path / "pairs", 2)
    choose_folder(rig, widget, folder)
    widget.ui.visitsOutputPathLineEdit.currentPath = str(tmp_path)
    slicer.mrmlScene.Clear(0)
    settle(rig)
    parameters = widget.panel.state.parameters
    assert widget.ui.folderPathLineEdit.currentPath == str(folder) and widget.ui.pairsTable.rowCount == 2
    assert parameters.folder == str(folder) and parameters.visitsOutput == str(tmp_path)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    widget.ui.folderPathLineEdit.currentPath = ""
    settle(rig)
    assert parameters.folder == ""
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    settle(rig)
    assert widget.panel.state.parameters.folder == str(folder)
    rig.wait_until(lambda: widget.panel.state.folder is not None, "for the folder")


def test_a_folder_whose_reading_was_stopped_is_read_again(rig, widget, tmp_path):
    rig.dialogs.answer(small_folder(tmp_path / "pairs", 3))
    widget.ui.folderPathLineEdit.browse()
    assert "Reading" in widget.ui.pairsStatusLabel.text
    slicer.mrmlScene.Clear(0)
    rig.wait_until(lambda: widget.panel.state.folder is not None, "for the folder")
    assert widget.ui.pairsTable.rowCount == 3 and "3 pairs" in widget.ui.pairsStatusLabel.text


STATUSES = ("registerStatusLabel", "adaptStatusLabel", "visitsStatusLabel", "landmarksStatusLabel", "pairsStatusLabel")


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_no_status_of_work_stays_when_the_scene_is_closed(rig, widget, monkeypatch, steps):
    choose_volumes(widget)
    settle(rig)
    widget.ui.registerButton.click()
    for _ in range(steps):
        widget.panel.register._steps._advance()
    slicer.mrmlScene.Clear(0)
    settle(rig)
    assert widget.ui.registerStatusLabel.text == "Stopped, because the scene was closed."
    choose_volumes(widget)
    settle(rig)
    assert widget.ui.registerButton.text == "Register"


def test_work_of_children_is_said_to_be_stopped(rig, monkeypatch, tmp_path):
    logic = FakeLogic(tmp_path / "Checkpoints")
    widget = open_panel(rig, monkeypatch, logic, size=SMALL)
    logic.pairs.folders[str(tmp_path)] = 2
    choose_folder(rig, widget, tmp_path)
    widget.ui.adaptedNameLineEdit.text = "mine"
    widget.ui.fineTuneButton.click()
    logic.adapt.jobs[0].on_event({"event": "started", "device": "cpu", "first_step": 0, "total_steps": 3})
    widget.panel.visits._job = object()
    widget.panel.visits._say("Registering 3 visits ...")
    slicer.mrmlScene.Clear(0)
    settle(rig)
    for label in (widget.ui.adaptStatusLabel, widget.ui.visitsStatusLabel):
        assert label.text == "Stopped, because the scene was closed."


def test_what_was_said_of_nodes_goes_with_their_scene(rig, registered):
    registered.ui.suggestButton.click()
    settle(rig)
    assert registered.ui.landmarksStatusLabel.text and "Registered in" in registered.ui.registerStatusLabel.text
    slicer.mrmlScene.Clear(0)
    settle(rig)
    texts = {name: getattr(registered.ui, name).text for name in STATUSES}
    assert texts.pop("pairsStatusLabel").startswith("2 pairs")
    assert set(texts.values()) == {""}, texts


def folders() -> dict[str, list[str]]:
    """Folders of the subject hierarchy and the names of what lies in them; "" is the top."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    found, todo = {}, [("", hierarchy.GetSceneItemID())]
    for name, item in todo:
        children = vtk.vtkIdList()
        hierarchy.GetItemChildren(item, children)
        items = [children.GetId(index) for index in range(children.GetNumberOfIds())]
        nodes = [hierarchy.GetItemDataNode(child) for child in items]
        found[name] = sorted(node.GetName() for node in nodes if node is not None)
        todo += [
            (hierarchy.GetItemName(child), child)
            for child, node in zip(items, nodes, strict=True)
            if hierarchy.GetItemLevel(child) == "Folder"
        ]
    return found


def test_the_nodes_of_a_pair_lie_in_a_folder(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    for row in (0, 1, 0):
        click_row(rig, widget, row)
    images = [f"phantom_002 {side}{kind}" for side in ("fixed", "moving") for kind in ("", " points")]
    images.insert(2, "phantom_002 moving to phantom_002 fixed distances")
    images.sort()
    assert folders()["phantom_002"] == images and folders()[""] == []
    widget.ui.warpedVolumeSelector.addNode()
    widget.ui.transformSelector.addNode()
    register(rig, widget)
    settle(rig)
    found = folders()
    results = [
        "phantom_001 moving to phantom_001 fixed distances",
        *(node.GetName() for node in chosen_results(widget)),
    ]
    assert set(results) < set(found["phantom_001"]) and found[""] == []
    assert len(found) == 3 and found["phantom_002"] == images
    widget.ui.suggestButton.click()
    widget.ui.placeInFixedButton.click()
    settle(rig)
    assert folders()[""] == [] and len(folders()["phantom_001"]) >= len(found["phantom_001"]) + 2


def chosen_results(widget) -> list:
    parameters = widget.panel.state.parameters
    return [parameters.transform, parameters.warpedVolume]


def test_two_volumes_of_the_user_are_gathered_and_taken_out_again(rig, widget):
    names = []
    for name, shift in (("right eye", 0), ("left eye", 2)):
        node = noise_volume(name)
        slicer.util.arrayFromVolume(node)[:] = np.roll(slicer.util.arrayFromVolume(node), shift, axis=2)
        names.append(name)
        getattr(widget.ui, f"{('fixed', 'moving')[len(names) - 1]}VolumeSelector").setCurrentNode(node)
    settle(rig)
    before = folders()
    assert before == {"": ["left eye", "right eye"]}
    register(rig, widget)
    settle(rig)
    assert "Registered" in widget.ui.registerStatusLabel.text, widget.ui.registerStatusLabel.text
    found = folders()
    assert found[""] == [] and {*names, "left eye to right eye"} <= set(found["left eye to right eye"])
    widget.ui.undoRegisterButton.click()
    settle(rig)
    assert folders() == before


def test_what_the_user_has_put_elsewhere_stays_there(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    study = hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "my study")
    moving = hierarchy.GetItemByDataNode(widget.panel.state.parameters.movingVolume)
    hierarchy.SetItemParent(moving, study)
    for stages in (Stages("affine", False, 0), Stages("translation", False, 0)):
        choose_stages(widget, stages)
        register(rig, widget)
        settle(rig)
    found = folders()
    assert found["my study"] == ["phantom_001 moving"] and found[""] == []
    assert "phantom_001 moving to phantom_001 fixed" in found["phantom_001 moving to phantom_001 fixed"]
    assert len(found) == 4


def test_a_chart_of_a_training_has_a_folder(rig, widget):
    chart = widget.logic.new_chart("Fine-tuning mine")
    assert folders()[""] == [] and len(folders()["Fine-tuning mine"]) >= 5
    chart.remove()


@pytest.fixture
def eye(widget, tmp_path):
    """Two visits of a folder in the scene, with a change map, as the panel has them once they are registered."""
    names, folder = list(PLACES)[:2], tmp_path / "visits"
    visit_folder(folder, names, landmarks=True)
    nodes = put_results(widget, chosen_visits(widget.logic.visits, folder), tmp_path / "results")
    widget.logic.visits.change(nodes, *names)
    return nodes


def test_the_nodes_of_an_eye_lie_in_a_folder_with_names_that_stand_alone(rig, widget, eye):
    settle(rig)
    found = folders()
    assert found[""] == [] and set(found) == {"", "eye visits"}
    assert all("eye" in name and name != "eye" for name in found["eye visits"]), found["eye visits"]
    assert {"eye visits", "eye average", "eye 2021", "eye 2022", "eye 2022 points", "eye 2022 to 2021"} <= set(
        found["eye visits"]
    )
    again = widget.logic.visits.change(eye, "2021", "2022")
    widget.logic.visits.points(eye, "2021")
    assert again is not None and folders()[""] == [] and len(folders()) == 2


def test_every_node_of_an_eye_can_be_deleted_by_hand(rig, widget, eye):
    """The table goes last; what is left is shown, and nothing fails."""
    settle(rig)
    classes = ("vtkMRMLVolumeNode", "vtkMRMLTransformNode", "vtkMRMLMarkupsNode", "vtkMRMLTableNode")
    sequences = ("vtkMRMLSequenceBrowserNode", "vtkMRMLSequenceNode")
    nodes = [node for name in (*sequences, *classes) for node in slicer.util.getNodesByClass(name)]
    nodes.sort(key=lambda node: node is eye.table)
    ui = widget.ui
    for node in nodes:
        if node.GetScene() is not None:
            slicer.mrmlScene.RemoveNode(node)
        settle(rig, 0.02)
        ui.visitsTable.cellClicked.emit(1, 0)
        for button in (ui.playVisitsButton, ui.playVisitsButton, ui.showVisitsButton, ui.changeMapButton):
            button.click()
    assert widget.panel.state.parameters.visitsTable is None and ui.visitsTable.rowCount in (0, 2)


def test_the_name_is_proposed_again_in_a_new_scene(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "study", 1))
    line = widget.ui.adaptedNameLineEdit
    proposed = line.text
    assert proposed.startswith("study")
    slicer.mrmlScene.Clear(0)
    rig.process_events()
    settle(rig)
    assert line.text == proposed and widget.panel.state.parameters.adaptedName == proposed
    line.text = ""  # the user is about to type another one
    settle(rig)
    assert line.text == ""
