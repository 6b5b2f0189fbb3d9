"""Noise at the same pixels of two images does not align them: the place where what they show agrees does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from drawn_eyes import drawn_eye
from scipy import ndimage
from test_repeating import lattice

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.alignment import align
from MetaRegistrationLib.alignment.affine import IDENTITY
from MetaRegistrationLib.alignment.blocks import BlockMatcher, Matches
from MetaRegistrationLib.alignment.fixed_pattern import MatcherBesidePattern, coarse_confidence, may_be_a_pattern, moves
from MetaRegistrationLib.alignment.survey import ScaledStructure, Surveyor

SIDE = 240


def pattern(seed: int = 1) -> np.ndarray:
    found = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(SIDE, SIDE)), 1.0)
    return found / found.std()


def scenes(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Two images of one texture of broad blobs, in [0, 1]: moving(x + (24, -18)) = fixed(x)."""
    wide = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(SIDE + 40, SIDE + 40)), 3.0)
    wide = np.clip(0.5 + 0.2 * wide / wide.std(), 0, 1)
    return wide[:SIDE, 20 : 20 + SIDE], wide[24 : 24 + SIDE, 2 : 2 + SIDE]


def with_patterns(level: float, *seeds: int) -> list[np.ndarray]:
    return [np.clip(each + level * pattern(seed), 0, 1) for each, seed in zip(scenes(), seeds, strict=True)]


@pytest.mark.parametrize("level", [0.1, pytest.param(0.15, marks=pytest.mark.long)])
def test_the_alignment_is_that_of_the_scene_and_not_of_the_pattern(level):
    found = align(*with_patterns(level, 1, 1))
    assert found.pattern and found.confidence > 0.9
    assert found.matrix[:, :2] == pytest.approx(np.eye(2), abs=0.01)
    assert found.matrix[:, 2] == pytest.approx([24, -18], abs=1)


def test_the_result_of_a_pair_with_a_pattern_is_the_alignment_alone():
    found = mr.register(*with_patterns(0.12, 1, 1))
    assert found.confident and found.result_stage == "initial"
    rows, columns = found.displacement_px
    assert np.median(np.hypot(rows - 24, columns + 18)) < 1
    assert "a pattern lies at the same pixels of both images" in found.measures["warning"]


@pytest.mark.parametrize("seeds", [(1, 2), pytest.param((5, 6), marks=pytest.mark.long)])
def test_noise_of_its_own_in_each_image_is_no_pattern(seeds):
    found = align(*with_patterns(0.12, *seeds))
    assert not found.pattern and found.matrix[:, 2] == pytest.approx([24, -18], abs=1)


@pytest.mark.parametrize(("scene", "level"), [("blobs", 0.0), ("blobs", 0.1), ("eye", 0.0)])
def test_aligned_images_stay_aligned(scene, level):
    """Broad ridges agree a little beside their own place too."""
    image = scenes()[0] if scene == "blobs" else drawn_eye(4, SIDE) / 255
    found = align(*(np.clip(image + level * pattern(seed), 0, 1) for seed in (7, 8)))
    assert not found.pattern and found.matrix == pytest.approx(IDENTITY, abs=0.02)


def test_two_scenes_with_one_pattern_are_refused():
    """They agree in nothing else: not in what is coarser than the pattern."""
    images = [np.clip(each + 0.15 * pattern(1), 0, 1) for each in (scenes(3)[0], scenes(4)[0])]
    assert coarse_confidence(*(canvas(each) for each in images)) < 0.1
    found = align(*images)
    assert found.kind == "none" and found.confidence < 0.5 and "fine detail" in found.reason
    assert len(found.rejected) == 1, "what the pattern led to"


def test_coarse_structures_of_aligned_images_agree():
    images = [np.clip(scenes(3)[0] + 0.15 * pattern(seed), 0, 1) for seed in (7, 8)]
    assert coarse_confidence(*(canvas(each) for each in images)) > 0.99
    little = np.zeros((SIDE, SIDE))
    little[:, :100] = 1
    assert coarse_confidence(*(canvas(each, little) for each in images)) == 1, "too little is shown to deny it"


def canvas(image: np.ndarray, weight: np.ndarray | float = 1.0) -> torch.Tensor:
    return torch.from_numpy(np.stack((image * weight, np.broadcast_to(weight, image.shape))).astype(np.float32))


def matches(offsets_px: float, share: float) -> Matches:
    count = 50
    offsets = np.zeros((count, 2))
    offsets[int(share * count) :, 0] = offsets_px * 2 / 400
    return Matches(np.zeros((count, 2)), offsets, np.ones(count))


def turned(degrees: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), -np.sin(angle), shift[0]], [np.sin(angle), np.cos(angle), shift[1]]])


@pytest.mark.parametrize("matrix", [IDENTITY, turned(6, (0.02, -0.03))], ids=["unmoved", "turned"])
def test_blocks_are_not_found_at_the_same_pixels_beside_a_pattern(matrix):
    image = canvas(0.5 + 0.1 * pattern())
    usual = BlockMatcher(image, image, 200)
    beside = MatcherBesidePattern(usual)
    found = {each: each.match(each.under(matrix), 0.16, ("both",))["both"] for each in (usual, beside)}
    # The moved image shows at the inverse of a position what lies there in the moving one.
    inverse = np.linalg.inv(np.vstack((matrix, [0, 0, 1])))
    apart = {}
    for matcher, matches in found.items():
        own = matches.centres @ inverse[:2, :2].T + inverse[:2, 2]
        apart[matcher] = np.linalg.norm(matches.centres + matches.offsets - own, axis=1)
    assert np.median(apart[usual]) < 0.01 and apart[beside].min() > 0.02


def test_a_survey_of_moved_images_has_no_peak_at_the_same_pixels():
    image = ScaledStructure(canvas(scenes()[0]), 2)
    shifts = {}
    for moved_only in (False, True):
        peaks = Surveyor(image, image, "both", moved_only=moved_only).peaks(IDENTITY[None])[0]
        shifts[moved_only] = np.abs(peaks.matrices[:, :, 2]).max(axis=1) * SIDE / 2
    assert shifts[False].min() < 0.1 and shifts[True].min() > 3


def test_a_repeating_scene_has_no_place_beside_a_pattern():
    wide = lattice(SIDE + 40)
    scene = wide[:SIDE, 20 : 20 + SIDE], wide[24 : 24 + SIDE, 2 : 2 + SIDE]
    found = align(*(np.clip(0.2 + 0.3 * each + 0.1 * pattern(), 0, 1) for each in scene))
    assert not found.pattern and found.confidence < 0.5


def test_blocks_in_their_places_may_be_a_pattern_and_others_are_not():
    assert may_be_a_pattern(matches(4, 0.3)) and not may_be_a_pattern(matches(4, 0.1))
    assert may_be_a_pattern(matches(0.5, 0.0)), "half a pixel is in place"
    few = Matches(np.zeros((6, 2)), np.zeros((6, 2)), np.ones(6))
    assert not may_be_a_pattern(few)


def test_a_transform_moves_if_blocks_do_on_average():
    centres = np.stack(np.meshgrid(*[np.linspace(-0.8, 0.8, 8)] * 2), axis=-1).reshape(-1, 2)
    shifted = IDENTITY + np.array([[0, 0, 0.05], [0, 0, 0]])
    assert not moves(IDENTITY, centres) and not moves(shifted, centres)
    assert moves(IDENTITY + np.array([[0, 0, 0.05], [0, 0, -0.05]]), centres)
    turn = np.deg2rad(8)
    assert moves(np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0]]), centres)
