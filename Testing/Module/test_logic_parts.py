"""The parts of the logic without the panel: on the real scene."""

from __future__ import annotations

import io
import os
import re
import sys
import unittest
from types import SimpleNamespace

import numpy as np
import pytest
import slicer
from panel_helpers import MODULE, SAMPLES
from rig import modules

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.jobs.hosts import PlainHost
from MetaRegistrationLib.pairs.folders import find_pairs
from MetaRegistrationLib.panel import devices
from MetaRegistrationLib.panel.adapt_logic import AdaptLogic
from MetaRegistrationLib.panel.landmarks_logic import LandmarksLogic
from MetaRegistrationLib.panel.pairs_logic import PairsLogic
from MetaRegistrationLib.panel.pixel_sizes import PixelSizes
from MetaRegistrationLib.panel.register_logic import RegisterLogic
from MetaRegistrationLib.panel.requests import PairRequest
from MetaRegistrationLib.resources import default_checkpoint


@pytest.fixture(scope="module")
def register_logic():
    return RegisterLogic(PlainHost())


@pytest.fixture
def pair(rig):
    """Parameters with the first sample pair."""
    loaded = PairsLogic().load(find_pairs(SAMPLES, check=False).pairs[0])
    return SimpleNamespace(
        movingVolume=loaded.moving,
        fixedVolume=loaded.fixed,
        movingSlice=0,
        fixedSlice=0,
        spacing=0.0,
        movingSpacing=0.0,
        movingPoints=loaded.moving_points,
        fixedPoints=loaded.fixed_points,
        transform=None,
        warpedVolume=None,
        distanceTable=None,
    )


def register(logic, parameters, **changes):
    request = {"moving_points": parameters.movingPoints, "transform": parameters.transform} | changes
    result = logic.register(
        PairRequest(parameters.movingVolume, parameters.fixedVolume, 0, 0, default_checkpoint(), "cpu", **request)
    )
    parameters.transform = result.transform
    return result


def test_pair_is_loaded_once(pair):
    again = PairsLogic().load(find_pairs(SAMPLES, check=False).pairs[0])
    assert again.moving is pair.movingVolume and again.fixed_points is pair.fixedPoints
    assert pair.movingPoints.GetNumberOfControlPoints() == 30


def test_distances_from_the_scene_are_those_of_the_library(pair, register_logic):
    from MetaRegistrationLib.checkpoints import load_checkpoint
    from MetaRegistrationLib.registration.measures import carry_landmarks, measure
    from MetaRegistrationLib.registration.registrar import Registrar

    register(register_logic, pair)
    rows, registered = LandmarksLogic().distances(pair)
    assert registered
    files = find_pairs(SAMPLES, check=False).pairs[0].load()
    registration = Registrar(load_checkpoint(default_checkpoint()), "cpu")(files.moving, files.fixed)
    measured = measure("", registration, carry_landmarks(registration, files.moving_landmarks, files.fixed_landmarks))
    assert np.mean([row.before_px for row in rows]) == pytest.approx(measured.distance_before_px, abs=1e-3)
    assert np.mean([row.after_px for row in rows]) == pytest.approx(measured.distance_after_px, abs=1e-2)
    assert measured.distance_after_px < measured.distance_before_px


def test_either_output_is_optional(pair, register_logic):
    warped = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "warped")
    result = register(register_logic, pair, warped=warped)
    assert result.transform is None and pair.movingVolume.GetParentTransformNode() is None
    assert slicer.util.arrayFromVolume(warped).shape == (1, 320, 320)
    assert register(register_logic, pair).transform is pair.movingVolume.GetParentTransformNode()


def test_registering_again_starts_from_the_untransformed_volume(pair, register_logic):
    first = register(register_logic, pair)
    second = register(register_logic, pair)
    assert second.transform is first.transform
    assert second.outcome.measures.ncc_before == pytest.approx(first.outcome.measures.ncc_before, abs=1e-6)


def test_scene_is_as_it_was_after_a_cancelled_registration(pair, register_logic):
    spacing = pair.movingVolume.GetSpacing()
    work = register_logic.steps(
        PairRequest(pair.movingVolume, pair.fixedVolume, 0, 0, default_checkpoint(), "cpu", pixel_sizes=PixelSizes(7.5))
    )
    next(work)
    next(work)
    assert pair.movingVolume.GetSpacing()[0] == pytest.approx(0.0075)
    work.close()
    assert pair.movingVolume.GetSpacing() == spacing


def test_other_volumes_follow_or_none_does(pair, register_logic):
    transform = register(register_logic, pair).transform
    others = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name) for name in ("deep", "shallow")]
    register_logic.apply_to(others, transform)
    assert all(node.GetParentTransformNode() is transform for node in others)
    warp = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", "warp")
    warp.SetAndObserveTransformFromParent(slicer.vtkOrientedGridTransform())
    free, bound = [slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name) for name in ("free", "bound")]
    bound.SetAndObserveTransformNodeID(warp.GetID())
    with pytest.raises(InputError, match="not linear"):
        register_logic.apply_to([free, bound], transform)
    assert free.GetParentTransformNode() is None


def test_suggestions_are_taken_when_accepted(pair, register_logic):
    logic = LandmarksLogic()
    register(register_logic, pair)
    suggested, proposed = logic.suggest(pair)
    count = suggested.GetNumberOfControlPoints()
    assert count == proposed.GetNumberOfControlPoints() > 0
    suggested.RemoveNthControlPoint(0)
    assert logic.accept(pair, suggested, proposed) == count - 1
    assert pair.movingPoints.GetNumberOfControlPoints() == pair.fixedPoints.GetNumberOfControlPoints() == 30 + count - 1
    assert pair.fixedPoints.GetNthControlPointLabel(30) == "31"
    rows, _registered = logic.distances(pair)
    assert max(row.after_px for row in rows[30:]) < 0.05  # they come from the registration itself


@pytest.mark.parametrize("name", ["points.csv", "points.mrk.json", "points.fcsv"])
def test_landmarks_are_saved_and_loaded_under_the_transform(pair, register_logic, tmp_path, name):
    logic = LandmarksLogic()
    register(register_logic, pair)
    before, _registered = logic.distances(pair)
    written = logic.save(pair, tmp_path / name)
    assert len(written) == (1 if name.endswith(".csv") else 2)
    pair.movingPoints.RemoveAllControlPoints()
    pair.fixedPoints.RemoveAllControlPoints()
    assert logic.distances(pair)[0] == []
    assert logic.load(pair, written) == "Loaded 30 moving and 30 fixed landmarks."
    after, _registered = logic.distances(pair)
    np.testing.assert_allclose([row[1:3] for row in after], [row[1:3] for row in before], atol=2e-3)


def test_carried_landmarks_lie_where_the_moved_ones_are_seen(pair, register_logic):
    register(register_logic, pair)
    node, lost = LandmarksLogic().place_in_fixed(pair)
    seen, placed = np.zeros(3), np.zeros(3)
    distances = []
    for index in range(30):
        pair.movingPoints.GetNthControlPointPositionWorld(index, seen)
        node.GetNthControlPointPositionWorld(index, placed)
        distances.append(np.linalg.norm(seen - placed))
    assert lost == 0 and np.median(distances) < 0.02


def test_devices_of_the_driver_by_name():
    found = devices.parse("0, NVIDIA H200\n1, NVIDIA GeForce RTX 4090\nFailed to initialize NVML\n")
    assert [(device.label, device.option) for device in found] == [
        ("NVIDIA H200", "cuda:0"),
        ("NVIDIA GeForce RTX 4090", "cuda:1"),
    ]


def test_free_names(tmp_path):
    logic = AdaptLogic(PlainHost(), tmp_path)
    assert logic.free_name("eyes") == "eyes"
    for name in ("Eyes", "eyes 2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "best.pt").write_bytes(b"x")
    assert logic.free_name("eyes") == "eyes 3"
    assert logic.free_name("a:b") == ""


def test_opening_the_module_imports_no_torch():
    import subprocess

    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "from rig import start; rig = start()\n"
        "rig.open_module(sys.argv[3]); assert 'torch' not in sys.modules"
    )
    folder = MODULE.parents[1]
    arguments = [sys.executable, "-c", code, str(folder / "Testing" / "Module"), str(folder), str(MODULE)]
    cold = {**os.environ, "META_REGISTRATION_COLD_PYTHON": "1"}  # no command is started
    done = subprocess.run(arguments, env=cold, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


def test_self_test_of_the_module(rig):
    module = modules.load(MODULE, rig.modules)
    sys.modules["MetaRegistration"].MetaRegistrationTest().runTest()
    modules.unload(module, rig.modules)


def test_self_test_without_torch_is_skipped_and_ctest_notices(rig, monkeypatch):
    """A machine that builds extensions has no PyTorch; the output is that of `slicer.testing.runUnitTest`."""
    module = modules.load(MODULE, rig.modules)
    monkeypatch.setitem(sys.modules, "torch", None)
    output = io.StringIO()
    tests = unittest.TestLoader().loadTestsFromTestCase(sys.modules["MetaRegistration"].MetaRegistrationTest)
    result = unittest.TextTestRunner(output, verbosity=2).run(tests)
    modules.unload(module, rig.modules)
    ((_test, reason),) = result.skipped
    assert result.wasSuccessful() and "PyTorch is not installed" in reason
    listed = (MODULE.parent / "CMakeLists.txt").read_text(encoding="utf-8")
    (pattern,) = re.findall(r'SKIP_REGULAR_EXPRESSION "(.*)"', listed)
    assert re.search(pattern, output.getvalue())
