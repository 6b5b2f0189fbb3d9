"""Vessel masks and branch points."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from MetaRegistrationLib.octa.vessels import branch_points, vessel_mask
from MetaRegistrationLib.simulation.drawing import draw_discs, sampled_lines


def lines_image(lines, width, shape=(120, 120)):
    """Anti-aliased straight lines ((row, column), (row, column)) of a width in pixels."""
    starts, ends = (np.array(part, dtype=float) for part in zip(*lines, strict=True))
    points, _, _ = sampled_lines(starts, ends)
    image = np.zeros(shape, dtype=np.float32)
    draw_discs(image, points, np.full(len(points), width / 2), np.ones(len(points)))
    return image


CROSS = [((60, 20), (60, 100)), ((20, 60), (100, 60))]
OBLIQUE_CROSS = [((30, 20), (90, 100)), ((90, 20), (30, 100))]
Y = [((60, 60), (100, 60)), ((60, 60), (25, 30)), ((60, 60), (25, 90))]


@pytest.mark.parametrize("lines", [CROSS, OBLIQUE_CROSS, Y], ids=["cross", "oblique", "y"])
@pytest.mark.parametrize("width", [1.5, 3, 5])
def test_one_branch_point_where_lines_meet(lines, width):
    points = branch_points(lines_image(lines, width) >= 0.5)
    assert points.shape == (1, 2)
    # A wide Y's centre lies, like its skeleton's, a little into the fork.
    assert np.linalg.norm(points[0] - 60) <= (1 if width < 5 else 1.6)


def test_plain_line_corner_and_ring_have_no_branch_point():
    corner = lines_image([((60, 20), (60, 60)), ((60, 60), (20, 60))], 3) >= 0.5
    angle = np.linspace(0, 2 * np.pi, 73)
    circle = np.stack([60 + 30 * np.sin(angle), 60 + 30 * np.cos(angle)], axis=1)
    ring = lines_image(list(pairwise(circle)), 3) >= 0.5
    assert len(branch_points(corner)) == len(branch_points(ring)) == 0


@pytest.mark.parametrize("length, count", [(5, 0), (14, 1)])
def test_short_dead_ends_do_not_count(length, count):
    mask = lines_image([((60, 10), (60, 110)), ((60, 50), (60 - length, 50))], 1.5) >= 0.5
    assert len(branch_points(mask)) == count


def test_widest_vessels_come_first_and_points_keep_their_distance():
    thin = lines_image([((30, 10), (30, 110)), ((10, 40), (50, 40))], 1.5)
    wide = lines_image([((80, 10), (80, 110)), ((60, 70), (110, 70))], 6)
    points = branch_points(np.maximum(thin, wide) >= 0.5)
    assert np.allclose(points, [(80, 70), (30, 40)], atol=1)
    near = lines_image([((60, 10), (60, 110)), ((30, 50), (90, 50)), ((30, 62), (90, 62))], 1.5) >= 0.5
    assert len(branch_points(near)) == 2
    assert len(branch_points(near, min_distance_px=15)) == 1


def test_empty_and_full_masks():
    assert branch_points(np.zeros((30, 40), dtype=bool)).shape == (0, 2)
    assert branch_points(np.ones((30, 40), dtype=bool)).shape[1] == 2


def test_mask_finds_vessels_in_noise_under_shading():
    lines = [((20, 0), (170, 319)), ((150, 0), (100, 319)), ((0, 100), (300, 140))]
    vessels = lines_image(lines, 5, shape=(320, 320))
    rng = np.random.default_rng(2)
    shading = 0.4 + np.linspace(0, 1, 320)[None, :]
    image = shading * (0.25 + 0.75 * vessels) + 0.15 * gaussian_filter(rng.standard_normal((320, 320)), 0.6)
    found, truth = vessel_mask(image), vessels >= 0.5
    assert found.dtype == bool and found.shape == (320, 320)
    assert (found & truth).sum() > 0.8 * truth.sum()
    assert np.array_equal(found, vessel_mask(1000 * image - 40))


@pytest.mark.parametrize("image", [np.zeros((50, 70)), np.full((50, 70), 9)])
def test_constant_image_has_no_vessels(image):
    mask = vessel_mask(image)
    assert mask.shape == (50, 70) and not mask.any()


def test_mask_agrees_with_masks_of_real_images(data_root):
    folder = data_root / "octa_scp_single_visits"
    dice = []
    for file in sorted((folder / "images").glob("*.png"))[::60]:
        found = vessel_mask(np.asarray(Image.open(file).convert("L")))
        truth = np.asarray(Image.open(folder / "vessel_masks" / file.name)) > 0
        dice.append(2 * (found & truth).sum() / (found.sum() + truth.sum()))
    assert np.mean(dice) > 0.7


def test_unknown_pixels_hide_no_vessel_elsewhere():
    image = gaussian_filter(lines_image(CROSS, 5, (120, 120)), 1)
    whole = vessel_mask(image)
    holed = image.copy()
    holed[::7, ::7], holed[:5], holed[90:100, 50:70] = np.nan, np.nan, np.inf
    found = vessel_mask(holed)
    assert not found[:5].any() and not found[90:100, 50:70].any()
    assert np.count_nonzero(found & whole) > 0.85 * np.count_nonzero(whole)
    assert len(branch_points(found)) == len(branch_points(whole)) == 1
    assert not vessel_mask(np.full((40, 40), np.nan)).any()
