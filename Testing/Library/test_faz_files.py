"""Outlines of foveal avascular zones in files, and zones that were corrected by hand: no row of another visit is lost."""

import csv
import json
import math

import numpy as np
import pytest
from known_networks import write_grey_png
from test_faz import bridged
from test_visit_measures import entry, eye

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.markups import read_mrk_json
from MetaRegistrationLib.octa.faz import measured_outline
from MetaRegistrationLib.visits.average import average
from MetaRegistrationLib.visits.faz_files import (
    CORRECTED_COLUMNS,
    CorrectedFaz,
    faz_file,
    keep_corrected,
    write_outlines,
)
from MetaRegistrationLib.visits.measure_files import measurement_records
from MetaRegistrationLib.visits.output import series_files
from MetaRegistrationLib.visits.report import write_series
from MetaRegistrationLib.visits.series import Series
from MetaRegistrationLib.visits.series_measures import grid_of, measure_series

ANGLES = np.linspace(0, 2 * np.pi, 96, endpoint=False)


def disc(radius=20.0):
    outline = 100 + radius * np.stack([np.sin(ANGLES), np.cos(ANGLES)], -1)
    return measured_outline(outline, (0.01, 0.01))


def rows(path):
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_an_outline_is_a_closed_curve_where_the_image_is(tmp_path):
    direction = ((0.0, 1.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
    geometry = Geometry((200, 200), (0.02, 0.01), (5.0, -7.0, 3.0), direction, spacing_known=True)
    (path,) = write_outlines(tmp_path, {"2021 été": disc(), "unclear": None}, geometry)
    assert path.name == faz_file("2021 été") == "faz_2021 été.mrk.json"
    markup = json.loads(path.read_text(encoding="utf-8"))["markups"][0]
    assert markup["type"] == "ClosedCurve" and markup["coordinateSystem"] == "LPS"
    labels, points = read_mrk_json(path)
    assert len(points) == 32 and set(labels) == {""}
    assert np.allclose(np.linalg.norm(geometry.to_pixels(points) - 100, axis=1), 20)


def test_a_series_writes_the_zones_that_it_found(tmp_path):
    middle = np.s_[60:260, 60:260]
    series = Series(0, "chosen", [entry("a", eye()[middle]), entry("b", eye(noise=1)[middle])], [1.0, 1.0])
    found = measure_series(series, grid_of(series, (100, 100)))
    assert set(found.zones) == {"a", "b"} and found.zones["a"] is not None
    write_series(tmp_path / "out", series, average(series), {}, None, found)
    written = {path.name for path in (tmp_path / "out").glob("faz_*")}
    assert written == {faz_file(name) for name, zone in found.zones.items() if zone is not None}
    assert written <= {path.name for path in series_files(tmp_path, ["a", "b"])}


def test_a_corrected_zone_takes_the_place_of_its_own_earlier_row_alone(tmp_path):
    for visit, radius in (("2021", 20), ("2022", 25), ("2021", 30)):
        keep_corrected(tmp_path, CorrectedFaz("OD", visit, "2021-01-01", disc(radius), 26.1 if radius == 30 else None))
    found = rows(tmp_path / "faz_corrected.csv")
    assert tuple(found[0]) == CORRECTED_COLUMNS and {row["note"] for row in found} == {"corrected by hand"}
    values = {(row["visit"], row["measure"]): row for row in found}
    assert len(values) == len(found) == 6
    assert float(values["2021", "faz_area"]["value"]) == pytest.approx(math.pi * 0.3**2, rel=1e-2)
    assert float(values["2022", "faz_perimeter"]["value"]) == pytest.approx(2 * math.pi * 0.25, rel=1e-2)
    assert float(values["2022", "faz_circularity"]["value"]) == pytest.approx(1, abs=0.01)
    assert [values["2021", "faz_area"]["axial_length_mm"], values["2022", "faz_area"]["axial_length_mm"]] == [
        "26.1",
        "",
    ]


@pytest.mark.parametrize("text", ["x,y\n1,2\n", ",".join([*CORRECTED_COLUMNS, "mine"]) + "\n" + "a," * 9 + "b\n"])
def test_a_file_of_another_is_left_as_it_is(tmp_path, text):
    path = tmp_path / "faz_corrected.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"faz_corrected\.csv"):
        keep_corrected(tmp_path, CorrectedFaz("OD", "2021", "", disc()))
    assert path.read_text(encoding="utf-8") == text and len(list(tmp_path.iterdir())) == 1


def test_tables_page_and_messages_name_an_area_that_depends_on_the_centre(tmp_path):
    scans = [eye()[60:260, 60:260], bridged()]
    series = Series(0, "chosen", [entry("a", scans[0]), entry("b", scans[1])], [1.0, 1.0])
    found = measure_series(series, grid_of(series, (101, 100)))
    least, most = found.faz_areas["b"]
    assert set(found.faz_areas) == {"b"} and most > 1.3 * least and found.zones["b"] is None
    noted = [row for row in measurement_records("x", found) if row["note"]]
    assert {row["visit"] for row in noted} == {"b"} and {row["note"] for row in noted} == {"area depends on the centre"}
    assert {row["measure"] for row in noted} == {"faz_area", "faz_perimeter", "faz_circularity"}
    assert all(math.isnan(row["value"]) for row in noted)
    (note,) = found.notes
    assert f"The FAZ is not measured in b ({least:.2f} to {most:.2f} mm²)" in note
    write_series(tmp_path, series, average(series), {}, None, found)
    assert "The FAZ depends on the centre in b: not measured." in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_command_says_that_an_area_depends_on_the_centre(tmp_path, capsys):
    noise = np.random.default_rng(1).normal(0, 3, (200, 200))
    for name, scan in {"a": bridged(), "b": np.clip(bridged() + noise, 0, 255)}.items():
        write_grey_png(tmp_path / "eye" / f"{name}.png", scan)
    words = [
        "series",
        "--folder",
        tmp_path / "eye",
        "--output",
        tmp_path / "out",
        "--centre",
        101,
        100,
        "--reference",
        "a",
    ]
    words += [
        "--no-network",
        "--refine",
        0,
        "--device",
        "cpu",
        "--spacing-um",
        18.75,
        "--initial",
        "none",
        "--no-change",
    ]
    main([str(word) for word in words])
    assert "The FAZ is not measured in a (0.20 to 0.31 mm" in capsys.readouterr().err
    assert {row["note"] for row in rows(tmp_path / "out" / "measurements.csv")} == {"", "area depends on the centre"}
