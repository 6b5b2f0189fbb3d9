"""The Python of the page on other modules runs in the scene, as in Slicer's Python console."""

import re
from pathlib import Path

import numpy as np
import pytest
import slicer

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "Documentation" / "Reference" / "Slicer_module.md"
VISITS = ROOT / "Resources" / "SampleVisits"


@pytest.mark.long
def test_the_blocks_of_the_page_run(rig):
    for number in (1, 2):
        slicer.util.loadVolume(str(VISITS / f"visit_{number}.png"), {"name": f"visit{number}", "singleFile": True})
    space = {"__name__": "page"}
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for code in blocks:
        exec(compile(code, str(PAGE), "exec"), space)
    assert space["result"].confident and space["ready"]
    assert space["moving"].GetParentTransformNode() is space["transform"]
    # A point of the moving image is where the registration carries it.
    moving, fixed = space["moving"], space["fixed"]
    point = [float(value) for value in _position(moving, 100, 120)]
    (carried,) = space["result"].carry([[100.0, 120.0]])
    found = [0.0, 0.0, 0.0]
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes  # noqa: B018 (the class is there)
    import vtk

    to_world = vtk.vtkGeneralTransform()
    space["transform"].GetTransformToWorld(to_world)
    to_world.TransformPoint(point, found)
    assert np.abs(np.array(found[:2]) - _position(fixed, *carried)[:2]).max() < 0.05


def _position(node, row, column):
    """RAS of a pixel of a volume that is under no transform."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return np.array(matrix.MultiplyPoint((float(column), float(row), 0.0, 1.0))[:3])
