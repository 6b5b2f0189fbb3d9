"""Refinement of one pair: the spline grid, the written-out gradient, known displacements, and what must never happen."""

from __future__ import annotations

import sys
from functools import partial

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.interpolate import BSpline

from MetaRegistrationLib.core.losses import local_cross_correlation, smoothness
from MetaRegistrationLib.core.spatial import compose, identity_grid, jacobian_determinant, warp
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.refinement import LocalCorrelation, RefinementSettings, SplineGrid, refine
from MetaRegistrationLib.refinement.box_sums import BoxSums
from MetaRegistrationLib.refinement.objective import Objective
from MetaRegistrationLib.refinement.search import _Adam
from MetaRegistrationLib.refinement.smoothing import blur, smooth_start
from MetaRegistrationLib.refinement.splines import spline_weights, subdivision

SIZE = 96


def texture(seed, size=SIZE, sigma=1.5):
    """A smooth random image (1, 1, size, size) in [0, 1], float32."""
    values = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal((size, size)), sigma, mode="wrap")
    values = (values - values.min()) / np.ptp(values)
    return torch.from_numpy(values.astype(np.float32))[None, None]


def bump(size=SIZE, amplitude=2.0):
    """A smooth displacement (1, 2, size, size), zero at the border."""
    rows, columns = identity_grid(size, size, like=torch.zeros(1))[0] / (size - 1)
    hill = torch.sin(np.pi * rows) * torch.sin(np.pi * columns)
    return amplitude * torch.stack((hill, -0.7 * hill * torch.cos(np.pi * rows)))[None]


def random_field(seed, amplitude, sigma, size=SIZE):
    noise = np.random.default_rng(seed).standard_normal((2, size, size))
    noise = np.stack([ndimage.gaussian_filter(channel, sigma) for channel in noise])
    return torch.from_numpy((amplitude * noise / noise.std()).astype(np.float32))[None]


def folds(field):
    return int((jacobian_determinant(field) <= 0).sum())


def away_from_border(field, margin=8):
    return field[..., margin:-margin, margin:-margin]


def error(field, truth):
    """Mean distance of two fields, away from the border."""
    return float(away_from_border(field - truth).square().sum(1).sqrt().mean())


# The spline grid


@pytest.mark.parametrize("at_once", [False, True])
@pytest.mark.parametrize("window", [3, 5, 7, 13])
def test_window_sums_are_those_of_a_plain_filter_and_the_next_call_knows_nothing_of_the_last(window, at_once):
    rng = np.random.default_rng(window)
    box = BoxSums(2, (17, 23), window, like=torch.zeros(1, dtype=torch.float64), at_once=at_once)
    for _ in range(2):
        maps, out = torch.from_numpy(rng.normal(size=(2, 17, 23))), torch.empty(2, 17, 23, dtype=torch.float64)
        box([partial(torch.mul, one, torch.ones_like(one)) for one in maps], out)
        expected = ndimage.uniform_filter(maps.numpy(), (0, window, window), mode="constant") * window**2
        np.testing.assert_allclose(out.numpy(), expected, atol=1e-10)


@pytest.mark.parametrize("cells", [1, 2, 5])
def test_spline_weights_are_scipys(cells):
    positions = np.linspace(0, 7, 33)
    knots = (np.arange(cells + 7) - 3) * 7 / cells
    expected = BSpline.design_matrix(positions, knots, 3, extrapolate=True).toarray()
    found = spline_weights(torch.from_numpy(positions), 7, cells)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cells", [1, 2, 3, 8])
def test_subdivision_keeps_the_spline(cells):
    positions = torch.linspace(0, 10, 101, dtype=torch.float64)
    fine = spline_weights(positions, 10, 2 * cells) @ subdivision(cells)
    torch.testing.assert_close(fine, spline_weights(positions, 10, cells), rtol=0, atol=1e-12)


def random_levels(grid, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(level.shape, generator=generator, dtype=level.dtype) for level in grid.zeros()]


def test_levels_add_up():
    grid = SplineGrid((20, 31), 4, 3, like=torch.zeros(1, dtype=torch.float64))
    levels = random_levels(grid)
    expected = 0
    for cells, level in zip((1, 2, 4), levels, strict=True):
        rows, columns = (spline_weights(torch.arange(n), n - 1, cells) for n in (20, 31))
        expected = expected + rows @ level @ columns.T
    rows, columns = grid.sampler()
    torch.testing.assert_close(rows @ grid.total(levels) @ columns.T, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [(20, 31), (9, 8)])
def test_roughness_is_the_losses_smoothness(size):
    grid = SplineGrid(size, 4, 2, like=torch.zeros(1, dtype=torch.float64))
    total = grid.total(random_levels(grid))
    rows, columns = grid.sampler()
    assert float(grid.roughness(total)) == pytest.approx(float(smoothness(rows @ total @ columns.T)), rel=1e-5)


def test_reduced_sampler_lies_on_the_centres_of_squares():
    grid = SplineGrid((21, 30), 4, 1, like=torch.zeros(1, dtype=torch.float64))
    rows, columns = grid.sampler(2)
    torch.testing.assert_close(rows, spline_weights(torch.arange(10) * 2 + 0.5, 20, 4))
    torch.testing.assert_close(columns, spline_weights(torch.arange(15) * 2 + 0.5, 29, 4))


# The correlation


def half_defined(size=20):
    defined = torch.ones(1, 1, size, size)
    defined[..., 13:] = 0
    defined[..., :3, :5] = 0
    return defined


def correlation_by_hand(fixed, warped, defined, window):
    """Squared correlation of the defined pixels, one window after the other, in float64."""
    half, values = window // 2, []
    for row, column in np.argwhere(defined):
        part = np.s_[max(row - half, 0) : row + half + 1, max(column - half, 0) : column + half + 1]
        where = defined[part] > 0
        if 2 * where.sum() >= window * window:
            values.append(np.corrcoef(fixed[part][where], warped[part][where])[0, 1] ** 2)
    return np.mean(values)


@pytest.mark.parametrize("defined", [torch.ones(1, 1, 20, 20), half_defined()], ids=["all", "part"])
def test_correlation_is_the_formula(defined):
    fixed, warped = texture(1, 20), 0.6 * texture(1, 20) + 0.4 * texture(2, 20)
    found = LocalCorrelation(fixed, defined, window=5)(warped)
    expected = correlation_by_hand(*(image[0, 0].double().numpy() for image in (fixed, warped, defined)), 5)
    assert found.item() == pytest.approx(expected, abs=1e-4)


def test_correlation_is_that_of_the_losses_away_from_the_border():
    """The border's windows hold blank pixels alone and count as uncorrelated, in both; three at each corner only there."""
    blank = torch.zeros(1, 1, 40, 40)
    blank[..., 6:-6, 6:-6] = 1
    fixed, warped = texture(1, 40) * blank, (texture(1, 40) + 0.2 * texture(2, 40)) * blank
    ours = LocalCorrelation(fixed, torch.ones(1, 1, 40, 40), window=5)(warped)
    theirs = local_cross_correlation(fixed, warped, window=5)
    assert ours.item() * (1600 - 12) == pytest.approx(theirs.item() * 1600, rel=1e-4)


@pytest.mark.parametrize("defined", [torch.ones(1, 1, 20, 20), half_defined()], ids=["all", "part"])
def test_correlation_has_the_right_gradient(defined):
    fixed, warped = texture(1, 20).double(), texture(2, 20).double().requires_grad_()
    against = LocalCorrelation(fixed, defined.double(), window=5)
    assert torch.autograd.gradcheck(against, warped)


def test_what_is_undefined_does_not_count():
    defined = half_defined()
    fixed, warped = texture(1, 20), texture(2, 20).requires_grad_()
    against = LocalCorrelation(fixed, defined, window=5)
    value = against(warped)
    value.backward()
    assert float((warped.grad * (1 - defined)).abs().max()) == 0
    assert float(warped.grad.abs().max()) > 0
    torch.testing.assert_close(LocalCorrelation(fixed + 1 - defined, defined, window=5)(warped + 1 - defined), value)


def test_flat_images_have_neither_correlation_nor_gradient():
    flat = torch.full((1, 1, 20, 20), 0.3, requires_grad=True)
    for fixed, warped in ((texture(1, 20), flat), (flat.detach(), texture(1, 20).requires_grad_())):
        value = LocalCorrelation(fixed, torch.ones(1, 1, 20, 20), window=5)(warped)
        value.backward()
        assert value.item() == 0
        assert float(warped.grad.abs().max()) == 0


# The smoothing of the start


def test_global_fields_are_not_smoothed():
    rows, columns = identity_grid(SIZE, SIZE, like=torch.zeros(1))[0]
    affine = torch.stack((0.1 * rows - 0.05 * columns + 7, 0.03 * rows - 31))[None]
    torch.testing.assert_close(smooth_start(affine, 8.0, 1.0), affine, rtol=0, atol=1e-3)


def test_ripples_are_smoothed_and_jumps_kept():
    jump = torch.zeros(1, 2, SIZE, SIZE)
    jump[:, 1, 40:52] = 6.0
    ripples = random_field(3, 0.3, 1.0)
    smooth = smooth_start(ripples, 8.0, 1.0)
    assert float(smooth.std()) < 0.25 * float(ripples.std())
    kept = smooth_start(jump, 8.0, 1.0)
    assert float((kept - jump)[:, :, 38:54].abs().max()) < 0.05


def test_no_smoothing_changes_nothing():
    field = random_field(3, 0.3, 1.0)
    assert smooth_start(field, 0.0, 1.0) is field
    assert torch.equal(blur(field[:, :1], 0.0), field[:, :1])


def test_blur_is_scipys():
    image = texture(4, 30)
    expected = ndimage.gaussian_filter(image[0, 0].double().numpy(), 2.0, mode="nearest", radius=6)
    np.testing.assert_allclose(blur(image, 2.0)[0, 0], expected, rtol=0, atol=1e-5)


# The refinement


@pytest.mark.parametrize("shrink", [1, 2])
def test_known_displacement_is_recovered(shrink):
    moving, truth = texture(5), bump()
    fixed = warp(moving, truth, mode="bicubic")
    found = refine(moving, fixed, torch.zeros_like(truth), RefinementSettings(shrink=shrink))
    assert error(torch.zeros_like(truth), truth) > 1
    assert error(found.displacement_px, truth) < 0.15
    assert found.measure_after > found.measure_before + 0.1
    assert found.seconds > 0
    assert 0 < found.steps <= 30


def test_a_start_with_a_large_shift_is_refined_where_the_moving_image_is_defined():
    large = texture(6, 160)
    shift = torch.zeros(1, 2, SIZE, SIZE)
    shift[:, 1] = 45.0
    moving = large[..., 20 : 20 + SIZE, :SIZE]
    truth = shift + 0.5 * bump()
    fixed = warp(large, torch.nn.functional.pad(truth, (0, 64, 20, 44)))[..., 20 : 20 + SIZE, :SIZE]
    found = refine(moving, fixed, shift).displacement_px
    seen = np.s_[:, :, 8:-8, 8 : SIZE - 45 - 8]
    before, after = ((field - truth)[seen].square().sum(1).sqrt().mean() for field in (shift, found))
    assert after < 0.35 * before
    assert float((found - shift)[..., SIZE - 30 :].abs().max()) < 1.5  # nothing to see there, and nothing that pulls


def test_regions_outside_the_images_do_not_pull():
    moving, truth = texture(5), bump()
    fixed = warp(moving, truth, mode="bicubic")
    inside = torch.zeros(1, 1, SIZE, SIZE, dtype=torch.bool)
    inside[..., 16:80, :] = True
    found = refine(moving * inside, fixed * inside, torch.zeros_like(truth), inside_moving=inside, inside_fixed=inside)
    assert float((found.displacement_px - truth)[:, :, 26:70, 8:-8].abs().mean()) < 0.12


def test_identical_images_stay_where_they_are():
    image, start = texture(7), torch.zeros(1, 2, SIZE, SIZE)
    found = refine(image, image.clone(), start)
    assert torch.equal(found.displacement_px, start)
    assert found.measure_after == found.measure_before == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("blank", ["moving", "fixed", "both"])
def test_blank_images_leave_the_start(blank):
    start = random_field(8, 0.5, 6.0)
    empty = torch.zeros(1, 1, SIZE, SIZE)
    moving = texture(1) if blank == "fixed" else empty
    fixed = texture(1) if blank == "moving" else empty
    found = refine(moving, fixed, start, RefinementSettings(start_blur_px=0))
    assert torch.equal(found.displacement_px, start)
    assert found.measure_after == found.measure_before


def test_no_steps_return_the_start():
    start = random_field(8, 0.5, 3.0)
    found = refine(texture(1), texture(2), start, RefinementSettings(steps=0))
    assert torch.equal(found.displacement_px, start)
    assert (found.steps, found.measure_after) == (0, found.measure_before)


def test_a_start_out_of_view_stays():
    start = torch.full((1, 2, SIZE, SIZE), 3.0 * SIZE)
    found = refine(texture(1), texture(2), start)
    assert torch.equal(found.displacement_px, start)


def test_a_start_that_is_not_finite_comes_back():
    start = torch.full((1, 2, SIZE, SIZE), float("nan"))
    found = refine(texture(1), texture(2), start)
    assert torch.isnan(found.displacement_px).all()


@pytest.mark.parametrize("seed", range(4))
def test_never_worse_and_never_more_folds(seed):
    moving, fixed, start = texture(seed, sigma=1.0), texture(seed + 10, sigma=1.0), random_field(seed, 1.5, 2.0)
    settings = RefinementSettings(steps=8, learning_rate=3.0, smoothness_weight=0.0, start_blur_px=0.0)
    found = refine(moving, fixed, start, settings)
    assert found.measure_after >= found.measure_before
    assert folds(found.displacement_px) <= folds(start)


def test_a_wild_refinement_that_folds_is_not_taken_whole():
    moving, start = texture(1, sigma=1.0), torch.zeros(1, 2, SIZE, SIZE)
    fixed = warp(moving, random_field(2, 3.0, 2.5))
    settings = RefinementSettings(steps=12, learning_rate=4.0, smoothness_weight=0.0, spacing_px=4.0)
    found = refine(moving, fixed, start, settings)
    assert folds(found.displacement_px) == 0


def test_ripples_of_the_start_go():
    moving, truth = texture(5), bump()
    fixed = warp(moving, truth, mode="bicubic")
    start = truth + random_field(9, 0.5, 1.5)
    found = refine(moving, fixed, start)
    assert error(found.displacement_px, truth) < 0.4 * error(start, truth)


def test_it_stops_when_nothing_is_gained():
    image = texture(7)
    found = refine(image, image.clone(), torch.zeros(1, 2, SIZE, SIZE), RefinementSettings(steps=200))
    assert found.steps <= 24  # a dozen in each of the two passes


def test_it_runs_in_inference_mode_and_leaves_its_inputs_alone():
    moving, truth = texture(5), bump()
    fixed = warp(moving, truth, mode="bicubic")
    with torch.inference_mode():
        start = 0.5 * truth
        copies = [tensor.clone() for tensor in (moving, fixed, start)]
        found = refine(moving, fixed, start, RefinementSettings(steps=10))
    assert error(found.displacement_px, truth) < 0.5 * error(start, truth)
    assert not found.displacement_px.requires_grad
    for tensor, copy in zip((moving, fixed, start), copies, strict=True):
        assert torch.equal(tensor, copy)


def test_the_same_input_gives_the_same_field():
    moving, fixed, start = texture(5), warp(texture(5), bump()), torch.zeros(1, 2, SIZE, SIZE)
    first, second = (refine(moving, fixed, start, RefinementSettings(steps=6)).displacement_px for _ in range(2))
    assert torch.equal(first, second)


def test_sizes_that_nothing_divides():
    moving = texture(5, 120)[..., :77, :101]
    truth = torch.zeros(1, 2, 77, 101)
    truth[:, 0], truth[:, 1] = 1.2, -0.8
    found = refine(moving, warp(moving, truth, padding="border"), torch.zeros_like(truth), RefinementSettings(shrink=2))
    assert error(found.displacement_px, truth) < 0.15


@pytest.mark.parametrize("shrink", [1, 2])
def test_a_gpu_finds_the_same(shrink):
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA GPU here")
    moving, truth = texture(5), bump()
    fixed, start = warp(moving, truth), torch.zeros_like(truth)
    settings = RefinementSettings(shrink=shrink)
    here = refine(moving, fixed, start, settings).displacement_px
    there = refine(moving.cuda(), fixed.cuda(), start.cuda(), settings).displacement_px
    assert there.is_cuda
    assert error(there.cpu(), here) < 0.02


def test_the_record_is_plain():
    found = refine(texture(1), texture(2), torch.zeros(1, 2, SIZE, SIZE), RefinementSettings(steps=2))
    record = found.to_dict()
    assert RefinementSettings(**record.pop("settings")) == RefinementSettings(steps=2)
    assert set(record) == {"steps", "measure_before", "measure_after", "seconds"}
    assert all(type(value) in (int, float) for value in record.values())
    assert RefinementSettings(**RefinementSettings(steps=3).to_dict()) == RefinementSettings(steps=3)


@pytest.mark.parametrize(
    "shapes",
    [
        ((1, 1, 20, 20), (1, 1, 20, 21), (1, 2, 20, 20)),
        ((1, 1, 20, 20), (1, 1, 20, 20), (1, 2, 21, 20)),
        ((2, 1, 20, 20), (2, 1, 20, 20), (2, 2, 20, 20)),
        ((1, 3, 20, 20), (1, 3, 20, 20), (1, 2, 20, 20)),
        ((1, 1, 20, 20), (1, 1, 20, 20), (1, 3, 20, 20)),
    ],
)
def test_shapes_that_do_not_fit_are_named(shapes):
    with pytest.raises(ValueError, match=r"refine: expected .*got .*20"):
        refine(*(torch.zeros(shape) for shape in shapes))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("steps", -1),
        ("steps", 2.5),
        ("steps", True),
        ("levels", 0),
        ("window", 8),
        ("window", 1),
        ("shrink", 0),
        ("patience", 0),
        ("spacing_px", 1),
        ("learning_rate", -0.1),
        ("smoothness_weight", float("nan")),
        ("blur_px", float("inf")),
        ("keep_px", 0),
        ("start_blur_px", "8"),
    ],
)
def test_settings_out_of_range_are_refused(name, value):
    with pytest.raises(InputError, match=f"refinement: {name} must be"):
        RefinementSettings(**{name: value})


@pytest.mark.parametrize(("extent", "cells"), [(400, 32), (64, 8), (32, 8), (800, 64)])
def test_cells_can_be_halved_for_every_level(extent, cells):
    assert RefinementSettings().cells(extent) == cells


def test_what_is_sampled_is_the_composition():
    """The measure on the image that the base has warped is nearly that of the composed field, and not of the sum."""
    moving = texture(5, sigma=3.0)
    rows, columns = identity_grid(SIZE, SIZE, like=moving)[0] - SIZE / 2
    base = torch.stack((0.5 * columns, -0.5 * rows))[None]  # turned so far that the two differ
    fixed = warp(moving, base, padding="border")
    objective = Objective(moving, fixed, base, RefinementSettings(smoothness_weight=0.0))
    levels = [6 * level for level in random_levels(objective.grid)[:1]] + objective.grid.zeros()[1:]
    total = objective.grid.total(levels)
    added = objective.displacement(total)
    sampled = float(objective(levels))
    composed, summed = (objective.of_field(field, total) for field in (compose(base, added), base + added))
    assert abs(composed - sampled) < 0.005
    assert abs(summed - sampled) > 0.05


def test_the_ascent_is_torchs_adam():
    torch.manual_seed(0)
    start = [torch.randn(1, 2, 5, 5), torch.randn(1, 2, 9, 9)]

    def height(levels):
        return -levels[0].pow(4).sum() - 9 * levels[1].square().sum() + levels[0].sum() * levels[1].sum()

    ours = _Adam(start)
    groups = [{"params": [level.clone().requires_grad_()]} for level in start]
    theirs = torch.optim.Adam(groups, betas=(0.9, 0.99), maximize=True)
    for step in range(1, 12):
        for index, group in enumerate(theirs.param_groups):
            group["lr"] = 0.3 / step / 2**index
        levels = [group["params"][0] for group in theirs.param_groups]
        theirs.zero_grad()
        height(levels).backward()
        theirs.step()
        ours.step(torch.autograd.grad(height(ours.levels), ours.levels), 0.3 / step)
    for level, expected in zip(ours.levels, levels, strict=True):
        torch.testing.assert_close(level, expected)


def test_a_refinement_asks_for_no_compiler(monkeypatch):
    """Its import takes seconds, at the first refinement of a process. An optimiser of torch asks for it at each step."""
    monkeypatch.setitem(sys.modules, "torch._dynamo", None)
    image = texture(5, 48)
    assert refine(image, image.roll(1, 2), torch.zeros(1, 2, 48, 48)).steps > 0
    with pytest.raises(ImportError):
        torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1).step()


def test_two_passes_share_the_steps():
    coarse, fine = RefinementSettings(steps=30).passes()
    assert (coarse.steps, coarse.shrink, coarse.window) == (20, 2, 7)
    assert (fine.steps, fine.shrink, fine.window) == (10, 1, 13)
    assert fine.learning_rate == 0.25 * coarse.learning_rate
    assert RefinementSettings(steps=30, coarse_share=0).passes() == [RefinementSettings(steps=30, coarse_share=0)]
    assert RefinementSettings(steps=0).passes() == []


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_coarse_share_is_a_share(share):
    with pytest.raises(InputError, match="coarse_share"):
        RefinementSettings(coarse_share=share)
