"""Before a point is placed, the panel says whether it begins a pair or which older point it becomes the partner of."""

from __future__ import annotations

import slicer
from panel_helpers import SMALL, choose_volumes, open_panel, settle


def test_an_older_point_that_waits_for_a_partner_is_named(rig):
    widget = open_panel(rig, size=SMALL)
    ui = widget.ui
    choose_volumes(widget)
    older = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "older points")
    for number in range(2):
        older.AddControlPoint([number, 2.0, 0.0], f"L{number}")
    ui.fixedPointsSelector.setCurrentNode(older)
    ui.placeButton.click()
    settle(rig)
    for number in range(2):
        said = ui.nextClickLabel.text
        assert said.startswith("Next click: moving image")
        assert said.endswith(f" It becomes the partner of L{number} in older points.")
        ui.movingPointsSelector.currentNode().AddControlPoint([number, 2.5, 0.0])
        settle(rig)
    assert "moving image" in ui.nextClickLabel.text and "partner" not in ui.nextClickLabel.text
    ui.movingPointsSelector.currentNode().AddControlPoint([9.0, 9.0, 0.0])
    settle(rig)
    said, name = ui.nextClickLabel.text, ui.movingPointsSelector.currentNode().GetName()
    assert said.startswith("Next click: fixed image") and said.endswith(f" It becomes the partner of L2 in {name}.")
