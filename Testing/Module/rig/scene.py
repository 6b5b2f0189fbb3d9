"""The real scene and logics, as Slicer has them after its start."""

from __future__ import annotations

from pathlib import Path

import slicer

from .subject_hierarchy import follow

LOGICS = {
    "Colors": "vtkMRMLColorLogic",
    "Units": "vtkSlicerUnitsLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Models": "vtkSlicerModelsLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Cameras": "vtkSlicerCamerasModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
}
_MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLTransformsDisplayableManager2D",
    "vtkMRMLColorLegendDisplayableManager",
)


class SceneHolder:
    """The application logic, the scene, the module logics and the default nodes."""

    def __init__(self, temporary_folder: Path) -> None:
        self.scene = slicer.vtkMRMLScene()
        self.application_logic = slicer.vtkSlicerApplicationLogic()
        self.application_logic.SetTemporaryPath(str(temporary_folder))
        self._add_crosshair()
        self._add_io(temporary_folder)
        self.application_logic.SetMRMLSceneDataIO(self.scene, self._remote_io, self._io_manager)
        self.application_logic.SetMRMLScene(self.scene)
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(self.application_logic)
        for manager in _MANAGERS:
            if not factory.IsDisplayableManagerRegistered(manager):
                factory.RegisterDisplayableManager(manager)
        self.scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())  # in Slicer, the logic of Colors does
        self.logics = {name: self._make_logic(name, class_name) for name, class_name in LOGICS.items()}
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(self.scene)
        self._add_layout()
        follow(self.scene)

    def _add_crosshair(self) -> None:
        crosshair = slicer.vtkMRMLCrosshairNode()
        crosshair.SetCrosshairName("default")
        self.scene.AddNode(crosshair)

    def _add_io(self, folder: Path) -> None:
        self._remote_io = slicer.vtkMRMLRemoteIOLogic()
        self._remote_io.GetCacheManager().SetRemoteCacheDirectory(str(folder))
        self._io_manager = slicer.vtkDataIOManagerLogic()
        self._io_manager.SetMRMLApplicationLogic(self.application_logic)
        self._io_manager.SetAndObserveDataIOManager(self._remote_io.GetDataIOManager())

    def _make_logic(self, name: str, class_name: str):
        logic = getattr(slicer, class_name)()
        self.application_logic.SetModuleLogic(name, logic)
        if name == "Colors":
            self.application_logic.SetColorLogic(logic)
        logic.SetMRMLApplicationLogic(self.application_logic)
        logic.SetMRMLScene(self.scene)
        return logic

    def _add_layout(self) -> None:
        self.layout_logic = slicer.vtkMRMLLayoutLogic()
        self.layout_logic.SetMRMLScene(self.scene)
        self.layout_node = self.layout_logic.GetLayoutNode()

    def clear(self) -> None:
        """Close the scene as the user does with File / Close scene."""
        self.scene.Clear(0)
