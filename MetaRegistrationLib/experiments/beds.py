"""The test beds as pairs on the network grid: real repeat visits (R), simulated ones (S), brain slices (B)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from ..alignment import Alignment
from ..alignment.aligned import aligned_image, alignment_message
from ..alignment.aligner import AlignmentContext
from ..alignment.registry import aligner
from ..core.preprocessing import Preprocessing
from ..errors import InputError
from ..formats.files import writable_folder, write_json
from ..initial_kinds import NONE
from ..pairs.folders import ImagePair, PairFiles, find_pairs
from ..preparation import PreparedPair, prepare
from ..progress import Message, Reader, plain
from ..tasks import TaskPair, augmented, repeat_settings, simulated_pair
from ..words import counted
from .bed_content import missing_sources, pair_key, pairs_key, write_sources

REAL, SINGLE = "octa_scp_repeat_visits", "octa_scp_single_visits"
SEED = 0
"""Of the simulated pairs, whatever the seed of a row."""
TRAINING, TEST = "fine_tune", "test"
_SECONDS_BETWEEN_MESSAGES = 5.0
_PAIRS_BETWEEN_SAVES = 25

Simulate = Callable[[Path], None]


@dataclass(frozen=True, eq=False)
class BedPair:
    """One pair as it was read, prepared and aligned.

    `moving` is the aligned moving image on the network grid, float32 (size, size).
    """

    images: ImagePair
    prepared: PreparedPair
    alignment: Alignment | None
    moving: np.ndarray


class Alignments:
    """Initial alignments of a bed's pairs, each found once and stored in a file with the key of the pair's files.

    Parameters
    ----------
    path : Path
        JSON file.
    initial : str
        Kind of alignment.
    preprocessing : Preprocessing
        Alignments found on grids of another kind are not reused.
    device : torch.device
    """

    def __init__(self, path: Path, initial: str, preprocessing: Preprocessing, device: torch.device):
        self._path, self.initial, self._device = path, initial, device
        self._preprocessing = preprocessing.to_dict()
        self._found: dict[str, tuple[str, Alignment]] = self._read()
        self._unsaved = 0

    def missing(self, files: Sequence[PairFiles]) -> bool:
        """Whether the alignment of one of the pairs is not stored."""
        return self.initial != NONE and any(self._stored(pair.name, pair_key(pair)) is None for pair in files)

    def __call__(self, files: PairFiles, pair: PreparedPair) -> Alignment | None:
        """Alignment of a pair; None where no alignment is asked for."""
        if self.initial == NONE:
            return None
        key = pair_key(files)
        found = self._stored(files.name, key)
        if found is None:
            found = aligner(self.initial)(pair, AlignmentContext(self._device))
            self._found[files.name] = key, found
            self._unsaved += 1
            if self._unsaved >= _PAIRS_BETWEEN_SAVES:
                self.save()
        return found

    def _stored(self, name: str, key: str) -> Alignment | None:
        stored, alignment = self._found.get(name, ("", None))
        return alignment if stored == key else None

    def save(self) -> None:
        """Write what is new."""
        if self._unsaved:
            content = {name: alignment.to_dict() for name, (_, alignment) in self._found.items()}
            keys = {name: key for name, (key, _) in self._found.items()}
            write_json(self._path, plain({"preprocessing": self._preprocessing, "alignments": content, "files": keys}))
            self._unsaved = 0

    def _read(self) -> dict[str, tuple[str, Alignment]]:
        if not self._path.is_file():
            return {}
        content = json.loads(self._path.read_text(encoding="utf-8"))
        if content["preprocessing"] != self._preprocessing:
            return {}
        keys = content.get("files", {})
        return {
            name: (keys[name], Alignment.from_dict(values))
            for name, values in content["alignments"].items()
            if name in keys
        }


class Bed:
    """A test bed with one kind of initial alignment.

    Parameters
    ----------
    name : str
    folder : Path
        Folder of pairs of the splits fine_tune and test; every test pair has landmarks.
    alignments : Alignments
    preprocessing : Preprocessing

    Raises
    ------
    InputError
        The folder lacks one of the splits, or a test pair has no landmarks.
    """

    def __init__(self, name: str, folder: Path, alignments: Alignments, preprocessing: Preprocessing):
        found = find_pairs(folder, check=False)
        self.name, self.folder = name, folder
        self.training_files, self.test_files = (
            sorted(found.split(split), key=lambda pair: pair.name) for split in (TRAINING, TEST)
        )
        self._alignments, self._preprocessing = alignments, preprocessing

    def paths(self) -> list[Path]:
        """The files of all pairs."""
        return [path for pair in (*self.training_files, *self.test_files) for path in pair.paths()]

    @cached_property
    def files_key(self) -> str:
        """Key of the images, masks and landmarks of all pairs."""
        return pairs_key([*self.training_files, *self.test_files])

    def describe(self) -> dict:
        """Plain values for a record: the numbers of pairs, and how simulated ones were made."""
        record = self.folder / "simulation.json"
        simulation = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
        return {
            "bed": self.name,
            "fine_tune_pairs": len(self.training_files),
            "test_pairs": len(self.test_files),
            "simulation": {key: simulation[key] for key in ("settings", "seed", "size") if key in simulation},
        }

    @cached_property
    def test(self) -> list[BedPair]:
        """The test pairs, with landmarks."""
        pairs = [self._framed(files) for files in self.test_files]
        for pair in pairs:
            if pair.images.moving_landmarks is None or pair.images.fixed_landmarks is None:
                raise InputError(f"{self.folder}: the test pair {pair.images.name} has no landmarks. Add them.")
        return pairs

    @cached_property
    def training(self) -> list[BedPair]:
        """The fine_tune pairs; nothing trains on their landmarks."""
        return [self._framed(files) for files in self.training_files]

    def training_task(self, *, with_test_images: bool = False) -> BedTask:
        """What a row is trained on: the fine_tune pairs and, for Model-Seen alone, the test pairs' images."""
        pairs = [*self.training, *(self.test if with_test_images else [])]
        images_only = [TaskPair(pair.moving, pair.prepared.fixed.on_grid) for pair in pairs]
        images = [pair.images for pair in pairs]
        files = [*self.training_files, *(self.test_files if with_test_images else [])]
        return BedTask(self.name, images_only, images, files, self._alignments.initial, self._preprocessing)

    def prepare(self, progress: Reader) -> None:
        """Read and align all pairs now, and report the progress."""
        files = [*self.training_files, *self.test_files]
        if self._alignments.missing(files):
            told = time.monotonic()
            for done, pair in enumerate(files, start=1):
                message = alignment_message(pair.name, self._framed(pair).alignment)
                if message:
                    progress(message)
                if time.monotonic() - told > _SECONDS_BETWEEN_MESSAGES:
                    told = time.monotonic()
                    progress(Message(f"Bed {self.name}: aligned {done} of {len(files)} pairs"))
            self._alignments.save()
        _ = self.training, self.test

    def forget(self) -> None:
        """Free the memory of the pairs; they are read again when they are asked for."""
        for kept in ("training", "test"):
            self.__dict__.pop(kept, None)

    def _framed(self, files: PairFiles) -> BedPair:
        images = files.load()
        pair = prepare(images.moving, images.fixed, self._preprocessing, whole=True)
        alignment = self._alignments(files, pair)
        return BedPair(images, pair, alignment, aligned_image(pair.moving.on_grid, alignment))


class BedTask:
    """Pairs of a bed as a task to train on; nothing is held out."""

    weight = 1.0

    def __init__(
        self,
        name: str,
        pairs: Sequence[TaskPair],
        images: Sequence[ImagePair],
        files: Sequence[PairFiles],
        initial: str,
        preprocessing: Preprocessing,
    ):
        self._files = files
        self.name, self.initial, self.simulation = name, initial, repeat_settings(initial)
        self._pairs, self._images, self._preprocessing = list(pairs), list(images), preprocessing

    def __len__(self) -> int:
        return len(self._pairs)

    def pair(self, index: int) -> TaskPair:
        """Training pair `index`."""
        return self._pairs[index]

    def repeat(self, index: int, rng: np.random.Generator) -> TaskPair:
        """A simulated repeat visit of one of the two images of training pair `index`, with its displacement."""
        images = self._images[index]
        image = (images.moving, images.fixed)[int(rng.integers(2))]
        return simulated_pair(image.array, self._preprocessing, self.simulation, rng)

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        """A random pair, augmented."""
        return augmented(self._pairs[int(rng.integers(len(self._pairs)))], rng)

    def validation_pairs(self) -> list[TaskPair]:
        """None."""
        return []

    def describe(self) -> dict:
        """Kind, initial alignment, names of the pairs, and what their files hold."""
        return {
            "name": self.name,
            "kind": "test bed",
            "initial": self.initial,
            "pairs": [pair.name for pair in self._files],
            "validation": [],
            "content": {
                "pairs": [pair.fingerprint() for pair in self._files],
                "validation": [],
                "reading": [pair.reading() for pair in self._files],
                "landmarks": [],
            },
        }


def bed_folder(
    bed: str, data: Path, output: Path, sources: Callable[[], list[Path]], simulate: Simulate, progress: Reader
) -> Path:
    """Folder of a bed's pairs; simulated ones are made in `output` when they are not all there.

    Parameters
    ----------
    bed : str
        "R", "S", "B", or a name of its own for simulated pairs of other settings.
    data, output : Path
    sources : callable
        Gives the files, all below `data`, that simulated pairs are made from.
    simulate : callable
        Writes the simulated pairs into a folder, their record (simulation.json) last.
    progress : Reader
        Is told when pairs are there and some of their sources are gone.

    Raises
    ------
    InputError
        The simulated pairs that are there were made from other images.
    """
    if bed == "R":
        return data / REAL
    folder = output / "beds" / bed
    if (folder / "simulation.json").is_file():
        gone = missing_sources(folder, data, _found(sources))
        if gone:
            text = f"{folder}: {counted(gone, 'file')} from which these pairs were simulated cannot be found in {data}."
            progress(Message(f"{text} The pairs are used."))
    else:
        write_sources(writable_folder(folder), data, sources())
        simulate(folder)
    return folder


def _found(sources: Callable[[], list[Path]]) -> list[Path]:
    """The sources; none where some are missing, because the pairs are there."""
    try:
        return sources()
    except InputError:
        return []
