"""Tests of what a registration leaves on disk: every file whole, readable and of the registration it came from."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from known_networks import NETWORK_ALONE, known_checkpoint, read_rows, texture

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.images import Image
from MetaRegistrationLib.formats.landmarks import Landmarks, read_landmark_pairs, read_landmarks
from MetaRegistrationLib.registration import results
from MetaRegistrationLib.registration.measures import carry_landmarks, measure
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.registration.results import write_registration, write_tables

SIZE = (80, 100)
GEOMETRY = Geometry(SIZE, spacing=(0.02, 0.01), origin=(3, -4, 5), spacing_known=True)
ALWAYS = {
    "moving.nrrd",
    "fixed.nrrd",
    "warped.nrrd",
    "displacement_field.nrrd",
    "expected_error.nrrd",
    "overlay.png",
    "registration.json",
}
ALWAYS |= {"written_files.jsonl"}
MOVING_LANDMARKS = {"moving_landmarks.mrk.json", "carried_landmarks.mrk.json", "landmarks.csv"}
POINTS = np.array([(30.0, 40.0), (50.5, 20.25)])


@pytest.fixture(scope="module")
def registration():
    # 5 frame pixels of 400 on 80 rows are 1 pixel, on 100 columns 1.25.
    registrar = Registrar(known_checkpoint("Translation", row=5.0, column=-4.0), "cpu", NETWORK_ALONE)
    return registrar(*(Image(texture(SIZE, seed), GEOMETRY) for seed in (1, 2)))


def write(folder, registration, labels=None, fixed=None, record=None):
    landmarks = None
    if labels is not None:
        known = None if fixed is None else Landmarks(labels, fixed)
        landmarks = carry_landmarks(registration, Landmarks(labels, POINTS), known)
    write_registration(folder, registration, landmarks, measure("p", registration, landmarks), record or {})
    return {path.name for path in folder.iterdir()}


def strict_json(path):
    """Content of a JSON file without NaN or Infinity, which JSON does not have."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_without_landmarks(registration, tmp_path):
    folder = tmp_path / "new folder" / "é"
    assert write(folder, registration) == ALWAYS
    for name, component in (("moving", 1), ("fixed", 1), ("warped", 1), ("displacement_field", 3)):
        image = sitk.ReadImage(str(folder / f"{name}.nrrd"))
        assert image.GetSize() == (100, 80, 1) and image.GetNumberOfComponentsPerPixel() == component
        np.testing.assert_allclose(image.GetSpacing(), (0.01, 0.02, 1))
        np.testing.assert_allclose(image.GetOrigin(), (3, -4, 5))
    for name, expected in (("moving", registration.moving.array), ("warped", registration.warped())):
        np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.ReadImage(str(folder / f"{name}.nrrd")))[0], expected)


def test_a_picture_of_every_second_pixel_has_its_landmarks_where_they_are(registration, monkeypatch):
    seen = []
    monkeypatch.setattr(results, "_PICTURED", 60)
    monkeypatch.setattr(results, "overlay", lambda *images, **_: seen.append(images) or np.zeros((4, 4, 3), np.uint8))
    landmarks = carry_landmarks(registration, Landmarks(("a", "b"), POINTS), Landmarks(("a", "b"), POINTS + 2))
    results.overlay_picture(registration, registration.warped(), landmarks)
    for (moving, fixed, carried, truth), expected in zip(seen, (POINTS, landmarks.carried.points), strict=True):
        assert moving.shape == fixed.shape == (40, 50)
        np.testing.assert_allclose(carried, expected / 2, atol=0.6)
        np.testing.assert_allclose(truth, (POINTS + 2) / 2)


def test_the_displacement_field_is_in_lps_millimetres(registration, tmp_path):
    write(tmp_path, registration)
    vectors = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "displacement_field.nrrd")))
    # One row of 0.02 mm down, one column of 0.01 mm to the left.
    np.testing.assert_allclose(vectors - (-0.01, 0.02, 0), 0, atol=1e-7)


def test_slicer_loads_the_displacement_field_as_a_transform_and_not_as_a_volume(registration, tmp_path):
    """Slicer's transform reader outbids its volume reader for a 3-D NRRD of vectors with NIfTI's code of displacements."""
    write(tmp_path, registration)
    header = (tmp_path / "displacement_field.nrrd").read_bytes().split(b"\n\n")[0].decode("ascii")
    fields = dict(re.split(r":=|: ", line, maxsplit=1) for line in header.splitlines() if re.match(r"[a-z_ ]+:", line))
    assert fields["intent_code"] == "1006"
    assert fields["displacement field type"] == "resampling"  # that is, from parent
    assert fields["kinds"] == "vector domain domain domain" and fields["sizes"] == "3 100 80 1"
    assert fields["space"] == "left-posterior-superior" and fields["type"] == "double"
    assert "measurement frame" not in fields  # Slicer refuses one that is not the identity
    for name in ("moving", "fixed", "warped"):
        assert b"intent_code" not in (tmp_path / f"{name}.nrrd").read_bytes()[:1000]


def test_with_landmarks_of_both_images(registration, tmp_path):
    fixed = np.array([(29.0, 41.0), (50.5, 21.25)])
    files = write(tmp_path, registration, ("fork", "7"), fixed)
    assert files == ALWAYS | MOVING_LANDMARKS | {"fixed_landmarks.mrk.json"}
    carried = POINTS + np.array((-1, 1))
    for name, points in (("moving", POINTS), ("fixed", fixed), ("carried", carried)):
        read = read_landmarks(tmp_path / f"{name}_landmarks.mrk.json", GEOMETRY)
        assert read.labels == ("fork", "7")
        np.testing.assert_allclose(read.points, points, atol=1e-3)
    position = strict_json(tmp_path / "carried_landmarks.mrk.json")["markups"][0]["controlPoints"][0]["position"]
    np.testing.assert_allclose(position, (3 + 0.01 * 41, -4 + 0.02 * 29, 5), atol=1e-5)
    rows = read_rows(tmp_path / "landmarks.csv")
    expected = {"label": "fork", "moving_x": 40, "moving_y": 30, "carried_x": 41, "carried_y": 29, "converged": 1}
    # Before: 1 row of 5 frame pixels and 1 column of 4.
    expected |= {"fixed_x": 41, "fixed_y": 29, "distance_before_px": np.hypot(5, 4), "distance_after_px": 0}
    expected |= {"distance_before_native_px": np.hypot(1, 1), "distance_after_native_px": 0}
    expected |= {"distance_before_um": np.hypot(20, 10), "distance_after_um": 0}
    predicted = ["error_px", "error_95_px", "uncertain"]
    assert list(rows[0]) == [*expected, *predicted] and rows[0].pop("label") == expected.pop("label")
    assert float(rows[0]["error_px"]) >= 0 and rows[0]["uncertain"] in "01"
    for column, value in expected.items():
        assert float(rows[0][column]) == pytest.approx(value, abs=1e-3)
    assert float(rows[1]["distance_after_px"]) == pytest.approx(5, abs=1e-3)
    assert float(rows[1]["distance_after_native_px"]) == pytest.approx(1, abs=1e-3)
    assert float(rows[1]["distance_after_um"]) == pytest.approx(20, abs=1e-2)
    moving, read = read_landmark_pairs(tmp_path / "landmarks.csv")
    assert moving.labels == ("fork", "7")
    np.testing.assert_allclose(moving.points, POINTS, atol=1e-4)
    np.testing.assert_allclose(read.points, fixed, atol=1e-4)


def test_without_a_pixel_size_no_column_is_in_micrometres(tmp_path):
    registrar = Registrar(known_checkpoint("Translation", row=5.0, column=-4.0), "cpu", NETWORK_ALONE)
    unknown = registrar(*(Image(texture(SIZE, seed), Geometry(SIZE)) for seed in (1, 2)))
    write(tmp_path, unknown, ("a", "b"), POINTS)
    columns = list(read_rows(tmp_path / "landmarks.csv")[0])
    assert columns[-5:-3] == ["distance_before_native_px", "distance_after_native_px"]
    assert columns[-3:] == ["error_px", "error_95_px", "uncertain"]


def test_landmarks_of_an_earlier_version_are_read(tmp_path):
    (tmp_path / "landmarks.csv").write_text(
        "label,moving_x,moving_y,carried_x,carried_y,converged,fixed_x,fixed_y,distance_before_px,distance_after_px\n"
        "fork,40.0000,30.0000,41.0000,29.0000,1,41.0000,29.0000,6.4031,0.0000\n",
        encoding="utf-8",
    )
    moving, fixed = read_landmark_pairs(tmp_path / "landmarks.csv")
    assert (moving.labels, moving.points.tolist(), fixed.points.tolist()) == (("fork",), [[30, 40]], [[29, 41]])


def test_with_landmarks_of_the_moving_image_only(registration, tmp_path):
    assert write(tmp_path, registration, ("", "")) == ALWAYS | MOVING_LANDMARKS
    rows = read_rows(tmp_path / "landmarks.csv")
    positions = ["label", "moving_x", "moving_y", "carried_x", "carried_y", "converged"]
    assert list(rows[0]) == [*positions, "error_px", "error_95_px", "uncertain"]
    assert [row["label"] for row in rows] == ["1", "2"]
    assert read_landmarks(tmp_path / "carried_landmarks.mrk.json", GEOMETRY).labels == ("1", "2")
    assert strict_json(tmp_path / "registration.json")["measures"]["distance_after_px"] is None


def test_landmarks_of_an_earlier_result_do_not_stay(registration, tmp_path):
    write(tmp_path, registration, ("a", "b"), POINTS)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    assert write(tmp_path, registration) == ALWAYS | {"notes.txt"}


def test_the_record_is_written_last(registration, tmp_path, monkeypatch):
    write(tmp_path, registration)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("MetaRegistrationLib.registration.results.overlay_picture", fail)
    with pytest.raises(OSError, match="disk full"):
        write(tmp_path, registration)
    assert not (tmp_path / "registration.json").exists()
    assert not list(tmp_path.glob(".*"))


def test_the_record_is_strict_json_with_measures(registration, tmp_path):
    write(tmp_path, registration, record={"checkpoint": tmp_path / "é.pt", "loss": float("nan"), "size": np.int64(4)})
    record = strict_json(tmp_path / "registration.json")
    assert record["checkpoint"] == str(tmp_path / "é.pt")
    assert record["loss"] is None and record["size"] == 4
    measures = record["measures"]
    assert measures["ncc_before"] == pytest.approx(registration.ncc[0])
    assert measures["ncc_after"] == pytest.approx(registration.ncc[1])
    assert measures["folding_percent"] == 0 and measures["distance_before_px"] is None


def test_the_overlay_shows_before_and_after(full_pictures, tmp_path):
    registrar = Registrar(known_checkpoint("Translation", row=5.0, column=-4.0), "cpu", NETWORK_ALONE)
    dark = registrar(*[Image(np.zeros(SIZE, dtype=np.float32), GEOMETRY)] * 2)
    write(tmp_path, dark, ("a", "b"))
    picture = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "overlay.png")))
    # 80 rows of 0.02 mm are 1.6 times as long as 100 columns of 0.01 mm.
    assert picture.shape == (800, 500 + 12 + 500, 3)
    assert (picture[:, 500:512] == 255).all()
    rows, columns = np.nonzero((picture == (0, 255, 0)).all(axis=-1))
    left, right = columns < 500, columns > 512
    # A pixel is 10 high and 5 wide; the carried landmarks lie one row higher and one column to the right.
    assert rows[left].mean() - rows[right].mean() == pytest.approx(10, abs=0.3)
    assert columns[right].mean() - columns[left].mean() == pytest.approx(512 + 5, abs=0.3)


def test_a_folder_that_cannot_be_written_is_named(registration, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="file"):
        write_registration(tmp_path / "file", registration, None, measure("p", registration, None), {})


def test_tables(registration, tmp_path):
    measures = measure("p, 1", registration, None)
    summary = write_tables(tmp_path / "out", [measures, measures], {"device": "CPU", "none": float("inf")})
    rows = read_rows(tmp_path / "out" / "metrics.csv")
    assert [row["pair"] for row in rows] == ["p, 1", "p, 1"]
    assert float(rows[0]["ncc_after"]) == pytest.approx(measures.ncc_after, abs=1e-5)
    assert rows[0]["distance_after_px"] == ""
    assert strict_json(tmp_path / "out" / "summary.json") == summary
    assert summary["device"] == "CPU" and summary["none"] is None and summary["pairs"] == 2
