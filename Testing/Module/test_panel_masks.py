"""Masks in the panel: chosen, checked, used, and what counted as tissue outlined in the overlay."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import slicer
from fake_logic import FakeLogic
from panel_helpers import (
    SAMPLES,
    SMALL,
    choose_folder,
    choose_volumes,
    click_row,
    measured,
    node_names,
    open_panel,
    register,
    settle,
    small_folder,
    wide,
)
from test_panel_stages import choose_stages

from MetaRegistrationLib.core.tissue import tissue_mask
from MetaRegistrationLib.formats.image_writing import write_image
from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.mrml import masks
from MetaRegistrationLib.mrml.registration_node import Outcome
from MetaRegistrationLib.mrml.volumes import ijk_to_ras
from MetaRegistrationLib.panel.requests import PairResult
from MetaRegistrationLib.stages import Stages

SHIFT = Stages("translation", False, 0)  # in a fraction of a second, and without a checkpoint


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    """Moving and fixed image (H, W) of the first sample pair."""
    with (SAMPLES / "pairs.csv").open(encoding="utf-8") as stream:
        row = next(csv.DictReader(stream))
    return [read_image(SAMPLES / row[side]).array for side in ("moving", "fixed")]


@pytest.fixture
def widget(rig, request):
    widget = open_panel(rig, size=getattr(request, "param", SMALL))
    choose_stages(widget, SHIFT)
    return widget


def disc(shape) -> np.ndarray:
    """A round field of view, bool (H, W)."""
    rows, columns = np.indices(shape)
    centre = (np.asarray(shape) - 1) / 2
    return np.hypot(rows - centre[0], columns - centre[1]) < 0.55 * min(shape)


def volume(name, array, kind="vtkMRMLScalarVolumeNode"):
    """A volume of an image (H, W) or a stack."""
    matrix = np.diag([-0.01, -0.01, 0.5, 1.0])
    return slicer.util.addVolumeFromArray(array if array.ndim == 3 else array[None], matrix, name, kind)


def mask_volume(name, array):
    return volume(name, array.astype(np.uint8), "vtkMRMLLabelMapVolumeNode")


def placed(labels, reference, matrix: np.ndarray) -> None:
    """Put a label map where `matrix` takes its pixels among those of a volume."""
    labels.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(ijk_to_ras(reference) @ matrix))


def segmentation(name, array, place):
    """A segmentation of two segments that share `array`, and a hidden one that is everywhere."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    halves = np.indices(array.shape)[-1] < array.shape[-1] // 2
    for part in (array & halves, array & ~halves, np.ones_like(array)):
        labels = mask_volume("part", part)
        labels.CopyOrientation(place)
        assert slicer.modules.segmentations.logic().ImportLabelmapToSegmentationNode(labels, node)
        slicer.mrmlScene.RemoveNode(labels)
    segments = node.GetSegmentation()
    assert segments.GetNumberOfSegments() == 3
    node.GetDisplayNode().SetSegmentVisibility(segments.GetNthSegmentID(2), False)
    return node


def choose(widget, moving, fixed, moving_mask=None, fixed_mask=None) -> None:
    """Choose nodes in the selectors."""
    ui = widget.ui
    for selector, node in (
        (ui.movingVolumeSelector, moving),
        (ui.fixedVolumeSelector, fixed),
        (ui.movingMaskSelector, moving_mask),
        (ui.fixedMaskSelector, fixed_mask),
    ):
        selector.setCurrentNode(node)
        assert selector.currentNode() is node


def used(widget, monkeypatch):
    """The masks of the images that the registrar gets from now on."""
    from MetaRegistrationLib.registration.registrar import Registrar

    seen, call = [], Registrar.__call__

    def watched(self, moving, fixed, *landmarks):
        seen[:] = [moving.mask, fixed.mask]
        return call(self, moving, fixed, *landmarks)

    monkeypatch.setattr(Registrar, "__call__", watched)
    return seen


def outlined(view="Red"):
    """The label map that a view outlines, or None."""
    composite = slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceCompositeNode")
    identifier = composite.GetLabelVolumeID()
    outline = slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLSliceNode").GetUseLabelOutline()
    assert bool(outline) == bool(identifier)
    return slicer.mrmlScene.GetNodeByID(identifier) if identifier else None


def test_masks_are_automatic_until_chosen_and_come_back_with_the_scene(rig, monkeypatch, tmp_path):
    logic = FakeLogic(tmp_path / "Checkpoints")
    widget = open_panel(rig, monkeypatch, logic)
    header = widget.ui.masksCollapsibleButton
    assert widget.ui.advancedCollapsibleButton.collapsed and header.text == "Masks: automatic"
    _moving, fixed = choose_volumes(widget)
    logic.register.result = PairResult(Outcome(measured()), None, None)
    register(rig, widget)
    assert (logic.register.requests[0].moving_mask, logic.register.requests[0].fixed_mask) == (None, None)
    labels = mask_volume("labels", np.ones((3, 32, 32)))
    drawn = segmentation("drawn", np.ones((1, 32, 32), dtype=bool), fixed)
    assert widget.ui.movingMaskSelector.nodeCount() == 2
    widget.ui.fixedMaskSelector.setCurrentNode(drawn)
    assert header.text == "Masks: chosen for fixed"
    widget.ui.movingMaskSelector.setCurrentNode(labels)
    assert header.text == "Masks: chosen for moving and fixed"
    register(rig, widget)
    assert (logic.register.requests[1].moving_mask, logic.register.requests[1].fixed_mask) == (labels, drawn)
    path = str(tmp_path / "visit.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(0)
    settle(rig)
    assert header.text == "Masks: automatic"
    slicer.util.loadScene(path)
    settle(rig, 0.3)
    assert header.text == "Masks: chosen for moving and fixed"
    assert widget.ui.movingMaskSelector.currentNode().GetName() == "labels"
    assert widget.ui.fixedMaskSelector.currentNode().GetName() == "drawn"


def test_label_maps_and_segmentations_are_used(rig, widget, pictures, monkeypatch):
    seen = used(widget, monkeypatch)
    moving, fixed = (volume(name, array) for name, array in zip(("moving", "fixed"), pictures, strict=True))
    round_view = disc(pictures[1].shape)
    square = np.zeros(pictures[0].shape, dtype=bool)
    square[20:-30, 40:-10] = True
    before = node_names()
    drawn = segmentation("drawn", round_view[None], fixed)
    added = node_names() - before
    choose(widget, moving, fixed, mask_volume("labels", 5 * square), drawn)
    register(rig, widget)
    assert widget.ui.registerStatusLabel.text.startswith("Registered in"), widget.ui.registerStatusLabel.text
    np.testing.assert_array_equal(seen[0], square)
    np.testing.assert_array_equal(seen[1], round_view)
    left = {name.split(" ", 1)[1] for name in node_names() - before - added}
    assert not any("drawn" in name for name in left), left  # what the export made is gone
    register(rig, widget)  # the moving volume is under the transform of the result now
    choose(widget, moving, fixed, segmentation("square", square[None], moving), drawn)
    register(rig, widget)
    np.testing.assert_array_equal(seen[0], square)


def test_the_mask_of_the_same_slice_counts(rig, widget, pictures, monkeypatch):
    seen = used(widget, monkeypatch)
    stack = np.stack([pictures[1][::-1], pictures[1]])
    views = np.stack([np.ones(pictures[1].shape, dtype=bool), disc(pictures[1].shape)])
    moving, fixed = volume("moving", pictures[0]), volume("fixed", stack)
    for mask in (mask_volume("labels", views), segmentation("drawn", views, fixed)):
        choose(widget, moving, fixed, None, mask)
        widget.ui.fixedSliceSpinBox.value = 1
        register(rig, widget)
        assert widget.ui.registerStatusLabel.text.startswith("Registered in"), widget.ui.registerStatusLabel.text
        assert seen[0] is None
        np.testing.assert_array_equal(seen[1], views[1])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: mask_volume("small", np.ones((30, 32))),
            "small: a mask of 40 x 36 pixels was expected, as the volume fixed has, but it has 32 x 30.",
        ),
        (
            lambda: mask_volume("stack", np.ones((2, 36, 40))),
            "stack: a mask of 40 x 36 x 1 pixels was expected, as the volume fixed has, but it has 40 x 36 x 2.",
        ),
        (
            lambda: mask_volume("empty", np.zeros((36, 40))),
            "empty: the mask is empty. Tissue is where a mask is not zero.",
        ),
        (
            lambda: slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "bare"),
            "bare: it holds no mask for fixed. Choose another one, or none.",
        ),
        (
            lambda: slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "undrawn"),
            "undrawn: it holds no mask for fixed. Choose another one, or none.",
        ),
    ],
)
def test_masks_that_do_not_fit_are_refused(rig, widget, make, said):
    noise = np.random.default_rng(1).random((2, 36, 40)).astype(np.float32)
    mask = make()
    choose(widget, volume("moving", noise[0]), volume("fixed", noise[1]), None, mask)
    before = node_names()
    register(rig, widget)
    assert widget.ui.registerStatusLabel.text == said
    assert node_names() == before


def test_a_label_map_that_is_stored_mirrored_counts_where_it_is(rig, widget, pictures, monkeypatch):
    seen = used(widget, monkeypatch)
    moving, fixed = (volume(name, array) for name, array in zip(("moving", "fixed"), pictures, strict=True))
    left = np.zeros(pictures[1].shape, dtype=bool)
    left[:, : left.shape[1] // 2] = True
    labels = mask_volume("mirrored", left[:, ::-1])
    placed(labels, fixed, np.array([[-1.0, 0, 0, left.shape[1] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]))
    choose(widget, moving, fixed, None, labels)
    register(rig, widget)
    assert widget.ui.registerStatusLabel.text.startswith("Registered in"), widget.ui.registerStatusLabel.text
    np.testing.assert_array_equal(seen[1], left)


def test_a_label_map_without_a_pixel_size_counts_by_its_size(rig, widget, pictures, monkeypatch):
    seen = used(widget, monkeypatch)
    moving, fixed = (volume(name, array) for name, array in zip(("moving", "fixed"), pictures, strict=True))
    view = disc(pictures[1].shape)
    labels = mask_volume("bare", view)
    labels.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(np.diag([-1.0, -1.0, 1.0, 1.0])))
    choose(widget, moving, fixed, None, labels)
    register(rig, widget)
    np.testing.assert_array_equal(seen[1], view)


@pytest.mark.parametrize("how", ["moved", "scaled", "transformed"])
def test_a_label_map_of_other_pixels_is_refused(rig, widget, how):
    noise = np.random.default_rng(1).random((2, 36, 40)).astype(np.float32)
    moving, fixed, labels = (
        volume("moving", noise[0]),
        volume("fixed", noise[1]),
        mask_volume("mask", np.ones((36, 40))),
    )
    matrix = np.eye(4)
    if how == "scaled":
        matrix[:2, :2] *= 3
    else:
        matrix[0, 3] = 5
    if how == "transformed":
        parent = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "own")
        parent.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
        labels.SetAndObserveTransformNodeID(parent.GetID())
    else:
        placed(labels, fixed, matrix)
    choose(widget, moving, fixed, None, labels)
    before = node_names()
    register(rig, widget)
    assert widget.ui.registerStatusLabel.text == (
        "mask: its pixels are not where those of fixed are. Correct its position in the Volumes or Transforms module, or"
        " convert it to a segmentation, which may have other pixels."
    )
    assert node_names() == before


def test_a_label_map_follows_what_moves_it_with_its_volume(rig, widget, pictures, monkeypatch):
    seen = used(widget, monkeypatch)
    moving, fixed = (volume(name, array) for name, array in zip(("moving", "fixed"), pictures, strict=True))
    view = disc(pictures[0].shape)
    labels = mask_volume("labels", view)
    parent = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "tilt")
    parent.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.diag([1.0, 1.0, 1.0, 1.0]) + np.eye(4, k=3)))
    for node in (moving, fixed, labels):
        node.SetAndObserveTransformNodeID(parent.GetID())
    choose(widget, moving, fixed, labels)
    for under in (parent, None):  # the second time the moving volume is under the result, and its mask is not
        seen.clear()
        register(rig, widget)
        assert widget.ui.registerStatusLabel.text.startswith("Registered in"), (
            under,
            widget.ui.registerStatusLabel.text,
        )
        np.testing.assert_array_equal(seen[0], view)
    labels.SetAndObserveTransformNodeID(moving.GetParentTransformNode().GetID())  # as an image, also under the result
    seen.clear()
    register(rig, widget)
    np.testing.assert_array_equal(seen[0], view)


@pytest.mark.parametrize(
    "kind",
    [
        "label map",
        "segmentation",
        pytest.param("hidden segment", marks=pytest.mark.long),
        pytest.param("removed segment", marks=pytest.mark.long),
        "moved segmentation",
    ],
)
def test_a_mask_that_is_edited_asks_for_another_registration(rig, widget, kind):
    noise = np.random.default_rng(1).random((2, 36, 40)).astype(np.float32)
    moving, fixed = volume("moving", noise[0]), volume("fixed", noise[1])
    view = disc(noise[1].shape)
    mask = mask_volume("labels", view) if kind == "label map" else segmentation("drawn", view[None], fixed)
    choose(widget, moving, fixed, None, mask)
    register(rig, widget)
    settle(rig)
    assert widget.panel.register.registered
    if kind == "label map":
        slicer.util.arrayFromVolume(mask)[0, :10] = 0
        slicer.util.arrayFromVolumeModified(mask)
    elif kind == "segmentation":
        # As the Segment Editor does it: on the stored label map, and no node of a volume comes or goes.
        drawn = mask.GetSegmentation().GetNthSegment(0).GetRepresentation("Binary labelmap")
        first = drawn.GetExtent()[0], drawn.GetExtent()[2], 0
        drawn.SetScalarComponentFromDouble(*first, 0, 1 - drawn.GetScalarComponentAsDouble(*first, 0))
        drawn.Modified()
        mask.GetSegmentation().InvokeEvent(slicer.vtkSegmentation.SourceRepresentationModified)
    elif kind == "hidden segment":
        mask.GetDisplayNode().SetSegmentVisibility(mask.GetSegmentation().GetNthSegmentID(0), False)
    elif kind == "removed segment":
        mask.GetSegmentation().RemoveSegment(mask.GetSegmentation().GetNthSegmentID(0))
    else:
        parent = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "own")
        parent.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.eye(4) + 0.1 * np.eye(4, k=3)))
        mask.SetAndObserveTransformNodeID(parent.GetID())
    settle(rig)
    assert not widget.panel.register.registered
    register(rig, widget)
    settle(rig)
    assert widget.panel.register.registered


def test_a_segmentation_without_a_visible_segment_is_refused_by_name(rig, widget, pictures):
    moving, fixed = (volume(name, array) for name, array in zip(("moving", "fixed"), pictures, strict=True))
    drawn = segmentation("drawn", disc(pictures[1].shape)[None], fixed)
    for number in range(3):
        drawn.GetDisplayNode().SetSegmentVisibility(drawn.GetSegmentation().GetNthSegmentID(number), False)
    choose(widget, moving, fixed, None, drawn)
    before = node_names()
    register(rig, widget)
    said = "drawn: none of its segments is visible, and the mask is what the visible ones cover."
    assert widget.ui.registerStatusLabel.text.startswith(said) and node_names() == before
    drawn.GetDisplayNode().SetSegmentVisibility(drawn.GetSegmentation().GetNthSegmentID(0), True)
    register(rig, widget)
    assert widget.ui.registerStatusLabel.text.startswith("Registered")


def test_a_failed_export_is_refused_and_leaves_nothing(rig, widget, pictures, monkeypatch):
    monkeypatch.setattr(masks, "export_segments", lambda segmentation, labels, reference: False)
    moving, fixed = (volume(name, array) for name, array in zip(("moving", "fixed"), pictures, strict=True))
    choose(widget, moving, fixed, None, segmentation("drawn", disc(pictures[1].shape)[None], fixed))
    before = node_names()
    register(rig, widget)
    assert widget.ui.registerStatusLabel.text.startswith("drawn: it holds no mask for fixed.")
    assert node_names() == before


@wide
def test_the_field_of_view_is_outlined_where_something_is_outside(rig, widget, pictures, tmp_path):
    box = widget.ui.fieldOfViewCheckBox
    round_view = disc(pictures[1].shape)
    moving, fixed = volume("moving", pictures[0]), volume("fixed", np.where(round_view, pictures[1], 0))
    whole = volume("whole", np.where(round_view, pictures[1], pictures[1].mean() * 0.9 + 0.2 * pictures[0]))
    choose(widget, moving, fixed)
    assert not box.visible
    register(rig, widget)
    settle(rig)
    node = masks.field_of_view(fixed)
    assert box.visible and box.checked
    assert node.GetName() == "fixed tissue mask" and outlined() is node
    expected = tissue_mask(slicer.util.arrayFromVolume(fixed)[0])
    assert not expected.all()
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(node)[0] != 0, expected)
    rig.screenshot_window("field_of_view", (1500, 900))
    with_line = rig.slice_view("Red").render().astype(int)
    box.click()
    assert outlined() is None and not widget.panel.state.parameters.showFieldOfView
    without = rig.slice_view("Red").render().astype(int)
    assert 0.001 < np.any(with_line != without, axis=-1).mean() < 0.05  # a line, not an area
    widget.ui.blendSlider.value = 0.3
    assert outlined() is None
    box.click()
    widget.ui.blendSlider.value = 0.4
    assert outlined() is node
    widget.ui.showFixedButton.click()
    assert outlined() is None
    # The same label map is used again, and another volume has none.
    register(rig, widget)
    assert masks.field_of_view(fixed) is node and outlined() is node
    choose(widget, volume("other", pictures[0]), whole)
    assert not box.visible
    register(rig, widget)
    assert widget.ui.registerStatusLabel.text.startswith("Registered in"), widget.ui.registerStatusLabel.text
    assert masks.field_of_view(whole) is None and outlined() is None and not box.visible
    choose(widget, moving, fixed)
    path = str(tmp_path / "visit.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(0)
    settle(rig)
    slicer.util.loadScene(path)
    settle(rig, 0.3)
    assert box.visible
    widget.ui.showOverlayButton.click()
    assert outlined().GetName() == "fixed tissue mask"


def test_a_field_of_view_goes_when_nothing_is_outside_and_stays_as_the_mask_it_became(rig, widget, pictures):
    moving, fixed = (volume(name, array) for name, array in zip(("moving", "fixed"), pictures, strict=True))
    given = mask_volume("given", disc(pictures[1].shape))
    choose(widget, moving, fixed, None, given)
    register(rig, widget)
    found = masks.field_of_view(fixed)
    assert found is not None and found is not given
    # Corrected by the user, and chosen.
    slicer.util.arrayFromVolume(found)[0, :50] = 0
    slicer.util.arrayFromVolumeModified(found)
    corrected = slicer.util.arrayFromVolume(found).copy()
    choose(widget, moving, fixed, None, found)
    register(rig, widget)
    assert masks.field_of_view(fixed) is found and outlined() is found
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(found), corrected)
    choose(widget, moving, fixed, found, given)
    register(rig, widget)
    assert masks.field_of_view(fixed) not in (None, found, given)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(found), corrected)
    choose(widget, moving, fixed, None, mask_volume("all", np.ones(pictures[1].shape)))
    register(rig, widget)
    assert masks.field_of_view(fixed) is None and outlined() is None
    assert found.GetScene() is not None


def test_images_that_have_nothing_in_common_are_not_moved_and_the_user_hears_what_to_try(rig, widget, pictures):
    noise = np.random.default_rng(0).random(pictures[0].shape).astype(np.float32)
    choose(widget, volume("noise", noise), volume("fixed", pictures[1]))
    register(rig, widget)
    assert widget.ui.registerStatusLabel.text.startswith("Left unchanged after"), widget.ui.registerStatusLabel.text
    said = widget.ui.alignmentWarningLabel.text
    assert "images were left unchanged" in said and "under Advanced, or masks" in said and "overlay" in said
    transform = widget.ui.transformSelector.currentNode().GetTransformFromParent()
    np.testing.assert_allclose(transform.TransformPoint((-1.0, -1.5, 0.0)), (-1.0, -1.5, 0.0), atol=1e-6)


def test_masks_of_a_folder_come_with_their_pair_and_leave_with_it(rig, widget, tmp_path, monkeypatch):
    seen = used(widget, monkeypatch)
    folder = small_folder(tmp_path / "pairs", 2)
    with (folder / "pairs.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    fixed = read_image(folder / rows[0]["fixed"])
    view = disc(fixed.array.shape)
    write_image(folder / "mask.nrrd", view.astype(np.uint8), fixed.geometry)
    with (folder / "pairs.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0], "fixed_mask"])
        writer.writeheader()
        writer.writerows([{**rows[0], "fixed_mask": "mask.nrrd"}, rows[1]])
    choose_folder(rig, widget, folder)
    click_row(rig, widget, 0)
    header = widget.ui.masksCollapsibleButton
    assert header.text == "Masks: chosen for fixed"
    register(rig, widget)
    np.testing.assert_array_equal(seen[1], view)
    click_row(rig, widget, 1)
    assert header.text == "Masks: automatic"
    click_row(rig, widget, 0)
    assert header.text == "Masks: chosen for fixed"
