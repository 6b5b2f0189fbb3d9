"""The checksum of a transform: the same after it was saved, another one after it was edited."""

from __future__ import annotations

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
import vtk  # noqa: E402
from mrml_pairs import blob, geometry, registration, rotation  # noqa: E402
from mrml_scene import mrml_scene  # noqa: E402

from MetaRegistrationLib.formats.images import Image  # noqa: E402
from MetaRegistrationLib.mrml import transform_checksum as checksums  # noqa: E402
from MetaRegistrationLib.mrml.transform_checksum import transform_checksum  # noqa: E402

PLACES = {
    "at the origin": geometry((20, 24), (0.015, 0.012), (0, 0, 0)),
    "far": geometry((20, 24), (0.0153, 0.0117), (104.3, -71.7, 11.9)),
    "far and turned": geometry((20, 24), (0.0153, 0.0117), (104.3, -71.7, 11.9), rotation(2, 35)),
    "far and tilted": geometry((20, 24), (0.0153, 0.0117), (104.3, -71.7, 11.9), rotation(0, 20) @ rotation(2, 35)),
}


@pytest.fixture
def scene(tmp_path):
    with mrml_scene(tmp_path / "unpacked") as found:
        yield found


def result(place):
    from MetaRegistrationLib.mrml.transforms import grid_transform

    image = Image(blob(place.size, (10, 10)), place)
    return grid_transform(registration(image, image), "result")


def grid_of(node):
    return node.GetTransformFromParentAs("vtkOrientedGridTransform", False, True)


FORMATS = [(suffix, place) for suffix in (".h5", ".nrrd", ".nii.gz") for place in PLACES]
FORMATS.remove((".nii.gz", "far and tilted"))  # read back from NIfTI, a tilted slice lies elsewhere


@pytest.mark.parametrize(("suffix", "place"), FORMATS)
def test_a_saved_transform_has_the_checksum_that_it_had(scene, tmp_path, suffix, place):
    node = result(PLACES[place])
    storage = slicer.vtkMRMLTransformStorageNode()
    storage.SetFileName(str(tmp_path / f"result{suffix}"))
    assert storage.WriteData(node)
    again = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTransformNode", "again")
    assert storage.ReadData(again)
    assert transform_checksum(again) == transform_checksum(node)


def turned(grid) -> None:
    matrix = vtk.vtkMatrix4x4()
    matrix.DeepCopy(grid.GetGridDirectionMatrix())
    for row in range(3):
        matrix.SetElement(row, 0, -matrix.GetElement(row, 0))
    grid.SetGridDirectionMatrix(matrix)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda grid: grid.GetDisplacementGrid().SetSpacing(0.012, 0.0151, 0.02), id="spacing"),
        pytest.param(lambda grid: grid.GetDisplacementGrid().SetOrigin(0.01, 0, 0), id="origin"),
        pytest.param(turned, id="direction"),
        pytest.param(lambda grid: grid.GetDisplacementGrid().SetDimensions(20, 24, 1), id="dimensions"),
    ],
)
def test_vectors_that_apply_elsewhere_are_another_transform(scene, edit):
    node = result(PLACES["at the origin"])
    before = transform_checksum(node)
    assert grid_of(node).GetDisplacementGrid().GetDimensions() == (24, 20, 1)
    edit(grid_of(node))
    assert transform_checksum(node) != before


def test_one_grid_more_than_are_known_takes_the_place_of_the_oldest(scene, monkeypatch):
    known: dict = {}
    monkeypatch.setattr(checksums, "_known", known)
    monkeypatch.setattr(checksums, "_MOST", 2)
    nodes = [result(PLACES["at the origin"]) for _ in range(3)]  # each notes its checksum
    vectors = [grid_of(node).GetDisplacementGrid().GetPointData().GetScalars() for node in nodes[1:]]
    assert list(known) == [each.GetAddressAsString("vtkObject") for each in vectors]
    assert np.allclose(vectors[0], vectors[1])
