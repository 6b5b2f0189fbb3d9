"""Landmarks in millimetres: the pixel size and the slice that they belong to."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.images import read_image, write_image
from MetaRegistrationLib.formats.landmarks import Landmarks, noted_pixel_size, write_landmarks
from MetaRegistrationLib.pairs.files import PairFiles
from MetaRegistrationLib.visits.files import VisitFile

SIZE = (40, 60)
NOISE = np.random.default_rng(0).integers(0, 256, (4, *SIZE), dtype=np.uint8)
SPREAD = np.array([[30.0, 10.0], [5.0, 55.0], [20.0, 30.0]])  # row, column
CORNER = np.array([[0.5, 1.0]])  # the first corner has 2 rows and 3 columns


def _geometry(um=None):
    return Geometry(SIZE) if um is None else Geometry(SIZE, (um / 1000, um / 1000), spacing_known=True)


def _without_note(path):
    """As Slicer saves a list: it drops fields that it does not know."""
    content = json.loads(path.read_text())
    del content["markups"][0]["imagePixelSize"]
    path.write_text(json.dumps(content))


@pytest.fixture
def pair(tmp_path):
    """Two images without a pixel size, and their points as written with one; `suffix` is that of the points."""
    for number, name in enumerate(("m.png", "f.png")):
        write_image(tmp_path / name, NOISE[number], _geometry())

    def made(points, written_um, *, suffix=".mrk.json", noted=True, **sizes):
        path = tmp_path / f"m{suffix}"
        write_landmarks(path, Landmarks(("",) * len(points), points), _geometry(written_um))
        if suffix == ".mrk.json" and not noted:
            _without_note(path)
        return PairFiles("p", tmp_path / "m.png", tmp_path / "f.png", moving_landmarks=path, **sizes)

    return made


@pytest.mark.parametrize("suffix", [".mrk.json", ".fcsv"])
@pytest.mark.parametrize("points", [SPREAD, SPREAD[:1]], ids=["three", "one"])
def test_true_millimetres_on_an_image_without_a_pixel_size_are_refused(pair, suffix, points):
    files = pair(points, 18.75, suffix=suffix, noted=False)
    for read in (files.load, files.headers):
        with pytest.raises(InputError, match=rf"m{suffix}: .*1 mm.*m\.png.*3 x 2 pixels.*in pixels\.") as caught:
            read()
        assert caught.value.field == "spacing_um"
    assert np.allclose(
        pair(points, 18.75, suffix=suffix, noted=False, spacing_um=18.75).load().moving_landmarks.points, points
    )


def test_true_millimetres_of_a_visit_are_refused(tmp_path):
    write_image(tmp_path / "m.png", NOISE[0], _geometry())
    write_landmarks(tmp_path / "m.fcsv", Landmarks(("",) * 3, SPREAD), _geometry(18.75))
    visit = VisitFile("a", tmp_path / "m.png", landmarks=tmp_path / "m.fcsv")
    with pytest.raises(InputError, match=r"m\.fcsv.*first corner"):
        visit.load()
    assert np.allclose(visit.load(spacing_um=18.75).landmarks.points, SPREAD)


def test_points_truly_in_the_corner_need_a_pixel_size_or_pixels(pair, tmp_path):
    with pytest.raises(InputError, match="first corner"):
        pair(CORNER, None, noted=False).load()
    for files in (
        pair(CORNER, None),  # the file notes 1 mm
        pair(CORNER, None, noted=False, spacing_um=1000.0),
        pair(CORNER, None, suffix=".csv"),
        pair(np.vstack([CORNER, SPREAD[:1]]), None, noted=False),  # one point outside of the corner is enough
    ):
        assert np.allclose(files.load().moving_landmarks.points[:1], CORNER)


def test_a_print_resolution_does_not_excuse_true_millimetres(tmp_path):
    pillow = pytest.importorskip("PIL.Image", reason="Pillow writes a print resolution")
    for number, name in enumerate(("m.jpg", "f.jpg")):
        pillow.fromarray(NOISE[number]).resize((320, 320)).save(tmp_path / name, dpi=(96, 96))  # 0.265 mm a pixel
    points = Landmarks(("", ""), np.array([[300.0, 310.0], [10.0, 100.0]]))
    files = PairFiles("p", tmp_path / "m.jpg", tmp_path / "f.jpg", moving_landmarks=tmp_path / "m.fcsv")
    write_landmarks(files.moving_landmarks, points, Geometry((320, 320), (0.01875, 0.01875)))
    with pytest.raises(InputError, match="first corner of 16 x 16"):
        files.load()
    write_landmarks(files.moving_landmarks, points, Geometry((320, 320)))
    assert np.allclose(files.load().moving_landmarks.points, points.points)


def test_an_image_that_states_its_pixel_size_may_have_all_points_in_the_corner(tmp_path):
    for number, name in enumerate(("m.nrrd", "f.nrrd")):
        write_image(tmp_path / name, NOISE[number], _geometry(10))
    write_landmarks(tmp_path / "m.fcsv", Landmarks(("",), CORNER), _geometry(10))
    files = PairFiles("p", tmp_path / "m.nrrd", tmp_path / "f.nrrd", moving_landmarks=tmp_path / "m.fcsv")
    assert np.allclose(files.load().moving_landmarks.points, CORNER)


@pytest.mark.parametrize("written_um", [18.75, 500.0, None])
@pytest.mark.parametrize("given_um", [None, "the same"])
def test_a_list_that_notes_its_pixel_size_needs_no_guess(pair, written_um, given_um):
    files = pair(SPREAD, written_um, spacing_um=written_um if given_um else None)
    assert np.allclose(files.load().moving_landmarks.points, SPREAD)
    assert np.allclose(files.headers().moving_landmarks.points, SPREAD)


def test_another_pixel_size_than_the_noted_one_is_refused(pair):
    with pytest.raises(InputError, match=r"m\.mrk\.json: .*18\.75 x 18\.75 um.*m\.png.*20 x 20 um") as caught:
        pair(SPREAD, 18.75, spacing_um=20.0).load()
    assert caught.value.field == "spacing_um"


def test_true_millimetres_fit_a_resampled_image_that_states_its_pixel_size(pair, tmp_path):
    files = pair(SPREAD, 20.0)
    write_image(tmp_path / "m.nrrd", np.kron(NOISE[0], np.ones((2, 2), np.uint8)), Geometry((80, 120), (0.01, 0.01)))
    half = PairFiles("p", tmp_path / "m.nrrd", files.fixed, moving_landmarks=files.moving_landmarks).load()
    assert np.allclose(half.moving_landmarks.points, 2 * SPREAD)


@pytest.mark.parametrize("noted", [[0.01], "0.01", [0.01, 0], [0.01, None], [1, float("inf")]])
def test_a_damaged_note_is_refused(pair, noted):
    files = pair(SPREAD, 18.75)
    content = json.loads(files.moving_landmarks.read_text())
    content["markups"][0]["imagePixelSize"] = noted
    files.moving_landmarks.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"m\.mrk\.json: .*imagePixelSize"):
        files.load()


def test_the_note_is_columns_then_rows(tmp_path):
    path = tmp_path / "a.mrk.json"
    write_landmarks(path, Landmarks(("",), CORNER), Geometry(SIZE, (0.02, 0.01), spacing_known=True))
    assert json.loads(path.read_text())["markups"][0]["imagePixelSize"] == [0.01, 0.02]
    assert noted_pixel_size(path) == (0.02, 0.01)
    assert noted_pixel_size(tmp_path / "a.csv") is None


DIRECTIONS = {"plain": (1, 0, 0, 0, 1, 0, 0, 0, 1), "turned": (0, 0.6, 0.8, 1, 0, 0, 0, 0.8, -0.6)}


@pytest.fixture
def stack(tmp_path):
    """Four slices with a distance of 0.5 mm, and a function: points of `depth` slices from the first one, read on slice 1."""

    def made(depth, *, suffix=".nrrd", direction="plain", index=1, points_suffix=".mrk.json"):
        image = sitk.GetImageFromArray(NOISE)
        image.SetSpacing((0.02, 0.02, 0.5))
        image.SetOrigin((3.0, -4.0, 7.0))
        image.SetDirection(DIRECTIONS[direction])
        for name in ("m", "f"):
            sitk.WriteImage(image, str(tmp_path / f"{name}{suffix}"))
        places = [image.TransformContinuousIndexToPhysicalPoint((x, y, float(depth))) for y, x in SPREAD.tolist()]
        first = Geometry(SIZE, (1.0, 1.0))  # writes x and y as they are
        path = tmp_path / f"m{points_suffix}"
        write_landmarks(path, Landmarks(("a", "b", "c"), SPREAD), first)
        if points_suffix == ".mrk.json":
            content = json.loads(path.read_text())
            for point, place in zip(content["markups"][0]["controlPoints"], places, strict=True):
                point["position"] = list(place)
            path.write_text(json.dumps(content))
            _without_note(path)
        names = [tmp_path / f"{name}{suffix}" for name in ("m", "f")]
        return PairFiles("p", *names, moving_landmarks=path, slice_index=index)

    return made


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(
    ("depth", "said"),
    [
        (0, "landmark a lies on slice 0"),
        (0.45, "landmark a lies on slice 0"),
        (2, "landmark a lies on slice 2"),
        (18, r"landmark a lies outside of the stack \(slice 18 of 0 to 3\)"),
        (-2, r"landmark a lies outside of the stack \(slice -2 of 0 to 3\)"),
    ],
)
def test_points_of_another_slice_are_refused(stack, direction, depth, said):
    files = stack(depth, direction=direction)
    for read in (files.load, files.headers):
        with pytest.raises(InputError, match=rf"m\.mrk\.json: {said}.*slice 1 of .*m\.nrrd") as caught:
            read()
        assert caught.value.field == "slice"


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("depth", [1, 0.5, 0.7, 1.4999, 1.5])
@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz"])
def test_points_within_half_a_slice_are_those_of_the_slice(stack, direction, depth, suffix):
    pair = stack(depth, suffix=suffix, direction=direction).load()
    np.testing.assert_allclose(pair.moving_landmarks.points, SPREAD, atol=1e-3)


def test_the_slice_counts_for_visits_too(stack):
    files = stack(2)
    visit = VisitFile("a", files.moving, landmarks=files.moving_landmarks)
    with pytest.raises(InputError, match="lies on slice 2"):
        visit.load(1)
    assert len(visit.load(2).landmarks) == 3


def test_points_in_pixels_have_no_slice(stack):
    assert np.allclose(stack(3, points_suffix=".csv").load().moving_landmarks.points, SPREAD)


def test_a_stack_of_a_raster_file_has_no_known_positions(stack, tmp_path):
    files = stack(3, suffix=".tif")
    assert read_image(files.moving, slice_index=1).stack is None
    write_landmarks(files.moving_landmarks, Landmarks(("",) * 3, SPREAD), Geometry(SIZE, origin=(0.0, 0.0, 9.0)))
    assert np.allclose(files.load().moving_landmarks.points, SPREAD)


def test_a_single_slice_takes_points_of_any_depth(tmp_path):
    for number, name in enumerate(("m.nrrd", "f.nrrd")):
        write_image(tmp_path / name, NOISE[number], _geometry(10))
    beside = Geometry(SIZE, (0.01, 0.01), origin=(0.0, 0.0, 9.0), spacing_known=True)
    write_landmarks(tmp_path / "m.fcsv", Landmarks(("",) * 3, SPREAD), beside)
    files = PairFiles("p", tmp_path / "m.nrrd", tmp_path / "f.nrrd", moving_landmarks=tmp_path / "m.fcsv")
    assert np.allclose(files.load().moving_landmarks.points, SPREAD)
