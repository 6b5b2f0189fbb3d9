"""Two volumes compared in a slice view: what is drawn, what stays below, and what is left in the scene and in its file."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
import slicer
from mrml_pairs import geometry, registration, rotation
from panel_helpers import node_names, settle
from scipy import ndimage

from MetaRegistrationLib.core.brightness import even_brightness
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.mrml import display_volume, overlay, transforms, views
from MetaRegistrationLib.mrml.overlay import Compared
from MetaRegistrationLib.mrml.resampling import resampled_on
from MetaRegistrationLib.mrml.volumes import ijk_to_ras, volume_from_image

SIZE = (120, 120)
PLAIN = Geometry(SIZE, (0.01, 0.01), spacing_known=True)
OBLIQUE = geometry(SIZE, (0.015, 0.012), (4, -7, 11), rotation(0, 20) @ rotation(2, 35))


@pytest.fixture(autouse=True)
def window(rig):
    """Views as large as on a screen."""
    views.set_layout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    rig.main_window.resize(1500, 900)
    rig.main_window.show()
    settle(rig)


def stripes(axis: int, period: int = 20) -> np.ndarray:
    """Bright stripes, a quarter of their period wide, across an axis."""
    bright = np.indices(SIZE)[axis] % period < period // 4
    return np.where(bright, 200, 50).astype(np.float32)


def texture(size=SIZE) -> np.ndarray:
    noise = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=size), 2)
    return (100 * np.exp(noise / noise.std() / 2)).astype(np.float32)


def pair(place: Geometry = PLAIN):
    """Moving with stripes across the rows, fixed with stripes across the columns."""
    moving, fixed = (Image(stripes(axis), place) for axis in (0, 1))
    return volume_from_image(moving, "moving"), volume_from_image(fixed, "fixed")


def drawn(rig, fixed, pixel, view: str = "Red") -> list[int]:
    """Colour of a view over a pixel (row, column) of the fixed volume."""
    ras = (ijk_to_ras(fixed) @ [pixel[1], pixel[0], 0, 1])[:3]
    picture = rig.slice_view(view).render()
    x, y = rig.slice_view(view).to_display(ras)
    return picture[picture.shape[0] - 1 - round(y), round(x)].astype(int).tolist()


BOTH, ONLY_MOVING, ONLY_FIXED, NONE = (42, 62), (42, 72), (52, 62), (52, 72)


def colours(rig, fixed, view: str = "Red") -> list[list[int]]:
    return [drawn(rig, fixed, pixel, view) for pixel in (BOTH, ONLY_MOVING, ONLY_FIXED, NONE)]


@pytest.mark.parametrize("place", [PLAIN, OBLIQUE], ids=["plain", "oblique"])
def test_the_blend_is_white_where_both_agree(rig, place):
    moving, fixed = pair(place)
    shown = overlay.show_overlay(moving, fixed)
    both, only_moving, only_fixed, none = colours(rig, fixed)
    assert min(both) > 140
    assert min(only_moving[0], only_moving[2]) > 140 and only_moving[1] < 90
    assert only_fixed[1] > 140 and max(only_fixed[0], only_fixed[2]) < 90
    assert max(none) < 90
    shown.set_blend(0)
    assert all(red == blue == 0 for red, _green, blue in colours(rig, fixed))
    shown.set_blend(1)
    assert all(green == 0 for _red, green, _blue in colours(rig, fixed))
    steps = []
    for fraction in (0, 0.25, 0.499, 0.501, 0.75, 1):
        shown.set_blend(fraction)
        steps.append(drawn(rig, fixed, BOTH))
    red, green = (np.array([step[channel] for step in steps]) for channel in (0, 1))
    full = steps[2][0]
    np.testing.assert_allclose(red, full * np.array([0, 0.5, 1, 1, 1, 1]), atol=3)
    np.testing.assert_allclose(green, full * np.array([1, 1, 1, 1, 0.5, 0]), atol=3)


def test_an_aligned_pair_looks_aligned_in_spite_of_shading(rig):
    image, ramp = texture(), np.linspace(0.15, 1, SIZE[1])
    moving = volume_from_image(Image(image * ramp[::-1], PLAIN), "moving")
    fixed = volume_from_image(Image(image * ramp, PLAIN), "fixed")
    shown = overlay.show_overlay(moving, fixed)
    picture = rig.slice_view("Red").render().astype(float)
    columns = np.flatnonzero(picture.any(axis=(0, 2)))
    for part in np.array_split(columns, 4):
        red, green = picture[:, part, 0].mean(), picture[:, part, 1].mean()
        assert red == pytest.approx(green, rel=0.15)
    left, right = (
        np.array_split(slicer.util.arrayFromVolume(node)[0], 4, axis=1)[0].mean() for node in (moving, fixed)
    )
    assert left > 3 * right, "in the images it is not so"
    grey = shown._grey
    for drawn_image, volume in zip(grey, (moving, fixed), strict=True):
        expected = even_brightness(slicer.util.arrayFromVolume(volume)[0])
        np.testing.assert_allclose(drawn_image, expected, atol=1e-3)


def test_the_users_volumes_stay_as_they_are_and_lie_below(rig):
    moving, fixed = pair()
    arrays = [slicer.util.arrayFromVolume(node).copy() for node in (moving, fixed)]
    levels = [(node.GetDisplayNode().GetWindow(), node.GetDisplayNode().GetLevel()) for node in (moving, fixed)]
    names = node_names()
    shown = overlay.show_overlay(moving, fixed)
    for node, array, level in zip((moving, fixed), arrays, levels, strict=True):
        np.testing.assert_array_equal(slicer.util.arrayFromVolume(node), array)
        assert (node.GetDisplayNode().GetWindow(), node.GetDisplayNode().GetLevel()) == level
    composite = slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceCompositeNode")
    layers = composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()
    assert layers == (fixed.GetID(), moving.GetID()), "the cursor says their values"
    (picture,) = slicer.util.getNodesByClass("vtkMRMLVectorVolumeNode")
    assert picture.GetHideFromEditors() and not picture.GetSaveWithScene()
    shown.close()
    assert node_names() == names
    assert composite.GetNumberOfAdditionalLayers() == 0 and composite.GetAttribute("MetaRegistration.Compared") is None
    assert composite.GetBackgroundVolumeID() == fixed.GetID()


def test_a_saved_scene_holds_no_picture_and_shows_it_again(rig, tmp_path):
    moving, fixed = pair()
    shown = overlay.show_overlay(moving, fixed, Compared("swipe", 0.25))
    before = rig.slice_view("Red").render()
    file = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(file))
    with zipfile.ZipFile(file) as bundle:
        names = bundle.namelist()
        scene = bundle.read(next(name for name in names if name.endswith(".mrml"))).decode()
    assert len([name for name in names if name.endswith(".nrrd")]) == 2 and "DisplayOnly" not in scene
    shown.close()
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(file))
    assert display_volume.display_volume() is None
    moving, fixed = slicer.util.getNode("moving"), slicer.util.getNode("fixed")
    assert overlay.overlay_of(fixed, moving) is None, "these are not shown"
    again = overlay.overlay_of(moving, fixed)
    assert again.how == Compared("swipe", 0.25)
    settle(rig)
    np.testing.assert_allclose(rig.slice_view("Red").render().astype(int), before.astype(int), atol=2)


def test_blink_and_flicker_show_one_image_at_a_time_in_grey(rig):
    moving, fixed = pair()
    shown = overlay.show_overlay(moving, fixed)
    blend = rig.slice_view("Red").render()

    def stripes_of() -> str:
        found = colours(rig, fixed)
        assert all(red == green == blue for red, green, blue in found)
        both, only_moving, only_fixed, none = (colour[0] > 100 for colour in found)
        assert both and not none and only_moving != only_fixed
        return "moving" if only_moving else "fixed"

    shown.flicker()
    assert stripes_of() == "moving"
    shown.flicker()
    assert stripes_of() == "fixed"
    shown.flicker()
    assert stripes_of() == "moving"
    shown.flicker(False)
    np.testing.assert_array_equal(rig.slice_view("Red").render(), blend)
    shown.compare(Compared("blink", 0))
    assert stripes_of() == "fixed"
    shown.compare(Compared("blink", 1))
    assert stripes_of() == "moving"


def test_tiles_and_the_line_are_where_they_belong(rig):
    moving, fixed = pair()
    shown = overlay.show_overlay(moving, fixed, Compared("checkerboard", 2))
    for rows, columns, of_moving in ((0, 0, True), (0, 60, False), (60, 0, False), (60, 60, True)):
        along, across = drawn(rig, fixed, (rows + 22, columns + 33)), drawn(rig, fixed, (rows + 33, columns + 22))
        assert (along[0] > 100, across[0] > 100) == (of_moving, not of_moving)
    shown.compare(Compared("swipe", 0.25))
    assert min(drawn(rig, fixed, (33, 30))) > 200, "the line"
    assert drawn(rig, fixed, (22, 13))[0] > 100 > drawn(rig, fixed, (33, 2))[0], "moving to its left"
    assert drawn(rig, fixed, (33, 62))[0] > 100 > drawn(rig, fixed, (22, 73))[0], "fixed to its right"


def test_the_picture_follows_transforms_pixels_and_positions(rig):
    moving, fixed = pair()
    waiting: list = []
    shown = overlay.show_overlay(moving, fixed, later=lambda milliseconds, function: waiting.append(function))

    def follow() -> list[list[int]]:
        while waiting:
            waiting.pop()()
        return colours(rig, fixed)

    first = follow()
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    moving.SetAndObserveTransformNodeID(transform.GetID())
    assert follow() == first
    matrix = np.eye(4)
    matrix[1, 3] = -0.1  # ten rows, half a period
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    shifted = follow()
    assert shifted[2][0] > 140 > 90 > shifted[0][0], "the stripes of moving are between their former positions"
    slicer.util.updateVolumeFromArray(moving, stripes(0)[None, ::-1] * 0 + texture()[None])
    assert follow() != shifted
    shown.close()
    assert waiting == [] and follow() is not None
    moving.SetAndObserveTransformNodeID(None)
    assert waiting == []


def test_the_picture_goes_with_a_volume(rig):
    moving, fixed = pair()
    waiting: list = []
    shown = overlay.show_overlay(moving, fixed, later=lambda milliseconds, function: waiting.append(function))
    slicer.mrmlScene.RemoveNode(moving)
    while waiting:
        waiting.pop()()
    shown.set_blend(0.2)
    shown.flicker()
    assert slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceCompositeNode").GetForegroundVolumeID() is None


def test_another_volume_that_the_user_chooses_is_seen(rig):
    moving, fixed = pair()
    other = volume_from_image(Image(texture(), PLAIN), "other")
    waiting: list = []
    overlay.show_overlay(moving, fixed, later=lambda milliseconds, function: waiting.append(function))
    slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceCompositeNode").SetBackgroundVolumeID(other.GetID())
    while waiting:
        waiting.pop()()
    assert display_volume.display_volume() is None


def test_an_overlay_outlives_its_scene(rig):
    shown = overlay.show_overlay(*pair())
    slicer.mrmlScene.Clear(0)
    shown.set_blend(0.2)
    shown.flicker()
    shown.close()
    assert slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceCompositeNode").GetBackgroundVolumeID() is None
    assert display_volume.display_volume() is None


def test_other_contents_of_a_view_take_the_picture_away(rig):
    moving, fixed = pair()
    overlay.show_overlay(moving, fixed)
    views.show_one(moving)
    assert not display_volume.is_shown("Red")
    red, green, blue = drawn(rig, moving, ONLY_MOVING)
    assert red == green == blue > 200


def test_the_chosen_slice_of_a_stack_is_compared(rig):
    stack = np.stack([texture(), stripes(1), texture()[::-1]])
    fixed = slicer.util.addVolumeFromArray(stack, np.diag([-0.01, -0.01, 0.3, 1]), "stack")
    place = np.diag([-0.01, -0.01, 0.3, 1])
    place[2, 3] = 0.3
    moving = slicer.util.addVolumeFromArray(stripes(0)[None], place, "moving")
    overlay.show_pair_and_overlay(moving, fixed, fixed_slice=1)
    settle(rig)
    both, only_moving, only_fixed, none = (
        drawn(rig, moving, pixel, views.BELOW_PAIR_VIEW) for pixel in (BOTH, ONLY_MOVING, ONLY_FIXED, NONE)
    )
    assert min(both) > 140 > max(none) and only_moving[1] < 90 < only_moving[0] and only_fixed[0] < 90 < only_fixed[1]


def test_resampling_is_that_of_the_registration(rig):
    moving = Image(texture((90, 110)), geometry((90, 110), (0.016, 0.013), (0.1, -0.2, 0), rotation(2, 4)))
    fixed = Image(texture(), PLAIN)
    result = registration(moving, fixed)
    nodes = volume_from_image(moving, "moving"), volume_from_image(fixed, "fixed")
    transform = transforms.grid_transform(result, "transform", moving_node=nodes[0], fixed_node=nodes[1])
    transforms.apply_transform(nodes[0], transform)
    found, expected = resampled_on(*nodes, 0), result.warped()
    inside = np.isfinite(found) & (expected > 0)
    inside = ndimage.binary_erosion(inside, iterations=2)
    assert inside.mean() > 0.4
    np.testing.assert_allclose(found[inside], expected[inside], atol=0.5)


def test_nothing_is_needed_beyond_the_scene(rig, monkeypatch):
    monkeypatch.setattr(slicer, "app", None)
    moving, fixed = pair()
    overlay.show_overlay(moving, fixed)
    composite = slicer.mrmlScene.GetSingletonNode("Red", "vtkMRMLSliceCompositeNode")
    assert slicer.mrmlScene.GetNodeByID(composite.GetForegroundVolumeID()).GetName() == "moving"
