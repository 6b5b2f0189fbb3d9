"""What is not known moves nothing, and the candidate with the least predicted error is the result."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from drawn_eyes import drawn_eye
from known_stages import known_map, prepared_pair
from scipy import ndimage

from MetaRegistrationLib.alignment import Alignment
from MetaRegistrationLib.alignment.aligned_pair import AlignedPair
from MetaRegistrationLib.error_map.judge import shipped_judge
from MetaRegistrationLib.refinement import Refinement
from MetaRegistrationLib.registration import steps
from MetaRegistrationLib.registration.companions import NamedNetwork, networks_of
from MetaRegistrationLib.registration.pipeline import Pipeline, StagedField
from MetaRegistrationLib.resources import default_checkpoint, shipped_checkpoints
from MetaRegistrationLib.stages import Stages

SHIFT = np.array([[1.0, 0, 6], [0, 1, -4]])
NETWORK_ALONE = Stages(initial="affine", network=True, refine=0)
CPU = torch.device("cpu")
WIDE = drawn_eye(4, 240)
FIXED, MOVING = WIDE[20:220, 20:220], WIDE[14:214, 24:224]  # moving(x + shift) = fixed(x)


def displacing(row, column):
    def network(moving, fixed):
        field = torch.zeros(1, 2, *fixed.shape[-2:])
        field[:, 0], field[:, 1] = row, column
        return field

    return network


class TrueJudge:
    """Predicts what is true of images whose displacement is a shift."""

    def __init__(self, row, column):
        self._truth = torch.tensor([row, column], dtype=torch.float32)[:, None, None]

    def of_pair(self, moving, fixed, inside_moving, inside_fixed):
        return self

    def with_torn_rows(self, error, field, stored):
        return error

    def __call__(self, fields, origins):
        errors = [float((field[0] - self._truth).norm(dim=0).mean()) for field in fields]
        return [known_map(error, 200) for error in errors]


def register(moving, fixed, network, stages, judge=None) -> StagedField:
    """The field of all stages between two images that fill their network grids."""
    networks = network if isinstance(network, list) else [NamedNetwork("own", network)]
    return Pipeline(stages, networks, CPU, judge or shipped_judge(CPU))(prepared_pair(moving, fixed))


@pytest.fixture
def found(monkeypatch):
    """Makes the initial alignment find a matrix, with a confidence."""

    def lead(matrix, kind="affine", confidence=1.0):
        result = Alignment("affine", kind, matrix, 0.1, 0.9, confidence, 0.0)
        monkeypatch.setattr(steps, "aligner", lambda kind: lambda pair, context: result)

    return lead


@pytest.mark.parametrize("stages", [NETWORK_ALONE, Stages()])
def test_what_is_not_known_moves_nothing(found, stages):
    found(np.eye(2, 3), kind="none", confidence=0.2)

    def network(moving, fixed):
        raise AssertionError("the network must not be asked")

    field = register(MOVING, FIXED, network, stages)
    assert not field.displacement_px.any() and field.refinement is None
    assert (field.result_stage, field.alignment.confidence) == ("none", 0.2)


def test_a_network_that_makes_a_confident_pair_worse_is_not_the_result(found):
    found(SHIFT)
    field = register(MOVING, FIXED, displacing(9.0, 5.0), NETWORK_ALONE)
    assert field.result_stage == "initial"
    assert np.allclose(field.displacement_px, SHIFT[:, 2, None, None])


def test_a_network_that_helps_is_the_result(found):
    found(np.array([[1.0, 0, 2], [0, 1, -4]]))
    field = register(MOVING, FIXED, displacing(4.0, 0.0), NETWORK_ALONE)
    assert field.result_stage == "network"
    assert np.allclose(field.displacement_px, SHIFT[:, 2, None, None], atol=1e-5)


def test_an_alignment_that_the_images_do_not_support_moves_nothing(found):
    found(SHIFT)
    other = drawn_eye(9, 200)
    field = register(other, FIXED, displacing(0.1, 0.1), NETWORK_ALONE)
    assert field.result_stage == "none" and not field.displacement_px.any()
    assert field.alignment.kind == "none" and field.alignment.confidence < 0.5
    assert field.alignment.reason == "the predicted error is too large"


def test_an_alignment_that_leaves_a_corner_in_common_moves_nothing(found):
    """However certain the corner is."""
    size = FIXED.shape[0]
    moved = np.array([[1.0, 0, 0.8 * size], [0, 1, 0.8 * size]])
    found(moved)
    corner = np.zeros_like(FIXED)
    reach = round(0.8 * size)
    corner[reach:, reach:] = FIXED[: size - reach, : size - reach]
    field = register(corner, FIXED, displacing(0.0, 0.0), NETWORK_ALONE)
    assert field.result_stage == "none" and not field.displacement_px.any()
    assert field.alignment.confidence == 0
    assert field.alignment.reason == "the images would have too little in common"


@pytest.mark.parametrize(
    ("matrix", "known", "expected"),
    [
        ([[1, 0, 0], [0, 1, 0]], 1.0, 1.0),
        ([[1, 0, 100], [0, 1, 0]], 0.5, 0.5),  # shifted by half a side
        ([[2, 0, -100], [0, 2, -100]], 0.25, 1.0),  # the moving image fills the middle of the fixed one
        ([[2, 0, -300], [0, 2, -100]], 0.125, 0.5),  # half of that is beyond the border
        ([[0.5, 0, 50], [0, 0.5, 50]], 1.0, 1.0),  # the fixed image is a part of the moving one
    ],
)
def test_the_overlap_is_a_share_of_the_smaller_image(matrix, known, expected):
    alignment = Alignment("affine", "affine", np.array(matrix, float), 0.1, 0.9, 1.0, 0.0)
    seen = AlignedPair.of(prepared_pair(MOVING, FIXED), alignment)
    assert seen.overlap(known) == pytest.approx(expected, rel=0.02)
    half = np.zeros(FIXED.shape, bool)
    half[:100] = True
    masked = AlignedPair.of(prepared_pair(MOVING, FIXED, (half, half)), alignment)
    assert masked.overlap(known / 2) == pytest.approx(expected, rel=0.02), "of the tissue"


class PartlyKnown(TrueJudge):
    """Predicts 3 px in the upper part of the grid, and knows nothing of the rest."""

    def __init__(self, share):
        self._shown = np.repeat((np.arange(50) < 50 * share)[:, None], 50, axis=1).astype(np.float32)

    def __call__(self, fields, origins=()):
        return [replace(known_map(3.0, 200), shown=self._shown) for _ in fields]


@pytest.mark.parametrize(("shift", "kept"), [(20, "initial"), (120, "none")])
def test_an_alignment_that_leaves_little_in_common_needs_certain_positions(found, shift, kept):
    found(np.array([[1.0, 0, shift], [0, 1, 0]]))
    wide = drawn_eye(4, 200 + shift)[:, :200]
    moving, fixed = wide[:200], wide[shift:]
    field = register(moving, fixed, None, Stages("affine", network=False, refine=0), PartlyKnown(1 - shift / 200))
    assert field.result_stage == kept
    assert (field.alignment.confidence >= 0.5) == (kept == "initial")


@pytest.mark.parametrize(
    ("network", "kept", "initial"),
    [
        ("sees", "network", "translation"),
        ("blind", "none", "translation"),
        pytest.param("sees", "network", "affine", marks=pytest.mark.long),
        pytest.param("blind", "none", "affine", marks=pytest.mark.long),
    ],
)
def test_a_network_that_sees_through_a_deformation_makes_a_pair_confident(network, kept, initial):
    """Waves so strong that no affine transform brings the blocks together."""
    rows, columns = np.indices(FIXED.shape).astype(float)
    waves = np.stack((10 * np.sin(columns / 12), 10 * np.cos(rows / 12)))
    positions = np.stack((rows, columns)) + 20
    moving = ndimage.map_coordinates(WIDE, positions, order=1).astype(np.float32)
    fixed = ndimage.map_coordinates(WIDE, positions + waves, order=1).astype(np.float32)

    def seeing(image, _):
        displaced = torch.as_tensor(waves[None], dtype=torch.float32)
        # Only of the images as they lie is the truth known here.
        same = np.abs(image[0, 0].numpy() - moving).max() < 1e-6
        return displaced if network == "sees" and same else torch.zeros_like(displaced)

    field = register(moving, fixed, seeing, Stages(initial, network=True, refine=0))
    assert field.result_stage == kept
    assert (field.alignment.confidence >= 0.5) == (network == "sees")


def test_without_an_alignment_the_field_is_that_of_the_network(found):
    field = register(MOVING, FIXED, displacing(9.0, 5.0), Stages("none", True, 0))
    assert field.result_stage == "network" and np.allclose(field.displacement_px[0], 9.0)
    assert field.error.expected_px > 1.0


@pytest.mark.parametrize(("added", "stage"), [(2.0, "network"), (-0.5, "refine")])
def test_a_refinement_is_the_result_only_if_it_helps(found, monkeypatch, added, stage):
    found(np.array([[1.0, 0, 2], [0, 1, -4]]))
    monkeypatch.setattr(
        steps, "refine", lambda moving, fixed, field, settings, **inside: Refinement(field + added, 7, 0.5, 0.9, 0.01)
    )
    field = register(MOVING, FIXED, displacing(4.5, 0.5), Stages("affine", True, 7), TrueJudge(6.0, -4.0))
    expected = 0.5 + (added if stage == "refine" else 0.0)
    assert field.result_stage == stage and (field.refinement is not None) == (stage == "refine")
    np.testing.assert_allclose(
        field.displacement_px, SHIFT[:, 2, None, None] + np.full((2, 200, 200), expected), atol=1e-5
    )
    assert [each["stage"] for each in field.candidates][-1] == "refine"


def test_images_in_place_are_not_moved(found):
    found(np.array([[1.0, 0, 0.6], [0, 1, -0.4]]))
    field = register(FIXED, FIXED, displacing(0.3, 0.3), NETWORK_ALONE, TrueJudge(0.0, 0.0))
    assert field.result_stage == "none" and not field.displacement_px.any()
    assert field.alignment.confidence >= 0.5


@pytest.mark.parametrize(("rest", "stage"), [(0.9, "none"), (0.7, "initial")])
def test_images_that_are_as_good_as_aligned_are_moved_only_for_a_clear_gain(found, rest, stage):
    found(np.array([[1.0, 0, 1 - rest], [0, 1, 0]]))
    field = register(FIXED, FIXED, displacing(0.0, 0.0), Stages("affine", False, 0), TrueJudge(1.0, 0.0))
    assert field.result_stage == stage


def test_the_best_of_several_networks_is_the_result(found):
    found(np.array([[1.0, 0, 3], [0, 1, -4]]))
    networks = [NamedNetwork("worse", displacing(1.0, 0.0)), NamedNetwork("better", displacing(2.9, 0.0))]
    field = register(MOVING, FIXED, networks, NETWORK_ALONE, TrueJudge(6.0, -4.0))
    assert np.allclose(field.displacement_px[0], 5.9)
    table = {each["name"]: each["expected_error_px"] for each in field.candidates}
    assert table["better"] == pytest.approx(0.1, abs=1e-4) and table["worse"] == pytest.approx(2.0, abs=1e-4)


def test_other_networks_are_not_run_where_little_is_left(found):
    def unneeded(moving, fixed):
        raise AssertionError("one network is enough")

    found(np.array([[1.0, 0, 5], [0, 1, -4]]))
    networks = [NamedNetwork("own", displacing(0.9, 0.0)), NamedNetwork("other", unneeded, second=True)]
    assert register(MOVING, FIXED, networks, NETWORK_ALONE, TrueJudge(6.0, -4.0)).result_stage == "network"


def test_every_candidate_is_made_where_it_is_asked_for(found):
    found(np.array([[1.0, 0, 5], [0, 1, -4]]))
    networks = [NamedNetwork("own", displacing(0.9, 0.0)), NamedNetwork("other", displacing(3.0, 0.0), second=True)]
    pipeline = Pipeline(NETWORK_ALONE, networks, CPU, TrueJudge(6.0, -4.0))
    usual, every = (
        {each.name for each in pipeline.candidates(prepared_pair(MOVING, FIXED), every=wanted)[1]}
        for wanted in (False, True)
    )
    assert usual == {"affine", "own"} and every == usual | {"none", "other", "own, other"}


def test_a_network_that_is_run_again_goes_on_from_the_best_field(found):
    found(np.eye(2, 3))
    networks = [
        NamedNetwork("first", displacing(3.0, -2.0)),
        NamedNetwork("second", displacing(2.9, -2.0), second=True),
    ]
    field = register(MOVING, FIXED, networks, NETWORK_ALONE, TrueJudge(6.0, -4.0))
    assert np.allclose(field.displacement_px[:, 50, 50], (5.9, -4.0), atol=1e-5)
    assert field.candidates[-1]["name"] == "first, second"


def test_the_networks_beside_one_of_the_shipped_ones():
    from MetaRegistrationLib.checkpoints import load_checkpoint

    default = load_checkpoint(default_checkpoint())
    assert [each.name for each in networks_of(default, None, CPU)] == ["coarse_to_fine_any", "coarse_to_fine_meta"]
    assert [each.second for each in networks_of(default, None, CPU)] == [False, True]
    other = next(load_checkpoint(path) for path in shipped_checkpoints() if "voxelmorph" in path.name)
    assert len(networks_of(other, None, CPU)) == 1  # of another architecture


@pytest.mark.parametrize(
    ("drawn", "hides", "seen"),
    [(False, False, [False]), (False, True, [False]), (True, True, [False]), (True, False, [False, True])],
)
def test_a_network_sees_images_continued_only_beyond_a_drawn_border_that_hides_nothing(drawn, hides, seen):
    asked = []

    def images(*, continued):
        asked.append(continued)
        return np.full((8, 8), float(continued), np.float32), np.zeros((8, 8), np.float32)

    pair = SimpleNamespace(
        drawn_border=drawn, hides_tissue=lambda found: hides, network_images=images, total=lambda found: found
    )
    step = steps.NetworkStep(lambda moving, fixed: moving.expand(1, 2, 8, 8), CPU)
    assert (step(pair) == float(seen[-1])).all() and asked == seen


@pytest.mark.parametrize("drawn", [True, False])
def test_a_network_that_is_run_again_sees_the_moved_image_continued_beyond_a_drawn_border(drawn):
    rng, inside = np.random.default_rng(0), np.zeros((16, 16), bool)
    inside[4:12, 4:12] = True
    moving, fixed = (np.where(inside, rng.uniform(0.2, 1, inside.shape), 0).astype(np.float32) for _ in range(2))
    pair = SimpleNamespace(moving=moving, fixed=fixed, inside_moving=inside, inside_fixed=inside, drawn_border=drawn)
    seen = []

    def network(*images):
        seen.extend(image[0, 0].numpy() for image in images)
        return torch.full((1, 2, 16, 16), 0.5)

    found = torch.zeros(1, 2, 16, 16)
    found[:, 0] = 2.0
    total = steps.NetworkStep(network, CPU).again(pair, found)
    np.testing.assert_allclose(
        total[0, :, 5:10, 5:10].numpy(), np.array([2.5, 0.5])[:, None, None] + np.zeros((2, 5, 5))
    )
    shown = np.zeros_like(inside)
    shown[4:10, 4:12] = True  # inside the fixed image, and inside the moving one after two rows
    np.testing.assert_allclose(seen[0][shown], moving[6:12, 4:12].ravel(), atol=1e-6)
    np.testing.assert_array_equal(seen[1][shown], fixed[shown])
    for image in seen:
        assert (image.min() >= 0.2) is np.bool_(drawn)
