"""Tests of simulated repeats of slices of volumes: pairs of a source task whose displacement is known."""

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import torch
import training_helpers
from training_helpers import PREPROCESSING, ROOT, load_tasks, same, texture, write_nifti, write_set

from MetaRegistrationLib.core.metrics import normalised_cross_correlation
from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.core.spatial import warp
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.simulation import RepeatSettings
from MetaRegistrationLib.tasks import VolumeTask, adjacent_pairs, load_task_set, slices_with_content
from MetaRegistrationLib.tasks.task_sets import tomllib

CLEAN = replace(training_helpers.CLEAN, displacement_spread_px=0)
LINEAR = Preprocessing(size=96, equalise=False)


def write_stack(path, images):
    """Axial slices as a volume."""
    sitk.WriteImage(sitk.GetImageFromArray(np.stack(images)), str(path))
    return path


@pytest.fixture
def volume(tmp_path):
    return write_stack(tmp_path / "v.nrrd", [texture(seed, (120, 110)) for seed in range(4)])


def test_the_displacement_takes_moving_to_fixed_in_every_orientation(volume):
    """Without noise, moving warped by the displacement is the fixed image."""
    task = VolumeTask("t", [volume], [], LINEAR, simulation=CLEAN, simulated=1.0)
    for seed in range(12):
        pair = task.training_pair(np.random.default_rng(seed), 0)
        assert pair.displacement_px.dtype == np.float32 and pair.displacement_px.shape == (2, 96, 96)
        assert np.linalg.norm(pair.displacement_px, axis=0).mean() == pytest.approx(6, rel=1e-3)
        moving, displacement = (torch.from_numpy(a)[None] for a in (pair.moving[None], pair.displacement_px))
        warped = warp(moving, displacement)[0, 0].numpy()
        positions = np.indices((96, 96)) + pair.displacement_px
        seen = ((positions >= 2) & (positions <= 93)).all(axis=0)
        assert normalised_cross_correlation(warped, pair.fixed, seen) > 0.97
        assert normalised_cross_correlation(pair.moving, pair.fixed, seen) < 0.9


def test_the_share_of_simulated_pairs_is_as_asked_for(volume):
    task = VolumeTask("t", [volume], [], PREPROCESSING, simulation=CLEAN, simulated=0.3)
    pairs = [task.training_pair(np.random.default_rng(seed), 0) for seed in range(200)]
    known = sum(pair.displacement_px is not None for pair in pairs)
    assert 40 <= known <= 80  # 60, standard deviation 6.5
    assert same(pairs[0], task.training_pair(np.random.default_rng(0), 0))


def test_without_a_simulation_nothing_is_drawn_for_it(volume):
    """A draw is made of these random numbers and no others: volume, slice, swap, turns, mirror."""
    task = VolumeTask("t", [volume], [], PREPROCESSING)
    rng, expected = np.random.default_rng(5), np.random.default_rng(5)
    pair = task.training_pair(rng, 0)
    expected.choice(1, p=[1.0]), expected.choice([0, 1, 2]), expected.random(), expected.integers(4), expected.random()
    assert pair.displacement_px is None and rng.random() == expected.random()
    assert not {"simulation", "simulated"} & set(task.describe())  # a run that began before goes on


def test_single_slices_with_content_will_do_for_simulated_pairs_alone(tmp_path):
    empty = np.zeros((64, 64), np.float32)
    path = write_stack(tmp_path / "hollow.nrrd", [empty, texture(1), empty, texture(2), empty])
    settings = replace(CLEAN, displacement_px=1.0)
    task = VolumeTask("t", [path], [], PREPROCESSING, simulation=settings, simulated=1.0)
    assert all(task.training_pair(np.random.default_rng(seed), 0).moving.std() > 0.1 for seed in range(10))
    mixed = VolumeTask("t", [path], [], PREPROCESSING, simulation=settings, simulated=1e-9)
    with pytest.raises(InputError, match=r"Task t: no two adjacent slices with content in .*hollow"):
        mixed.training_pair(np.random.default_rng(0), 0)


def test_volumes_of_nothing_are_refused_by_name(tmp_path):
    path = write_stack(tmp_path / "black.nrrd", [np.zeros((64, 64), np.float32)] * 3)
    task = VolumeTask("t", [path], [], PREPROCESSING, simulation=CLEAN, simulated=1.0)
    with pytest.raises(InputError, match=r"Task t: no slice with content in .*black"):
        task.training_pair(np.random.default_rng(0), 0)


def test_slices_too_small_to_simulate_are_refused_by_file(tmp_path):
    path = write_stack(tmp_path / "thin.nrrd", [texture(1, (12, 40))] * 3)
    task = VolumeTask("t", [path], [], PREPROCESSING, simulation=CLEAN, simulated=1.0)
    with pytest.raises(InputError, match=r"Task t, slice \d of .*thin.*at least 16 x 16"):
        task.training_pair(np.random.default_rng(0), 0)


def test_slices_with_content_by_hand():
    volume = np.zeros((5, 10, 10), np.float32)
    volume[0], volume[1, 0, :2], volume[2, 0, 0], volume[4, :2] = 1, 1, 1, 0.5
    assert slices_with_content(volume).tolist() == [True, True, False, False, True]
    assert adjacent_pairs(volume).tolist() == [0]
    assert not slices_with_content(np.full((3, 4, 4), 7.0)).any()


VOLUMES = '[[task]]\nname = "a"\nkind = "volumes"\nfolder = "volumes"\n'


@pytest.mark.parametrize(("line", "share"), [("", 0.5), ("simulated = 0.25\n", 0.25), ("simulated = 1\n", 1.0)])
def test_a_task_set_says_how_slices_are_simulated(line, share, tmp_path):
    write_nifti(tmp_path / "volumes" / "v.nii.gz")
    text = VOLUMES + "window = [20, 60]\n" + line + "[task.simulation]\ndisplacement_px = 3.0\n"
    (task,) = load_tasks(tmp_path, text)
    described = json.loads(json.dumps(task.describe()))
    assert described["simulated"] == share and described["simulation"]["displacement_px"] == 3.0
    pairs = [task.training_pair(np.random.default_rng(seed), 0) for seed in range(20)]
    assert any(pair.displacement_px is not None for pair in pairs)
    assert any(pair.displacement_px is None for pair in pairs) == (share < 1)


def test_every_channel_of_a_decathlon_task_is_simulated(tmp_path):
    write_nifti(tmp_path / "brain" / "imagesTr" / "c.nii.gz", channels=2)
    description = {"modality": {"0": "T1w", "1": "T2w"}, "training": [{"image": "./imagesTr/c.nii.gz"}]}
    (tmp_path / "brain" / "dataset.json").write_text(json.dumps(description), encoding="utf-8")
    text = '[[task]]\nname = "b"\nkind = "decathlon"\nfolder = "brain"\nsimulated = 1\n[task.simulation]\n'
    tasks = load_tasks(tmp_path, text)
    assert len(tasks) == 2
    assert all(task.training_pair(np.random.default_rng(0), 0).displacement_px is not None for task in tasks)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("simulated = 0.5\n", "add a table simulation, or remove it"),
        ("simulated = 0\n[task.simulation]\n", "simulated as a share above 0 and at most 1, got 0"),
        ("simulated = 1.5\n[task.simulation]\n", "got 1.5"),
        ("simulated = nan\n[task.simulation]\n", "got nan"),
        ("simulated = true\n[task.simulation]\n", "got True"),
        ('simulated = "half"\n[task.simulation]\n', "got 'half'"),
        ("[task.simulation]\nstrength = 2\n", "simulation: Unknown simulation setting strength"),
        ("simulation = 5\n", "simulation as a table of settings, got 5"),
    ],
)
def test_a_wrong_simulation_is_refused_by_file_task_and_key(text, words, tmp_path):
    write_nifti(tmp_path / "volumes" / "v.nii.gz")
    path = write_set(tmp_path, VOLUMES + text)
    with pytest.raises(InputError) as refused:
        load_task_set(path, PREPROCESSING)
    assert str(refused.value).startswith(f"{path}, task 1 (a)") and words in str(refused.value)


def shipped(name):
    """The tables of a shipped task set."""
    return tomllib.loads((ROOT / "Resources" / "Tasks" / name).read_text(encoding="utf-8"))


def test_the_sets_that_leave_a_modality_out_differ_from_the_source_tasks_in_that_alone():
    source, brain, octa = (shipped(name) for name in ("source_tasks.toml", "without_brain.toml", "without_octa.toml"))
    assert source["root"] == brain["root"] == octa["root"]
    assert brain["task"] == [task for task in source["task"] if not task["name"].startswith("brain")]
    kept = [{key: task[key] for key in task if key not in ("simulation", "simulated")} for task in octa["task"]]
    assert kept == [task for task in source["task"] if not task["name"].startswith("octa")]
    as_octa = source["task"][-1]["simulation"]
    for task in octa["task"]:
        assert as_octa.items() <= task["simulation"].items()
        RepeatSettings.from_dict(task["simulation"])


@pytest.mark.parametrize("name", ["brain_t2w", "abdomen_ct"])
def test_the_real_slices_are_simulated_sensibly(name, data_root):
    if not (data_root / "source_tasks").is_dir():
        pytest.skip(f"the source tasks are not in {data_root}")
    path = ROOT / "Resources" / "Tasks" / "without_octa.toml"
    (task,) = [task for task in load_task_set(path, Preprocessing(size=128), data=data_root) if task.name == name]
    task._files = task._files[-1:]  # reading all of them takes seconds
    drawn = [task.training_pair(np.random.default_rng(seed), 0) for seed in range(12)]
    pairs = [pair for pair in drawn if pair.displacement_px is not None]
    assert 0 < len(pairs) < 12
    for pair in pairs:
        moving, displacement = (torch.from_numpy(a)[None] for a in (pair.moving[None], pair.displacement_px))
        assert np.corrcoef(warp(moving, displacement).numpy().ravel(), pair.fixed.ravel())[0, 1] > 0.9
        assert (pair.fixed == 0).mean() > 0.02  # the background stays black
