"""What every kind of initial alignment promises, and what it takes to add one."""

from __future__ import annotations

import argparse
import json
import math
from functools import cache

import numpy as np
import pytest
import torch
from drawn_eyes import drawn_eye
from known_networks import image_of
from known_stages import LaterIsBetter, prepared_pair

from MetaRegistrationLib import initial_kinds as kinds
from MetaRegistrationLib.alignment import Alignment
from MetaRegistrationLib.alignment.aligner import AlignmentContext
from MetaRegistrationLib.alignment.registry import aligner
from MetaRegistrationLib.calibration import LEAST_CONFIDENCE
from MetaRegistrationLib.commands.options import add_initial
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.initial_kinds import NONE, InitialKind, initial_kinds, needs_landmarks
from MetaRegistrationLib.panel.stage_choices import initial_choices
from MetaRegistrationLib.registration import registrar
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.stages import Stages

SIZE = 200
SHIFT = np.array([6.0, -4.0])
WIDE = drawn_eye(4, 240)
FIXED = WIDE[20:220, 20:220]
MOVING = WIDE[14:214, 24:224]  # moving(x + SHIFT) = fixed(x)
OTHER = drawn_eye(9, SIZE)
POINTS = np.array([(40.0, 50.0), (150.0, 60.0), (90.0, 160.0), (120.0, 110.0)])


class ByCentreOfMass:
    """A kind of alignment that a program of somebody else declares."""

    needs_landmarks = False

    def __init__(self, name):
        self.name = name

    def __call__(self, pair, context):
        centres = [self._centre(image) for image in pair.on_grid]
        matrix = np.column_stack((np.eye(2), centres[0] - centres[1]))
        return Alignment(self.name, self.name, matrix, 0.0, 0.0, 1.0, 0.0)

    @staticmethod
    def _centre(image):
        return np.array([(grid * image).sum() for grid in np.indices(image.shape)]) / image.sum()


def by_matrix(matrix, confidence=1.0, bend=None):
    """What an alignment of somebody else gives."""
    return Alignment(OWN.name, OWN.name, matrix, 0.0, 0.0, confidence, 0.0, bend=bend)


OWN = InitialKind("centre of mass", f"{__name__}:ByCentreOfMass")


@cache
def shifted(kind):
    """What a kind finds of the pair with the shift."""
    return aligner(kind)(prepared_pair(MOVING, FIXED), context(SHIFT))


def context(shift=(0.0, 0.0)):
    return AlignmentContext(torch.device("cpu"), landmarks=(POINTS + shift, POINTS))


@pytest.mark.parametrize("kind", initial_kinds())
class TestAlignmentContract:
    @pytest.fixture
    def align(self, kind):
        return aligner(kind)

    def test_it_says_its_name_and_what_it_needs(self, kind, align):
        assert (align.name, align.needs_landmarks) == (kind, needs_landmarks(kind))

    def test_equal_images_stay_where_they_are(self, align):
        found = align(prepared_pair(FIXED, FIXED), context())
        assert np.abs(found.displacement(SIZE)).max() < 0.05

    def test_a_shift_is_found(self, kind):
        found = shifted(kind)
        expected = SHIFT * (kind != NONE)
        assert np.abs(found.displacement(SIZE) - expected[:, None, None]).max() < 1.0
        assert np.abs(found.matrix @ [99.5, 99.5, 1.0] - 99.5 - expected).max() < 0.3

    def test_the_result_says_what_was_asked_and_how_confident_it_is(self, kind, align):
        found = shifted(kind)
        assert isinstance(found, Alignment) and found.requested == found.kind == kind
        assert found.matrix.shape == (2, 3) and found.matrix.dtype == np.float64 and found.seconds >= 0
        if align.needs_landmarks:
            assert math.isnan(found.confidence)
        else:
            assert 0 <= found.confidence <= 1
            assert (found.confidence >= LEAST_CONFIDENCE.value) is (kind != NONE)

    def test_the_record_goes_to_a_file_and_back(self, kind):
        found = shifted(kind)
        back = Alignment.from_dict(json.loads(json.dumps(found.to_dict())))
        assert back.to_dict() == found.to_dict()
        np.testing.assert_array_equal(back.displacement(SIZE), found.displacement(SIZE))

    def test_it_leaves_pair_and_torch_as_they_are(self, kind, align):
        pair, device = prepared_pair(MOVING.copy(), FIXED.copy()), torch.empty(0).device
        again = align(pair, context(SHIFT))
        np.testing.assert_array_equal(again.matrix, shifted(kind).matrix)
        np.testing.assert_array_equal(pair.moving.on_grid, MOVING)
        np.testing.assert_array_equal(pair.fixed.on_grid, FIXED)
        assert torch.empty(0).device == device and torch.is_grad_enabled()


SEARCHED = [
    # Quickly by translation here, and by turns of real images in test_alignment.
    pytest.param(kind, marks=pytest.mark.long if kind in ("rigid", "affine") else ())
    for kind in initial_kinds()
    if not needs_landmarks(kind)  # landmarks are believed
]


@pytest.mark.parametrize("kind", SEARCHED)
def test_unrelated_images_move_nothing(kind):
    found = aligner(kind)(prepared_pair(OTHER, FIXED), context())
    assert found.kind == NONE and found.confidence < LEAST_CONFIDENCE.value
    assert not found.displacement(SIZE).any() and (found.reason or kind == NONE)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
@pytest.mark.parametrize("kind", initial_kinds())
def test_it_computes_on_a_gpu_and_gives_arrays_all_the_same(kind):
    pair = prepared_pair(MOVING, FIXED)
    on_gpu = AlignmentContext(torch.device("cuda"), landmarks=(POINTS + SHIFT, POINTS))
    found, expected = aligner(kind)(pair, on_gpu), aligner(kind)(pair, context(SHIFT))
    assert np.abs(found.displacement(SIZE) - expected.displacement(SIZE)).max() < 0.05


@pytest.mark.parametrize("kind", [kind for kind in initial_kinds() if needs_landmarks(kind)])
def test_without_landmarks_a_kind_that_needs_them_says_so(kind):
    with pytest.raises(InputError, match="landmarks"):
        aligner(kind)(prepared_pair(MOVING, FIXED), AlignmentContext())


@pytest.fixture
def own_kind(monkeypatch):
    """One more kind, declared as a program that imports the library declares it."""
    monkeypatch.setattr(kinds, "_DECLARED", list(kinds.declared()))
    kinds.declare(OWN)
    return OWN.name


def test_a_declared_kind_is_registered_with(own_kind, monkeypatch):
    # The predicted error would reject it: a centre of mass is far from the truth here.
    monkeypatch.setattr(registrar, "shipped_judge", lambda device: LaterIsBetter())
    registration = Registrar(None, "cpu", Stages(own_kind, False, 0))(image_of(MOVING), image_of(FIXED))
    assert (registration.alignment.kind, registration.result_stage) == (own_kind, "initial")
    assert registration.record()["stages"]["initial"] == own_kind and registration.displacement_px.any()


SHIFTED = np.array([[1.0, 0, 2], [0, 1, 3]])
NO_ALIGNMENTS = {
    "another object": (SHIFTED, "expected an Alignment, got ndarray"),
    "NaN": (by_matrix(np.full((2, 3), np.nan)), "expected a matrix of finite numbers, got .*nan"),
    "3 x 3": (by_matrix(np.eye(3)), r"expected a matrix of shape \(2, 3\), got \(3, 3\)"),
    "text": (by_matrix([["a", 0, 0], [0, 1, 0]]), "expected a matrix of numbers"),
    "singular": (by_matrix(np.zeros((2, 3))), "expected an invertible matrix"),
    "bend": (by_matrix(SHIFTED, bend=np.zeros(3)), r"expected a bend of shape \(2, 3\), got \(3,\)"),
    "confidence": (by_matrix(SHIFTED, confidence=None), "expected a confidence from 0 to 1, or NaN, got None"),
}


@pytest.mark.parametrize("case", NO_ALIGNMENTS)
def test_what_is_no_alignment_is_refused_with_the_name_of_its_kind(case, own_kind, monkeypatch):
    found, said = NO_ALIGNMENTS[case]
    monkeypatch.setattr(ByCentreOfMass, "__call__", lambda *arguments: found)
    with pytest.raises(InputError, match=f"The initial alignment 'centre of mass': {said}"):
        Registrar(None, "cpu", Stages(own_kind, False, 0))(image_of(MOVING), image_of(FIXED))


def test_a_matrix_may_be_a_list(own_kind, monkeypatch):
    monkeypatch.setattr(ByCentreOfMass, "__call__", lambda *arguments: by_matrix(SHIFTED.tolist()))
    np.testing.assert_array_equal(aligner(own_kind)(None, None).matrix, SHIFTED)


def test_a_declared_kind_is_a_choice_of_command_line_and_panel(own_kind):
    parser = argparse.ArgumentParser()
    add_initial(parser)
    assert parser.parse_args(["--initial", own_kind]).initial == own_kind
    names = [choice.value for choice in initial_choices()]
    assert names == [own_kind, "affine", "rigid", "translation", "landmarks", "none"]
    assert initial_choices()[own_kind].label() == own_kind


def test_a_kind_is_declared_once(own_kind):
    kinds.declare(OWN)  # a cell of a notebook that runs again
    assert kinds.declared().count(OWN) == 1
    with pytest.raises(ValueError, match="already"):
        kinds.declare(InitialKind(OWN.name, "another.module:Thing"))


@pytest.mark.parametrize("implementation", ["no_such_package.module:Thing", ".from_points:NoSuchThing"])
def test_a_kind_that_cannot_be_imported_is_named(monkeypatch, implementation):
    monkeypatch.setattr(kinds, "_DECLARED", [InitialKind("mine", implementation)])
    with pytest.raises(InputError, match="mine cannot be imported"):
        aligner("mine")


def test_an_unknown_kind_is_refused():
    with pytest.raises(InputError, match="'elastic'"):
        aligner("elastic")
