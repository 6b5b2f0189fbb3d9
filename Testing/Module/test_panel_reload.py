"""Reload in Slicer's developer mode: the library's code is read again, and the panel goes on with it."""

from __future__ import annotations

import sys

import pytest
import slicer
from panel_helpers import SMALL, choose_folder, open_panel, register, settle, small_folder

LIBRARY = "MetaRegistrationLib"


def loaded() -> dict:
    """The modules of the library by name."""
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] == LIBRARY}


@pytest.fixture
def widget(rig):
    """The panel; afterwards the library is the one that the other tests have imported."""
    before = loaded()
    yield open_panel(rig, size=SMALL)
    rig.close_module("MetaRegistration")
    for name in loaded():
        del sys.modules[name]
    sys.modules.update(before)


def test_reload_reads_the_library_again(rig, widget, monkeypatch):
    from MetaRegistrationLib.panel import presets

    monkeypatch.setattr(presets, "presets", lambda: [("code that was there before", 10), ("own", presets.OWN)])
    slicer.util.reloadScriptedModule("MetaRegistration")  # which leaves the library alone
    old = slicer.modules.MetaRegistrationWidget
    assert old.ui.presetComboBox.itemText(0) == "code that was there before"
    old.onReload()
    new = slicer.modules.MetaRegistrationWidget
    assert new is not old and new.ui.presetComboBox.itemText(0) == "Quick (10 epochs)"
    assert presets not in loaded().values()
    assert type(new.panel) is loaded()[f"{LIBRARY}.panel.panel"].Panel and type(old.panel) is not type(new.panel)


def test_panel_works_after_a_reload(rig, widget, tmp_path):
    choose_folder(rig, widget, small_folder(tmp_path / "pairs", 1))
    widget.panel.pairs.load(0)
    widget.ui.initialAlignmentComboBox.setCurrentIndex(2)
    settle(rig)
    widget.onReload()
    new = slicer.modules.MetaRegistrationWidget
    rig.wait_until(lambda: new.panel.state.folder is not None, "for the folder")
    assert new.panel.state.stages.initial == "translation"
    register(rig, new)
    assert new.ui.registerStatusLabel.text.startswith("Registered in"), new.ui.registerStatusLabel.text


def test_only_the_library_is_forgotten(rig, widget):
    others = {name for name in sys.modules if name.partition(".")[0] != LIBRARY}
    sys.modules["MetaRegistration"].forgetLibrary()
    assert loaded() == {} and others <= set(sys.modules)
