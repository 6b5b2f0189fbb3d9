"""The larger vessels of a scan are those of its tissue, whatever is missing of its frame."""

import numpy as np
import pytest
from drawn_eyes import drawn_eye

from MetaRegistrationLib.octa.capillaries import parts

SIDE = 240
MM = 6 / SIDE


@pytest.fixture(scope="module")
def scan():
    eye = 255 * drawn_eye(4, SIDE)
    return np.clip(eye + np.random.default_rng(0).normal(0, 10, eye.shape), 0, 255).astype(np.float32)


@pytest.fixture(scope="module")
def larger(scan):
    return parts(scan, np.ones(scan.shape, bool), MM).large


INNER = np.s_[10:-10, 100:-10]
"""Pixels that whole and incomplete scans show, away from the border."""


def test_a_scan_with_a_black_border_has_no_more_vessels(scan, larger):
    tissue = np.ones(scan.shape, bool)
    tissue[:, :80] = False
    found = parts(np.where(tissue, scan, 0), tissue, MM).large
    assert not found[:, :80].any()
    assert found[INNER].mean() == pytest.approx(larger[INNER].mean(), rel=0.06)


def test_a_crop_is_filtered_as_wide_as_the_whole(scan, larger):
    crop = scan[:, 80:]
    found = parts(crop, np.ones(crop.shape, bool), MM).large
    assert np.corrcoef(found[:, 20:].ravel(), larger[:, 100:].ravel())[0, 1] > 0.95
