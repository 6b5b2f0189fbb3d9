"""Pairs of the few-shot benchmark: simulated repeats with a known displacement, drawn once and kept in a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from few_shot_images import TARGETS, images_of

from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.formats.files import replacing
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.simulation import RepeatSettings
from MetaRegistrationLib.tasks import PairTask, TaskPair, augmented, simulated_pair

REFERENCE_GRID = 96
"""Rows and columns of the grid that the settings below belong to; lengths of the motion grow with the grid."""

REAL = "octa_real"
"""A target of real repeat scans with landmarks, on the starts that have seen no OCTA."""

REPEATS, TEST = 2, 20
"""Simulated repeats of a pair that is adapted on, and test pairs of a group."""


@dataclass(frozen=True)
class Sizes:
    """How large and how many the pairs are.

    Attributes
    ----------
    grid : int
        Rows and columns of the network grid. An image is a third larger.
    pool, supports : int
        Pairs of a source task; those of them that have simulated repeats.
    adapt : int
        Pairs of a target's group that an adaptation may choose from.
    """

    grid: int = REFERENCE_GRID
    pool: int = 240
    supports: int = 60
    adapt: int = 44

    @property
    def name(self) -> str:
        """Part of a file's name: empty on the grid of reference."""
        return "" if self.grid == REFERENCE_GRID else f"_{self.grid}"


REFERENCE = Sizes()

_MOVES = RepeatSettings(
    displacement_px=4.0,
    displacement_spread_px=2.5,
    rotation_deg=2.0,
    translation_px=2.0,
    coarse_spacing_px=32.0,
    coarse_amplitude_px=1.2,
    fine_spacing_px=12.0,
    fine_amplitude_px=0.4,
    saccade_probability=0.0,
    saccade_px=0.8,
    dropout_px=6.0,
    gain_spacing_px=32.0,
)
_STILL = {"noise": 0.0, "dropout_patches": 0.0, "row_jitter": 0.0, "stripes": 0.0, "shadow_probability": 0.0}
_SETTINGS = {
    "octa": replace(_MOVES, saccade_probability=0.3),
    "brain": replace(_MOVES, **_STILL, margin=0.0, denoise_px=0.5, speckle=0.1, gain_amplitude=0.08),
    "abdomen": replace(_MOVES, **_STILL, speckle=0.1, gain_amplitude=0.05),
    "fundus": replace(_MOVES, **_STILL | {"noise": 0.05}, denoise_px=0.0, speckle=0.2),
    "em": replace(_MOVES, **_STILL | {"noise": 0.03}, speckle=0.2, gain_amplitude=0.15),
    "shapes": replace(_MOVES, **_STILL | {"noise": 0.03}, denoise_px=0.0, speckle=0.3, gain_amplitude=0.1),
}
_OWN_REPEATS = replace(_MOVES, **_STILL | {"noise": 0.02}, margin=0.0, denoise_px=0.5, speckle=0.3, gain_amplitude=0.15)
"""How repeats of a user's images are simulated: the same way for every modality, since it is unknown."""

_LENGTHS = (
    "displacement_px",
    "displacement_spread_px",
    "translation_px",
    "coarse_spacing_px",
    "coarse_amplitude_px",
    "fine_spacing_px",
    "fine_amplitude_px",
    "saccade_px",
    "dropout_px",
    "gain_spacing_px",
)


class PoolTask:
    """A source task whose pairs were drawn before; mirrored and turned at random."""

    weight = 1.0

    def __init__(self, name: str, pairs: list[TaskPair], repeats: list[list[TaskPair]]):
        self.name, self.pairs, self.repeats = name, pairs, repeats

    def training_pair(self, rng: np.random.Generator, step: int) -> TaskPair:
        """A random pair with its displacement, augmented."""
        return augmented(self.pairs[int(rng.integers(len(self.pairs)))], rng)

    def validation_pairs(self) -> list[TaskPair]:
        """None: the benchmark validates on test pairs of the source groups."""
        return []

    def describe(self) -> dict:
        """Name and number of pairs."""
        return {"name": self.name, "pairs": len(self.pairs)}


class SupportPairs:
    """A user's K pairs: images without truth, and simulated repeats of them."""

    initial = "none"
    simulation = _OWN_REPEATS

    def __init__(self, pairs: list[TaskPair], repeats: list[list[TaskPair]]):
        self._pairs = [TaskPair(pair.moving, pair.fixed) for pair in pairs]
        self._repeats = repeats

    def __len__(self) -> int:
        return len(self._pairs)

    def pair(self, index: int) -> TaskPair:
        """Pair `index`, without its displacement."""
        return self._pairs[index]

    def repeat(self, index: int, rng: np.random.Generator) -> TaskPair:
        """One of the repeats of pair `index`, augmented."""
        return augmented(self._repeats[index][int(rng.integers(len(self._repeats[index])))], rng)


class Subset:
    """Some of the pairs of a folder.

    Parameters
    ----------
    task : PairTask
    chosen : sequence of int
    """

    def __init__(self, task: PairTask, chosen: Sequence[int]):
        self._task, self._chosen = task, list(chosen)
        self.initial, self.simulation = task.initial, task.simulation

    def __len__(self) -> int:
        return len(self._chosen)

    def pair(self, index: int) -> TaskPair:
        """Pair `index` of the subset."""
        return self._task.pair(self._chosen[index])

    def repeat(self, index: int, rng: np.random.Generator) -> TaskPair:
        """A simulated repeat of it."""
        return self._task.repeat(self._chosen[index], rng)


@dataclass(frozen=True)
class Target:
    """What is adapted to.

    Attributes
    ----------
    count : int
        Pairs to choose from.
    support : callable
        Gives the chosen pairs (their indices) as what is adapted on.
    tests : list of TaskPair
        With a known displacement, or with landmarks.
    """

    count: int
    support: Callable[[Sequence[int]], SupportPairs | Subset]
    tests: list[TaskPair]


def source_task(group: str, data: Path, cache: Path, sizes: Sizes) -> PoolTask:
    """The source task of a group's training images."""
    path = cache / f"{group}_train{sizes.name}.npz"
    pairs, repeats = _kept(path, group, "train", data, sizes.pool, sizes.supports, sizes.grid)
    return PoolTask(group, pairs, repeats)


def test_pairs(group: str, data: Path, cache: Path, count: int, sizes: Sizes) -> list[TaskPair]:
    """Pairs of a group's test images."""
    return _kept(cache / f"{group}_test_{count}{sizes.name}.npz", group, "test", data, count, 0, sizes.grid)[0]


def target_pairs(target: str, data: Path, cache: Path, sizes: Sizes) -> Target:
    """Pairs to adapt on with their repeats, and pairs to test on, of a target's groups in turn; or the real ones."""
    if target == REAL:
        return _real_pairs(data, sizes)
    groups, count = TARGETS[target], sizes.adapt
    paths = {group: cache / f"{group}_adapt{sizes.name}.npz" for group in groups}
    adapt = [_kept(paths[group], group, "train", data, count, count, sizes.grid) for group in groups]
    pairs = [pair for several in zip(*(pairs for pairs, _ in adapt), strict=True) for pair in several]
    repeats = [own for several in zip(*(repeats for _, repeats in adapt), strict=True) for own in several]
    tests = [pair for group in groups for pair in test_pairs(group, data, cache, TEST // len(groups), sizes)]
    return Target(
        len(pairs), lambda chosen: SupportPairs([pairs[i] for i in chosen], [repeats[i] for i in chosen]), tests
    )


def _real_pairs(data: Path, sizes: Sizes) -> Target:
    """Repeat scans as the product's fine-tuning takes them, and other eyes' with landmarks, all behind the initial alignment."""
    found = find_pairs(data / "octa_scp_repeat_visits", check=False)
    task = PairTask(
        REAL, found.split("fine_tune"), found.split("test"), Preprocessing(size=sizes.grid), initial="affine"
    )
    return Target(len(task), partial(Subset, task), task.validation_pairs())


def scaled(settings: RepeatSettings, grid: int) -> RepeatSettings:
    """The settings for another grid: the same motion of the same anatomy, in smaller pixels."""
    return replace(settings, **{name: getattr(settings, name) * grid / REFERENCE_GRID for name in _LENGTHS})


def _kept(
    path: Path, group: str, split: str, data: Path, count: int, supports: int, grid: int
) -> tuple[list[TaskPair], list[list[TaskPair]]]:
    if not path.exists():
        drawn = _drawn(group, split, data, count, supports, grid)
        with replacing(path) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **drawn)
    with np.load(path) as held:
        pairs = _pairs(held["images"], held["fields"])
        own = _pairs(held["repeat_images"], held["repeat_fields"])
    return pairs, [own[REPEATS * i : REPEATS * (i + 1)] for i in range(len(own) // REPEATS)]


def _pairs(images: np.ndarray, fields: np.ndarray) -> list[TaskPair]:
    images, fields = images.astype(np.float32), fields.astype(np.float32)
    return [TaskPair(two[0], two[1], displacement_px=field) for two, field in zip(images, fields, strict=True)]


def _drawn(group: str, split: str, data: Path, count: int, supports: int, grid: int) -> dict[str, np.ndarray]:
    images = images_of(group, split, data, grid * 4 // 3)
    seed = [sum(map(ord, group)), split == "test", count]
    order = np.random.default_rng(seed).permutation(len(images))
    settings, own_repeats = (scaled(one, grid) for one in (_SETTINGS[group.partition("_")[0]], _OWN_REPEATS))
    preprocessing = Preprocessing(size=grid)
    pairs = [
        simulated_pair(images[order[i % len(images)]], preprocessing, settings, np.random.default_rng([*seed, i]))
        for i in range(count)
    ]
    own = [
        simulated_pair(
            pair.fixed if j % 2 else pair.moving, preprocessing, own_repeats, np.random.default_rng([*seed, i, j])
        )
        for i, pair in enumerate(pairs[:supports])
        for j in range(REPEATS)
    ]
    return _stacked(pairs, "", grid) | _stacked(own, "repeat_", grid)


def _stacked(pairs: list[TaskPair], prefix: str, grid: int) -> dict[str, np.ndarray]:
    images = np.array([[pair.moving, pair.fixed] for pair in pairs], np.float16).reshape(-1, 2, grid, grid)
    fields = np.array([pair.displacement_px for pair in pairs], np.float16).reshape(-1, 2, grid, grid)
    return {f"{prefix}images": images, f"{prefix}fields": fields}
