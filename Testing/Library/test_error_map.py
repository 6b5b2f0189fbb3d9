"""The predicted error: what a map says, how candidates are compared, and that the shipped predictor knows wrong from right."""

import numpy as np
import pytest
import torch
from drawn_eyes import drawn_eye
from scipy import ndimage

from MetaRegistrationLib.error_map.judge import load_judge, shipped_judge, without_affine
from MetaRegistrationLib.error_map.maps import ErrorMap
from MetaRegistrationLib.error_map.predictor import CELLS
from MetaRegistrationLib.error_map.tissue import tissue_on_grid
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.registration.candidates import predicted_errors
from MetaRegistrationLib.registration.confidence import confidence_of_map, opinion_of_map
from MetaRegistrationLib.resources import error_predictor, shipped_checkpoints

CPU = torch.device("cpu")
SIDE = 400


def flat(mean=0.5, *, median=0.4, bound=1.0, shown=1.0, cells=CELLS):
    """A map of one value everywhere."""
    values = [np.full((cells, cells), value, np.float32) for value in (median, bound, mean)]
    return ErrorMap(*values, np.broadcast_to(np.float32(shown), (cells, cells)), SIDE)


def test_a_flat_map_says_its_values():
    error = flat()
    assert error.expected_px == pytest.approx(0.5)
    assert error.error_95_px == pytest.approx(1.0, rel=1e-3)  # the bound of every position is that of all
    assert error.share_below(0.4) == pytest.approx(0.5, abs=1e-3)  # the median
    assert error.share_below(1.0) == pytest.approx(0.95, abs=1e-3)


def test_half_certain_and_half_lost():
    error = flat()
    lost = np.arange(CELLS)[:, None] >= CELLS // 2
    values = [np.where(lost, np.float32(30), each) for each in (error.median_px, error.bound_px, error.mean_px)]
    values[1] = np.where(lost, np.float32(60), values[1])
    both = ErrorMap(*values, error.shown, SIDE)
    assert both.uncertain_percent == pytest.approx(50, abs=0.1)
    assert both.expected_px == pytest.approx(15.25)
    assert 30 < both.error_95_px < 60


def test_what_only_one_image_shows_is_not_known():
    shown = np.ones((CELLS, CELLS), np.float32)
    shown[:, : CELLS // 2] = 0
    error = flat(shown=shown)
    on_grid = error.on_grid()
    assert np.isnan(on_grid[:, : SIDE // 2 - 4]).all() and np.allclose(on_grid[:, SIDE // 2 + 4 :], 0.5)
    assert error.expected_px == pytest.approx(0.5)
    nothing = flat(shown=0.0)
    assert np.isnan([nothing.expected_px, nothing.error_95_px, nothing.uncertain_percent]).all()
    assert nothing.share_below(10) == 0


def test_values_between_cells_are_linear():
    rows = np.broadcast_to(np.arange(CELLS, dtype=np.float32)[:, None], (CELLS, CELLS))
    error = ErrorMap(rows, rows + 1, rows, np.ones_like(rows), SIDE)
    pixels = np.array([3.5, 7.5, 11.5, 200.0])  # cell 0 has the pixels 0 to 7
    assert np.allclose(error.at(pixels, np.full(4, 90.0)), (pixels + 0.5) / 8 - 0.5)
    everywhere = np.indices((SIDE, SIDE)).astype(float)
    assert np.allclose(error.at(*everywhere), error.on_grid(), atol=1e-5)
    assert np.isnan(error.at(np.array([np.nan, -9.0, 3.0]), np.array([3.0, 3.0, 500.0]))).all()


def test_candidates_are_compared_where_all_of_them_are_known():
    shown = np.ones((CELLS, CELLS), np.float32)
    shown[:10] = 0
    first = flat(1.0)
    partly = ErrorMap(first.median_px, first.bound_px, np.where(shown > 0, 0.9, 99).astype(np.float32), shown, SIDE)
    assert np.allclose(predicted_errors([first, partly]), (1.0, 0.9))


def test_a_candidate_that_moves_the_tissue_out_of_view_is_not_the_best():
    shown = np.zeros((CELLS, CELLS), np.float32)
    shown[:10] = 1
    errors = predicted_errors([flat(3.0), flat(0.1, shown=shown)])
    assert errors[0] == 3.0 and errors[1] == np.inf


@pytest.fixture(scope="module")
def eye():
    """An eye of 400 x 400 pixels and a neighbourhood of it, for shifts."""
    return drawn_eye(12, 440).astype(np.float32)


def predicted(fixed, moving, field, inside=None):
    """The map of a field (2, S, S) between two images."""
    inside = np.ones_like(fixed, dtype=bool) if inside is None else inside
    judge = shipped_judge(CPU).of_pair(moving, fixed, inside, inside)
    return judge([torch.as_tensor(field, dtype=torch.float32)[None]])[0]


def noisy(image, seed):
    return np.clip(image + np.random.default_rng(seed).normal(0, 0.05, image.shape), 0, 1).astype(np.float32)


def shifted(rows, columns):
    return np.stack([np.full((SIDE, SIDE), value, np.float32) for value in (rows, columns)])


@pytest.mark.parametrize("inverted", [False, True])
def test_a_larger_error_is_predicted_to_be_larger(eye, inverted):
    fixed = noisy(eye[20:420, 20:420], 1)
    moving = noisy(eye[17:417, 24:424], 2)
    moving = 1 - moving if inverted else moving
    true = shifted(3.0, -4.0)
    errors = [predicted(fixed, moving, true + shifted(0.0, off)).expected_px for off in (0.0, 4.0, 12.0)]
    assert errors[0] < 1.0 and errors[0] < errors[1] < errors[2]
    assert errors[1] > 2.0 and errors[2] > 5.0


@pytest.mark.parametrize("turns", [1, 2])
def test_a_turned_image_is_no_error(eye, turns):
    fixed = noisy(eye[20:420, 20:420], 1)
    moving = np.ascontiguousarray(np.rot90(noisy(eye[20:420, 20:420], 2), turns))
    rows, columns = np.indices((SIDE, SIDE)).astype(np.float32)
    there = {1: (SIDE - 1 - columns, rows), 2: (SIDE - 1 - rows, SIDE - 1 - columns)}[turns]
    assert predicted(fixed, moving, np.stack(there) - np.stack((rows, columns))).expected_px < 1.0


def test_the_affine_part_of_a_field_is_not_seen():
    rows, columns = torch.meshgrid(torch.arange(50.0), torch.arange(50.0), indexing="ij")
    affine = torch.stack((3 + 0.5 * rows - columns, -2 - rows + 0.25 * columns))[None]
    bump = 2 * torch.exp(-((rows - 20) ** 2 + (columns - 30) ** 2) / 40)[None, None].expand(1, 2, 50, 50)
    assert float(without_affine(affine).abs().max()) < 1e-3
    assert torch.allclose(without_affine(affine + bump), without_affine(bump), atol=1e-3)


def test_few_certain_positions_are_no_opinion():
    assert opinion_of_map(flat(0.5, median=0.4, bound=1.0)) > 0.99
    assert opinion_of_map(flat(5.0, median=4.0, bound=9.0)) < 0.01
    assert confidence_of_map(flat(5.0, median=4.0, bound=9.0), 1.0) > 0.9
    assert confidence_of_map(flat(30.0, median=28.0, bound=50.0), 1.0) < 0.1


def test_images_with_little_in_common_have_to_be_certain():
    some_px, certain = flat(3.0, median=2.5, bound=6.0), flat(0.5, median=0.4, bound=1.0)
    assert confidence_of_map(some_px, 0.61) > 0.9 and confidence_of_map(some_px, 0.59) < 0.5
    assert confidence_of_map(certain, 0.2) > 0.99


def test_images_with_next_to_nothing_in_common_are_never_confident():
    certain = flat(0.5, median=0.4, bound=1.0)
    assert confidence_of_map(certain, 0.18) > 0.99 and confidence_of_map(certain, 0.16) == 0


def test_unrelated_images_have_no_small_error(eye):
    other = drawn_eye(77, SIDE).astype(np.float32)
    error = predicted(noisy(eye[20:420, 20:420], 1), noisy(other, 3), shifted(0.0, 0.0))
    assert error.expected_px > 10 and error.share_below(10) < 0.5


def test_a_wrong_part_of_a_right_field_is_found(eye):
    fixed = noisy(eye[20:420, 20:420], 1)
    moving = noisy(eye[20:420, 20:420], 2)
    wrong = np.zeros((SIDE, SIDE))
    wrong[100:300, 60:200] = 1
    wrong = ndimage.gaussian_filter(wrong, 12)
    error = predicted(fixed, moving, np.stack((12 * wrong, 0 * wrong)).astype(np.float32)).on_grid()
    assert np.median(error[wrong > 0.8]) > 5 * np.median(error[wrong < 0.02])


def test_another_size_of_the_grid_gives_the_same_shares(eye):
    fixed, moving = noisy(eye[20:420, 20:420], 1), noisy(eye[20:420, 20:420], 2)
    large = predicted(fixed, moving, shifted(4.0, 0.0))
    small = [ndimage.zoom(image, 0.5, order=1) for image in (fixed, moving)]
    inside = np.ones((200, 200), bool)
    judge = shipped_judge(CPU).of_pair(small[1], small[0], inside, inside)
    half = judge([torch.full((1, 2, 200, 200), 0.0).index_fill(1, torch.tensor([0]), 2.0)])[0]
    assert half.size == 200 and half.expected_px == pytest.approx(large.expected_px / 2, rel=0.5)


def test_the_predictor_is_no_checkpoint_to_register_with():
    assert error_predictor().is_file() and error_predictor() not in shipped_checkpoints()


def test_a_damaged_predictor_is_named(tmp_path):
    path = tmp_path / "error_predictor.pt"
    path.write_bytes(error_predictor().read_bytes()[:5000])
    with pytest.raises(InputError, match=r"error_predictor\.pt: it cannot be read"):
        load_judge(path, CPU)
    torch.save({"format": "other"}, path)
    with pytest.raises(InputError, match="another kind of file"):
        load_judge(path, CPU)


def test_the_tissue_of_a_task_image_has_no_holes():
    image = np.zeros((100, 100), np.float32)
    image[20:80, 30:70] = 0.5
    image[40:44, 50] = 0
    mask = tissue_on_grid(image)
    assert mask[20:80, 30:70].all() and mask.sum() < 1.2 * 60 * 40
