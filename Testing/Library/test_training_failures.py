"""Tests of training runs that are refused or fail: other settings, NaN, a full disk. Their last save stays whole."""

import errno
import shutil

import pytest
import torch
from training_helpers import (
    STEP,
    ListTask,
    assert_equal_runs,
    log_rows,
    make_run,
    make_trainer,
    saved_step,
    shifted_pair,
    tiny_checkpoint,
    tiny_network,
)

from MetaRegistrationLib import checkpoints
from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.errors import InputError, TrainingStopped
from MetaRegistrationLib.formats.files import write_text
from MetaRegistrationLib.formats.output_folder import Output, check_output, writing
from MetaRegistrationLib.training import log
from MetaRegistrationLib.training.pretrain import Pretraining
from MetaRegistrationLib.training.run import BEST, LAST, LOG


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """Folder of an unbroken run."""
    folder = tmp_path_factory.mktemp("pretrain")
    make_run(make_trainer("pretrain"), folder)()
    return folder


@pytest.mark.parametrize("left", [LAST, BEST])
def test_a_second_run_into_a_folder_is_refused(left, tmp_path):
    make_run(make_trainer("pretrain"), tmp_path)()
    for name in {LAST, BEST} - {left}:
        (tmp_path / name).unlink()
    before = (tmp_path / left).read_bytes()
    with pytest.raises(InputError, match=r"already holds a training run.*resume"):
        make_run(make_trainer("pretrain"), tmp_path)()
    assert (tmp_path / left).read_bytes() == before


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("kind", ["evaluate", "register", "series", "demo", "reproduce", "simulate"])
def test_results_of_another_command_are_refused(kind, resume, tmp_path):
    with writing(Output(tmp_path, kind)):
        write_text(tmp_path / "metrics.csv", "pair\n")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=f"holds results of {kind}.*this is a training"):
        make_run(make_trainer("pretrain"), tmp_path)(resume=resume)
    assert sorted(tmp_path.iterdir()) == before


def test_results_of_another_command_without_a_list_are_refused(tmp_path):
    (tmp_path / "summary.json").write_text('{"pairs": 1}', encoding="utf-8")
    with pytest.raises(InputError, match="holds results of register or evaluate"):
        make_run(make_trainer("pretrain"), tmp_path)()


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("left", [LAST, BEST])
def test_results_are_not_written_into_the_folder_of_a_training(left, replace, unbroken, tmp_path):
    folder = tmp_path / "trained"
    folder.mkdir()
    shutil.copy(unbroken / left, folder)
    output = Output(folder, "register", replace=replace)
    for check in (lambda: check_output(output), lambda: writing(output).__enter__()):
        with pytest.raises(InputError, match=r"holds a training run, written on 20.*and this is register"):
            check()
    with writing(Output(folder / "results", "register")) as results:
        write_text(results / "metrics.csv", "pair\n")
    assert {path.name for path in folder.iterdir()} == {left, "results"}


def test_resuming_an_empty_folder_starts(tmp_path):
    make_run(make_trainer("pretrain"), tmp_path / "new")(resume=True)
    assert saved_step(tmp_path / "new") == 10


def test_resuming_without_a_last_save_is_refused(tmp_path):
    make_run(make_trainer("pretrain"), tmp_path)()
    (tmp_path / LAST).unlink()
    with pytest.raises(InputError, match=r"last\.pt.*nothing to resume"):
        make_run(make_trainer("pretrain"), tmp_path)(resume=True)


@pytest.mark.parametrize("name", ["pretrain", "metatrain", "finetune"])
def test_resuming_without_the_best_weights_is_refused(name, tmp_path):
    make_run(make_trainer(name), tmp_path / "run")()
    (tmp_path / "run" / BEST).rename(tmp_path / "away")
    before = (tmp_path / "run" / LAST).read_bytes()
    with pytest.raises(InputError, match=r"best\.pt is missing.*Put it back"):
        make_run(make_trainer(name), tmp_path / "run")(resume=True)
    assert (tmp_path / "run" / LAST).read_bytes() == before
    (tmp_path / "away").rename(tmp_path / "run" / BEST)
    assert make_run(make_trainer(name), tmp_path / "run")(resume=True).is_file()


def test_resuming_a_checkpoint_that_is_no_run_is_refused(tmp_path):
    checkpoints.save_checkpoint(tmp_path / LAST, tiny_checkpoint())
    with pytest.raises(InputError, match=r"last\.pt: it holds no state.*as checkpoint instead"):
        make_run(make_trainer("pretrain"), tmp_path)(resume=True)


@pytest.mark.parametrize(
    ("name", "seed", "record", "words"),
    [
        ("pretrain", 1, {"clip": None}, "seed: 0 there, 1 now"),
        ("pretrain", 0, {"clip": 2.0}, "clip: None there, 2.0 now"),
        ("metatrain", 0, {"clip": None}, "stage: pretrain there, metatrain now"),
    ],
)
def test_resuming_with_other_settings_is_refused_by_name(name, seed, record, words, tmp_path):
    make_run(make_trainer("pretrain"), tmp_path, clip=None)()
    before = (tmp_path / LAST).read_bytes()
    with pytest.raises(InputError, match=words):
        make_run(make_trainer(name, seed), tmp_path, **record)(resume=True)
    assert (tmp_path / LAST).read_bytes() == before


def test_resuming_with_another_network_is_refused_by_name(tmp_path):
    make_run(make_trainer("pretrain"), tmp_path)()
    run = make_run(make_trainer("pretrain"), tmp_path)
    run._base.network = {"name": "voxelmorph", "settings": {}}
    with pytest.raises(InputError, match=r"other settings.*network"):
        run(resume=True)


class TurningNan(ListTask):
    """Gives images of NaN from step 5 on."""

    def training_pair(self, rng, step):
        pair = super().training_pair(rng, step)
        if step >= 5:
            pair.moving[:] = float("nan")
        return pair


def test_a_nan_loss_stops_the_run_and_names_the_last_save(tmp_path):
    network = tiny_network()
    trainer = Pretraining(network, [TurningNan("t", [shifted_pair(1)])], STEP, steps=10, learning_rate=1e-3)
    with pytest.raises(TrainingStopped) as stopped:
        make_run(trainer, tmp_path)()
    message = str(stopped.value)
    assert "Step 6" in message and "nan" in message and f"The last save is whole: {tmp_path / LAST}" in message
    assert saved_step(tmp_path) == 3
    assert all(torch.isfinite(value).all() for value in load_checkpoint(tmp_path / LAST).weights.values())
    assert all(torch.isfinite(value).all() for value in network.state_dict().values())


def test_weights_that_give_no_finite_loss_are_never_the_best(tmp_path):
    class Validation:
        def __init__(self):
            self.results = [{"loss": -0.5}, {"loss": -0.6}, {}, {}, {}]

        def __call__(self, network):
            return self.results.pop(0)

    make_run(make_trainer("pretrain"), tmp_path, validator=Validation())()
    assert load_checkpoint(tmp_path / BEST).history[-1]["step"] == 3


def full_disk(monkeypatch, calls):
    """Let the disk be full from the save after `calls` on, with a part of the file written."""
    save, count = torch.save, []

    def failing(content, stream):
        count.append(1)
        if len(count) <= calls:
            return save(content, stream)
        stream.write(b"PK\x03\x04 half a file")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoints.torch, "save", failing)


@pytest.mark.parametrize("calls", [3, 4, 5])
def test_a_full_disk_stops_the_run_and_leaves_the_last_save_whole(calls, unbroken, tmp_path, monkeypatch):
    folder = tmp_path / "full disk"
    with monkeypatch.context() as patch:
        full_disk(patch, calls)
        with pytest.raises(TrainingStopped) as stopped:
            make_run(make_trainer("pretrain"), folder)()
    message = str(stopped.value)
    assert "No space left" in message and "continue with resume" in message and str(folder / LAST) in message
    assert {path.name for path in folder.iterdir()} == {BEST, LAST, LOG}
    assert saved_step(folder) in (0, 3, 6)
    make_run(make_trainer("pretrain"), folder)(resume=True)
    assert_equal_runs(unbroken, folder)


def test_a_full_disk_for_the_log_stops_the_run_too(tmp_path, monkeypatch):
    write, rows = log.write_table, []

    def failing(path, columns, cells):
        rows.append(1)
        if len(rows) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, columns, cells)

    monkeypatch.setattr(log, "write_table", failing)
    with pytest.raises(TrainingStopped, match=r"No space left.*last\.pt"):
        make_run(make_trainer("pretrain"), tmp_path)()
    assert saved_step(tmp_path) == 3
    make_run(make_trainer("pretrain"), tmp_path)(resume=True)
    assert [row["step"] for row in log_rows(tmp_path)] == ["0", "3", "6", "9", "10"]


def test_a_save_that_cannot_be_read_back_does_not_replace_the_last_one(tmp_path, monkeypatch):
    save, count = torch.save, []

    def cut(content, stream):
        save(content, stream)
        count.append(1)
        if len(count) > 4:
            stream.truncate(200)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.torch, "save", cut)
        with pytest.raises(TrainingStopped, match="The last save is whole"):
            make_run(make_trainer("pretrain"), tmp_path)()
    assert {path.name for path in tmp_path.iterdir()} == {BEST, LAST, LOG}
    make_run(make_trainer("pretrain"), tmp_path)(resume=True)
    assert saved_step(tmp_path) == 10
