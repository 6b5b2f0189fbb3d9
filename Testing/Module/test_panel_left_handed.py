"""Left-handed stacks: Slicer reverses their slices when a saved scene is opened, and a result stays of its slices."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import slicer
from panel_helpers import SAMPLES, SMALL, open_panel, register, register_simply, settle

from MetaRegistrationLib.formats.images import read_image

LEFT_HANDED = np.diag([-0.02, 0.02, 0.5, 1.0])


def stacks() -> list[np.ndarray]:
    """The moving and the fixed images of two sample pairs, (2, H, W), every second pixel."""
    with (SAMPLES / "pairs.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))[:2]
    return [np.stack([read_image(SAMPLES / row[side]).array[::2, ::2] for row in rows]) for side in ("moving", "fixed")]


@pytest.mark.parametrize("entered", [True, False], ids=["in the module", "before the user comes to it"])
def test_a_result_is_of_its_slices_when_the_scene_is_opened_again(rig, tmp_path, entered):
    widget = open_panel(rig, size=SMALL)
    ui, path = widget.ui, str(tmp_path / "stacks.mrb")
    for array, name, selector in zip(
        stacks(), ("moving", "fixed"), (ui.movingVolumeSelector, ui.fixedVolumeSelector), strict=True
    ):
        selector.setCurrentNode(slicer.util.addVolumeFromArray(array, LEFT_HANDED, name))
    register_simply(widget)
    ui.movingSliceSpinBox.value = ui.fixedSliceSpinBox.value = 0
    settle(rig)
    register(rig, widget)
    settle(rig)
    measures = ui.measuresLabel.text
    before = [slicer.util.arrayFromVolume(slicer.util.getNode(name))[0].copy() for name in ("moving", "fixed")]
    assert measures and slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(0)
    settle(rig)
    if not entered:
        widget.parent.exit()
    slicer.util.loadScene(path)
    settle(rig, 0.3)
    if not entered:
        # Another scene is added before the user comes to the module.
        slicer.mrmlScene.SetSceneXMLString("<MRML></MRML>")
        slicer.mrmlScene.SetLoadFromXMLString(1)
        assert slicer.mrmlScene.Import()
        slicer.mrmlScene.SetLoadFromXMLString(0)
        widget.parent.enter()
        settle(rig)
    parameters = widget.panel.state.parameters
    assert (parameters.movingSlice, parameters.fixedSlice) == (1, 1), "Slicer has reversed the slices"
    volumes = parameters.movingVolume, parameters.fixedVolume
    for volume, array in zip(volumes, before, strict=True):
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(volume)[1], array)
    assert ui.alignmentWarningLabel.text == "" and ui.measuresLabel.text == measures
    assert ui.movingSliceSpinBox.value == 1
