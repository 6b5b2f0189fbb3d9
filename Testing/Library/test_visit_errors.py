"""The predicted error of aligned visits: hand-made error maps whose uncertain half is known."""

import csv
import math
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from test_change import dropped_out, scan
from test_visit_measures import MM, entry
from test_visit_measures import eye as whole_eye

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.core.preprocessing import NetworkGrid, stretched_grid
from MetaRegistrationLib.error_map.maps import ErrorMap
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.visits import align_series, average
from MetaRegistrationLib.visits.alignment_error import AlignmentError, StepError
from MetaRegistrationLib.visits.change import visit_change
from MetaRegistrationLib.visits.change_files import series_change
from MetaRegistrationLib.visits.changes import Occasion, Verdict, measure_changes
from MetaRegistrationLib.visits.columns import VISIT_COLUMNS, VisitOfSeries
from MetaRegistrationLib.visits.measured import measured
from MetaRegistrationLib.visits.measures import Grid, Measurement, measure_visits
from MetaRegistrationLib.visits.names import result_names
from MetaRegistrationLib.visits.regions import etdrs_table
from MetaRegistrationLib.visits.repeatability import Repeatability
from MetaRegistrationLib.visits.report import write_series
from MetaRegistrationLib.visits.series_measures import grid_of, measure_series

SIDE, CELLS, FRAME = 260, 8, 400
RIGHT = np.arange(SIDE)[None, :] >= SIDE // 2
RIGHT = np.broadcast_to(RIGHT, (SIDE, SIDE))
HALVES = {"left half": ~RIGHT, "right half": RIGHT}


def eye(noise=0):
    """The middle of the scans: all regions are covered by half and more."""
    return whole_eye(noise=noise)[30 : 30 + SIDE, 30 : 30 + SIDE]


def error_map(left=1.0, right=1.0, shown_right=1.0):
    """A map whose 95 % bound is `left` and `right` px in the two halves; median and mean are halves of the bound."""
    bound = np.full((CELLS, CELLS), left, np.float32)
    bound[:, CELLS // 2 :] = right
    shown = np.ones_like(bound)
    shown[:, CELLS // 2 :] = shown_right
    return ErrorMap(bound / 2, bound, bound / 2, shown, FRAME)


def error(left=1.0, right=1.0, shown_right=1.0, shape=(SIDE, SIDE)):
    step = StepError(error_map(left, right, shown_right), stretched_grid(shape, FRAME))
    return AlignmentError.of(step, shape)


CERTAIN, UNCERTAIN = {"right": 1.0}, {"right": 3.0}
UNKNOWN = {"shown_right": 0.0}


# errors of one step and of several


@pytest.mark.parametrize("wrong", [UNCERTAIN, UNKNOWN])
def test_the_half_over_two_pixels_or_not_known_is_uncertain(wrong):
    assert np.array_equal(error(**wrong).uncertain, RIGHT)


def test_a_certain_map_and_the_reference_have_no_uncertain_pixel():
    assert not error(**CERTAIN).uncertain.any()
    own = AlignmentError.none((5, 7))
    assert not own.uncertain.any() and own.uncertain.shape == (5, 7)
    assert (own.expected_px, own.error_95_px, own.uncertain_percent) == (0, 0, 0)


def test_errors_of_two_steps_add_up_in_pixels_of_the_reference():
    first = StepError(error_map(0.5, 0.5), stretched_grid((200, 200), FRAME))
    second = StepError(error_map(1.0, 1.0), stretched_grid((100, 100), FRAME))
    # The bridge shows the same field with half as many pixels a side: its grid pixels are those of the reference.
    same = 0.5 * np.stack(np.indices((200, 200)), axis=-1) - 0.25
    whole = second.after(first, same.astype(np.float32))
    assert np.allclose(whole.map.bound_px, 1.5, atol=1e-5) and np.allclose(whole.map.mean_px, 0.75, atol=1e-5)
    assert whole.grid is first.grid and whole.map.known.all()
    # The bridge shows twice the field with as many pixels a side as the reference: a pixel of its grid is two.
    wide = StepError(second.map, stretched_grid((200, 200), FRAME))
    twice = 0.5 * np.stack(np.indices((200, 200)), axis=-1) + 50
    assert np.allclose(wide.after(first, twice.astype(np.float32)).map.bound_px, 2.5, atol=1e-5)


def test_what_the_bridge_does_not_know_is_not_known():
    first = StepError(error_map(), stretched_grid((200, 200), FRAME))
    second = StepError(error_map(**UNKNOWN), stretched_grid((200, 200), FRAME))
    pixels = np.stack(np.indices((200, 200)), axis=-1).astype(np.float32)
    assert np.array_equal(second.after(first, pixels).map.known[0], np.arange(CELLS) < CELLS // 2)
    away = pixels + np.array((0, 150))  # the bridge ends there
    assert (
        not StepError(error_map(), NetworkGrid(FRAME, (0.5, 0.5), (0.0, 0.0))).after(first, away).map.known[:, 3:].any()
    )


class Known:
    """Registers everything in place, with the error of a pair of names; `unknown` pairs are not confident."""

    def __init__(self, visits, errors, unknown=()):
        self._names, self._errors, self._unknown = {id(visit.image): visit.name for visit in visits}, errors, unknown

    def __call__(self, moving, fixed):
        pair = self._names[id(moving)] + self._names[id(fixed)]
        shape = fixed.geometry.size

        class Found:
            alignment = type("Alignment", (), {"confidence": 0.1 if pair in self._unknown else 1.0})
            ncc, result_stage = (0.1, 0.8), "refine"
            error = self._errors.get(pair, error_map()) if self._errors is not None else None
            fixed_grid = stretched_grid(shape, FRAME)

            @staticmethod
            def moving_positions():
                return np.stack(np.indices(shape), axis=-1).astype(np.float32)

        return Found


def aligned(errors, unknown=(), arrays=None, dates=None):
    geometry = Geometry((SIDE, SIDE), spacing=(MM, MM), spacing_known=True)
    arrays = arrays or [eye(noise=number) for number in range(3)]
    entries = [entry(name, array, date) for name, array, date in zip("abc", arrays, dates or ("",) * 3, strict=True)]
    visits = [replace(one.visit, image=Image(one.visit.image.array, geometry)) for one in entries]
    return align_series(visits, Known(visits, errors, unknown), "a")


def columns_of(series, index):
    keys = ("expected_error_px", "error_95_px", "uncertain_percent")
    return [column.of(VisitOfSeries(series, index)) for column in VISIT_COLUMNS if column.key in keys]


def test_each_visit_of_a_series_has_the_error_of_its_registration():
    series = aligned({"ba": error_map(**UNCERTAIN)})
    first, second, third = (visit.error for visit in series.visits)
    assert not first.uncertain.any() and np.array_equal(second.uncertain, RIGHT) and not third.uncertain.any()
    wanted = error_map(**UNCERTAIN)
    assert columns_of(series, 0) == [0, 0, 0]
    assert columns_of(series, 1) == [wanted.expected_px, wanted.error_95_px, wanted.uncertain_percent]
    assert wanted.expected_px == 1.0 and 2 < columns_of(series, 2)[2] + 2 < 3, (
        "a bound of 1 px is below 2 px nearly always"
    )


def test_through_another_visit_both_errors_count():
    series = aligned({"cb": error_map(1.0, 1.5), "ba": error_map(0.75, 0.75)}, unknown=("ca",))
    assert series.visits[2].via == "b"
    assert series.visits[2].error.expected_px == pytest.approx(np.mean([1.75, 2.25]) / 2, abs=1e-5)
    assert np.array_equal(series.visits[2].uncertain, RIGHT) and not series.visits[1].uncertain.any()


def test_without_a_prediction_nothing_is_said():
    series = aligned(None)
    assert [visit.error for visit in series.visits] == [None] * 3
    assert all(math.isnan(value) for value in columns_of(series, 0) + columns_of(series, 1))


def test_a_visit_that_is_not_aligned_has_no_error():
    series = aligned({}, unknown=("ca", "cb"))
    assert series.visits[2].error is None and series.visits[1].error is not None


# measures


def values(*errors):
    """The rows of visits with these errors, by visit, region and measure."""
    visits = [
        measured(replace(entry(str(number), eye(noise=number)), error=each)) for number, each in enumerate(errors)
    ]
    rows = measure_visits(visits, Grid((SIDE / 2, SIDE / 2), (MM, MM), "right", HALVES))
    return {(row.visit, row.region, row.measure): row for row in rows}


def test_the_uncertain_part_of_each_region_is_said_and_no_value_changes():
    none = AlignmentError.none((SIDE, SIDE))
    plain, certain, uncertain = (values(none, each) for each in (None, error(**CERTAIN), error(**UNCERTAIN)))
    for key, row in plain.items():
        for other in (certain[key], uncertain[key]):
            assert row.value == other.value or (math.isnan(row.value) and math.isnan(other.value)), key
            assert row.measurable_percent == other.measurable_percent

    def share(found, visit, region):
        return found[visit, region, "capillary_density"].uncertain_percent

    assert [share(uncertain, "1", region) for region in HALVES] == [0, 100]
    assert share(uncertain, "1", "whole") == pytest.approx(50, abs=3)
    assert share(uncertain, "1", "outer_nasal") == 100 and share(uncertain, "1", "outer_temporal") == 0
    assert {share(uncertain, "0", region) for region in ("whole", *HALVES)} == {0}, "the reference"
    assert {share(certain, "1", region) for region in ("whole", *HALVES)} == {0}
    assert math.isnan(share(plain, "1", "whole")), "nothing was predicted"


LIMITS = {("vessel_density", region): 1.0 for region in ("whole", *HALVES)} | {("faz_area", "whole"): 0.1}
KNOWN = Repeatability(LIMITS, 10, "drawn")


def rows_of(visit, value, uncertain, measure="vessel_density"):
    return [
        Measurement(visit, "", region, measure, value, "%", 90.0, 6.0, share) for region, share in uncertain.items()
    ]


def verdicts(earlier, later, values=(20.0, 30.0), comparable=True, measure="vessel_density"):
    rows = rows_of("a", values[0], earlier, measure) + rows_of("b", values[1], later, measure)
    found = measure_changes(rows, Occasion("a", ("a",)), Occasion("b", ("b",)), KNOWN, comparable)
    return {row.region: row.verdict for row in found}


NOWHERE = {"whole": 0.0, "left half": 0.0, "right half": 0.0}
HALF = {"whole": 50.0, "left half": 0.0, "right half": 100.0}


def test_an_uncertain_region_is_not_said_to_be_unchanged():
    assert set(verdicts(NOWHERE, NOWHERE).values()) == {Verdict.CHANGED}
    for pair in ((NOWHERE, HALF), (HALF, NOWHERE)):
        # Where vessels are lost, the alignment is uncertain too.
        assert set(verdicts(*pair).values()) == {Verdict.CHANGED}
        found = verdicts(*pair, (20.0, 20.1))
        assert (found["left half"], found["right half"]) == (Verdict.WITHIN, Verdict.UNCERTAIN)
    assert verdicts(NOWHERE, HALF, (20.0, math.nan))["right half"] is Verdict.NOT_MEASURABLE
    assert verdicts(NOWHERE, HALF, comparable=False)["right half"] is Verdict.NOT_COMPARABLE
    unknown = dict.fromkeys(NOWHERE, math.nan)
    assert verdicts(unknown, unknown) == verdicts(NOWHERE, NOWHERE), "nothing was predicted"
    # The zone is found in each visit by itself.
    assert Verdict.UNCERTAIN not in verdicts(NOWHERE, {"whole": 100.0}, (20.0, 20.0), measure="faz_area").values()


# the change map

WIDE, MIDDLE, MILLIMETRES = (SIDE, SIDE), 130, 6 / SIDE


def map_of(earlier, later):
    arrays = (scan(1), scan(3, dropped_out()))
    entries = [entry(name, array) for name, array in zip("ab", arrays, strict=True)]
    parts = (measured(replace(one, error=each)) for one, each in zip(entries, (earlier, later), strict=True))
    return visit_change(*parts)


@pytest.fixture(scope="module")
def plain_map():
    return map_of(None, None)


def test_an_uncertain_alignment_is_named_and_hides_no_change(plain_map):
    wrong, none = error(**UNCERTAIN, shape=WIDE), AlignmentError.none(WIDE)
    for pair in ((none, wrong), (wrong, none)):
        found = map_of(*pair)
        assert np.array_equal(found.known, plain_map.known) and np.array_equal(found.lost, plain_map.lost)
        assert not found.uncertain[:, :MIDDLE].any()
        assert np.array_equal(found.uncertain[:, MIDDLE:], plain_map.known[:, MIDDLE:])
        rows = {row["region"]: row for row in etdrs_table(found, (MIDDLE, MIDDLE), MILLIMETRES)}
        assert rows["whole"]["uncertain_percent"] == pytest.approx(100 * plain_map.known[:, MIDDLE:].mean() / 2, abs=2)
        assert rows["outer left"]["uncertain_percent"] == 0 and rows["outer right"]["uncertain_percent"] > 90
    assert plain_map.lost[:, MIDDLE:].any(), "the drop-out lies in the uncertain half"


def test_a_certain_alignment_changes_nothing_in_the_map(plain_map):
    found = map_of(AlignmentError.none(WIDE), error(**CERTAIN, shape=WIDE))
    for part in ("density", "known", "lost", "gained"):
        assert np.array_equal(getattr(found, part), getattr(plain_map, part), equal_nan=part == "density"), part
    assert not found.uncertain.any() and plain_map.uncertain is None
    assert etdrs_table(found, (MIDDLE, MIDDLE), MILLIMETRES)[-1]["uncertain_percent"] == 0
    assert etdrs_table(plain_map, (MIDDLE, MIDDLE), MILLIMETRES)[-1]["uncertain_percent"] is None


# files and page


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A series of which the alignment of the last visit is uncertain in the right half."""
    folder = tmp_path_factory.mktemp("errors") / "out é"
    dates = ("2020-01-01", "2021-01-01", "2022-01-01")
    series = aligned({"ca": error_map(**UNCERTAIN)}, dates=dates)
    series = replace(series, side="right", order="dates")
    measures = measure_series(series, grid_of(series, (130.0, 130.0), HALVES))
    change = series_change(series, ("a", "c"), centre_xy=(130.0, 130.0), eye="right")
    write_series(folder, series, average(series), {"eye": "P1"}, change, measures)
    return folder


def test_the_tables_hold_the_error_of_each_visit_and_the_uncertain_part_of_each_region(results):
    visits = {row["visit"]: row for row in rows(results / "visits.csv")}
    assert [visits[name]["expected_error_px"] for name in "abc"] == ["0.00", "0.50", "1.00"]
    wanted = error_map(**UNCERTAIN).uncertain_percent
    assert float(visits["c"]["uncertain_percent"]) == round(wanted) == 12, (
        "log-normal, with a median of 1.5 px in one half"
    )
    assert float(visits["a"]["uncertain_percent"]) == 0
    measurements = {(row["visit"], row["region"]): row for row in rows(results / "measurements.csv")}
    assert [measurements["c", region]["uncertain_percent"] for region in HALVES] == ["0", "100"]
    assert list(measurements["c", "whole"]).index("uncertain_percent") == 8, "beside the measurable part"
    found = {(row["later"], row["region"], row["measure"]): row["verdict"] for row in rows(results / "changes.csv")}
    assert found["c", "right half", "capillary_density"] == "uncertain" != found["b", "right half", "capillary_density"]
    regions = {row["region"]: row for row in rows(results / "change_a_to_c_regions.csv")}
    assert float(regions["outer nasal"]["uncertain_percent"]) > 80
    assert float(regions["outer temporal"]["uncertain_percent"]) == 0


def test_the_bound_of_each_visit_is_an_image_on_the_reference(results):
    bound = sitk.GetArrayFromImage(sitk.ReadImage(str(results / "c_error_95.nrrd")))[0]
    assert bound.shape == (SIDE, SIDE) and np.array_equal(bound > 2, RIGHT)
    assert (results / "b_error_95.nrrd").is_file() and not (results / "a_error_95.nrrd").exists()
    assert result_names(["b", "b_error_95"]) == ["b", "b_error_95_2"]


def test_the_page_shows_the_errors_and_the_uncertain_regions(results):
    page = (results / "report.html").read_text(encoding="utf-8")
    for text in (
        "Expected error, grid px",
        "% of the image off by over 2 px",
        "100 % uncertain",
        ">uncertain</td>",
        "are uncertain: the alignment",
    ):
        assert text in page, text
    assert "With uncertain alignment, %" in page


def test_the_page_of_visits_without_a_prediction_has_no_such_column(tmp_path):
    series = aligned(None)
    write_series(tmp_path / "out", series, average(series), {}, None, measure_series(series, grid_of(series)))
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Expected error" not in page and "uncertain</td>" not in page
    assert not list((tmp_path / "out").glob("*_error_95.nrrd"))
    assert {row["uncertain_percent"] for row in rows(tmp_path / "out" / "measurements.csv")} == {""}
