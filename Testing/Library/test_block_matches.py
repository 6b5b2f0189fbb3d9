"""Blocks of an alignment: where they lie, and the top of a match to a part of a pixel."""

import numpy as np
import pytest
import torch

from MetaRegistrationLib.alignment.affine import similarity
from MetaRegistrationLib.alignment.blocks import BlockMatcher, _best
from MetaRegistrationLib.simulation import draw_phantom

EYE = draw_phantom(np.random.default_rng(5), size=256).image.astype(np.float32)


def canvas(image):
    values = torch.as_tensor(np.ascontiguousarray(image))
    return torch.stack((values, torch.ones_like(values)))


def test_blocks_cover_the_image_and_lie_about_its_middle():
    matcher = BlockMatcher(canvas(EYE), canvas(EYE), 200)
    centres = matcher.match(matcher.under(similarity(0.0, 1.0, (0.0, 0.0))), 0.1)["both"].centres
    assert centres.max(axis=0) == pytest.approx(-centres.min(axis=0)) and 0.5 < centres.max() < 1
    assert sorted(map(tuple, np.round(-centres, 9) + 0.0)) == sorted(map(tuple, np.round(centres, 9) + 0.0))


@pytest.mark.parametrize("shift_px", [(3, -5), (-6, 2), (0, 7)])
def test_each_block_finds_a_shift(shift_px):
    """The moving image is the fixed one, moved by whole pixels of 256; a side is 2."""
    moving = np.roll(EYE, shift_px, (0, 1))
    matcher = BlockMatcher(canvas(moving), canvas(EYE), 256)
    found = matcher.match(matcher.under(similarity(0.0, 1.0, (0.0, 0.0))), 0.1)["both"]
    assert len(found) > 20
    assert np.median(found.offsets, axis=0) * 128 == pytest.approx(shift_px, abs=0.1)


@pytest.mark.parametrize("top", [(3.25, 5.0), (4.0, 2.4), (5.3, 6.7)])
def test_the_top_of_a_match_is_found_to_a_part_of_a_pixel(top):
    rows, columns = np.indices((9, 9))
    scores = torch.as_tensor(2.0 - 0.02 * (rows - top[0]) ** 2 - 0.03 * (columns - top[1]) ** 2)[None]
    found, quality = _best(scores)
    assert found[0] == pytest.approx(top, abs=1e-9) and quality[0] > 1


def test_a_top_on_the_border_stays_on_its_pixel():
    rows, columns = np.indices((9, 9))
    found, _ = _best(torch.as_tensor(-((rows - 0.0) ** 2) - (columns - 8.4) ** 2)[None])
    assert found[0].tolist() == [0.0, 8.0]
