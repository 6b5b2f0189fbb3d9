"""Image pairs from files as registration pairs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from ..alignment import Alignment
from ..alignment.aligned import aligned_points, alignment_message
from ..alignment.aligned_pair import AlignedPair
from ..alignment.aligner import AlignmentContext
from ..alignment.registry import aligner
from ..core.preprocessing import Preprocessing
from ..errors import InputError
from ..formats.images import Image
from ..initial_kinds import NONE
from ..pairs.folders import PairFiles
from ..preparation import PreparedPair, prepare
from ..preparation.stored_axes import mirrored_axes
from ..progress import Reader, Stage
from ..simulation import RepeatSettings
from ..stages import LEAST_CONFIDENCE, check_initial
from ..words import counted
from .base import TaskPair, augmented
from .simulated import Eye

_CPU = torch.device("cpu")
_SECONDS_BETWEEN_MESSAGES = 2.0


def repeat_settings(initial: str) -> RepeatSettings:
    """How simulated repeats of a user's own images differ: by what an initial alignment leaves, or by more than it finds.

    Farther apart than most pairs, so that the network does not forget the far ones while it adapts to the many near ones.
    """
    mean, spread = (12.0, 8.0) if initial == NONE else (4.0, 3.0)
    return RepeatSettings(displacement_px=mean, displacement_spread_px=spread)


class PairTask:
    """Image pairs from files; their landmarks serve validation alone, training never sees them.

    Parameters
    ----------
    pairs, held_out : sequence of PairFiles
        To train on, and to validate on.
    initial : str
        Initial alignment, as in `Stages`: the task's moving images, and their landmarks, are the aligned ones.
    device : torch.device
        Where pairs are aligned.
    memory : int
        Bytes of prepared pairs that are cached. Other pairs are read again each time, but never aligned again.
    simulation : RepeatSettings, optional
        How the visits that `repeat` simulates differ; by default as `repeat_settings` has it.
    """

    weight = 1.0

    def __init__(
        self,
        name: str,
        pairs: Sequence[PairFiles],
        held_out: Sequence[PairFiles],
        preprocessing: Preprocessing,
        *,
        initial: str = "none",
        device: torch.device = _CPU,
        memory: int = 2**30,
        simulation: RepeatSettings | None = None,
    ):
        check_initial(initial, f"Task {name}: initial")
        if not pairs:
            raise InputError(f"Task {name}: no pairs to train on.")
        self.name, self.initial = name, initial
        self.pairs = list(pairs)
        self._held_out, self._preprocessing = list(held_out), preprocessing
        self._room = memory // (2 * 4 * preprocessing.size**2)
        self._device = device
        self._prepared: dict[int, TaskPair] = {}
        self._alignments: dict[PairFiles, dict[bool, Alignment]] = {}
        self.simulation = simulation or repeat_settings(initial)
        self._eyes: dict[int, tuple[Eye, Eye]] = {}

    def __len__(self) -> int:
        return len(self.pairs)

    def pair(self, index: int) -> TaskPair:
        """Training pair `index`, without landmarks."""
        if index not in self._prepared:
            pair = self._prepare(self.pairs[index], landmarks=False)
            if len(self._prepared) >= self._room:
                return pair
            self._prepared[index] = pair
        return self._prepared[index]

    def repeat(self, index: int, rng: np.random.Generator) -> TaskPair:
        """A simulated repeat visit of one of the two images of training pair `index`, with its displacement."""
        eyes = self._eyes.get(index)
        if eyes is None:
            pair = self.pairs[index].load()
            eyes = self._eye(pair.moving), self._eye(pair.fixed)
            if len(self._eyes) < self._room:
                self._eyes[index] = eyes
        return eyes[int(rng.integers(2))].pair(self._preprocessing, self.simulation, rng)

    def _eye(self, image: Image) -> Eye:
        # As everywhere, a tissue mask counts only where the preprocessing uses one.
        return Eye.of(image.array, image.mask if self._preprocessing.field_of_view else None)

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        """A random pair, augmented."""
        return augmented(self.pair(int(rng.integers(len(self.pairs)))), rng)

    def validation_pairs(self) -> list[TaskPair]:
        """The held-out pairs, with landmarks where they exist."""
        return [self._prepare(files) for files in self._held_out]

    def align(self, progress: Reader) -> None:
        """Align all pairs now, and report the progress and the pairs that are not confident."""
        if self.initial == NONE:
            return
        total = len(self.pairs) + len(self._held_out)
        detail = f"{counted(total, 'pair')} ({self.initial})"
        progress(Stage("align", detail, 0, total))
        told = time.monotonic()
        for done, files in enumerate([*self.pairs, *self._held_out], start=1):
            if done <= len(self.pairs):
                self.pair(done - 1)
            else:
                self._prepare(files, landmarks=False)
            found = max(self._alignments[files].values(), key=_is_confident)
            message = alignment_message(files.name, found)
            if message:
                progress(message)
            if time.monotonic() - told > _SECONDS_BETWEEN_MESSAGES and done < total:
                told = time.monotonic()
                progress(Stage("align", detail, done, total))

    def _prepare(self, files: PairFiles, *, landmarks: bool = True) -> TaskPair:
        if self.initial == NONE:
            return prepare_pair(files, self._preprocessing, landmarks=landmarks)

        def aligned(pair: PreparedPair, reordered: bool) -> Alignment:
            known = self._alignments.setdefault(files, {})
            if reordered not in known:
                known[reordered] = aligner(self.initial)(pair, AlignmentContext(self._device))
            return known[reordered]

        return prepare_pair(files, self._preprocessing, landmarks=landmarks, align=aligned)

    def describe(self) -> dict:
        """Kind, initial alignment, names of the pairs, what their files hold, and how they are read."""
        return {
            "name": self.name,
            "kind": "image pairs",
            "initial": self.initial,
            "pairs": [pair.name for pair in self.pairs],
            "validation": [pair.name for pair in self._held_out],
            "content": {
                "pairs": [pair.fingerprint() for pair in self.pairs],
                "validation": [pair.fingerprint() for pair in self._held_out],
                "reading": [pair.reading() for pair in (*self.pairs, *self._held_out)],
                "landmarks": [pair.landmarks_fingerprint() for pair in self._held_out],
            },
        }


def prepare_pair(
    files: PairFiles,
    preprocessing: Preprocessing,
    *,
    landmarks: bool = True,
    align: Callable[[PreparedPair, bool], Alignment] | None = None,
) -> TaskPair:
    """Read a pair and resample images and landmarks to the network grid, as registration does.

    A moving image that is stored mirrored is mirrored back, unless its alignment is confident only as stored.

    Parameters
    ----------
    align : callable, optional
        Gives the alignment of the prepared pair; the moving image and its landmarks are then the aligned ones. Its second
        argument says whether the moving image was mirrored back.
    """
    files_read = files.load()
    moving, fixed = files_read.moving, files_read.fixed
    axes = mirrored_axes(moving, fixed)
    pair = prepare(moving if axes is None else axes.image(moving), fixed, preprocessing)
    alignment = None if align is None else align(pair, axes is not None)
    if axes is not None and alignment is not None and not _is_confident(alignment):
        as_stored = prepare(moving, fixed, preprocessing)
        if _is_confident(plain := align(as_stored, False)):
            pair, alignment, axes = as_stored, plain, None
    images = AlignedPair.of(pair, alignment).network_images(continued=pair.drawn_border)
    points = files_read.moving_landmarks, files_read.fixed_landmarks
    if not landmarks or points[0] is None or points[1] is None:
        return TaskPair(*images)
    places = points[0].points if axes is None else axes.from_stored(points[0].points), points[1].points
    on_moving, on_fixed = (grid.from_image(side) for grid, side in zip(pair.grids, places, strict=True))
    return TaskPair(*images, aligned_points(on_moving, alignment, preprocessing.size), on_fixed)


def _is_confident(alignment: Alignment) -> bool:
    return alignment.confidence >= LEAST_CONFIDENCE
