"""Evidence from all pixels together: it holds for one scene in any contrast, not for other scenes, not for printed text."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from MetaRegistrationLib.alignment import align, search
from MetaRegistrationLib.alignment.affine import similarity, to_frame
from MetaRegistrationLib.alignment.coincidence import coincidence, confidence_of_coincidence, details
from MetaRegistrationLib.checkpoints import load_checkpoint
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.resources import default_checkpoint

SIDE = 200


def scene(seed: int, side: int = SIDE) -> np.ndarray:
    """A texture without any order, of mean 0 and deviation 1."""
    found = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(side, side)), 2.0, mode="wrap")
    return found / found.std()


def noisy(image: np.ndarray, seed: int, level: float) -> np.ndarray:
    return image + level * np.random.default_rng(seed).normal(size=image.shape)


def height(moving: np.ndarray, fixed: np.ndarray, *, shown: int = SIDE) -> float:
    """Of two images of which the first `shown` rows and columns are defined."""
    inside = np.zeros(fixed.shape)
    inside[:shown, :shown] = 1
    stacks = (np.stack((each * inside, inside)) for each in (moving, fixed))
    return coincidence(*(details(torch.as_tensor(stack, dtype=torch.float32)) for stack in stacks))


@pytest.mark.parametrize("contrast", [1.0, -1.0], ids=["same", "inverted"])
def test_one_scene_under_noise_stands_far_above_chance(contrast):
    image = scene(1)
    assert height(noisy(image, 2, 3.0), noisy(contrast * image, 3, 3.0)) > 15


def test_only_where_the_transform_is_right_to_few_pixels():
    moving, fixed = noisy(scene(1), 2, 2.0), noisy(scene(1), 3, 2.0)
    assert height(np.roll(moving, 1, axis=(0, 1)), fixed) > 15
    assert height(np.roll(moving, 6, axis=(0, 1)), fixed) < 8


@pytest.mark.parametrize("seed", range(5))
def test_other_scenes_do_not(seed):
    assert height(scene(10 + seed), scene(20 + seed)) < 8


def test_printed_text_does_not():
    pages = []
    for seed in (4, 5):
        page = Image.fromarray(np.uint8(np.clip(128 + 40 * scene(seed), 0, 255)))
        ImageDraw.Draw(page).text((6, 8), "OD Angio 6x6 mm 2024", fill=255, font=ImageFont.load_default(16))
        pages.append(np.asarray(page, np.float32))
    assert height(*pages) < 8


def test_nothing_is_said_of_what_is_hardly_in_common():
    assert height(scene(1), scene(1), shown=12) == 0.0


def test_confidence_rises_with_the_height():
    assert (
        confidence_of_coincidence(8.0) < 0.05 < 0.5 <= confidence_of_coincidence(13.0) < confidence_of_coincidence(20.0)
    )


@pytest.fixture(scope="module")
def turned():
    """Moving and fixed image under noise, and the transform between them: 40 degrees, which only a search of all turns finds."""
    truth = to_frame(similarity(np.deg2rad(40), 1.0, (0.08, -0.05)), SIDE)
    image = scene(3)
    fixed = ndimage.affine_transform(image, truth[:, :2], truth[:, 2], order=1, mode="wrap")
    return noisy(image, 4, 1.5), noisy(fixed, 5, 1.5), truth


def far(matrix: np.ndarray, truth: np.ndarray) -> float:
    """Greatest distance of the two at the corners, in pixels."""
    corners = np.array([[0, 0, SIDE, SIDE], [0, SIDE, 0, SIDE], [1, 1, 1, 1]])
    return float(np.linalg.norm((matrix - truth) @ corners, axis=0).max())


def test_a_transform_that_no_blocks_confirm_is_found_by_its_details(turned, monkeypatch):
    moving, fixed, truth = turned
    monkeypatch.setattr(search, "confidence", lambda *args, **kwargs: 0.0)
    found = align(moving, fixed, "rigid")
    assert found.kind == "rigid" and found.confidence > 0.9
    assert far(found.matrix, truth) < 3


def test_a_high_peak_is_judged_as_it_is_where_blocks_lead_nowhere(turned, monkeypatch):
    moving, fixed, truth = turned
    monkeypatch.setattr(search, "confidence", lambda *args, **kwargs: 0.0)
    nowhere = lambda self, *args: search.agreement_under(self._matcher, search.IDENTITY, "both")  # noqa: E731
    monkeypatch.setattr(search.Search, "_refined", nowhere)
    found = align(moving, fixed, "rigid")
    assert found.kind == "rigid" and found.confidence > 0.5
    assert far(found.matrix, truth) < 12, "as near as the steps of the survey"


@pytest.mark.long
@pytest.mark.parametrize("seed", [202800006, 202800084, 202800140])
def test_pairs_that_were_refused_are_found_by_ridges_or_high_peaks(data_root, seed):
    """An angiogram of a drawn eye with few blocks, vessels in another contrast, a section most of whose blocks are empty."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "Benchmarks"))
    import calibration

    registrar = Registrar(load_checkpoint(default_checkpoint()), torch.device("cpu"))
    found = calibration.result(registrar, calibration.Images(data_root), True, seed)
    assert found["confidence"] > 0.9 and found["error_px"] < 3


def test_agreeing_blocks_without_details_do_not_end_the_search(turned, monkeypatch):
    moving, fixed, truth = turned
    monkeypatch.setattr(search, "confidence", lambda *args, whole: 0.9 if whole else 0.6)
    assert far(align(moving, fixed, "rigid").matrix, truth) < 3


def test_other_scenes_are_not_found_by_finer_surveys():
    found = align(scene(6), scene(7), "translation")
    assert found.kind == "none" and found.confidence < 0.5
