"""The initial alignment as a whole: known transforms, kinds, sizes, masks, what it falls back to, real pairs."""

from __future__ import annotations

import json
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch
from drawn_eyes import drawn_eye
from scipy import ndimage

from MetaRegistrationLib.alignment import KINDS, Alignment, align, search
from MetaRegistrationLib.alignment.affine import IDENTITY
from MetaRegistrationLib.alignment.aligned import aligned_points
from MetaRegistrationLib.alignment.refine_transform import agreement_under, refine_transform
from MetaRegistrationLib.core.metrics import landmark_distances
from MetaRegistrationLib.core.preprocessing import Preprocessing, equalise
from MetaRegistrationLib.core.spatial import warp
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.tasks.image_pairs import prepare_pair


def transform(size, *, angle_deg=0.0, scale=1.0, shift=(0.0, 0.0), shear=0.0):
    """Pull matrix (2, 3) that turns and scales about the frame's centre and then shifts (pixels)."""
    angle = np.deg2rad(angle_deg)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.array([[1.0, shear], [0.0, 1.0]])
    centre = np.full(2, (size - 1) / 2)
    return np.column_stack((linear, centre + shift - linear @ centre))


def pulled(image, matrix):
    """SciPy's own resampling by a pull matrix, and where it is defined."""
    values, defined = (
        ndimage.affine_transform(array, matrix[:, :2], matrix[:, 2], order=order)
        for array, order in ((image, 3), (np.ones_like(image), 1))
    )
    return np.where(defined > 0.999, values, 0).astype(np.float32), defined > 0.999


def error_px(found, truth, inside):
    """Mean distance of two pull matrices over the pixels inside."""
    points = np.argwhere(inside)[::37]
    difference = points @ (found - truth)[:, :2].T + (found - truth)[:, 2]
    return np.sqrt(np.square(difference).sum(axis=1)).mean()


@cache
def phantom(seed=0, size=200):
    return drawn_eye(seed, size)


def noisy(image, seed, strength=0.15):
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal(image.shape), 0.7)
    return equalise((image + strength * noise / noise.std()).astype(np.float32))


EYE = phantom()
SIZE = len(EYE)
LONG = pytest.mark.long


@pytest.mark.parametrize(
    ("kind", "truth"),
    [
        ("translation", transform(SIZE, shift=(-22.65, 15.35))),
        ("rigid", transform(SIZE, angle_deg=-11.0, shift=(6.2, -22.6))),
        ("affine", transform(SIZE, angle_deg=6.3, scale=1.05, shift=(18.8, -10.05), shear=0.02)),
        ("affine", transform(SIZE, angle_deg=-2.2, scale=0.95, shift=(-50.15, 2.25))),
    ],
)
def test_finds_known_transforms_to_a_fraction_of_a_pixel(kind, truth):
    fixed, inside = pulled(EYE, truth)
    result = align(noisy(EYE, 1), np.where(inside, noisy(fixed, 2), 0), kind, inside_fixed=inside)
    assert error_px(result.matrix, truth, inside) < 0.15
    assert (result.requested, result.kind, result.reason) == (kind, kind, "")
    assert result.confidence > 0.99
    assert result.agreement > 0.3 > 0.1 > result.agreement_before


def test_black_corners_need_no_mask():
    truth = transform(SIZE, angle_deg=10, scale=1.02, shift=(10.25, 15.25))
    fixed, inside = pulled(EYE, truth)
    result = align(EYE, fixed)
    assert error_px(result.matrix, truth, inside) < 0.12


@pytest.mark.parametrize("size", [64, pytest.param(97, marks=LONG), 255])
def test_frames_of_any_size(size):
    eye = phantom(seed=3, size=size)
    truth = transform(size, angle_deg=3.0, scale=0.97, shift=(0.083 * size, -0.041 * size))
    fixed, inside = pulled(eye, truth)
    result = align(eye, fixed, inside_fixed=inside)
    assert result.kind == "affine"
    assert error_px(result.matrix, truth, inside) < max(0.15, size * 0.0007)


def test_images_that_fill_a_part_of_their_frame():
    """The moving image is defined in a band of the frame, and shifted by more than the band's margins."""
    truth = transform(SIZE, angle_deg=2.0, shift=(16.65, -10.85))
    fixed, inside_fixed = pulled(EYE, truth)
    inside_fixed[:, 165:] = False
    inside_moving = np.zeros((SIZE, SIZE), dtype=bool)
    inside_moving[30:175] = True
    moving = np.where(inside_moving, EYE, 0)
    result = align(moving, np.where(inside_fixed, fixed, 0), inside_moving=inside_moving, inside_fixed=inside_fixed)
    assert error_px(result.matrix, truth, inside_fixed) < 0.12


def test_displacement_is_the_matrix_and_warps_moving_to_fixed():
    truth = transform(SIZE, angle_deg=4.0, shift=(5.75, -3.6))
    fixed, inside = pulled(EYE, truth)
    result = align(EYE, fixed, "rigid", inside_fixed=inside)
    field = result.displacement(SIZE)
    assert field.shape == (2, SIZE, SIZE)
    assert field.dtype == np.float32
    position = np.array([61.0, 155.0])
    expected = result.matrix @ np.append(position, 1) - position
    assert field[:, 61, 155] == pytest.approx(expected, abs=1e-4)
    warped = warp(torch.from_numpy(EYE)[None, None], torch.from_numpy(field)[None])[0, 0].numpy()
    left, before = np.abs(warped - fixed)[inside].mean(), np.abs(EYE - fixed)[inside].mean()
    assert left < 0.2 * before


def test_same_input_gives_the_same_result():
    moving, fixed = noisy(EYE, 1), noisy(pulled(EYE, transform(SIZE, angle_deg=3))[0], 2)
    first, second = align(moving, fixed), align(moving, fixed)
    assert np.array_equal(first.matrix, second.matrix)
    assert first.confidence == second.confidence


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_agrees_with_the_processor():
    fixed, inside = pulled(EYE, transform(SIZE, angle_deg=3, scale=1.02, shift=(9.5, -4.0)))
    first, second = (align(EYE, fixed, inside_fixed=inside, device=device) for device in ("cpu", "cuda"))
    assert second.matrix == pytest.approx(first.matrix, abs=0.02)
    assert second.confidence == pytest.approx(first.confidence, abs=1e-3)


def test_identical_images_stay_where_they_are():
    result = align(EYE, EYE)
    assert result.matrix == pytest.approx(np.eye(2, 3), abs=1e-3)
    assert result.agreement == pytest.approx(1.0, abs=1e-4)


def test_none_measures_but_moves_nothing():
    result = align(EYE, pulled(EYE, transform(SIZE, shift=(1, 1)))[0], "none")
    assert (result.kind, result.confidence, result.reason) == ("none", 0.0, "")
    assert np.array_equal(result.matrix, np.eye(2, 3))
    assert result.agreement == result.agreement_before != 0


def assert_left_alone(result: Alignment):
    assert result.kind == "none"
    assert np.array_equal(result.matrix, np.eye(2, 3))
    assert result.agreement == result.agreement_before
    assert result.confidence < 0.5
    assert result.reason


@pytest.mark.parametrize("kind", [KINDS[1], *(pytest.param(kind, marks=LONG) for kind in KINDS[2:])])
def test_unrelated_images_are_left_alone(kind):
    assert_left_alone(align(noisy(EYE, 1), noisy(phantom(seed=8), 2), kind))


def test_images_of_nothing_are_left_alone():
    noise = np.random.default_rng(0).random((2, SIZE, SIZE)).astype(np.float32)
    blank, full = np.zeros_like(EYE), np.ones_like(EYE)
    for moving, fixed in ((blank, EYE), (EYE, full), (blank, blank)):
        assert_left_alone(align(moving, fixed))
    for images in (noise, (blank + 1e-7 * noise[0], EYE)):
        assert_left_alone(align(*images, "translation"))


@pytest.mark.long
def test_noise_is_left_alone_by_every_kind():
    noise = np.random.default_rng(0).random((2, SIZE, SIZE)).astype(np.float32)
    for kind in KINDS[2:]:
        assert_left_alone(align(1e-7 * noise[0], EYE, kind))
        assert_left_alone(align(*noise, kind))


def test_an_empty_mask_and_masks_apart_are_left_alone():
    top = np.zeros((SIZE, SIZE), dtype=bool)
    assert_left_alone(align(EYE, EYE, inside_moving=top))
    top[:30] = True
    result = align(EYE, EYE, "translation", inside_moving=top, inside_fixed=np.flipud(top))
    assert_left_alone(result)
    assert result.agreement_before == 0


def test_an_implausible_affine_becomes_a_similarity(monkeypatch):
    monkeypatch.setattr(search, "_MOST_ANISOTROPIC", 1.0)
    truth = transform(SIZE, angle_deg=2.0, scale=1.05, shift=(6.0, 3.0), shear=0.04)
    fixed, inside = pulled(EYE, truth)
    result = align(EYE, fixed, inside_fixed=inside)
    least, greatest = np.linalg.svd(result.matrix[:, :2], compute_uv=False)[::-1]
    assert greatest / least == pytest.approx(1.0)
    assert error_px(result.matrix, truth, inside) < 5


@pytest.mark.parametrize(
    ("angle_deg", "scale"),
    [
        (16.0, 1.0),
        (-137.0, 0.6),
        *(pytest.param(*each, marks=LONG) for each in ((90.0, 1.0), (-137.0, 1.15), (40.0, 0.6), (5.0, 1.7))),
    ],
)
def test_far_turns_and_sizes_are_found(angle_deg, scale):
    truth = transform(SIZE, angle_deg=angle_deg, scale=scale, shift=(6.0, -9.0))
    fixed, inside = pulled(EYE, truth)
    result = align(noisy(EYE, 1), np.where(inside, noisy(fixed, 2), 0), inside_fixed=inside)
    assert result.confidence >= 0.5
    assert error_px(result.matrix, truth, inside) < 2 * max(scale, 1.0)  # in pixels of the moving image


@pytest.mark.parametrize("look", [lambda v: 1 - v, lambda v: v**3, lambda v: np.abs(v - 0.4)])
def test_contrast_does_not_matter(look):
    truth = transform(SIZE, angle_deg=7.0, scale=1.04, shift=(12.0, -15.0))
    fixed, inside = pulled(EYE, truth)
    fixed = np.where(inside, look(fixed), 0).astype(np.float32)
    result = align(EYE, fixed, inside_fixed=inside)
    assert result.confidence > 0.9
    assert error_px(result.matrix, truth, inside) < 1.0


def test_a_fifth_in_common_is_enough():
    eye = phantom(seed=3, size=400)
    moving, fixed = eye[:200, :200], eye[40:240, 144:344]  # 160 x 56 pixels in common: 22 percent
    result = align(np.ascontiguousarray(moving), np.ascontiguousarray(fixed))
    assert result.confidence >= 0.5
    assert result.matrix[:, 2] == pytest.approx([40, 144], abs=6)


def test_fine_blocks_find_the_way_where_coarse_ones_stray(monkeypatch):
    def straying(matcher, start, kind, coarse=None):
        return refine_transform(matcher, start, kind) if coarse is None else agreement_under(matcher, IDENTITY, "both")

    monkeypatch.setattr(search, "refine_transform", straying)
    truth = transform(SIZE, angle_deg=6.0, shift=(12.0, -9.0))
    fixed, inside = pulled(EYE, truth)
    result = align(EYE, fixed, inside_fixed=inside)
    assert result.confidence > 0.9 and error_px(result.matrix, truth, inside) < 0.15


def test_a_mirror_image_is_named_and_not_applied(monkeypatch):
    monkeypatch.setattr(search.Search, "_by_coincidence", lambda *_: [])  # which takes seconds to find nothing
    result = align(np.ascontiguousarray(EYE[:, ::-1]), EYE, "rigid")
    assert_left_alone(result)
    assert "mirror image" in result.reason


def test_a_frame_that_was_stretched_is_seen_in_its_shape():
    """An image of 2:1 stretched into a square frame, and one turned by 30 degrees: no similarity in the frame."""
    turn = transform(400, angle_deg=30.0)
    eye = phantom(seed=3, size=400)
    fixed = pulled(eye, turn)[0]
    squeezed = [ndimage.zoom(image[100:300], (2, 1), order=1) for image in (eye, fixed)]
    result = align(*squeezed, extent_moving=(0.5, 1.0), extent_fixed=(0.5, 1.0))
    assert result.confidence > 0.9
    aspect = np.diag([0.5, 1.0])
    linear = aspect @ result.matrix[:, :2] @ np.linalg.inv(aspect)
    assert linear == pytest.approx(turn[:, :2], abs=0.02)


def test_record_holds_plain_values():
    result = align(EYE, EYE, "translation")
    record = json.loads(json.dumps(result.to_dict()))
    assert set(record) == {
        "requested", "kind", "matrix", "agreement_before", "agreement", "confidence", "seconds", "reason",
        "directions", "bend",
    }  # fmt: skip
    assert np.array_equal(record["matrix"], result.matrix)


@pytest.mark.parametrize(
    ("moving", "options", "message"),
    [
        (EYE, {"kind": "elastic"}, "none, translation, rigid, affine.*'elastic'"),
        (EYE[:150, :150], {}, r"moving of shape \(200, 200\).*\(150, 150\)"),
        (EYE, {"inside_fixed": np.ones((4, 4), bool)}, r"inside_fixed.*\(4, 4\)"),
        (np.full_like(EYE, np.nan), {}, "finite.*moving"),
    ],
)
def test_wrong_arguments_are_named(moving, options, message):
    with pytest.raises(ValueError, match=message):
        align(moving, EYE, **options)


def test_frames_must_be_square():
    with pytest.raises(ValueError, match="square"):
        align(EYE[:150], EYE[:150])


@pytest.mark.parametrize(
    ("places", "searched"),
    [
        (slice(2, 10, 7), "translation"),
        pytest.param(slice(2, 10, 7), "rigid", marks=LONG),
        pytest.param(slice(2, 22, 7), "affine", marks=LONG),
    ],
)
def test_real_repeats_are_aligned_and_chance_matches_are_not(data_root, places, searched):
    files = find_pairs(data_root / "octa_scp_repeat_visits").split("fine_tune")[places]
    pairs = [prepare_pair(file, Preprocessing()) for file in files]
    for pair in pairs:
        result = align(pair.moving, pair.fixed)
        carried = aligned_points(pair.moving_points, result, 400)
        assert landmark_distances(carried, pair.fixed_points).mean() < 2.0
        assert result.confidence > 0.99
    for pair, other in pairwise(pairs):
        assert_left_alone(align(pair.moving, other.fixed, searched))
