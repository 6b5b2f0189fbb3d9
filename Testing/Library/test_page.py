"""The page of a series: what stands on it, in which order, drawn how large, and in every situation."""

import dataclasses
import datetime
import math
import re

import numpy as np
import pytest
from page_reader import Page, snake_case, too_exact
from test_visit_measures import MM, entry, eye

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.octa.faz import measured_outline
from MetaRegistrationLib.visits.average import average
from MetaRegistrationLib.visits.change_files import series_change, write_change
from MetaRegistrationLib.visits.changes import measure_changes, occasions, trends
from MetaRegistrationLib.visits.measures import UNITS, Grid, Measurement
from MetaRegistrationLib.visits.page.content import Content
from MetaRegistrationLib.visits.page.document import page
from MetaRegistrationLib.visits.page.markup import number
from MetaRegistrationLib.visits.page.naming import column_words, region_words
from MetaRegistrationLib.visits.page.script import SCRIPT
from MetaRegistrationLib.visits.page.style import STYLE
from MetaRegistrationLib.visits.regions import REGION_COLUMNS
from MetaRegistrationLib.visits.repeatability import shipped
from MetaRegistrationLib.visits.series import Series
from MetaRegistrationLib.visits.series_measures import SeriesMeasures
from MetaRegistrationLib.visits.trust import Exclusion, Reason
from MetaRegistrationLib.workflows.visit_messages import changed_measures

SMALL = np.random.default_rng(0).uniform(0, 255, (64, 64)).astype(np.float32)
ORDER = ["visits", "pictures", "film", "changes", "trends", "values", "notes", "alignment"]
QUADRANTS = {"right": ("nasal", "temporal"), "": ("right", "left")}
CIRCLE = 32 + 10 * np.stack([np.sin(np.arange(96) / 96 * 2 * np.pi), np.cos(np.arange(96) / 96 * 2 * np.pi)], axis=-1)
VALUES = {
    "vessel_density": 40.0,
    "capillary_density": 30.0,
    "vessel_length_density": 2.0,
    "nonperfused_area": 3.0,
    "brightness": 101.23456,
}


def series_of(visits, side="right", order="dates", spacing=(MM, MM), image=SMALL, **more):
    """A series of visits that are aligned as they are."""
    entries = [entry(name, image, date) for name, date in visits.items()]
    if spacing != (MM, MM):
        geometry = Geometry(image.shape, spacing=spacing or (1.0, 1.0), spacing_known=spacing is not None)
        same = Image(image, geometry, mask=np.ones(image.shape, bool))
        entries = [dataclasses.replace(one, visit=dataclasses.replace(one.visit, image=same)) for one in entries]
    loops = {(name, other): 0.123456 for name in visits for other in visits if name < other}
    return Series(0, "chosen", entries, [1.23456] * len(visits), loops, order=order, side=side, **more)


def measures_of(series, lost=5.0, spacing=(MM, MM), comparable=True, missing=()):
    """Measures that fall by `lost` from visit to visit; `missing` are regions that are not measurable."""
    grid = Grid((32.0, 30.0), spacing, series.side)
    known = [f"{ring}_{part}" for ring in ("inner", "outer") for part in ("superior", *QUADRANTS[series.side])]
    regions = ["whole", "centre", *known] if spacing else ["whole"]
    rows = []
    for number_, one in enumerate(series.used):
        for region in regions:
            for measure, value in VALUES.items():
                found = math.nan if region in missing else value - lost * number_ / 10 * (1 + number_ % 2 / 7)
                rows.append(
                    Measurement(one.visit.name, one.visit.date, region, measure, found, UNITS[measure], 87.654, 1.23456)
                )
    zone = measured_outline(CIRCLE, spacing) if spacing else None
    if zone is not None:
        for one in series.used:
            rows.append(
                Measurement(one.visit.name, one.visit.date, "whole", "faz_area", zone.area_mm2, "mm2", 87.654, 1.23456)
            )
    groups = occasions([one.visit for one in series.used])
    agreement = {(groups[0].name, later.name): 0.91234 if comparable else 0.123 for later in groups[1:]}
    changes = [row for later in groups[1:] for row in measure_changes(rows, groups[0], later, shipped(), comparable)]
    zones = {one.visit.name: zone for one in series.used}
    return SeriesMeasures(grid, rows, groups, changes, trends(rows, groups), shipped(), agreement, zones)


def read(series, measures=None, change=None, picture=None, name="P1 OD"):
    found = Page(page(Content(name, series, average(series), measures, change, picture)))
    check(found)
    return found


def check(found):
    """What holds for every page."""
    assert found.all("html")[0]["lang"] == "en" and "For research, not for clinical use" in found.visible
    assert found.sections == [name for name in ORDER if name in found.sections], found.sections
    assert not snake_case(found.spoken) and not too_exact(found.spoken)
    assert "nan" not in found.spoken.lower().split() and "None" not in found.spoken
    names = [attributes["id"] for _, attributes, _ in found.elements if "id" in attributes]
    assert len(names) == len(set(names))
    for tag, attributes, around in found.elements:
        assert "src" not in attributes and tag != "link", "nothing is loaded"
        if "href" in attributes:
            inside = attributes["href"].startswith("#") and attributes["href"][1:] in names
            assert inside or (tag == "image" and attributes["href"].startswith("data:image/png;base64,"))
        if tag == "label" and "for" in attributes:
            assert attributes["for"] in names
        if tag == "svg" and attributes.get("class") != "store":
            assert attributes["role"] == "img" and attributes["aria-label"]
        if tag == "table":
            assert around[-1] == "div", "tables scroll inside"
    assert "http" not in found.source and "@import" not in found.source
    assert all(name in names for name in re.findall(r'getElementById\("([a-z]+)"\)', SCRIPT))


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A page with all of it: three visits of a drawn eye, and a change map."""
    visits = {"first": "2020-01-01", "second": "2021-01-01", "third": "2022-03-01"}
    series = series_of(visits, image=eye()[60:260, 60:260])
    change = series_change(series, centre_xy=(32.0, 30.0))
    folder = tmp_path_factory.mktemp("page")
    picture = write_change(folder, change, series.visits[0].warped[0], series.visits[0].visit.image.geometry)
    return read(series, measures_of(series, lost=60.0, missing=("outer_nasal",)), change, picture)


def test_the_page_is_read_from_the_top_down(full):
    assert full.sections == ORDER
    first = full.table("Visit", "Date", "Signal quality", "Used")
    assert first[1] == ["first", "2020-01-01", "1.23", "yes; although: low signal quality: 1.2, least 3.0; reference"]
    assert "Right eye" in full.visible and full.visible.index("Right eye") < full.visible.index("Signal quality")
    assert full.all("title") and full.source.startswith("<!doctype html>")


def test_circles_fovea_and_zone_are_drawn_in_pixels_of_the_reference(full):
    circles = full.all("circle", cx="32.00")
    assert [float(each["r"]) for each in circles] == [pytest.approx(mm / MM, abs=0.01) for mm in (0.5, 1.5, 3.0)]
    assert {each["cy"] for each in circles} == {"30.00"}
    lines = [
        each for each in full.all("line") if "x1" in each and each["x1"] != each["x2"] and each["y1"] != each["y2"]
    ]
    assert len(lines) == 4, "the lines between the quadrants"
    for each in lines:
        far = math.hypot(float(each["x2"]) - 32, float(each["y2"]) - 30)
        assert far == pytest.approx(3 / MM, abs=0.02)
    outlines = full.all("polygon", fill="none")
    points = np.array([[float(value) for value in pair.split(",")] for pair in outlines[0]["points"].split()])
    assert np.allclose(points[:, ::-1], CIRCLE, atol=0.06)
    assert len(outlines) == 2 * (2 + 3), "with its rim, on the two visits side by side and on the three of the film"


def test_a_pixel_that_is_not_square_makes_ellipses():
    found = read(series_of({"a": "2020", "b": "2021"}, spacing=(0.01, 0.02)), None)
    assert [(float(e["rx"]), float(e["ry"])) for e in found.all("ellipse")] == [(25, 50), (75, 150), (150, 300)]
    assert "aspect-ratio:1.28/0.64" in found.all("svg", **{"class": "picture"})[0]["style"]


def test_circles_follow_the_scale_by_which_was_measured():
    series = series_of({"a": "2020", "b": "2021"})
    found = read(series, measures_of(series, spacing=(0.02, 0.02)))
    assert [float(each["r"]) for each in found.all("circle")] == [25, 75, 150]


def test_pictures_stand_side_by_side_and_in_the_film_and_are_stored_once(full):
    assert full.source.count("data:image/png") == 5, "three visits, average and change"
    figures = [text for text, around in full.texts if "figcaption" in around]
    assert figures[:6:2] == ["Earlier", "Later", "Change"]
    assert len(full.all("svg", **{"class": "picture"})) == 3 + 4
    labels = [each["aria-label"] for each in full.all("svg", **{"class": "picture"})]
    assert labels[:3] == ["Earlier visit first", "Later visit third", "Change from first to third"]
    assert full.all("input", type="range") and {"ArrowLeft", "ArrowRight"} <= set(re.findall(r"Arrow\w+", SCRIPT))


def test_every_region_has_a_difference_a_detectable_change_and_a_verdict(full):
    rows = full.table("Region", "Difference", "Smallest detectable change", "Verdict")
    by = {}
    for row in rows[1:]:
        if len(row) == 1:
            group = row[0]
        else:
            by[group, row[0]] = row
    by = {(group, region.removesuffix(" (88 % measurable)")): row for (group, region), row in by.items()}
    centre = by["Capillary density, %", "centre"]
    assert centre[1:4] == ["30.0", "18.0", "−12.0"] and float(centre[4]) == pytest.approx(
        shipped().of("capillary_density", "centre"), rel=0.01
    )
    assert centre[6] == "▼ changed" and by["Capillary density, %", "outer nasal"][1:] == ["–"] * 3 + [
        number(shipped().of("capillary_density", "outer_nasal")),
        "–",
        "not measurable",
    ]
    assert ("changed", True) in {(text, "b" in around) for text, around in full.texts if "td" in around}
    assert len(full.all("td", **{"class": "text unknown"})) == 4, "not measurable is hatched"
    assert "repeating-linear-gradient" in STYLE.split(".unknown {")[1].split("}")[0]
    whole = full.table("Measure", "Difference")
    assert [row[0] for row in whole if row[0].startswith("FAZ area")] == ["FAZ area, mm²"]


def test_three_days_have_plots_with_points_bars_and_a_band(full):
    plots = full.all("svg", **{"class": "plot"})
    assert len(plots) == 5 and "Capillary density, % over time" in {each["aria-label"] for each in plots}
    points = [each for each in full.all("circle") if each.get("class", "").startswith("point")]
    assert len(points) == 5 * 3 and len(full.all("path", **{"class": "bar"})) == 5 * 3
    days = [datetime.date(2020, 1, 1), datetime.date(2021, 1, 1), datetime.date(2022, 3, 1)]
    x = [float(each["cx"]) for each in points[:3]]
    assert (x[1] - x[0]) / (x[2] - x[0]) == pytest.approx((days[1] - days[0]) / (days[2] - days[0]), abs=0.01)
    assert [each["class"] for each in points[:3]] == ["point", "point changed", "point changed"]
    assert len(full.all("polygon", **{"class": "band"})) == 5
    assert "95 % interval" in full.visible and "Student's t" in full.visible


def test_a_visit_without_a_day_is_named_beside_the_trends_and_one_without_a_clear_zone_by_the_pictures():
    series = series_of({"a": "2020-01-01", "b": "2021-01-01", "c": "2022-01-01", "d": ""})
    measures = measures_of(series)
    measures.zones["b"] = None
    found = read(series, measures)
    assert "Not shown, for want of a day: d." in found.visible and "The FAZ is not clear in b." in found.visible


def test_a_bar_reaches_the_first_value_where_nothing_changed():
    series = series_of({"a": "2020-01-01", "b": "2021-01-01", "c": "2022-01-01"})
    found = read(series, measures_of(series, lost=0.5))
    bars = [re.match(r"M\S+ ([\d.]+)V([\d.]+)", each["d"]).groups() for each in found.all("path", **{"class": "bar"})]
    firsts = [float(each["y1"]) for each in found.all("line", **{"class": "first"})]
    for index, first in enumerate(firsts):
        for top, bottom in bars[3 * index : 3 * index + 3]:
            assert float(top) <= first <= float(bottom)
    assert not [each for each in found.all("circle") if each.get("class") == "point changed"]


def test_regions_that_changed_are_named_at_the_top_and_on_the_console():
    series = series_of({"first": "2020-01-01", "second": "2021-01-01"})
    found = measures_of(series, lost=0.0)
    lost = {"outer_nasal": -8.4, "inner_superior": -6.0}
    rows = [
        dataclasses.replace(row, value=row.value + lost[row.region])
        if row.visit == "second" and row.measure == "capillary_density" and row.region in lost
        else row
        for row in found.rows
    ]
    found = dataclasses.replace(found, rows=rows, changes=measure_changes(rows, *found.occasions, shipped()))
    values = 4 * 7  # measures and regions
    named = "outer nasal (capillary density −8.40 %), inner superior (capillary density −6.00 %)"
    top = read(series, found).visible.replace("\u00a0", " ")
    assert f"Of {values} values of regions, 2 changed : {named}." in top
    (told,) = changed_measures(found)
    named = "outer nasal (capillary density -8.4 %), inner superior (capillary density -6 %)"
    assert told == f"changed from first to second: 2 of {values} values of regions: {named}"
    assert list(changed_measures(measures_of(series, lost=0.0))) == []


def test_notes_say_what_the_numbers_mean(full):
    notes = full.visible.split("Notes")[-1]
    for text in ("CoR", "22 pairs", "Regression to the mean", "Signal quality is a covariate", "No p values"):
        assert text in notes, text


def test_names_are_escaped():
    bad = "<i>\"x\"</i> & 'y'<script>alert(1)</script>"
    visits = {bad: "2020-01-01", "b<b>": "2021-01-01"}
    excluded = {"b<b>": Exclusion(Reason.DUPLICATE, f" {bad}")}
    for more in ({}, {"excluded": excluded}):
        series = series_of(visits, **more)
        found = read(series, measures_of(series), name=bad)
        assert not found.all("i") and len(found.all("script")) == 1
        assert bad in found.visible and any(bad in each.get("aria-label", "") for each in found.all("svg"))


def test_the_page_prints_on_a4():
    assert "@page { size: A4" in STYLE and "not for clinical use" in STYLE
    printed = STYLE.split("@media print")[1]
    assert re.search(r"tr, figure.*break-inside: avoid", printed) and "details::details-content" in printed
    assert "beforeprint" in SCRIPT and "overflow-x: auto" in STYLE and "font: 16px" in STYLE


def test_two_visits_without_dates():
    series = series_of({"a": "", "b": ""}, order="names")
    found = read(series, measures_of(series))
    assert "No dates are known" in found.visible and "not known" in found.visible and "trends" not in found.sections
    assert len(found.all("svg", **{"class": "picture"})) == 2 + 3 and "No change map was made." in found.visible


def test_one_used_visit():
    series = series_of({"a": "2020", "b": "2021"}, excluded={"b": Exclusion(Reason.INVERTED)})
    found = read(series, measures_of(series))
    assert "fewer than two visits can be used" in found.visible and "changes" not in found.sections
    assert found.table("Visit", "Used")[2][3].startswith("no: inverted grey values")
    assert found.table("Visit", "Vessel density, %")[1][0] == "a"


def test_no_used_visit_has_no_measures():
    gone = {name: Exclusion(Reason.INVERTED) for name in "ab"}
    found = read(series_of({"a": "2020", "b": "2021"}, excluded=gone))
    assert "fewer than two visits can be used" in found.visible


def test_a_visit_that_is_not_aligned_has_no_picture():
    series = series_of({"a": "2020", "b": "2021"}, excluded={"b": Exclusion(Reason.NOT_ALIGNED)})
    series.visits[1] = dataclasses.replace(series.visits[1], positions=None)
    found = read(series, measures_of(series))
    assert found.source.count("data:image/png") == 2 and "no: not aligned" in found.visible


def test_without_a_pixel_size_there_are_no_circles():
    series = series_of({"a": "2020", "b": "2021"}, spacing=None)
    found = read(series, measures_of(series, spacing=None))
    assert not found.all("circle") and not found.all("ellipse") and not found.all("polygon", fill="none")
    assert "pixel size is unknown" in found.visible and not found.all("input", id="show-grid")


def test_an_unknown_side_is_left_and_right():
    series = series_of({"a": "2020", "b": "2021"}, side="")
    found = read(series, measures_of(series))
    assert "inner right" in found.visible and "nasal" not in found.visible.replace("N: nasal", "")
    assert "The side is unknown" in found.visible


@pytest.mark.long
def test_ten_visits_stay_below_three_megabytes():
    noise = np.random.default_rng(1).uniform(0, 255, (600, 600)).astype(np.float32)
    visits = {f"visit {number}": f"20{10 + number}-01-01" for number in range(10)}
    series = series_of(visits, image=noise)
    found = read(series, measures_of(series))
    assert len(found.source) < 3_000_000 and len(found.all("svg", **{"class": "picture"})) == 2 + 11
    later = found.table("Visit or day", "Agreement")
    assert len(later) == 10 and later[1][-1] == "0.91"
    dates = [text for text, around in found.texts if "text" in around and "-01-01" in text]
    assert 0 < len(dates) <= 5 * 5, "dates do not overlap"


def test_visits_that_are_not_comparable():
    series = series_of({"a": "2020", "b": "2021"})
    found = read(series, measures_of(series, comparable=False))
    assert "not comparable" in found.visible and "agreement of their larger vessels is 0.12" in found.visible
    assert "changed" not in {text for text, around in found.texts if "td" in around}


def test_scans_of_one_day_are_one_point_and_their_mean_is_compared():
    visits = {"a": "2020-01-01", "b": "2020-01-01", "c": "2021-01-01"}
    series = series_of(visits)
    found = read(series, measures_of(series, lost=0.0))
    assert "2020-01-01 is the mean of 2 scans (a, b)" in found.visible
    (row,) = (row for row in found.table("Measure", "Verdict") if row[0].startswith("Capillary"))
    assert row[4] == number(shipped().of("capillary_density", "whole") * 0.75**0.5)
    alone = series_of(dict.fromkeys("ab", "2020-01-01"))
    found = read(alone, measures_of(alone))
    assert "First scan" in found.visible and "All visits are of one day" in found.visible
    assert "changes" not in found.sections


def test_the_table_is_that_of_the_two_visits_that_are_shown(full):
    series = series_of({"a": "2020-01-01", "b": "2021-01-01", "c": "2022-01-01"}, image=eye()[80:240, 80:240])
    change = series_change(series, ("b", "c"))
    found = read(series, measures_of(series, lost=10.0), change)
    rows = found.table("Measure", "Earlier: b", "Later: c")
    (row,) = (row for row in rows if row[0].startswith("Capillary"))
    assert [float(cell.replace("−", "-")) for cell in row[1:4]] == [28.9, 28.0, -0.86]
    assert full.table("Measure", "Earlier: first", "Later: third")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (123.456, "123"),
        (99.96, "100"),
        (12.345, "12.3"),
        (9.996, "10.0"),
        (1.2345, "1.23"),
        (0.0996, "0.10"),
        (0.01234, "0.012"),
        (-0.00512, "−0.0051"),
        (0.0001, "0"),
        (math.nan, "–"),
        (None, "–"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_columns_and_regions_in_words():
    assert not any(snake_case(column_words(key)) for key in REGION_COLUMNS)
    assert column_words("unknown_percent") == "not measurable, %" and column_words("area_mm2") == "area, mm²"
    assert region_words("inner_nasal") == "inner nasal" and region_words("my_region") == "my_region"
