"""Measures in files, on the page and in Python; eyes of different people are not comparable."""

import csv
import json

import numpy as np
import pytest
from drawn_eyes import drawn_eye
from known_networks import write_grey_png
from test_visit_measures import MM, SIDE, eye

import MetaRegistrationLib as mr  # noqa: N813
from MetaRegistrationLib.commands import main
from MetaRegistrationLib.visits.change_files import series_change
from MetaRegistrationLib.visits.measure_files import CHANGE_COLUMNS, MEASUREMENT_COLUMNS, TREND_COLUMNS
from MetaRegistrationLib.visits.repeatability import shipped

WORDS = ("--no-network", "--refine", "0", "--device", "cpu", "--spacing-um", str(1000 * MM))
MIDDLE = np.s_[30:290, 30:290]
"""A part of which all regions are covered by half and more."""
QUICK = mr.Stages("translation", network=False, refine=0)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A series of two repeats, a third visit, and one with half of the capillaries lost, as the command writes it."""
    folder = tmp_path_factory.mktemp("measures")
    lost = np.zeros((SIDE, SIDE), bool)
    lost[:, : SIDE // 2] = True
    scans = {
        "a 2020-01-01": eye(noise=1),
        "b 2020-01-01": eye(noise=2),
        "c 2021-01-01": eye(noise=3),
        "d 2022-01-01 OD": eye(lost=lost, noise=4),
    }
    for name, scan in scans.items():
        write_grey_png(folder / "OD" / f"{name}.png", scan[MIDDLE])
    words = ["series", "--folder", folder / "OD", "--output", folder / "out", "--reference", "a 2020-01-01", *WORDS]
    words += ["--initial", "translation", "--no-change"]
    assert main([str(word) for word in words]) == 0
    return folder / "out"


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_measurements_are_in_long_format(results):
    found = rows(results / "measurements.csv")
    assert tuple(found[0]) == MEASUREMENT_COLUMNS
    assert {row["visit"] for row in found} == {"a 2020-01-01", "b 2020-01-01", "c 2021-01-01", "d 2022-01-01 OD"}
    assert {"whole", "centre", "inner_nasal", "outer_temporal"} <= {row["region"] for row in found}
    whole = {(row["visit"][0], row["measure"]): row for row in found if row["region"] == "whole"}
    assert float(whole["d", "capillary_density"]["value"]) < 0.9 * float(whole["c", "capillary_density"]["value"])
    assert whole["a", "faz_area"]["unit"] == "mm2" and whole["a", "vessel_density"]["date"] == "2020-01-01"
    assert 80 < float(whole["a", "vessel_density"]["measurable_percent"]) <= 100


def test_changes_are_judged_against_repeat_scans(results):
    found = rows(results / "changes.csv")
    assert tuple(found[0]) == CHANGE_COLUMNS
    by = {(row["later"], row["region"], row["measure"]): row for row in found}
    assert {row["earlier"] for row in found} == {"2020-01-01"}, "scans of one day are one occasion"
    same = by["c 2021-01-01", "whole", "capillary_density"]
    assert same["verdict"] == "within repeatability" and float(same["cor"]) > 0
    lost = by["d 2022-01-01 OD", "whole", "nonperfused_area"]
    assert lost["verdict"] == "changed" and float(lost["difference"]) > float(lost["cor"])
    # A mean of two scans against one scan; the two scans are pooled with the shipped pairs.
    assert float(same["cor"]) == pytest.approx(shipped().of("capillary_density", "whole") * 0.75**0.5, rel=0.03)
    assert not any(row["measure"] == "brightness" for row in found)


def test_trends_need_three_dates(results):
    found = rows(results / "trends.csv")
    assert tuple(found[0]) == TREND_COLUMNS and {row["occasions"] for row in found} == {"3"}
    (density,) = (row for row in found if (row["region"], row["measure"]) == ("whole", "capillary_density"))
    assert (
        float(density["low"]) < float(density["per_year"]) < float(density["high"]) and float(density["per_year"]) < 0
    )


def test_the_page_has_them_in_words(results):
    page = (results / "report.html").read_text(encoding="utf-8")
    for text in (
        "<h2>Changes</h2>",
        "smallest detectable",
        "<b>changed</b>",
        "non-perfused area",
        "Student",
        "of another device",
    ):
        assert text in page, text
    assert "nonperfused_area" not in page
    assert json.loads((results / "series.json").read_text(encoding="utf-8"))["eye"] == "OD"


def test_eyes_of_different_people_are_not_comparable(tmp_path, capsys):
    other = 255 * drawn_eye(9, SIDE)
    for name, scan in {"2020": eye(noise=1), "2021": eye(noise=2, image=other)}.items():
        write_grey_png(tmp_path / "x" / f"{name}.png", scan[60:260, 60:260])
    words = ["series", "--folder", tmp_path / "x", "--output", tmp_path / "out", "--initial", "none", *WORDS]
    code = main([str(word) for word in [*words, "--include", "2020", "2021", "--change", "2020", "2021"]])
    told = capsys.readouterr().err
    assert code == 4 and "2020 and 2021 are not comparable: the agreement of their larger vessels" in told
    found = rows(tmp_path / "out" / "changes.csv")
    assert found and {row["verdict"] for row in found} == {"not comparable"}
    assert not list((tmp_path / "out").glob("change_*")) and (tmp_path / "out" / "report.html").is_file()


def test_python_gives_records():
    visits = [one[60:260, 60:260] for one in (eye(noise=1), eye(noise=2), eye(0.4, noise=3))]
    series = mr.align_visits(visits, dates=["2020", "2021", "2022"], spacing=MM, device="cpu", stages=QUICK)
    assert {tuple(row) for row in series.measurements} == {MEASUREMENT_COLUMNS}
    assert {row["verdict"] for row in series.changes} <= {"changed", "within repeatability", "not measurable"}
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    assert len(pandas.DataFrame(series.measurements)) == len(series.measurements)


def test_a_map_of_one_eye_is_made_as_before():
    visits = [eye(noise=number)[60:260, 60:260] for number in (1, 2)]
    series = mr.align_visits(visits, spacing=MM, device="cpu", stages=QUICK)
    assert series_change(series.series).change.known.mean() > 0.5
