"""Dates of visits: read from cells and names, refused where they are impossible or ambiguous, compared as far as known."""

import datetime

import pytest

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.visits.dates import (
    AmbiguousDate,
    date_in_name,
    date_of_header,
    natural_key,
    not_read,
    read_date,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2021-03-04", "2021-03-04"),
        ("2021/3/4", "2021-03-04"),
        ("2021.03.04", "2021-03-04"),
        ("20210304", "2021-03-04"),
        ("2021-03-04T10:20", "2021-03-04 10:20"),
        ("2021-03-04 10:20:30.5Z", "2021-03-04 10:20:30"),
        ("20210304102030", "2021-03-04 10:20:30"),
        ("20210304T1020", "2021-03-04 10:20"),
        ("20210304_102030", "2021-03-04 10:20:30"),
        ("4th March 2021", "2021-03-04"),
        ("4 Oct 2021", "2021-10-04"),
        ("04/2021", "2021-04"),
        ("Mar 2021", "2021-03"),
        ("4 March 2021", "2021-03-04"),
        ("04-Mar-2021", "2021-03-04"),
        ("Mar 4, 2021", "2021-03-04"),
        ("05-Mar-21", "2021-03-05"),
        ("5 mar 21 14:05", "2021-03-05 14:05"),
        ("31-Dec-99", "1999-12-31"),
        ("13.03.2021", "2021-03-13"),
        ("03/25/2021", "2021-03-25"),
        ("05.05.2021", "2021-05-05"),
        ("3/25/2021 2:05 PM", "2021-03-25 14:05"),
        ("2021-03", "2021-03"),
        ("2021", "2021"),
    ],
)
def test_one_meaning(text, shown):
    assert str(read_date(text, "here")) == shown


def test_two_digits_of_a_year_count_in_cells_alone():
    assert date_in_name("05-Mar-21", "here") is None
    with pytest.raises(InputError, match=r"here: 05-Mar-45 is before 1970"):
        read_date("05-Mar-45", "here")
    assert read_date("05/03/21", "here") is None


def test_the_number_of_a_day_in_a_spreadsheet_is_named():
    assert "'44260' is not read as a date. It may be the number of the day 2021-03-05 in a spreadsheet." in not_read(
        "44260"
    )
    assert not_read("99999") == "'99999' is not read as a date. Write it as 2021-03-04."


@pytest.mark.parametrize(("order", "shown"), [("dayfirst", "2021-03-04"), ("monthfirst", "2021-04-03")])
@pytest.mark.parametrize("text", ["04.03.2021", "4/3/2021", "04-03-2021"])
def test_day_and_month_are_asked_about(text, order, shown):
    with pytest.raises(AmbiguousDate, match=r"here: .*day and month.*Say which with dates"):
        read_date(text, "here")
    assert str(read_date(text, "here", order)) == shown
    with pytest.raises(AmbiguousDate):
        date_in_name(f"P1 {text.replace('/', '-')} OD", "here")
    assert date_in_name("P1 04.03.2021", "here", "ignore") is None


@pytest.mark.parametrize(
    "text", ["2021-02-30", "2021-13-01", "31.04.2021", "20211301", "1900-01-01", "2021-03-04 25:00"]
)
def test_impossible_dates_are_named(text):
    with pytest.raises(InputError, match="here: "):
        read_date(text, "here")


def test_a_date_in_the_future_is_named():
    ahead = datetime.date.today() + datetime.timedelta(days=400)
    with pytest.raises(InputError, match="in the future"):
        read_date(ahead.isoformat(), "here")


def test_the_wrong_order_is_named():
    with pytest.raises(InputError, match=r"25\.03\.2021 is no date"):
        read_date("25.03.2021", "here", "monthfirst")


@pytest.mark.parametrize("text", ["", "baseline", "month 6", "44259", "v2", "04.03.21"])
def test_words_and_numbers_are_no_dates(text):
    assert read_date(text, "here") is None


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("P1_2021-03-04_OD", "2021-03-04"),
        ("20210304_enface", "2021-03-04"),
        ("scan20210304102030", "2021-03-04 10:20:30"),
        ("4Mar2021", "2021-03-04"),
        ("19500101_20210304", "2021-03-04"),  # a birthday is no date of a scan
        ("2021-03-04 and 20210304", "2021-03-04"),
        ("20210304_8812", "2021-03-04"),  # a number of its own
        ("20210304_0001", "2021-03-04"),
        ("3 October 2021", "2021-10-03"),
        ("8_Oct_2022", "2022-10-08"),
        ("20210304_108765", "2021-03-04"),  # no time
        ("P1_4_Mar_2021", "2021-03-04"),
        ("Scan 4 March 2021", "2021-03-04"),
        ("visit 25 March 2021", "2021-03-25"),
        ("visit_25-Mar-2021", "2021-03-25"),
        ("session_14mar2021", "2021-03-14"),
        ("OD2mar2021", "2021-03-02"),
        ("visit_25.03.2021", "2021-03-25"),
        ("img-25-03-2021", "2021-03-25"),
        ("follow-up 25.03.2021", "2021-03-25"),
        ("visit13_03_2021", "2021-03-13"),
        ("visit2_4mar2021", "2021-03-04"),
    ],
)
def test_dates_in_names(name, shown):
    assert str(date_in_name(name, "here")) == shown


@pytest.mark.parametrize(
    "name",
    [
        *("scan7_OCTA_2021-02-before", "OCT_3_2021", "3_OCT_2021", "12octa2021", "3_Maria_2020", "Mark_12_2021"),
        *("decor_1_2021", "99 May 2021", "20210304108765", "20211304_108765"),
        *(
            "visit1_mar_2021",
            "visit31_mar_2023",
            "visit_2_mar_2022",
            "visit-2-mar-2022",
            "P3_mar_2021",
            "Visit3mar2021",
        ),
        *("visit_2", "2021", "12345678", "20211345", "2021-03-04 to 2022-03-04", "1.2.826.0.1.20210304.5", "v1.10"),
    ],
)
def test_names_without_one_date(name):
    assert date_in_name(name, "here") is None


def test_a_written_date_that_is_impossible_is_named_in_a_name_too():
    with pytest.raises(InputError, match=r"2021-02-30 is no date"):
        date_in_name("P1_2021-02-30", "here")


def test_dates_are_compared_as_far_as_they_are_known():
    year, month, morning, evening, next_day = (
        read_date(text, "") for text in ("2021", "2021-03", "2021-03-04 08:00", "2021-03-04 20:00", "2021-03-05")
    )
    assert morning.before(next_day) and not next_day.before(morning)
    assert not morning.before(evening) and morning.agrees(evening), "two scans of one day are repeats"
    assert not year.before(month) and year.agrees(next_day) and month.agrees(morning)
    assert read_date("2020", "").before(month)
    assert morning.day == datetime.date(2021, 3, 4) and month.day is None


def test_dates_of_headers():
    assert str(date_of_header("20210304102030.123456", "f")) == "2021-03-04 10:20:30"
    assert str(date_of_header("20210304", "f")) == "2021-03-04" and date_of_header("", "f") is None
    with pytest.raises(InputError, match="before 1970"):
        date_of_header("19000101", "f")


def test_names_are_sorted_as_people_count():
    names = ["visit_10", "Visit_2", "visit_1", "visit"]
    assert sorted(names, key=natural_key) == ["visit", "visit_1", "Visit_2", "visit_10"]


@pytest.mark.parametrize(
    ("text", "shown"), [("202105", "2021-05"), ("2021051510", "2021-05-15 10:00"), ("2021", "2021")]
)
def test_shortened_dates_of_headers(text, shown):
    assert str(date_of_header(text, "f")) == shown


@pytest.mark.parametrize(("clock", "shown"), [("13.30", "13:30"), ("0930", "09:30"), ("9:05 p.m.", "21:05"), ("", "")])
def test_times_in_a_cell_of_their_own(clock, shown):
    assert str(read_date("2021-03-04", "f", clock=clock)) == f"2021-03-04 {shown}".strip()


def test_an_impossible_time_is_named():
    with pytest.raises(InputError, match="the time '25:70' is impossible"):
        read_date("2021-03-04", "f", clock="25:70")
