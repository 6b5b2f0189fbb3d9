"""Tests of training runs: what they leave on disk, and that a resumed run equals an unbroken one."""

import functools
import signal
from dataclasses import replace

import pytest
import torch
from training_helpers import (
    NETWORK,
    PREPROCESSING,
    STEP,
    At,
    assert_equal_runs,
    equal_weights,
    five_pairs,
    log_rows,
    make_run,
    make_trainer,
    saved_step,
    tiny_checkpoint,
    tiny_network,
)

from MetaRegistrationLib.checkpoints import cpu_weights, load_checkpoint
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.progress import Epoch, Finished, ReaderGone, Saved, Started, Step
from MetaRegistrationLib.training.finetune import FineTuning
from MetaRegistrationLib.training.run import BEST, LAST, LOG

TRAINERS = ("pretrain", "metatrain", "finetune")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """Folder of an unbroken run of each kind, made when first asked for."""

    @functools.cache
    def folder(name):
        path = tmp_path_factory.mktemp(name)
        make_run(make_trainer(name), path)()
        return path

    return folder


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


def lose_reader():
    raise ReaderGone("gone")


def test_a_run_leaves_checkpoints_and_a_log(tmp_path):
    events = []
    trainer = make_trainer("finetune")
    best = make_run(trainer, tmp_path / "a run é", progress=events.append, tasks=["x"])()
    folder = tmp_path / "a run é"
    assert best == folder / BEST
    assert {path.name for path in folder.iterdir()} == {BEST, LAST, LOG}
    last = load_checkpoint(folder / LAST)
    assert equal_weights(last.weights, cpu_weights(trainer.network))
    assert last.network == NETWORK and last.build_preprocessing() == PREPROCESSING
    assert last.history[-1]["stage"] == "finetune" and last.history[-1]["tasks"] == ["x"]
    rows = log_rows(folder)
    assert [row["step"] for row in rows] == ["0", "3", "6", "9", "10"]
    assert [row["epoch"] for row in rows] == ["0", "0.6", "1.2", "1.8", "2"]
    assert rows[0]["train_loss"] == "" and all(float(row["train_loss"]) < 0 for row in rows[1:])
    assert all(-1 < float(row["validation_loss"]) < 0 and 0 < float(row["validation_ncc"]) < 1 for row in rows)
    assert isinstance(events[0], Started) and (events[0].total_steps, events[0].first_step) == (10, 0)
    assert [event.step for event in events if isinstance(event, Step)] == list(range(1, 11))
    assert {event.values.get("step") for event in events if isinstance(event, Epoch)} >= {0, 3, 6, 9, 10}
    assert {event.path for event in events if isinstance(event, Saved)} == {folder / BEST, folder / LAST}
    assert isinstance(events[-1], Finished) and events[-1].path == best


def test_the_best_checkpoint_can_be_used_and_its_history_tells_why(tmp_path):
    make_run(make_trainer("pretrain"), tmp_path)()
    best = load_checkpoint(tmp_path / BEST)
    assert best.training == {}
    losses = {int(row["step"]): float(row["validation_loss"]) for row in log_rows(tmp_path)}
    entry = best.history[-1]
    assert entry["step"] == min(losses, key=losses.get)
    assert entry["validation"]["loss"] == pytest.approx(losses[entry["step"]], rel=1e-5)
    displacement = best.build()(torch.rand(1, 1, 64, 64), torch.rand(1, 1, 64, 64))
    assert displacement.shape == (1, 2, 64, 64)


@pytest.mark.parametrize(
    ("stop", "name"),
    [
        *((press_ctrl_c, name) for name in TRAINERS),
        (lose_reader, "finetune"),
        *(pytest.param(lose_reader, name, marks=pytest.mark.long) for name in TRAINERS[:2]),
    ],
)
def test_a_run_stopped_by_its_user_saves_that_step_and_goes_on_as_if_it_had_not(name, stop, unbroken, tmp_path):
    folder = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        make_run(make_trainer(name), folder, progress=At(5, stop))()
    assert saved_step(folder) == 5
    events = []
    make_run(make_trainer(name), folder, progress=events.append)(resume=True)
    assert (events[0].first_step, [e.step for e in events if isinstance(e, Step)]) == (5, [6, 7, 8, 9, 10])
    assert_equal_runs(unbroken(name), folder)


@pytest.mark.parametrize("name", ["pretrain", pytest.param("metatrain", marks=pytest.mark.long), "finetune"])
def test_a_run_that_died_goes_on_from_its_last_save(name, unbroken, tmp_path):
    def die():
        raise ZeroDivisionError

    folder = tmp_path / "died"
    with pytest.raises(ZeroDivisionError):
        make_run(make_trainer(name), folder, progress=At(8, die))()
    assert saved_step(folder) == 6
    make_run(make_trainer(name), folder)(resume=True)
    assert_equal_runs(unbroken(name), folder)


def test_a_row_that_was_logged_after_the_last_save_is_not_doubled(unbroken, tmp_path, monkeypatch):
    folder = tmp_path / "died"
    run = make_run(make_trainer("pretrain"), folder)
    saves = []
    save = run._save

    def die_at_the_third_save():
        if len(saves) == 2:
            raise ZeroDivisionError
        saves.append(1)
        save()

    monkeypatch.setattr(run, "_save", die_at_the_third_save)
    with pytest.raises(ZeroDivisionError):
        run()
    assert saved_step(folder) == 3 and [row["step"] for row in log_rows(folder)] == ["0", "3", "6"]
    make_run(make_trainer("pretrain"), folder)(resume=True)
    assert_equal_runs(unbroken("pretrain"), folder)


def test_a_run_stopped_before_its_first_step_goes_on(unbroken, tmp_path):
    def stop(event):
        if isinstance(event, Started):
            lose_reader()

    with pytest.raises(ReaderGone):
        make_run(make_trainer("finetune"), tmp_path / "stopped", progress=stop)()
    assert saved_step(tmp_path / "stopped") == 0
    make_run(make_trainer("finetune"), tmp_path / "stopped")(resume=True)
    assert_equal_runs(unbroken("finetune"), tmp_path / "stopped")


class DroppingNetwork(torch.nn.Module):
    """Draws from torch's own random numbers in training."""

    def __init__(self):
        super().__init__()
        self.network = tiny_network()

    def forward(self, moving, fixed):
        return self.network(torch.nn.functional.dropout(moving, 0.2, self.training), fixed)


def test_dropout_is_repeated_by_a_resumed_run(tmp_path):
    for folder, seed in (("whole", 1), ("stopped", 2)):
        torch.manual_seed(seed)
        run = make_run(make_trainer("finetune", network=DroppingNetwork()), tmp_path / folder, every=1)
        if folder == "whole":
            run()
            continue
        run._progress = At(5, lose_reader)
        with pytest.raises(ReaderGone):
            run()
        torch.manual_seed(seed + 1)
        make_run(make_trainer("finetune", network=DroppingNetwork()), tmp_path / folder, every=1)(resume=True)
    assert_equal_runs(tmp_path / "whole", tmp_path / "stopped")


def test_a_run_does_not_touch_the_callers_random_numbers(tmp_path):
    run = make_run(make_trainer("pretrain"), tmp_path)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    run()
    assert torch.equal(torch.rand(3), expected)


def test_saves_come_by_the_clock_too(tmp_path):
    saved = []
    make_run(
        make_trainer("pretrain"),
        tmp_path,
        every=100,
        save_every=1e-9,
        progress=lambda event: saved.append(event.step) if isinstance(event, Saved) and event.kind == "last" else None,
    )()
    assert set(range(11)) <= set(saved)


def test_a_finished_run_can_be_resumed_and_does_nothing(tmp_path):
    make_run(make_trainer("pretrain"), tmp_path)()
    before = load_checkpoint(tmp_path / LAST).weights
    events = []
    make_run(make_trainer("pretrain"), tmp_path, progress=events.append)(resume=True)
    assert not any(isinstance(event, Step) for event in events) and isinstance(events[-1], Finished)
    assert equal_weights(before, load_checkpoint(tmp_path / LAST).weights)
    assert [row["step"] for row in log_rows(tmp_path)] == ["0", "3", "6", "9", "10"]


def test_a_finished_run_can_be_made_longer(tmp_path):
    def fine_tuning(epochs):
        return FineTuning(tiny_network(), five_pairs(), STEP, epochs=epochs, learning_rate=1e-3)

    make_run(fine_tuning(4), tmp_path / "long", every=5)()
    make_run(fine_tuning(2), tmp_path / "short", every=5)()
    make_run(fine_tuning(4), tmp_path / "short", every=5)(resume=True)
    assert_equal_runs(tmp_path / "long", tmp_path / "short")
    with pytest.raises(InputError, match=r"already longer, at step 20\. Ask for more, or use its best\.pt\."):
        make_run(fine_tuning(2), tmp_path / "short", every=5)(resume=True)


def test_the_best_of_a_run_that_was_made_longer_tells_its_length(tmp_path):
    def run(epochs, folder, losses):
        trainer = FineTuning(tiny_network(), five_pairs(), STEP, epochs=epochs, learning_rate=1e-3)
        return make_run(trainer, tmp_path / folder, every=5, validator=Measured(loss=losses))

    run(4, "long", [-0.1, -0.9, -0.2, -0.3, -0.4])()
    run(2, "short", [-0.1, -0.9, -0.2])()
    run(4, "short", [-0.3, -0.4])(resume=True)
    long, short = (load_checkpoint(tmp_path / folder / BEST) for folder in ("long", "short"))
    assert short.history[-1]["step"] == 5 and equal_weights(short.weights, long.weights)
    assert {**short.history[-1], "seconds": 0} == {**long.history[-1], "seconds": 0}
    assert short.provenance.keys() == long.provenance.keys() and short.training == {}


class Measured:
    """Validator that gives ready values, one a validation."""

    def __init__(self, **columns):
        self._rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def __call__(self, network):
        return self._rows.pop(0)


@pytest.mark.parametrize(
    ("columns", "best"),
    [
        ({"loss": [-0.1, -0.3, -0.2, -0.3, -0.1]}, 3),
        ({"loss": [-0.1, -0.9, -0.2, -0.3, -0.4], "distance_px": [9.0, 8.0, 7.0, 5.0, 6.0]}, 9),
        ({"loss": [-0.9, -0.8, -0.7, -0.6, -0.5]}, 0),
    ],
    ids=["loss", "distance", "start"],
)
def test_distance_chooses_the_best_where_there_is_one_else_the_loss(columns, best, tmp_path):
    make_run(make_trainer("pretrain"), tmp_path, validator=Measured(**columns))()
    entry = load_checkpoint(tmp_path / BEST).history[-1]
    assert entry["step"] == best
    rows = log_rows(tmp_path)
    for name, values in columns.items():
        assert [float(row[f"validation_{name}"]) for row in rows] == pytest.approx(values)


class NoPairs:
    """Validator without pairs."""

    def __bool__(self):
        return False

    def __call__(self, network):
        return {}


def test_without_held_out_pairs_the_end_is_the_best(tmp_path):
    make_run(make_trainer("pretrain"), tmp_path, validator=NoPairs())()
    assert equal_weights(load_checkpoint(tmp_path / BEST).weights, load_checkpoint(tmp_path / LAST).weights)


def test_the_best_survives_a_resumption(tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        make_run(
            make_trainer("pretrain"), folder, validator=Measured(loss=[-0.1, -0.9]), progress=At(4, press_ctrl_c)
        )()
    make_run(make_trainer("pretrain"), folder, validator=Measured(loss=[-0.2, -0.3, -0.4]))(resume=True)
    assert load_checkpoint(folder / BEST).history[-1]["step"] == 3


def test_a_run_keeps_the_thresholds_of_the_checkpoint_that_it_starts_from(tmp_path):
    run = make_run(
        make_trainer("finetune"), tmp_path, base=replace(tiny_checkpoint(), calibration={"network_gain": 0.25})
    )
    run()
    for name in (BEST, LAST):
        assert load_checkpoint(tmp_path / name).calibration == {"network_gain": 0.25}
