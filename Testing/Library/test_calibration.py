"""Every threshold says what it is, and the decisions that hang on the thresholds are pinned on both sides of each.

The rows of `pinned_decisions.json` are features of the shipped sample pairs: as they are, with noise, under drawn looks, and
of two eyes against one another. Fields are those of the shipped network and of the refinement, scaled to come near a threshold.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from known_networks import image_of
from known_stages import known_alignment, turned_down

from MetaRegistrationLib import calibration
from MetaRegistrationLib.alignment.aligned import alignment_message, hides_tissue
from MetaRegistrationLib.alignment.confidence import confidence_of
from MetaRegistrationLib.alignment.from_points import align_by_points
from MetaRegistrationLib.alignment.quadratic import enough_agree, plausible
from MetaRegistrationLib.alignment.reframing import reframed
from MetaRegistrationLib.alignment.search import _is_in_place
from MetaRegistrationLib.calibration import Threshold, network_calibration
from MetaRegistrationLib.core.borders import is_drawn
from MetaRegistrationLib.core.burnt_marks import burnt_marks
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.core.preprocessing import Preprocessing, pair_grids, stretched_grid
from MetaRegistrationLib.core.tissue import tissue_mask
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.images import check_image
from MetaRegistrationLib.pairs.files import check_sizes
from MetaRegistrationLib.training.pair_kinds import PairKind
from MetaRegistrationLib.visits.series import AlignedVisit, Series, Visit
from MetaRegistrationLib.visits.unknown import folded

BENCHMARKS = Path(__file__).parents[1] / "Benchmarks"
ROWS = json.loads((Path(__file__).parent / "pinned_decisions.json").read_text(encoding="utf-8"))
THRESHOLDS = {name: value for name, value in vars(calibration).items() if isinstance(value, Threshold)}
SIDE = 200


def pinned(rule):
    return pytest.mark.parametrize("row", ROWS[rule], ids=lambda row: row["source"])


def near(value, below, above):
    """Two cases: a feature just below a threshold and just above it, and what follows from each."""
    return [(0.97 * value, below), (1.03 * value, above)]


@pytest.mark.parametrize("name", THRESHOLDS)
def test_a_threshold_says_what_it_is(name):
    threshold = THRESHOLDS[name]
    assert math.isfinite(threshold.value) and threshold.unit.strip()
    assert threshold.measured_on.strip().endswith(".")
    again = threshold.measured_again_by
    assert again == "none" or (BENCHMARKS / again).is_file()


def test_no_threshold_changes_by_mistake():
    """Who changes one on purpose measures again what its entry names, and then changes the pinned value."""
    values = json.loads((Path(__file__).parent / "pinned_thresholds.json").read_text(encoding="utf-8"))
    assert {name: threshold.value for name, threshold in THRESHOLDS.items()} == values


def test_a_checkpoint_s_values_come_before_the_defaults():
    assert network_calibration(any_contrast=False).smooth_below == calibration.SMOOTH_BELOW.value
    assert network_calibration(any_contrast=True).smooth_below == calibration.SMOOTH_BELOW_ANY_CONTRAST.value
    assert network_calibration(any_contrast=True, own={"smooth_below": 0.5}).smooth_below == 0.5
    for wrong in ({"unheard_of": 1.0}, {"smooth_below": "much"}, {"smooth_below": True}, {"smooth_below": math.nan}):
        with pytest.raises(ValueError, match="calibration: expected numbers"):
            network_calibration(any_contrast=False, own=wrong)


def test_a_checkpoint_of_an_earlier_version_is_read():
    former = {"network_gain": 0.5, "contrast_gain": 1, "half_confident": 0.5, "steepness": 20, "network_agreement": 0.5}
    assert network_calibration(any_contrast=False, own=former) == network_calibration(any_contrast=False)


@pinned("confidence")
def test_how_confident_a_place_of_the_search_is(row):
    found = confidence_of(row["height"], row["blocks"], row["agreeing"], whole=row["whole"])
    assert found == pytest.approx(row["expected"], rel=0.01)


@pytest.mark.parametrize(("confidence", "level"), [(0.49, "warning"), (0.51, "info")])
def test_from_which_confidence_on_an_alignment_counts(confidence, level):
    alignment = known_alignment(kind="rigid", reason="as pinned", confidence=confidence)
    assert alignment_message("a pair", alignment).level == level
    assert alignment_message("a pair", turned_down("as pinned")).level == "warning"


@pytest.mark.parametrize(
    ("share", "before", "after", "accepted"),
    [
        (0.82, 20, 40, True),
        (0.78, 20, 40, False),
        (0.9, 20, 36, True),
        (0.9, 20, 35, False),
        (0.9, 41, 40, False),
    ],
)
def test_whether_enough_blocks_agree_on_a_bend(share, before, after, accepted):
    assert enough_agree(share, before, after) is accepted


@pytest.mark.parametrize(("greatest", "expected"), [(0.0097, False), (0.0103, True), (0.2425, True), (0.2575, False)])
def test_how_strong_a_bend_may_be(greatest, expected):
    bend = np.array([[0.0, 0.0, greatest], [0.0, 0.0, 0.0]])  # rows by the square of the column: no area changes
    assert plausible(np.eye(2, 3), bend) is expected


@pytest.mark.parametrize(("determinant", "expected"), [(0.31, True), (0.29, False)])
def test_how_far_a_bend_may_shrink_areas(determinant, expected):
    narrow = 0.7  # along the rows, so that the bend stays below the greatest one
    bend = np.array([[narrow * (1 - determinant) / 2, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert plausible(np.array([[narrow, 0.0, 0.0], [0.0, 1 / narrow, 0.0]]), bend) is expected


@pytest.mark.parametrize(
    ("grain", "roughness", "below", "octa", "smooth"),
    [
        (0.92, 0.008, "SMOOTH_BELOW", True, True),
        (0.88, 0.008, "SMOOTH_BELOW", False, True),
        (1.2, 0.0137, "SMOOTH_BELOW", True, True),
        (1.2, 0.0143, "SMOOTH_BELOW", False, False),
        (1.2, 0.0049, "SMOOTH_BELOW_ANY_CONTRAST", True, True),
        (1.2, 0.0051, "SMOOTH_BELOW_ANY_CONTRAST", False, False),
    ],
)
def test_what_pairs_look_like(grain, roughness, below, octa, smooth):
    found = PairKind(grain, roughness, smooth_below=THRESHOLDS[below].value)
    assert (found.octa, found.smooth) == (octa, smooth)


@pytest.mark.parametrize(("contrast_similarity", "alike"), near(0.1, False, True))
def test_whether_contrasts_are_alike(contrast_similarity, alike):
    assert PairKind(1.0, 0.01, contrast_similarity).alike is alike


@pytest.mark.parametrize(("error_px", "inconsistent"), near(0.5, [], ["b"]))
def test_from_which_round_trip_error_on_a_visit_is_inconsistent(error_px, inconsistent):
    image = image_of(np.zeros((20, 20), np.float32))
    visits = [AlignedVisit(Visit(name, image), None) for name in "ab"]
    assert Series(0, "", visits, [1.0, 1.0], {("b", "c"): error_px}).inconsistent == inconsistent


@pytest.mark.parametrize(("area", "measurable"), [(0.29, False), (0.31, True), (2.91, True), (3.09, False)])
def test_how_much_a_field_may_change_areas(area, measurable):
    positions = np.moveaxis(np.indices((8, 8)).astype(float), 0, -1) * [area, 1.0]
    assert folded(positions).any() is np.bool_(not measurable)


@pytest.mark.parametrize(("notch", "drawn"), [(0.28, True), (0.32, False)])
def test_from_which_outline_on_a_border_is_drawn(notch, drawn):
    inside = np.ones((SIDE, SIDE), dtype=bool)
    inside[:10] = inside[-10:] = False
    outline = 2 * (SIDE + SIDE - 20) - 4
    # Two sides of the rectangle lose that share of the outline, its corners stay.
    lost = round(notch * outline / 2) + 4
    first = (SIDE - lost) // 2
    inside[10:16, first : first + lost] = inside[-16:-10, first : first + lost] = False
    assert is_drawn(inside, inside) is drawn


@pytest.mark.parametrize(("beyond", "hidden"), [(17, False), (18, True)])
def test_which_tissue_a_border_hides(beyond, hidden):
    """A strip of 8 columns in which the network finds tissue so many rows beyond what both images show."""
    size = 475  # so that no whole number of pixels is the reach itself
    moving, fixed = (np.zeros((size, size), dtype=bool) for _ in range(2))
    moving[100:300, 200:208] = fixed[100:400, 200:208] = True
    residual = torch.zeros(1, 2, size, size)
    residual[:, 0] = -beyond
    assert hides_tissue(residual, known_alignment(np.eye(2, 3)), (moving, fixed)) is hidden


@pytest.mark.parametrize(
    ("height", "spacing", "words"),
    [
        (1940, 1.0, None),
        (2060, 1.0, "aspect"),
        (1000, 3.88, None),
        (1000, 4.12, "fields of view"),
    ],
)
def test_which_images_are_no_pair(height, spacing, words):
    fixed = image_of(np.zeros((1000, 1000)), spacing=(1.0, 1.0), spacing_known=True)
    moving = image_of(np.zeros((height, 1000)), spacing=(spacing, spacing), spacing_known=True)
    if words is None:
        check_sizes(moving, fixed)
    else:
        with pytest.raises(InputError, match=words):
            check_sizes(moving, fixed)


@pytest.mark.parametrize(
    ("side", "finite", "words"),
    [
        (16, 1.0, None),
        (15, 1.0, "too few"),
        (100, 0.103, None),
        (100, 0.097, "NaN or infinite"),
    ],
)
def test_which_images_are_refused(side, finite, words):
    array = np.arange(side * side, dtype=float)
    array[round(finite * array.size) :] = np.nan
    image = image_of(array.reshape(side, side))
    if words is None:
        check_image(image)
    else:
        with pytest.raises(InputError, match=words):
            check_image(image)


@pytest.mark.parametrize(("scale", "own_grid"), [(1.097, False), (1.103, True), (1 / 1.097, False), (1 / 1.103, True)])
def test_from_which_scale_on_a_moving_image_gets_its_own_grid(scale, own_grid):
    image = image_of(np.random.default_rng(0).random((64, 64)))
    alignment = known_alignment(np.array([[scale, 0, 0], [0, scale, 0.0]]))
    mask, frame = np.ones((64, 64), dtype=bool), stretched_grid((64, 64), 64)
    assert (reframed(image, mask, frame, alignment, Preprocessing(size=64)) is not None) is own_grid


@pytest.mark.parametrize(("height", "same"), [(1007, True), (1013, False)])
def test_which_images_of_unknown_pixel_size_show_the_same(height, same):
    moving, fixed = Geometry((height, 1000)), Geometry((1000, 1000))
    assert (pair_grids(moving, fixed, 100)[0].scale[0] == height / 100) is same


@pytest.mark.parametrize(("extent", "same"), [(1.017, True), (1.023, False)])
def test_which_images_of_known_pixel_size_show_the_same(extent, same):
    moving = Geometry((1000, 1000), spacing=(0.01 * extent, 0.01 * extent), spacing_known=True)
    fixed = Geometry((1000, 1000), spacing=(0.01, 0.01), spacing_known=True)
    assert (pair_grids(moving, fixed, 100)[0].scale[0] == 10.0) is same


@pytest.mark.parametrize(("shift", "near_identity"), [(0.97, True), (1.03, False)])
def test_what_counts_as_aligned_already(shift, near_identity):
    assert _is_in_place(np.array([[1.0, 0, 0.005 * shift], [0, 1, 0]])) is near_identity


@pytest.mark.parametrize(("width", "in_a_line"), [(0.0776, True), (0.0824, False)])
def test_which_landmarks_lie_in_a_line(width, in_a_line):
    points = 100 * np.array([(1.0, width), (1.0, -width), (-1.0, width), (-1.0, -width)])
    if in_a_line:
        with pytest.raises(InputError, match="line"):
            align_by_points(points, points)
    else:
        assert align_by_points(points, points).kind == "landmarks"


@pytest.mark.parametrize(("count", "affine"), [(5, False), (6, True)])
def test_how_many_landmarks_give_an_affine_transform(count, affine):
    points = np.array([(0.0, 0), (0, 90), (80, 0), (70, 70), (20, 50), (60, 10)])[:count]
    found = align_by_points(points * [1.0, 1.2], points).matrix
    assert bool(abs(found[1, 1] - found[0, 0]) > 0.1) is affine
    with pytest.raises(InputError, match="at least 3"):
        align_by_points(points[:2], points[:2])


def bordered(level, ripple, ramp=0.0):
    """Tissue whose robust range is 0 to 1, with a border at one side: a level, a chequered ripple, a ramp along it."""
    rng = np.random.default_rng(0)
    image = rng.uniform(0.0, 1.0, (SIDE, SIDE))
    ends = rng.random((SIDE, SIDE))
    image[ends < 0.05], image[ends > 0.95] = 0.0, 1.0
    rows, columns = np.indices((SIDE, 60))
    image[:, :60] = level + ripple * (-1.0) ** (rows + columns) + ramp * (rows / (SIDE - 1) - 0.5)
    return image.astype(np.float32)


@pytest.mark.parametrize(
    ("level", "ripple", "ramp", "border"),
    [
        (0.0776, 0.01, 0.0, True),
        (0.0824, 0.01, 0.0, False),
        (0.04, 0.029, 0.0, True),
        (0.04, 0.031, 0.0, False),
        (0.04, 0.01, 0.0283 / 0.8, True),
        (0.04, 0.01, 0.0315 / 0.8, False),
        (0.5, 0.00095, 0.0, True),
        (0.5, 0.00105, 0.0, False),
        (0.5, 0.0, 0.0097 / 0.8, True),
        (0.5, 0.0, 0.0103 / 0.8, False),
    ],
)
def test_what_counts_as_a_border(level, ripple, ramp, border):
    tissue = tissue_mask(bordered(level, ripple, ramp))
    assert tissue[:, 80:].all()
    assert tissue[:, :50].mean() == (0.0 if border else 1.0)


def with_bar(contrast, difference=0.0):
    """Two images of one grey value with a bar of another; the ends of the range are somewhere else in each."""
    images = []
    for side in (0, 1):
        image = np.full((SIDE, SIDE), 0.4)
        image[:, 100 * side :][90:95, 5:95] = np.linspace(0, 1, 90)
        image[150:154, 40:160] = 0.4 + contrast + side * difference
        image[0, 0], image[0, 1] = 0.0, 1.0
        images.append(image.astype(np.float32))
    return images


@pytest.mark.parametrize(
    ("contrast", "difference", "found"),
    [(0.155, 0.0, True), (0.145, 0.0, False), (0.3, 0.0145, True), (0.3, 0.0155, False)],
)
def test_what_counts_as_a_mark(contrast, difference, found):
    assert burnt_marks(*with_bar(contrast, difference))[151, 50:150].all() is np.bool_(found)
