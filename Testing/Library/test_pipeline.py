"""What is not known moves nothing, and a later stage does not make a sure pair worse."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from known_stages import prepared_pair
from scipy import ndimage

from MetaRegistrationLib.alignment import Alignment
from MetaRegistrationLib.calibration import network_calibration
from MetaRegistrationLib.registration import steps
from MetaRegistrationLib.registration.acceptance import network_is_believed, refinement_helps
from MetaRegistrationLib.registration.pipeline import Pipeline, StagedField
from MetaRegistrationLib.simulation import draw_phantom
from MetaRegistrationLib.stages import Stages

SHIFT = np.array([[1.0, 0, 6], [0, 1, -4]])
NETWORK_ALONE = Stages(initial="affine", network=True, refine=0)
CPU = torch.device("cpu")
WIDE = draw_phantom(np.random.default_rng(4), size=240).image
FIXED, MOVING = WIDE[20:220, 20:220], WIDE[14:214, 24:224]  # moving(x + shift) = fixed(x)


def displacing(row, column):
    def network(moving, fixed):
        field = torch.zeros(1, 2, *fixed.shape[-2:])
        field[:, 0], field[:, 1] = row, column
        return field

    return network


def register(moving, fixed, network, stages) -> StagedField:
    """The field of all stages between two images that fill their network grids."""
    limits = network_calibration("coarse_to_fine", any_contrast=False)
    return Pipeline(stages, network, CPU, limits)(prepared_pair(moving, fixed))


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


def test_a_network_that_makes_a_sure_pair_worse_is_not_kept(found):
    found(SHIFT)
    field = register(MOVING, FIXED, displacing(9.0, 5.0), NETWORK_ALONE)
    assert field.result_stage == "initial"
    assert np.allclose(field.displacement_px, SHIFT[:, 2, None, None])


def test_a_network_that_helps_is_kept(found):
    found(np.array([[1.0, 0, 5], [0, 1, -4]]))
    field = register(MOVING, FIXED, displacing(1.0, 0.0), NETWORK_ALONE)
    assert field.result_stage == "network"
    assert np.allclose(field.displacement_px, SHIFT[:, 2, None, None], atol=1e-5)


def test_a_network_is_not_believed_where_the_images_show_other_things(found):
    found(np.eye(2, 3))
    other = draw_phantom(np.random.default_rng(9), size=200).image
    field = register(other, FIXED, displacing(0.1, 0.1), NETWORK_ALONE)
    assert field.result_stage == "initial" and not field.displacement_px.any()


@pytest.mark.parametrize(("network", "kept"), [("sees", "network"), ("blind", "none")])
def test_a_network_that_sees_through_a_deformation_makes_a_pair_sure(monkeypatch, network, kept):
    """Waves so strong that no affine transform brings the blocks together."""
    rows, columns = np.indices(FIXED.shape).astype(float)
    waves = np.stack((14 * np.sin(columns / 9), 14 * np.cos(rows / 8)))
    positions = np.stack((rows, columns)) + 20
    moving = ndimage.map_coordinates(WIDE, positions, order=1).astype(np.float32)
    fixed = ndimage.map_coordinates(WIDE, positions + waves, order=1).astype(np.float32)

    def seeing(image, _):
        displaced = torch.as_tensor(waves[None], dtype=torch.float32)
        # Only of the images as they lie is the truth known here.
        same = np.abs(image[0, 0].numpy() - moving).max() < 1e-6
        return displaced if network == "sees" and same else torch.zeros_like(displaced)

    field = register(moving, fixed, seeing, NETWORK_ALONE)
    assert field.result_stage == kept
    assert (field.alignment.confidence >= 0.5) == (network == "sees")


def test_without_an_alignment_the_field_is_that_of_the_network(found):
    field = register(MOVING, FIXED, displacing(9.0, 5.0), Stages("none", True, 0))
    assert field.result_stage == "network" and np.allclose(field.displacement_px[0], 9.0)


@pytest.mark.parametrize(
    ("knows_contrasts", "gain", "all_directions", "believed"),
    [
        (True, 0.2, -0.1, True),  # T1 to T2: ridges turn to valleys
        (True, 0.05, -0.1, False),
        (False, 0.3, 0.4, False),  # other stains: it matches what does not belong together
        (False, 0.02, 0.6, True),
        (False, 0.01, 0.6, False),  # nothing was left to deform: what it adds is its own noise
        (True, -0.05, 0.6, False),
    ],
)
def test_a_field_is_believed_by_its_gain_only_of_a_network_that_knows_contrasts(
    knows_contrasts, gain, all_directions, believed
):
    limits = network_calibration("coarse_to_fine", any_contrast=knows_contrasts)
    assert network_is_believed(gain, all_directions, limits) is believed


@pytest.mark.parametrize(
    ("all_directions", "start", "gain", "kept"),
    [
        (0.6, 0.6, 0.03, True),  # OCTA repeats: half a pixel was left
        (0.6, 0.6, 0.005, False),  # a wide field that the alignment brought together to a tenth of a pixel
        (0.6, 0.6, -0.05, False),
        (-0.1, 0.75, 0.025, False),  # T1 and T2 that lie in place: nothing to gain, only to lose
        (-0.1, 0.45, 0.27, True),
        (0.2, 0.2, 0.03, True),  # two stains: little agrees, and more does then
    ],
)
def test_a_refinement_of_unlike_contrasts_has_to_gain_something(all_directions, start, gain, kept):
    assert refinement_helps(gain, start, all_directions) is kept
