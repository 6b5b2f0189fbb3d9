"""The public interface replaces no input, compares geometries, rounds no label, and refuses what it would get wrong."""

from __future__ import annotations

import json
import threading

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from api_images import SIZE, itk_image, known, resampled, shifted, textures
from known_networks import NETWORK_ALONE, Waves
from PIL import Image as PillowImage
from torch import nn

import MetaRegistrationLib as mr
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.resources import sample_visits

ALIGNMENT = mr.Stages(network=False, refine=0)


@pytest.fixture(scope="module")
def result():
    """One result for tests that change nothing of it."""
    return known(*textures())


def content(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def written(folder, *names):
    """Files of two textures."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in names]
    for path, array in zip(paths, textures(), strict=True):
        sitk.WriteImage(itk_image(array), str(path))
    return paths


@pytest.mark.parametrize(
    "names", [("moving.nrrd", "other.nrrd"), ("other.nrrd", "fixed.nrrd"), ("warped.nrrd", "b.nrrd")]
)
def test_saving_replaces_neither_image(tmp_path, names):
    paths = written(tmp_path / "in", *names)
    result = known(*paths)
    before = content(tmp_path)
    with pytest.raises(mr.InputError, match="Results would replace the input"):
        result.save(tmp_path / "in")
    assert content(tmp_path) == before


def test_saving_leaves_landmarks_of_the_user_alone(result, tmp_path):
    (tmp_path / "landmarks.csv").write_text("x,y\n1,2\n", encoding="utf-8")
    result.save(tmp_path)
    assert (tmp_path / "landmarks.csv").read_text(encoding="utf-8") == "x,y\n1,2\n"


def test_saving_again_replaces_the_earlier_result(result, tmp_path):
    points = np.array([[50.0, 60.0], [100.0, 90.0]])
    known(*textures(), landmarks=(points, points)).save(tmp_path)
    assert (tmp_path / "landmarks.csv").is_file()
    result.save(tmp_path)
    assert not (tmp_path / "landmarks.csv").exists()


def test_a_folder_is_not_registered_into_itself(tmp_path):
    written(tmp_path / "set" / "p1", "moving.nrrd", "fixed.nrrd")
    before = content(tmp_path)
    with pytest.raises(mr.InputError, match="Results would replace the input"):
        mr.register_folder(tmp_path / "set", tmp_path / "set", stages=ALIGNMENT)
    words = ["register", "--pairs", str(tmp_path / "set"), "--output", str(tmp_path / "set"), "--no-network"]
    assert main(words) == 2
    assert content(tmp_path) == before


def test_visits_are_not_saved_over_themselves(tmp_path):
    files = []
    for path in sorted(sample_visits().glob("*.png"))[:2]:
        files.append(tmp_path / f"{path.stem}.nrrd")
        sitk.WriteImage(itk_image(mr.read_image(path).array), str(files[-1]))
    before = content(tmp_path)
    visits = mr.align_visits(files, stages=ALIGNMENT)
    with pytest.raises(mr.InputError, match="Results would replace the input"):
        visits.save(tmp_path)
    assert content(tmp_path) == before


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64, np.uint32])
def test_an_opacity_that_nobody_can_tell_is_refused(dtype):
    moving, fixed = textures()
    four = np.dstack([moving] * 3 + [np.full(SIZE, 255.0)]).astype(dtype)
    with pytest.raises(mr.InputError, match="the fourth is the opacity; got"):
        known(four, fixed)


def test_the_transform_fits_the_images_that_were_given_whatever_size_is_stated():
    moving, fixed = (itk_image(array, origin=(100.0, 200.0)) for array in textures())
    result = known(moving, fixed, spacing=0.01)
    assert result.details.fixed.geometry.spacing == (0.01, 0.01)
    np.testing.assert_allclose(resampled(moving, fixed, result), result.warped(), atol=1e-3)


@pytest.mark.parametrize("suffix", ["tif", "png", "jpg"])
def test_the_transform_fits_what_simpleitk_makes_of_a_print_resolution(tmp_path, suffix):
    paths = [tmp_path / f"{role}.{suffix}" for role in ("moving", "fixed")]
    for path, array in zip(paths, textures(), strict=True):
        PillowImage.fromarray(array.astype(np.uint8)).save(path, dpi=(300, 300))
    result = known(*paths)
    images = [sitk.ReadImage(str(path)) for path in paths]
    warped = sitk.GetArrayFromImage(sitk.Resample(*images, result.transform(), sitk.sitkLinear, 0.0, sitk.sitkFloat32))
    np.testing.assert_allclose(warped, result.warped(), atol=1e-3)


ELSEWHERE = {
    "shifted": {"spacing": (0.02, 0.02), "origin": (30.0, 4.0)},
    "turned": {"spacing": (0.02, 0.02), "origin": (3.0, 4.0), "direction": (-1.0, 0.0, 0.0, -1.0)},
    "of another size": {"spacing": (0.05, 0.05), "origin": (3.0, 4.0)},
}


def placed_pair():
    return [itk_image(array, (0.02, 0.02), (3.0, 4.0)) for array in textures()]


@pytest.fixture(scope="module")
def placed_result(tmp_path_factory):
    """The result of images that lie somewhere, and its folder."""
    result = known(*placed_pair())
    return result, result.save(tmp_path_factory.mktemp("placed") / "result")


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_what_lies_elsewhere_is_refused_in_python_and_on_the_command_line(placed_result, tmp_path, kind):
    result, folder = placed_result
    labels = itk_image(np.ones(SIZE, np.uint8), **ELSEWHERE[kind])
    with pytest.raises(mr.InputError, match="expected the geometry of the image"):
        result.warp(labels)
    with pytest.raises(mr.InputError, match="moving_mask: expected the geometry"):
        known(*placed_pair(), moving_mask=labels)
    sitk.WriteImage(labels, str(tmp_path / "labels.nrrd"))
    words = [
        "warp",
        "--result",
        str(folder),
        "--images",
        str(tmp_path / "labels.nrrd"),
        "--output",
        str(tmp_path / "o"),
    ]
    assert main(words) == 2
    assert not (tmp_path / "o" / "labels.nrrd").exists()
    plain = itk_image(np.ones(SIZE, np.uint8))  # as SimpleITK makes it of an array
    assert result.warp(plain).any()


def test_unit_spacing_does_not_hide_that_something_lies_elsewhere():
    result = known(*(itk_image(array) for array in textures()))
    for wrong in ({"origin": (30.0, 0.0)}, {"direction": (-1.0, 0.0, 0.0, -1.0)}, {"spacing": (0.5, 0.5)}):
        with pytest.raises(mr.InputError, match="expected the geometry"):
            result.warp(itk_image(np.ones(SIZE, np.uint8), **wrong))


def test_labels_that_would_be_rounded_are_refused(result, tmp_path):
    labels = np.full(SIZE, 2**24 + 1, np.uint32)
    sitk.WriteImage(itk_image(labels), str(tmp_path / "labels.nrrd"))
    assert set(np.unique(result.warp(tmp_path / "labels.nrrd"))) <= {0, 2**24 + 1}
    with pytest.raises(mr.InputError, match="which an Image rounds"):
        result.warp(mr.read_image(tmp_path / "labels.nrrd"))
    with pytest.raises(mr.InputError, match="masked"):
        result.warp(np.ma.masked_equal(labels, 5) | np.ma.masked_array(labels, labels > 0))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_label_map_with_a_palette_is_its_indices(tmp_path, suffix):
    indices = np.random.default_rng(0).integers(0, 4, SIZE).astype(np.uint8)
    image = PillowImage.fromarray(indices, "P")
    image.putpalette([0, 0, 0, 200, 10, 10, 10, 200, 10, 10, 10, 200] + [0] * (256 * 3 - 12))
    image.save(tmp_path / f"labels.{suffix}")
    result = known(*textures(), shifted(0.0, 0.0))
    np.testing.assert_array_equal(result.warp(tmp_path / f"labels.{suffix}"), indices)


def test_the_command_writes_colours(result, tmp_path):
    folder = result.save(tmp_path / "result")
    colours = np.dstack([textures()[0].astype(np.uint8)] * 3)
    PillowImage.fromarray(colours).save(tmp_path / "colours.png")
    words = ["warp", "--result", str(folder), "--output", str(tmp_path / "o"), "--interpolation", "linear"]
    assert main([*words, "--images", str(tmp_path / "colours.png")]) == 0
    read = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "o" / "colours.nrrd")))[0]
    np.testing.assert_allclose(read, result.warp(colours, "linear"), atol=1e-3)


def test_pixels_without_a_value_are_nan_in_every_result(tmp_path):
    moving, fixed = textures()
    moving[60:90, 60:90] = np.nan
    result = known(moving, fixed)
    warped = result.warped()
    expected = resampled(itk_image(moving), itk_image(fixed), result)
    assert np.isnan(warped).sum() > 500
    both = np.isfinite(warped) & np.isfinite(expected)
    assert both.sum() > 0.9 * warped.size
    np.testing.assert_allclose(warped[both], expected[both], atol=1e-3)
    stored = result.save(tmp_path / "result") / "warped.nrrd"
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(stored)))[0], warped)
    np.testing.assert_array_equal(result.warp(moving, "linear"), warped)


def test_an_image_object_is_copied_and_the_field_is_read_only():
    moving, fixed = (mr.Image(array, mr.Geometry(array.shape)) for array in textures())
    result = known(moving, fixed)
    before = result.warped()
    moving.array[...] = 0
    np.testing.assert_array_equal(result.warped(), before)
    with pytest.raises(ValueError, match="read-only"):
        result.displacement_px[...] = 0


@pytest.mark.parametrize("fill", [-1, 300, 0.5, np.nan, "x", None])
def test_a_fill_that_the_type_cannot_have_is_refused(result, fill):
    with pytest.raises(mr.InputError, match="fill: expected a number that pixels of uint8 can have"):
        result.warp(np.ones(SIZE, np.uint8), fill=fill)


class Locked(nn.Module):
    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()


WRONG = {
    "device": ({"device": None}, "device: expected auto"),
    "a device that is not there": ({"device": torch.device("cuda:99")}, "cuda:99"),
    "a module as a checkpoint": ({"checkpoint": nn.Identity()}, "A torch module is given as `network`"),
    "a network that cannot be copied": (
        {"network": Locked()},
        "network: expected a torch.nn.Module that can be copied",
    ),
    "a network without values": ({"network": nn.Conv2d(2, 2, 3, device="meta")}, "network"),
    "a checkpoint that is not used": ({"checkpoint": "typo.pt", "stages": ALIGNMENT}, "checkpoint: expected None"),
    "a network that is not used": ({"network": Waves(0.1), "stages": ALIGNMENT}, "network: expected None"),
    "spacing": ({"spacing": True}, "spacing: expected"),
    "spacing of truth values": ({"spacing": [np.True_, np.True_]}, "spacing: expected"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_arguments_are_refused_by_name(kind):
    options, words = WRONG[kind]
    with pytest.raises(mr.InputError, match=words):
        mr.register(*textures(), **options)


def test_numbers_of_numpy_serve_as_plain_ones(result, tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.stack([textures()[0]] * 3)), str(tmp_path / "stack.nrrd"))
    image = mr.read_image(tmp_path / "stack.nrrd", slice_index=np.uint8(2), spacing_um=np.float32(20), override=True)
    assert [type(step) for step in image.geometry.spacing] == [float, float]
    assert result.transform(dimension=np.int64(3)).GetDimension() == 3
    stages = mr.Stages(refine=np.int64(5))
    assert stages == mr.Stages(refine=5) and json.dumps(stages.to_dict())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"slice_index": True}, "slice_index: expected a whole number, got True"),
        ({"slice_index": 1.0}, "slice_index: expected a whole number, got 1.0"),
        ({"spacing_um": "20"}, "spacing_um: expected a number, got '20'"),
    ],
)
def test_what_is_no_number_is_refused_by_name(tmp_path, options, words):
    with pytest.raises(mr.InputError, match=words):
        mr.read_image(tmp_path / "any.png", **options)


@pytest.mark.parametrize("steps", [True, np.True_, 5.0, np.float64(5), "5", -1, np.int64(-1), None])
def test_refinement_steps_that_are_none_are_refused(steps):
    with pytest.raises(mr.InputError, match="refine: expected a number of steps"):
        mr.Stages(refine=steps)


def test_paths_that_are_none_are_refused(result, tmp_path):
    for call in (
        lambda: mr.load_checkpoint(None),
        lambda: mr.evaluate(None),
        lambda: mr.register_folder(tmp_path, None),
        lambda: mr.finetune(5),
        lambda: result.save(None),
    ):
        with pytest.raises(mr.InputError, match="expected"):
            call()


def test_a_stack_says_how_python_reads_a_slice(tmp_path):
    sitk.WriteImage(sitk.GetImageFromArray(np.stack(textures())), str(tmp_path / "stack.nrrd"))
    with pytest.raises(mr.InputError, match=r"mr.read_image\(path, slice_index=N\)"):
        mr.register(tmp_path / "stack.nrrd", textures()[1])
    image = mr.read_image(tmp_path / "stack.nrrd", slice_index=0)
    assert known(image, textures()[1]).transform(dimension=3).GetDimension() == 3


def test_the_record_is_plain_and_random_numbers_go_on_as_they_were():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    result = mr.register(*textures(), checkpoint=mr.load_checkpoint("voxelmorph_meta"), stages=NETWORK_ALONE)
    assert torch.equal(torch.rand(1), expected)
    json.dumps(result.record)


def test_numpy_lists_serve_for_visits(tmp_path):
    files = sorted(sample_visits().glob("*.png"))[:2]
    options = {"names": np.array(["a", "b"]), "dates": np.array(["2021-03-04", "2022-01-01"], "datetime64[D]")}
    masks = np.ones((2, *mr.read_image(files[0]).array.shape), bool)
    visits = mr.align_visits(files, masks=masks, stages=ALIGNMENT, **options)
    assert (visits.names, visits.dates) == (["a", "b"], ["2021-03-04", "2022-01-01"])
    with pytest.raises(mr.InputError, match="names"):
        mr.align_visits(files, names=["", "b"])


def test_several_threads_register_at_once():
    found, pairs = [], [textures(), textures()]

    def work(pair):
        found.append(mr.register(*pair, checkpoint="voxelmorph_meta", stages=NETWORK_ALONE).displacement_px)

    threads = [threading.Thread(target=work, args=(pair,)) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(found[0], found[1])


def test_words_are_no_truth_values(result, tmp_path):
    folder, geometry = tmp_path / "pairs", mr.Geometry(SIZE)
    for call, name in (
        (lambda: mr.register_folder(folder, tmp_path / "out", replace="no"), "replace"),
        (lambda: mr.register_folder(folder, tmp_path / "out", resume="no"), "resume"),
        (lambda: mr.evaluate(folder, replace=0), "replace"),
        (lambda: mr.finetune(folder, plain="no"), "plain"),
        (lambda: mr.finetune(folder, hold_out="no"), "hold_out"),
        (lambda: result.save(tmp_path / "out", replace="no"), "replace"),
        (lambda: mr.write_image(tmp_path / "a.nrrd", np.ones(SIZE), geometry, replace="no"), "replace"),
    ):
        with pytest.raises(mr.InputError, match=f"{name}: expected True or False, got"):
            call()
    mr.write_image(tmp_path / "a.nrrd", np.ones(SIZE), geometry, replace=np.False_)
    with pytest.raises(mr.InputError, match="stages: expected a mapping of names to values, got NoneType"):
        mr.Stages.from_dict(None)
