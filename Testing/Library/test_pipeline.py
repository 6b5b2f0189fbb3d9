"""A doubtful initial alignment is dropped where the network matches the images better without it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from training_helpers import texture

from MetaRegistrationLib import pipeline
from MetaRegistrationLib.alignment import Alignment
from MetaRegistrationLib.pipeline import register_frames
from MetaRegistrationLib.stages import Stages

SHIFT = np.array([[1.0, 0, 6], [0, 1, -4]])
NETWORK_ALONE = Stages(initial="affine", network=True, refine=0)


def no_displacement(moving, fixed):
    return torch.zeros(1, 2, *fixed.shape[-2:])


@pytest.fixture
def astray(monkeypatch):
    """Makes `align` find a shift, with the correlation that is asked for."""

    def lead(correlation):
        found = Alignment("affine", "affine", SHIFT, 0.1, correlation, 1.0, 0.0)
        monkeypatch.setattr(pipeline, "align", lambda *_, **__: found)

    return lead


def test_a_doubtful_alignment_that_leads_astray_is_dropped(astray):
    astray(0.2)
    image = texture(2)
    field = register_frames(image, image, no_displacement, NETWORK_ALONE, torch.device("cpu"))
    assert field.alignment.kind == "none" and field.alignment.requested == "affine"
    assert "better without it" in field.alignment.reason
    assert not field.displacement_px.any()


def test_a_doubtful_alignment_that_helps_is_kept(astray):
    astray(0.2)
    wide = texture(2, (80, 80))
    fixed, moving = wide[8:72, 8:72], wide[2:66, 12:76]  # moving(x + shift) = fixed(x)
    field = register_frames(moving, fixed, no_displacement, NETWORK_ALONE, torch.device("cpu"))
    assert field.alignment.kind == "affine" and not field.alignment.reason
    assert np.allclose(field.displacement_px, SHIFT[:, 2, None, None])


def test_a_sure_alignment_is_not_doubted(astray):
    astray(0.9)
    image, calls = texture(2), []

    def counted(moving, fixed):
        calls.append(1)
        return no_displacement(moving, fixed)

    field = register_frames(image, image, counted, NETWORK_ALONE, torch.device("cpu"))
    assert field.alignment.kind == "affine" and len(calls) == 1
