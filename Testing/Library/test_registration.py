"""Tests of the registration of one pair: images, landmarks and the field in the file agree, for any geometry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from known_networks import NETWORK_ALONE, Scan, image_of, known_checkpoint, rotation, texture
from scipy.optimize import fsolve

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.images import read_image
from MetaRegistrationLib.formats.landmarks import Landmarks
from MetaRegistrationLib.registration.measures import carry_landmarks, measure
from MetaRegistrationLib.registration.registrar import Registrar
from MetaRegistrationLib.registration.results import write_registration

AMPLITUDE = 0.03


PAIRS = {
    "same geometry": (Scan((120, 120), (0.025, 0.025)), Scan((120, 120), (0.025, 0.025))),
    "different size and spacing": (Scan((150, 150), (0.02, 0.02)), Scan((120, 120), (0.025, 0.025))),
    "different field of view": (Scan((100, 110), (0.02, 0.02)), Scan((120, 120), (0.02, 0.02))),
    "different origin": (Scan((120, 120), (0.025, 0.025), (5, -7, 11)), Scan((120, 120), (0.025, 0.025), (-2, 3, 1))),
    "oblique": (
        Scan((120, 120), (0.025, 0.025), (5, -7, 11), rotation(20, -35, 50)),
        Scan((96, 120), (0.03, 0.025), (-2, 3, 40), rotation(-70, 15, 10)),
    ),
    "slice of an oblique stack": (
        Scan((120, 120), (0.025, 0.025), (5, -7, 11), rotation(20, -35, 50), slices=4),
        Scan((120, 120), (0.025, 0.025), (0, 0, 9), rotation(0, 90, 0), slices=2),
    ),
    "different aspect": (Scan((120, 160), (0.02, 0.02)), Scan((130, 100), (0.02, 0.03))),
    "known and unknown spacing": (Scan((120, 120), (0.02, 0.02), (1, 2, 3)), Scan((100, 100))),
    "PNG of different sizes": (Scan((320, 320)), Scan((304, 304))),
    "PNG of different aspect": (Scan((100, 140)), Scan((120, 120))),
}


@dataclass(frozen=True)
class Written:
    """A registered pair and what SimpleITK reads of it, every image 3-D with one slice."""

    registration: object
    landmarks: object
    folder: object
    moving: sitk.Image
    fixed: sitk.Image
    transform: sitk.DisplacementFieldTransform


def as_slice(path, index, copy) -> sitk.Image:
    """The input file as SimpleITK reads it; of a PNG, which has no third axis, the copy among the results."""
    image = sitk.ReadImage(str(path), sitk.sitkFloat32)
    if image.GetDimension() == 2:
        assert np.array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(copy)[0])
        return copy
    return image if index is None else image[:, :, index : index + 1]


def register(folder, moving_scan, fixed_scan, moving_array, points=None, amplitude=AMPLITUDE) -> Written:
    moving_path, moving_slice = moving_scan.write(folder, "moving scan", moving_array)
    fixed_path, fixed_slice = fixed_scan.write(folder, "fixed scan", texture(fixed_scan.size, 2))
    moving = read_image(moving_path, slice_index=moving_slice)
    fixed = read_image(fixed_path, slice_index=fixed_slice)
    registration = Registrar(known_checkpoint("Waves", size=200, amplitude=amplitude), "cpu", NETWORK_ALONE)(
        moving, fixed
    )
    landmarks = None
    if points is not None:
        landmarks = carry_landmarks(registration, Landmarks(tuple("abcdefgh"[: len(points)]), points), None)
    result = folder / "résultat 1"
    write_registration(result, registration, landmarks, measure("p", registration, landmarks), {})
    copies = [sitk.ReadImage(str(result / f"{name}.nrrd"), sitk.sitkFloat32) for name in ("moving", "fixed")]
    vectors = sitk.ReadImage(str(result / "displacement_field.nrrd"), sitk.sitkVectorFloat64)
    return Written(
        registration,
        landmarks,
        result,
        as_slice(moving_path, moving_slice, copies[0]),
        as_slice(fixed_path, fixed_slice, copies[1]),
        sitk.DisplacementFieldTransform(vectors),
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The registration of a pair of `PAIRS` with six landmarks, made when first asked for."""

    @cache
    def of(name) -> Written:
        moving_scan, fixed_scan = PAIRS[name]
        points = np.random.default_rng(3).uniform(0.3, 0.7, (6, 2)) * moving_scan.size
        return register(tmp_path_factory.mktemp("pair"), moving_scan, fixed_scan, texture(moving_scan.size, 1), points)

    return of


def same_place(first: sitk.Image, second: sitk.Image) -> bool:
    return (
        first.GetSize() == second.GetSize()
        and np.allclose(first.GetSpacing()[:2], second.GetSpacing()[:2])
        and np.allclose(first.GetOrigin(), second.GetOrigin())
        and np.allclose(first.GetDirection(), second.GetDirection())
    )


@pytest.mark.parametrize("name", PAIRS)
def test_simpleitk_with_our_file_warps_as_we_do(name, written):
    pair = written(name)
    ours = sitk.ReadImage(str(pair.folder / "warped.nrrd"))
    theirs = sitk.Resample(pair.moving, pair.fixed, pair.transform, sitk.sitkLinear, 0.0, sitk.sitkFloat32)
    assert same_place(ours, pair.fixed)
    values, expected = sitk.GetArrayFromImage(ours), sitk.GetArrayFromImage(theirs)
    assert values.shape == (1, *PAIRS[name][1].size)
    assert (expected == 0).any() and (expected > 0).mean() > 0.3  # both, the inside and what lies beyond, are compared
    np.testing.assert_array_equal(values == 0, expected == 0)
    np.testing.assert_allclose(values, expected, atol=2e-4)


@pytest.mark.parametrize("name", PAIRS)
def test_results_have_the_images_own_geometry(name, written):
    pair = written(name)
    for file, source in (("moving", pair.moving), ("fixed", pair.fixed), ("warped", pair.fixed)):
        assert same_place(sitk.ReadImage(str(pair.folder / f"{file}.nrrd")), source)
    vectors = sitk.ReadImage(str(pair.folder / "displacement_field.nrrd"))
    assert same_place(vectors, pair.fixed)
    assert (vectors.GetDimension(), vectors.GetSize()[2], vectors.GetNumberOfComponentsPerPixel()) == (3, 1, 3)
    assert vectors.GetPixelID() == sitk.sitkVectorFloat64


def to_physical(image: sitk.Image, point) -> np.ndarray:
    """LPS position of (row, column), by SimpleITK."""
    return np.array(image.TransformContinuousIndexToPhysicalPoint((float(point[1]), float(point[0]), 0.0)))


def to_pixel(image: sitk.Image, position) -> np.ndarray:
    """(row, column, slice) of an LPS position, by SimpleITK."""
    column, row, index = image.TransformPhysicalPointToContinuousIndex([float(value) for value in position])
    return np.array([row, column, index])


@pytest.mark.parametrize("name", PAIRS)
def test_a_carried_landmark_and_the_transform_in_the_file_are_inverses(name, written):
    pair = written(name)
    assert pair.landmarks.converged.all() and len(pair.landmarks.moving.points) == 6
    for point, carried in zip(pair.landmarks.moving.points, pair.landmarks.carried.points, strict=True):
        back = to_pixel(pair.moving, pair.transform.TransformPoint(to_physical(pair.fixed, carried)))
        assert np.abs(back - (*point, 0)).max() < 0.01

        def miss(place, point=point):
            return to_pixel(pair.moving, pair.transform.TransformPoint(to_physical(pair.fixed, place)))[:2] - point

        inverse = fsolve(miss, carried + 0.8, xtol=1e-10)
        assert np.abs(miss(inverse)).max() < 1e-6
        assert np.abs(inverse - carried).max() < 0.01


BLOBS = ("oblique", "different aspect", "different field of view", "known and unknown spacing")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in BLOBS else pytest.mark.long) for name in PAIRS]
)
def test_a_blob_and_its_landmark_move_together(name, tmp_path):
    moving_scan, fixed_scan = PAIRS[name]
    centre = np.array(moving_scan.size) * (0.46, 0.55)
    rows, columns = np.indices(moving_scan.size)
    blob = np.exp(-((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / (2 * 2.5**2)).astype(np.float32) * 250
    # A small blob and a gentle field: the middle of a blob that is bent is not where its centre went.
    pair = register(tmp_path, moving_scan, fixed_scan, blob, centre[None], amplitude=0.01)
    warped = pair.registration.warped().astype(np.float64)
    carried = pair.landmarks.carried.points[0]
    assert np.linalg.norm(carried - pair.landmarks.unmoved.points[0]) > 0.5
    middle = [(index * warped).sum() / warped.sum() for index in np.indices(warped.shape)]
    assert np.abs(middle - carried).max() < 0.05


def test_vtk_reads_the_field_as_the_same_transform(tmp_path):
    reason = "VTK, which 3D Slicer uses, is not installed"
    # Only the parts that are needed: importing all of VTK takes seconds.
    hybrid = pytest.importorskip("vtkmodules.vtkFiltersHybrid", reason=reason)
    data_model = pytest.importorskip("vtkmodules.vtkCommonDataModel", reason=reason)
    scan = PAIRS["same geometry"][0]
    points = np.array([(40.3, 60.7), (80.2, 33.1)])
    pair = register(tmp_path, scan, scan, texture(scan.size, 1), points)
    vectors = sitk.ReadImage(str(pair.folder / "displacement_field.nrrd"))
    grid = data_model.vtkImageData()
    grid.SetDimensions(vectors.GetSize())
    grid.SetSpacing(vectors.GetSpacing())
    grid.SetOrigin(vectors.GetOrigin())
    grid.AllocateScalars(11, 3)  # VTK_DOUBLE
    values = sitk.GetArrayFromImage(vectors).reshape(-1, 3)
    for index, vector in enumerate(values):
        grid.GetPointData().GetScalars().SetTuple3(index, *vector)
    transform = hybrid.vtkGridTransform()
    transform.SetDisplacementGridData(grid)
    transform.SetInterpolationModeToCubic()
    for point, carried in zip(points, pair.landmarks.carried.points, strict=True):
        position = transform.TransformPoint(to_physical(pair.fixed, carried))
        assert np.abs(to_pixel(pair.moving, position)[:2] - point).max() < 0.02


def translated(row, column, moving_size=(320, 320), fixed_size=(320, 320), **geometry):
    registrar = Registrar(known_checkpoint("Translation", row=row, column=column), "cpu", NETWORK_ALONE)
    return registrar(image_of(texture(moving_size, 1), **geometry), image_of(texture(fixed_size, 2), **geometry))


def test_a_frame_pixel_is_four_fifths_of_a_pixel_of_320():
    registration = translated(10, -5)
    np.testing.assert_allclose(registration.displacement_moving_px[0], 8, atol=1e-5)
    np.testing.assert_allclose(registration.displacement_moving_px[1], -4, atol=1e-5)
    np.testing.assert_allclose(registration.displacement_mm() - (-4, 8, 0), 0, atol=1e-4)
    carried, converged = registration.carry(Landmarks(("a",), np.array([[100.0, 50.0]])))
    assert converged.all() and carried.labels == ("a",)
    np.testing.assert_allclose(carried.points, [(92, 54)], atol=1e-4)
    # warped(x) = moving(x + u(x)), and zero where that is beyond the image.
    warped = registration.warped()
    np.testing.assert_allclose(warped[:312, 4:], registration.moving.array[8:, :316], atol=1e-2)
    assert not warped[313:].any() and not warped[:, :3].any()


def test_an_oblong_image_has_its_own_scale_on_each_axis():
    registration = translated(4, 4, (100, 200), (100, 200))
    np.testing.assert_allclose(registration.displacement_moving_px[:, 50, 50], (1, 2), atol=1e-6)


def test_the_displacement_counts_in_pixels_of_the_moving_image():
    registration = translated(10, 20, (320, 320), (160, 160))
    np.testing.assert_allclose(registration.displacement_moving_px[:, 50, 50], (8, 16), atol=1e-5)
    np.testing.assert_allclose(registration.moving_positions()[3, 4], (6.5 + 8, 8.5 + 16), atol=1e-5)


def test_without_displacement_sizes_are_matched_by_their_outer_edges():
    registration = translated(0, 0, (320, 320), (160, 160))
    unmoved = registration.unmoved(Landmarks(("a", "b"), np.array([[-0.5, 319.5], [0.5, 2.5]])))
    np.testing.assert_allclose(unmoved.points, [(-0.5, 159.5), (0, 1)])
    np.testing.assert_allclose(registration.moving_positions()[3, 4], (6.5, 8.5))


def test_no_displacement_changes_nothing():
    registration = translated(0, 0)
    np.testing.assert_array_equal(registration.warped(), registration.moving.array)
    assert registration.folding_percent == 0 and registration.gradient_magnitude == 0
    before, after = registration.ncc
    assert before == pytest.approx(after, abs=1e-6)


def test_folds_are_counted():
    registration = translated(0, 0)
    field = np.zeros((2, 400, 400), dtype=np.float32)
    field[1, :, 200:] = -5  # columns 195 to 199 are shown twice: one column of forward differences folds
    folded = type(registration)(**{**vars_of(registration), "displacement_px": field})
    assert folded.folding_percent == pytest.approx(100 / 399)
    assert folded.gradient_magnitude == pytest.approx(5 / 399)


def vars_of(registration) -> dict:
    return {name: getattr(registration, name) for name in type(registration).__dataclass_fields__}


def test_ncc_after_is_taken_where_both_images_are():
    # The moving image is the fixed one, 8 px to the right: aligned, they agree all but for the equalisation.
    scene = texture((320, 328), 4)
    registrar = Registrar(known_checkpoint("Translation", row=0.0, column=10.0), "cpu", NETWORK_ALONE)
    registration = registrar(image_of(scene[:, :320]), image_of(scene[:, 8:]))
    before, after = registration.ncc
    assert before < 0.8 and after > 0.99


def test_an_unknown_device_is_refused():
    with pytest.raises(InputError, match="cuda"):
        Registrar(known_checkpoint("Translation", row=0.0, column=0.0), "cuda:99")


def test_a_network_of_any_input_size_sees_the_frame_of_its_checkpoint():
    registrar = Registrar(known_checkpoint("Translation", size=64, row=1.0, column=0.0), "cpu", NETWORK_ALONE)
    registration = registrar(image_of(texture((128, 128))), image_of(texture((128, 128), 1)))
    assert registration.moving_on_grid.shape == registration.fixed_on_grid.shape == (64, 64)
    np.testing.assert_allclose(registration.displacement_moving_px[0], 2, atol=1e-6)
    assert registration.seconds > 0
