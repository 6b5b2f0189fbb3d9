"""Tests of the tasks of volumes: adjacent axial slices."""

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from training_helpers import PREPROCESSING, SIZE, orientations, same, texture

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.simulation import RepeatSettings
from MetaRegistrationLib.tasks import (
    VolumeTask,
    adjacent_pairs,
    volumes,
)


def axial_volume(seed=0, slices=7, empty=(), shape=(24, 20)):
    """Slices (S, H, W) of different textures on a black background; those in `empty` are black."""
    volume = np.zeros((slices, *shape), np.float32)
    for index in range(slices):
        if index not in empty:
            volume[index, 4:-4, 3:-3] = 10 + 100 * texture(100 * seed + index, (shape[0] - 8, shape[1] - 6))
    return volume


def write_volume(path, array, orientation="LPS"):
    """Write axial slices (S, H, W; rows to posterior, columns to left) in another orientation of the file's axes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.DICOMOrient(sitk.GetImageFromArray(array), orientation), str(path))
    return path


def is_pair(pair, array, start):
    """Whether a pair is the slices `start` and `start + 1` of an array, prepared."""
    expected = [PREPROCESSING.apply(array[index]) for index in (start, start + 1)]
    return all(
        np.allclose(found, wanted, atol=2e-3) for found, wanted in zip((pair.moving, pair.fixed), expected, strict=True)
    )


@pytest.fixture
def reads(monkeypatch):
    """Names of the volumes that tasks read, in order."""
    names, read = [], volumes.read_volume

    def noting(path, **options):
        names.append(path.name)
        return read(path, **options)

    monkeypatch.setattr(volumes, "read_volume", noting)
    return names


@pytest.mark.parametrize("suffix", ["nii.gz", "nrrd", "mha"])
@pytest.mark.parametrize("orientation", ["LPS", "RAS", "PIR", "SRP"])
def test_pairs_are_adjacent_axial_slices_whatever_the_orientation_of_the_file(orientation, suffix, tmp_path):
    array = axial_volume()
    path = write_volume(tmp_path / f"volume.{suffix}", array, orientation)
    pairs = VolumeTask("t", [path], [path], PREPROCESSING).validation_pairs()
    starts = [next(start for start in range(6) if is_pair(pair, array, start)) for pair in pairs]
    assert starts == [1, 2, 3, 4]


def test_a_file_of_nibabel_is_read_as_its_affine_says(tmp_path):
    array = axial_volume()
    to_ras = np.ascontiguousarray(array.transpose(2, 1, 0)[::-1, ::-1])  # x to the right, y to anterior, z up
    nibabel.save(nibabel.Nifti1Image(to_ras, np.diag([0.9, 0.9, 3.0, 1.0])), tmp_path / "v.nii.gz")
    sagittal = np.ascontiguousarray(to_ras.transpose(1, 2, 0))  # the file's axes: y, z, x
    affine = np.array([[0, 0, 0.9, 0], [0.9, 0, 0, 0], [0, 3.0, 0, 0], [0, 0, 0, 1.0]])
    nibabel.save(nibabel.Nifti1Image(sagittal, affine), tmp_path / "s.nii.gz")
    for name in ("v.nii.gz", "s.nii.gz"):
        pairs = VolumeTask("t", [tmp_path / name], [tmp_path / name], PREPROCESSING).validation_pairs()
        assert [is_pair(pair, array, start) for pair, start in zip(pairs, (1, 2, 3, 4), strict=True)] == [True] * 4


def test_training_pairs_are_adjacent_slices_turned_alike(tmp_path):
    array = axial_volume()
    task = VolumeTask("t", [write_volume(tmp_path / "v.nrrd", array)], [], PREPROCESSING)
    slices = [orientations(PREPROCESSING.apply(image)) for image in array]
    rng, seen = np.random.default_rng(0), set()
    for step in range(40):
        pair = task.training_pair(rng, step)
        assert pair.moving.shape == pair.fixed.shape == (SIZE, SIZE) and pair.moving.dtype == np.float32
        found = [
            (moving, fixed, way)
            for moving in range(7)
            for fixed in range(7)
            for way in range(8)
            if np.array_equal(pair.moving, slices[moving][way]) and np.array_equal(pair.fixed, slices[fixed][way])
        ]
        assert len(found) == 1 and abs(found[0][0] - found[0][1]) == 1
        seen.add(found[0])
    assert len({frozenset(pair[:2]) for pair in seen}) == 6 and len({pair[2] for pair in seen}) == 8


@pytest.mark.parametrize(
    ("empty", "starts"),
    [((), range(6)), ((0, 6), range(1, 5)), ((3,), [0, 1, 4, 5]), ((1, 3, 5), []), (range(7), [])],
)
def test_slices_without_content_are_left_out(empty, starts):
    assert adjacent_pairs(axial_volume(empty=empty)).tolist() == list(starts)


def test_a_few_bright_pixels_are_no_content():
    array = axial_volume(shape=(40, 40))
    array[2] = 0
    array[2, 10, 10:20] = 50  # 10 of 1600 pixels
    assert adjacent_pairs(array).tolist() == [0, 3, 4, 5]
    assert adjacent_pairs(array, least_content=0.005).tolist() == [0, 1, 2, 3, 4, 5]


def test_training_never_draws_an_empty_slice(tmp_path):
    task = VolumeTask("t", [write_volume(tmp_path / "v.nrrd", axial_volume(empty=(0, 3, 6)))], [], PREPROCESSING)
    rng = np.random.default_rng(1)
    pairs = [task.training_pair(rng, step) for step in range(30)]
    assert all(image.max() == 1 for pair in pairs for image in (pair.moving, pair.fixed))


def test_volumes_without_two_slices_of_content_are_refused_by_name(tmp_path):
    path = write_volume(tmp_path / "hollow.nrrd", axial_volume(empty=(1, 3, 5)))
    task = VolumeTask("brain", [path], [path], PREPROCESSING)
    with pytest.raises(InputError, match=r"Task brain: no two adjacent slices.*hollow"):
        task.training_pair(np.random.default_rng(0), 0)
    assert task.validation_pairs() == []
    with pytest.raises(InputError, match="Task brain: no volumes"):
        VolumeTask("brain", [], [path], PREPROCESSING)


def test_held_out_volumes_are_never_trained_on(tmp_path, reads):
    paths = [write_volume(tmp_path / f"v{n}.nrrd", axial_volume(n)) for n in range(4)]
    task = VolumeTask("t", paths[:2], paths[2:], PREPROCESSING)
    rng = np.random.default_rng(0)
    for step in range(20):
        task.training_pair(rng, step)
    assert set(reads) == {"v0.nrrd", "v1.nrrd"}
    pairs = task.validation_pairs()
    assert set(reads) == {"v0.nrrd", "v1.nrrd", "v2.nrrd", "v3.nrrd"}
    assert [
        any(is_pair(pair, axial_volume(n), k) for k in range(6)) for pair, n in zip(pairs, (2, 2, 3, 3), strict=True)
    ]
    assert all(same(a, b) for a, b in zip(pairs, task.validation_pairs(), strict=True))
    assert task.describe()["validation"] == ["v2.nrrd", "v3.nrrd"]


def test_validation_pairs_of_a_thin_volume_are_not_repeated(tmp_path):
    path = write_volume(tmp_path / "v.nrrd", axial_volume(slices=2))
    assert len(VolumeTask("t", [path], [path], PREPROCESSING).validation_pairs()) == 1


def test_many_volumes_take_turns_in_memory(tmp_path, reads, monkeypatch):
    monkeypatch.setattr(VolumeTask, "in_memory", 2)
    monkeypatch.setattr(VolumeTask, "rotation", 5)
    paths = [write_volume(tmp_path / f"v{n}.nrrd", axial_volume(n)) for n in range(5)]
    task = VolumeTask("t", paths, [], PREPROCESSING)
    rng = np.random.default_rng(0)
    for step in range(5):
        task.training_pair(rng, step)
    assert len(reads) == 2  # two volumes, each read once
    for step in range(5, 100):
        task.training_pair(rng, step)
    assert set(reads) == {f"v{n}.nrrd" for n in range(5)}
    assert len(reads) <= 2 * 20


def test_a_draw_depends_on_nothing_but_rng_and_step(tmp_path, monkeypatch):
    monkeypatch.setattr(VolumeTask, "in_memory", 2)
    monkeypatch.setattr(VolumeTask, "rotation", 5)
    paths = [write_volume(tmp_path / f"v{n}.nrrd", axial_volume(n)) for n in range(5)]
    settings = RepeatSettings(displacement_px=3.0)
    busy, fresh = (VolumeTask("t", paths, paths[:1], PREPROCESSING, deformation=settings) for _ in range(2))
    for step in range(12):
        busy.training_pair(np.random.default_rng(step), step)
    busy.validation_pairs()
    first, again = (task.training_pair(np.random.default_rng(77), 31) for task in (busy, fresh))
    assert same(first, again)
    assert not same(first, fresh.training_pair(np.random.default_rng(78), 31))


def test_a_window_clips_intensities_first(tmp_path):
    array = axial_volume()
    clipped = write_volume(tmp_path / "clipped.nrrd", np.clip(array, 30, 80))
    plain = write_volume(tmp_path / "plain.nrrd", array)
    windowed = VolumeTask("t", [plain], [plain], PREPROCESSING, window=(30, 80)).validation_pairs()
    expected = VolumeTask("t", [clipped], [clipped], PREPROCESSING).validation_pairs()
    without = VolumeTask("t", [plain], [plain], PREPROCESSING).validation_pairs()
    assert all(same(a, b) for a, b in zip(windowed, expected, strict=True))
    assert not any(same(a, b) for a, b in zip(windowed, without, strict=True))


def test_a_deformation_moves_one_of_the_slices_and_only_in_training(tmp_path):
    array = axial_volume(slices=2)
    path = write_volume(tmp_path / "v.nrrd", array)
    task = VolumeTask("t", [path], [path], PREPROCESSING, deformation=RepeatSettings(displacement_px=4.0))
    assert is_pair(task.validation_pairs()[0], array, 0)
    still = orientations(PREPROCESSING.apply(array[1]))
    first = orientations(PREPROCESSING.apply(array[0]))
    rng = np.random.default_rng(0)
    for step in range(8):
        images = [(pair := task.training_pair(rng, step)).moving, pair.fixed]
        assert sum(any(np.array_equal(image, way) for way in still) for image in images) == 1
        assert not any(np.array_equal(image, way) for image in images for way in first)
