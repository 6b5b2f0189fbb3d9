"""A click in Slicer's Sample Data module, and the panel is ready to register."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import qt
import slicer
from panel_helpers import MODULE, ROOT, SAMPLES, SMALL, choose_volumes, open_panel, register, settle, tooltip
from rig import modules
from test_panel_scene import folders

from MetaRegistrationLib.mrml import samples
from MetaRegistrationLib.mrml.views import views_of

SELECTORS = ("movingVolume", "fixedVolume", "movingPoints", "fixedPoints")


def click_sample(rig, name: str) -> None:
    """Go to Sample Data, and click on a pair."""
    panel = rig.open_sample_data()
    panel.findChild(qt.QToolButton, f"{name}PushButton").click()
    settle(rig)


def chosen(widget) -> dict[str, str | None]:
    """What the selectors show."""
    nodes = {name: getattr(widget.ui, f"{name}Selector").currentNode() for name in SELECTORS}
    return {name: node and node.GetName() for name, node in nodes.items()}


def of_sample(name: str) -> dict[str, str]:
    return {part: f"{name} {part.replace('V', ' v').replace('P', ' p').removesuffix(' volume')}" for part in SELECTORS}


def test_a_phantom_pair_opens_ready(rig):
    widget = open_panel(rig, size=SMALL)
    rig.emit_startup_completed()
    click_sample(rig, "phantom_002")
    widget = rig.return_to_module("MetaRegistration")
    settle(rig)
    assert chosen(widget) == of_sample("phantom_002")
    assert widget.ui.registerButton.enabled, tooltip(widget.ui.registerButton)
    parameters = widget.panel.state.parameters
    assert [views_of(node) for node in (parameters.movingVolume, parameters.fixedVolume)] == [["Red"], ["Yellow"]]
    assert set(folders()) == {"", "phantom_002"} and folders()[""] == []


def test_a_phantom_pair_takes_the_place_of_another_with_its_results(rig):
    widget = open_panel(rig, size=SMALL)
    rig.emit_startup_completed()
    click_sample(rig, "phantom_001")
    rig.return_to_module("MetaRegistration")
    register(rig, widget)
    settle(rig)
    parameters = widget.panel.state.parameters
    transform = parameters.transform
    assert transform is not None
    widget.ui.warpedVolumeSelector.addNode()
    click_sample(rig, "phantom_003")
    rig.return_to_module("MetaRegistration")
    settle(rig)
    assert chosen(widget) == of_sample("phantom_003")
    assert parameters.transform is None and parameters.warpedVolume is None and transform.GetScene() is not None


def test_a_sample_is_ready_in_a_module_that_is_opened_later(rig):
    """No panel was made before: the parameters of the scene name the pair."""
    module = modules.load(MODULE, rig.modules)
    rig._open.append(module)
    rig.emit_startup_completed()
    click_sample(rig, "phantom_002")
    widget = rig.return_to_module("MetaRegistration")
    settle(rig)
    assert chosen(widget) == of_sample("phantom_002") and widget.ui.registerButton.enabled


def test_a_downloaded_pair_opens_ready(rig, monkeypatch):
    """Slicer's cache has the files; the checksums are theirs."""
    cache = Path(slicer.mrmlScene.GetCacheManager().GetRemoteCacheDirectory())
    files = [cache / f"rossa_{number:04d}.png" for number in samples.REAL_PAIRS[0][:2]]
    for source, file in zip(("moving", "fixed"), files, strict=True):
        shutil.copyfile(SAMPLES / source / "phantom_001.png", file)
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    monkeypatch.setattr(samples, "REAL_PAIRS", (samples.RealPair(310, 311, *digests),))
    widget = open_panel(rig, size=SMALL)
    choose_volumes(widget)
    rig.emit_startup_completed()
    click_sample(rig, "OCTA same-eye pair 1")
    widget = rig.return_to_module("MetaRegistration")
    settle(rig)
    names = {f"{side}Volume": f"OCTA same-eye pair 1 {side}" for side in ("moving", "fixed")}
    assert chosen(widget) == {**names, "movingPoints": None, "fixedPoints": None}
    assert widget.ui.registerButton.enabled


def test_a_pair_that_cannot_be_downloaded_says_so(rig, dialogs):
    widget = open_panel(rig, size=SMALL)
    rig.emit_startup_completed()
    click_sample(rig, "OCTA same-eye pair 2")
    assert "OCTA same-eye pair 2" in dialogs.texts[0] and "download" in dialogs.texts[0]
    assert chosen(widget) == dict.fromkeys(SELECTORS)


def test_the_category_is_called_as_the_module(rig):
    open_panel(rig, size=SMALL)
    rig.emit_startup_completed()
    titles = [box.title for box in rig.open_sample_data().findChildren(qt.QGroupBox)]
    assert titles == ["Meta-Registration"] == [slicer.util.getModule("MetaRegistration").title]
    assert "*Sample Data > Meta-Registration*" in (ROOT / "Documentation" / "User" / "Tutorial.md").read_text(
        encoding="utf-8"
    )


def test_the_modules_that_are_used_are_named(rig):
    open_panel(rig, size=SMALL)
    assert {"Sequences", "SubjectHierarchy"} <= set(slicer.util.getModule("MetaRegistration").dependencies)
