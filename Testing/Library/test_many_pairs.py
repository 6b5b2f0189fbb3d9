"""Folder runs: processes, interruptions and resuming, parts of a run, chosen files."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from known_networks import known_checkpoint, read_rows, texture, write_grey_png, write_points

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.checkpoints import save_checkpoint
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.formats.written_files import NAME, WrittenFiles
from MetaRegistrationLib.pairs.files import PairFiles
from MetaRegistrationLib.progress import Item, Message, Started
from MetaRegistrationLib.registration.file_names import PARTS
from MetaRegistrationLib.workflows.pair_work import PairWork, WorkSettings
from MetaRegistrationLib.workflows.processes import RETRIES, Processes, Tries
from MetaRegistrationLib.workflows.registrars import RegistrarOptions
from MetaRegistrationLib.workflows.run_options import JOBS_VARIABLE, RunOptions, Shard, wanted_jobs
from MetaRegistrationLib.workflows.sending import sent

STAGES = mr.Stages("none", network=False, refine=0)
COUNT = 3
WORDS = ["--initial", "none", "--no-network", "--refine", "0", "--device", "cpu"]
TIMES = {"seconds", "stage_seconds", "time", "versions"}


def pairs_folder(folder: Path, count: int = COUNT) -> Path:
    for number in range(count):
        write_grey_png(folder / "moving" / f"eye {number}.png", texture((64, 64), number))
        write_grey_png(folder / "fixed" / f"eye {number}.png", texture((64, 64), number + 50))
        write_points(folder / "moving" / f"eye {number}.csv", [(20 + number, 30)])
        write_points(folder / "fixed" / f"eye {number}.csv", [(24, 28)])
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three pairs, and the results of a whole run over them."""
    folder = tmp_path_factory.mktemp("made")
    register(pairs_folder(folder / "Augen é"), folder / "whole")
    return folder


@pytest.fixture
def pairs(made, tmp_path):
    """A copy of the three pairs, with the times of their files."""
    return shutil.copytree(made / "Augen é", tmp_path / "Augen é")


@pytest.fixture
def output(made, tmp_path):
    """A copy of the results of the whole run."""
    return shutil.copytree(made / "whole", tmp_path / "out")


def run(*words) -> int:
    return main([str(word) for word in words])


def results(folder: Path) -> dict:
    """The content of all result files, without times."""
    found = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.relative_to(folder).as_posix()
        if name == NAME or path.name.startswith(".meta"):
            continue
        if path.suffix == ".json" and "landmarks" not in name:
            found[name] = _timeless(json.loads(path.read_text(encoding="utf-8")))
        elif name == "metrics.csv":
            found[name] = [{key: cell for key, cell in row.items() if key != "seconds"} for row in read_rows(path)]
        else:
            found[name] = path.read_bytes()
    return found


def _timeless(value):
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in TIMES}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


class Events:
    """Collects events, and interrupts the run after some items."""

    def __init__(self, stop_after: int = 10**6):
        self.all, self.stop_after = [], stop_after

    def __call__(self, event):
        self.all.append(event)
        if len(self.names) >= self.stop_after:
            raise KeyboardInterrupt

    @property
    def text(self) -> str:
        return "\n".join(each.text for each in self.all if isinstance(each, Message))

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.all if isinstance(each, Item)]


def register(pairs, output, stop_after=10**6, **options):
    events = Events(stop_after)
    options = {"stages": STAGES, "device": "cpu", "progress": events, **options}
    try:
        mr.register_folder(pairs, output, **options)
    except KeyboardInterrupt:
        assert stop_after < 10**6
    return events


# Processes


def test_processes_give_the_same_results_in_the_same_order_and_one_that_dies_costs_only_its_pair(
    full_pictures, pairs, tmp_path
):
    write_grey_png(pairs / "moving" / "eye 1.png", np.zeros((64, 64)))  # constant, so it cannot be used
    deadly = tmp_path / "die once"
    save_checkpoint(tmp_path / "deadly.pt", known_checkpoint("DiesOnce", size=64, path=str(deadly)))
    options = {"checkpoint": tmp_path / "deadly.pt", "stages": mr.Stages("none", refine=0)}
    one = register(pairs, tmp_path / "one", jobs=1, **options)
    deadly.touch()
    two = register(pairs, tmp_path / "two", jobs=2, **options)
    assert not deadly.exists() and "ended with code 7. The pair is tried again (1 of 3)." in two.text
    assert results(tmp_path / "one") == results(tmp_path / "two")
    assert [row["pair"] for row in read_rows(tmp_path / "two" / "metrics.csv")] == ["eye 0", "eye 2"]
    assert sorted(two.names) == one.names
    items = [each for each in two.all if isinstance(each, Item)]
    assert [each.index for each in items] == [1, 2] and {each.total for each in items} == {2}
    assert "eye 1" in one.text and "eye 1" in two.text
    assert {path.name for path in (tmp_path / "two").iterdir() if path.name.startswith(".")} == set()


@pytest.mark.long
def test_processes_compute_the_same_as_one_with_several_threads(full_pictures, tmp_path):
    """All stages: sums over several threads round differently, so each process of a folder run computes with one."""
    import torch

    samples, folder = Path(mr.__file__).parents[1] / "Resources" / "SamplePairs", tmp_path / "pairs"
    for role in ("moving", "fixed"):
        (folder / role).mkdir(parents=True)
        for name in ("phantom_004", "phantom_009", "phantom_010"):
            shutil.copy(samples / role / f"{name}.png", folder / role)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        mr.register_folder(folder, tmp_path / "one", device="cpu", jobs=1)
        assert torch.get_num_threads() == 2
        mr.register_folder(folder, tmp_path / "two", device="cpu", jobs=2)
    finally:
        torch.set_num_threads(threads)
    assert results(tmp_path / "one") == results(tmp_path / "two")


def test_a_pair_is_tried_again_three_times():
    tries = Tries()
    assert [tries.again(4) for _ in range(RETRIES + 1)] == [True] * RETRIES + [False]
    assert tries.again(5)


def fewer_processes(monkeypatch, count):
    """Start so many processes, whatever was asked for: each takes seconds."""
    from MetaRegistrationLib.workflows import processes

    several = processes.Processes
    monkeypatch.setattr(processes, "Processes", lambda settings, _: several(settings, count))
    return several


@pytest.mark.parametrize("count", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_stopped_run_ends_its_processes(pairs, tmp_path, monkeypatch, count):
    several = fewer_processes(monkeypatch, count)
    made, start = [], several._started
    monkeypatch.setattr(several, "_started", lambda self: made.append(start(self)) or made[-1])
    register(pairs, tmp_path / "out", stop_after=1, jobs=2)
    assert len(made) == count and all(worker.process.poll() is not None for worker in made)
    assert len(read_rows(tmp_path / "out" / "metrics.csv")) >= 1
    assert not (tmp_path / "out" / ".meta-registration-unfinished").exists()


@pytest.mark.long
@pytest.mark.skipif(sys.platform == "win32", reason="a script stands for the launcher")
def test_a_launcher_may_stand_between(pairs, tmp_path, monkeypatch):
    """As inside Slicer, whose Python is started by a program that passes no open files on."""
    launcher = tmp_path / "bin" / "PythonSlicer"
    launcher.parent.mkdir()
    launcher.write_text(f'#!/bin/sh\necho started >> "{tmp_path / "log"}"\n"{sys.executable}" "$@"\nexit $?\n')
    launcher.chmod(0o755)
    monkeypatch.setenv("PATH", str(launcher.parent), prepend=":")
    register(pairs, tmp_path / "out", jobs=2)
    assert (tmp_path / "log").read_text() == "started\n" * 2
    assert len(read_rows(tmp_path / "out" / "metrics.csv")) == COUNT


def test_an_error_in_all_processes_is_told_before_anything_is_written(pairs, tmp_path, monkeypatch, capsys):
    fewer_processes(monkeypatch, 1)
    (tmp_path / "broken.pt").write_bytes(b"no checkpoint")
    words = ["--pairs", pairs, "--checkpoint", tmp_path / "broken.pt", "--output", tmp_path / "out", "--jobs", 2]
    assert run("register", *words) == 2
    assert "broken.pt" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_network_object_stays_in_this_process(pairs, tmp_path):
    import torch

    class Still(torch.nn.Module):
        def forward(self, moving, fixed):
            return torch.zeros(1, 2, *moving.shape[-2:])

    stages = mr.Stages("none", refine=0)
    register(pairs, tmp_path / "out", network=Still(), stages=stages)
    with pytest.raises(mr.InputError, match="cannot be sent to another process"):
        mr.register_folder(pairs, tmp_path / "two", network=Still(), stages=stages, jobs=2)


@pytest.mark.parametrize(("given", "variable", "expected"), [(3, "2", 3), (None, "2", 2), (None, "", None)])
def test_the_number_of_processes(given, variable, expected, monkeypatch):
    monkeypatch.setenv(JOBS_VARIABLE, variable)
    assert wanted_jobs(given) == expected


def test_no_more_processes_are_started_than_the_system_can_wait_for(monkeypatch):
    from MetaRegistrationLib.workflows import processes

    started = []
    monkeypatch.setattr(processes, "_MOST", 3)
    monkeypatch.setattr(processes.Processes, "_started", lambda self: started.append(self) or processes._Worker(None))
    monkeypatch.setattr(processes.Processes, "_take", lambda self: setattr(self._workers[0], "ready", True))
    monkeypatch.setattr(processes._Worker, "end", lambda self: None)
    with processes.Processes(b"", 100):
        assert len(started) == 3


def test_a_folder_that_cannot_be_made_ends_the_work_of_processes(tmp_path):
    """Before anything is sent. A run that goes on would wait for an answer for ever."""
    full, ended = OSError(errno.ENOSPC, "No space left on device", "out/eye 0"), []
    settings = sent(WorkSettings(RegistrarOptions(device="cpu", stages=STAGES)), "jobs")
    files = [PairFiles("eye 0", tmp_path / "a.png", tmp_path / "b.png")]

    def folder_of(pair):
        raise full

    def work():
        try:
            list(engine.run(files, folder_of, print))
        except OSError as error:
            ended.append(error)

    with Processes(settings, 1) as engine:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(20)
    assert ended == [full]


def test_a_wrong_number_of_processes_is_named(monkeypatch):
    monkeypatch.setenv(JOBS_VARIABLE, "many")
    with pytest.raises(mr.InputError, match=f"{JOBS_VARIABLE}: expected a whole number"):
        wanted_jobs(None)


# Resuming


@pytest.mark.parametrize("stop_after", [pytest.param(1, marks=pytest.mark.long), 2])
def test_a_stopped_run_is_resumed_with_the_same_result(made, tmp_path, stop_after):
    pairs = made / "Augen é"
    register(pairs, tmp_path / "out", stop_after)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["pairs"] == stop_after and summary["pairs_not_done"] == COUNT - stop_after
    events = register(pairs, tmp_path / "out", resume=True)
    assert f"resumed: {stop_after} of {COUNT} pairs are finished" in events.text
    assert events.names == [f"eye {number}" for number in range(stop_after, COUNT)]
    (started,) = (each for each in events.all if isinstance(each, Started))
    assert (started.first_step, started.total_steps) == (stop_after, COUNT)
    assert results(tmp_path / "out") == results(made / "whole")


def test_a_finished_run_is_not_done_again(pairs, output):
    before = {path: path.stat().st_mtime_ns for path in output.glob("eye*/*")}
    assert register(pairs, output, resume=True).names == []
    assert {path: path.stat().st_mtime_ns for path in output.glob("eye*/*")} == before
    again = WrittenFiles.read(output)
    assert len([note for note in again.notes if "pair" in note]) == COUNT and all(again.there().values())


def test_a_run_that_sigterm_ends_has_whole_tables_and_is_resumed(made, tmp_path, monkeypatch):
    out, count = tmp_path / "out", []

    def registered(work, files, tell):
        count.append(files.name)
        if len(count) == 2:
            signal.raise_signal(signal.SIGTERM)
        return whole(work, files, tell)

    whole = PairWork.registered
    words = ["register", "--pairs", made / "Augen é", *WORDS, "--output", out, "--jobs", 1]
    with monkeypatch.context() as context:
        context.setattr(PairWork, "registered", registered)
        assert run(*words) == 130
    assert [row["pair"] for row in read_rows(out / "metrics.csv")] == ["eye 0"]
    assert not [path.name for path in out.iterdir() if path.name.startswith(".")]
    assert run(*words, "--resume") == 0
    assert results(out) == results(made / "whole")


def test_pairs_with_other_files_are_done_again_and_named(tmp_path):
    pairs, output = pairs_folder(tmp_path / "pairs", 4), tmp_path / "out"
    register(pairs, output)
    write_grey_png(pairs / "moving" / "eye 1.png", texture((64, 64), 99))
    write_points(pairs / "fixed" / "eye 2.csv", [(25, 28)])
    (output / "eye 3" / "warped.nrrd").unlink()
    events = register(pairs, output, resume=True)
    assert events.names == ["eye 1", "eye 2", "eye 3"]
    assert "done again, because the moving image changed: eye 1" in events.text
    assert "done again, because the fixed landmarks changed: eye 2" in events.text
    assert "done again, because result files are missing: eye 3" in events.text
    register(pairs, tmp_path / "whole")
    assert results(output) == results(tmp_path / "whole")


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("displacement_field.nrrd", 1000),
        ("moving.nrrd", 100),
        ("registration.json", 0),
        ("registration.json", 500),
        ("overlay.png", 1000),
        ("fixed_landmarks.mrk.json", 300),
        ("landmarks.csv", 0),
    ],
)
def test_a_pair_whose_result_files_end_too_early_is_done_again(name, size, made, output):
    cut(output / "eye 1" / name, size)
    events = register(made / "Augen é", output, resume=True)
    assert events.names == ["eye 1"] and "done again, because result files end too early: eye 1" in events.text
    assert results(output) == results(made / "whole")


def test_files_that_end_too_early_are_replaced_by_the_same_run(made, output):
    cut(output / "eye 1" / "warped.nrrd", 1000)
    register(made / "Augen é", output)
    assert results(output) == results(made / "whole")


@pytest.mark.parametrize("name", ["displacement_field.nrrd", "registration.json", "overlay.png"])
def test_a_whole_file_of_another_size_is_kept_and_named(name, made, output):
    """As a user saves it: an image of fewer pixels, a record with fewer lines."""
    path = output / "eye 1" / name
    if path.suffix == ".json":
        path.write_text('{"mine": 1}', encoding="utf-8")
    elif path.suffix == ".png":
        write_grey_png(path, np.zeros((4, 4)))
    else:
        sitk.WriteImage(sitk.ReadImage(str(path))[:8, :8], str(path), True)
    mine, before = path.read_bytes(), (made / "whole" / "eye 1" / name).stat().st_size
    assert len(mine) < before
    events = register(made / "Augen é", output, resume=True)
    assert events.names == [] and path.read_bytes() == mine
    assert f"changed since they were written, and kept as they are: eye 1/{name}" in events.text


def test_the_same_bytes_under_another_time_are_no_change(pairs, output):
    for path in pairs.rglob("*.png"):
        path.write_bytes(path.read_bytes())
        os.utime(path, (0, 0))
    assert register(pairs, output, resume=True).names == []


def test_equal_sizes_and_times_hide_no_change(pairs, output):
    path = pairs / "fixed" / "eye 0.csv"
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"28", b"29"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert register(pairs, output, resume=True).names == ["eye 0"]


def test_other_stages_or_another_checkpoint_do_everything_again(tmp_path):
    pairs = pairs_folder(tmp_path / "pairs", 2)
    for number, shift in enumerate((1.0, 2.0)):
        save_checkpoint(tmp_path / f"{number}.pt", known_checkpoint("Translation", size=64, row=shift, column=0.0))
    alone = {"stages": mr.Stages("none", refine=0)}
    register(pairs, tmp_path / "out", checkpoint=tmp_path / "0.pt", **alone)
    events = register(pairs, tmp_path / "out", checkpoint=tmp_path / "1.pt", resume=True, **alone)
    assert len(events.names) == 2 and "done again, because checkpoint changed: eye 0, eye 1" in events.text
    events = register(pairs, tmp_path / "out", resume=True)
    assert len(events.names) == 2 and "because checkpoint, stages changed" in events.text
    register(pairs, tmp_path / "whole")
    assert results(tmp_path / "out") == results(tmp_path / "whole")


def test_another_batch_does_everything_again_where_there_is_a_network(tmp_path):
    """Sums over a batch round differently, and the refinement enlarges that."""
    pairs, output = pairs_folder(tmp_path / "pairs", 2), tmp_path / "out"
    save_checkpoint(tmp_path / "known.pt", known_checkpoint("Translation", size=64, row=1.0, column=0.0))
    options = {"checkpoint": tmp_path / "known.pt", "stages": mr.Stages("none", refine=0), "resume": True}
    register(pairs, output, **options)
    for batch in (2, 1):
        events = register(pairs, output, batch=batch, **options)
        assert "done again, because batch changed: eye 0, eye 1" in events.text
    assert register(pairs, output, **options).names == []
    without = {**options, "stages": STAGES, "checkpoint": None}
    register(pairs, output, **without)
    assert register(pairs, output, batch=2, **without).names == []


def test_new_pairs_are_added_and_lost_ones_are_refused(pairs, output):
    for number, role in enumerate(("moving", "fixed")):
        write_grey_png(pairs / role / "eye 3.png", texture((64, 64), 3 + 50 * number))
    assert register(pairs, output, resume=True).names == ["eye 3"]
    for role in ("moving", "fixed"):
        (pairs / role / "eye 0.png").unlink()
        (pairs / role / "eye 0.csv").unlink()
    with pytest.raises(mr.InputError, match="not among the present ones: eye 0"):
        register(pairs, output, resume=True)
    assert register(pairs, output, resume=True, replace=True).names == []
    assert not (output / "eye 0").exists()
    assert [row["pair"] for row in read_rows(output / "metrics.csv")] == [f"eye {n}" for n in range(1, 4)]


def test_a_result_that_the_user_changed_stays(pairs, output):
    mine = output / "eye 1" / "fixed_landmarks.mrk.json"
    mine.write_text("mine", encoding="utf-8")
    events = register(pairs, output, resume=True)
    assert events.names == [] and "kept as they are: eye 1/fixed_landmarks.mrk.json" in events.text
    write_grey_png(pairs / "moving" / "eye 1.png", texture((64, 64), 99))
    with pytest.raises(mr.InputError, match=r"fixed_landmarks\.mrk\.json: changed since an earlier run"):
        register(pairs, output, resume=True)
    assert mine.read_text(encoding="utf-8") == "mine"


BETWEEN = [pytest.param(last, marks=pytest.mark.long) for last in (14, 25)]


@pytest.mark.parametrize("last", [3, *BETWEEN, 29])
def test_a_kill_at_any_write_is_resumed_with_the_same_result(made, tmp_path, monkeypatch, last):
    """Every move into place may be the last thing that a process does."""
    pairs, output, moves, move = made / "Augen é", tmp_path / "out", [], os.replace

    def replace(source, target):
        moves.append(target)
        if len(moves) >= last:
            raise KeyboardInterrupt  # also every later write, as of a process that is gone
        move(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(KeyboardInterrupt):
        mr.register_folder(pairs, output, stages=STAGES, device="cpu")
    monkeypatch.undo()
    for table in ("metrics.csv", "summary.json"):
        assert not (output / table).exists() or (output / table).read_bytes()
    register(pairs, output, resume=True)
    assert results(output) == results(made / "whole")


@pytest.mark.long
def test_a_cancelled_command_ends_and_can_be_resumed(tmp_path):
    pairs, output = pairs_folder(tmp_path / "pairs", 40), tmp_path / "out"
    command = [sys.executable, "-m", "MetaRegistrationLib", "register", "--pairs", str(pairs), *WORDS, "--output"]
    words = [*command, str(output), "--jobs", "2", "--json", "--watch-stdin"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while b'"item"' not in process.stdout.readline():
        assert process.poll() is None
    process.stdin.close()
    process.stdout.read()
    assert process.wait(60) == 130
    finished = _finished(output)
    assert 1 <= finished < 40 and not (output / ".meta-registration-unfinished").exists()
    summary = json.loads((output / "summary.json").read_text(encoding="utf-8"))
    assert summary["pairs"] == finished and summary["pairs_not_done"] == 40 - finished
    events = register(pairs, output, resume=True)
    assert len(events.names) == 40 - finished


@pytest.mark.long
def test_a_killed_process_is_resumed_with_the_same_result(full_pictures, tmp_path):
    pairs = pairs_folder(tmp_path / "pairs", 40)
    words = ["register", "--pairs", pairs, *WORDS, "--resume", "--jobs"]
    assert run(*words, 1, "--output", tmp_path / "whole") == 0
    random = np.random.default_rng(0)
    killed = 0
    for jobs in (1, 2, 2):
        command = [sys.executable, "-m", "MetaRegistrationLib", *map(str, words), str(jobs)]
        process = subprocess.Popen([*command, "--output", str(tmp_path / "out")], stderr=subprocess.PIPE)
        list_file, begin = tmp_path / "out" / NAME, _finished(tmp_path / "out")
        while process.poll() is None and _finished(tmp_path / "out") < begin + random.integers(2, 9):
            time.sleep(0.01)
        killed += process.poll() is None
        process.kill()
        process.communicate()
        assert list_file.is_file()
    assert killed == 3
    assert run(*words, 1, "--output", tmp_path / "out") == 0
    assert results(tmp_path / "out") == results(tmp_path / "whole")


def _finished(folder: Path) -> int:
    listed = WrittenFiles.read(folder)
    return 0 if listed is None else sum("pair" in note for note in listed.notes)


def test_what_a_killed_run_left_is_removed_and_nothing_else(pairs, tmp_path):
    output = tmp_path / "out"
    register(pairs, output, stop_after=2)
    lost = [output / ".meta-registration-unfinished" / "a" / "warped.nrrd", output / ".0123abcd.metrics.csv"]
    lost += [output / "eye 2" / ".0123abcd.warped.nrrd"]
    mine = [output / "eye 2" / ".0123abcd.mine.nrrd", output / "eye 2" / ".warped.nrrd", output / ".0123abcd.txt"]
    for path in (*lost, *mine):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    register(pairs, output, resume=True)
    assert not any(path.exists() for path in lost) and all(path.exists() for path in mine)


def test_evaluate_is_resumed(tmp_path):
    pairs, options = pairs_folder(tmp_path / "pairs"), {"stages": STAGES, "device": "cpu"}
    whole = mr.evaluate(pairs, tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        mr.evaluate(pairs, tmp_path / "out", progress=Events(1), **options)
    events = Events()
    outcome = mr.evaluate(pairs, tmp_path / "out", resume=True, progress=events, **options)
    assert events.names == ["eye 1", "eye 2"]
    assert [row.distance_after_px for row in outcome.rows] == [row.distance_after_px for row in whole.rows]
    assert results(tmp_path / "out") == results(tmp_path / "whole")
    with pytest.raises(mr.InputError, match="output folder"):
        mr.evaluate(pairs, resume=True, **options)


# Chosen files


def test_chosen_parts_are_written_and_no_others(pairs, tmp_path, capsys):
    for role in ("moving", "fixed"):
        for each in (pairs / role).glob("eye [1-4].*"):
            each.unlink()
    words = ["register", "--pairs", pairs, *WORDS, "--output"]
    assert run(*words, tmp_path / "out", "--write", "transform,landmarks") == 0
    names = {path.name for path in (tmp_path / "out" / "eye 0").iterdir()}
    landmarks = {f"{role}_landmarks.mrk.json" for role in ("moving", "fixed", "carried")} | {"landmarks.csv"}
    assert names == {"transform.npz", "registration.json"} | landmarks
    assert run(*words, tmp_path / "out", "--write", "transform,nonsense") == 2
    assert "nonsense" in (error := capsys.readouterr().err) and all(part in error for part in PARTS)


def test_the_compact_transform_warps_like_the_field(tmp_path):
    pairs = Path(mr.__file__).parents[1] / "Resources" / "SamplePairs"
    name, folder = "phantom_009", tmp_path / "pairs"
    for role in ("moving", "fixed"):
        (folder / role).mkdir(parents=True)
        shutil.copy(pairs / role / f"{name}.png", folder / role)
    assert run("register", "--pairs", folder, "--output", tmp_path / "out", "--write", "field,transform,images") == 0
    result = tmp_path / "out" / name
    assert (result / "transform.npz").stat().st_size < 12_000
    from MetaRegistrationLib.formats.compact_field import MOST_ERROR_PX, read_compact
    from MetaRegistrationLib.workflows.warping import read_field

    compact, field = read_compact(result / "transform.npz"), read_field(result)
    rows, columns = map(np.arange, field.fixed.size)
    apart = compact.moving_positions(rows, columns) - field.moving_positions(rows, columns)
    grid_px = np.asarray(field.fixed.size) / 400
    assert np.abs(apart / grid_px).max() <= MOST_ERROR_PX + 1e-4
    written = sitk.GetArrayFromImage(sitk.ReadImage(str(result / "displacement_field.nrrd")))[0]
    assert np.abs(compact.displacement_mm() - written).max() <= MOST_ERROR_PX
    for lost in ("displacement_field.nrrd", "moving.nrrd", "fixed.nrrd"):
        (result / lost).unlink()
    moving = folder / "moving" / f"{name}.png"
    assert run("warp", "--result", result, "--images", moving, "--output", tmp_path / "warped") == 0


# Pairs that cannot be read


def damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def left_out(folder: Path) -> list:
    return json.loads((folder / "summary.json").read_text(encoding="utf-8")).get("left_out", [])


@pytest.mark.parametrize("command", ["register", "evaluate"])
@pytest.mark.parametrize("resume", [False, True])
def test_a_pair_that_cannot_be_read_is_left_out(command, resume, pairs, tmp_path):
    damaged(pairs / "moving" / "eye 1.png")
    write_grey_png(pairs / "moving" / "alone.png", texture((64, 64), 9))  # it is no pair
    out = tmp_path / "results"
    words = [command, "--pairs", pairs, *WORDS, "--output", out]
    if resume:
        assert run(*words) == 4
        words.append("--resume")
    assert run(*words) == 4
    assert [row["pair"] for row in read_rows(out / "metrics.csv")] == ["eye 0", "eye 2"]
    (one,) = left_out(out)
    assert one["pair"] == "eye 1" and one["reason"].startswith("moving/eye 1.png: ")


def test_a_pair_that_cannot_be_read_is_in_the_outcome(pairs, tmp_path):
    for number in (1, 2):
        damaged(pairs / "fixed" / f"eye {number}.png")
    outcome = mr.register_folder(pairs, tmp_path / "results", stages=STAGES, device="cpu")
    assert [each["pair"] for each in outcome.left_out] == ["eye 1", "eye 2"]
    evaluated = mr.evaluate(pairs, stages=STAGES, device="cpu")
    assert evaluated.left_out == outcome.left_out and len(evaluated.rows) == 1


def test_a_repaired_pair_is_done_when_the_run_goes_on(pairs, tmp_path):
    whole = (pairs / "moving" / "eye 1.png").read_bytes()
    damaged(pairs / "moving" / "eye 1.png")
    register(pairs, tmp_path / "results")
    (pairs / "moving" / "eye 1.png").write_bytes(whole)
    events = register(pairs, tmp_path / "results", resume=True)
    assert events.names == ["eye 1"] and left_out(tmp_path / "results") == []


def table_of(pairs: Path) -> Path:
    """A table of the three pairs of two splits, of one without its image, and of a row that cannot be understood."""
    rows = [(f"eye {number}", f"moving/eye {number}.png", "test", "") for number in range(COUNT)]
    rows += [("gone", "moving/gone.png", "train", ""), ("odd", "moving/eye 1.png", "test", "five")]
    columns = ("name", "moving", "split", "spacing_um", "fixed")
    write_points(pairs / "pairs.csv", [(*row, "fixed/eye 0.png") for row in rows], columns)
    return pairs / "pairs.csv"


@pytest.mark.parametrize(
    ("split", "code", "names"), [("test", 4, ["odd"]), ("train", 0, []), (None, 4, ["odd", "gone"])]
)
def test_pairs_of_another_split_are_not_left_out(split, code, names, pairs, tmp_path):
    table = table_of(pairs)
    if split == "train":
        table.write_text(table.read_text(encoding="utf-8").replace("gone.png", "eye 2.png"), encoding="utf-8")
    words = ["register", "--pairs", table, *WORDS, "--output", tmp_path / "results"]
    assert run(*words, *(() if split is None else ("--split", split))) == code
    assert [each["pair"] for each in left_out(tmp_path / "results")] == names


def test_a_split_that_cannot_be_used_is_refused_with_the_reasons(pairs, tmp_path, capsys):
    assert run("register", "--pairs", table_of(pairs), *WORDS, "--output", tmp_path / "out", "--split", "train") == 2
    told = capsys.readouterr().err
    assert "no pair of the split 'train' can be used. Left out:" in told and "moving/gone.png" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("count", [2, 4])
def test_one_part_names_a_pair_whose_file_is_missing_and_the_whole_names_it_once(count, pairs, tmp_path):
    words = ["register", "--pairs", table_of(pairs), *WORDS, "--output", tmp_path / "out", "--shard"]
    codes = [run(*words, f"{number}/{count}") for number in range(1, count + 1)]
    assert codes == ([4, 0, 0, 2] if count == 4 else [4, 4])  # the fourth part has "gone" alone
    assert run("merge", tmp_path / "out") == 4
    named = {each["pair"]: each["reason"] for each in left_out(tmp_path / "out")}
    assert list(named) == ["odd", "part 4/4" if count == 4 else "gone"]
    assert named.get("part 4/4", "gone").endswith("gone")


# Parts of a run


@pytest.mark.parametrize("count", [pytest.param(2, marks=pytest.mark.long), 3])
def test_the_parts_of_a_run_are_merged(made, tmp_path, count, capsys):
    words = ["register", "--pairs", made / "Augen é", *WORDS, "--output", tmp_path / "out", "--shard"]
    for number in range(1, count + 1):
        assert run(*words, f"{number}/{count}") == 0
    assert run("merge", tmp_path / "out") == 0
    folders = (made / "whole", tmp_path / "out")
    whole, merged = (read_rows(folder / "metrics.csv") for folder in folders)
    assert [{**row, "seconds": ""} for row in merged] == [{**row, "seconds": ""} for row in whole]
    means = [json.loads((folder / "summary.json").read_text(encoding="utf-8")) for folder in folders]
    assert means[0]["ncc_after"] == means[1]["ncc_after"] and means[1]["pairs"] == COUNT
    assert (tmp_path / "out" / f"shard_1_of_{count}" / "eye 0" / "registration.json").is_file()
    assert run("merge", tmp_path / "out") == 0  # again, after another part was run again


def test_pairs_with_names_of_parts_and_devices_are_written_and_merged(pairs, tmp_path):
    names = ["shard_1_of_2", "CON", "aux.txt", "con_2", "console"]
    rows = [f"{name},moving/eye {number % COUNT}.png,fixed/eye 0.png" for number, name in enumerate(names)]
    (pairs / "pairs.csv").write_text("\n".join(["name,moving,fixed", *rows]), encoding="utf-8")
    register(pairs / "pairs.csv", tmp_path / "out")
    folders = {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()}
    assert folders == {"shard_1_of_2", "CON_2", "aux_2.txt", "con_2_2", "console"}
    assert run("merge", tmp_path / "out", "--output", tmp_path / "merged") == 0
    merged = [row["pair"] for row in read_rows(tmp_path / "merged" / "metrics.csv")]
    assert merged == ["shard_1_of_2", "CON_2", "aux_2.txt", "con_2_2", "console"]


def test_missing_parts_and_other_runs_are_named(pairs, tmp_path, capsys):
    words = ["register", "--pairs", pairs, "--output", tmp_path / "out", "--shard"]
    assert run(*words, "1/3", *WORDS) == 0
    assert run("merge", tmp_path / "out") == 4
    assert "missing parts: 2/3, 3/3" in capsys.readouterr().err
    assert run(*words, "2/3", *WORDS[:2], "--no-network", "--refine", 1, "--device", "cpu") == 0
    assert run("merge", tmp_path / "out") == 2
    assert "stages" in capsys.readouterr().err
    assert run("merge", pairs, "--output", tmp_path / "m") == 2
    assert run(*words, "4/3", *WORDS) == 2 and run(*words, "three", *WORDS) == 2
    assert "--shard" in capsys.readouterr().err


def test_every_pair_is_in_one_part():
    names = [f"p{number}" for number in range(11)]
    parts = [Shard(number, 4).of_items(names) for number in range(1, 5)]
    assert sorted(name for part in parts for name in part) == sorted(names)
    assert Shard(3, 16).folder(Path("out")).name == "shard_03_of_16"
    assert RunOptions().shard is None
