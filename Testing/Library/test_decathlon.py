"""Tests of task sets that name a folder of the Medical Segmentation Decathlon, as it is distributed."""

import json

import numpy as np
import pytest
from training_helpers import (
    PREPROCESSING,
    SIZE,
    load_tasks,
    write_nifti,
)

from MetaRegistrationLib.errors import InputError


def decathlon(root, name, modality, channels=None, count=3):
    """A small folder of the Medical Segmentation Decathlon, as distributed; returns its images by name."""
    folder = root / name
    arrays = {
        f"case_{n:03d}": write_nifti(folder / "imagesTr" / f"case_{n:03d}.nii.gz", n, 5, channels) for n in range(count)
    }
    (folder / "imagesTr" / "._case_000.nii.gz").write_bytes(b"left by another system")
    (folder / "labelsTr").mkdir()
    description = {
        "name": name,
        "tensorImageSize": "4D" if channels else "3D",
        "modality": {str(n): label for n, label in enumerate(modality)},
        "labels": {"0": "background"},
        "numTraining": count,
        "training": [{"image": f"./imagesTr/{n}.nii.gz", "label": f"./labelsTr/{n}.nii.gz"} for n in arrays],
        "test": ["./imagesTs/case_900.nii.gz"],
    }
    (folder / "dataset.json").write_text(json.dumps(description), encoding="utf-8")
    return arrays


def prepared(array, k):
    """Axial slice k of an array (x, y, z) whose x runs to the left and y to posterior."""
    return PREPROCESSING.apply(array[:, :, k].T)


BRAIN = ("FLAIR", "T1w", "t1gd", "T2w")


def test_the_brain_images_of_the_decathlon_become_three_tasks(tmp_path):
    arrays = decathlon(tmp_path, "Task01_BrainTumour", BRAIN, 4)
    tasks = load_tasks(
        tmp_path,
        '[[task]]\nname = "brain"\nkind = "decathlon"\nfolder = "Task01_BrainTumour"\nvalidation = ["case_002*"]\n',
    )
    assert [task.name for task in tasks] == ["brain_T1w", "brain_t1gd", "brain_T2w"]
    for task, channel in zip(tasks, (1, 2, 3), strict=True):
        assert task.describe()["volumes"] == ["case_000.nii.gz", "case_001.nii.gz"]
        pairs = task.validation_pairs()
        assert len(pairs) >= 3
        array = arrays["case_002"][..., channel]
        for pair in pairs:
            start = next(k for k in range(4) if np.allclose(pair.moving, prepared(array, k), atol=2e-3))
            assert np.allclose(pair.fixed, prepared(array, start + 1), atol=2e-3)
        assert task.training_pair(np.random.default_rng(0), 0).moving.shape == (SIZE, SIZE)


def test_a_ct_folder_of_the_decathlon_becomes_one_task(tmp_path):
    arrays = decathlon(tmp_path, "Task09_Spleen", ["CT"])
    tasks = load_tasks(
        tmp_path,
        '[[task]]\nname = "spleen"\nkind = "decathlon"\nfolder = "Task09_Spleen"\nvalidation = 0.34\nwindow = [20, 60]\n',
    )
    (task,) = tasks
    assert task.name == "spleen" and task.describe()["validation"] == ["case_002.nii.gz"]
    array = np.clip(arrays["case_002"], 20, 60)
    assert any(np.allclose(task.validation_pairs()[0].moving, prepared(array, k), atol=2e-3) for k in range(4))


def test_channels_may_be_chosen_and_other_images_give_all(tmp_path):
    decathlon(tmp_path, "brain", BRAIN, 4, count=1)
    decathlon(tmp_path, "prostate", ["T2", "ADC"], 2, count=1)
    text = '[[task]]\nname = "{0}"\nkind = "decathlon"\nfolder = "{0}"\n'
    chosen = load_tasks(tmp_path, text.format("brain") + 'channels = ["flair", "T2w"]\n')
    assert [task.name for task in chosen] == ["brain_FLAIR", "brain_T2w"]
    assert [task.name for task in load_tasks(tmp_path, text.format("prostate"))] == ["prostate_T2", "prostate_ADC"]


def test_images_that_were_not_downloaded_are_left_out(tmp_path):
    decathlon(tmp_path, "spleen", ["CT"])
    (tmp_path / "spleen" / "imagesTr" / "case_001.nii.gz").unlink()
    text = '[[task]]\nname = "spleen"\nkind = "decathlon"\nfolder = "spleen"\n'
    assert load_tasks(tmp_path, text)[0].describe()["volumes"] == ["case_000.nii.gz", "case_002.nii.gz"]
    for path in (tmp_path / "spleen" / "imagesTr").glob("case*"):
        path.unlink()
    with pytest.raises(InputError, match=r"task 1 \(spleen\): none of the training images"):
        load_tasks(tmp_path, text)


@pytest.mark.parametrize(
    "content",
    [None, "{", "[]", '{"training": []}', '{"training": ["a.nii"], "modality": {"0": "CT"}}',
     '{"training": [{"image": "a.nii"}], "modality": ["CT"]}', '{"training": [{"image": "a.nii"}], "modality": {"x": "CT"}}'],
)  # fmt: skip
def test_a_broken_dataset_json_is_refused_by_name(content, tmp_path):
    (tmp_path / "spleen").mkdir()
    if content is not None:
        (tmp_path / "spleen" / "dataset.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"task 1 \(spleen\).*dataset\.json"):
        load_tasks(tmp_path, '[[task]]\nname = "spleen"\nkind = "decathlon"\nfolder = "spleen"\n')


@pytest.mark.parametrize(
    ("channels", "words"),
    [('["T9w"]', "no channel ['T9w']; the images have ['FLAIR', 'T1w'"), ('"T1w"', "list of names, got 'T1w'"),
     ("[]", "got []"), ("[1]", "got [1]"), ("1", "got 1")],
)  # fmt: skip
def test_wrong_channels_are_refused(channels, words, tmp_path):
    decathlon(tmp_path, "brain", BRAIN, 4, count=1)
    with pytest.raises(InputError) as refused:
        load_tasks(tmp_path, f'[[task]]\nname = "brain"\nkind = "decathlon"\nfolder = "brain"\nchannels = {channels}\n')
    assert "task 1 (brain)" in str(refused.value) and words in str(refused.value)
