"""Landmark files and the matching of two lists."""

from __future__ import annotations

import json

import numpy as np
import pytest

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.landmarks import (
    Landmarks,
    match_landmarks,
    read_landmark_pairs,
    read_landmarks,
    write_landmark_pairs,
    write_landmarks,
)

PLAIN = Geometry(size=(300, 300))
OBLIQUE = Geometry(
    size=(300, 200),
    spacing=(0.02, 0.01),
    origin=(4.0, -5.0, 6.0),
    direction=((0.0, 0.6, 0.8), (1.0, 0.0, 0.0), (0.0, 0.8, -0.6)),
    spacing_known=True,
)
POINTS = np.array([[10.25, 20.5], [250.0, 0.125], [-0.5, 199.5]])  # row, column


def _landmarks(*labels):
    return Landmarks(labels, np.arange(2.0 * len(labels)).reshape(-1, 2))


@pytest.mark.parametrize("suffix", [".csv", ".mrk.json", ".fcsv"])
@pytest.mark.parametrize("labels", [("F-1", "fovea, centre", 'the "Ä" point'), ("", "", "")])
def test_round_trip(tmp_path, suffix, labels):
    path = tmp_path / f"müller 1{suffix}"
    write_landmarks(path, Landmarks(labels, POINTS), OBLIQUE)
    landmarks = read_landmarks(path, OBLIQUE)
    assert landmarks.labels == (labels if labels[0] else ("1", "2", "3"))
    np.testing.assert_allclose(landmarks.points, POINTS, atol=1e-9)


CSV_FILES = {
    "plain": ("x,y\n20.5,10.25\n0.125,250\n", ("", "")),
    "label, order, case": ("Label,Y,X,remark\nA,10.25,20.5,good\nB,250,0.125,\n", ("A", "B")),
    "index": ("index,x,y\n7,20.5,10.25\n\n9,0.125,250\n", ("7", "9")),
    "excel": ("\ufeffx;y;label\r\n20,5;10,25;A\r\n0,125;250;B\r\n", ("A", "B")),
    "tabs": ("x\ty\n20.5\t10.25\n0.125\t250\n", ("", "")),
}


@pytest.mark.parametrize("name", CSV_FILES)
def test_csv_dialects(tmp_path, name):
    text, labels = CSV_FILES[name]
    (tmp_path / "a.csv").write_bytes(text.encode())
    landmarks = read_landmarks(tmp_path / "a.csv", PLAIN)
    assert landmarks.labels == labels
    np.testing.assert_array_equal(landmarks.points, POINTS[:2])


def test_csv_in_windows_encoding(tmp_path):
    (tmp_path / "a.csv").write_bytes("label,x,y\nGefäß,1,2\n".encode("cp1252"))
    assert read_landmarks(tmp_path / "a.csv", PLAIN).labels == ("Gefäß",)


def _slicer_json(system, *points, **fields):
    return json.dumps({"markups": [{"type": "Fiducial", "coordinateSystem": system, "controlPoints": points} | fields]})


@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_slicer_json(tmp_path, system):
    signs = {"LPS": (1, 1, 1), "RAS": (-1, -1, 1)}[system]
    positions = (OBLIQUE.to_physical(POINTS) * signs).tolist()
    points = [
        {"label": "A", "position": positions[0], "positionStatus": "defined"},
        {"label": "not placed", "position": "", "positionStatus": "undefined"},
        {"label": "hovering", "position": positions[2], "positionStatus": "preview"},
        {"label": "B", "position": positions[1]},
    ]
    (tmp_path / "F.mrk.json").write_text(_slicer_json(system, *points, coordinateUnits="mm"))
    landmarks = read_landmarks(tmp_path / "F.mrk.json", OBLIQUE)
    assert landmarks.labels == ("A", "B")
    np.testing.assert_allclose(landmarks.points, POINTS[:2], atol=1e-9)


def test_units_as_the_coded_entry_of_slicers_schema(tmp_path):
    point = {"label": "A", "position": OBLIQUE.to_physical(POINTS[:1])[0].tolist()}
    for units, refused in ((["mm", "UCUM", "millimeter"], False), (["cm", "UCUM", "centimeter"], True)):
        (tmp_path / "F.mrk.json").write_text(_slicer_json("LPS", point, coordinateUnits=units))
        if refused:
            with pytest.raises(InputError, match="coordinateUnits"):
                read_landmarks(tmp_path / "F.mrk.json", OBLIQUE)
        else:
            landmarks = read_landmarks(tmp_path / "F.mrk.json", OBLIQUE)
            np.testing.assert_allclose(landmarks.points, POINTS[:1], atol=1e-9)


def test_written_json_is_a_slicer_point_list(tmp_path):
    write_landmarks(tmp_path / "a.mrk.json", _landmarks("A", "B"), OBLIQUE)
    content = json.loads((tmp_path / "a.mrk.json").read_text())
    assert content["@schema"].endswith("/markups-schema-v1.0.3.json#")
    (markup,) = content["markups"]
    assert (markup["type"], markup["coordinateSystem"], markup["coordinateUnits"]) == ("Fiducial", "LPS", "mm")
    point = markup["controlPoints"][1]
    np.testing.assert_allclose(point.pop("position"), OBLIQUE.to_physical([2.0, 3.0]))
    assert point == {
        "id": "2",
        "label": "B",
        "description": "",
        "associatedNodeID": "",
        "orientation": [-1, 0, 0, 0, -1, 0, 0, 0, 1],
        "selected": True,
        "locked": False,
        "visibility": True,
        "positionStatus": "defined",
    }


FCSV_HEADER = "# Markups fiducial file version = 4.11\n"
FCSV_FILES = {
    "LPS": (FCSV_HEADER + "# CoordinateSystem = LPS\n", -1),
    "1": (FCSV_HEADER + "# CoordinateSystem = 1\n", -1),
    "RAS": (FCSV_HEADER + "# CoordinateSystem = RAS\n", 1),
    "0": (FCSV_HEADER + "# CoordinateSystem = 0\n", 1),
    "unsaid": (FCSV_HEADER, 1),
}


@pytest.mark.parametrize("name", FCSV_FILES)
def test_fcsv_coordinate_systems(tmp_path, name):
    header, sign = FCSV_FILES[name]
    # In RAS the point (column 20, row 10) of a plain image lies at (-20, -10, 0).
    line = f"vtkMRMLMarkupsFiducialNode_0,{-20 * sign},{-10 * sign},0,0,0,0,1,1,1,0"
    undefined = "2,0,0,0,0,0,0,1,1,1,0,F-2,,,0,0"
    (tmp_path / "F.fcsv").write_text(f"{header}# columns = id,x,y\n{line},F-1,,\n{line},F-3,,,2,0\n{undefined}\n")
    landmarks = read_landmarks(tmp_path / "F.fcsv", PLAIN)
    assert landmarks.labels == ("F-1", "F-3")
    np.testing.assert_array_equal(landmarks.points, [[10, 20], [10, 20]])


def test_fcsv_of_slicer_3(tmp_path):
    (tmp_path / "F.fcsv").write_text("# Fiducial List file\nL1,-20,-10,0,1,1\n")
    landmarks = read_landmarks(tmp_path / "F.fcsv", PLAIN)
    assert landmarks.labels == ("L1",)
    np.testing.assert_array_equal(landmarks.points, [[10, 20]])


MALFORMED = {
    "no_header.csv": ("12,13\n14,15\n", ["line 1", "x,y"]),
    "pairs.csv": ("index,moving_x,moving_y,fixed_x,fixed_y\n1,2,3,4,5\n", ["line 1", "moving_x"]),
    "twice.csv": ("x,y,x\n1,2,3\n", ["line 1", "twice"]),
    "word.csv": ("x,y\n1,2\n\n3,four\n", ["line 4", "y", "four"]),
    "nan.csv": ("x,y\nnan,2\n", ["line 2", "x", "nan"]),
    "short.csv": ("x,y\n1\n", ["line 2", "y", "nothing"]),
    "long.csv": ("x,y\n1,2,3\n", ["line 2", "3 cells under 2"]),
    "none.csv": ("x,y\n", ["no landmark"]),
    "binary.csv": ("x,y\0\n", ["binary"]),
    "empty.csv": ("", ["empty"]),
    "cut.mrk.json": ('{"markups": [', ["JSON"]),
    "other.mrk.json": ("[1, 2]", ["'markups'"]),
    "plane.mrk.json": ('{"markups": [{"type": "Plane"}]}', ["'type'", "Plane"]),
    "system.mrk.json": (_slicer_json("IJK"), ["coordinate system", "IJK"]),
    "unit.mrk.json": (_slicer_json("LPS", coordinateUnits="um"), ["coordinateUnits", "um"]),
    "two.mrk.json": (_slicer_json("LPS", {"position": [1, 2]}), ["control point 1", "'position'"]),
    "word.mrk.json": (_slicer_json("LPS", {"position": [1, 2, "x"]}), ["control point 1", "position"]),
    "points.mrk.json": ('{"markups": [{"type": "Fiducial", "controlPoints": 3}]}', ["controlPoints"]),
    "none.mrk.json": (_slicer_json("LPS"), ["no landmark"]),
    "short.fcsv": (FCSV_HEADER + "1,2\n", ["line 2", "2 cells"]),
    "word.fcsv": (FCSV_HEADER + "1,2,three,4\n", ["line 2", "y", "three"]),
    "system.fcsv": (FCSV_HEADER + "# CoordinateSystem = IJK\n", ["line 2", "IJK"]),
    "points.txt": ("x,y\n1,2\n", [".csv, .mrk.json, .fcsv"]),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_name_file_and_place(tmp_path, name):
    text, said = MALFORMED[name]
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        read_landmarks(tmp_path / name, PLAIN)
    for part in [name, *said]:
        assert part in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"no such file.*"):
        read_landmarks(tmp_path / "a.csv", PLAIN)


def test_pair_file_round_trip(tmp_path):
    for labels, column in ((("1", "2", "3"), "index"), (("A", "B", "C"), "label")):
        write_landmark_pairs(tmp_path / "p.csv", Landmarks(labels, POINTS), Landmarks(labels, POINTS + 1))
        header = (tmp_path / "p.csv").read_text().splitlines()[0]
        assert header == f"{column},moving_x,moving_y,fixed_x,fixed_y"
        moving, fixed = read_landmark_pairs(tmp_path / "p.csv")
        assert moving.labels == fixed.labels == labels
        np.testing.assert_array_equal(moving.points, POINTS)
        np.testing.assert_array_equal(fixed.points, POINTS + 1)


def test_pair_file_is_x_column_y_row(tmp_path):
    (tmp_path / "p.csv").write_text("moving_x,moving_y,fixed_x,fixed_y\n1,2,3,4\n")
    moving, fixed = read_landmark_pairs(tmp_path / "p.csv")
    assert moving.labels == ("1",)
    assert moving.points.tolist() == [[2, 1]]
    assert fixed.points.tolist() == [[4, 3]]


def test_malformed_pair_file(tmp_path):
    (tmp_path / "p.csv").write_text("index,moving_x,moving_y,fixed_x,fixed_y\n1,2,3,4,\n")
    with pytest.raises(InputError, match=r"p\.csv, line 2: fixed_y must be a number"):
        read_landmark_pairs(tmp_path / "p.csv")
    (tmp_path / "p.csv").write_text("index,moving_x,moving_y\n1,2,3\n")
    with pytest.raises(InputError, match=r"p\.csv, line 1.*fixed_x"):
        read_landmark_pairs(tmp_path / "p.csv")


MATCHES = {
    "same labels, other order": (("F-1", "F-2", "F-3"), ("F-3", "F-1", "F-2"), [0, 1, 2], [1, 2, 0]),
    "all of one list in the other": (("F-2", "F-4"), ("F-2", "F-3", "F-4"), [0, 1], [0, 2]),
    "Slicer's list names": (("Moving-1", "Moving-3"), ("Fixed-3", "Fixed-1"), [0, 1], [1, 0]),
    "ImageJ's coordinates": (
        ("a.tif:0068-0104", "a.tif:0012-0007"),
        ("b.tif:0070-0007", "b.tif:0014-0104"),
        [0, 1],
        [0, 1],
    ),
    "the same labels, one twice": (("A", "B", "B"), ("A", "B", "B"), [0, 1, 2], [0, 1, 2]),
    "numbers and names": (("1", "02"), ("F_2", "F_1"), [0, 1], [1, 0]),
    "no labels": (("", ""), ("", ""), [0, 1], [0, 1]),
    "labels on one side": (("A", "B"), ("", ""), [0, 1], [0, 1]),
    "repeated labels": (("F", "F"), ("G", "G"), [0, 1], [0, 1]),
}


@pytest.mark.parametrize("name", MATCHES)
def test_matching(name):
    moving, fixed, moving_order, fixed_order = MATCHES[name]
    moving, fixed = _landmarks(*moving), _landmarks(*fixed)
    matched_moving, matched_fixed = match_landmarks(moving, fixed)
    np.testing.assert_array_equal(matched_moving.points, moving.points[moving_order])
    np.testing.assert_array_equal(matched_fixed.points, fixed.points[fixed_order])
    assert matched_moving.labels == matched_fixed.labels
    assert all(matched_moving.labels)


@pytest.mark.parametrize(
    ("moving", "fixed", "said"),
    [
        (("fovea", "disc"), ("nasal", "temporal"), "no label occurs in both"),
        (("M-1", "M-2"), ("F-3", "F-4"), "no label occurs in both"),
        (("0", "1", "2"), ("1", "2", "3"), "only some labels.*moving: 0, 1, 2; fixed: 1, 2, 3"),
        (("M-1", "M-2", "M-4"), ("F-1", "F-2", "F-3"), "moving: M-1, M-2, M-4; fixed: F-1, F-2, F-3"),
        (("M-1", "M-2"), ("F-1", "F-2", "F-3"), "only some numbers occur in both"),
        (("visit1-1 A", "visit1-1 B"), ("visit2-1 A", "visit2-1 B"), "no label occurs in both"),
        (("A", "B", "B"), ("A", "A", "B"), "repeated.*moving: A, B, B; fixed: A, A, B"),
        (("", ""), ("", "", ""), "2 moving and 3 fixed"),
        (("F", "F"), ("F",), "2 moving and 1 fixed"),
    ],
)
def test_no_match(moving, fixed, said):
    with pytest.raises(InputError, match=said):
        match_landmarks(_landmarks(*moving), _landmarks(*fixed))


@pytest.mark.parametrize(("unit", "step"), [("micron", 9.8), ("mm", 0.0098), ("\\u00B5m", 9.8)])
def test_results_that_imagej_measured_in_the_images_unit_become_pixels(tmp_path, unit, step):
    from PIL import Image, TiffImagePlugin

    from MetaRegistrationLib.pairs.files import PairFiles

    rng = np.random.default_rng(0)
    for name in ("m", "f"):
        tags = TiffImagePlugin.ImageFileDirectory_v2()
        tags[270] = f"ImageJ=1.54f\nunit={unit}\n"
        tags[282] = tags[283] = 1 / step
        tags[296] = 1
        image = Image.fromarray(rng.integers(0, 255, (100, 120), dtype=np.uint8))
        image.save(tmp_path / f"{name}.tif", tiffinfo=tags)
        image.save(tmp_path / f"{name}.png")
        rows = "".join(
            f"{i},0,99,99,99,{x * step:.4f},{y * step:.4f}\n" for i, (x, y) in enumerate([(10, 20), (100, 50)], 1)
        )
        (tmp_path / f"{name}.csv").write_text(f" ,Area,Mean,Min,Max,X,Y\n{rows}", encoding="utf-8")

    def pair(suffix):
        paths = [tmp_path / name for name in (f"m{suffix}", f"f{suffix}", "m.csv", "f.csv")]
        files = PairFiles("p", *paths[:2], moving_landmarks=paths[2], fixed_landmarks=paths[3])
        return files.load()

    found = pair(".tif")
    np.testing.assert_allclose(found.moving_landmarks.points, [[20, 10], [50, 100]], atol=0.01)
    with pytest.raises(InputError, match=r"m\.csv"):  # in a corner of the image, or outside of it
        pair(".png")
