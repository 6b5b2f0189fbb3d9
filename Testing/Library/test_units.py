"""Units of length, against their definitions."""

import pytest

from MetaRegistrationLib.formats.units import millimetres

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
