"""A real slice view without a window: drawn to an image, driven by mouse events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

SIZE = (400, 400)


class SliceView:
    """One slice node with Slicer's own slice logic, displayable managers and interactor style."""

    def __init__(self, slice_node, application_logic, size=SIZE) -> None:
        self.node = slice_node
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(application_logic)
        self.logic.SetMRMLScene(slice_node.GetScene())
        self.logic.SetSliceNode(slice_node)
        application_logic.GetSliceLogics().AddItem(self.logic)
        self.renderer = vtk.vtkRenderer()
        self.window = vtk.vtkRenderWindow()
        self.window.SetOffScreenRendering(1)
        self.window.SetMultiSamples(0)
        self.window.AddRenderer(self.renderer)
        self.interactor = vtk.vtkGenericRenderWindowInteractor()
        self.interactor.SetRenderWindow(self.window)
        self.interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self._add_image()
        self._add_managers()
        self.resize(size)

    def _add_image(self) -> None:
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._mapper.SetInputConnection(self.logic.GetImageDataConnection())
        self._actor = vtk.vtkActor2D()
        self._actor.SetMapper(self._mapper)
        self._actor.GetProperty().SetDisplayLocationToBackground()

    def _add_managers(self) -> None:
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        self.managers = factory.InstantiateDisplayableManagers(self.renderer)
        self.managers.UnRegister(None)
        self.managers.SetMRMLDisplayableNode(self.node)
        self.style = slicer.vtkMRMLSliceViewInteractorStyle()
        self.style.SetDisplayableManagers(self.managers)
        self.style.SetSliceLogic(self.logic)
        self.logic.SetDisplayableManagerGroup(self.managers)
        self.style.SetInteractor(self.interactor)

    def resize(self, size: tuple[int, int]) -> None:
        """Set the size of the view, (width, height) in pixels."""
        self.window.SetSize(*size)
        self.interactor.UpdateSize(*size)
        self.logic.ResizeSliceNode(*size)

    def render(self) -> np.ndarray:
        """Draw; the picture comes as (height, width, 3) uint8, first row at the top."""
        self._show_image_if_there()
        self.window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self.window)
        grab.ReadFrontBufferOff()
        grab.ShouldRerenderOff()
        grab.Update()
        image = grab.GetOutput()
        width, height, _ = image.GetDimensions()
        pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)
        return np.flipud(pixels[..., :3]).copy()

    def _show_image_if_there(self) -> None:
        self.logic.UpdatePipeline()
        has_image = self.logic.GetImageDataConnection() is not None
        shown = self.renderer.HasViewProp(self._actor)
        if has_image:
            self._mapper.SetInputConnection(self.logic.GetImageDataConnection())
        if has_image and not shown:
            self.renderer.AddViewProp(self._actor)
        elif shown and not has_image:
            self.renderer.RemoveViewProp(self._actor)

    def save(self, path: Path) -> Path:
        """Draw into a PNG file."""
        from .pictures import write_png

        return write_png(self.render(), path)

    def to_display(self, ras) -> tuple[float, float]:
        """Where a point (R, A, S in mm) lies in the view, in pixels from its lower left corner."""
        inverse = vtk.vtkMatrix4x4()
        vtk.vtkMatrix4x4.Invert(self.node.GetXYToRAS(), inverse)
        x, y, _, _ = inverse.MultiplyPoint([*ras, 1.0])
        return x, y

    def to_ras(self, x: float, y: float) -> np.ndarray:
        """The point (R, A, S in mm) under a place of the view, in pixels from its lower left corner."""
        return np.array(self.node.GetXYToRAS().MultiplyPoint([x, y, 0.0, 1.0])[:3])

    def move_mouse(self, x: float, y: float) -> None:
        """Move the pointer to a place of the view."""
        self.interactor.SetEventInformation(round(x), round(y), 0, 0, chr(0), 0, None)
        self.interactor.InvokeEvent("EnterEvent")
        self.interactor.InvokeEvent("MouseMoveEvent")

    def click(self, x: float, y: float) -> None:
        """Press and release the left button at a place of the view, in pixels from its lower left corner."""
        self.move_mouse(x, y)
        self.interactor.InvokeEvent("LeftButtonPressEvent")
        self.interactor.InvokeEvent("LeftButtonReleaseEvent")

    def click_at(self, ras) -> tuple[float, float, float]:
        """Click where a point (R, A, S in mm) lies; returns the point under the pixel that was hit."""
        x, y = (round(value) for value in self.to_display(ras))
        self.click(x, y)
        return tuple(self.to_ras(x, y))

    def close(self) -> None:
        """Let go of the scene and the graphics."""
        self.style.SetInteractor(None)
        self.managers.SetMRMLDisplayableNode(None)
        self.logic.SetMRMLScene(None)
        self.window.Finalize()
