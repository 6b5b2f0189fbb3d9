"""Tests of the stages of a registration, joined: which run, what each gets, what their fields make together."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from known_networks import Translation, image_of, known_checkpoint, texture
from known_stages import AFFINE, LaterIsBetter, grid, known_alignment, through, turned_down
from scipy.ndimage import map_coordinates

from MetaRegistrationLib.alignment.aligned import (
    aligned_image,
    aligned_points,
    alignment_message,
    other_initial_message,
    total_displacement,
)
from MetaRegistrationLib.commands.failures import sentence
from MetaRegistrationLib.core.losses import RegistrationLoss
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.landmarks import Landmarks
from MetaRegistrationLib.initial_kinds import initial_kinds
from MetaRegistrationLib.progress import Message
from MetaRegistrationLib.refinement import Refinement
from MetaRegistrationLib.registration import pipeline, registrar, steps
from MetaRegistrationLib.registration.measures import carry_landmarks, measure
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.stages import Stages
from MetaRegistrationLib.tasks import TaskPair
from MetaRegistrationLib.training.validation import Validator

OFF = {"initial": "none", "network": False, "refine": 0}
SIZE = 64
STILL = {"row": 0.0, "column": 0.0}


def test_every_declared_kind_is_a_stage_that_can_be_asked_for():
    assert [Stages(kind).initial for kind in initial_kinds()] == list(initial_kinds())
    assert initial_kinds() == ("none", "translation", "rigid", "affine", "landmarks")
    assert initial_kinds(with_landmarks=False) == ("none", "translation", "rigid", "affine")


def test_stages_are_plain_values():
    assert Stages().to_dict() == {"initial": "affine", "network": True, "refine": 30}
    chosen = Stages("rigid", False, 5)
    assert Stages.from_dict(chosen.to_dict()) == chosen
    assert Stages.from_dict({"refine": 0}) == Stages(refine=0)
    with pytest.raises(InputError, match="newer"):
        Stages.from_dict({"polish": 1})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"initial": "elastic"},
            "--initial: expected one of none, translation, rigid, affine, landmarks, got 'elastic'",
        ),
        ({"initial": None}, "--initial: expected"),
        ({"network": "no"}, "--no-network: expected"),
        ({"refine": -1}, "--refine: expected"),
        ({"refine": 2.5}, "--refine: expected"),
        ({"refine": True}, "--refine: expected"),
    ],
)
def test_wrong_stages_name_the_field(values, words):
    with pytest.raises(InputError, match="expected") as caught:
        Stages(**values)
    assert sentence(caught.value).startswith(words)


def test_stages_need_no_torch():
    code = "import sys, MetaRegistrationLib.stages; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=sys.path[0] + "/../..", check=False).returncode == 0


def test_the_total_is_the_exact_composition():
    residual = np.random.default_rng(0).uniform(-8, 8, (2, SIZE, SIZE)).astype(np.float32)
    total = total_displacement(known_alignment(), torch.from_numpy(residual)[None])
    expected = through(AFFINE, grid(SIZE) + residual) - grid(SIZE)
    assert total.dtype == torch.float32
    np.testing.assert_allclose(total[0].numpy(), expected, atol=2e-5)


def test_warping_in_two_steps_is_warping_by_the_total():
    # On a ramp, linear interpolation has no error.
    rows, columns = grid(SIZE)
    ramp = (0.3 * rows - 0.2 * columns + 40).astype(np.float32)
    aligned = aligned_image(ramp, known_alignment())
    moved = through(AFFINE, grid(SIZE))
    expected = 0.3 * moved[0] - 0.2 * moved[1] + 40
    inside = ((moved >= 0) & (moved <= SIZE - 1)).all(axis=0)
    outside = ((moved < -1) | (moved > SIZE)).any(axis=0)
    assert inside.mean() > 0.5 and outside.mean() > 0.02
    np.testing.assert_allclose(aligned[inside], expected[inside], atol=1e-3)
    assert not aligned[outside].any()


def test_points_go_with_the_aligned_image():
    points = np.array([(10.0, 50.0), (31.5, 4.25), (60.0, 33.0)])
    carried = aligned_points(points, known_alignment(), 64)
    np.testing.assert_allclose(through(AFFINE, carried.T).T, points, atol=1e-10)
    assert np.abs(carried - points).max() > 1


def test_without_an_alignment_nothing_is_resampled():
    image, points, residual = texture((SIZE, SIZE)), np.zeros((1, 2)), torch.ones(1, 2, SIZE, SIZE)
    for alignment in (None, known_alignment(np.eye(2, 3))):
        assert aligned_image(image, alignment) is image
        assert aligned_points(points, alignment, 64) is points
        assert total_displacement(alignment, residual) is residual


def test_all_off_leaves_the_image_as_it_is():
    registrar = Registrar(None, "cpu", Stages(**OFF))
    moving, fixed = image_of(texture((80, 80), 1)), image_of(texture((80, 80), 2))
    registration = registrar(moving, fixed)
    assert registrar.network is None and not registration.displacement_px.any()
    np.testing.assert_array_equal(registration.warped(), moving.array)
    assert registration.alignment is None and registration.refinement is None
    record = registration.record()
    assert record["stages"] == OFF and record["alignment"] is None and record["refinement"] is None
    assert list(record["stage_seconds"]) == ["preprocessing", "error"]
    assert registration.moving_on_grid.shape == (400, 400)


def test_a_network_needs_a_checkpoint_and_only_the_network_does():
    with pytest.raises(InputError, match=r"Name one with checkpoint, or leave the network out"):
        Registrar(None, "cpu", Stages())
    # Without the network a checkpoint still says how images are prepared.
    register = Registrar(known_checkpoint("Translation", size=SIZE, **STILL), "cpu", Stages(**OFF))
    assert register.network is None and register.preprocessing.size == SIZE


@pytest.fixture
def stand_ins(monkeypatch):
    """Alignment and refinement that are known, and what each stage was given."""
    seen = {}

    def known_aligner(kind):
        def align(pair, context):
            seen["align"] = (pair, kind, context)
            return known_alignment(kind=kind)

        return align

    def refined(moving, fixed, displacement_px, settings, **inside):
        seen["refine"] = (moving, fixed, displacement_px, settings, inside)
        return Refinement(displacement_px + 1, settings.steps, 0.5, 0.75, 0.01)

    monkeypatch.setattr(steps, "aligner", known_aligner)
    monkeypatch.setattr(steps, "refine", refined)
    # These images have nothing in common.
    monkeypatch.setattr(registrar, "shipped_judge", lambda device: LaterIsBetter())
    monkeypatch.setattr(pipeline, "confidence_of_only_shift", lambda *images, **inside: 1.0)
    return seen


def registered(stages, seen=None, size=SIZE):
    register = Registrar(known_checkpoint("Translation", size=size, row=3.0, column=-2.0), "cpu", stages)
    if seen is not None and register.network is not None:
        known = register.network

        def network(moving, fixed):
            seen["network"] = (moving, fixed)
            return known(moving, fixed)

        register.network = network
    return register(image_of(texture((48, 64), 1)), image_of(texture((64, 64), 2)))


def test_each_stage_gets_what_the_one_before_left(stand_ins):
    registration = registered(Stages("affine", True, 7), stand_ins)
    pair, kind, context = stand_ins["align"]
    moving, fixed = pair.on_grid
    assert kind == "affine" and context.device == torch.device("cpu")
    np.testing.assert_array_equal(moving, registration.moving_on_grid)
    # An image of 48 x 64 does not fill the frame of the fixed one.
    assert pair.fixed.inside.all() and pair.moving.inside.mean() == pytest.approx(0.75)
    assert not moving[~pair.moving.inside].any()
    seen_moving, seen_fixed = (tensor[0, 0].numpy() for tensor in stand_ins["network"])
    np.testing.assert_array_equal(seen_moving, aligned_image(moving, known_alignment()))
    np.testing.assert_array_equal(seen_fixed, fixed)
    unwarped, _, total, settings, inside = stand_ins["refine"]
    for name, mask in inside.items():
        np.testing.assert_array_equal(mask[0, 0].numpy(), getattr(pair, name.removeprefix("inside_")).inside)
    assert set(inside) == {"inside_moving", "inside_fixed"}
    np.testing.assert_array_equal(unwarped[0, 0].numpy(), moving)
    residual = np.array([3.0, -2.0]).reshape(2, 1, 1)
    expected = through(AFFINE, grid(SIZE) + residual) - grid(SIZE)
    np.testing.assert_allclose(total[0].numpy(), expected, atol=2e-5)
    assert settings.steps == 7 and not total.is_inference()
    np.testing.assert_allclose(registration.displacement_px, expected + 1, atol=2e-5)


@pytest.mark.parametrize(
    ("stages", "names"),
    [
        (Stages("rigid", False, 0), ["initial"]),
        (Stages("none", True, 0), ["network"]),
        (Stages("none", False, 3), ["refine"]),
        (Stages("translation", True, 3), ["initial", "network", "refine"]),
    ],
)
def test_only_the_stages_asked_for_run_and_are_timed(stages, names, stand_ins):
    registration = registered(stages, stand_ins)
    known = {"initial": "align", "network": "network", "refine": "refine"}
    assert set(stand_ins) == {known[name] for name in names}
    assert list(registration.stage_seconds) == ["preprocessing", *names, "error"]
    assert 0 < sum(registration.stage_seconds.values()) <= registration.seconds
    assert (registration.alignment is not None) == ("initial" in names)
    assert (registration.refinement is not None) == ("refine" in names)
    row = measure("p", registration, None)
    if "initial" in names:
        assert row.initial == stages.initial and row.confidence == pytest.approx(1.0)
    else:
        assert row.initial == "none" and np.isnan(row.confidence)


def test_landmarks_are_carried_through_all_stages(stand_ins):
    registration = registered(Stages("affine", True, 0), stand_ins)
    fixed = np.array([(20.0, 30.0), (40.0, 25.0)])  # the fixed image is the frame, pixel by pixel
    frame_points = through(AFFINE, fixed.T + np.array([[3.0], [-2.0]])).T
    moving = Landmarks(("a", "b"), registration.moving_grid.to_image(frame_points))
    carried = carry_landmarks(registration, moving, Landmarks(("a", "b"), fixed))
    assert carried.converged.all()
    np.testing.assert_allclose(carried.carried.points, fixed, atol=1e-3)
    assert measure("p", registration, carried).distance_after_px == pytest.approx(0, abs=1e-3)


def test_validation_behind_an_alignment_measures_the_total():
    fixed = np.array([(20.0, 30.0), (40.0, 25.0)])
    moving = through(AFFINE, fixed.T + np.array([[3.0], [-2.0]])).T
    images = [texture((SIZE, SIZE), seed) / 255 for seed in (1, 2)]
    pair = TaskPair(*images, aligned_points(moving, known_alignment(), 64), fixed)
    values = Validator({"t": [pair]}, RegistrationLoss(), torch.device("cpu"))(Translation(row=3.0, column=-2.0))
    assert np.linalg.norm(moving - fixed, axis=1).min() > 3
    assert values["distance_px"] == pytest.approx(0, abs=1e-3)


def test_a_field_that_is_not_finite_is_refused_before_it_is_refined(stand_ins):
    register = Registrar(known_checkpoint("Translation", size=SIZE, **STILL), "cpu", Stages())
    register.network = lambda moving, fixed: torch.full((1, 2, SIZE, SIZE), torch.nan)
    with pytest.raises(InputError, match="not finite"):
        register(image_of(texture((64, 64), 1)), image_of(texture((64, 64), 2)))
    assert "refine" not in stand_ins


def test_the_message_says_what_was_used():
    assert alignment_message("eye 1", None) is None
    assert alignment_message("eye 1", known_alignment()) is None
    fallen = known_alignment(kind="translation", reason="affine: an implausible rotation")
    expected = "initial alignment of eye 1: translation used (affine: an implausible rotation)"
    assert alignment_message("eye 1", fallen) == Message(expected, "info")
    expected = "initial alignment of é is not confident (no common vessels): images left unchanged"
    assert alignment_message("é", turned_down("no common vessels")) == Message(expected, "warning")


@pytest.mark.parametrize(
    ("adapted", "used", "told"),
    [
        (None, "affine", False),
        ("affine", "affine", False),
        ("none", "affine", True),
        ("affine", "none", True),
        ("rigid", "affine", True),
        ("affine", "landmarks", False),  # landmarks align as well as anything
        ("none", "landmarks", True),
    ],
)
def test_another_initial_alignment_than_in_the_adaptation_is_told(adapted, used, told):
    message = other_initial_message(adapted, used)
    assert (message is not None) is told
    assert not told or (repr(adapted) in message.text and repr(used) in message.text and message.level == "warning")


def warped_scene(matrix, size):
    """A fixed image and a moving one with ``moving(A(x)) = fixed(x)``: the moving one is drawn on a wide canvas."""
    wide = texture((3 * size, 3 * size), 5, blur=4.0).astype(np.float64)
    fixed = wide[size : 2 * size, size : 2 * size]
    back = np.linalg.solve(matrix[:, :2], grid(size).reshape(2, -1) - matrix[:, 2:]).reshape(2, size, size)
    moving = map_coordinates(wide, back + size, order=3)
    return image_of(moving), image_of(fixed)


@pytest.mark.parametrize("stages", [Stages("affine", True, 0), Stages("affine", False, 0), Stages("affine", True, 5)])
def test_a_known_affine_warp_is_found(stages):
    size = 128
    angle, centre = np.radians(4), (size - 1) / 2
    linear = 1.02 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shift = np.array([centre, centre]) - linear @ [centre, centre] + [9.0, -6.0]
    matrix = np.column_stack([linear, shift])
    checkpoint = known_checkpoint("Translation", size=size, **STILL)
    registration = Registrar(checkpoint, "cpu", stages)(*warped_scene(matrix, size))
    middle = (slice(None), slice(24, -24), slice(24, -24))
    truth = (through(matrix, grid(size)) - grid(size))[middle]
    error = np.linalg.norm(registration.displacement_px[middle] - truth, axis=0)
    assert np.linalg.norm(truth, axis=0).mean() > 5 and error.mean() < 0.3
    before, after = registration.ncc
    assert before < 0.6 and after > 0.95
    assert registration.alignment.kind == "affine" and not registration.alignment.reason
    assert registration.folding_percent == 0


def test_refinement_alone_brings_a_small_shift_nearer():
    scene = texture((128, 131), 3, blur=4.0)
    images = image_of(scene[:, :128]), image_of(scene[:, 3:])
    checkpoint = known_checkpoint("Translation", size=128, **STILL)
    registration = Registrar(checkpoint, "cpu", Stages("none", False, 30))(*images)
    assert registration.refinement.measure_after > registration.refinement.measure_before
    assert registration.ncc[1] > registration.ncc[0]
    error = np.linalg.norm(registration.displacement_px[:, 20:-20, 20:-20] - [[[0]], [[3]]], axis=0)
    assert error.mean() < 1.5
