"""The parts of the alignment: directions, the survey of all places, blocks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from drawn_eyes import drawn_eye
from scipy import ndimage

from MetaRegistrationLib.alignment.affine import IDENTITY, projected, rotation_deg, similarity, stretches, to_frame
from MetaRegistrationLib.alignment.blocks import BlockMatcher, Matches, affine_terms, fit_change
from MetaRegistrationLib.alignment.refine_transform import agreement_under, refine_transform
from MetaRegistrationLib.alignment.structure import structure
from MetaRegistrationLib.alignment.survey import Range, ScaledStructure, Surveyor, steps
from MetaRegistrationLib.alignment.turned import Turned

EYE = drawn_eye(5, 256)


def canvas(image):
    values = torch.as_tensor(np.ascontiguousarray(image, dtype=np.float32))
    return torch.stack((values, torch.ones_like(values)))


def pulled(image, matrix):
    frame = to_frame(matrix, len(image))
    values = ndimage.affine_transform(image, frame[:, :2], frame[:, 2], order=1, mode="reflect")
    return values.astype(np.float32)


def test_to_frame_keeps_edges_and_centre():
    frame = to_frame(similarity(0.0, 2.0, (0.5, 0.0)), 10)
    assert frame @ np.array([4.5, 4.5, 1]) == pytest.approx([7.0, 4.5])
    assert frame @ np.array([-0.5, -0.5, 1]) == pytest.approx([-3.0, -5.5])


def test_projected_matrices_are_of_their_kind():
    matrix = np.array([[1.1, -0.2, 3.0], [0.3, 0.9, -2.0]])
    assert projected(matrix, "affine") is matrix
    assert projected(matrix, "translation")[:, :2] == pytest.approx(np.eye(2))
    assert stretches(projected(matrix, "rigid")) == pytest.approx([1, 1])
    least, greatest = stretches(projected(matrix, "similarity"))
    assert least == pytest.approx(greatest) and rotation_deg(projected(matrix, "similarity")) == pytest.approx(
        rotation_deg(matrix)
    )


@pytest.mark.parametrize("angle_deg", [0.0, 30.0, 90.0, 135.0])
def test_directions_of_a_wave_are_those_of_its_gradient(angle_deg):
    angle = np.deg2rad(angle_deg)
    rows, columns = np.indices((64, 64))
    wave = np.sin(0.4 * (rows * np.cos(angle) + columns * np.sin(angle)))
    # The mean direction of an image is taken off, so that a wave that covers it all keeps none; of a patch it stays.
    patch = np.where(np.hypot(rows - 32, columns - 32) < 20, wave, 0)
    edges, ridges = structure(*canvas(patch)).vectors[:, 24:40, 24:40].split(2)
    expected = torch.tensor([np.cos(2 * angle), np.sin(2 * angle)], dtype=torch.float32)
    assert edges.sum(dim=(1, 2)) / edges.sum(dim=(1, 2)).norm() == pytest.approx(expected, abs=0.1)
    # Ridges run the same way, with a sign that tells bright from dark.
    along = torch.einsum("c,crk->rk", expected, ridges)
    assert float(along.square().sum() / ridges.square().sum()) > 0.95


def test_directions_of_edges_do_not_change_with_contrast():
    first, second = structure(*canvas(EYE)), structure(*canvas(3 - 2 * EYE))
    assert torch.allclose(first.vectors[:2], second.vectors[:2], atol=1e-3)
    assert torch.allclose(first.vectors[2:], -second.vectors[2:], atol=1e-3)


def test_nothing_is_found_where_an_image_is_not_defined():
    image = canvas(EYE)
    image[1, :100] = 0
    found = structure(*image)
    assert not found.vectors[:, :100].any() and not found.weight[:103].any() and found.weight[110:].all()
    assert structure(*canvas(np.ones((64, 64)))).blank


def test_scales_have_one_among_them():
    assert 1.0 in steps(0.4, 2.5, 1.13) and steps(1.0, 1.0, 1.1) == (1.0,)
    assert steps(0.4, 2.5, 1.13)[0] == pytest.approx(0.4) and steps(0.4, 2.5, 1.13)[-1] == pytest.approx(2.5)


@pytest.mark.parametrize(("angle_deg", "scale"), [(0.0, 1.0), (48.0, 1.0), (-96.0, 1.5), (24.0, 0.6), (180.0, 1.0)])
def test_the_survey_finds_the_place(angle_deg, scale):
    truth = similarity(np.deg2rad(angle_deg), scale, (0.12, -0.2))
    moving, fixed = (ScaledStructure(canvas(image[::2, ::2]), 2) for image in (EYE, pulled(EYE, truth)))
    tried = Range(tuple(np.arange(-180.0, 179.0, 12.0)), (0.6, 1.0, 1.5)).matrices()
    (peaks,) = Surveyor(moving, fixed, "both").peaks(tried, count=2)
    assert peaks.matrices[0] == pytest.approx(truth, abs=0.06)
    assert peaks.heights[0] > 1.5 * peaks.heights[1]


def test_the_survey_finds_a_small_part_at_either_end_of_its_reach():
    for shift in (0.95, -0.95):
        truth = similarity(np.deg2rad(45.0), 0.4, (shift, shift))
        moving, fixed = (ScaledStructure(canvas(image[::2, ::2]), 2) for image in (EYE, pulled(EYE, truth)))
        (peaks,) = Surveyor(moving, fixed, "both").peaks(Range((-135.0, 45.0), (0.4,)).matrices(), count=1)
        assert peaks.matrices[0] == pytest.approx(truth, abs=0.06)


def test_half_a_turn_is_taken_from_the_transform():
    eye = ScaledStructure(canvas(EYE[::2, ::2]), 2).at(1.0)
    angles = np.deg2rad([-150.0, -90.0, 30.0, 90.0])
    given, turned = (Turned.at(eye, angles, 32, 25.0, opposites=opposites) for opposites in (True, False))
    assert given.spectra.shape == turned.spectra.shape
    assert (given.spectra - turned.spectra).abs().max() < 1e-4 * turned.spectra.abs().max()


def test_blocks_settle_what_the_survey_leaves():
    truth = similarity(np.deg2rad(5.0), 1.04, (0.1, -0.06))
    matcher = BlockMatcher(canvas(EYE), canvas(pulled(EYE, truth)), 200)
    start = similarity(np.deg2rad(3.5), 1.0, (0.13, -0.03))
    found = refine_transform(matcher, start, "affine")
    assert found.matrix == pytest.approx(truth, abs=0.003)
    assert found.share > 0.9 > 0.4 > agreement_under(matcher, IDENTITY, "both").share


def test_the_fit_follows_most_blocks():
    rng = np.random.default_rng(0)
    centres = rng.uniform(-1, 1, (40, 2))
    truth = np.array([[0.02, -0.01], [0.01, 0.03], [-0.02, 0.01]])
    offsets = affine_terms(centres) @ truth
    offsets[:14] = rng.uniform(-0.16, 0.16, (14, 2))
    matches = Matches(centres, offsets, np.full(40, 5.0))
    coefficients, fitted = fit_change(matches, affine_terms(centres), loosest=0.1, tightest=0.01)
    assert coefficients == pytest.approx(truth, abs=0.004)
    assert matches.agreeing(fitted)[14:].all()
