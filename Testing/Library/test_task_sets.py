"""Tests of task sets: TOML files that name the folders of source tasks."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from training_helpers import (
    PREPROCESSING,
    ROOT,
    SIZE,
    load_tasks,
    same,
    texture,
    write_nifti,
    write_pairs,
    write_png,
    write_set,
)

from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.tasks import load_task_set
from MetaRegistrationLib.workflows.training import data_folder


@pytest.fixture
def data(tmp_path):
    """Folders of each kind: volumes, scans (with masks), pairs."""
    for number in range(3):
        write_nifti(tmp_path / "volumes" / f"v{number}.nii.gz", number, 3)
        write_png(tmp_path / "scans" / f"s{number}.png", texture(number, (40, 40)))
        write_png(tmp_path / "masks" / f"s{number}.png", (texture(number, (40, 40)) > 0.6).astype(np.float32))
    write_pairs(tmp_path / "pairs", 3, landmarks=True)
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_every_kind_is_read_and_gives_pairs(data):
    tasks = load_tasks(
        data,
        """
        [[task]]
        name = "volumes"
        kind = "volumes"
        folder = "volumes"
        validation = ["v2*"]
        licence = "mine"
        note = "a note"
        [task.deformation]
        displacement_px = 2.0

        [[task]]
        name = "scans"
        kind = "single_images"
        folder = "scans"
        masks = "masks"
        validation = 0.4
        [task.simulation]
        displacement_px = 3

        [[task]]
        name = "pairs"
        kind = "pairs"
        folder = "pairs"
        validation = ["p01"]
        """,
    )
    assert [task.name for task in tasks] == ["volumes", "scans", "pairs"]
    for task in tasks:
        pair = task.training_pair(np.random.default_rng(0), 0)
        assert pair.moving.shape == pair.fixed.shape == (SIZE, SIZE)
        assert np.isfinite(pair.moving).all() and pair.moving_points is None
        assert len(task.validation_pairs()) > 0
    volumes, scans, pairs = (task.describe() for task in tasks)
    assert volumes["volumes"] == ["v0.nii.gz", "v1.nii.gz"] and volumes["deformation"]["displacement_px"] == 2.0
    assert scans["validation"] == ["s1.png"] and scans["simulation"]["displacement_px"] == 3
    assert pairs["validation"] == ["p01"] and tasks[2].validation_pairs()[0].moving_points.shape == (2, 2)
    assert pairs["initial"] == "none"
    json.dumps([volumes, scans, pairs])  # plain values


def test_pairs_of_a_task_are_aligned_when_it_says_so(data):
    (task,) = load_tasks(data, PAIRS + 'initial = "translation"\n')
    assert task.initial == task.describe()["initial"] == "translation"


def test_root_may_be_the_data_folder(data, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    text = 'root = "$DATA/scans/.."\n[[task]]\nname = "a"\nkind = "volumes"\nfolder = "volumes"\n'
    monkeypatch.delenv("META_REGISTRATION_DATA", raising=False)
    assert len(load_tasks(elsewhere, text, data=data)) == 1
    with pytest.raises(InputError, match=r"my tasks é\.toml.*by data or META_REGISTRATION_DATA"):
        load_tasks(elsewhere, text)
    monkeypatch.setenv("META_REGISTRATION_DATA", str(data))
    assert len(load_tasks(elsewhere, text)) == 1


VOLUMES = '[[task]]\nname = "a"\nkind = "volumes"\nfolder = "volumes"\n'
SCANS = '[[task]]\nname = "a"\nkind = "single_images"\nfolder = "scans"\n'
PAIRS = '[[task]]\nname = "a"\nkind = "pairs"\nfolder = "pairs"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[task]]\nkind = "volumes"\nfolder = "volumes"\n', "'name', got None"),
        ('[[task]]\nname = "a"\nfolder = "volumes"\n', "'kind', got None"),
        ('[[task]]\nname = "a"\nkind = "volumes"\n', "'folder', got None"),
        ('[[task]]\nname = 3\nkind = "volumes"\nfolder = "volumes"\n', "'name', got 3"),
        ('[[task]]\nname = "a"\nkind = "movies"\nfolder = "volumes"\n', "contrasts, shapes, fundus, got 'movies'"),
        ('[[task]]\nname = "a"\nkind = "volumes"\nfolder = "nowhere"\n', "nowhere does not exist"),
        ('[[task]]\nname = "a"\nkind = "volumes"\nfolder = "empty"\n', "holds no file that ends in"),
        ('[[task]]\nname = "a"\nkind = "volumes"\nfolder = "scans"\n', "holds no file that ends in"),
        ('[[task]]\nname = "a"\nkind = "pairs"\nfolder = "empty"\n', "no image pairs were found"),
        (PAIRS + 'initial = "elastic"\n', "initial: expected one of none, translation, rigid, affine, got 'elastic'"),
        (VOLUMES + 'initial = "affine"\n', "unknown keys ['initial']"),
        (VOLUMES + 'windw = [0, 1]\n', "unknown keys ['windw']"),
        (SCANS + 'simulated = 0.5\n', "unknown keys ['simulated']"),
        (SCANS + 'window = [0, 1]\n', "unknown keys ['window']"),
        (VOLUMES + 'masks = "masks"\n', "unknown keys ['masks']"),
        (VOLUMES + "window = [5, 5]\n", "window = [lowest, highest], got [5, 5]"),
        (VOLUMES + "window = [5]\n", "got [5]"),
        (VOLUMES + "window = [1, 2, 3]\n", "got [1, 2, 3]"),
        (VOLUMES + 'window = ["a", "b"]\n', "got ['a', 'b']"),
        (VOLUMES + 'window = [1, "b"]\n', "got [1, 'b']"),
        (VOLUMES + "window = [nan, 2]\n", "got [nan, 2]"),
        (VOLUMES + "window = 5\n", "got 5"),
        (VOLUMES + 'channel = "T1w"\n', "channel as a whole number of at least 0, got 'T1w'"),
        (VOLUMES + "channel = -1\n", "got -1"),
        (VOLUMES + "channel = true\n", "got True"),
        (VOLUMES + "deformation = 5\n", "deformation as a table of settings, got 5"),
        (VOLUMES + "[task.deformation]\nstrength = 2\n", "deformation: Unknown simulation setting strength"),
        (VOLUMES + '[task.deformation]\ndisplacement_px = "much"\n', "displacement_px must be a number"),
        (SCANS + "[task.simulation]\nmargin = 0.9\n", "simulation: Simulation setting margin"),
        (SCANS + 'masks = "nowhere"\n', "nowhere does not exist"),
        (SCANS + "masks = 1\n", "'masks', got 1"),
        (VOLUMES + "validation = 1.5\n", "validation as a share below 1 or a list of name patterns, got 1.5"),
        (VOLUMES + "validation = 0\n", "got 0"),
        (VOLUMES + "validation = true\n", "got True"),
        (VOLUMES + "validation = [1]\n", "got [1]"),
        (VOLUMES + 'validation = ["x*"]\n', "no file matches validation = ['x*']"),
        (VOLUMES + 'validation = ["*"]\n', "leaves nothing to train on"),
        (PAIRS + 'split = "train"\n', "no pair belongs to the split 'train'"),
        (PAIRS + "split = 1\n", "'split', got 1"),
    ],
)  # fmt: skip
def test_a_wrong_task_is_refused_by_file_task_and_key(text, words, data):
    path = write_set(data, text)
    with pytest.raises(InputError) as refused:
        load_task_set(path, PREPROCESSING)
    assert str(refused.value).startswith(f"{path}, task 1 (") and words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "at least one [[task]]"),
        ("task = []\n", "at least one [[task]]"),
        ("task = [1]\n", "at least one [[task]]"),
        ('[task]\nname = "a"\n', "at least one [[task]]"),
        ("[[tasks]]\n", "unknown keys ['tasks']"),
        ("Root = 'x'\n" + VOLUMES, "unknown keys ['Root']"),
        ("root = 5\n" + VOLUMES, "root, got 5"),
        ("root = 'nowhere'\n" + VOLUMES, "nowhere does not exist"),
        ("this is no TOML", "expected TOML"),
        (VOLUMES + VOLUMES, "several tasks have the name a"),
    ],
)
def test_a_wrong_file_is_refused_by_name(text, words, data):
    path = write_set(data, text)
    with pytest.raises(InputError) as refused:
        load_task_set(path, PREPROCESSING)
    assert str(path) in str(refused.value) and words in str(refused.value)


def test_files_that_are_no_text_or_not_there_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"missing\.toml.*cannot be read"):
        load_task_set(tmp_path / "missing.toml", PREPROCESSING)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match=r"binary\.toml.*expected TOML"):
        load_task_set(tmp_path / "binary.toml", PREPROCESSING)


def test_the_second_task_is_named_as_such(data):
    with pytest.raises(InputError, match=r"task 2 \(without a name\)"):
        load_tasks(data, VOLUMES + '[[task]]\nkind = "volumes"\nfolder = "volumes"\n')


def test_masks_belong_to_images_of_any_suffix(tmp_path):
    write_nifti(tmp_path / "scans" / "s.nii.gz", 0, 1)
    write_png(tmp_path / "masks" / "s.png", np.zeros((20, 24), np.float32))
    write_png(tmp_path / "scans" / "other.png", texture(1, (40, 40)))
    text = SCANS + 'masks = "masks"\nvalidation = ["s.*"]\n'
    # The mask is empty: without it, landmarks would be sought in the image.
    assert all(len(pair.fixed_points) == 0 for pair in load_tasks(tmp_path, text)[0].validation_pairs())


SHIPPED = ROOT / "Resources" / "Tasks" / "source_tasks.toml"
NAMES = ["brain_t1w", "brain_t1gd", "brain_t2w", "abdomen_ct", "octa_synthetic", "octa_deep_slabs"]


@pytest.fixture(scope="module")
def source_tasks(data_root):
    if not (data_root / "source_tasks").is_dir():
        pytest.skip(f"the source tasks are not in {data_root}")
    return {task.name: task for task in load_task_set(SHIPPED, Preprocessing(), data=data_root)}


def test_the_shipped_task_set_has_six_tasks(source_tasks):
    assert list(source_tasks) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_shipped_tasks_give_sensible_pairs(name, source_tasks):
    task = source_tasks[name]
    pair = task.training_pair(np.random.default_rng(0), 0)
    for image in (pair.moving, pair.fixed):
        assert image.shape == (400, 400) and image.dtype == np.float32
        assert image.min() >= 0 and image.max() <= 1 and image.std() > 0.1
    blurred = [gaussian_filter(image, 4).ravel() for image in (pair.moving, pair.fixed)]
    assert np.corrcoef(*blurred)[0, 1] > 0.3
    assert not np.array_equal(pair.moving, pair.fixed)
    assert same(pair, task.training_pair(np.random.default_rng(0), 0))


def test_a_data_folder_is_relative_to_where_the_command_runs(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    assert data_folder(Path("data")) == tmp_path / "data"
