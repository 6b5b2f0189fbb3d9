"""What `mr.register` accepts, and how it refuses everything else."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from api_images import SIZE, WAVES, itk_image, known, shifted, textures
from known_networks import NETWORK_ALONE, Waves
from torch import nn

import MetaRegistrationLib as mr
from MetaRegistrationLib.resources import default_checkpoint, sample_pairs


@pytest.fixture(scope="module")
def expected():
    return known(*(np.round(array) for array in textures()))


def as_colour(array):
    return np.stack([array] * 3, axis=-1)


def as_rgba(array):
    return np.concatenate([as_colour(array), np.full((*array.shape, 1), 255, array.dtype)], axis=-1)


KINDS = {
    "float64": lambda array: array.astype(np.float64),
    "uint8": lambda array: array.astype(np.uint8),
    "uint16, not contiguous": lambda array: array.astype(np.uint16).T.copy().T,
    "colour": lambda array: as_colour(array.astype(np.uint8)),
    "colour of floats": as_colour,
    "colour with opacity": lambda array: as_rgba(array.astype(np.uint8)),
    "one channel": lambda array: array[..., None],
    "tensor": torch.from_numpy,
    "tensor of a batch": lambda array: torch.from_numpy(array)[None, None].requires_grad_(),
    "tensor of colour, channels first": lambda array: torch.from_numpy(as_colour(array)).permute(2, 0, 1),
    "SimpleITK": itk_image,
    "SimpleITK, a slice of a volume": lambda array: sitk.JoinSeries([itk_image(array)]),
    "SimpleITK, a label map": lambda array: sitk.Cast(itk_image(array.astype(np.uint8)), sitk.sitkLabelUInt8),
    "SimpleITK of colour": lambda array: sitk.Compose([itk_image(array.astype(np.uint8))] * 3),
    "Image": lambda array: mr.Image(array, mr.Geometry(array.shape)),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_image_gives_the_same(kind, expected):
    moving, fixed = (np.round(array) for array in textures())
    result = known(KINDS[kind](moving), KINDS[kind](fixed))
    np.testing.assert_allclose(result.displacement_px, expected.displacement_px, atol=1e-4)
    np.testing.assert_allclose(result.warped(), expected.warped(), atol=1e-3)


def test_files_keep_their_geometry(tmp_path):
    paths = [tmp_path / "Bild 1.nrrd", tmp_path / "é.mha"]
    images = [itk_image(array, (0.02, 0.01), (3.0, 4.0)) for array in textures()]
    for path, image in zip(paths, images, strict=True):
        sitk.WriteImage(image, str(path))
    result = known(paths[0], str(paths[1]))
    assert result.transform().GetDimension() == 2
    read = [sitk.ReadImage(str(path)) for path in paths]
    warped = sitk.GetArrayFromImage(sitk.Resample(*read, result.transform(), sitk.sitkLinear, 0.0))
    np.testing.assert_allclose(warped, result.warped(), atol=1e-3)


def test_the_image_that_was_given_is_not_touched_and_not_kept():
    moving, fixed = textures()
    copies = moving.copy(), fixed.copy()
    result = known(moving, fixed)
    warped = result.warped()
    np.testing.assert_array_equal(moving, copies[0])
    moving[...] = 0
    np.testing.assert_array_equal(result.warped(), warped)


def volume():
    return np.random.default_rng(0).random((7, 200, 240))


BAD = {
    "constant": (lambda: np.full(SIZE, 3.0), "the value 3"),
    "all NaN": (lambda: np.full(SIZE, np.nan), "NaN"),
    "too small": (lambda: textures()[0][:12], "16"),
    "three-dimensional": (volume, r"\(7, 200, 240\)"),
    "two channels": (lambda: np.dstack([textures()[0]] * 2), r"\(200, 240, 2\)"),
    "one row": (lambda: textures()[0][0], r"\(240,\)"),
    "complex": (lambda: textures()[0] * 1j, "complex"),
    "text": (lambda: np.array([["a"] * 20] * 20), "<U1"),
    "a stack of SimpleITK": (lambda: sitk.GetImageFromArray(volume()), "240 x 200 x 7"),
    "a number": (lambda: 3, "got int"),
    "nothing": (lambda: None, "got NoneType"),
    "no such file": (lambda: "not there.png", "no such file"),
    "transparent": (lambda: np.zeros((*SIZE, 4), np.uint8), "transparent"),
    "an Image of another size": (lambda: mr.Image(textures()[0], mr.Geometry((10, 10))), r"\(200, 240\)"),
}


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("role", ["moving", "fixed"])
def test_what_cannot_be_registered_is_refused_by_name(kind, role):
    make, came = BAD[kind]
    images = dict(zip(("moving", "fixed"), textures(), strict=True)) | {role: make()}
    with pytest.raises(mr.InputError, match=came) as caught:
        known(images["moving"], images["fixed"])
    assert role in str(caught.value)


OPTIONS = {
    "spacing of zero": ({"spacing": (0, 1)}, "spacing.*above 0.*got"),
    "spacing of three": ({"spacing": (1, 1, 1)}, "spacing"),
    "mask of another size": ({"moving_mask": np.ones((5, 5))}, "moving_mask: expected 200 rows x 240 columns.*got 5"),
    "empty mask": ({"fixed_mask": np.zeros(SIZE)}, "fixed_mask"),
    "checkpoint": ({"checkpoint": "not_there"}, "not_there.*coarse_to_fine_any"),
    "network": ({"network": "voxelmorph"}, "network: expected a torch.nn.Module object, got str"),
    "class of a network": ({"network": nn.Identity}, "got the class Identity"),
    "stages": ({"stages": "affine"}, "stages: expected Stages"),
    "device": ({"device": "gpu"}, "gpu"),
    "landmarks": ({"landmarks": ([[1, 2]], [[1, 2], [3, 4]])}, "as many moving as fixed points, got 1 and 2"),
    "landmarks outside": ({"landmarks": ([[1, 500]], [[1, 2]])}, "landmarks.*outside"),
}


@pytest.mark.parametrize("kind", OPTIONS)
def test_options_that_cannot_be_used_are_refused_by_name(kind):
    options, words = OPTIONS[kind]
    with pytest.raises(mr.InputError, match=words):
        mr.register(*textures(), **options)


def test_geometry_that_does_not_fit_is_refused():
    moving, fixed = textures()
    with pytest.raises(mr.InputError, match="aspect ratio"):
        mr.register(moving[:60], fixed)
    with pytest.raises(mr.InputError, match="fields of view"):
        mr.register(itk_image(moving, (0.1, 0.1)), itk_image(fixed, (0.01, 0.01)))
    with pytest.raises(mr.InputError, match=r"0.02 x 0.01 mm that `spacing` says.*0.01 x 0.01"):
        mr.register(itk_image(moving, (0.01, 0.01)), fixed, spacing=(0.02, 0.01))
    placed = itk_image(moving, (0.01, 0.01))
    elsewhere = itk_image(np.ones(SIZE, np.uint8), (0.01, 0.01), origin=(1.0, 0.0))
    with pytest.raises(mr.InputError, match="moving_mask: expected the geometry"):
        mr.register(placed, fixed, moving_mask=elsewhere)


def test_a_pixel_size_makes_millimetres_of_pixels():
    result = known(*textures(), spacing=(0.02, 0.01))
    field = result.transform().GetDisplacementField()
    assert field.GetSpacing() == (0.01, 0.02)
    vectors = sitk.GetArrayFromImage(field)
    np.testing.assert_allclose(vectors[..., 0], result.displacement_px[1] * 0.01, atol=1e-6)
    np.testing.assert_allclose(vectors[..., 1], result.displacement_px[0] * 0.02, atol=1e-6)


def test_a_mask_reaches_the_measures():
    moving, fixed = textures()
    mask = np.zeros(SIZE, bool)
    mask[40:160, 40:120] = True
    moving[:, 120:] = fixed[:, 120:]  # beyond the mask the images are one
    masked = known(moving, fixed, shifted(0.0, 0.0), moving_mask=mask, fixed_mask=itk_image(mask.astype(np.uint8)))
    np.testing.assert_array_equal(masked.details.tissue_moving, mask)
    assert masked.ncc[0] < 0.3
    assert known(moving, fixed, shifted(0.0, 0.0)).ncc[0] > 0.4


def test_a_label_map_serves_as_mask_and_is_warped():
    labels = np.zeros(SIZE, np.uint8)
    labels[40:160, 40:120] = 3
    label_map = sitk.Cast(itk_image(labels), sitk.sitkLabelUInt8)
    result = known(*textures(), moving_mask=label_map)
    np.testing.assert_array_equal(result.details.tissue_moving, labels > 0)
    np.testing.assert_array_equal(result.warp(label_map), result.warp(labels))


class Settled(nn.Module):
    """A network with weights, dropout and the calling convention of other packages: images concatenated, two outputs."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(2, 2, 3, padding=1)
        self.dropout = nn.Dropout(0.5)

    def forward(self, images):
        displacement = 0.1 * self.dropout(self.layer(images))
        return images[:, :1], displacement


def test_a_network_of_ones_own_is_used_and_left_as_it_is():
    torch.manual_seed(0)
    network = Settled().train()
    state = {name: value.clone() for name, value in network.state_dict().items()}
    results = [mr.register(*textures(), network=network, stages=NETWORK_ALONE) for _ in range(2)]
    np.testing.assert_array_equal(results[0].displacement_px, results[1].displacement_px)  # no dropout
    assert np.abs(results[0].displacement_px).max() > 0.01
    assert network.training
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert results[0].record["network"]["name"].endswith(":Settled")
    assert len(results[0].record["checkpoint_sha256"]) == 64


def test_a_network_gets_the_weights_of_a_checkpoint(tmp_path):
    torch.manual_seed(0)
    trained, fresh = Settled(), Settled()
    checkpoint = mr.Checkpoint.of_module(trained)
    mr.save_checkpoint(tmp_path / "own.pt", checkpoint)
    first = mr.register(*textures(), network=trained, stages=NETWORK_ALONE)
    second = mr.register(*textures(), checkpoint=tmp_path / "own.pt", network=fresh, stages=NETWORK_ALONE)
    np.testing.assert_array_equal(first.displacement_px, second.displacement_px)
    with pytest.raises(mr.InputError, match="do not fit"):
        mr.register(*textures(), network=trained, checkpoint="voxelmorph_meta", stages=NETWORK_ALONE)


def test_a_checkpoint_by_name_by_path_and_as_an_object():
    assert mr.load_checkpoint("coarse_to_fine_any").path == default_checkpoint()
    path = default_checkpoint().with_name("voxelmorph_meta.pt")
    ways = ("voxelmorph_meta", path, mr.load_checkpoint("voxelmorph_meta.pt"))
    results = [mr.register(*textures(), checkpoint=way, stages=NETWORK_ALONE) for way in ways]
    for result in results[1:]:
        np.testing.assert_array_equal(result.displacement_px, results[0].displacement_px)
    assert {result.record["checkpoint_sha256"] for result in results} == {results[0].record["checkpoint_sha256"]}


def test_a_file_that_changes_is_read_again(tmp_path):
    path = tmp_path / "own.pt"
    found = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        mr.save_checkpoint(path, mr.Checkpoint.of_module(Settled()))
        checkpoint = mr.load_checkpoint(path).with_module(Settled())
        found.append(mr.register(*textures(), checkpoint=checkpoint, stages=NETWORK_ALONE).displacement_px)
    assert np.abs(found[0] - found[1]).max() > 1e-3


def test_unrelated_images_are_left_unchanged_and_said_so():
    result = mr.register(*textures(), stages=mr.Stages("translation"))
    assert result.confidence < 0.5
    assert not result.confident
    assert result.result_stage == "none"
    assert not result.displacement_px.any()
    assert "not confident" in repr(result)


def test_an_image_with_unknown_pixels_everywhere_is_not_called_blank():
    moving, fixed = textures()
    moving[::8] = moving[1::8] = np.nan
    result = mr.register(moving, fixed, stages=mr.Stages("translation", network=False, refine=0))
    assert result.details.alignment.reason == "pixels are unknown all over the moving image" and not result.confident


def test_scattered_unknown_pixels_cost_no_confidence():
    moving, fixed = (mr.read_image(sample_pairs() / role / "phantom_009.png").array for role in ("moving", "fixed"))
    holes = [np.random.default_rng(seed).random(moving.shape) < 0.05 for seed in (0, 1)]
    stages = mr.Stages(network=False, refine=0)
    whole = mr.register(moving, fixed, stages=stages)
    holed = mr.register(
        *(np.where(*each) for each in ((holes[0], np.nan, moving), (holes[1], np.nan, fixed))), stages=stages
    )
    assert holed.confident and np.abs(holed.displacement_px - whole.displacement_px).max() < 0.5
    assert np.isnan(holed.warped()).mean() > 0.1  # of each unknown pixel, all that it contributes to


@pytest.mark.parametrize("role", ["moving", "fixed"])
def test_a_pixel_size_of_one_image_alone_stretches_nothing(role):
    image = textures()[0]
    stages = mr.Stages("translation", network=False, refine=0)
    result = mr.register(image, image, **{f"{role}_spacing": (0.01, 0.02)}, stages=stages)
    assert result.confidence > 0.9 and np.abs(result.displacement_px).max() < 0.5


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"landmarks": (np.array([[1 + 2j, 3]]), np.array([[1, 3]]))},
            r"landmarks.*expected numbers of shape \(N, 2\)",
        ),
        ({"spacing": np.array([0.01 + 0.02j])}, "spacing: expected"),
        ({"moving_mask": torch.ones(64, 64).to_sparse()}, "moving_mask: expected a dense torch tensor"),
    ],
    ids=["points", "spacing", "mask"],
)
def test_numbers_that_are_not_real_or_not_there_are_refused_by_name(given, words):
    with pytest.raises(mr.InputError, match=words):
        mr.register(*textures((64, 64)), stages=mr.Stages("none", network=False, refine=0), **given)


@pytest.mark.filterwarnings("error")
def test_no_landmarks_have_no_distance():
    nothing = np.zeros((0, 2))
    result = mr.register(*textures(), landmarks=(nothing, nothing), stages=mr.Stages("none", network=False, refine=0))
    assert np.isnan(result.measures.distance_after_px)


def test_files_that_cannot_be_written_are_refused_by_name(tmp_path):
    image = textures()[0].astype(np.float32)
    geometry = mr.Geometry(image.shape)
    checkpoint = mr.load_checkpoint(default_checkpoint())
    for write, words in (
        (lambda: mr.save_checkpoint(tmp_path / "no" / "a.pt", checkpoint), "its folder does not exist"),
        (lambda: mr.save_checkpoint(tmp_path / "a.pt", "coarse_to_fine_any"), "expected a Checkpoint"),
        (lambda: mr.write_image(tmp_path / "a.png", image, geometry), "PNG needs uint8"),
        (lambda: mr.write_image(tmp_path / "a.nrrd", image[1:], geometry), "the geometry's size"),
        (lambda: mr.write_image(tmp_path / "a.nrrd", image * 1j, geometry), "got complex64"),
        (lambda: mr.write_image(tmp_path / "a.tif", image, geometry), r"\.nii\.gz, \.png"),
    ):
        with pytest.raises(mr.InputError, match=words):
            write()
    assert not list(tmp_path.iterdir())


def test_a_real_pair_of_drawn_eyes_is_registered():
    folder = sample_pairs()
    files = [folder / role / "phantom_009.png" for role in ("moving", "fixed")]
    result = mr.register(*files)
    assert result.confident and result.confidence > 0.9
    assert result.result_stage == "refine"
    assert result.ncc[1] > result.ncc[0] + 0.2
    aligned = mr.register(*files, stages=mr.Stages(network=False, refine=0))
    assert aligned.result_stage == "initial"


def test_landmarks_are_measured_and_can_lead():
    folder = sample_pairs()
    files = [mr.read_image(folder / role / "phantom_009.png").array for role in ("moving", "fixed")]
    points = np.array([[60.0, 60], [60, 250], [250, 60], [250, 250]])
    target = points + np.array([3, -2])
    result = mr.register(*files, landmarks=(points, target), stages=mr.Stages("landmarks", False, 0))
    np.testing.assert_allclose(result.carry(points), target, atol=1e-2)
    assert result.measures.distance_after_px == pytest.approx(0, abs=0.02)
    assert np.isnan(result.confidence) and not result.confident


def test_importing_is_quick_and_every_name_is_there():
    code = "import sys, MetaRegistrationLib as mr; print('torch' in sys.modules, 'SimpleITK' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    assert mr.__all__ == sorted(mr.__all__)
    for name in mr.__all__:
        assert getattr(mr, name).__doc__, name
    assert set(mr.__all__) <= set(dir(mr))
    with pytest.raises(AttributeError, match="no attribute 'registr'"):
        _ = mr.registr


def test_waves_are_not_small():
    """The known field is large enough for every comparison above."""
    assert np.abs(known(*textures(), Waves(WAVES)).displacement_px).max() > 3
