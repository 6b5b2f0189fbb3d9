"""Two visits are compared only if their larger vessels show one eye."""

import itertools
import math
import os
from pathlib import Path

import numpy as np
import pytest
from drawn_eyes import drawn_eye
from known_networks import write_grey_png
from scipy import ndimage

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.octa.vessels import vessel_mask
from MetaRegistrationLib.visits.comparable import LEAST_VESSEL_AGREEMENT, vessel_agreement

SIDE = 320
ALL = np.ones((SIDE, SIDE), bool)


def scan(seed, noise=0):
    eye = 255 * drawn_eye(seed, SIDE)
    return np.clip(eye + np.random.default_rng(noise).normal(0, 10, eye.shape), 0, 255).astype(np.float32)


def test_one_eye_agrees_whatever_the_scan_is_like_and_others_do_not():
    eye = scan(4)
    larger = vessel_mask(eye)
    capillaries = ~ndimage.binary_dilation(larger, iterations=2)
    for other in (
        scan(4, noise=1),
        ndimage.gaussian_filter(eye, 2.0),
        0.4 * eye,
        np.where(capillaries, np.percentile(eye, 10), eye).astype(np.float32),
    ):
        assert vessel_agreement(larger, vessel_mask(other), ALL) > 0.6
    for other in (scan(9), -scan(9), np.rot90(eye), eye[::-1], np.roll(eye, 40, axis=0)):
        assert vessel_agreement(larger, vessel_mask(np.ascontiguousarray(other)), ALL) < LEAST_VESSEL_AGREEMENT / 2


def test_without_vessels_the_agreement_is_unknown():
    larger = vessel_mask(scan(4))
    assert math.isnan(vessel_agreement(larger, np.zeros_like(larger), ALL))
    assert math.isnan(vessel_agreement(larger, larger, ~ALL))


@pytest.mark.long
def test_no_change_is_mapped_between_eyes_of_different_people(tmp_path, capsys):
    for name, array in {"2020": scan(4), "2021": scan(9)}.items():
        write_grey_png(tmp_path / "x" / f"{name}.png", array)
    words = ["series", "--folder", tmp_path / "x", "--output", tmp_path / "out", "--initial", "none", "--no-network"]
    words += ["--refine", "0", "--device", "cpu", "--include", "2020", "2021", "--change", "2020", "2021"]
    assert main([str(word) for word in words]) == 4
    assert "2020 and 2021 are not comparable: the agreement of their larger vessels" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("change_*")) and (tmp_path / "out" / "report.html").is_file()


DATA = Path(os.environ.get("META_REGISTRATION_DATA", "nowhere")) / "octa_scp_single_visits" / "images"


@pytest.mark.skipif(not DATA.is_dir(), reason="META_REGISTRATION_DATA has no octa_scp_single_visits")
def test_real_eyes_of_different_people_do_not_agree():
    masks = [vessel_mask(read_image(path).array) for path in sorted(DATA.glob("*.png"))[:12]]
    known = np.ones(masks[0].shape, bool)
    others = [vessel_agreement(first, second, known) for first, second in itertools.pairwise(masks)]
    assert max(others) < LEAST_VESSEL_AGREEMENT / 2
    assert all(vessel_agreement(mask, np.roll(mask, 1, axis=1), known) > 0.6 for mask in masks)
