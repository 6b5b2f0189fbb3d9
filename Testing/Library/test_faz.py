"""The foveal avascular zone: closed-form measures of outlines, drawn zones of known size, and none where it is not clear."""

import math

import numpy as np
import pytest
from scipy import ndimage

from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.octa.faz import find_faz, measured_outline, search_faz
from MetaRegistrationLib.octa.outline_faults import crosses_itself, leaves
from MetaRegistrationLib.resources import sample_visits
from MetaRegistrationLib.visits.fovea import suggested_centre
from MetaRegistrationLib.visits.no_signal import signal

SPACING = (0.02, 0.02)


def drawn(radius_mm, centre=(150, 150), seed=0, stretch=1.0):
    """Vessel-like texture with a dark ellipse, float32 (300, 300)."""
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((300, 300))
    image = 90 + 45 * np.sin(rows / 2.1 + 0.3 * columns) * np.sin(columns / 2.3) + rng.normal(0, 12, (300, 300))
    away = np.hypot((rows - centre[0]) / stretch, columns - centre[1]) * SPACING[0]
    image = np.where(away < radius_mm, 15 + rng.normal(0, 6, (300, 300)), image)
    return np.clip(image, 0, 255).astype(np.float32)


ALL = np.ones((300, 300), bool)


def test_measures_of_a_circle_and_of_an_ellipse_are_closed_form():
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    circle = np.stack([50 + 20 * np.sin(angles), 60 + 20 * np.cos(angles)], axis=-1)
    zone = measured_outline(circle, (0.02, 0.02))
    assert zone.area_mm2 == pytest.approx(math.pi * 0.16, rel=1e-3)
    assert zone.perimeter_mm == pytest.approx(2 * math.pi * 0.4, rel=1e-3)
    assert zone.circularity == pytest.approx(1, abs=1e-3)
    ellipse = measured_outline(circle, (0.01, 0.04))
    assert ellipse.area_mm2 == pytest.approx(math.pi * 0.2 * 0.8, rel=1e-3) and ellipse.circularity < 0.7


@pytest.mark.parametrize("radius", [0.22, 0.3, 0.42])
def test_a_drawn_zone_has_its_area(radius):
    zone = find_faz(drawn(radius), ALL, (147, 152), SPACING)
    assert zone.area_mm2 == pytest.approx(math.pi * radius**2, rel=0.06)
    assert np.allclose(zone.outline.mean(axis=0), (150, 150), atol=2)


def disc(radius_mm, spacing=0.01875, blur=0.0, noise=0.0):
    """A dark disc with a border that is shared by pixels, float32 (320, 320)."""
    rows, columns = np.indices((320, 320))
    away = np.hypot(rows - 160, columns - 160) * spacing
    image = 200 * np.clip((away - radius_mm) / spacing + 0.5, 0, 1)
    if blur:
        image = ndimage.gaussian_filter(image, blur)
    return (image + noise * np.random.default_rng(1).normal(size=image.shape)).astype(np.float32)


def zone_of(image, spacing=0.01875):
    return find_faz(image, np.ones(image.shape, bool), (160, 160), (spacing, spacing))


@pytest.mark.parametrize("blur", [0, 1, 3])
@pytest.mark.parametrize("radius", [0.22, 0.3, 0.4, 0.6, 0.8])
def test_a_disc_has_its_area_sharp_or_blurred(radius, blur):
    assert zone_of(disc(radius, blur=blur)).area_mm2 == pytest.approx(math.pi * radius**2, rel=0.02)


@pytest.mark.parametrize("radius", [0.9, 1.0, 1.3])
def test_a_zone_larger_than_what_is_searched_is_not_measured(radius):
    assert zone_of(disc(radius)) is None
    assert zone_of(disc(radius, noise=6)) is None


@pytest.mark.parametrize("radius", [0.05, 0.1, 0.12])
def test_a_zone_too_small_for_its_area_is_not_measured(radius):
    assert zone_of(disc(radius)) is None
    assert zone_of(disc(0.16)).area_mm2 == pytest.approx(math.pi * 0.16**2, rel=0.1)


def test_an_image_without_a_border_has_no_zone():
    assert zone_of(np.zeros((320, 320), np.float32)) is None


@pytest.mark.parametrize("spacing", [18.75, 0.2])
def test_a_zone_of_few_pixels_is_not_measured(spacing):
    assert zone_of(disc(0.3), spacing) is None
    assert zone_of(disc(0.4, 0.2), spacing) is None


def test_an_enlarged_zone_is_larger_by_the_truth():
    before, after = (find_faz(drawn(radius), ALL, (150, 150), SPACING).area_mm2 for radius in (0.3, 0.3 * 1.5**0.5))
    assert after / before == pytest.approx(1.5, rel=0.1)


def test_brightness_and_contrast_do_not_move_the_outline():
    image = drawn(0.3)
    areas = [
        find_faz(part, ALL, (150, 150), SPACING).area_mm2 for part in (image, 0.5 * image, 255 * (image / 255) ** 1.3)
    ]
    assert max(areas) / min(areas) < 1.1


def test_a_zone_outside_of_the_tissue_or_of_the_image_is_not_measured():
    assert find_faz(drawn(0.3, centre=(2, 2)), ALL, (2, 2), SPACING) is None
    half = ALL.copy()
    half[:, 150:] = False
    assert find_faz(drawn(0.3), half, (150, 150), SPACING) is None


def sample_scan():
    image = read_image(sorted(sample_visits().glob("visit_1.png"))[0])
    return *signal(image), (0.01875, 0.01875)


def test_gaps_between_vessels_of_a_real_scan_are_no_zone():
    image, seen, spacing = sample_scan()
    fovea = suggested_centre(image, seen)
    assert find_faz(image, seen, fovea, spacing) is not None
    rows, columns = np.meshgrid(np.arange(60, 300, 75), np.arange(60, 300, 75))
    far = np.hypot(columns - fovea[0], rows - fovea[1]) * spacing[0] >= 1.2
    found = [find_faz(image, seen, place, spacing) for place in zip(columns[far], rows[far], strict=True)]
    assert len(found) >= 10 and np.mean([zone is not None for zone in found]) <= 0.25


@pytest.mark.parametrize("angle", [0, 90, 200])
def test_the_zone_is_found_from_a_place_beside_it(angle):
    image, seen, spacing = sample_scan()
    fovea = np.array(suggested_centre(image, seen))
    beside = fovea + 0.3 / spacing[0] * np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    expected, zone = (find_faz(image, seen, tuple(place), spacing) for place in (fovea, beside))
    assert np.allclose(zone.outline.mean(axis=0), expected.outline.mean(axis=0), atol=3)
    assert zone.area_mm2 == pytest.approx(expected.area_mm2, rel=0.15)


def bridged():
    """A dark disc with a dark lobe beyond a faint vessel, two zones about as good, float32 (200, 200)."""
    rng = np.random.default_rng(0)
    rows, columns = np.indices((200, 200))
    texture = 90 + 45 * np.sin(rows / 2.1 + 0.3 * columns) * np.sin(columns / 2.3)
    image = texture + rng.normal(0, 12, texture.shape)
    dark = (np.hypot(rows - 100, columns - 100) < 14) | (np.hypot(rows - 100, columns - 120) < 10)
    image = np.where(dark, 15 + rng.normal(0, 6, texture.shape), image)
    vessel = dark & (np.abs(columns - 113) < 2)
    return np.clip(np.where(vessel, 60 + rng.normal(0, 6, texture.shape), image), 0, 255).astype(np.float32)


@pytest.mark.parametrize("centres", [range(99, 104), range(104, 108)], ids=["another outline", "another start"])
def test_an_area_that_depends_on_a_pixel_of_the_centre_is_not_measured(centres):
    image, seen = bridged(), np.ones((200, 200), bool)
    found = [search_faz(image, seen, (x, 100), SPACING) for x in centres]
    areas = np.array([np.nan if each.zone is None else each.zone.area_mm2 for each in found])
    unlike = [each for each in found if each.widest is not None]
    assert unlike and all(each.zone is None for each in unlike)
    assert all(each.widest.area_mm2 > 1.3 * each.least.area_mm2 for each in unlike)
    steps = areas[1:] / areas[:-1]
    assert np.isnan(areas).any() and not (np.maximum(steps, 1 / steps) > 1.3).any()


def ring(radius=20.0, centre=(50, 60)):
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    return np.stack([centre[0] + radius * np.sin(angles), centre[1] + radius * np.cos(angles)], axis=-1)


def test_an_outline_that_crosses_itself_is_known():
    for count in (90, 91, 92):  # with 92, the two halves share a point
        angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
        eight = np.stack([50 + 20 * np.sin(2 * angles), 60 + 20 * np.cos(angles)], axis=-1)
        assert measured_outline(eight, SPACING).area_mm2 < 1e-3, "its two halves cancel out"
        assert crosses_itself(eight)
    swapped = ring()
    swapped[[10, 14]] = swapped[[14, 10]]
    assert crosses_itself(swapped), "a small loop"
    closed_twice = np.vstack([ring(), ring()[:1]])
    assert not crosses_itself(ring()) and not crosses_itself(closed_twice) and not crosses_itself(np.round(ring()))


def test_an_outline_that_leaves_the_image_is_known():
    assert not leaves(ring(), (100, 100)) and not leaves(ring(20, (19.5, 20)), (100, 100))
    assert leaves(ring(20, (19, 20)), (100, 100)) and leaves(ring(), (100, 79)) and leaves(ring(), (69, 100))
