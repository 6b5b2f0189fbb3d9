"""Tests of the tasks of single images (simulated repeat visits) and of image pairs, and of augmentation."""

import numpy as np
import pytest
from known_stages import AFFINE, known_alignment, through, turned_down
from training_helpers import PREPROCESSING, SIZE, orientations, same, texture, write_pairs, write_png

from MetaRegistrationLib.alignment.aligned import aligned_image
from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.progress import Message, Stage
from MetaRegistrationLib.simulation import RepeatSettings
from MetaRegistrationLib.tasks import (
    PairTask,
    SingleImageTask,
    TaskPair,
    augmented,
    image_pairs,
)


def test_augmentation_treats_both_images_alike_and_drops_landmarks():
    image = texture(1)
    pair = TaskPair(image, 1 - image, np.zeros((1, 2)), np.zeros((1, 2)))
    rng, seen = np.random.default_rng(0), set()
    for _ in range(200):
        changed = augmented(pair, rng)
        assert changed.moving_points is None and changed.fixed_points is None
        assert np.allclose(changed.moving + changed.fixed, 1)
        assert changed.moving.flags.c_contiguous
        ways = orientations(image) + orientations(1 - image)
        seen.add(next(n for n, way in enumerate(ways) if np.array_equal(changed.moving, way)))
    assert seen == set(range(16))


FRAME = Preprocessing(size=128)
NOISE_FREE = {
    "denoise_px": 0.0,
    "speckle": 0.0,
    "noise": 0.0,
    "dropout_patches": 0.0,
    "gain_amplitude": 0.0,
    "row_jitter": 0.0,
    "stripes": 0.0,
    "shadow_probability": 0.0,
    "saccade_probability": 0.0,
}


def grid_eye(size=160, spacing=32):
    """Thin vessels in a grid with a bright blob on each crossing, and the mask of the vessels."""
    rows, columns = np.mgrid[:size, :size]
    to_line = [np.abs((axis - spacing // 2) % spacing - 0) for axis in (rows, columns)]
    to_line = [np.minimum(distance, spacing - distance) for distance in to_line]
    mask = (to_line[0] <= 1) | (to_line[1] <= 1)
    blobs = np.exp(-(to_line[0] ** 2 + to_line[1] ** 2) / (2 * 3.0**2))
    return (0.2 * mask + 0.8 * blobs).astype(np.float32), mask.astype(np.float32)


@pytest.fixture
def eye(tmp_path):
    image, mask = grid_eye()
    return write_png(tmp_path / "eyes" / "eye.png", image), write_png(tmp_path / "masks" / "eye.png", mask)


def test_validation_landmarks_of_simulated_visits_are_exact(eye):
    settings = RepeatSettings(displacement_px=6.0, displacement_spread_px=0.0, **NOISE_FREE)
    task = SingleImageTask("t", [eye[0]], [eye[0]], FRAME, settings=settings, masks={"eye": eye[1]})
    pairs = task.validation_pairs()
    assert len(pairs) == 8
    moved = []
    for pair in pairs:
        assert len(pair.moving_points) == len(pair.fixed_points) >= 4
        moved += list(np.linalg.norm(pair.moving_points - pair.fixed_points, axis=1))
        for image, points in ((pair.moving, pair.moving_points), (pair.fixed, pair.fixed_points)):
            assert max(np.linalg.norm(_peak_near(image, point) - point) for point in points) < 1.0
    assert 4 < np.mean(moved) < 8


def _peak_near(image, point, reach=5):
    """Centre of the bright blob around a point: mean position, weighted by how bright the pixels are."""
    row, column = np.round(point).astype(int)
    rows, columns = np.mgrid[row - reach : row + reach + 1, column - reach : column + reach + 1]
    weight = np.clip(image[rows, columns] - 0.9, 0, None)
    return np.array([(rows * weight).sum(), (columns * weight).sum()]) / weight.sum()


def test_simulated_visits_are_new_at_every_draw_and_repeat_with_the_seed(eye):
    task = SingleImageTask("t", [eye[0]], [eye[0]], PREPROCESSING, settings=RepeatSettings())
    rng = np.random.default_rng(0)
    first, second = task.training_pair(rng, 0), task.training_pair(rng, 1)
    assert not same(first, second)
    assert first.moving_points is None and first.fixed_points is None
    assert first.moving.shape == (SIZE, SIZE) and 0 <= first.moving.min() < first.moving.max() <= 1
    fresh = SingleImageTask("t", [eye[0]], [eye[0]], PREPROCESSING, settings=RepeatSettings())
    assert same(first, fresh.training_pair(np.random.default_rng(0), 99))
    assert all(same(a, b) for a, b in zip(task.validation_pairs(), fresh.validation_pairs(), strict=True))


def test_single_images_are_held_out(tmp_path):
    bright = [write_png(tmp_path / f"{n}.png", texture(n, (40, 40))) for n in range(3)]
    task = SingleImageTask("t", bright[:2], bright[2:], PREPROCESSING, settings=RepeatSettings())
    bright[2].unlink()
    rng = np.random.default_rng(0)
    for step in range(20):
        task.training_pair(rng, step)
    with pytest.raises(InputError, match=r"2\.png"):
        task.validation_pairs()
    assert SingleImageTask("t", bright[:1], [], PREPROCESSING, settings=RepeatSettings()).validation_pairs() == []
    with pytest.raises(InputError, match="Task t: no images"):
        SingleImageTask("t", [], bright, PREPROCESSING, settings=RepeatSettings())


def test_pairs_give_landmarks_to_validation_alone(tmp_path):
    found = find_pairs(write_pairs(tmp_path / "pairs", 3, landmarks=True, shape=(80, 96))).pairs
    task = PairTask("t", found[:2], found[2:], PREPROCESSING)
    rng = np.random.default_rng(0)
    for pair in [task.pair(0), task.pair(1), *(task.training_pair(rng, step) for step in range(6))]:
        assert pair.moving_points is None and pair.fixed_points is None
        assert pair.moving.shape == (SIZE, SIZE)
    (held_out,) = task.validation_pairs()
    scale = SIZE / np.array([80, 96])
    assert held_out.fixed_points == pytest.approx((np.array([[30.0, 20.0], [22.0, 40.0]]) + 0.5) * scale - 0.5)
    assert held_out.moving_points == pytest.approx((np.array([[31.0, 22.0], [23.0, 42.0]]) + 0.5) * scale - 0.5)
    assert task.describe()["pairs"] == ["p00", "p01"] and task.describe()["validation"] == ["p02"]


def test_pairs_are_the_files_prepared(tmp_path):
    found = find_pairs(write_pairs(tmp_path / "pairs", 1)).pairs
    pair = PairTask("t", found, [], PREPROCESSING).pair(0)
    loaded = found[0].load()
    assert np.array_equal(pair.moving, PREPROCESSING.apply(loaded.moving.array))
    assert np.array_equal(pair.fixed, PREPROCESSING.apply(loaded.fixed.array))


@pytest.mark.parametrize(("room", "expected"), [(0, 9), (1, 7), (2, 5), (100, 3)])
def test_pairs_stay_in_memory_as_far_as_it_reaches(room, expected, tmp_path, monkeypatch):
    found = find_pairs(write_pairs(tmp_path / "pairs", 3)).pairs
    reads, prepare = [], image_pairs.prepare_pair
    monkeypatch.setattr(image_pairs, "prepare_pair", lambda *a, **k: reads.append(1) or prepare(*a, **k))
    task = PairTask("t", found, [], PREPROCESSING, memory=room * 2 * 4 * SIZE**2)
    for _ in range(3):
        for index in range(3):
            task.pair(index)
    assert len(reads) == expected


@pytest.fixture
def known_align(monkeypatch):
    """Alignments that are known; the kinds that were asked for, and of which pairs."""
    asked = []

    def known_aligner(kind):
        def align(pair, context):
            assert pair.moving.on_grid.shape == pair.moving.inside.shape and pair.moving.inside.all()
            asked.append((kind, float(pair.moving.on_grid.mean())))
            return known_alignment(kind=kind)

        return align

    monkeypatch.setattr(image_pairs, "aligner", known_aligner)
    return asked


@pytest.mark.parametrize("room", [0, 100])
def test_pairs_are_aligned_once(room, tmp_path, known_align):
    found = find_pairs(write_pairs(tmp_path / "pairs", 4, landmarks=True)).pairs
    plain = PairTask("t", found[:3], found[3:], PREPROCESSING)
    memory = room * 2 * 4 * SIZE**2
    task = PairTask("t", found[:3], found[3:], PREPROCESSING, initial="rigid", memory=memory)
    events = []
    task.align(events.append)
    assert len(known_align) == len(set(known_align)) == 4 and {kind for kind, _ in known_align} == {"rigid"}
    assert events[0] == Stage("align", "4 pairs (rigid)", 0, 4)
    for _ in range(2):
        for index in range(3):
            pair, unaligned = task.pair(index), plain.pair(index)
            assert np.array_equal(pair.moving, aligned_image(unaligned.moving, known_alignment()))
            assert np.array_equal(pair.fixed, unaligned.fixed) and pair.moving_points is None
    (held_out,), (unaligned,) = task.validation_pairs(), plain.validation_pairs()
    assert len(known_align) == 4
    assert np.array_equal(held_out.moving, aligned_image(unaligned.moving, known_alignment()))
    # A landmark of the aligned image leads, through the alignment, to the one that was given.
    np.testing.assert_allclose(through(AFFINE, held_out.moving_points.T).T, unaligned.moving_points, atol=1e-9)
    assert np.array_equal(held_out.fixed_points, unaligned.fixed_points)
    assert task.describe() == {**plain.describe(), "initial": "rigid"} and plain.describe()["initial"] == "none"


def test_pairs_that_cannot_be_aligned_are_named(tmp_path, monkeypatch):
    found = find_pairs(write_pairs(tmp_path / "pairs", 2)).pairs
    monkeypatch.setattr(image_pairs, "aligner", lambda kind: lambda pair, context: turned_down("nothing in common"))
    task, events = PairTask("t", found[:1], found[1:], PREPROCESSING, initial="affine"), []
    task.align(events.append)
    told = [event.text for event in events if isinstance(event, Message) and event.level == "warning"]
    assert [text.split()[3] for text in told] == ["p00", "p01"] and all("nothing in common" in text for text in told)


def test_a_wrong_initial_alignment_is_refused(tmp_path):
    found = find_pairs(write_pairs(tmp_path / "pairs", 1)).pairs
    with pytest.raises(InputError, match="Task t: initial: expected one of none, translation, rigid, affine"):
        PairTask("t", found, [], PREPROCESSING, initial="elastic")


def test_pairs_are_needed():
    with pytest.raises(InputError, match="Task t: no pairs"):
        PairTask("t", [], [], PREPROCESSING)
