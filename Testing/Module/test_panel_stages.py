"""The three stages in the panel: defaults, what each control reaches, what is said of the result, and saved scenes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import slicer
from fake_logic import FakeLogic
from panel_helpers import (
    SMALL,
    choose_folder,
    choose_volumes,
    click_row,
    measured,
    open_panel,
    register,
    settle,
    small_folder,
    tooltip,
)

from MetaRegistrationLib.checkpoints import load_checkpoint, save_checkpoint
from MetaRegistrationLib.initial_kinds import initial_kinds
from MetaRegistrationLib.mrml.registration_node import Outcome, RegistrationNode, UncertainAlignment, outcome
from MetaRegistrationLib.panel.requests import PairResult
from MetaRegistrationLib.resources import default_checkpoint
from MetaRegistrationLib.stages import Stages

CHANGED = Stages("rigid", False, 10)


@pytest.fixture
def logic(tmp_path):
    return FakeLogic(tmp_path / "Checkpoints")


@pytest.fixture
def widget(rig, logic, monkeypatch):
    return open_panel(rig, monkeypatch, logic, size=SMALL)


def choose_stages(widget, stages: Stages = CHANGED) -> None:
    """Set the controls as a user does."""
    box = widget.ui.initialAlignmentComboBox
    labels = [box.itemText(index).removesuffix(" (recommended)") for index in range(box.count)]
    box.setCurrentIndex(labels.index(stages.initial))
    widget.ui.useNetworkCheckBox.checked = stages.network
    widget.ui.refinementStepsSpinBox.value = stages.refine


def shown_stages(widget) -> Stages:
    """The stages that the controls show."""
    initial = widget.ui.initialAlignmentComboBox.currentText.removesuffix(" (recommended)")
    return Stages(initial, widget.ui.useNetworkCheckBox.checked, widget.ui.refinementStepsSpinBox.value)


def a_result(node, moving, fixed, reason="", kept="affine", alone=False):
    """Make a volume the result of a registration whose alignment was confident or not."""
    result = RegistrationNode(node)
    result.note_pair(moving, fixed)
    alignment = SimpleNamespace(kind=kept, confidence=0.25, reason=reason)
    stages, refinement = Stages(), SimpleNamespace(steps=12)
    result.note_stages(
        SimpleNamespace(stages=stages, alignment=alignment, refinement=refinement, result_stage="refine")
    )
    return PairResult(Outcome(measured(), kept, alone), node, None)


def warped_volume(widget):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "warped")
    widget.ui.warpedVolumeSelector.setCurrentNode(node)
    return node


def test_controls_show_the_defaults_and_the_recommended_alignment_first(rig, widget):
    assert shown_stages(widget) == Stages() == widget.panel.state.stages
    box = widget.ui.initialAlignmentComboBox
    labels = [box.itemText(index) for index in range(box.count)]
    assert labels == ["affine (recommended)", "rigid", "translation", "landmarks", "none"]
    assert {label.split()[0] for label in labels} == set(initial_kinds())
    assert widget.ui.advancedCollapsibleButton.collapsed
    assert widget.ui.stagesCollapsibleButton.text == "Stages: affine alignment, network, refinement"


def test_header_says_what_is_chosen(rig, widget):
    header = widget.ui.stagesCollapsibleButton
    choose_stages(widget, Stages("translation", True, 0))
    assert header.text == "Stages: translation alignment, network"
    choose_stages(widget, Stages("none", False, 5))
    assert header.text == "Stages: refinement"
    choose_stages(widget, Stages("none", False, 0))
    assert header.text == "Stages: all off"
    assert widget.ui.refinementStepsSpinBox.text == "off"


@pytest.mark.parametrize("stages", [Stages(), CHANGED, Stages("none", True, 0)])
def test_pair_is_registered_with_the_chosen_stages(rig, widget, logic, stages):
    choose_volumes(widget)
    choose_stages(widget, stages)
    logic.register.result = PairResult(Outcome(measured()), None, None)
    register(rig, widget)
    assert logic.register.requests[0].stages == stages


def test_folder_is_registered_and_fine_tuned_with_them(rig, widget, logic, tmp_path):
    logic.pairs.folders[str(tmp_path)] = 2
    choose_folder(rig, widget, tmp_path)
    choose_stages(widget)
    widget.ui.outputPathLineEdit.currentPath = str(tmp_path / "out")
    widget.ui.registerFolderButton.click()
    assert logic.register.jobs[0].request.stages == CHANGED
    assert "(rigid)" in widget.ui.fineTuneButton.toolTip
    widget.ui.fineTuneButton.click()
    assert logic.adapt.jobs[0].request.initial == "rigid"


def test_network_alone_needs_a_checkpoint_and_something_must_be_on(rig, widget, logic):
    choose_volumes(widget)
    widget.panel.state.checkpoint = None
    widget.panel.state.notify()
    button = widget.ui.registerButton
    assert tooltip(button) == "Still missing: a checkpoint (under Fine-tune)"
    choose_stages(widget, Stages("affine", False, 0))
    assert button.enabled
    choose_stages(widget, Stages("none", False, 0))
    assert not button.enabled and tooltip(button) == "Still missing: a stage (under Advanced)"
    assert "a stage (under Advanced)" in widget.ui.registerFolderButton.toolTip


def test_result_tells_the_time_of_each_stage_and_the_alignment(rig, widget, logic):
    choose_volumes(widget)
    seconds = {"preprocessing": 0.05, "initial": 0.2, "network": 0.1, "refine": 0.3, "error": 0.12}
    logic.register.result = PairResult(Outcome(measured(), "affine"), None, None, seconds, 22)
    register(rig, widget)
    assert widget.ui.measuresLabel.text == "Similarity (NCC) 0.25 → 0.75, folding 0.500 %. Initial alignment: affine."
    assert widget.ui.registerStatusLabel.text.splitlines()[1] == (
        "Preparation 0.05 s, initial alignment 0.20 s, network 0.10 s, refinement 0.30 s (22 steps), error prediction 0.12 s."
    )
    assert not widget.ui.alignmentWarningLabel.visible


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (
            "none",
            "Alignment is not confident (the images do not correlate), so the images were left unchanged. Check the overlay. "
            "Then try another initial alignment under Advanced, or masks. Or mark three or more landmarks in both images under "
            "Measure, and choose landmarks as the initial alignment.",
        ),
        (
            "translation",
            "Alignment is not confident. Check the overlay. "
            "The simpler kind translation was used (the images do not correlate).",
        ),
    ],
)
def test_an_alignment_that_is_not_confident_is_said_until_a_confident_one_replaces_it(rig, widget, logic, kept, said):
    moving, fixed = choose_volumes(widget)
    warped, label = warped_volume(widget), widget.ui.alignmentWarningLabel
    logic.register.result = a_result(warped, moving, fixed, "the images do not correlate", kept)
    register(rig, widget)
    assert label.visible
    assert label.text == said
    begins = "Left unchanged after" if kept == "none" else "Registered in"
    assert widget.ui.registerStatusLabel.text.startswith(begins)
    widget.ui.movingVolumeSelector.setCurrentNode(None)
    assert not label.visible
    widget.ui.movingVolumeSelector.setCurrentNode(moving)
    assert label.visible
    logic.register.result = a_result(warped, moving, fixed)
    register(rig, widget)
    assert not label.visible


def test_a_result_of_the_initial_alignment_alone_is_said_plainly(rig, widget, logic):
    moving, fixed = choose_volumes(widget)
    warped, label = warped_volume(widget), widget.ui.measuresLabel
    said = "Initial alignment: affine. Only the initial alignment was used; later stages did not improve it."
    logic.register.result = a_result(warped, moving, fixed, alone=True)
    register(rig, widget)
    assert label.text.endswith(said) and not widget.ui.alignmentWarningLabel.visible
    noted = RegistrationNode(warped)
    noted.note_measures(measured())
    alignment = SimpleNamespace(kind="affine", confidence=0.98, reason="")
    for kept, stages, alone in (
        ("initial", Stages(), True),
        ("initial", Stages("affine", False, 0), False),
        ("refine", Stages(), False),
    ):
        registration = SimpleNamespace(stages=stages, alignment=alignment, refinement=None, result_stage=kept)
        assert outcome(registration, measured()).alignment_alone == alone
        noted.note_stages(registration)
        assert noted.outcome.alignment_alone == alone
    noted.note_stages(SimpleNamespace(stages=Stages(), alignment=alignment, refinement=None, result_stage="initial"))
    widget.ui.movingVolumeSelector.setCurrentNode(None)
    widget.ui.movingVolumeSelector.setCurrentNode(moving)  # read from the result now
    assert label.text.endswith(said)


def test_warnings_of_a_folder_are_still_there_at_its_end(rig, widget, logic, tmp_path):
    logic.pairs.folders[str(tmp_path)] = 2
    choose_folder(rig, widget, tmp_path)
    widget.ui.outputPathLineEdit.currentPath = str(tmp_path / "out")
    widget.ui.registerFolderButton.click()
    job = logic.register.jobs[0]
    job.on_event({"event": "message", "text": "2 pairs", "level": "info"})
    for number in range(7):
        job.on_event({"event": "message", "text": f"pair {number} is uncertain", "level": "warning"})
    job.end("finished", "Done.")
    assert widget.ui.registerFolderStatusLabel.text.splitlines() == [
        "Done.",
        "Check this before you use the results:",
        *(f"pair {number} is uncertain" for number in range(5)),
        "and 2 more",
    ]
    widget.ui.registerFolderButton.click()
    logic.register.jobs[1].end("finished", "Done.")
    assert widget.ui.registerFolderStatusLabel.text == "Done."


def test_stages_and_the_warning_come_back_with_the_scene(rig, widget, logic, tmp_path):
    moving, fixed = choose_volumes(widget)
    warped = warped_volume(widget)
    a_result(warped, moving, fixed, 'rigid: 10 % only; a rotation of 20.0 degrees, "so" to say', "translation")
    slicer.util.updateVolumeFromArray(warped, slicer.util.arrayFromVolume(fixed))
    choose_stages(widget)
    expected = RegistrationNode(warped).uncertain_alignment
    path = str(tmp_path / "visit.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(0)
    settle(rig)
    assert shown_stages(widget) == Stages() and not widget.ui.alignmentWarningLabel.visible
    slicer.util.loadScene(path)
    settle(rig, 0.3)
    assert shown_stages(widget) == CHANGED == widget.panel.state.stages
    node = widget.ui.warpedVolumeSelector.currentNode()
    assert RegistrationNode(node).uncertain_alignment == expected == UncertainAlignment("translation", expected.reason)
    assert node.GetAttribute("MetaRegistration.RefinementStepsTaken") == "12"
    assert "was used (rigid: 10 % only" in widget.ui.alignmentWarningLabel.text


@pytest.mark.parametrize(("confidence", "warned"), [("0.980", False), ("0.200", True)])
def test_a_fallback_that_is_sure_is_no_warning(rig, widget, confidence, warned):
    node = warped_volume(widget)
    node.SetAttribute("MetaRegistration.AlignmentReason", "the network matches the images better without it")
    node.SetAttribute("MetaRegistration.AlignmentConfidence", confidence)
    assert (RegistrationNode(node).uncertain_alignment is not None) == warned


def test_real_registrar_gets_the_stages_and_no_checkpoint_without_network(rig, tmp_path):
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    click_row(rig, widget, 0)
    widget.panel.state.checkpoint = None
    choose_stages(widget, Stages("translation", False, 0))
    register(rig, widget)
    assert widget.ui.registerStatusLabel.text.startswith("Registered in"), widget.ui.registerStatusLabel.text
    assert widget.ui.measuresLabel.text.endswith("Initial alignment: translation.")
    assert "initial alignment" in widget.ui.registerStatusLabel.text
    assert "network" not in widget.ui.registerStatusLabel.text
    registrar, _ = widget.logic.register._last._made
    assert registrar.stages == Stages("translation", False, 0) and registrar.network is None
    transform = widget.ui.transformSelector.currentNode()
    notes = {name: transform.GetAttribute(f"MetaRegistration.{name}") for name in ("InitialAlignment", "Network")}
    assert notes == {"InitialAlignment": "translation", "Network": "off"}


OTHER_INITIAL = (
    "The checkpoint was adapted with the initial alignment rigid and was used with {}. The result may be less accurate. "
    "Choose rigid under Advanced / Stages, or fine-tune it again."
)


def test_another_alignment_than_the_checkpoint_was_adapted_with_is_said(rig, dialogs, tmp_path):
    checkpoint = load_checkpoint(default_checkpoint())
    checkpoint.history.append({"stage": "finetune", "initial": "rigid"})
    save_checkpoint(tmp_path / "adapted.pt", checkpoint)
    widget = open_panel(rig, size=SMALL)
    label = widget.ui.alignmentWarningLabel
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 2))
    click_row(rig, widget, 0)
    dialogs.answer(tmp_path / "adapted.pt")
    widget.ui.checkpointFileButton.click()
    for stages, said in (
        (Stages("translation", True, 0), OTHER_INITIAL.format("translation")),
        (Stages("rigid", True, 0), ""),
        (Stages("translation", False, 0), ""),
        (Stages("none", True, 0), OTHER_INITIAL.format("none")),
    ):
        choose_stages(widget, stages)
        register(rig, widget)
        assert label.text == said and label.visible == bool(said)
    click_row(rig, widget, 1)
    assert not label.visible
    click_row(rig, widget, 0)
    assert label.text == OTHER_INITIAL.format("none")
    box = widget.ui.checkpointComboBox
    box.setCurrentIndex([box.itemData(index) for index in range(box.count)].index(str(default_checkpoint())))
    register(rig, widget)
    assert not label.visible


def test_child_processes_get_the_stages_as_options(rig, tmp_path, monkeypatch):
    from MetaRegistrationLib.jobs import job as job_module

    started = []
    monkeypatch.setattr(job_module.Job, "start", lambda self, arguments: started.append(arguments))
    widget = open_panel(rig, size=SMALL)
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    choose_stages(widget)
    widget.ui.outputPathLineEdit.currentPath = str(tmp_path / "out")
    widget.ui.registerFolderButton.click()
    arguments = started[0]
    assert arguments[arguments.index("--initial") + 1] == "rigid"
    assert arguments[arguments.index("--refine") + 1] == "10"
    assert "--no-network" in arguments and "--checkpoint" not in arguments
    widget.ui.fineTuneButton.click()
    arguments = started[1]
    assert arguments[arguments.index("--initial") + 1] == "rigid" and "--checkpoint" in arguments
