"""Signal quality: what it is made of, that it falls with every fault, and that exposure and pixel size change it little."""

import os
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from drawn_eyes import drawn_eye
from scipy import ndimage

from MetaRegistrationLib import calibration
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image, read_image
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.resources import sample_visits
from MetaRegistrationLib.visits.quality import quality, quality_parts
from MetaRegistrationLib.visits.scan_faults import blockiness, line_faults
from MetaRegistrationLib.visits.sharpness import sharpness

sys.path.insert(0, str(Path(__file__).parents[1] / "Benchmarks"))
from spoiled_scans import SPOILERS, harmless, zoomed

LEAST = calibration.LEAST_SIGNAL_QUALITY.value
SIDE = 128
EVERYWHERE = np.ones((SIDE, SIDE), bool)
NOISE = np.random.default_rng(1).normal(0, 10, (SIDE, SIDE)).astype(np.float32)


def drawn(seed):
    """A scan of 6 x 6 mm, as bright as devices export them, with speckle."""
    rng = np.random.default_rng(seed)
    eye = 250 * drawn_eye(seed, 320)
    speckle = ndimage.gaussian_filter(rng.gamma(9, 1 / 9, eye.shape), 0.6)
    return np.clip(np.round(eye * speckle + rng.normal(0, 8, eye.shape)), 0, 255).astype(np.float32)


@cache
def scans():
    """Drawn when the first test asks: not every process that reads this file runs a test of it."""
    return [drawn(seed) for seed in (4, 9)]


@cache
def qualities():
    """Those of `scans`."""
    return [scored(scan) for scan in scans()]


def scored(array, mm=None, mask=None):
    known = {} if mm is None else {"spacing": (mm, mm), "spacing_known": True}
    return quality(Image(array.astype(np.float32), Geometry(array.shape, **known), mask=mask))


# closed form


def test_white_noise_differs_as_much_at_every_distance():
    found = sharpness(NOISE, EVERYWHERE, 1)
    assert found.finest == pytest.approx(1, abs=0.03) and found.detail == pytest.approx(1, abs=0.05)
    assert found.noise == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("unit", [1, 1.25, 2, 3.2])
def test_a_ramp_differs_four_times_as_much_at_twice_the_distance(unit):
    ramp = np.add(*np.indices((SIDE, SIDE))).astype(np.float32)
    found = sharpness(ramp, EVERYWHERE, unit)
    assert found.finest == pytest.approx(0.25, rel=0.02) and found.detail == pytest.approx(0.25, rel=0.02)
    assert found.noise == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("period", [8, 16])
def test_a_wave_differs_as_its_variogram_says(period):
    wave = np.sin(2 * np.pi / period * np.indices((SIDE, SIDE))[1]).astype(np.float32)
    expected = {distance: 1 - np.cos(2 * np.pi * distance / period) for distance in (1, 2, 3, 6)}
    found = sharpness(wave, EVERYWHERE, 1)
    assert found.finest == pytest.approx(expected[1] / expected[2], rel=0.05)
    assert found.detail == pytest.approx(expected[3] / expected[6], rel=0.05)


def test_pixels_outside_the_tissue_do_not_count():
    known = ndimage.binary_erosion(EVERYWHERE, iterations=20)
    spoilt = np.where(known, NOISE, 1e4).astype(np.float32)
    found, inner = sharpness(spoilt, known, 1), sharpness(NOISE[20:-20, 20:-20], EVERYWHERE[20:-20, 20:-20], 1)
    assert (found.finest, found.detail, found.noise) == pytest.approx(
        (inner.finest, inner.detail, inner.noise), rel=1e-4
    )
    assert line_faults(spoilt, known, 1)[0] < 0.01 and blockiness(np.where(known, NOISE, 0), known) < 1.03


@pytest.mark.parametrize("phase", [0, 3])
def test_blocks_of_eight_pixels_are_seen_at_any_phase_and_others_are_not(phase):
    values = np.random.default_rng(2).normal(0, 10, (SIDE // 8 + 1, SIDE // 8 + 1))
    blocks = np.kron(values, np.ones((8, 8)))[phase : phase + SIDE, phase : phase + SIDE].astype(np.float32)
    assert blockiness(NOISE, EVERYWHERE) < 1.03
    assert blockiness(blocks, EVERYWHERE) == 4 and blockiness(NOISE + blocks, EVERYWHERE) > 1.1
    doubled = np.kron(NOISE[: SIDE // 2, : SIDE // 2], np.ones((2, 2), np.float32))
    assert blockiness(doubled, EVERYWHERE) < 1.1  # pixels of a coarser image have a period too, but not of eight


def test_lines_that_jump_and_lines_that_are_repeated_are_told_apart():
    even = ndimage.gaussian_filter(NOISE, 1.5)
    quiet = line_faults(even, EVERYWHERE, 1)
    jump, repeat = even.copy(), even.copy()
    jump[60] += 4 * even.std()
    repeat[60:64] = repeat[60]
    assert quiet[0] < 0.02 and line_faults(jump, EVERYWHERE, 1)[0] > quiet[0] + 0.01
    assert line_faults(jump, EVERYWHERE, 1)[1] == pytest.approx(quiet[1], abs=0.005)
    assert line_faults(repeat, EVERYWHERE, 1)[1] > quiet[1] + 0.025
    assert np.allclose(line_faults(jump.T, EVERYWHERE, 1), line_faults(jump, EVERYWHERE, 1))


# drawn scans


@pytest.mark.parametrize("name", SPOILERS)
def test_quality_falls_with_every_fault(name):
    for number, (scan, value) in enumerate(zip(scans(), qualities(), strict=True)):
        spoilt = SPOILERS[name](scan, np.random.default_rng(number))
        assert scored(spoilt) < value, number


def test_exposure_and_pixels_change_quality_little():
    for scan, value in zip(scans(), qualities(), strict=True):
        for name, same in harmless(scan):
            found = scored(same)
            assert found == pytest.approx(value, rel=0.25), name
            assert found > LEAST, name


def test_quality_is_of_the_structures_and_not_of_the_pixels():
    scan = scans()[0]
    assert scored(scan) == scored(scan, 6 / 320)
    blurred = ndimage.gaussian_filter(scan, 2.0)
    fine = zoomed(scan, 2)
    assert scored(fine, 3 / 320) > 2 * scored(zoomed(blurred, 2), 3 / 320)
    # Fine pixels that are taken for coarse ones look blurred.
    assert scored(fine, 6 / 320) < 0.7 * scored(fine, 3 / 320)


@pytest.mark.parametrize("factor", [1 / 255, 10, 257])
def test_the_range_is_that_of_the_values(factor):
    scan = scans()[0]
    assert scan.max() == 255
    assert scored(factor * scan) == pytest.approx(scored(scan), rel=1e-3)


def test_a_border_costs_its_share_of_the_area_only():
    scan = scans()[0]
    mask = np.ones(scan.shape, bool)
    mask[:32] = False
    parts = quality_parts(Image(scan, Geometry(scan.shape), mask=mask))
    assert parts["tissue"] == pytest.approx(0.9, abs=1e-6)
    inner = quality_parts(Image(scan[32:], Geometry(scan[32:].shape, (6 / 320,) * 2, spacing_known=True)))
    for name in ("sharp", "detail", "noise", "level", "blocks"):
        assert parts[name] == pytest.approx(inner[name], rel=0.03), name


def test_the_sample_visits_are_above_the_limit():
    assert all(scored(read_image(sample_visits() / f"visit_{number}.png").array) > LEAST for number in (1, 2, 3))


@pytest.mark.filterwarnings("error")
def test_images_without_anything_to_see_have_no_quality():
    assert scored(np.zeros((64, 64))) == scored(np.full((64, 64), 7.0)) == 0
    assert scored(scans()[0], mask=np.zeros(scans()[0].shape, bool)) == 0
    assert 0 <= scored(NOISE) < LEAST and 0 <= scored(NOISE[:20, :17]) < LEAST
    assert 0 <= scored((scans()[0] > 90) * 1.0) < LEAST


# real scans

REAL = Path(os.environ.get("META_REGISTRATION_DATA", "nowhere")) / "octa_scp_repeat_visits"


@pytest.fixture(scope="module")
def real():
    """Real scans and their qualities."""
    pairs = [pair.load() for pair in find_pairs(REAL).pairs if pair.split == "test"]
    scans = [image.array for pair in pairs for image in (pair.fixed, pair.moving)]
    return scans, [scored(scan) for scan in scans]


@pytest.mark.skipif(not REAL.is_dir(), reason="META_REGISTRATION_DATA has no octa_scp_repeat_visits")
@pytest.mark.parametrize("scans", [pytest.param(2, id="two"), pytest.param(None, id="all", marks=pytest.mark.long)])
@pytest.mark.parametrize("name", [name for name in SPOILERS if "shadow" not in name])
def test_quality_of_every_real_scan_falls(real, name, scans):
    arrays, qualities = (each[:scans] for each in real)
    found = [scored(SPOILERS[name](scan, np.random.default_rng(number))) for number, scan in enumerate(arrays)]
    assert all(value < before for value, before in zip(found, qualities, strict=True))
    if name in ("blur 1.5 px", "blur 2.5 px", "noise 60"):
        assert max(found) < LEAST


@pytest.mark.skipif(not REAL.is_dir(), reason="META_REGISTRATION_DATA has no octa_scp_repeat_visits")
def test_no_real_scan_is_below_the_limit(real):
    assert min(real[1]) > LEAST
