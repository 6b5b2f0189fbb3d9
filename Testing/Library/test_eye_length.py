"""The axial length: Littmann-Bennett's scale, what it changes, what it leaves, and what is refused."""

import csv
import math
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from known_networks import write_grey_png
from test_visit_measures import MM, entry, eye

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.eye_length import EyeLength, possible_length
from MetaRegistrationLib.visits.measure_files import change_records, measurement_records
from MetaRegistrationLib.visits.repeatability import Repeatability
from MetaRegistrationLib.visits.series import Series
from MetaRegistrationLib.visits.series_measures import grid_of, measure_series

PART = np.s_[60:260, 60:260]
WORDS = ("--initial", "translation", "--no-network", "--refine", "0", "--device", "cpu", "--spacing-um", str(1000 * MM))


def test_the_scale_is_that_of_bennett():
    # q = 0.01306 (x - 1.82), and distances are in proportion to q.
    assert EyeLength(26, 24).scale == pytest.approx(0.01306 * (26 - 1.82) / (0.01306 * (24 - 1.82)))
    assert EyeLength(24, 24).scale == 1 and EyeLength(22).scale < 1
    assert "26 mm" in EyeLength(26, 23.95).text and "23.95 mm" in EyeLength(26, 23.95).text


@pytest.mark.parametrize("number", [np.int64(26), np.float32(26), np.float16(26), np.array(26), Fraction(26)])
def test_a_length_is_any_real_number(number):
    found = possible_length(number, "here")
    assert found == 26 and type(found) is float


@pytest.mark.parametrize("value", [14.9, 40.1, 0, -24, math.nan, math.inf, "24", None, True, np.True_, 2400])
def test_impossible_lengths_are_refused(value):
    with pytest.raises(InputError, match="15 to 40 mm"):
        possible_length(value, "here")


def series(length=None):
    entries = [entry("a", eye()[PART]), entry("b", eye(0.4, noise=1)[PART])]
    return Series(0, "chosen", entries, [1.0, 1.0], side="right", eye_length=length)


@cache
def found(length=None):
    one = series(length)
    return measure_series(one, grid_of(one, (100, 100)))


def test_areas_and_lengths_are_scaled_and_percentages_of_change_stay():
    plain, long = found(), found(EyeLength(28))
    scale = EyeLength(28).scale
    values, scaled = ({(r.visit, r.measure): r.value for r in one.rows if r.region == "whole"} for one in (plain, long))
    for visit in "ab":
        length = scaled[visit, "vessel_length_density"] / values[visit, "vessel_length_density"]
        assert length == pytest.approx(1 / scale)
        assert scaled[visit, "brightness"] == values[visit, "brightness"]
    cor, wide = ({(c.measure, c.region): c.cor for c in one.changes} for one in (plain, long))
    assert wide["faz_area", "whole"] == pytest.approx(cor["faz_area", "whole"] * scale**2)
    assert wide["vessel_length_density", "whole"] == pytest.approx(cor["vessel_length_density", "whole"] / scale)
    assert wide["capillary_density", "whole"] == cor["capillary_density", "whole"]
    assert long.grid.regions((200, 200))["centre"].sum() < plain.grid.regions((200, 200))["centre"].sum() / 1.3


def test_the_zone_has_one_outline_whatever_the_length():
    length = EyeLength(28)
    plain, long = found().zones, found(length).zones
    assert plain.keys() == long.keys() == {"a", "b"} and None not in plain.values()
    for name, zone in long.items():
        np.testing.assert_allclose(zone.outline, plain[name].outline)
        assert zone.area_mm2 == pytest.approx(plain[name].area_mm2 * length.scale**2)
        assert zone.perimeter_mm == pytest.approx(plain[name].perimeter_mm * length.scale)


def test_the_outline_of_a_disc_grows_with_the_eye():
    from MetaRegistrationLib.octa.faz import measured_outline

    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    disc = 100 + 20 * np.stack([np.sin(angles), np.cos(angles)], -1)
    area = measured_outline(disc, series(EyeLength(28)).pixel_mm).area_mm2
    assert area == pytest.approx(math.pi * (20 * MM * EyeLength(28).scale) ** 2, rel=1e-4)


def test_repeatability_in_percent_is_that_of_any_eye():
    known = Repeatability(
        {("faz_area", "whole"): 0.2, ("faz_perimeter", "whole"): 0.6, ("brightness", "whole"): 9}, 9, "x"
    )
    scaled = known.scaled(1.1)
    assert scaled.of("faz_area", "whole") == pytest.approx(0.242)
    assert scaled.of("faz_perimeter", "whole") == pytest.approx(0.66) and scaled.of("brightness", "whole") == 9


def test_every_record_and_the_notes_say_it():
    plain, long = found(), found(EyeLength(28))
    assert {row["axial_length_mm"] for row in measurement_records("x", long) + change_records("x", long)} == {28}
    assert all(math.isnan(row["axial_length_mm"]) for row in measurement_records("x", plain))
    assert any("28 mm" in note for note in long.notes) and plain.notes == []


def write_visits(folder, *names):
    for name in names:
        write_grey_png(folder / f"{name}.png", eye(noise=len(name))[PART])


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_command_takes_it_and_the_tables_end_with_it(tmp_path, capsys):
    write_visits(tmp_path / "OD", "2020", "2021b")
    words = ["series", "--folder", tmp_path / "OD", "--output", tmp_path / "out", "--no-change", *WORDS]
    assert main([str(word) for word in [*words, "--axial-length", "26.1", "--device-axial-length", "24.46"]]) == 0
    for name in ("measurements.csv", "changes.csv"):
        found = rows(tmp_path / "out" / name)
        assert list(found[0])[-1] == "axial_length_mm" and {row["axial_length_mm"] for row in found} == {"26.1"}
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "26.1 mm" in page and "24.46 mm" in page
    assert main([str(word) for word in [*words, "--axial-length", "2.61"]]) == 2
    assert "--axial-length: an axial length of 15 to 40 mm" in capsys.readouterr().err
    assert main([str(word) for word in [*words, "--device-axial-length", "100"]]) == 2
    assert "--device-axial-length" in capsys.readouterr().err


def test_a_table_states_it_for_each_eye(tmp_path, capsys):
    write_visits(tmp_path, "2020", "2021b")
    table = tmp_path / "visits.csv"

    def run(*lengths, more=()):
        lines = [f"{name}.png,{length}" for name, length in zip(("2020", "2021b"), lengths, strict=True)]
        table.write_text("\n".join(["image,Axial length", *lines]), encoding="utf-8")
        words = ["series", "--visits", table, "--output", tmp_path / "out", "--no-change", "--replace", *WORDS, *more]
        return main([str(word) for word in words]), capsys.readouterr().err

    assert run("25.5", "")[0] == 0
    assert {row["axial_length_mm"] for row in rows(tmp_path / "out" / "measurements.csv")} == {"25.5"}
    code, told = run("25.5", "26")
    assert code == 2 and "25.5, 26 mm" in told
    code, told = run("25.5", "25.5", more=("--axial-length", "23"))
    assert code == 2 and "the table says 25.5 mm" in told
    code, told = run("255", "25.5")
    assert "line 2: an axial length of 15 to 40 mm was expected, but it is 255 mm" in told


def test_without_a_pixel_size_it_changes_nothing_and_says_so(tmp_path, capsys):
    write_visits(tmp_path / "OD", "2020", "2021b")
    words = ["series", "--folder", tmp_path / "OD", "--output", tmp_path / "out", "--no-change", "--axial-length", "26"]
    assert main([str(word) for word in [*words, *WORDS[:-2]]]) == 0
    assert "the axial length changes nothing" in capsys.readouterr().err
    assert {row["axial_length_mm"] for row in rows(tmp_path / "out" / "measurements.csv")} == {""}


def test_python_takes_it():
    plain = {"spacing": MM, "device": "cpu", "stages": mr.Stages("translation", network=False, refine=0)}
    scans = [eye()[PART], eye(noise=1)[PART]]
    found = mr.align_visits(scans, axial_length=26, device_axial_length=23.95, **plain)
    assert grid_of(found.series).spacing_mm[0] == pytest.approx(MM * EyeLength(26, 23.95).scale)
    with pytest.raises(InputError, match="axial_length"):
        mr.align_visits(scans, axial_length=260, **plain)
