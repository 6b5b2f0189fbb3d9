"""The Python of the page on other modules runs in the scene, as in Slicer's Python console."""

import re
from pathlib import Path

import numpy as np
import pytest
import slicer
import vtk

from MetaRegistrationLib import read_image, write_image

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "Documentation" / "Reference" / "Slicer_module.md"
VISITS = ROOT / "Resources" / "SampleVisits"
POSITION = (100.0, 120.0)  # (row, column)


@pytest.fixture
def space(rig, tmp_path):
    """The names that the blocks of the page define, run from top to bottom on two volumes."""
    for number in (1, 2):
        path = tmp_path / f"visit{number}.nrrd"
        image = read_image(VISITS / f"visit_{number}.png")
        write_image(path, image.array, image.geometry)
        slicer.util.loadVolume(str(path), {"singleFile": True})
    names = {"__name__": "page"}
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for code in blocks:
        exec(compile(code, str(PAGE), "exec"), names)
    return names


def ras(node, position):
    """RAS of a pixel (row, column) of a volume, without the transforms above it."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return np.array(matrix.MultiplyPoint((position[1], position[0], 0.0, 1.0))[:3])


@pytest.mark.long
def test_the_blocks_register_two_volumes_of_the_scene(space):
    assert space["result"].confident and space["ready"]
    assert space["moving"].GetParentTransformNode() is space["transform"]
    to_world, found = vtk.vtkGeneralTransform(), [0.0, 0.0, 0.0]
    space["transform"].GetTransformToWorld(to_world)
    to_world.TransformPoint(ras(space["moving"], POSITION), found)
    (carried,) = space["result"].carry([POSITION])
    assert np.abs(carried - POSITION).max() > 0.5
    np.testing.assert_allclose(found, ras(space["fixed"], carried), atol=0.05)
