"""Images that are stored mirrored, by the directions of their files: registered as if they were not, and back exactly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from known_networks import read_rows, texture, write_grey_png

from MetaRegistrationLib.commands import main
from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.formats.images import Image, write_image
from MetaRegistrationLib.formats.landmarks import Landmarks, write_landmark_pairs
from MetaRegistrationLib.pairs.files import PairFiles
from MetaRegistrationLib.preparation.stored_axes import StoredAxes, mirrored_axes
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.stages import Stages
from MetaRegistrationLib.tasks import PairTask
from MetaRegistrationLib.visits import Visit, align_series
from MetaRegistrationLib.visits.change_files import series_change

SPACING = (0.01, 0.012)
SCENE = texture((260, 300), 3)
SHIFT = np.array([4.0, -7.0])  # moving(x) = scene(x + start), so that moving position = fixed position + SHIFT
FIXED, MOVING = SCENE[20:240, 20:270], SCENE[16:236, 27:277]
POINTS = np.array([[40.0, 60.0], [150.0, 200.0], [100.0, 30.5]])
# source axes and flips: what one stored array is of the other
MIRRORED = {"rows": ((0, 1), (True, False)), "columns": ((0, 1), (False, True)), "transposed": ((1, 0), (False, False))}
MIRRORED["both, transposed"] = ((1, 0), (True, True))
TURNED = {"both": ((0, 1), (True, True)), "a quarter": ((1, 0), (True, False))}
LONG = pytest.mark.long
HARDEST = "both, transposed"
"""Of the ways to be stored mirrored: axes and both directions are others."""
TWO_WAYS = ["rows", "both, transposed", *(pytest.param(how, marks=LONG) for how in ("columns", "transposed"))]


def _image(array, oblique=0.0):
    cosine, sine = np.cos(oblique), np.sin(oblique)
    direction = ((cosine, -sine, 0.0), (sine, cosine, 0.0), (0.0, 0.0, 1.0))
    geometry = Geometry(array.shape, SPACING, (3.0, -2.0, 1.0), direction, spacing_known=True)
    return Image(np.asarray(array, np.float32), geometry)


def _stored(image, source, flipped):
    """The same image with its axes in another order, each pixel at the same position; and the way back."""
    way = StoredAxes(image.geometry.size, source, flipped)
    return way.image(image), way


@pytest.fixture(scope="module")
def registrar():
    return Registrar(None, "cpu", Stages(network=False, refine=0))


@pytest.fixture(scope="module")
def quick():
    """Finds shifts alone, and soon sees that there is none."""
    return Registrar(None, "cpu", Stages("translation", network=False, refine=0))


@pytest.fixture(scope="module")
def quick_plain(quick):
    return quick(_image(MOVING), _image(FIXED))


def _said_mirrored(image):
    """An image whose file says that it is stored mirrored, and which is not."""
    wrong = replace(image.geometry, direction=((-1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)))
    return replace(image, geometry=wrong)


@pytest.fixture(scope="module")
def without_meaning(quick):
    return quick(_said_mirrored(_image(MOVING)), _image(FIXED))


@pytest.fixture(scope="module")
def plain(registrar):
    return registrar(_image(MOVING), _image(FIXED))


def test_the_plain_pair_has_the_known_shift(plain):
    assert plain.moving_axes is None and plain.confident
    np.testing.assert_allclose(plain.carry_back(POINTS), POINTS + SHIFT, atol=0.1)


@pytest.mark.parametrize("how", MIRRORED)
def test_a_mirrored_image_registers_in_stored_pixels_and_in_the_patient(registrar, plain, how):
    moving, way = _stored(_image(MOVING), *MIRRORED[how])
    found = registrar(moving, _image(FIXED))
    assert found.moving_axes is not None and found.confident and not found.without_directions
    assert found.moving is moving
    np.testing.assert_allclose(found.displacement_mm(), plain.displacement_mm(), atol=1e-9)
    np.testing.assert_allclose(found.warped(), plain.warped(), atol=1e-3)
    stored = way.from_stored(POINTS + SHIFT)
    np.testing.assert_allclose(found.carry_back(POINTS), stored, atol=0.1)
    np.testing.assert_allclose(found.carry(Landmarks(("",) * 3, stored))[0].points, POINTS, atol=0.1)
    np.testing.assert_allclose(found.moving_positions()[40, 60], way.from_stored(POINTS + SHIFT)[0], atol=0.1)
    without = found.unmoved(Landmarks(("",) * 3, way.from_stored(POINTS))).points
    np.testing.assert_allclose(without, POINTS, atol=1e-9)
    assert found.scale_found == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("how", TWO_WAYS)
def test_oblique_directions_too(registrar, how):
    moving, way = _stored(_image(MOVING, oblique=0.3), *MIRRORED[how])
    found = registrar(moving, _image(FIXED, oblique=0.1))
    np.testing.assert_allclose(found.carry_back(POINTS), way.from_stored(POINTS + SHIFT), atol=0.1)


@pytest.mark.parametrize("how", ["a quarter", pytest.param("both", marks=LONG)])
def test_turned_images_are_found_without_their_directions(registrar, how):
    moving, way = _stored(_image(MOVING), *TURNED[how])
    assert mirrored_axes(moving, _image(FIXED)) is None
    found = registrar(moving, _image(FIXED))
    assert found.confident
    np.testing.assert_allclose(found.carry_back(POINTS), way.from_stored(POINTS + SHIFT), atol=1)


def test_directions_without_meaning_are_not_used(without_meaning, quick_plain):
    assert quick_plain.confident
    assert without_meaning.without_directions and without_meaning.moving_axes is None
    np.testing.assert_array_equal(without_meaning.displacement_px, quick_plain.displacement_px)


def test_raster_files_and_other_planes_state_nothing():
    moving, _ = _stored(_image(MOVING), *MIRRORED["rows"])
    assert mirrored_axes(moving, _image(FIXED)) is not None
    assert mirrored_axes(moving, replace(_image(FIXED), slicer_geometry=Geometry(FIXED.shape))) is None
    sagittal = replace(moving.geometry, direction=((0.0, 0.0, 1.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)))
    assert mirrored_axes(replace(moving, geometry=sagittal), _image(FIXED)) is None


def test_files_of_a_pair(tmp_path, capsys):
    moving, _ = _stored(_image(np.round(MOVING * 255)), *MIRRORED["columns"])
    for name, image in (("moving", moving), ("fixed", _image(np.round(FIXED * 255)))):
        write_image(tmp_path / f"{name}.nrrd", image.array, image.geometry)
    words = ["register", "--moving", tmp_path / "moving.nrrd", "--fixed", tmp_path / "fixed.nrrd", "--no-network"]
    assert main([*map(str, words), "--refine", "0", "--output", str(tmp_path / "out")]) == 0
    assert "stored mirrored. They were used" in capsys.readouterr().err
    (row,) = read_rows(tmp_path / "out" / "metrics.csv")
    assert float(row["confidence"]) > 0.5 and float(row["ncc_after"]) > 0.9


@pytest.mark.parametrize(
    ("stated", "said"),
    [pytest.param((10, 10), False, marks=LONG), ((10, 13.75), True), ((10, 10.2), False)],
)
def test_a_scale_that_contradicts_the_pixel_sizes_is_said(tmp_path, capsys, stated, said):
    for name, array in (("moving", MOVING), ("fixed", FIXED)):
        write_grey_png(tmp_path / f"{name}.png", array)
    words = [
        "register",
        "--moving",
        tmp_path / "moving.png",
        "--fixed",
        tmp_path / "fixed.png",
        "--no-network",
        "--refine",
        0,
    ]
    words += ["--moving-spacing-um", stated[0], "--fixed-spacing-um", stated[1], "--output", tmp_path / "out"]
    assert main([*map(str, words)]) == 0
    err = capsys.readouterr().err
    assert ("contradicts the pixel sizes" in err) == said
    (row,) = read_rows(tmp_path / "out" / "metrics.csv")
    assert float(row["scale_found"]) == pytest.approx(stated[0] / stated[1], rel=0.005)
    assert ("contradicts the pixel sizes" in row["warning"]) == said
    if said:
        assert "10 um of" in err and "13.75 um of" in err and "0.727 times" in err


def _visits(registrar, how=None):
    """Three visits, of which the second has lost vessels and is stored as `how` says."""
    rng = np.random.default_rng(8)
    later = SCENE.copy()
    later[90:140, 110:170] = later.min()
    arrays = [SCENE[20:240, 20:270], later[16:236, 27:277], SCENE[23:243, 25:275]]
    images = [_image(array + rng.normal(0, 8, array.shape)) for array in arrays]
    if how is not None:
        images[1], _ = _stored(images[1], *MIRRORED[how])
    visits = [Visit(name, image) for name, image in zip(("2021", "2022", "2023"), images, strict=True)]
    series = align_series(visits, registrar, "2021")
    return series, series_change(series, ("2021", "2022"))


@pytest.fixture(scope="module")
def plain_visits(quick):
    return _visits(quick)


@pytest.mark.parametrize("how", [HARDEST, *(pytest.param(how, marks=LONG) for how in MIRRORED if how != HARDEST)])
def test_a_visit_that_is_stored_mirrored_is_aligned_and_compared(quick, plain_visits, how):
    plain, expected = plain_visits
    found, change = _visits(quick, how)
    assert not plain.excluded and not found.excluded and len(found.used) == 3
    known = np.isfinite(expected.change.density)
    assert known.mean() > 0.5 and np.nanmin(expected.change.density) < -5
    np.testing.assert_array_equal(np.isfinite(change.change.density), known)
    np.testing.assert_allclose(change.change.density[known], expected.change.density[known], atol=0.2)
    assert change.rows[-1]["lost_percent"] == pytest.approx(expected.rows[-1]["lost_percent"], abs=0.1)


@pytest.mark.parametrize("initial", ["none", *(pytest.param(kind, marks=LONG) for kind in ("rigid", "translation"))])
@pytest.mark.parametrize("how", TWO_WAYS)
def test_fine_tuning_takes_a_mirrored_pair_as_registration_does(tmp_path, how, initial):
    """The network sees the images of the plain pair, and the landmarks are at the same places."""
    plain = _image(MOVING)
    stored, way = _stored(plain, *MIRRORED[how])
    pairs = []
    for name, moving, points in (("plain", plain, POINTS), ("stored", stored, way.from_stored(POINTS))):
        files = [tmp_path / f"{name}_{role}.nrrd" for role in ("moving", "fixed")]
        for path, image in zip(files, (moving, _image(FIXED)), strict=True):
            write_image(path, image.array, image.geometry)
        write_landmark_pairs(tmp_path / f"{name}.csv", Landmarks(("",) * 3, points), Landmarks(("",) * 3, POINTS))
        pairs.append(PairFiles(name, *files, landmarks=tmp_path / f"{name}.csv"))
    task = PairTask("task", pairs, pairs, Preprocessing(), initial=initial)
    expected, found = task.validation_pairs()
    np.testing.assert_allclose(found.moving, expected.moving, atol=1e-4)
    np.testing.assert_allclose(found.moving_points, expected.moving_points, atol=1e-3)


def test_fine_tuning_does_not_use_directions_without_meaning(tmp_path):
    moving = _image(MOVING)
    pairs = []
    for name, geometry in (("plain", moving.geometry), ("turned", _said_mirrored(moving).geometry)):
        files = [tmp_path / f"{name}_{role}.nrrd" for role in ("moving", "fixed")]
        write_image(files[0], moving.array, geometry)
        write_image(files[1], FIXED, _image(FIXED).geometry)
        pairs.append(PairFiles(name, *files))
    task = PairTask("task", pairs, [], Preprocessing(), initial="translation")
    np.testing.assert_array_equal(task.pair(1).moving, task.pair(0).moving)


def test_visits_say_where_directions_were_not_used(quick, without_meaning, monkeypatch):
    """Directions without a meaning: the second visit is stored as the first one, but its file says mirrored."""
    from MetaRegistrationLib.workflows.eye_work import align_visits

    monkeypatch.setattr(Registrar, "__call__", lambda self, moving, fixed: without_meaning)
    visits = [Visit("a", _image(FIXED)), Visit("b", _said_mirrored(_image(MOVING)))]
    said = []
    series = align_visits(visits, quick, "a", said.append)
    assert series.visits[1].aligned
    assert any("b to a: by the directions" in getattr(event, "text", "") for event in said)
