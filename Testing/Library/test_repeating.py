"""Another shift that fits as well is found between pictures of a repeating texture, and of nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from drawn_eyes import drawn_eye
from scipy import ndimage

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.alignment.coincidence import details
from MetaRegistrationLib.alignment.repeating import HALF_CONFIDENT, confidence_of_only_shift, other_fit
from MetaRegistrationLib.alignment.structure import Structure

SIDE = 200
PERIOD = 20


def noisy(image: np.ndarray, seed: int, level: float = 0.1) -> np.ndarray:
    return image + level * np.random.default_rng(seed).normal(size=image.shape)


def lattice(side: int = SIDE) -> np.ndarray:
    """Round cells in rows, as of a honeycomb."""
    rows, columns = np.mgrid[:side, :side] * (2 * np.pi / PERIOD)
    waves = (np.cos(columns), np.cos(columns / 2 + rows * np.sqrt(3) / 2), np.cos(columns / 2 - rows * np.sqrt(3) / 2))
    return np.clip(sum(waves), 0, None) / 3


def layers(side: int = SIDE) -> np.ndarray:
    """Layers of unlike thickness and brightness that bend a little."""
    rows, columns = np.mgrid[:side, :side]
    depth = rows + 8 * np.sin(2 * np.pi * columns / side)
    return np.interp(depth, (0, 60, 66, 80, 95, 99, 130, 200), (0.1, 0.1, 0.8, 0.3, 0.7, 0.2, 0.9, 0.1))


def cells(side: int = SIDE) -> np.ndarray:
    """Cells as many and as large as those of the lattice, without an order."""
    found = ndimage.gaussian_filter(np.random.default_rng(3).normal(size=(side, side)), PERIOD / 5, mode="wrap")
    return np.clip(found / found.std(), 0, 1)


SCENES = {"lattice": lattice, "layers": layers, "cells": cells, "eye": lambda: drawn_eye(4, SIDE)}


def fit(first: np.ndarray, second: np.ndarray, without: tuple[int, int] | None = None) -> float:
    stacks = (np.stack((each, np.ones_like(each))).astype(np.float32) for each in (first, second))
    left_out = None if without is None else np.array(without)
    return other_fit(*(details(torch.from_numpy(stack)) for stack in stacks), without=left_out)


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("contrast", [1, -1], ids=["same", "inverted"])
def test_only_a_repeating_texture_fits_at_another_shift(name, contrast):
    image = SCENES[name]()
    found = fit(noisy(image, 1), noisy(contrast * image, 2))
    assert found > 0.85 if name == "lattice" else found < HALF_CONFIDENT


def test_a_landmark_in_the_texture_does_not_tell_the_shift_but_much_else_does():
    image = lattice()
    marked = image.copy()
    marked[90:110, 90:110] = 1
    assert fit(noisy(marked, 1), noisy(marked, 2)) > 0.75
    image[:, :150] = drawn_eye(4, SIDE)[:, :150]
    assert fit(noisy(image, 1), noisy(image, 2)) < HALF_CONFIDENT


def test_a_fit_grows_with_the_root_of_what_is_in_common():
    """A cell further, 23 of 200 rows are not in common."""
    assert fit(lattice(), lattice()) == pytest.approx(np.sqrt(1 - 23.1 / SIDE), abs=0.02)


@pytest.mark.parametrize("shift", [(12, 0), (6, 10)])
def test_a_texture_that_is_aligned_between_its_cells_fits_better_at_another_shift(shift):
    image = lattice(SIDE + 20)
    moved = image[shift[0] : shift[0] + SIDE, shift[1] : shift[1] + SIDE]
    assert fit(noisy(image[:SIDE, :SIDE], 1), noisy(moved, 2)) > 2
    field = torch.zeros((1, 2, SIDE, SIDE))
    inside = {name: np.ones((SIDE, SIDE), bool) for name in ("inside_moving", "inside_fixed")}
    assert confidence_of_only_shift(image[:SIDE, :SIDE], moved, field, **inside) < 0.1


def test_an_image_that_is_aligned_beside_its_place_fits_better_there():
    eye = drawn_eye(4, SIDE)
    assert fit(eye, np.roll(eye, 30, axis=1)) > 2


def test_images_that_do_not_fit_at_all_where_they_are_fit_better_at_another_shift():
    vectors = torch.zeros((2, 4, SIDE, SIDE))
    vectors[0, 0, 50:80, 50:80], vectors[1, 0, 50:80, 50:80], vectors[1, 0, 50:80, 100:130] = 1, -1, 1
    assert other_fit(*(Structure(each, torch.ones((SIDE, SIDE))) for each in vectors)) == np.inf


@pytest.mark.parametrize("in_common", [0, 7, 40])
def test_images_with_too_little_in_common_tell_nothing(in_common):
    """Directions are not known in three columns beside what is not shown."""
    stacks = []
    for shown in (slice(0, 100 + in_common), slice(100, SIDE)):
        part = np.zeros((SIDE, SIDE), np.float32)
        part[:, shown] = 1
        stacks.append(np.stack((lattice() * part, part)).astype(np.float32))
    found = other_fit(*(details(torch.from_numpy(stack)) for stack in stacks))
    assert found > HALF_CONFIDENT if in_common == 40 else found == 0


def test_what_fits_at_a_given_shift_does_not_count():
    eye = drawn_eye(4, SIDE)
    twice = eye + np.roll(eye, 40, axis=1)
    assert fit(eye, twice) > HALF_CONFIDENT
    assert fit(eye, twice, without=(0, 40)) < HALF_CONFIDENT > fit(eye, twice, without=(0, -40))


@pytest.mark.parametrize("far", [120, 170])
def test_a_given_shift_beyond_those_that_are_tried_leaves_nothing_out(far):
    assert fit(lattice(), lattice(), without=(far, 0)) == fit(lattice(), lattice())


@pytest.mark.parametrize("size", [SIDE, 2 * SIDE])
def test_the_confidence_is_of_the_images_under_the_field(size):
    """The same for grids of any size; a period of another picture is not one of this."""
    shift = 6
    image = lattice(size + shift)
    field = torch.full((1, 2, size, size), float(shift))
    inside = {name: np.ones((size, size), bool) for name in ("inside_moving", "inside_fixed")}
    moving, fixed = noisy(image[:size, :size], 1), noisy(image[shift:, shift:], 2)
    assert confidence_of_only_shift(moving, fixed, field, **inside) < 0.1
    eye = np.pad(drawn_eye(4, size), (shift, 0), mode="reflect")
    moving, fixed = eye[:size, :size], eye[shift:, shift:]
    assert confidence_of_only_shift(moving, fixed, field, **inside) > 0.99


def test_a_pair_of_a_repeating_texture_is_refused_and_the_reason_said():
    image = np.clip(80 + 150 * noisy(lattice(240), 5, 0.02), 0, 255)
    moving, fixed = (noisy(part, seed, 4.0) for part, seed in ((image[:200, :200], 6), (image[33:233, 27:227], 7)))
    found = mr.register(moving, fixed)
    assert not found.confident and found.confidence < 0.5
    assert not found.displacement_px.any()
    assert "repeating texture" in found.measures["warning"]
