"""One path through the panel: at any moment one button is the next step, and what was done stands under its button."""

from __future__ import annotations

import pytest
import qt
import slicer
from fake_logic import FakeLogic
from panel_helpers import (
    SMALL,
    choose_folder,
    choose_volumes,
    click_row,
    measured,
    noise_volume,
    open_panel,
    register,
    settle,
    small_folder,
)
from test_panel_stages import choose_stages

from MetaRegistrationLib.mrml.registration_node import Outcome
from MetaRegistrationLib.mrml.views import views_of
from MetaRegistrationLib.panel.next_step import Situation, next_button
from MetaRegistrationLib.panel.requests import PairResult
from MetaRegistrationLib.stages import Stages

SECTIONS = ("pairs", "adapt", "register", "landmarks", "visits", "folder")
BUTTONS = (
    *("installTorchButton", "chooseFolderButton", "loadPairButton", "fineTuneButton", "registerButton"),
    *("undoRegisterButton", "placeButton", "suggestButton", "nextPairButton", "exportTableButton"),
    *("registerVisitsButton", "changeMapButton", "saveVisitsReportButton", "registerFolderButton", "copyReportButton"),
)


@pytest.fixture
def logic(tmp_path):
    return FakeLogic(tmp_path / "Checkpoints")


@pytest.fixture
def faked(rig, logic, monkeypatch):
    """The panel with a logic that only answers."""
    return open_panel(rig, monkeypatch, logic, size=SMALL)


def highlighted(widget) -> list[str]:
    """The buttons that look like the next step: as the style draws a default button, and in bold."""
    buttons = {name: getattr(widget.ui, name) for name in BUTTONS}
    bold = [name for name, button in buttons.items() if button.font.bold()]
    assert bold == [name for name, button in buttons.items() if button.default]
    assert not any(button.styleSheet for button in buttons.values()), "coloured by the style alone"
    return bold


def with_shortcut(widget) -> list[str]:
    return [name for name in BUTTONS if getattr(widget.ui, name).shortcut.toString()]


@pytest.mark.parametrize(
    ("situation", "button"),
    [
        (Situation(torch=False, folder=True, volumes=2), "installTorchButton"),
        (Situation(), "chooseFolderButton"),
        (Situation(folder=True), "loadPairButton"),
        (Situation(volumes=1), "registerButton"),
        (Situation(folder=True, volumes=2), "registerButton"),
        (Situation(volumes=2, registered=True), "placeButton"),
        (Situation(volumes=2, landmarks=5), "registerButton"),
        (Situation(volumes=2, registered=True, landmarks=5, more_pairs=True), "nextPairButton"),
        (Situation(volumes=2, registered=True, landmarks=5), "exportTableButton"),
        (Situation(volumes=2, registered=True, confident=False), "placeButton"),
        (Situation(volumes=2, registered=True, confident=False, landmarks=3), "registerButton"),
        (Situation(path="adapt", folder=True), "fineTuneButton"),
        (Situation(path="folder", folder=True), "registerFolderButton"),
        (Situation(path="visits"), "registerVisitsButton"),
        (Situation(path="visits", visits=True), "changeMapButton"),
        (Situation(path="visits", visits=True, change=True), "saveVisitsReportButton"),
    ],
)
def test_what_the_next_step_is(situation, button):
    assert next_button(situation) == button


def test_one_button_after_another_leads_through_the_pairs_of_a_folder(rig, tmp_path):
    widget = open_panel(rig, size=SMALL)
    ui = widget.ui
    assert highlighted(widget) == ["chooseFolderButton"]
    assert ui.nextStepLabel.text == "Next step: Choose folder... (Ctrl+Return)"
    rig.dialogs.answer(small_folder(tmp_path / "pairs", 2))
    ui.chooseFolderButton.click()
    rig.wait_until(lambda: highlighted(widget) == ["loadPairButton"], "for the folder to be read")
    ui.loadPairButton.click()
    choose_stages(widget, Stages("translation", False, 0))
    settle(rig)
    assert highlighted(widget) == with_shortcut(widget) == ["registerButton"]
    register(rig, widget)
    settle(rig)
    assert highlighted(widget) == with_shortcut(widget) == ["nextPairButton"]
    assert not ui.landmarksCollapsibleButton.collapsed
    ui.nextPairButton.click()
    settle(rig)
    assert ui.movingVolumeSelector.currentNode().GetName() == "phantom_002 moving"
    assert highlighted(widget) == ["registerButton"]
    register(rig, widget)
    settle(rig)
    assert highlighted(widget) == ["exportTableButton"] and ui.nextPairButton.isHidden(), "it was the last pair"


def test_a_result_with_other_settings_is_to_be_registered_again(rig, faked, logic):
    choose_volumes(faked)
    logic.register.result = PairResult(Outcome(measured()), None, None)
    register(rig, faked)
    assert highlighted(faked) == ["placeButton"]
    faked.ui.refinementStepsSpinBox.value = 7
    settle(rig)
    assert highlighted(faked) == ["registerButton"]


def test_the_shortcut_clicks_the_next_step_and_does_not_cancel_it(rig, faked, logic):
    choose_volumes(faked)
    logic.register.result = PairResult(Outcome(measured()), None, None)
    settle(rig)
    assert with_shortcut(faked) == ["registerButton"]
    faked.ui.registerButton.click()
    assert faked.ui.registerButton.text == "Cancel" and with_shortcut(faked) == []
    settle(rig)
    assert faked.ui.registerButton.text == "Register" and len(logic.register.requests) == 1


def test_what_blocks_the_next_step_stands_beside_it(rig, faked):
    faked.ui.movingVolumeSelector.setCurrentNode(noise_volume("moving"))
    settle(rig)
    assert highlighted(faked) == ["registerButton"] and not faked.ui.registerButton.enabled
    assert faked.ui.registerBlockedLabel.text == "Still missing: a fixed volume"
    assert faked.ui.nextStepLabel.text == "Next step: Register"


def test_without_torch_its_installation_is_the_next_step(rig, logic, monkeypatch):
    logic.dependency.there = False
    widget = open_panel(rig, monkeypatch, logic, size=SMALL)
    assert highlighted(widget) == ["installTorchButton"]
    widget.ui.installTorchButton.click()
    assert highlighted(widget) == ["chooseFolderButton"]


def test_fine_tuning_is_optional_and_returns_to_the_pair(rig, faked, logic, tmp_path):
    ui = faked.ui
    logic.pairs.folders[str(tmp_path)] = 4
    choose_folder(rig, faked, tmp_path)
    choose_volumes(faked)
    settle(rig)
    assert ui.adaptCollapsibleButton.collapsed and highlighted(faked) == ["registerButton"]
    ui.adaptCollapsibleButton.collapsed = False
    assert highlighted(faked) == with_shortcut(faked) == ["fineTuneButton"]
    ui.fineTuneButton.click()
    settle(rig)
    assert highlighted(faked) == ["fineTuneButton"] and with_shortcut(faked) == []
    logic.adapt.jobs[0].end("finished", "Done.")
    assert highlighted(faked) == ["registerButton"]


@pytest.mark.parametrize(
    ("section", "button"), [("visits", "registerVisitsButton"), ("folder", "registerFolderButton")]
)
def test_an_opened_section_has_the_next_step_until_it_is_closed(rig, faked, section, button):
    header = getattr(faked.ui, f"{section}CollapsibleButton")
    header.collapsed = False
    assert highlighted(faked) == [button]
    header.collapsed = True
    assert highlighted(faked) == ["chooseFolderButton"]


def test_the_sections_are_in_the_order_of_the_path(rig, faked):
    headers = [getattr(faked.ui, f"{name}CollapsibleButton") for name in SECTIONS]
    assert [header.text for header in headers] == [
        *("Pairs", "Fine-tune (optional)", "Register", "Measure", "Visits", "Whole folder"),
    ]
    assert [header.y for header in headers] == sorted(header.y for header in headers)


@pytest.mark.parametrize(
    ("section", "button", "status"),
    [
        ("pairs", "chooseFolderButton", "pairsStatusLabel"),
        ("adapt", "fineTuneButton", "adaptStatusLabel"),
        ("register", "registerButton", "registerStatusLabel"),
        ("otherVolumes", "applyToOthersButton", "applyToOthersStatusLabel"),
        ("landmarks", "placeButton", "landmarksStatusLabel"),
        ("visits", "registerVisitsButton", "visitsStatusLabel"),
        ("folder", "registerFolderButton", "registerFolderStatusLabel"),
    ],
)
def test_the_status_of_a_step_stands_under_its_button(rig, faked, section, button, status):
    for name in ("register", section):
        getattr(faked.ui, f"{name}CollapsibleButton").collapsed = False
    button, status = getattr(faked.ui, button), getattr(faked.ui, status)
    status.text, status.visible = "Done.", True
    settle(rig)
    header = getattr(faked.ui, f"{section}CollapsibleButton")
    assert header.isAncestorOf(button) and header.isAncestorOf(status)
    below = status.mapToGlobal(qt.QPoint(0, 0)).y() - button.mapToGlobal(qt.QPoint(0, 0)).y()
    assert button.height <= below < 160


def test_after_a_success_nothing_reads_missing(rig, faked, logic):
    choose_volumes(faked)
    logic.register.result = PairResult(Outcome(measured()), None, None)
    register(rig, faked)
    settle(rig)
    headers = [getattr(faked.ui, f"{name}CollapsibleButton") for name in SECTIONS]
    labels = [part for header in headers if not header.collapsed for part in header.findChildren(qt.QLabel)]
    shown = [label.text for label in labels if label.isVisible()]
    assert any("Similarity" in text for text in shown) and not any("missing" in text for text in shown)


def test_rare_settings_are_under_advanced(rig, faked):
    ui = faked.ui
    advanced = ui.advancedCollapsibleButton
    assert advanced.collapsed and advanced.text == "Advanced"
    for name in ("deviceComboBox", "stagesCollapsibleButton", "masksCollapsibleButton", "overrideSpacingCheckBox"):
        assert advanced.isAncestorOf(getattr(ui, name)), name
    advanced.collapsed = False
    assert ui.initialAlignmentComboBox.isVisible() and ui.movingMaskSelector.isVisible(), "one click opens all"


def test_settings_that_differ_are_named_while_advanced_is_closed(rig, faked):
    faked.ui.useNetworkCheckBox.checked = False
    faked.ui.movingSpacingSpinBox.value = 7.5
    settle(rig)
    assert faked.ui.advancedCollapsibleButton.text == "Advanced: affine alignment, refinement; pixel spacing"


def test_slices_are_asked_of_stacks_alone(rig, faked):
    ui = faked.ui
    choose_volumes(faked)  # the moving one has three slices
    settle(rig)

    def shown():
        return [not part.isHidden() for part in (ui.movingSliceLabel, ui.movingSliceSpinBox, ui.fixedSliceSpinBox)]

    assert shown() == [True, True, False]
    ui.pairsCollapsibleButton.collapsed = True
    ui.pairsCollapsibleButton.collapsed = False
    assert shown() == [True, True, False] and not ui.fixedSliceLabel.isVisible()


def pick(selector, node) -> None:
    """Choose a node in the list of a selector, as a user does."""
    combo = selector.findChild(qt.QComboBox)
    combo.setCurrentIndex(combo.findText(node.GetName()))
    combo.activated.emit(combo.currentIndex)


@pytest.mark.parametrize("first", ["moving", "fixed"])
def test_of_two_loaded_images_one_choice_is_enough(rig, first):
    widget = open_panel(rig, size=SMALL)
    images = [noise_volume(name) for name in ("visit 1", "visit 2")]
    result = noise_volume("a result of this module")
    result.SetAttribute("MetaRegistration.Expected", "1")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "mask")
    ui = widget.ui
    selectors = {"moving": ui.movingVolumeSelector, "fixed": ui.fixedVolumeSelector}
    chosen = selectors.pop(first)
    (other,) = selectors.values()
    pick(chosen, images[1])
    settle(rig)
    assert (chosen.currentNode(), other.currentNode()) == (images[1], images[0])
    assert highlighted(widget) == ["registerButton"] and widget.ui.registerButton.enabled
    shown = [views_of(selector.currentNode()) for selector in (ui.movingVolumeSelector, ui.fixedVolumeSelector)]
    assert shown == [["Red"], ["Yellow"]]


def test_of_three_loaded_images_each_is_chosen(rig):
    widget = open_panel(rig, size=SMALL)
    images = [noise_volume(name) for name in ("visit 1", "visit 2", "visit 3")]
    pick(widget.ui.movingVolumeSelector, images[1])
    settle(rig)
    assert widget.ui.fixedVolumeSelector.currentNode() is None


def selected(table) -> list[int]:
    return sorted({item.row() for item in table.selectedItems()})


def test_the_table_marks_the_loaded_pair(rig, tmp_path):
    widget = open_panel(rig, size=SMALL)
    ui = widget.ui
    assert ui.pairsTable.isHidden(), "there is nothing to show yet"
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 3))
    assert selected(ui.pairsTable) == []
    click_row(rig, widget, 1)
    assert selected(ui.pairsTable) == [1]
    ui.pairsTable.setCurrentCell(2, 0)  # by the arrow keys
    assert selected(ui.pairsTable) == [1]
    ui.pairsTable.cellActivated.emit(2, 0)  # by Enter
    assert selected(ui.pairsTable) == [2]
    click_row(rig, widget, 1)
    ui.spacingSpinBox.value = 7.5  # the folder is read again
    rig.wait_until(lambda: selected(ui.pairsTable) == [1], "for the folder to be read")
    ui.fixedVolumeSelector.setCurrentNode(noise_volume("another"))
    settle(rig)
    assert selected(ui.pairsTable) == []


def test_the_columns_fit_a_narrow_panel_and_are_named_in_tooltips(rig, tmp_path):
    widget = open_panel(rig, size=SMALL)
    table = widget.ui.pairsTable
    rig.main_window.resize(1366, 768)
    dock = slicer.util.findChild(rig.main_window, "PanelDockWidget")
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 12))
    for width in (400, 600, 400):
        rig.main_window.resizeDocks([dock], [width], qt.Qt.Horizontal)
        settle(rig)
        widths = [table.columnWidth(column) for column in range(table.columnCount)]
        assert sum(widths) == table.viewport().width and min(widths) >= 30
        assert not table.horizontalScrollBar().isVisible()
    assert all(table.horizontalHeaderItem(column).toolTip() for column in range(table.columnCount))
    assert table.item(0, 0).toolTip() == "phantom_001"


def test_a_long_name_leaves_room_for_the_other_columns(rig, faked):
    from MetaRegistrationLib.panel.widgets import fill_table

    table = faked.ui.pairsTable
    table.visible = True
    fill_table(table, [["a name that is longer than the panel is wide " * 3, "320 × 320", "unknown", "30", "test"]])
    settle(rig)
    widths = [table.columnWidth(column) for column in range(table.columnCount)]
    assert sum(widths) == table.viewport().width and min(widths[1:3]) > 50
