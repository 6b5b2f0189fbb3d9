"""Tests of pretrain, metatrain and finetune as commands: real processes that are killed, exit codes, JSON, any network."""

import csv
import errno
import io
import json
import os
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import torch
from training_helpers import (
    NETWORK,
    assert_equal_runs,
    read_until_step,
    rest_of,
    saved_step,
    small_new_networks,
    start_program,
    texture,
    write_pairs,
    write_tasks_of_scans,
    write_tiny_checkpoint,
)

from MetaRegistrationLib import checkpoints
from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.formats.files import sole_writer
from MetaRegistrationLib.tasks import PairTask
from MetaRegistrationLib.training.adaptation import GUIDED, PLAIN
from MetaRegistrationLib.training.run import BEST, LAST, LOG

PAIRS, EPOCHS = 3, 30  # long enough to be stopped on a fast machine
STEPS = PAIRS * EPOCHS


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Words of a small fine-tuning, all but --output; the folder of pairs has a space and an accent."""
    folder = tmp_path_factory.mktemp("inputs")
    checkpoint = write_tiny_checkpoint(folder / "tiny.pt")
    pairs = write_pairs(folder / "my pairs é", PAIRS)
    words = ["finetune", "--pairs", str(pairs), "--checkpoint", str(checkpoint)]
    return [*words, "--device", "cpu", "--initial", "none"]


@pytest.fixture(scope="module")
def long_run(inputs):
    """As `inputs`, for a process that is stopped on its way."""
    return [*inputs, "--plain", "--epochs", EPOCHS, "--validate-every", 20, "--save-every", 0.5, "--json"]


def run_here(*words):
    """The command line in this process, on one thread as in the others; its exit code."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return main([str(word) for word in words])
    finally:
        torch.set_num_threads(threads)


def events_of(text):
    return [json.loads(line) for line in text.splitlines()]


def test_json_is_all_that_stdout_holds(inputs, tmp_path, capfd):
    assert main([*inputs, "--epochs", "3", "--json", "--output", str(tmp_path / "run")]) == 0
    events = events_of(capfd.readouterr().out)  # every line is JSON
    kinds = [event["event"] for event in events]
    assert kinds[0] == "message" and kinds.count("started") == 1 and kinds[-1] == "finished"
    assert [event["step"] for event in events if event["event"] == "step"] == list(range(1, 3 * PAIRS + 1))
    assert [event["epoch"] for event in events if event["event"] == "epoch"] == [0, 1, 2, 3]
    assert {event["kind"] for event in events if event["event"] == "saved"} == {"best", "last"}


class Stdout(io.StringIO):
    """The standard output of this process: does something at the event of step 10."""

    def __init__(self, at_step_10):
        super().__init__()
        self._at_step_10 = at_step_10

    def write(self, text):
        if text.startswith('{"event": "step"') and json.loads(text)["step"] == 10:
            self._at_step_10()
        return super().write(text)


def press_ctrl_c():
    signal.raise_signal(signal.SIGINT)


def lose_reader():
    raise BrokenPipeError(errno.EPIPE, "gone")


@pytest.mark.parametrize(
    ("stop", "said"), [(press_ctrl_c, "interrupted"), (lose_reader, "the reader of the output is gone")]
)
def test_a_run_that_is_stopped_saves_ends_with_130_and_resumes(stop, said, inputs, tmp_path, capsys, monkeypatch):
    words = [*inputs, "--plain", "--epochs", "5", "--json", "--output", str(tmp_path / "run")]
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", Stdout(stop))
        assert main(words) == 130
    err = capsys.readouterr().err
    assert said in err and "--resume" in err and LAST in err
    assert saved_step(tmp_path / "run") == 10
    assert main([*words, "--resume"]) == 0
    steps = [event["step"] for event in events_of(capsys.readouterr().out) if event["event"] == "step"]
    assert steps == list(range(11, 5 * PAIRS + 1))


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to all processes of a console")
def test_ctrl_c_saves_ends_with_130_and_resumes(long_run, tmp_path, capsys):
    process = start_program(*long_run, "--output", tmp_path / "run")
    read_until_step(process, 30)
    process.send_signal(signal.SIGINT)
    events, err = rest_of(process)
    assert process.returncode == 130 and "Traceback" not in err
    assert "--resume" in err and LAST in err
    assert events[-1]["event"] == "failed" and events[-1]["saved"].endswith(LAST)
    seen = max([30, *(event["step"] for event in events if event["event"] == "step")])
    assert saved_step(tmp_path / "run") == seen < STEPS
    assert main([*map(str, long_run), "--output", str(tmp_path / "run"), "--resume"]) == 0
    steps = [event["step"] for event in events_of(capsys.readouterr().out) if event["event"] == "step"]
    assert steps == list(range(seen + 1, STEPS + 1))


@pytest.mark.long
def test_a_run_whose_reader_has_gone_saves_and_ends_with_130(long_run, tmp_path):
    process = start_program(*long_run, "--output", tmp_path / "run")
    read_until_step(process, 10)
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=600) == 130 and "Traceback" not in err
    assert "the reader of the output is gone" in err and "--resume" in err
    assert 10 <= saved_step(tmp_path / "run") < STEPS


def test_a_second_run_needs_resume_and_the_same_settings(inputs, tmp_path, capsys):
    words = [*inputs, "--output", str(tmp_path / "run"), "--epochs", "1"]
    assert main(words) == 0
    before = (tmp_path / "run" / LAST).read_bytes()
    capsys.readouterr()
    assert main(words) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*words, "--resume", "--learning-rate", "0.5"]) == 2
    assert f"learning_rate: {GUIDED.learning_rate} there, 0.5 now" in capsys.readouterr().err
    assert main([*words, "--resume", "--smoothness", "0.25"]) == 2
    assert "loss" in capsys.readouterr().err
    assert (tmp_path / "run" / LAST).read_bytes() == before


def test_a_run_knows_its_pairs_by_what_they_hold(inputs, tmp_path, capsys):
    pairs = Path(shutil.copytree(inputs[2], tmp_path / "pairs"))
    words = [*inputs, "--output", str(tmp_path / "run")]
    words[2] = str(pairs)
    assert main([*words, "--epochs", "1"]) == 0
    words[2] = str(pairs.rename(tmp_path / "moved and renamed"))
    assert main([*words, "--epochs", "2", "--resume"]) == 0
    capsys.readouterr()
    images = sorted((Path(words[2]) / "moving").iterdir())
    content = images[0].read_bytes()
    images[0].write_bytes(images[1].read_bytes())
    images[1].write_bytes(content)
    assert main([*words, "--epochs", "3", "--resume"]) == 2
    assert "other settings (tasks: other images or masks of p00, p01)" in capsys.readouterr().err


@pytest.fixture
def resumable(inputs, tmp_path):
    """Words of a run of ten pairs of stacks with landmarks, which has ended, and its folder of pairs."""
    pairs = tmp_path / "pairs"
    for number in range(10):
        for role in ("moving", "fixed"):
            slices = np.stack([texture(10 * number), texture(10 * number + 1)])
            slices = np.roll(slices, 1, axis=1) if role == "moving" else slices
            (pairs / role).mkdir(parents=True, exist_ok=True)
            sitk.WriteImage(sitk.GetImageFromArray(slices), str(pairs / role / f"p{number:02d}.nrrd"))
            (pairs / role / f"p{number:02d}.csv").write_text("label,x,y\n1,20,30\n2,40,22\n", encoding="utf-8")
    words = [
        "finetune",
        "--pairs",
        str(pairs),
        *inputs[3:],
        "--plain",
        "--slice",
        "0",
        "--output",
        str(tmp_path / "run"),
    ]
    assert main([*words, "--epochs", "1"]) == 0
    return [*words, "--epochs", "2", "--resume"], pairs


def test_resuming_with_another_slice_pixel_size_or_landmarks_is_refused_by_name(resumable, tmp_path, capsys):
    words, pairs = resumable
    before = (tmp_path / "run" / LAST).read_bytes()
    capsys.readouterr()
    for other in (["--slice", "1"], ["--spacing-um", "12"], ["--moving-spacing-um", "12"]):
        assert main([*words, *other]) == 2
        said = capsys.readouterr().err
        assert "other settings (tasks: another pixel size or slice to read of p00, p01" in said and "p09" in said
    trained, held_out = (pairs / "fixed" / name for name in ("p00.csv", "p09.csv"))
    kept = held_out.read_bytes()
    held_out.write_text("label,x,y\n1,21,30\n2,40,22\n", encoding="utf-8")
    assert main(words) == 2
    assert "other settings (tasks: other landmarks of p09)" in capsys.readouterr().err
    assert (tmp_path / "run" / LAST).read_bytes() == before
    held_out.write_bytes(kept)
    trained.unlink()  # training never sees landmarks
    assert main(words) == 0


def test_a_run_of_an_earlier_version_is_resumed_as_far_as_it_is_known(resumable, tmp_path, capsys):
    words, _ = resumable
    last = load_checkpoint(tmp_path / "run" / LAST)
    for part in ("reading", "landmarks"):
        del last.training["record"]["tasks"][0]["content"][part]
    checkpoints.save_checkpoint(tmp_path / "run" / LAST, last)
    assert main([*words, "--no-validation"]) == 2
    assert "9 pairs and 1 held out there, 10 and 0 held out now" in capsys.readouterr().err
    assert main([*words, "--slice", "1"]) == 0
    assert saved_step(tmp_path / "run") == 18


def test_a_second_run_into_a_folder_in_use_is_refused(inputs, tmp_path, capsys):
    words = [*inputs, "--output", str(tmp_path / "run"), "--epochs", "1"]
    (tmp_path / "run").mkdir()
    with sole_writer(tmp_path / "run"):
        assert main(words) == 2
        register = ["register", "--pairs", words[2], "--no-network", "--refine", "0", "--output", str(tmp_path / "run")]
        assert main(register) == 2
    assert capsys.readouterr().err.count("another run is writing") == 2
    assert main(words) == 0


def test_a_nan_loss_ends_with_3_and_keeps_the_last_save(inputs, tmp_path, capsys, monkeypatch):
    pair, calls = PairTask.pair, []

    def turning_nan(task, index):
        calls.append(index)
        found = pair(task, index)
        if len(calls) > 8:
            found.moving[:] = np.nan
        return found

    monkeypatch.setattr(PairTask, "pair", turning_nan)
    words = [*inputs, "--output", str(tmp_path / "run"), "--epochs", "6", "--plain", "--json"]
    assert main(words) == 3
    out, err = capsys.readouterr()
    assert "stopped: Step 9: the loss became nan" in err and str(tmp_path / "run" / LAST) in err
    assert events_of(out)[-1]["event"] == "failed"
    assert saved_step(tmp_path / "run") == 6
    monkeypatch.undo()
    assert main([*words, "--resume"]) == 0
    assert saved_step(tmp_path / "run") == 18


def test_a_full_disk_ends_with_3_and_resumes(inputs, tmp_path, capsys, monkeypatch):
    save, count = torch.save, []

    def failing(content, stream):
        count.append(1)
        if len(count) > 4:
            raise OSError(28, "No space left on device")
        save(content, stream)

    words = [*inputs, "--output", str(tmp_path / "run"), "--epochs", "2"]
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints.torch, "save", failing)
        assert main(words) == 3
    err = capsys.readouterr().err
    assert "No space left" in err and "--resume" in err and str(tmp_path / "run" / LAST) in err
    assert main([*words, "--resume"]) == 0
    assert main([*words[:-4], "--output", str(tmp_path / "whole"), "--epochs", "2"]) == 0
    assert_equal_runs(tmp_path / "whole", tmp_path / "run")


def test_landmarks_of_held_out_pairs_give_distances_and_choose_the_best(tmp_path):
    checkpoint = write_tiny_checkpoint(tmp_path / "tiny.pt")
    pairs = write_pairs(tmp_path / "pairs", 10, landmarks=True)
    words = ["finetune", "--pairs", str(pairs), "--checkpoint", str(checkpoint), "--epochs", "3"]
    words = [*words, "--initial", "none", "--learning-rate", "0.005"]
    assert main([*words, "--output", str(tmp_path / "run")]) == 0
    with (tmp_path / "run" / LOG).open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
    distances = [float(row["validation_distance_px"]) for row in rows]
    assert all(distance > 0 for distance in distances)
    entry = load_checkpoint(tmp_path / "run" / BEST).history[-1]
    assert entry["step"] == int(rows[int(np.argmin(distances))]["step"])
    assert entry["validation"]["distance_px"] == pytest.approx(min(distances), rel=1e-5)
    assert entry["tasks"][0]["validation"] == ["p09"] and len(entry["tasks"][0]["pairs"]) == 9


@pytest.mark.parametrize(("damaged", "code"), [("p00", 4), ("p02", 0)])
def test_a_pair_that_is_left_out_ends_with_4_unless_it_is_marked_test(damaged, code, inputs, tmp_path, capsys):
    pairs = write_pairs(tmp_path / "pairs", 3)
    rows = [f"p{n:02d},moving/p{n:02d}.png,fixed/p{n:02d}.png,{split}" for n, split in enumerate(("", "", "test"))]
    (pairs / "pairs.csv").write_text("\n".join(["name,moving,fixed,split", *rows]) + "\n", encoding="utf-8")
    (pairs / "moving" / f"{damaged}.png").write_bytes(b"no image")
    words = [
        "finetune",
        "--pairs",
        str(pairs),
        *inputs[3:],
        "--plain",
        "--epochs",
        "1",
        "--output",
        str(tmp_path / "run"),
    ]
    for more in ([], ["--resume"]):
        assert main([*words, *more]) == code
        assert f"left out: moving/{damaged}.png" in capsys.readouterr().err
    assert load_checkpoint(tmp_path / "run" / BEST).history[-1]["pairs"] == (1 if code else 2)


def test_images_with_nan_are_trained_on_with_simulated_visits(inputs, tmp_path):
    for role in ("moving", "fixed"):
        image = texture(0, (80, 80))
        image[30:40, 20:50] = np.nan
        sitk.WriteImage(sitk.GetImageFromArray(image), str(tmp_path / f"p_{role}.nrrd"))
    words = ["finetune", "--pairs", str(tmp_path), *inputs[3:], "--simulated", "1", "--epochs", "3"]
    assert main([*words, "--smoothness", "1", "--output", str(tmp_path / "run")]) == 0
    assert saved_step(tmp_path / "run") == 3


def test_test_pairs_are_trained_on_only_by_name_and_with_a_warning(tmp_path, capsys):
    pairs = write_pairs(tmp_path / "pairs", 4)
    splits = ["fine_tune", "test", "validation", "test"]
    rows = [f"moving/p{n:02d}.png,fixed/p{n:02d}.png,{split}" for n, split in enumerate(splits)]
    (pairs / "pairs.csv").write_text("\n".join(["moving,fixed,split", *rows]) + "\n", encoding="utf-8")
    checkpoint = write_tiny_checkpoint(tmp_path / "tiny.pt")
    words = ["finetune", "--pairs", str(pairs), "--checkpoint", str(checkpoint), "--epochs", "1"]
    assert main([*words, "--initial", "none", "--output", str(tmp_path / "run")]) == 0
    task = load_checkpoint(tmp_path / "run" / BEST).history[-1]["tasks"][0]
    assert (task["pairs"], task["validation"]) == (["p00"], ["p02"])
    assert "marked test" not in capsys.readouterr().err
    assert main([*words, "--initial", "none", "--split", "test", "--output", str(tmp_path / "asked")]) == 0
    task = load_checkpoint(tmp_path / "asked" / BEST).history[-1]["tasks"][0]
    assert (task["pairs"], task["validation"]) == (["p01", "p03"], ["p02"])
    assert "warning: Training on 2 pairs marked test" in capsys.readouterr().err


def test_the_history_of_a_checkpoint_grows_and_the_loss_is_the_recipes(inputs, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    octa = ["--simulated", str(GUIDED.simulated)]
    assert main([*inputs, *octa, "--output", str(first), "--epochs", "1", "--smoothness", "0.5", "--scales", "2"]) == 0
    words = ["finetune", *inputs[1:3], "--checkpoint", str(first / BEST)]
    assert main([*words, "--output", str(second), "--epochs", "1", "--plain"]) == 0
    history = load_checkpoint(second / BEST).history
    assert [entry["stage"] for entry in history] == ["finetune", "finetune"]
    assert [entry["loss"]["scales"] for entry in history] == [2, 1]
    assert history[1]["loss"] == {"smoothness_weight": 1.0, "window": 9, "scales": 1, "supervision_weight": 0.0}
    assert [entry["loss"]["supervision_weight"] for entry in history] == [1.0, 0.0]
    assert [(entry["simulated"], entry["averaging"]) for entry in history] == [
        (recipe.simulated, recipe.averaging) for recipe in (GUIDED, PLAIN)
    ]
    assert history[1]["parent_sha256"] == checkpoints.file_sha256(first / BEST)


@pytest.fixture
def task_set(tmp_path):
    return write_tasks_of_scans(tmp_path)


@pytest.fixture
def small_frame(monkeypatch):
    small_new_networks(monkeypatch)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--network", "nonsense"], "nonsense"),
        (["--network", "os:path"], "os:path"),
        (["--network-settings", "{"], "--network-settings"),
        (["--network-settings", '{"depth": 3}'], "depth"),
        (["--network-settings", "[1]"], "[1]"),
        (["--window", "8"], "--window: expected an odd number, got 8"),
        (["--scales", "40"], "--scales: a network grid of 400 pixels has at most 9, got 40"),
    ],
)
def test_wrong_networks_and_losses_are_refused(more, words, task_set, tmp_path, capsys):
    assert main(["pretrain", "--tasks", task_set, "--output", str(tmp_path / "run"), *more]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("more", [["--network", "voxelmorph"], ["--network-settings", "{}"]])
def test_a_checkpoint_brings_its_own_network(more, task_set, tmp_path, capsys):
    checkpoint = str(write_tiny_checkpoint(tmp_path / "tiny.pt"))
    words = ["pretrain", "--tasks", task_set, "--checkpoint", checkpoint, "--output", str(tmp_path / "run")]
    assert main([*words, *more]) == 2
    assert "leave out --checkpoint" in capsys.readouterr().err


def test_resuming_a_new_network_with_other_settings_is_refused(task_set, small_frame, tmp_path, capsys):
    words = ["pretrain", "--tasks", task_set, "--steps", "1", "--output", str(tmp_path / "run")]
    assert main([*words, "--network-settings", json.dumps(NETWORK["settings"])]) == 0
    capsys.readouterr()
    assert main([*words, "--resume"]) == 2
    assert "network" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["pretrain", pytest.param("metatrain", marks=pytest.mark.long)])
def test_source_task_commands_repeat_and_resume_bit_for_bit(command, task_set, tmp_path, capsys):
    checkpoint = str(write_tiny_checkpoint(tmp_path / "tiny.pt"))
    words = [command, "--tasks", task_set, "--checkpoint", checkpoint, "--learning-rate", "0.001"]
    words += ["--validate-every", "1", *(["--inner-updates", "2"] if command == "metatrain" else [])]
    assert main([*words, "--steps", "2", "--output", str(tmp_path / "whole")]) == 0
    assert main([*words, "--steps", "1", "--output", str(tmp_path / "short")]) == 0
    assert main([*words, "--steps", "2", "--output", str(tmp_path / "short"), "--resume"]) == 0
    assert_equal_runs(tmp_path / "whole", tmp_path / "short")
    rows = (tmp_path / "whole" / LOG).read_text(encoding="utf-8").splitlines()
    assert {"validation_a/loss", "validation_b/loss", "validation_ncc"} <= set(rows[0].split(","))


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("Linear", {"in_features": 2, "out_features": 2}, "displacement"),
        ("Conv2d", {"in_channels": 2, "out_channels": 3, "kernel_size": 3}, "displacement"),
        ("Transformer", {"d_model": 4, "nhead": 2, "dim_feedforward": 4}, "displacement"),
        ("Identity", {}, "no trainable parameters"),
    ],
)
def test_a_foreign_network_that_cannot_be_trained_is_refused(
    name, settings, words, task_set, small_frame, tmp_path, capsys
):
    network = ["--network", f"torch.nn:{name}", "--network-settings", json.dumps(settings)]
    assert main(["pretrain", "--tasks", task_set, *network, "--output", str(tmp_path / "run")]) == 2
    err = capsys.readouterr().err
    assert name in err and words in err
    assert not (tmp_path / "run").exists()
