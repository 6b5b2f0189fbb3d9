"""Where an image shows tissue: drawn borders of every kind, real scans without one, and the masks of a user."""

from __future__ import annotations

import io

import numpy as np
import pytest
from known_networks import NETWORK_ALONE_WORDS, read_rows, save_known, texture, write_grey_png
from PIL import Image as pillow  # noqa: N813
from scipy import ndimage

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.core.preprocessing import (
    NetworkGrid,
    Preprocessing,
    mask_on_grid,
    resample_masked,
    stretched_grid,
)
from MetaRegistrationLib.core.tissue import tissue_mask
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.colour import grey_of_colour
from MetaRegistrationLib.formats.images import Image, read_image, write_image
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.stages import Stages

SIDE = 400


def _tissue(side=SIDE, seed=0):
    """Smooth texture from 10 to 255; its darkest spots are as dark as a border may be."""
    values = ndimage.gaussian_filter(np.random.default_rng(seed).standard_normal((side, side)), 3)
    return (10 + 245 * (values - values.min()) / np.ptp(values)).astype(np.float32)


def _turned(degrees):
    rows, columns = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    cosine, sine = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    limit = SIDE / 2
    return (np.abs(cosine * columns + sine * rows) < limit) & (np.abs(cosine * rows - sine * columns) < limit)


def _round(radius):
    rows, columns = np.indices((SIDE, SIDE)) - (SIDE - 1) / 2
    return np.hypot(rows, columns) < radius


def _frame(width):
    inside = np.zeros((SIDE, SIDE), dtype=bool)
    inside[width:-width, width:-width] = True
    return inside


def _band():
    inside = np.ones((SIDE, SIDE), dtype=bool)
    inside[:40] = False
    return inside


def _jpeg(values, quality):
    stream = io.BytesIO()
    pillow.fromarray(np.clip(values, 0, 255).astype(np.uint8)).save(stream, "jpeg", quality=quality)
    return np.asarray(pillow.open(stream)).astype(np.float32)


SHAPES = {
    "frame of 8 %": _frame(32),
    "frame of 2 %": _frame(8),
    "round": _round(195),
    "small round": _round(110),
    "turned by 10 degrees": _turned(10),
    "band": _band(),
}
FILLS = {
    "black": lambda values, inside: np.where(inside, values, 0),
    "noise": lambda values, inside: np.where(
        inside, values, np.abs(np.random.default_rng(1).normal(0, 4, values.shape))
    ),
    "raised black": lambda values, inside: np.where(inside, 500 + values, 500),
    "JPEG 90": lambda values, inside: _jpeg(np.where(inside, values, 0), 90),
    "JPEG 50": lambda values, inside: _jpeg(np.where(inside, values, 0), 50),
    "white": lambda values, inside: np.where(inside, values, 255),
    "grey": lambda values, inside: np.where(inside, values, 90),
    "NaN": lambda values, inside: np.where(inside, values, np.nan),
    "infinite": lambda values, inside: np.where(inside, values, -np.inf),
    "-9999": lambda values, inside: np.where(inside, values, -9999),
    "-3.4e38": lambda values, inside: np.where(inside, values, -3.4e38),
}


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("shape", SHAPES)
def test_drawn_borders(shape, fill):
    inside = SHAPES[shape]
    found = tissue_mask(FILLS[fill](_tissue(), inside).astype(np.float32))
    assert found.dtype == bool
    overlap = (found & inside).sum() / (found | inside).sum()
    assert overlap > (0.97 if "JPEG" in fill else 0.99)
    if fill in ("NaN", "infinite", "-9999", "-3.4e38"):
        np.testing.assert_array_equal(found, inside)


@pytest.mark.parametrize(
    "values",
    [
        _tissue(),
        _tissue()[:33, :47],
        np.random.default_rng(0).random((64, 64)),
        np.random.default_rng(0).integers(0, 2, (64, 64)).astype(np.uint8),
        np.sin(np.arange(SIDE) / 16)[None] * np.ones((SIDE, 1)),  # dark valleys that reach the border
        np.indices((SIDE, SIDE))[0].astype(np.float32),
        np.random.default_rng(0).normal(0, 1, (64, 64)),
        np.full((40, 40), 7.0),
    ],
)
def test_an_image_without_a_border_is_all_tissue(values):
    assert tissue_mask(values).all()


def test_dark_areas_inside_stay():
    values = np.where(_round(195), _tissue(), 0)
    values[150:250, 150:250] = 0
    np.testing.assert_array_equal(tissue_mask(values)[140:260, 140:260], True)


def test_dark_areas_at_a_side_stay():
    values = _tissue()
    values[150:200, :60] = 0
    assert tissue_mask(values).all()


def test_letters_in_the_black_are_no_tissue():
    values = np.where(_round(195), _tissue(), 0)
    values[4:14, 4:12] = 255
    assert not tissue_mask(values)[:16, :14].any()


def test_scattered_pixels_without_a_value_are_outside_wherever_they_lie():
    values = np.where(_frame(32), _tissue(), 0)
    values[200, 200], values[210, 100] = np.nan, np.inf
    expected = _frame(32)
    expected[200, 200] = expected[210, 100] = False
    np.testing.assert_array_equal(tissue_mask(values), expected)


def test_large_images_keep_exact_pixels_without_a_value():
    values = np.kron(np.where(_round(150), _tissue(), 0), np.ones((4, 3))).astype(np.float32)
    values[800, 601] = np.nan
    found = tissue_mask(values)
    inside = np.kron(_round(150), np.ones((4, 3), dtype=bool))
    assert not found[800, 601] and found[800, 600]
    assert (found & inside).sum() / (found | inside).sum() > 0.98


def test_a_view_too_small_to_be_true_is_not_believed():
    values = np.where(_round(40), _tissue(), 0)
    values[200, 200] = np.nan
    np.testing.assert_array_equal(tissue_mask(values), np.isfinite(values))
    assert not tissue_mask(np.full((20, 20), np.nan)).any()


def test_real_scans_without_a_border_are_all_tissue(data_root):
    """Dark vessels, capillary-free zones and shadows at the border stay; what is cut are corners without any signal."""
    folder = data_root / "octa_scp_repeat_visits" / "images"
    shares = np.array([tissue_mask(read_image(path).array).mean() for path in sorted(folder.glob("*.png"))])
    assert len(shares) and shares.min() > 0.94
    assert (shares == 1).mean() > 0.8


@pytest.mark.parametrize("equal", [True, False])
def test_a_black_frame_takes_no_grey_levels(equal):
    """The tissue of a framed image gets the levels that it has without the frame."""
    whole, inside = _tissue(), _frame(32)
    framed = np.where(inside, whole, 0)
    preprocessing = Preprocessing(size=SIDE, equalise=equal)
    result = preprocessing.apply(framed)
    assert not result[~inside].any()
    alone = Preprocessing(size=SIDE, equalise=equal).apply(whole, None, inside)
    np.testing.assert_array_equal(result, alone)
    assert (result[inside].min(), result[inside].max()) == (0, 1)


def test_settings_of_old_checkpoints_ignore_the_mask():
    old = Preprocessing.from_dict({"size": SIDE, "equalise": True, "bins": 1024})
    assert not old.field_of_view
    framed = np.where(_frame(32), _tissue(), 0)
    np.testing.assert_array_equal(old.apply(framed), old.apply(framed, None, _frame(32)))
    assert not np.array_equal(old.apply(framed), Preprocessing(size=SIDE).apply(framed))
    assert Preprocessing.from_dict(Preprocessing().to_dict()).field_of_view


def test_a_mask_of_everything_changes_no_bit():
    values = _tissue(300)
    everywhere = np.ones(values.shape, dtype=bool)
    for size in (128, 400):
        old = Preprocessing(size=size, field_of_view=False).apply(values)
        np.testing.assert_array_equal(Preprocessing(size=size).apply(values), old)
        np.testing.assert_array_equal(Preprocessing(size=size).apply(values, None, everywhere), old)


@pytest.mark.parametrize("field_of_view", [True, False])
@pytest.mark.parametrize("size", [64, 400])
def test_pixels_without_a_value_spread_into_none(field_of_view, size):
    values = _tissue()
    values[:100], values[200, 200] = np.nan, np.inf
    frame = stretched_grid(values.shape, size)
    result = Preprocessing(size=size, field_of_view=field_of_view).apply(values, frame)
    assert np.isfinite(result).all()
    assert not result[: size // 4 - 1].any() and result[size // 4 + 1 :].all(axis=1).mean() > 0.5


@pytest.mark.parametrize("size", [64, 400, 500])
def test_a_masked_constant_stays_the_constant_up_to_the_edge(size):
    inside = _round(150)
    values, framed = resample_masked(np.where(inside, 3.0, -3.4e38), stretched_grid(inside.shape, size), inside)
    np.testing.assert_allclose(values[framed], 3, rtol=1e-5)
    assert not values[~framed].any()
    assert framed.mean() == pytest.approx(inside.mean(), abs=0.01)


def test_a_framed_mask_ends_with_the_image():
    frame = NetworkGrid(5, (2.0, 0.5), (1.0, -2.5))
    np.testing.assert_array_equal(mask_on_grid(np.ones((6, 3), dtype=bool), frame), frame.inside((6, 3)))
    half = np.zeros((6, 3), dtype=bool)
    half[:3] = True
    assert mask_on_grid(half, frame).sum() == 1


def test_a_registration_measures_and_matches_only_the_tissue():
    """Equal black frames around unrelated tissue are no similarity."""
    inside = _frame(80)
    images = [
        Image(np.where(inside, _tissue(seed=seed), 0).astype(np.float32), Geometry(size=inside.shape))
        for seed in (0, 1)
    ]
    registration = Registrar(None, "cpu", Stages(initial="none", network=False, refine=0))(*images)
    np.testing.assert_array_equal(registration.inside_moving, inside)
    np.testing.assert_array_equal(registration.inside_fixed, inside)
    assert registration.ncc[0] == pytest.approx(
        np.corrcoef(registration.moving_on_grid[inside], registration.fixed_on_grid[inside])[0, 1], abs=1e-3
    )
    assert abs(registration.ncc[0]) < 0.1


def test_the_channel_with_clearly_more_structure_becomes_the_grey():
    """A fundus photograph: red saturated, blue noise, all structure in the green."""
    rng = np.random.default_rng(0)
    inside = _round(195)
    colour = np.zeros((SIDE, SIDE, 3))
    colour[..., 0] = np.clip(rng.normal(250, 8, inside.shape), 0, 255)
    colour[..., 1] = np.clip(60 + _tissue() / 4 + rng.normal(0, 1, inside.shape), 0, 255)
    colour[..., 2] = rng.normal(30, 8, inside.shape)
    colour = np.where(inside[..., None], colour, 0).astype(np.uint8)
    np.testing.assert_array_equal(grey_of_colour(colour), colour[..., 1].astype(np.float32))
    luminance = (colour @ np.array([0.299, 0.587, 0.114])).astype(np.float32)
    np.testing.assert_array_equal(grey_of_colour(colour, luminance=True), luminance)
    alpha = np.full(inside.shape, 0.5)
    np.testing.assert_array_equal(grey_of_colour(colour, alpha), (colour[..., 1] * 0.5).astype(np.float32))


@pytest.mark.parametrize("tint", [(1, 1, 1), (0.9, 1, 0.8)])
def test_colour_of_one_structure_stays_luminance(tint):
    colour = np.clip(np.round(_tissue()[..., None] * tint), 0, 255).astype(np.uint8)
    expected = (colour @ np.array([0.299, 0.587, 0.114])).astype(np.float32)
    np.testing.assert_array_equal(grey_of_colour(colour), expected)


@pytest.fixture
def pair(tmp_path):
    """Two scans of different size, and a mask of each that no program could find."""
    folder = tmp_path / "Année 1"
    for name, shape, seed in (("m", (64, 64), 1), ("f", (96, 128), 2)):
        write_grey_png(folder / f"{name}.png", texture(shape, seed))
        mask = np.zeros(shape)
        mask[:, : shape[1] // 2] = 1
        write_grey_png(folder / f"{name} mask.png", mask)
    return folder


@pytest.fixture
def register(tmp_path, capsys):
    """Run the command into tmp_path / "out"; returns exit code and stderr."""
    checkpoint = save_known(tmp_path / "still.pt", "Translation", size=64, row=0.0, column=0.0)

    def run(*arguments):
        words = ["register", *NETWORK_ALONE_WORDS, "--checkpoint", checkpoint, "--output", tmp_path / "out", *arguments]
        code = main([str(word) for word in words])
        return code, capsys.readouterr().err

    return run


def test_masks_of_one_pair(register, pair, tmp_path):
    images = ("--moving", pair / "m.png", "--fixed", pair / "f.png")
    assert register(*images)[0] == 0
    (without,) = read_rows(tmp_path / "out" / "metrics.csv")
    masks = ("--moving-mask", pair / "m mask.png", "--fixed-mask", pair / "f mask.png")
    assert register(*images, *masks)[0] == 0
    (row,) = read_rows(tmp_path / "out" / "metrics.csv")
    assert row["ncc_before"] != without["ncc_before"]
    record = (tmp_path / "out" / "m_to_f" / "registration.json").read_text(encoding="utf-8")
    assert "m mask.png" in record and "f mask.png" in record


def test_images_with_pixels_without_a_value_are_registered(register, tmp_path):
    values = np.where(_round(150), _tissue(), np.nan).astype(np.float32)
    for name in ("m.nrrd", "f.nrrd"):
        write_image(tmp_path / name, values, Geometry(size=values.shape))
    assert register("--moving", tmp_path / "m.nrrd", "--fixed", tmp_path / "f.nrrd")[0] == 0
    (row,) = read_rows(tmp_path / "out" / "metrics.csv")
    assert float(row["ncc_before"]) == pytest.approx(1) and float(row["ncc_after"]) == pytest.approx(1)
    picture = np.asarray(pillow.open(tmp_path / "out" / "m_to_f" / "overlay.png").convert("RGB")).astype(int)
    assert picture[5, 5, 2] > picture[5, 5, 0] + 30
    warped = read_image(tmp_path / "out" / "m_to_f" / "warped.nrrd").array
    np.testing.assert_array_equal(np.isfinite(warped), np.isfinite(values))


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ("f mask.png", ["f mask.png", "m.png", "64 x 64", "128 x 96"]),
        ("gone.png", ["gone.png", "no such file"]),
        ("empty.png", ["empty.png", "empty"]),
    ],
)
def test_a_mask_that_does_not_fit_ends_with_2_and_names_the_cause(register, pair, mask, words):
    write_grey_png(pair / "empty.png", np.zeros((64, 64)))
    code, told = register("--moving", pair / "m.png", "--fixed", pair / "f.png", "--moving-mask", pair / mask)
    assert code == 2
    assert all(word in told for word in words)


def test_masks_are_for_one_pair_not_for_a_folder(register, pair):
    code, told = register("--pairs", pair, "--fixed-mask", pair / "f mask.png")
    assert code == 2 and "--fixed-mask" in told


def test_masks_of_a_table(pair):
    (pair / "pairs.csv").write_text(
        "moving,fixed,moving_mask,fixed_mask,moving_label\nm.png,f.png,m mask.png,,gone.png\nm.png,f.png,f mask.png,,\n"
    )
    found = find_pairs(pair)
    (files,) = found.pairs
    loaded = files.load()
    assert files.moving_mask == pair / "m mask.png" and files.fixed_mask is None
    np.testing.assert_array_equal(loaded.moving.mask, np.indices((64, 64))[1] < 32)
    assert loaded.fixed.mask is None
    (item,) = found.left_out
    assert item.files == ("f mask.png",) and "64 x 64" in item.reason
    with pytest.raises(InputError, match="128 x 96"):
        find_pairs(pair, check=False).pairs[1].load()


def _cells(shift=(0, 0)):
    """Bright cells on black, 15 pixels wide: a sixth of the image."""
    rng = np.random.default_rng(3)
    lit = np.zeros((SIDE, SIDE), np.float32)
    for row, column in (rng.uniform(20, SIDE - 20, (150, 2)) + shift).round().astype(int):
        lit[row, column] = 200
    return ndimage.grey_dilation(lit, footprint=np.hypot(*np.indices((15, 15)) - 7) < 7.5)


def test_structures_on_a_black_ground_are_no_field_of_view():
    cells = _cells()
    assert 0.1 < (cells > 0).mean() < 0.25
    assert tissue_mask(cells).all()
    with_hole = np.where(_round(30), np.nan, cells)
    assert np.array_equal(tissue_mask(with_hole), ~_round(30))
    pair = [Image(each, Geometry((SIDE, SIDE))) for each in (cells, _cells((9, -6)))]
    found = Registrar(None, "cpu", stages=Stages("translation", network=False, refine=0))(*pair)
    assert found.alignment.confidence > 0.9
    assert np.abs(np.median(found.displacement_px, axis=(1, 2)) - (-9, 6)).max() < 0.5


@pytest.mark.parametrize(
    "view", [_round(85), _frame(120), _turned(30) & _round(150), _band() & ~np.roll(_band(), 85, 0)]
)
def test_small_fields_of_view_stay(view):
    found = tissue_mask(np.where(view, _tissue(), 0).astype(np.float32))
    assert (found != view).mean() < 0.02
