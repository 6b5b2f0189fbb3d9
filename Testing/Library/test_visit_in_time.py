"""Among visits with dates, one without a date has no place in time: it is measured, and compared only if it is named."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from test_page import measures_of, read
from test_page import series_of as small_series
from test_visit_measures import ANOTHER, MM, entry, eye, in_series

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.visits.change_files import default_pair, series_change
from MetaRegistrationLib.visits.dates import in_known_order, read_date
from MetaRegistrationLib.visits.series import Series
from MetaRegistrationLib.visits.series_measures import grid_of, measure_series
from MetaRegistrationLib.visits.trust import Exclusion, Reason

EXCLUDED = {"b": Exclusion(Reason.LOW_QUALITY)}


def series_of(*dates, excluded=None, shape=(8, 8)):
    """Visits a, b, c ... with these dates."""
    entries = [entry(name, np.ones(shape, np.float32), date) for name, date in zip("abcd", dates, strict=False)]
    return Series(0, "chosen", entries, [6.0] * len(entries), excluded=excluded or {})


def names(entries) -> str:
    return "".join(one.visit.name for one in entries)


@pytest.mark.parametrize(
    ("dates", "excluded", "expected"),
    [
        (("2021", "2022", "", ""), {}, "ab"),
        (("2021", "2022", ""), EXCLUDED, "a"),
        (("2021", "", ""), {}, "abc"),
        (("", "", ""), {}, "abc"),
    ],
    ids=["two dates", "two dates, one excluded", "one date gives no order", "no dates"],
)
def test_visits_with_a_place_in_time(dates, excluded, expected):
    assert names(series_of(*dates, excluded=excluded).in_time) == expected


def test_no_change_is_mapped_to_a_visit_without_a_date():
    assert names(default_pair(series_of("2021", "2022", ""))) == "ab"
    with pytest.raises(InputError, match=r"All visits with a date are of one day \(2022-05-01\)"):
        default_pair(series_of("2022-05-01", "2022-05-01", ""))
    with pytest.raises(InputError, match="two visits with dates that are aligned and not excluded"):
        default_pair(series_of("2021", "2022", "", excluded=EXCLUDED))


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        (("2021-03-04", "2021", "2022"), "bc"),
        (("2021-03-04", "2021", "2021-12"), "ac"),
        (("2021-03-04", "2021-03", "2020"), "ca"),
        (("2021-01-10", "2020", "2020-02-01", "2020-05-01"), "ca"),
    ],
    ids=["a year that holds a day", "the rest has an order", "a month that holds a day", "a year that holds two days"],
)
def test_the_default_pair_has_a_known_order(dates, expected):
    pair = default_pair(series_of(*dates))
    assert names(pair) == expected and pair[0].when.before(pair[1].when)


def test_a_year_takes_no_comparison_from_the_days_in_it():
    dates = ["2020", "2020-02-01", "2020-05-01", "2020-11-01", "2021-01-10"]
    assert in_known_order(dates, lambda date: read_date(date, "")) == dates[1:]
    assert in_known_order(dates[:1] + dates[-1:], lambda date: read_date(date, "")) == ["2020", "2021-01-10"]
    assert in_known_order(["2020", "2020-02-01", "2021"], lambda date: read_date(date, "")) == ["2020", "2021"]


@pytest.mark.parametrize("dates", [("2021-03-04", "2021"), ("2021", "2021-03-04"), ("2021-03", "2021")])
def test_visits_of_unknown_order_have_no_default_pair(dates):
    with pytest.raises(InputError, match=r"do not tell the order of a .*, b "):
        default_pair(series_of(*dates))


def test_no_measure_is_compared_where_the_order_is_unknown():
    crops = [eye(noise=number)[80:240, 80:240] for number in (0, 1)]
    entries = [entry(name, crop, date) for name, crop, date in zip("ab", crops, ("2021-03-04", "2021"), strict=True)]
    series = Series(0, "chosen", entries, [6.0] * 2)
    found = measure_series(series, grid_of(series))
    assert found.changes == [] and {row.visit for row in found.rows} == set("ab")
    (note,) = found.remarks
    assert "order of b (2021), a (2021-03-04)" in note and note in found.notes
    assert any("order of a (2021-03-04), b (2021)" in doubt for doubt in series_change(series, ("a", "b")).doubts)


def test_the_page_says_that_the_order_is_unknown():
    series = small_series({"a": "2021-03-04", "b": "2021"})
    found = read(series, dataclasses.replace(measures_of(series), changes=[]))
    assert "The dates do not tell the order of" in found.visible and "changes" not in found.sections
    assert "of one day" not in found.visible


def test_it_is_said_why_years_have_no_trend():
    crops = [eye(noise=number)[80:240, 80:240] for number in (0, 1, 2)]
    entries = [
        entry(name, crop, date) for name, crop, date in zip("abc", crops, ("2019", "2020", "2021-02-03"), strict=True)
    ]
    series = Series(0, "chosen", entries, [6.0] * 3)
    found = measure_series(series, grid_of(series))
    assert {(row.earlier, row.later) for row in found.changes} == {("a", "b"), ("a", "c")} and found.trends == []
    assert found.remarks == ("No trends: they need 3 dates with a day, and the day of a, b is unknown.",)


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (("2018", "2019-01-01", "2020-01-01", "2021-01-01"), "the day of a is unknown"),
        (("2018-01-01", "2019", "", "2021-01-01"), ""),
    ],
    ids=["days of another eye are none", "two visits with dates are left"],
)
def test_why_there_is_no_trend_goes_by_the_visits_of_one_eye(dates, said):
    scans = [eye(), eye(noise=1), eye(noise=2), eye(image=ANOTHER)]
    _, found = in_series(scans, dates)
    assert found.trends == [] and said in " ".join(found.remarks)
    assert ("No trends" in " ".join(found.remarks)) == bool(said)


def test_no_measure_is_compared_with_a_visit_without_a_date():
    crops = [eye(noise=number)[80:240, 80:240] for number in (0, 1, 2)]
    entries = [
        entry(name, crop, date) for name, crop, date in zip("abc", crops, ("2020-01-01", "2021-01-01", ""), strict=True)
    ]
    series = Series(0, "chosen", entries, [6.0] * 3)
    found = measure_series(series, grid_of(series))
    assert {(row.earlier, row.later) for row in found.changes} == {("a", "b")} == set(found.agreement)
    assert {row.visit for row in found.rows} == set("abc"), "it is measured"
    assert series_change(series, ("a", "c")).name == "change_a_to_c", "it was named"
    alone = Series(0, "chosen", entries, [6.0] * 3, excluded=dict.fromkeys("ab", EXCLUDED["b"]))
    assert measure_series(alone, grid_of(alone)).changes == []


def test_the_page_compares_no_visit_without_a_date():
    repeats = small_series({"a": "2022-05-01", "b": "2022-05-01", "c": ""}, spacing=(MM, MM))
    found = read(repeats, measures_of(repeats))
    assert "All visits with a date are of one day" in found.visible and "changes" not in found.sections
    three = small_series({"a": "2020", "b": "2021", "c": "2022", "d": ""})
    rows = read(three, measures_of(three)).table("Visit or day", "Agreement of larger vessels")
    assert [row[0] for row in rows if row[0] in "abcd"] == ["b", "c"]
