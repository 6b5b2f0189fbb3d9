"""Tests of Reptile and pretraining in several processes: the weights are those of one process, and all processes end together."""

import atexit
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import astuple, replace

import numpy as np
import pytest
import torch
from training_helpers import (
    ROOT,
    STEP,
    At,
    ListTask,
    equal_weights,
    list_tasks,
    load_checkpoint,
    make_run,
    rest_of,
    saved_step,
    shifted_pair,
    start_program,
    tiny_network,
    write_pairs,
    write_set,
    write_tiny_checkpoint,
)

from MetaRegistrationLib import checkpoints
from MetaRegistrationLib.checkpoints import cpu_weights
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.errors import InputError, TrainingStopped
from MetaRegistrationLib.progress import ReaderGone, Step
from MetaRegistrationLib.training import distributed
from MetaRegistrationLib.training.distributed import Group, TorchGroup, own_device, started_in_group
from MetaRegistrationLib.training.pretrain import Pretraining
from MetaRegistrationLib.training.reptile import Reptile
from MetaRegistrationLib.training.run import LAST


class Table:
    """Where the threads that stand for processes meet."""

    def __init__(self, size):
        self.barrier, self.places = threading.Barrier(size, timeout=600), [None] * size


class ThreadGroup(Group):
    """A process of a group, played by a thread."""

    def __init__(self, rank, table):
        super().__init__(rank, len(table.places))
        self._table = table

    def gather(self, value):
        self._table.places[self.rank] = value
        self._table.barrier.wait()
        values = list(self._table.places)
        self._table.barrier.wait()
        return values

    def sum(self, tensor):
        values = self.gather(tensor.clone())
        tensor.copy_(sum(values))


def in_threads(size, work):
    """What `work(group)` returned or raised in each of `size` threads."""
    table, results = Table(size), [None] * size

    def one(rank):
        try:
            results[rank] = work(ThreadGroup(rank, table))
        except BaseException as error:
            results[rank] = error
            table.barrier.abort() if isinstance(error, AssertionError) else None

    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(600)
    assert not any(thread.is_alive() for thread in threads)
    return results


def reptile(group=None, *, tasks=None, network=None, steps=4, m=3):
    return Reptile(
        network or tiny_network(),
        tasks or list_tasks(4),
        STEP,
        steps=steps,
        tasks_per_step=m,
        inner_updates=2,
        inner_learning_rate=1e-3,
        outer_learning_rate=1e-3,
        group=group,
    )


def three_steps(trainer):
    values = [trainer.advance(step) for step in range(3)]
    return cpu_weights(trainer.network), values


@pytest.fixture(scope="module")
def one_process():
    return three_steps(reptile())


@pytest.mark.parametrize("size", [2, 3, 5])
def test_any_number_of_processes_gives_the_same_weights_and_values(size, one_process):
    trainers = [reptile(network=tiny_network()) for _ in range(size)]  # torch's seed belongs to all threads

    def work(group):
        trainers[group.rank]._group = group
        return three_steps(trainers[group.rank])

    for weights, values in in_threads(size, work):
        assert equal_weights(weights, one_process[0]) and values == one_process[1]
    drawn = [sum(len(task.draws) for task in trainer._drawn._draw._tasks) for trainer in trainers]
    assert drawn == [6 * len(range(rank, 3, size)) for rank in range(size)]  # the work was spread


def pretraining(group=None, *, tasks=None, network=None, steps=4, batch=4):
    step = replace(STEP, clip=0.05)  # clips: the shares must be added first
    tasks = tasks or list_tasks(3)
    return Pretraining(
        network or tiny_network(), tasks, step, steps=steps, learning_rate=1e-3, batch=batch, group=group
    )


@pytest.mark.parametrize("size", [2, 3, 5])
def test_pretraining_in_any_number_of_processes_gives_the_weights_of_one(size):
    expected, wanted = three_steps(pretraining())
    networks, tasks = [tiny_network() for _ in range(size)], [list_tasks(3) for _ in range(size)]

    def work(group):
        return three_steps(pretraining(group, network=networks[group.rank], tasks=tasks[group.rank]))

    found = in_threads(size, work)
    assert all(equal_weights(weights, found[0][0]) and values == found[0][1] for weights, values in found)
    weights, values = found[0]
    start = cpu_weights(tiny_network())
    moved = max(float((expected[name] - start[name]).abs().max()) for name in expected)
    apart = max(float((expected[name] - weights[name]).abs().max()) for name in expected)
    assert apart < 1e-3 * moved
    for value, one in zip(values, wanted, strict=True):
        assert astuple(value) == pytest.approx(astuple(one), rel=1e-4)
    assert [sum(len(task.draws) for task in own) for own in tasks] == [3 * len(range(r, 4, size)) for r in range(size)]


def test_running_means_of_shared_batches_are_those_of_the_batch():
    class Mean(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = tiny_network()
            self.register_buffer("mean", torch.zeros(1))

        def forward(self, moving, fixed):
            self.mean += 0.5 * (moving.detach().mean() - self.mean)
            return self.network(moving, fixed)

    whole = pretraining(network=Mean())
    networks = [Mean(), Mean(), Mean()]
    whole.advance(0)
    in_threads(3, lambda group: pretraining(group, network=networks[group.rank]).advance(0))
    assert whole.network.mean > 0.05
    assert [float(network.mean) for network in networks] == pytest.approx([float(whole.network.mean)] * 3, rel=1e-5)


class Rows(Group):
    """One process of several whose others never answer; keeps what it would have told them."""

    def __init__(self, rank, size):
        super().__init__(rank, size)
        self.told = []

    def sum(self, tensor):
        self.told.append(tensor.clone())


class DroppingNetwork(torch.nn.Module):
    """Draws from torch's own random numbers, and keeps a running mean."""

    def __init__(self):
        super().__init__()
        self.network = tiny_network()
        self.register_buffer("mean", torch.zeros(1))

    def forward(self, moving, fixed):
        self.mean += 0.1 * (moving.detach().mean() - self.mean)
        return self.network(torch.nn.functional.dropout(moving, 0.2, self.training), fixed)


def test_random_numbers_and_running_means_do_not_depend_on_the_number_of_processes():
    def rows(rank, size):
        group = Rows(rank, size)
        reptile(group, network=DroppingNetwork()).advance(0)
        return next(tensor for tensor in group.told if tensor.ndim == 2 and tensor.shape[1] > 3)

    whole = rows(0, 1)
    assert torch.equal(rows(0, 2) + rows(1, 2), whole)
    assert (whole != 0).any(dim=1).all() and (whole[:, -1] != 0).all()


class TurningNan(ListTask):
    """Gives images of NaN from step 5 on."""

    def training_pair(self, rng, step):
        pair = super().training_pair(rng, step)
        if step >= 5:
            pair.moving[:] = float("nan")
        return pair


class Broken(ListTask):
    """Fails from step 5 on."""

    def training_pair(self, rng, step):
        if step >= 5:
            raise ZeroDivisionError("a bug")
        return super().training_pair(rng, step)


def of_two_tasks(group, **given):
    return reptile(group, m=2, **given)


def of_two_pairs(group, **given):
    return pretraining(group, batch=2, **given)


def runs(folder, tasks=None, progress=None, trainer=of_two_tasks):
    """What a run of 10 steps in two processes raised or returned in each; one task list for each process."""
    networks = [tiny_network(), tiny_network()]

    def work(group):
        own = trainer(group, tasks=tasks and tasks[group.rank], network=networks[group.rank], steps=10)
        run = make_run(own, folder, progress=progress, every=4)
        run._group = group
        return run()

    return in_threads(2, work)


@pytest.mark.parametrize("trainer", [of_two_tasks, of_two_pairs])
@pytest.mark.parametrize("failing", [0, 1])
def test_a_loss_that_is_not_finite_in_one_process_stops_all_with_its_reason(failing, trainer, tmp_path):
    kinds = [ListTask, ListTask]
    kinds[failing] = TurningNan
    tasks = [[kind("a", [shifted_pair(1)]), kind("b", [shifted_pair(2)])] for kind in kinds]
    for error in runs(tmp_path, tasks, trainer=trainer):
        assert isinstance(error, TrainingStopped)
        assert "Step 6: the loss became nan" in str(error) and "The last save is whole" in str(error)
    assert saved_step(tmp_path) == 4


@pytest.mark.parametrize("trainer", [of_two_tasks, of_two_pairs])
def test_a_bug_in_one_process_ends_all(trainer, tmp_path):
    tasks = [[kind("a", [shifted_pair(1)]), kind("b", [shifted_pair(2)])] for kind in (ListTask, Broken)]
    first, second = runs(tmp_path, tasks, trainer=trainer)
    assert isinstance(first, TrainingStopped) and "Process 1" in str(first) and "a bug" in str(first)
    assert isinstance(second, ZeroDivisionError)
    assert saved_step(tmp_path) == 4


def lose_reader():
    raise ReaderGone("gone")


def test_all_processes_stop_after_the_step_at_which_the_first_was_told_to(tmp_path):
    first, second = runs(tmp_path, progress=At(5, lose_reader))
    assert isinstance(first, ReaderGone) and isinstance(second, KeyboardInterrupt)
    assert saved_step(tmp_path) == 5


def test_only_the_first_process_tells(tmp_path):
    events = []
    assert runs(tmp_path, progress=events.append) == [tmp_path / "best.pt"] * 2
    assert [event.step for event in events if isinstance(event, Step)] == list(range(1, 11))


def test_a_full_disk_in_the_first_process_stops_all(tmp_path, monkeypatch):
    save, calls = torch.save, []

    def failing(content, stream):
        calls.append(1)
        if len(calls) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        save(content, stream)

    monkeypatch.setattr(checkpoints.torch, "save", failing)
    for error in runs(tmp_path):
        assert isinstance(error, TrainingStopped) and "No space left" in str(error)
    assert saved_step(tmp_path) in (0, 4)


def test_a_folder_that_holds_a_run_is_refused_in_all_processes(tmp_path):
    runs(tmp_path)
    for error in runs(tmp_path):
        assert isinstance(error, InputError) and error.field == "resume"


def test_each_process_takes_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [own_device("auto", 0), own_device("cuda", 1), own_device("cpu", 5)] == ["cuda:0", "cuda:1", "cpu"]
    with pytest.raises(InputError, match=r"3 processes.*2 CUDA GPUs.*nproc_per_node.*device cpu"):
        own_device("auto", 2)
    with pytest.raises(InputError, match="cuda:1"):
        own_device("cuda:1", 0)


def test_without_torchrun_there_is_no_group(monkeypatch):
    assert not started_in_group()
    for name, value in {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "localhost"}.items():
        monkeypatch.setenv(name, value)
    assert not started_in_group()
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert started_in_group()


# Real processes

gloo = pytest.mark.skipif(
    not (torch.distributed.is_available() and torch.distributed.is_gloo_available()) or sys.platform == "win32",
    reason="this PyTorch has no gloo, or torchrun's store is not built for this system",
)


@pytest.fixture(scope="module")
def common(tmp_path_factory):
    """Options of a tiny training on four tasks."""
    folder = tmp_path_factory.mktemp("training é")
    write_pairs(folder / "pairs", 4)
    tasks = (f'[[task]]\nname = "t{n}"\nkind = "pairs"\nfolder = "pairs"\nvalidation = 0.25\n' for n in range(4))
    words = ["--tasks", write_set(folder, "\n".join(tasks)), "--checkpoint", write_tiny_checkpoint(folder / "c.pt")]
    words += ["--learning-rate", 1e-3, "--validate-every", 3, "--precision", "float32", "--device", "cpu"]
    return [*map(str, words)]


@pytest.fixture(scope="module")
def options(common):
    """Options of a tiny metatrain with m = 3, of which two processes get two and one."""
    return [*common, "--inner-updates", "2", "--outer-learning-rate", "1e-3"]


@gloo
def test_a_group_of_torch_adds_gathers_and_hands_on_what_was_raised():
    def refuse():
        raise InputError("no such file")

    store = torch.distributed.HashStore()
    torch.distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        group, tensor = TorchGroup(0, 1), torch.arange(3.0)
        group.sum(tensor)
        assert tensor.tolist() == [0.0, 1.0, 2.0]
        assert group.gather({"a": 1}) == [{"a": 1}]
        assert group.together(max, 2, 3) == 3 and group.any(True) and not group.any(False)
        with pytest.raises(InputError, match="no such file"):
            group.together(refuse)
    finally:
        torch.distributed.destroy_process_group()


def two_processes(*words):
    """torchrun with two processes of `words`."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    return subprocess.Popen(
        [*launcher, *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def events_until(process, step):
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "step" and event["step"] >= step:
            return
    raise AssertionError(f"the program ended before step {step}: {process.stderr.read()}")


def single(options, folder, steps, *more, command="metatrain"):
    """The same run in this process, on one thread as in the others."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert main([command, *options, "--output", str(folder), "--steps", str(steps), "--json", *more]) == 0
    finally:
        torch.set_num_threads(threads)


@pytest.fixture
def as_the_first_of_two(monkeypatch):
    """Environment of the second process of two on this machine, of which this one is the first."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    for name, value in {**group, "RANK": "0", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    yield {**group, "RANK": "1", "LOCAL_RANK": "1"}
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    atexit.unregister(distributed._end)


@gloo
@pytest.mark.long
def test_two_processes_train_to_the_weights_of_one_which_goes_on(
    as_the_first_of_two, options, tmp_path, monkeypatch, capfd
):
    """As torchrun starts them, but that this process is one of them: each that begins anew takes seconds."""
    words = ["metatrain", *options, "--output", str(tmp_path / "two"), "--steps", "7", "--json"]
    second = start_program(*words, **as_the_first_of_two)
    single(options, tmp_path / "two", 7)
    events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    torch.distributed.destroy_process_group()
    told, text = rest_of(second)
    assert (second.returncode, told) == (0, []), text
    assert [event["step"] for event in events if event["event"] == "step"] == list(range(1, 8))
    assert [event["event"] for event in events].count("finished") == 1
    assert "2 processes" in load_checkpoint(tmp_path / "two" / LAST).history[-1]["device"]
    monkeypatch.delenv("WORLD_SIZE")
    for steps, more in ((7, ()), (9, ("--resume",))):
        single(options, tmp_path / "one", steps, *more)
        if more:
            single(options, tmp_path / "two", steps, *more)
        first, second = (load_checkpoint(tmp_path / name / LAST).weights for name in ("one", "two"))
        assert all(torch.allclose(first[name], second[name], rtol=1e-4, atol=1e-7) for name in first)


@gloo
@pytest.mark.long
def test_two_processes_of_torchrun_pretrain_to_the_weights_of_one(common, tmp_path):
    words = [*common, "--batch", "3", "--clip", "0.05"]
    process = two_processes("-m", "MetaRegistrationLib", "pretrain", *words, "--output", tmp_path / "2", "--steps", 7)
    _, text = rest_of(process)
    assert process.returncode == 0, text
    single(words, tmp_path / "1", 7, command="pretrain")
    first, second = (load_checkpoint(tmp_path / name / LAST).weights for name in ("1", "2"))
    assert all(torch.allclose(first[name], second[name], rtol=1e-3, atol=1e-5) for name in first)


PROGRAM_THAT_TELLS_ITS_NUMBER = """
import os, pathlib, sys
sys.path.insert(0, sys.argv.pop(1))
pathlib.Path(sys.argv.pop(1), os.environ["RANK"]).write_text(str(os.getpid()))
from MetaRegistrationLib.commands import main
sys.exit(main())
"""


@gloo
@pytest.mark.long
@pytest.mark.parametrize("stop", ["killed", "Ctrl-C"])
def test_a_run_whose_process_was_killed_or_interrupted_ends_and_goes_on_in_one_process(stop, options, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM_THAT_TELLS_ITS_NUMBER, encoding="utf-8")
    folder = tmp_path / "stopped"
    words = ["metatrain", *options, "--output", folder, "--steps", 100000, "--json"]
    process = two_processes(program, ROOT, tmp_path, *words)
    events_until(process, 4)
    if stop == "killed":
        os.kill(int((tmp_path / "1").read_text()), signal.SIGKILL)
    else:
        process.send_signal(signal.SIGINT)
    events, _ = rest_of(process)
    assert process.returncode != 0
    saved = saved_step(folder)
    if stop == "killed":
        assert saved >= 3
    else:
        assert saved == max(event["step"] for event in events if event["event"] in ("step", "saved"))
        assert events[-1]["event"] == "failed" and "--resume" in events[-1]["reason"]
    single(options, folder, saved + 2, "--resume")
    single(options, tmp_path / "unbroken", saved + 2)
    first, second = (load_checkpoint(path / LAST).weights for path in (folder, tmp_path / "unbroken"))
    assert all(np.allclose(first[name], second[name], rtol=1e-4, atol=1e-7) for name in first)
