"""The layouts of the module on Slicer's own layout node: a scene that was saved with one comes back with it."""

from __future__ import annotations

import pytest
import slicer
from panel_helpers import SMALL, open_panel

from MetaRegistrationLib.mrml import layouts

OURS = {
    layouts.PAIR_AND_OVERLAY_LAYOUT: ("Red", "Yellow", "Green"),
    layouts.THREE_LAYOUT: ("Red", "Yellow", "Green"),
    layouts.CHARTS_LAYOUT: ("Red", "Yellow", *layouts.CHART_VIEWS),
}


@pytest.fixture
def node(rig, monkeypatch):
    """The layout node of a Slicer that has not met the module."""
    found = slicer.vtkMRMLLayoutNode()
    monkeypatch.setattr(layouts, "_layout_node", lambda: found)
    return found


@pytest.mark.parametrize("number", OURS)
def test_a_scene_that_was_opened_before_the_module_is_laid_out_as_it_was_saved(rig, node, number):
    node.SetViewArrangement(number)
    assert not node.GetCurrentLayoutDescription(), "Slicer knows nothing of it"
    layouts.set_layout(number)
    found = node.GetCurrentLayoutDescription()
    assert [view for view in OURS[number] if f'singletontag="{view}"' in found] == list(OURS[number])


def test_the_layouts_are_known_when_slicer_has_started(rig, node):
    open_panel(rig, size=SMALL)
    assert all(node.IsLayoutDescription(number) for number in OURS)
    node.SetViewArrangement(layouts.THREE_LAYOUT)  # as the scene file does
    assert 'singletontag="Green"' in node.GetCurrentLayoutDescription()


def test_a_layout_that_somebody_described_otherwise_stays(rig, node):
    node.AddLayoutDescription(layouts.THREE_LAYOUT, '<layout type="vertical"></layout>')
    layouts.add_layouts()
    assert "vertical" in node.GetLayoutDescription(layouts.THREE_LAYOUT)
