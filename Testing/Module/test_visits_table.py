"""The rows of the tables of visits and of regions: notes, offered visits, and what is not measurable."""

from __future__ import annotations

import math

from MetaRegistrationLib.panel.visits_table import offered_pair, region_rows, rows_after


def row_of(visit, excluded="", aligned="yes", **values):
    columns = ("date", "quality", "overlap_percent", "ncc_after", "landmark_distance_px", "via", "inconsistent")
    return dict.fromkeys(columns, "") | {"visit": visit, "excluded": excluded, "aligned": aligned} | values


def test_the_reason_of_an_exclusion_is_in_the_table_and_its_visit_is_not_offered():
    rows = [
        row_of("2020", "inverted grey values or another modality"),
        row_of("2021"),
        row_of("2022", via="2021"),
        row_of("2023", "a copy of 2021"),
        row_of("2024", "not aligned with the reference", aligned=""),
    ]
    notes = [row[-1] for row in rows_after(rows, "2021")]
    assert notes[0] == "left out: inverted grey values or another modality"
    assert notes[1:] == [
        "reference",
        "through 2021",
        "left out: a copy of 2021",
        "left out: not aligned with the reference",
    ]
    assert offered_pair(rows) == ("2021", "2022")
    assert offered_pair(rows[:2]) == ("", "")
    dated = [row_of("2020", "inverted grey values", date="2020"), row_of("2021", date="2021"), row_of("no date")]
    assert offered_pair(dated) == ("", ""), "among visits with dates, it has no place in time"
    assert rows_after(rows[:1], "2020")[0][-1].startswith("reference; left out: inverted")


def test_the_expected_error_of_a_visit_is_in_its_note():
    errors = {"expected_error_px": "0.41", "error_95_px": "0.93"}
    rows = [
        row_of("2021", **errors),
        row_of("2022", via="2023", **errors, uncertain_percent="6"),
        row_of("2023", **errors, uncertain_percent="0"),
        row_of("2024"),
    ]
    assert [row[-1] for row in rows_after(rows, "2021")] == [
        "reference",
        "through 2023; expected error 0.4 px (95 %: 0.9 px), about 6 % of the image off by over 2 px",
        "expected error 0.4 px (95 %: 0.9 px)",
        "",
    ]


def test_what_is_not_measurable_because_of_the_alignment_is_in_the_table_of_regions():
    columns = ("area_mm2", "difference_points", "lost_percent", "gained_percent", "changed_percent")
    row = {"region": "centre", "pixels": 9.0, "unknown_percent": 12.3, **dict.fromkeys(columns, 1.0)}
    shares = ({"uncertain_percent": 4.2}, {"uncertain_percent": 0.0}, {"uncertain_percent": math.nan}, {})
    assert [found[-1] for found in region_rows([row | share for share in shares])] == ["12 (alignment: 4)", *["12"] * 3]
