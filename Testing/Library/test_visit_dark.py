"""A visit with dark vessels: the others are compared and mapped, and it is not taken for another eye."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from test_visit_measures import ANOTHER, entry, eye, in_series

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.visits.change_files import default_pair, series_change
from MetaRegistrationLib.visits.changes import Verdict
from MetaRegistrationLib.visits.page.content import Content
from MetaRegistrationLib.visits.series import Series

DATES = ("2020-01-01", "2021-01-01", "2022-01-01", "2023-01-01")


def scans(dark, number):
    """Repeat scans, of which those with the letters in `dark` are inverted."""
    return [255 - eye(noise=k) if name in dark else eye(noise=k) for k, name in enumerate("abc"[:number])]


def why_no_map(series, found):
    return Content("eye", series, SimpleNamespace(), found).why_no_map


def verdicts(found):
    return {(row.earlier, row.later): row.verdict is Verdict.NOT_COMPARABLE for row in found.changes}


@pytest.mark.parametrize(
    ("dark", "expected"),
    [
        ("a", {("b", "c"): False}),
        ("b", {("a", "b"): True, ("a", "c"): False}),
        ("c", {("a", "b"): False, ("a", "c"): True}),
    ],
)
def test_the_first_bright_visit_is_compared_with_the_later_ones(dark, expected):
    series, found = in_series(scans(dark, 3))
    assert verdicts(found) == expected and min(found.agreement.values()) > 0.4
    (remark,) = found.remarks
    assert f"vessels are dark in {dark}:" in remark
    assert [one.visit.name for one in default_pair(series)] == [name for name in "abc" if name != dark]


def test_the_bright_visits_without_dates_are_compared_too():
    _, found = in_series(scans("a", 3), ("", "", ""))
    assert verdicts(found) == {("b", "c"): False}


@pytest.mark.parametrize("dark", ["a", "b", "ab"])
def test_the_page_speaks_of_dark_vessels_and_of_no_other_eye(dark):
    series, found = in_series(scans(dark, 2))
    assert set(verdicts(found).values()) == {True} and found.agreement["a", "b"] > 0.4
    text = why_no_map(series, found)
    assert f"vessels are dark in {', '.join(dark)}:" in text and "of one eye" not in text


def test_dark_vessels_are_named_where_the_agreement_is_low_too():
    series, found = in_series([eye(), 255 - eye(image=ANOTHER)])
    assert found.agreement["a", "b"] < 0.4 and "vessels are dark in b:" in why_no_map(series, found)
    series, found = in_series([eye(), eye(image=ANOTHER)])
    assert "At least 0.4 is expected of one eye." in why_no_map(series, found)


def test_the_default_map_leaves_dark_visits_out():
    series = in_series(scans("c", 3))[0]
    assert series_change(series).name == "change_a_to_b"
    with pytest.raises(InputError, match="vessels are dark in b"):
        series_change(in_series(scans("b", 2))[0])
    one_day = Series(
        0,
        "chosen",
        [entry(*each) for each in zip("abc", scans("c", 3), DATES[:1] * 2 + DATES[1:2], strict=True)],
        [6.0] * 3,
    )
    with pytest.raises(InputError, match="All visits with bright vessels are of one day"):
        default_pair(one_day)


def test_a_day_with_a_dark_scan_gives_no_repeats():
    _, found = in_series(scans("b", 3), ("2020-01-01", "2020-01-01", "2021-01-01"))
    assert "of your own" not in found.repeatability.source


def test_what_is_computed_of_an_image_is_computed_once():
    one = entry("a", eye())
    assert one.larger_vessels.any() and not one.visit.dark
    assert one.with_error(None).larger_vessels is one.larger_vessels
    inverted = entry("b", 255 - eye())
    assert inverted.visit.dark and np.mean(inverted.larger_vessels == one.larger_vessels) > 0.99
