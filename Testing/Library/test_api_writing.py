"""Files that Python code writes: none of the user's is replaced, and what cannot be written is refused by name."""

import warnings

import numpy as np
import pytest
import torch

import MetaRegistrationLib as mr

IMAGE = np.random.default_rng(4).random((20, 30)).astype(np.float32)
GEOMETRY = mr.Geometry(IMAGE.shape, (0.01, 0.02))


@pytest.fixture(scope="module")
def checkpoint():
    return mr.load_checkpoint("voxelmorph_pretrained")


@pytest.mark.parametrize("name", ["a.nrrd", "a.nii.gz", "a.png"])
def test_an_image_replaces_a_file_only_on_request(tmp_path, name):
    array, path = (255 * IMAGE).astype(np.uint8), tmp_path / name
    path.write_bytes(b"mine")
    with pytest.raises(mr.InputError, match=f"{name}.*replace=True"):
        mr.write_image(path, array, GEOMETRY)
    assert path.read_bytes() == b"mine"
    mr.write_image(path, array, GEOMETRY, replace=True)
    np.testing.assert_array_equal(mr.read_image(path).array, array)


def test_an_empty_file_holds_nothing_of_the_user(tmp_path):
    path = tmp_path / "a.nrrd"
    path.touch()
    mr.write_image(path, IMAGE, GEOMETRY)
    np.testing.assert_array_equal(mr.read_image(path).array, IMAGE)


def test_a_checkpoint_replaces_only_checkpoints(tmp_path, checkpoint):
    path = tmp_path / "mine.png"
    path.write_bytes(b"mine")
    with pytest.raises(mr.InputError, match=r"mine\.png.*no checkpoint"):
        mr.save_checkpoint(path, checkpoint)
    assert path.read_bytes() == b"mine"
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pt")
    with pytest.raises(mr.InputError, match=r"other\.pt.*no checkpoint"):
        mr.save_checkpoint(tmp_path / "other.pt", checkpoint)
    for _again in range(2):
        mr.save_checkpoint(tmp_path / "own.pt", checkpoint)
    assert mr.load_checkpoint(tmp_path / "own.pt") == checkpoint


@pytest.mark.parametrize(
    ("array", "geometry", "words"),
    [
        (IMAGE, None, "expected a Geometry, got NoneType"),
        (IMAGE.tolist(), GEOMETRY, "got list"),
        (IMAGE.astype(np.longdouble), GEOMETRY, "float"),
        (IMAGE, mr.Geometry(IMAGE.shape, (0.0, 0.02)), "above 0"),
        (IMAGE, mr.Geometry(IMAGE.shape, (-0.01, 0.02)), "above 0"),
        (IMAGE, mr.Geometry(IMAGE.shape, direction=((2, 0, 0), (0, 2, 0), (0, 0, 1))), "length 1"),
        (np.ma.masked_all(IMAGE.shape, np.uint8), GEOMETRY, "masked"),
        (np.ma.masked_all(IMAGE.shape), GEOMETRY, "not masked, got none"),
        (torch.zeros((20, 30), dtype=torch.complex64), GEOMETRY, "complex"),
    ],
)
def test_what_cannot_be_written_is_refused(tmp_path, array, geometry, words):
    with pytest.raises(mr.InputError, match=rf"a\.nrrd.*{words}"):
        mr.write_image(tmp_path / "a.nrrd", array, geometry)
    assert not list(tmp_path.iterdir())


def test_tensors_and_masked_floats_are_written(tmp_path):
    mr.write_image(tmp_path / "tensor.nrrd", torch.from_numpy(IMAGE), GEOMETRY)
    np.testing.assert_array_equal(mr.read_image(tmp_path / "tensor.nrrd").array, IMAGE)
    mr.write_image(tmp_path / "masked.nrrd", np.ma.masked_less(IMAGE, 0.5), GEOMETRY)
    np.testing.assert_array_equal(np.isnan(mr.read_image(tmp_path / "masked.nrrd").array), IMAGE < 0.5)


def test_paths_that_are_none_are_refused_by_name(tmp_path, checkpoint):
    for call in (
        lambda: mr.read_image(None),
        lambda: mr.read_image(b"x.png"),
        lambda: mr.write_image(None, IMAGE, GEOMETRY),
        lambda: mr.save_checkpoint(None, checkpoint),
    ):
        with pytest.raises(mr.InputError, match="path: expected a path, got"):
            call()
    with pytest.raises(mr.InputError, match="it is a folder"):
        mr.save_checkpoint(tmp_path, checkpoint)


def test_a_state_dict_is_refused_in_a_few_words(tmp_path, checkpoint):
    with pytest.raises(mr.InputError, match=r"expected a Checkpoint.*got dict") as refused:
        mr.save_checkpoint(tmp_path / "a.pt", checkpoint.weights)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("device", ["zzz", "cuda:99", 3.5])
def test_a_network_is_not_built_on_a_device_that_is_not_there(checkpoint, device):
    with warnings.catch_warnings(), pytest.raises(mr.InputError, match="device"):
        warnings.simplefilter("ignore")
        checkpoint.build(device)
