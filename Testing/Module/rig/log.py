"""What a view writes into Slicer's log while it is drawn: errors there fail the test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import vtk

errors: list[str] = []


@contextmanager
def listening() -> Iterator[None]:
    """Keep the errors of VTK inside the block."""

    @vtk.calldata_type(vtk.VTK_STRING)
    def keep(caller, event, text):
        errors.append(text.strip())

    window = vtk.vtkOutputWindow.GetInstance()
    tag = window.AddObserver("ErrorEvent", keep)
    try:
        yield
    finally:
        window.RemoveObserver(tag)
