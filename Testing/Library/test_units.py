"""Units of length, against their definitions."""

import math

import pytest

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.units import millimetres, possible_pixel_um, possible_visit_um, unusual_visit_um

DEFINITIONS = {
    1e-6: ["nm", "nanometer", "nanometre", "nanometers", "nanometres"],
    1e-3: ["um", "micron", "microns", "micrometer", "micrometre", "micrometers", "micrometres"],
    1.0: ["mm", "millimeter", "millimetre", "millimeters", "millimetres"],
    10.0: ["cm", "centimeter", "centimetre", "centimeters", "centimetres"],
    1000.0: ["m", "meter", "metre", "meters", "metres"],
    25.4: ["in", "inch", "inches", '"'],
}
MICRO = [
    "\u00b5m",
    "\u03bcm",
    "\u00c2\u00b5m",
    "\u00ce\u00bcm",
    "\ufffdm",
    "&micro;m",
    "\\u00B5m",
    "\\u00b5m",
    "\\xb5m",
    "\\xB5m",
]


@pytest.mark.parametrize(("expected", "unit"), [(mm, unit) for mm, units in DEFINITIONS.items() for unit in units])
def test_a_unit_is_so_many_millimetres(expected, unit):
    for spelling in (unit, unit.upper(), f" {unit}\0", "_".join(unit)):
        assert millimetres(spelling) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("unit", MICRO)
def test_every_spelling_of_micro_is_a_thousandth_of_a_millimetre(unit):
    assert millimetres(unit) == pytest.approx(1e-3, rel=1e-12)


@pytest.mark.parametrize("unit", ["", " ", "pixel", "Pixels", "px", "voxel", "voxels", "none", "unknown", "?", "???"])
def test_what_is_no_unit_of_length_gives_none(unit):
    assert millimetres(unit) is None
    assert millimetres("reference frame") is None


def test_a_word_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match=r"^furlong$"):
        millimetres(" furlong ")


@pytest.mark.parametrize("size", [0.25, 18.75, 1000, 5000])
def test_pixel_sizes_of_slides_scans_and_volumes_are_possible(size):
    assert possible_pixel_um(size, "x") == size


@pytest.mark.parametrize(
    ("size", "words"), [(1e-3, "at least 0.01"), (0, "at least"), (math.nan, "at least"), (1e6, "at most 100000")]
)
def test_senseless_pixel_sizes_are_refused(size, words):
    with pytest.raises(InputError, match=f"x: a pixel size of {words}.*it is"):
        possible_pixel_um(size, "x")


def test_scans_of_an_eye_have_narrower_limits():
    with pytest.raises(InputError, match=r"at least 0\.1 um"):
        possible_visit_um(0.05, "x")
    assert [unusual_visit_um(size, "x") for size in (1, 18.75, 200)] == [""] * 3
    assert unusual_visit_um(0.5, "x") == "x: a pixel size of 0.5 um is unusual. Check its unit."
    assert "500 um is unusual" in unusual_visit_um(500, "x")
    assert possible_visit_um(1000, "x") == 1000
    with pytest.raises(
        InputError, match=r"x: a pixel size of at most 1000 um was expected, but it is 18750 um \(18.75 mm\)"
    ):
        possible_visit_um(18750, "x")
