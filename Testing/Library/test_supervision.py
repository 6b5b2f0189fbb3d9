"""Training on simulated pairs whose displacement is known: the pairs, their augmentation, the loss, the weights of tasks."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from training_helpers import CLEAN, PREPROCESSING, texture, write_png

from MetaRegistrationLib.core.losses import RegistrationLoss, displacement_error
from MetaRegistrationLib.core.metrics import normalised_cross_correlation
from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.core.spatial import warp
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.tasks import SingleImageTask, TaskPair, augmented, load_task_set
from MetaRegistrationLib.training.pretrain import Pretraining
from MetaRegistrationLib.training.step import StepValues


def warped(pair):
    moving, displacement = torch.from_numpy(pair.moving)[None, None], torch.from_numpy(pair.displacement_px)[None]
    return warp(moving, displacement)[0, 0].numpy()


def similarity(image, pair):
    positions = np.indices(pair.fixed.shape) + pair.displacement_px
    seen = ((positions >= 2) & (positions <= np.array(pair.fixed.shape)[:, None, None] - 3)).all(axis=0)
    return normalised_cross_correlation(image, pair.fixed, seen)


@pytest.fixture
def task(tmp_path):
    path = write_png(tmp_path / "eye.png", texture(3, (160, 160)))
    return SingleImageTask("clean", [path], [], Preprocessing(size=96, equalise=False), settings=CLEAN)


def test_the_displacement_of_a_simulated_pair_takes_moving_to_fixed_in_every_orientation(task):
    for seed in range(12):
        pair = task.training_pair(np.random.default_rng(seed), 0)
        assert pair.displacement_px.dtype == np.float32 and pair.displacement_px.shape == (2, 96, 96)
        assert similarity(warped(pair), pair) > 0.97 > 0.8 > similarity(pair.moving, pair)


def test_augmentation_turns_the_displacement_with_the_images():
    rng, seen = np.random.default_rng(0), set()
    image = texture(1)
    displacement = np.stack([np.full((64, 64), 3.0), np.full((64, 64), -1.0)]).astype(np.float32)
    moving = torch.from_numpy(image)[None, None]
    fixed = warp(moving, torch.from_numpy(displacement)[None])[0, 0].numpy()
    for _ in range(60):
        changed = augmented(TaskPair(image, fixed, displacement_px=displacement), rng)
        seen.add(tuple(changed.displacement_px[:, 0, 0]))
        assert np.allclose(warped(changed)[8:-8, 8:-8], changed.fixed[8:-8, 8:-8], atol=1e-5)
    assert seen == {(a, b) for a in (-3, 3) for b in (-1, 1)} | {(a, b) for a in (-1, 1) for b in (-3, 3)}


def test_displacement_error_is_the_mean_distance_inside():
    truth = torch.zeros(1, 2, 20, 20)
    found = truth.clone()
    found[:, 0], found[:, 1] = 3, 4
    assert displacement_error(found, truth, softening_px=1e-6) == pytest.approx(5, abs=1e-4)
    truth[..., :10, :] = 100  # beyond the image: nobody can know it
    assert displacement_error(found, truth, softening_px=1e-6) == pytest.approx(5, abs=1e-4)


def test_displacement_error_has_a_finite_gradient_at_the_truth():
    found = torch.zeros(1, 2, 8, 8, requires_grad=True)
    displacement_error(found, torch.zeros(1, 2, 8, 8)).backward()
    assert torch.isfinite(found.grad).all()


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_supervision_is_added_with_its_weight(weight):
    torch.manual_seed(0)
    moving, fixed, found = torch.rand(1, 1, 24, 24), torch.rand(1, 1, 24, 24), torch.rand(1, 2, 24, 24)
    truth = torch.rand(1, 2, 24, 24)
    plain = RegistrationLoss()(moving, fixed, found)
    loss = RegistrationLoss(supervision_weight=weight)
    expected = plain.total + weight * displacement_error(found, truth)
    torch.testing.assert_close(loss(moving, fixed, found, truth).total, expected)
    torch.testing.assert_close(loss(moving, fixed, found).total, plain.total)


class Counted:
    """A task that counts how often it is drawn."""

    def __init__(self, name, weight, drawn):
        self.name, self.weight, self._drawn = name, weight, drawn

    def training_pair(self, rng, step):
        self._drawn[self.name] += 1
        return TaskPair(np.zeros((4, 4), np.float32), np.zeros((4, 4), np.float32))


class Still:
    """A step that changes nothing."""

    device = torch.device("cpu")

    def __call__(self, *_):
        return StepValues(0.0, 0.0, 0.0)


def test_pretraining_draws_tasks_by_their_weights():
    drawn = Counter()
    tasks = [Counted("often", 3.0, drawn), Counted("seldom", 1.0, drawn)]
    trainer = Pretraining(torch.nn.Conv2d(1, 1, 1), tasks, Still(), steps=800)
    for step in range(800):
        trainer.advance(step)
    assert drawn["often"] / 800 == pytest.approx(0.75, abs=0.05)
    assert trainer.settings()["chances"] == [0.75, 0.25]


@pytest.mark.parametrize(("text", "expected"), [("", 1.0), ("weight = 3", 3.0)])
def test_a_task_set_gives_weights(tmp_path, text, expected):
    (tmp_path / "eyes").mkdir()
    write_png(tmp_path / "eyes" / "a.png", texture(1))
    file = tmp_path / "tasks.toml"
    file.write_text(f'[[task]]\nname = "a"\nkind = "single_images"\nfolder = "eyes"\n{text}\n', encoding="utf-8")
    assert [task.weight for task in load_task_set(file, PREPROCESSING)] == [expected]


@pytest.mark.parametrize("weight", ["0", "-1", "true", '"3"', "nan", "inf"])
def test_impossible_weights_are_refused(tmp_path, weight):
    (tmp_path / "eyes").mkdir()
    write_png(tmp_path / "eyes" / "a.png", texture(1))
    file = tmp_path / "tasks.toml"
    lines = f'[[task]]\nname = "a"\nkind = "single_images"\nfolder = "eyes"\nweight = {weight}\n'
    file.write_text(lines, encoding="utf-8")
    with pytest.raises(InputError, match="weight"):
        load_task_set(file, PREPROCESSING)
