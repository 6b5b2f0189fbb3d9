"""The parts of the initial alignment against closed forms and independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from MetaRegistrationLib.alignment.affine import IDENTITY, directions, projected, rotation_deg, similarity, to_frame
from MetaRegistrationLib.alignment.normalise import Level, normalised_levels
from MetaRegistrationLib.alignment.pair_alignment import _fault
from MetaRegistrationLib.alignment.polish import Polished, Polisher
from MetaRegistrationLib.alignment.search import LEAST_OVERLAP, Scorer, find_peaks
from MetaRegistrationLib.metrics import normalised_cross_correlation


def smooth_noise(seed, size=48, sigma=1.5):
    values = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal((size, size)), sigma)
    return values / values.std()


def level(values, weight=None):
    weight = np.ones_like(values) if weight is None else weight
    return Level(*(torch.as_tensor(array, dtype=torch.float32) for array in (values * weight, weight)))


def pulled(values, matrix, size):
    """SciPy's resampling by a matrix in coordinates from -1 to 1."""
    pixels = to_frame(matrix, size)
    return ndimage.affine_transform(values, pixels[:, :2], pixels[:, 2], order=1)


def test_matrix_in_pixels_maps_edges_and_centre():
    """A frame of n pixels reaches from -0.5 to n - 0.5; half its side is the unit of the other coordinates."""
    pixels = to_frame(similarity(0.0, 0.5, (0.25, -0.5)), 400)
    assert pixels @ [199.5, 199.5, 1] == pytest.approx([199.5 + 50, 199.5 - 100])
    assert pixels @ [-0.5, 399.5, 1] == pytest.approx([199.5 + 50 - 100, 199.5 - 100 + 100])


def test_one_matrix_serves_all_resolutions():
    matrix = similarity(0.1, 1.05, (0.05, -0.02))
    fine, coarse = to_frame(matrix, 400), to_frame(matrix, 100)
    position = np.array([30.0, 71.0])
    moved_coarse = coarse @ np.append(position, 1)
    moved_fine = fine @ np.append((position + 0.5) * 4 - 0.5, 1)
    assert moved_fine == pytest.approx((moved_coarse + 0.5) * 4 - 0.5)


@pytest.mark.parametrize("kind", ["translation", "rigid", "affine"])
def test_directions_are_derivatives_of_the_kind(kind):
    start = projected(similarity(0.2, 1.1, (0.1, 0.3)), kind)
    for direction in directions(start, kind):
        moved = start + 1e-6 * direction
        assert projected(moved, kind) == pytest.approx(moved, abs=1e-11)


def test_projection_to_rigid_keeps_rotation_and_shift():
    rigid = projected(similarity(0.2, 1.3, (0.1, 0.3)), "rigid")
    assert rigid == pytest.approx(similarity(0.2, 1.0, (0.1, 0.3)))
    assert rotation_deg(rigid) == pytest.approx(np.rad2deg(0.2))


def test_normalising_takes_gain_and_shading_away():
    texture = smooth_noise(0, 200, 1.5)
    rows, columns = np.indices((200, 200)) / 200
    shaded = (2.0 + np.sin(3 * rows) + 0.5 * columns) * (texture + 5) + 30 * columns
    (plain,), (changed,) = normalised_levels(texture, None, (100,)), normalised_levels(shaded, None, (100,))
    assert np.corrcoef(plain.values.flatten(), changed.values.flatten())[0, 1] > 0.98
    for quarter in (changed.values[:50, :50], changed.values[50:, 50:]):
        assert quarter.std() == pytest.approx(0.83, abs=0.1)  # one, but for the floor beneath the deviation
        assert abs(quarter.mean()) < 0.1


def test_levels_lie_where_they_should():
    """A blob keeps its place: pixel p of n lies at (p + 0.5) * S / n - 0.5; odd sizes too."""
    for size, smaller in ((400, 100), (255, 100), (97, 97)):
        centre = np.array([0.4, 0.7]) * size
        rows, columns = np.indices((size, size))
        blob = np.exp(-((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / (2 * (0.02 * size) ** 2))
        (small,) = normalised_levels(blob.astype(np.float32) + 1, None, (smaller,))
        weight = np.clip(small.values.numpy(), 0.5, None) - 0.5
        found = np.array(ndimage.center_of_mass(weight))
        assert (found + 0.5) * size / smaller - 0.5 == pytest.approx(centre, abs=0.01 * size)


def test_what_lies_outside_does_not_matter():
    texture = smooth_noise(1, 200).astype(np.float32)
    inside = np.zeros((200, 200), dtype=bool)
    inside[20:150, 35:180] = True
    first, second = (
        normalised_levels(np.where(inside, texture, value).astype(np.float32), inside, (100,))[0] for value in (-9, 7)
    )
    assert torch.allclose(first.values, second.values, atol=1e-5)
    assert torch.equal(first.weight, torch.from_numpy(inside[::2, ::2]).float())


def test_scores_are_those_of_brute_force():
    size = 24
    moving, fixed = smooth_noise(2, size), smooth_noise(3, size)
    moving_weight, fixed_weight = np.ones((size, size)), np.ones((size, size))
    moving_weight[:5], fixed_weight[:, 18:] = 0, 0
    matrix = similarity(np.deg2rad(6), 1.06)
    scorer = Scorer(level(moving, moving_weight), level(fixed, fixed_weight))
    scores, allowed = scorer(matrix[None])
    moved, moved_weight = (pulled(array, matrix, size) for array in (moving * moving_weight, moving_weight))
    area = min(moving_weight.sum(), fixed_weight.sum())
    contrast = np.sqrt(np.square(moving)[moving_weight > 0].mean() * np.square(fixed)[fixed_weight > 0].mean())
    border = 2 * size
    moved, moved_weight = (np.pad(array, border) for array in (moved, moved_weight))
    for shift in ((0, 0), (3, -5), (-7, 2), (12, 12), (-12, 0)):
        window = tuple(slice(border + step, border + step + size) for step in shift)
        share = (moved_weight[window] * fixed_weight).sum() / area
        index = (0, shift[0] + scorer.reach, shift[1] + scorer.reach)
        assert bool(allowed[index]) == (share >= LEAST_OVERLAP)
        expected = (moved[window] * fixed * fixed_weight).sum() / (area * contrast * np.sqrt(share))
        # SciPy fades to zero at the border in another way than torch does: half a pixel of it.
        assert float(scores[index]) == pytest.approx(expected * (share >= LEAST_OVERLAP), abs=0.03)


def test_the_search_finds_rotation_scale_and_shift_on_its_grid():
    size = 64
    moving = smooth_noise(4, size, 1.0)
    truth = similarity(np.deg2rad(-4.5), np.exp(0.06), (9 * 2 / size, -6 * 2 / size))
    peaks = find_peaks(level(moving), level(pulled(moving, truth, size)), "affine")
    assert peaks.matrices[0][:, :2] == pytest.approx(truth[:, :2], abs=1e-9)
    assert peaks.matrices[0][:, 2] == pytest.approx(truth[:, 2], abs=1.5 / size)
    assert peaks.scores[0] > 8 * peaks.chance


def test_measure_is_the_correlation_over_the_overlap():
    size = 40
    moving, fixed = smooth_noise(5, size), smooth_noise(6, size)
    weight = np.ones((size, size))
    weight[30:] = 0
    shift = similarity(0.0, 1.0, (-8 * 2 / size, 0.0))
    measured = Polisher(level(moving, weight), level(fixed)).measure(np.stack((IDENTITY, shift)))
    expected = (
        normalised_cross_correlation(moving[:30], fixed[:30]),
        normalised_cross_correlation(moving[:30], fixed[8:38]),
    )
    assert measured.correlations == pytest.approx(expected, abs=1e-5)
    assert measured.overlaps == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["translation", "rigid", "affine"])
def test_polishing_reaches_the_truth_within_a_kind(kind):
    size = 100
    truth = {
        "translation": similarity(0.0, 1.0, (0.021, -0.013)),
        "rigid": similarity(0.02, 1.0, (0.021, -0.013)),
        "affine": similarity(0.02, 1.03, (0.021, -0.013)) + np.array([[0, 0.01, 0], [0, 0, 0]]),
    }[kind]
    moving = smooth_noise(7, size, 2.5)
    defined = pulled(np.ones_like(moving), truth, size) > 0.999
    polisher = Polisher(level(moving), level(pulled(moving, truth, size), defined.astype(float)))
    start = polisher.measure(IDENTITY[None])
    result = polisher.polish(IDENTITY[None], kind, 25)
    assert result.matrices[0] == pytest.approx(truth, abs=0.02 * 2 / size)
    assert result.correlations[0] > 0.99 > start.correlations[0]


def test_polishing_never_lowers_the_correlation():
    starts = np.stack([similarity(angle, 1.0, (0.1, angle)) for angle in (-0.2, 0.0, 0.1)])
    polisher = Polisher(level(smooth_noise(8)), level(smooth_noise(9)))
    before, after = polisher.measure(starts), polisher.polish(starts, "affine", 10)
    assert (after.correlations >= before.correlations).all()


@pytest.mark.parametrize(
    ("matrix", "correlation", "overlap", "word"),
    [
        (similarity(0.1, 1.0), 0.5, 0.9, ""),
        (similarity(0.1, 1.0), 0.5, 0.2, "overlap by 20 percent"),
        (similarity(0.0, 1.3), 0.5, 0.9, "stretches of 1.30 and 1.30"),
        (similarity(0.3, 1.0), 0.5, 0.9, "rotation by 17.2 degrees"),
        (similarity(0.1, 1.0, (0.5, 0.0)), 0.5, 0.9, "left the place"),
        (similarity(0.1, 1.0), 0.1, 0.9, "better as they are"),
        (np.diag([1.0, -1.0, 1.0])[:2], 0.5, 0.9, "stretches of -1.00"),
    ],
)
def test_faults_of_a_transform(matrix, correlation, overlap, word):
    result = Polished(matrix[None], np.array([correlation]), np.array([overlap]))
    fault = _fault(result, similarity(0.1, 1.0), 0.3)
    assert word in fault
    assert bool(fault) == bool(word)
