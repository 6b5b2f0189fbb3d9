"""Sides of eyes, by words in cells and in names; nasal is on the right of a right eye."""

import numpy as np
import pytest

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.visits.change import Change, ClusterLimits
from MetaRegistrationLib.visits.fovea import suggested_centre
from MetaRegistrationLib.visits.regions import etdrs_table
from MetaRegistrationLib.visits.sides import differ_in_side_alone, side_in_name, side_of_cell


@pytest.mark.parametrize("text", ["OD", "od", "R", "RE", "Right", "right eye"])
def test_right(text):
    assert side_of_cell(text, "here") == "right"


@pytest.mark.parametrize("text", ["OS", "l", "LE", "left", "LEFT_EYE"])
def test_left(text):
    assert side_of_cell(text, "here") == "left"


def test_unknown_and_other_words():
    assert side_of_cell("", "here") == side_of_cell("unknown", "here") == ""
    with pytest.raises(InputError, match="here: the side of an eye is OD, R or right"):
        side_of_cell("OU", "here")


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("P1_OD", "right"),
        ("P12OS", "left"),
        ("od-2021", "right"),
        ("patient 3 right", "right"),
        ("A_L_2021", "left"),
        ("RightEye_1", "right"),
        ("visitOS", "left"),
        ("ODvisit1", "right"),
        ("2_re-scan", ""),
        ("Le_visit1", ""),
        ("vitamin_r", ""),
        ("P1_RE", "right"),
        ("Leon", ""),
        ("R", "right"),
        ("visit_R1", ""),
        ("model", ""),
        ("od_os", ""),
        ("scan", ""),
    ],
)
def test_names(name, side):
    assert side_in_name(name) == side


def drawn_right_eye(size=300):
    """A right eye as en-face images show it: vessels everywhere but in the fovea, and the disc on the RIGHT of it.

    The optic disc is nasal of the fovea, and the nose is at the left of a right eye for the patient, at the right for who
    looks at the patient.
    """
    rows, columns = np.indices((size, size))
    rng = np.random.default_rng(3)
    image = 100 + 60 * np.sin(rows / 3) * np.sin(columns / 3.3) + rng.normal(0, 4, (size, size))
    fovea, disc = (150, 140), (150, 270)
    image[np.hypot(rows - fovea[0], columns - fovea[1]) < 18] = 15
    return image.astype(np.float32), fovea, disc


@pytest.mark.parametrize(("eye", "mirrored"), [("right", False), ("left", True)])
def test_the_side_of_the_disc_is_nasal(eye, mirrored):
    image, fovea, disc = drawn_right_eye()
    if mirrored:
        image = image[:, ::-1].copy()
        fovea, disc = ((row, 299 - column) for row, column in (fovea, disc))
    valid = np.ones(image.shape, bool)
    centre = suggested_centre(image, valid)
    assert np.hypot(centre[0] - fovea[1], centre[1] - fovea[0]) < 8
    lost = np.zeros(image.shape, bool)
    lost[disc[0] - 15 : disc[0] + 15, disc[1] - 15 : disc[1] + 15] = True  # vessels lost at the disc
    change = Change(-5 * lost.astype(np.float32), valid, lost, ~valid, ClusterLimits(), (1.0,))
    rows = {row["region"]: row for row in etdrs_table(change, centre, 0.02, eye)}
    assert rows["outer nasal"]["lost_percent"] > 3
    assert all(rows[f"outer {name}"]["lost_percent"] == 0 for name in ("temporal", "superior", "inferior"))


def test_names_that_differ_in_r_and_l_alone():
    assert differ_in_side_alone(["P01R_1", "P01R_2", "P01L_1"]) and differ_in_side_alone(["1R", "1L"])
    assert not differ_in_side_alone(["R1", "R2"]) and not differ_in_side_alone(["Rosa_1", "Leon_1"])
