"""Simulated repeat visits: deformation, acquisition, landmarks, files."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import map_coordinates

from MetaRegistrationLib.core.spatial import jacobian_determinant
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.simulation import (
    RepeatSettings,
    acquire,
    draw_phantom,
    inverse_field,
    invert_at,
    random_displacement,
    simulate_repeat,
    write_repeats,
)
from MetaRegistrationLib.simulation.deformation import sample_at

NOISE_OFF = {
    "denoise_px": 0,
    "speckle": 0,
    "noise": 0,
    "dropout_patches": 0,
    "gain_amplitude": 0,
    "row_jitter": 0,
    "stripes": 0,
    "shadow_probability": 0,
}
CLEAN = RepeatSettings(saccade_probability=0, **NOISE_OFF)


@pytest.fixture(scope="module")
def phantom():
    return draw_phantom(np.random.default_rng(3), size=320)


def rng(*seed):
    return np.random.default_rng(list(seed) or [1])


def warp(image, displacement):
    """Independent of the library's own warp: linear interpolation by SciPy; NaN where the image is undefined."""
    return map_coordinates(image, np.indices(image.shape) + displacement, order=1, cval=np.nan)


def ncc(first, second):
    known = np.isfinite(first) & np.isfinite(second)
    return np.corrcoef(first[known], second[known])[0, 1]


def blobs_and_crosses():
    """An eye of bright blobs and a mask whose vessels cross at the blobs' centres (N, 2)."""
    centres = np.array([(r, c) for r in range(50, 300, 55) for c in range(50, 300, 55)])
    grid = np.indices((320, 320))
    eye = sum(np.exp(-((grid - c[:, None, None]) ** 2).sum(0) / (2 * 5.0**2)) for c in centres)
    eye[:5, :160] = 1.2  # the brightest half per cent of the pixels is clipped: not the blobs' tips
    mask = np.zeros((320, 320), dtype=bool)
    for row, column in centres:
        mask[row, column - 20 : column + 21] = mask[row - 20 : row + 21, column] = True
    return eye, mask, centres


def peak_near(image, point):
    """Sub-pixel maximum near a point: the top of a quadric fitted to the logarithm, which is exact for a Gaussian."""
    centre = np.rint(point).astype(int)
    offset = np.indices((9, 9)).reshape(2, -1) - 4
    y, x = offset
    values = np.log(image[tuple(centre[:, None] + offset)].astype(float))
    _, gy, gx, yy, xy, xx = np.linalg.lstsq(np.stack([y**0, y, x, y * y, x * y, x * x], 1), values, rcond=None)[0]
    return centre - np.linalg.solve([[2 * yy, xy], [xy, 2 * xx]], [gy, gx])


# Deformation


def test_mean_displacement_is_that_asked_for():
    settings = RepeatSettings(displacement_px=7.5, displacement_spread_px=0)
    for seed in range(5):
        field = random_displacement(200, settings, rng(seed))
        assert field.shape == (2, 200, 200) and field.dtype == np.float32
        assert np.linalg.norm(field, axis=0).mean() == pytest.approx(7.5, abs=1e-3)


def test_mean_displacement_varies_over_pairs_as_asked_for():
    lengths = [np.linalg.norm(random_displacement(64, RepeatSettings(), rng(5, k)), axis=0).mean() for k in range(300)]
    assert np.mean(lengths) == pytest.approx(10, abs=0.8)
    assert np.std(lengths) == pytest.approx(4, abs=0.6)


def test_no_displacement_when_none_is_asked_for():
    assert not random_displacement(64, RepeatSettings(displacement_px=0), rng()).any()


def test_strong_deformation_does_not_fold():
    settings = RepeatSettings(displacement_px=25, displacement_spread_px=0, fine_amplitude_px=8, saccade_probability=0)
    for seed in range(5):
        field = torch.from_numpy(random_displacement(200, settings, rng(seed)))
        assert jacobian_determinant(field[None]).min() > 0


def test_elastic_field_that_must_fold_is_refused():
    settings = RepeatSettings(
        displacement_px=60, displacement_spread_px=0, rotation_deg=0, translation_px=0, coarse_spacing_px=20
    )
    with pytest.raises(InputError, match="without folding"):
        random_displacement(200, settings, rng())


def test_saccades_shift_whole_rows_sideways():
    settings = RepeatSettings(
        rotation_deg=0, translation_px=0, coarse_amplitude_px=0, fine_amplitude_px=0, saccade_probability=1
    )
    field = random_displacement(200, settings, rng(2))
    assert not field[0].any()
    assert np.ptp(field[1], axis=1).max() == 0
    assert 0 < (field[1, :, 0] != 0).sum() < 200


def test_rotation_turns_about_the_centre():
    settings = RepeatSettings(
        translation_px=0, coarse_amplitude_px=0, fine_amplitude_px=0, saccade_probability=0, displacement_px=2
    )
    field = random_displacement(101, settings, rng())
    assert np.abs(field[:, 50, 50]).max() < 1e-6
    # The displacement of a small rotation is perpendicular to the line from the centre.
    assert abs(field[1, 50, 100]) < 0.05 * abs(field[0, 50, 100])


def test_inverse_at_points_is_exact():
    field = random_displacement(200, RepeatSettings(saccade_probability=0), rng(4))
    points = rng(6).uniform(20, 180, size=(200, 2))
    solutions, converged = invert_at(field, points)
    assert converged.all()
    # Checked by hand-written linear interpolation.
    low = np.floor(solutions).astype(int)
    (fr, fc), (r, c) = (solutions - low).T, low.T
    at = (
        field[:, r, c] * (1 - fr) * (1 - fc)
        + field[:, r + 1, c] * fr * (1 - fc)
        + field[:, r, c + 1] * (1 - fr) * fc
        + field[:, r + 1, c + 1] * fr * fc
    ).T
    assert np.abs(solutions + at - points).max() < 1e-3


def test_inverse_says_where_there_is_none():
    field = np.zeros((2, 60, 60), dtype=np.float32)
    field[0, 30:] = -6  # content between rows 24 and 30 is shown twice, and linear interpolation folds there
    field[1, :, 30:] = 40
    solutions, converged = invert_at(field, np.array([[10.0, 10.0], [26.0, 45.0]]))
    assert converged[0] and np.allclose(solutions[0], (10, 10))
    assert not converged[1] and np.isfinite(solutions[1]).all()


def test_inverse_of_no_points():
    solutions, converged = invert_at(np.zeros((2, 8, 8), dtype=np.float32), np.zeros((0, 2)))
    assert solutions.shape == (0, 2) and converged.shape == (0,)


def test_inverse_field_agrees_with_inverse_at_points():
    field = random_displacement(64, RepeatSettings(saccade_probability=0, displacement_px=3), rng(8))
    inverse = inverse_field(field)
    solution, _ = invert_at(field, np.array([[20, 30]]))
    assert np.allclose(inverse[:, 20, 30], solution[0] - (20, 30), atol=1e-3)


# Acquisition


def test_acquisition_without_noise_is_the_eye(phantom):
    assert np.allclose(acquire(phantom.image, CLEAN, rng()), phantom.image, atol=1e-6)


def test_two_acquisitions_differ_and_stay_in_range(phantom):
    first, second = (acquire(phantom.image, RepeatSettings(), rng(seed)) for seed in (1, 2))
    assert first.dtype == np.float32 and first.min() >= 0 and first.max() <= 1
    assert np.abs(first - second).mean() > 0.05


def test_speckle_keeps_the_mean_and_has_the_strength_asked_for():
    grey = np.full((200, 200), 0.5, dtype=np.float32)
    image = acquire(grey, replace(CLEAN, speckle=0.3, noise_spread=0), rng())
    assert image.mean() == pytest.approx(0.5, abs=0.005)
    # At mid-grey the speckle of saturating flow is half of the setting: 0.5 * 0.5 * 0.3.
    assert image.std() == pytest.approx(0.075, rel=0.05)


# Repeats


def test_same_seed_same_bits_whatever_else_is_asked_for(phantom):
    first = simulate_repeat(phantom.image, settings=RepeatSettings(), rng=rng(7), mask=phantom.vessel_mask, size=200)
    again = simulate_repeat(
        phantom.image, settings=RepeatSettings(), rng=rng(7), landmarks=False, with_field=True, size=200
    )
    other = simulate_repeat(phantom.image, settings=RepeatSettings(), rng=rng(8), landmarks=False, size=200)
    assert np.array_equal(first.moving, again.moving) and np.array_equal(first.fixed, again.fixed)
    assert not np.array_equal(first.moving, other.moving)
    assert first.displacement_px is None and again.displacement_px.shape == (2, 200, 200)
    assert len(first.fixed_points) > 5 and len(again.fixed_points) == 0


def test_displacement_aligns_moving_to_fixed(phantom):
    repeat = simulate_repeat(phantom.image, settings=CLEAN, rng=rng(3), landmarks=False, with_field=True)
    aligned = warp(repeat.moving, repeat.displacement_px)
    assert ncc(repeat.moving, repeat.fixed) < 0.5
    assert ncc(aligned, repeat.fixed) > 0.98


@pytest.mark.parametrize("saccade_probability", [0.0, 1.0])
def test_landmarks_lie_on_the_same_structure_in_both_images(saccade_probability):
    eye, mask, centres = blobs_and_crosses()
    settings = replace(CLEAN, saccade_probability=saccade_probability)
    repeat = simulate_repeat(eye, settings=settings, rng=rng(5), mask=mask, with_field=True)
    assert len(repeat.fixed_points) >= 12
    expected = (centres + 0.5 - 0.04 * 320) * 400 / (320 * 0.92) - 0.5
    for moving, fixed in zip(repeat.moving_points, repeat.fixed_points, strict=True):
        assert np.linalg.norm(expected - fixed, axis=1).min() < 1e-3
        assert np.linalg.norm(peak_near(repeat.fixed, fixed) - fixed) < 0.1
        if saccade_probability == 0:
            assert np.linalg.norm(peak_near(repeat.moving, moving) - moving) < 0.1
    # The field carries the fixed points onto the moving ones.
    carried = repeat.fixed_points + sample_at(repeat.displacement_px, repeat.fixed_points)
    assert np.median(np.linalg.norm(carried - repeat.moving_points, axis=1)) < 0.02


def test_landmarks_may_be_points_that_are_given():
    eye, _, _ = blobs_and_crosses()
    given = np.array([(100.0, 90.0), (160.25, 200.5), (2.0, 160.0)])  # the last one lies in the margin
    repeat = simulate_repeat(eye, settings=CLEAN, rng=rng(5), points=given, with_field=True)
    expected = (given[:2] + 0.5 - 0.04 * 320) * 400 / (320 * 0.92) - 0.5
    np.testing.assert_allclose(repeat.fixed_points, expected, atol=1e-3)
    carried = repeat.fixed_points + sample_at(repeat.displacement_px, repeat.fixed_points)
    np.testing.assert_allclose(carried, repeat.moving_points, atol=0.05)
    none = simulate_repeat(eye, settings=CLEAN, rng=rng(5), points=np.zeros((0, 2)))
    assert len(none.fixed_points) == 0 and np.array_equal(none.moving, repeat.moving)


def test_landmarks_are_few_spread_out_and_well_inside(phantom):
    repeat = simulate_repeat(phantom.image, settings=RepeatSettings(), rng=rng(9), mask=phantom.vessel_mask)
    assert 10 <= len(repeat.fixed_points) <= 30
    for points in (repeat.fixed_points, repeat.moving_points):
        assert points.min() >= 8 and points.max() <= 391
    gaps = np.linalg.norm(repeat.fixed_points[:, None] - repeat.fixed_points[None], axis=2)
    assert gaps[np.triu_indices(len(gaps), 1)].min() >= 12


def test_landmarks_are_found_without_a_mask(phantom):
    repeat = simulate_repeat(255 * phantom.image, settings=RepeatSettings(), rng=rng(9))
    assert len(repeat.fixed_points) >= 8


def test_similarity_after_perfect_alignment_is_that_of_real_repeats(phantom):
    settings = RepeatSettings(denoise_px=0)
    after = []
    for seed in range(3):
        repeat = simulate_repeat(phantom.image, settings=settings, rng=rng(seed), landmarks=False, with_field=True)
        after.append(ncc(warp(repeat.moving, repeat.displacement_px), repeat.fixed))
    assert 0.45 < np.mean(after) < 0.8


@pytest.mark.parametrize("every", [120, pytest.param(60, marks=pytest.mark.long)])
def test_similarity_of_simulated_visits_of_real_eyes(data_root, every):
    files = sorted((data_root / "octa_scp_single_visits" / "images").glob("*.png"))[::every]
    assert files
    after = []
    for seed, file in enumerate(files):
        eye = np.asarray(Image.open(file).convert("L"))
        repeat = simulate_repeat(eye, settings=RepeatSettings(), rng=rng(seed), landmarks=False, with_field=True)
        after.append(ncc(warp(repeat.moving, repeat.displacement_px), repeat.fixed))
    assert 0.45 < np.mean(after) < 0.8


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_constant_eye_survives(value):
    repeat = simulate_repeat(np.full((40, 60), value), settings=RepeatSettings(), rng=rng(), with_field=True, size=64)
    for image in (repeat.moving, repeat.fixed):
        assert image.shape == (64, 64) and np.isfinite(image).all()
    assert repeat.fixed_points.shape == repeat.moving_points.shape == (0, 2)


def test_oblong_eye_fills_the_frame():
    eye = np.tile(np.linspace(0, 1, 90), (50, 1))
    settings = replace(CLEAN, displacement_px=0, margin=0)
    image = simulate_repeat(eye, settings=settings, rng=rng(), landmarks=False, size=100).fixed
    assert np.ptp(image[10:90], axis=0).max() < 1e-5
    assert np.all(np.diff(image[50, 2:-2]) > 0)


@pytest.mark.parametrize(
    "eye", [np.zeros((3, 40, 40)), np.zeros((5, 40)), np.full((40, 40), np.nan)], ids=["3d", "small", "nan"]
)
def test_unusable_eye_is_refused(eye):
    with pytest.raises(InputError, match="eye"):
        simulate_repeat(eye, settings=RepeatSettings(), rng=rng())


def test_mask_of_another_size_is_refused():
    with pytest.raises(InputError, match=r"\(20, 20\)"):
        simulate_repeat(np.eye(40), settings=RepeatSettings(), rng=rng(), mask=np.zeros((20, 20), dtype=bool))


# Settings


def test_settings_go_through_a_dict():
    settings = RepeatSettings(displacement_px=3, speckle=0.1)
    assert RepeatSettings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings


def test_unknown_setting_is_refused_by_name():
    with pytest.raises(InputError, match="speckles") as caught:
        RepeatSettings.from_dict({"speckles": 1})
    assert "displacement_px" in str(caught.value)


@pytest.mark.parametrize("name, value", [("noise", -1), ("margin", 0.5), ("speckle", "much"), ("noise", float("nan"))])
def test_setting_out_of_range_is_refused(name, value):
    with pytest.raises(InputError, match=name):
        RepeatSettings.from_dict({name: value})


# Files


def test_written_pairs_read_back(tmp_path, phantom):
    repeat = simulate_repeat(phantom.image, settings=RepeatSettings(), rng=rng(), mask=phantom.vessel_mask, size=200)
    bare = replace(repeat, moving_points=np.zeros((0, 2)), fixed_points=np.zeros((0, 2)))
    folder = tmp_path / "des yeux simulés"
    write_repeats(folder, iter([("œil 1", repeat, "test"), ("2", bare, None)]), RepeatSettings(), {"seed": 5})
    with (folder / "pairs.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["name"], row["split"]) for row in rows] == [("œil 1", "test"), ("2", "")]
    assert rows[1]["landmarks"] == ""
    pixels = np.asarray(Image.open(folder / rows[0]["moving"]))
    assert pixels.dtype == np.uint8
    assert np.abs(pixels / 255 - repeat.moving).max() < 0.5 / 255 + 1e-6
    with (folder / rows[0]["landmarks"]).open(encoding="utf-8", newline="") as stream:
        points = list(csv.DictReader(stream))
    assert len(points) == len(repeat.fixed_points)
    assert float(points[0]["moving_x"]) == pytest.approx(repeat.moving_points[0, 1], abs=1e-3)
    assert float(points[0]["fixed_y"]) == pytest.approx(repeat.fixed_points[0, 0], abs=1e-3)
    record = json.loads((folder / "simulation.json").read_text(encoding="utf-8"))
    assert record["seed"] == 5 and record["settings"] == RepeatSettings().to_dict() and record["pairs"] == 2


@pytest.mark.parametrize("names", [("a", "A"), ("x/y",), ("",)])
def test_names_that_clash_or_are_no_file_names_are_refused(tmp_path, phantom, names):
    repeat = simulate_repeat(phantom.image, settings=RepeatSettings(), rng=rng(), landmarks=False, size=64)
    with pytest.raises(InputError, match="named"):
        write_repeats(tmp_path, [(name, repeat, None) for name in names], RepeatSettings(), {})
