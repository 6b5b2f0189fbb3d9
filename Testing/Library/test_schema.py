"""A measure is declared once: what the library makes of one more, and what it reads of older files."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from known_networks import NETWORK_ALONE, known_checkpoint, texture

from MetaRegistrationLib.commands.measures_text import metrics_table
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.registration import measures
from MetaRegistrationLib.registration.landmark_columns import LANDMARK_COLUMNS
from MetaRegistrationLib.registration.measures import MEASURES, PairMeasures, as_row, from_row, measure, summary
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.registration.results import write_registration, write_tables
from MetaRegistrationLib.registration.schema import GRID_PX, SUMMARY, TERMINAL, Measure, Unit, grouped, markdown_table
from MetaRegistrationLib.visits.columns import LOOP_COLUMNS, VISIT_COLUMNS

LONGEST = Measure(
    "longest_px",
    "longest displacement",
    lambda pair: float(np.hypot(*pair.registration.displacement_px).max()),
    unit=GRID_PX,
    digits=1,
    shown_in=frozenset({SUMMARY, TERMINAL}),
)


@pytest.fixture(scope="module")
def registration():
    registrar = Registrar(known_checkpoint("Translation", row=3.0, column=-4.0), "cpu", NETWORK_ALONE)
    return registrar(*(Image(texture((64, 64), seed), Geometry((64, 64))) for seed in (1, 2)))


def test_one_more_measure_comes_everywhere(registration, tmp_path, monkeypatch):
    monkeypatch.setattr(measures, "MEASURES", (*MEASURES, LONGEST))
    found = measure("p", registration, None)
    assert found.longest_px == found["longest_px"] == pytest.approx(5)
    result = write_tables(tmp_path, [found, found], {})
    write_registration(tmp_path / "p", registration, None, found, {})
    with (tmp_path / "metrics.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows[0]["longest_px"] == "5" and list(rows[0])[-1] == "longest_px"
    assert from_row(rows[0]).longest_px == 5
    assert result["longest_px"] == {"mean": 5, "std": 0, "median": 5}
    record = json.loads((tmp_path / "p" / "registration.json").read_text(encoding="utf-8"))
    assert record["measures"]["longest_px"] == 5
    head, _, row = metrics_table([found]).splitlines()
    assert head.endswith("  longest displacement, grid px") and row.endswith(" 5.0")
    assert measures.shown_values(found, SUMMARY)["longest_px"] == 5
    table = markdown_table(measures.MEASURES)
    assert table.endswith("| `longest_px` | pixels of the network grid (400 x 400) | Longest displacement |")


COLUMNS_OF_BEFORE = [
    "pair",
    "distance_before_px",
    "distance_after_px",
    "ncc_before",
    "ncc_after",
    "folding_percent",
    "seconds",
    "landmarks",
    "not_converged",
    "distance_before_native_px",
    "distance_after_native_px",
    "distance_before_um",
    "distance_after_um",
    "gradient_magnitude",
    "initial",
    "confidence",
    "scale_found",
    "kept",
    "warning",
    "expected_error_px",
    "error_95_px",
    "uncertain_percent",
]


def test_columns_are_in_the_order_of_earlier_files():
    assert [each.key for each in MEASURES] == COLUMNS_OF_BEFORE
    assert list(PairMeasures()) == list(as_row(PairMeasures())) == COLUMNS_OF_BEFORE
    summarised = ["distance_before_px", "distance_after_px", "ncc_before", "ncc_after", "folding_percent", "seconds"]
    assert list(summary([PairMeasures()]))[1:7] == summarised


def test_a_row_is_read_back_and_an_older_one_too(monkeypatch):
    row = as_row(PairMeasures(pair="a", ncc_after=0.5, landmarks=3, warning="look"))
    texts = {key: str(value) for key, value in row.items()}
    found = from_row(texts)
    assert (found.pair, found.ncc_after, found.landmarks, found.warning) == ("a", 0.5, 3, "look")
    assert math.isnan(found.distance_after_px) and found.kept == ""
    monkeypatch.setattr(measures, "MEASURES", (*MEASURES, LONGEST))
    assert math.isnan(from_row(texts).longest_px)
    monkeypatch.setattr(measures, "MEASURES", MEASURES[:4])
    assert dict(from_row(texts)) == pytest.approx(dict(PairMeasures(pair="a")), nan_ok=True)


def test_a_measure_that_is_not_declared_is_refused():
    with pytest.raises(TypeError, match="no measure is called ncc_afterwards"):
        PairMeasures(ncc_afterwards=1.0)
    with pytest.raises(AttributeError, match="no measure is called ncc_afterwards"):
        _ = PairMeasures().ncc_afterwards


def test_numbers_as_files_scenes_and_people_read_them():
    third = replace(LONGEST, digits=2)
    assert (third.cell(1 / 3), third.text(1 / 3), third.parse(third.exact(1 / 3))) == ("0.333333", "0.33", 1 / 3)
    assert (third.cell(math.nan), third.text(math.nan), third.text(math.nan, "–")) == ("", "-", "–")
    assert math.isnan(third.parse("")) and replace(third, unit=Unit()).title == "longest displacement"
    assert [len(group) for group in grouped(MEASURES[:5])] == [1, 1, 1, 2]


def test_every_column_in_pixels_says_which():
    for column in (*MEASURES, *LANDMARK_COLUMNS, *VISIT_COLUMNS, *LOOP_COLUMNS):
        in_pixels = column.key.endswith(("_px", "_x", "_y"))
        assert in_pixels == column.unit.words.startswith("pixels of the "), column.key
        assert column.key.endswith("_um") == (column.unit.words == "micrometres"), column.key
