"""A real MRML scene without Slicer's application: for tests of `MetaRegistrationLib.mrml`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import slicer
import vtk

VIEWS = ("Red", "Yellow")


@contextmanager
def mrml_scene(folder: Path) -> Iterator[SimpleNamespace]:
    """Set `slicer.mrmlScene` and the few parts of `slicer.app` and `slicer.modules` that the mrml package asks for.

    Yields
    ------
    namespace
        `scene`, `application_logic`, `layouts` (list of the layouts that were set).
    """
    scene = slicer.vtkMRMLScene()
    logic, modules = _application_logic(scene, folder)
    layouts: list[int] = []
    manager = SimpleNamespace(setLayout=layouts.append)
    replaced = {
        "mrmlScene": scene,
        "app": SimpleNamespace(
            applicationLogic=lambda: logic, layoutManager=lambda: manager, temporaryPath=str(folder)
        ),
        "modules": SimpleNamespace(plots=SimpleNamespace(logic=lambda: modules["Plots"])),
    }
    before = {name: getattr(slicer, name, None) for name in replaced}
    for name, value in replaced.items():
        setattr(slicer, name, value)
    try:
        yield SimpleNamespace(scene=scene, application_logic=logic, layouts=layouts)
    finally:
        for name, value in before.items():
            setattr(slicer, name, value) if value is not None else delattr(slicer, name)
        scene.Clear(1)


def _application_logic(scene, folder: Path):
    logic = slicer.vtkSlicerApplicationLogic()
    logic.SetMRMLScene(scene)
    logic.SetTemporaryPath(str(folder))
    modules = {}
    for name, kind in (
        ("Colors", slicer.vtkMRMLColorLogic),
        ("Volumes", slicer.vtkSlicerVolumesLogic),
        ("Markups", slicer.vtkSlicerMarkupsLogic),
        ("Transforms", slicer.vtkSlicerTransformLogic),
        ("Plots", slicer.vtkSlicerPlotsLogic),
    ):
        module = modules[name] = kind()  # the application logic keeps none of them alive
        module.SetMRMLApplicationLogic(logic)
        module.SetMRMLScene(scene)
        logic.SetModuleLogic(name, module)
        if name == "Colors":
            module.AddDefaultColorNodes()
    scene.AddNewNodeByClass("vtkMRMLLayoutNode")
    logic.SetSliceLogics(vtk.vtkCollection())
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene)
    for name in VIEWS:
        view = slicer.vtkMRMLSliceLogic()
        view.SetMRMLApplicationLogic(logic)
        view.SetMRMLScene(scene)
        node = view.AddSliceNode(name)
        node.SetOrientation("Axial")
        node.SetDimensions(200, 200, 1)
        logic.GetSliceLogics().AddItem(view)
    return logic, modules
