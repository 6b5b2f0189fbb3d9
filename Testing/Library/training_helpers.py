"""Tiny networks, images, tasks and runs for the tests of tasks and training."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import torch
from scipy.ndimage import gaussian_filter

from MetaRegistrationLib.checkpoints import Checkpoint, cpu_weights, load_checkpoint, save_checkpoint
from MetaRegistrationLib.core.losses import RegistrationLoss
from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.networks import VoxelMorph, build_network
from MetaRegistrationLib.progress import Silent, Step
from MetaRegistrationLib.simulation import RepeatSettings
from MetaRegistrationLib.tasks import Task, TaskPair, load_task_set
from MetaRegistrationLib.training.finetune import FineTuning
from MetaRegistrationLib.training.pretrain import Pretraining
from MetaRegistrationLib.training.reptile import Reptile
from MetaRegistrationLib.training.run import BEST, LAST, LOG, RunSettings, TrainingRun
from MetaRegistrationLib.training.step import OptimisationStep
from MetaRegistrationLib.training.validation import Validator

ROOT = Path(__file__).resolve().parents[2]
SIZE = 64
PREPROCESSING = Preprocessing(size=SIZE)
NETWORK = {"name": "voxelmorph", "settings": {"encoder": [4, 8], "decoder": [8, 8], "full_resolution": [4]}}
CPU = torch.device("cpu")
STEP = OptimisationStep(RegistrationLoss(), CPU)


CLEAN = RepeatSettings(
    displacement_px=6,
    saccade_probability=0,
    denoise_px=0,
    speckle=0,
    noise=0,
    dropout_patches=0,
    gain_amplitude=0,
    row_jitter=0,
    stripes=0,
    shadow_probability=0,
)
"""Simulated visits that differ by a smooth displacement and nothing else."""


def texture(seed: int, shape: tuple[int, int] = (SIZE, SIZE)) -> np.ndarray:
    """Smooth random image in [0, 1], float32."""
    image = gaussian_filter(np.random.default_rng(seed).standard_normal(shape), 2.0)
    return ((image - image.min()) / np.ptp(image)).astype(np.float32)


def shifted_pair(seed: int, shift: tuple[int, int] = (1, 2), points: np.ndarray | None = None) -> TaskPair:
    """A texture and itself moved by whole pixels; landmarks of the fixed image at `points` when given."""
    wide = texture(seed, (SIZE + 16, SIZE + 16))
    fixed = wide[8 : 8 + SIZE, 8 : 8 + SIZE]
    moving = wide[8 - shift[0] : 8 - shift[0] + SIZE, 8 - shift[1] : 8 - shift[1] + SIZE]
    if points is None:
        return TaskPair(moving.copy(), fixed.copy())
    return TaskPair(moving.copy(), fixed.copy(), points + shift, points)


def orientations(image: np.ndarray) -> list[np.ndarray]:
    """The eight ways in which an image can be turned and mirrored."""
    return [np.rot90(side, turns) for side in (image, np.fliplr(image)) for turns in range(4)]


def same(first: TaskPair, second: TaskPair) -> bool:
    """Whether two pairs hold the same pixels."""
    return np.array_equal(first.moving, second.moving) and np.array_equal(first.fixed, second.fixed)


class ListTask:
    """Task of ready pairs, drawn at random; remembers the steps at which pairs were drawn."""

    initial = "none"
    weight = 1.0

    def __init__(self, name: str, pairs: list[TaskPair], held_out: list[TaskPair] | None = None):
        self.name, self._pairs, self._held_out = name, pairs, held_out or []
        self.draws: list[int] = []

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        self.draws.append(step)
        return self._pairs[int(rng.integers(len(self._pairs)))]

    def validation_pairs(self) -> list[TaskPair]:
        return self._held_out

    def describe(self) -> dict:
        return {"name": self.name}

    def pair(self, index: int) -> TaskPair:
        return self._pairs[index]

    def __len__(self) -> int:
        return len(self._pairs)


def list_tasks(count: int = 3) -> list[ListTask]:
    """Tasks of two pairs each, every task with a displacement of its own."""
    return [
        ListTask(f"task{n}", [shifted_pair(10 * n, (n, 1)), shifted_pair(10 * n + 1, (n, 1))]) for n in range(count)
    ]


def tiny_network(seed: int = 0) -> VoxelMorph:
    torch.manual_seed(seed)
    network = build_network(NETWORK["name"], NETWORK["settings"])
    # Large enough to move pixels from the first step on, so that a test sees differences.
    torch.nn.init.normal_(network.displacement.weight, std=1e-2)
    return network


def tiny_checkpoint(seed: int = 0) -> Checkpoint:
    return Checkpoint(NETWORK, cpu_weights(tiny_network(seed)), PREPROCESSING.to_dict())


def make_trainer(name: str, seed: int = 0, network: torch.nn.Module | None = None, step: OptimisationStep = STEP):
    """A new trainer ("pretrain", "metatrain" or "finetune") of 10 steps."""
    network = network or tiny_network()
    if name == "pretrain":
        return Pretraining(network, list_tasks(), step, steps=10, learning_rate=1e-3, seed=seed)
    if name == "metatrain":
        rates = {"inner_learning_rate": 1e-3, "outer_learning_rate": 1e-3}
        return Reptile(network, list_tasks(), step, steps=10, inner_updates=2, seed=seed, **rates)
    return FineTuning(network, five_pairs(), step, epochs=2, learning_rate=1e-3, seed=seed)


def five_pairs() -> ListTask:
    """Pairs to fine-tune on."""
    return ListTask("pairs", [shifted_pair(n, (n, 1)) for n in range(5)])


def write_tiny_checkpoint(path: Path, seed: int = 0) -> Path:
    save_checkpoint(path, tiny_checkpoint(seed))
    return path


def write_png(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(np.round(255 * image).astype(np.uint8)), str(path))
    return path


def write_pairs(folder: Path, count: int, *, landmarks: bool = False, shape: tuple[int, int] = (SIZE, SIZE)) -> Path:
    """`moving/` and `fixed/` with `count` pairs p00, p01 ... of textures moved by (row, column) = (1, 2) pixels."""
    for number in range(count):
        wide = texture(number, (shape[0] + 8, shape[1] + 8))
        name = f"p{number:02d}"
        write_png(folder / "fixed" / f"{name}.png", wide[4 : 4 + shape[0], 4 : 4 + shape[1]])
        write_png(folder / "moving" / f"{name}.png", wide[3 : 3 + shape[0], 2 : 2 + shape[1]])
        if landmarks:
            (folder / "fixed" / f"{name}.csv").write_text("label,x,y\n1,20,30\n2,40,22\n", encoding="utf-8")
            (folder / "moving" / f"{name}.csv").write_text("label,x,y\n1,22,31\n2,42,23\n", encoding="utf-8")
    return folder


def make_run(
    trainer,
    folder: Path,
    *,
    validator=None,
    every: int = 3,
    save_every: float = 1e9,
    progress=None,
    base: Checkpoint | None = None,
    **record,
):
    """A run of `trainer` that validates on one shifted pair unless told otherwise."""
    pairs = {"held out": [shifted_pair(99)]}
    return TrainingRun(
        trainer,
        base or tiny_checkpoint(),
        folder,
        record=record,
        validator=Validator(pairs, RegistrationLoss(), CPU) if validator is None else validator,
        settings=RunSettings(every, save_every),
        device=CPU,
        progress=progress or Silent(),
    )


class At:
    """Reader that calls `action` once, when the event of step `step` arrives."""

    def __init__(self, step: int, action):
        self._step, self._action = step, action

    def __call__(self, event) -> None:
        if isinstance(event, Step) and event.step == self._step:
            self._action()


def equal_weights(first: dict, second: dict) -> bool:
    """Whether two states have the same names and the same bits."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def assert_equal_runs(first: Path, second: Path) -> None:
    """Bit-equal last and best weights, equal optimisers and equal logs."""
    for name in (LAST, BEST):
        a, b = load_checkpoint(first / name), load_checkpoint(second / name)
        assert equal_weights(a.weights, b.weights)
        assert [entry["step"] for entry in a.history] == [entry["step"] for entry in b.history]
    a, b = (load_checkpoint(folder / LAST).training["trainer"]["optimiser"]["state"] for folder in (first, second))
    assert a.keys() == b.keys() and len(a) > 0
    assert all(torch.equal(a[key][name], b[key][name]) for key in a for name in a[key])
    assert log_rows(first) == log_rows(second)


def log_rows(folder: Path) -> list[dict]:
    """Rows of a run's log, without the time that they took."""
    with (folder / LOG).open(encoding="utf-8", newline="") as stream:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(stream)]


def saved_step(folder: Path) -> int:
    """Step of the last save, without the checks of `load_checkpoint`."""
    return torch.load(folder / LAST, weights_only=True)["training"]["position"]["step"]


def start_program(*words: object, **environment: str) -> subprocess.Popen:
    """The command line in a process of its own, on one thread."""
    return subprocess.Popen(
        [sys.executable, "-m", "MetaRegistrationLib", *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        pipesize=4096,  # where it can be set: a program whose lines nobody reads waits, and does not run away from the test
    )


def read_until_step(process: subprocess.Popen, step: int) -> None:
    """Read the JSON lines of a process up to the event of a step."""
    for line in process.stdout:
        event = json.loads(line)
        if event["event"] == "step" and event["step"] >= step:
            return
    raise AssertionError(f"the program ended before step {step}: {process.stderr.read()}")


def rest_of(process: subprocess.Popen) -> tuple[list[dict], str]:
    """Remaining events and error text of a process, once it has ended."""
    # Not `communicate`, which would lose the lines that were read ahead.
    events = [json.loads(line) for line in process.stdout]
    text = process.stderr.read()
    process.wait(timeout=600)
    process.stdout.close()
    process.stderr.close()
    return events, text


def write_nifti(path: Path, seed: int = 0, slices: int = 5, channels: int | None = None) -> np.ndarray:
    """A volume (x, y, z) or (x, y, z, channel) as the Decathlon has them; returns it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    count = channels or 1
    array = np.stack(
        [
            np.stack([10 + 90 * texture(1000 * seed + 10 * c + k, (24, 20)) for k in range(slices)], -1)
            for c in range(count)
        ],
        -1,
    ).astype(np.float32)
    array = array if channels else array[..., 0]
    nibabel.save(nibabel.Nifti1Image(array, np.diag([-1.0, -1.0, 2.0, 1.0])), path)
    return array


def write_set(folder: Path, text: str) -> Path:
    """A task set in a file with a space and an accent in its name."""
    path = folder / "my tasks é.toml"
    path.write_text(text, encoding="utf-8")
    return path


def load_tasks(folder: Path, text: str, **options) -> list[Task]:
    """The tasks of a task set that lies in a folder."""
    return load_task_set(write_set(folder, text), PREPROCESSING, **options)


def write_tasks_of_scans(folder: Path) -> str:
    """A task set of two folders of scans."""
    for name in ("a", "b"):
        for number in range(2):
            write_png(folder / name / f"{number}.png", texture(number))
    kind = 'kind = "single_images"\nvalidation = ["1.png"]\n'
    text = "".join(f'[[task]]\nname = "{name}"\nfolder = "{name}"\n{kind}' for name in ("a", "b"))
    (folder / "tasks.toml").write_text(text, encoding="utf-8")
    return str(folder / "tasks.toml")


def small_new_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """New networks see 64 x 64 pixels instead of 400 x 400."""
    monkeypatch.setattr(Preprocessing.__init__, "__defaults__", (SIZE, *Preprocessing.__init__.__defaults__[1:]))
