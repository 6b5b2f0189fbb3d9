"""Frames and round masks that were drawn into both images: told from the dark around a head, and continued for the network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from known_stages import known_alignment
from scipy import ndimage
from torch import nn

from MetaRegistrationLib.alignment.aligned import aligned_image, hides_tissue, seen_by_network
from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.core.borders import continued, is_drawn
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.error_map.judge import shipped_judge
from MetaRegistrationLib.formats.images import Image, write_image
from MetaRegistrationLib.pairs.files import PairFiles
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.registration.companions import NamedNetwork
from MetaRegistrationLib.registration.pipeline import Pipeline
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.resources import default_checkpoint
from MetaRegistrationLib.stages import Stages
from MetaRegistrationLib.tasks.image_pairs import prepare_pair

SIDE = 320
WIDTH, RADIUS = 30, 0.49 * SIDE  # as of the table in Accuracy.md
FROM_BORDER, WORSE = 12, 0.4  # pixels of a frame of 400


def _frame(side=SIDE, width=WIDTH):
    inside = np.zeros((side, side), dtype=bool)
    inside[width:-width, width:-width] = True
    return inside


def _round(side=SIDE, radius=RADIUS, aspect=1.0):
    rows, columns = np.indices((side, side)) - (side - 1) / 2
    return np.hypot(rows * aspect, columns) <= radius


def _notched(mask, row):
    """With dark tissue at the border that counts as border, at another place in each image."""
    mask = mask.copy()
    mask[row : row + 60, :45] = False
    return mask


def _head(seed=0):
    """The outline of a head: an ellipse that is not quite one."""
    rows, columns = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    angle, ripple = np.arctan2(rows, columns), np.random.default_rng(seed).normal(0, 0.04, 4)
    reach = 1 + sum(size * np.cos(number * angle) for number, size in enumerate(ripple, 2))
    return np.hypot(rows / 140, columns / 115) < reach


BAND = np.zeros((SIDE, SIDE), dtype=bool)
BAND[40:] = True
WHOLE = np.ones((SIDE, SIDE), dtype=bool)


@pytest.mark.parametrize(
    ("moving", "fixed", "drawn"),
    [
        (_frame(), _frame(), True),
        (_round(), _round(), True),
        (_round(radius=100), _round(radius=100), True),
        (BAND, BAND, True),
        (_frame(), WHOLE, True),
        (WHOLE, _round(), True),
        (_frame(), _frame(200, 10), True),
        (_notched(_frame(), 60), _notched(_frame(), 200), True),
        (_notched(_round(), 60), _notched(_round(), 200), True),
        (_frame(4000, 300), _frame(4000, 300), True),
        (WHOLE, WHOLE, False),
        (_head(), _head(), False),
        (_head(), _head(1), False),
        (_head(), WHOLE, False),
        (_round(radius=120, aspect=0.8), _round(radius=120, aspect=0.8), False),
        (np.zeros_like(WHOLE), np.zeros_like(WHOLE), False),
    ],
)
def test_a_drawn_border_is_told_by_its_outline(moving, fixed, drawn):
    assert is_drawn(moving, fixed) is drawn
    assert is_drawn(fixed, moving) is drawn


def test_an_image_is_continued_by_what_lies_nearest():
    image, known = np.arange(20.0).reshape(4, 5), np.zeros((4, 5), dtype=bool)
    known[1:3, 1:4] = True
    (found,) = continued((image,), known)
    np.testing.assert_array_equal(found, np.pad(image[1:3, 1:4], 1, mode="edge"))
    for mask in (np.ones_like(known), np.zeros_like(known)):
        assert continued((image,), mask)[0] is image


def test_a_network_sees_no_edge_of_a_drawn_border():
    rng = np.random.default_rng(0)
    inside = _frame(64, 8)
    moving, fixed = (np.where(inside, rng.uniform(0.2, 1, inside.shape), 0).astype(np.float32) for _ in range(2))
    seen = seen_by_network(moving, fixed, known_alignment(), (inside, inside))
    assert all(image.min() >= 0.2 and image.dtype == np.float32 for image in seen)
    shown = (aligned_image(inside.astype(np.float32), known_alignment()) > 0.999) & inside
    np.testing.assert_array_equal(seen[0][shown], aligned_image(moving, known_alignment())[shown])
    np.testing.assert_array_equal(seen[1][shown], fixed[shown])
    untouched = seen_by_network(moving, fixed, known_alignment())
    np.testing.assert_array_equal(untouched[0], aligned_image(moving, known_alignment()))
    assert untouched[1] is fixed


@pytest.mark.parametrize(("row", "hidden"), [(0.0, False), (2.0, False), (-20.0, True)])
def test_images_are_not_continued_over_tissue_that_a_field_finds_in_both(row, hidden):
    """The alignment is 20 rows off, so that what both show seems to end 20 rows early."""
    inside, alignment = _frame(400, 40), known_alignment(np.array([[1.0, 0, 20], [0, 1, 0]]))
    residual = torch.zeros(1, 2, 400, 400)
    residual[:, 0] = row
    assert hides_tissue(residual, alignment, (inside, inside)) is hidden


class _Seeing(nn.Module):
    """Keeps what it is shown; nothing moves."""

    def forward(self, moving, fixed):
        self.seen = moving, fixed
        return torch.zeros(1, 2, *fixed.shape[-2:])


@pytest.mark.parametrize(("mask", "drawn"), [(_round(), True), (_head(), False)])
def test_registering_and_training_show_the_network_the_same(tmp_path, mask, drawn):
    files = []
    for seed, name in enumerate(("m.png", "f.png")):
        values = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(mask.shape), 3)
        values = 60 + 195 * (values - values.min()) / np.ptp(values)
        files.append(tmp_path / name)
        write_image(files[-1], np.where(mask, values, 0).astype(np.uint8), Geometry(mask.shape))
    pair = PairFiles("pair", *files)
    registrar, network, device = Registrar(None, "cpu", Stages("none", False, 0)), _Seeing(), torch.device("cpu")
    registrar.pipeline = Pipeline(
        Stages("none", True, 0), [NamedNetwork("seeing", network)], device, shipped_judge(device)
    )
    registrar(pair.load().moving, pair.load().fixed)
    trained_on = prepare_pair(pair, Preprocessing())
    for seen, image in zip(network.seen, (trained_on.moving, trained_on.fixed), strict=True):
        np.testing.assert_array_equal(seen[0, 0].numpy(), image)
        assert (image[0] == 0).all() is np.bool_(not drawn)


def _distance_to_border(points, shape):
    """Pixels of the frame of 400 from points to where the drawing begins."""
    if shape == "frame":
        distance = np.minimum(points - WIDTH, SIDE - 1 - WIDTH - points).min(axis=1)
    else:
        distance = RADIUS - np.hypot(*(points - (SIDE - 1) / 2).T)
    return distance * 400 / SIDE


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        pytest.param("rossa_0281", "frame", marks=pytest.mark.long),
        pytest.param("rossa_0899", "frame", marks=pytest.mark.long),
        pytest.param("rossa_0514", "round", marks=pytest.mark.long),
        ("rossa_0897", "round"),
    ],
)
def test_what_a_drawn_border_leaves_is_registered_as_without(data_root, name, shape):
    """The pairs on which vessels beside the black were held in place: up to 2.7 px behind the network, 1.3 in the end."""
    (files,) = (f for f in find_pairs(data_root / "octa_scp_repeat_visits", check=False).pairs if f.moving.stem == name)
    pair, inside = files.load(), {"frame": _frame(), "round": _round()}[shape]
    registrar = Registrar(load_checkpoint(default_checkpoint()), "cpu", Stages())

    def errors(moving: Image, fixed: Image):
        carried, _ = registrar(moving, fixed).carry(pair.moving_landmarks)
        return np.linalg.norm(carried.points - pair.fixed_landmarks.points, axis=1) * 400 / SIDE

    without = errors(pair.moving, pair.fixed)
    worse = errors(*(replace(image, array=image.array * inside) for image in (pair.moving, pair.fixed))) - without
    sides = (pair.moving_landmarks.points, pair.fixed_landmarks.points)
    shown = np.min([_distance_to_border(points, shape) for points in sides], axis=0) >= FROM_BORDER
    assert shown.sum() >= 10
    assert worse[shown].max() <= WORSE
