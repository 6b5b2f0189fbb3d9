"""Loss and NCC during fine-tuning, drawn in Slicer's plot view."""

from __future__ import annotations

import math

import slicer
import vtk

_STEP, _LOSS, _NCC = "epoch", "loss", "NCC"
_COLOURS = {_LOSS: (0.85, 0.33, 0.10), _NCC: (0.0, 0.45, 0.74)}


class LossChart:
    """A table of (epoch, loss, NCC), two plot series and their chart, in the scene.

    Parameters
    ----------
    name : str
        Title of the chart, and name of its nodes.
    """

    def __init__(self, name: str = "Fine-tuning"):
        self.table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", f"{name} table")
        self.chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", f"{name} chart")
        self.series = [self._add_series(column) for column in (_LOSS, _NCC)]
        self.chart.SetTitle(name)
        self.chart.SetXAxisTitle(_STEP)
        self.chart.SetYAxisTitle("")
        self.clear()

    def append(self, step: float, loss: float, ncc: float | None = None) -> None:
        """Add a point; without an NCC that curve has a gap. Does nothing once the scene was closed."""
        if not self.alive:
            return
        table = self.table.GetTable()
        row = table.InsertNextBlankRow()
        for column, value in enumerate((step, loss, math.nan if ncc is None else ncc)):
            table.SetValue(row, column, vtk.vtkVariant(float(value)))
        table.Modified()
        self.table.Modified()

    def label(self, axis: str, loss: str, ncc: str) -> None:
        """What the horizontal axis counts, and what the legend calls the two curves."""
        if self.alive:
            self.chart.SetXAxisTitle(axis)
            for series, name in zip(self.series, (loss, ncc), strict=True):
                series.SetName(name)

    def clear(self) -> None:
        """Remove all points."""
        table = vtk.vtkTable()
        for name in (_STEP, _LOSS, _NCC):
            column = vtk.vtkDoubleArray()
            column.SetName(name)
            table.AddColumn(column)
        self.table.SetAndObserveTable(table)

    def show(self) -> bool:
        """Switch to a layout with a plot view and draw the chart there; False where there are no plot views."""
        plots = getattr(getattr(slicer, "modules", None), "plots", None)
        if plots is None or not self.alive:
            return False
        plots.logic().ShowChartInLayout(self.chart)
        return True

    def remove(self) -> None:
        """Take the chart and its table out of the scene."""
        for node in (self.chart, *self.series, self.table):
            if node.GetScene() is not None:
                slicer.mrmlScene.RemoveNode(node)

    @property
    def alive(self) -> bool:
        """Whether the nodes are still in the scene."""
        return self.table.GetScene() is not None and self.chart.GetScene() is not None

    def _add_series(self, column: str):
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", column)
        series.SetName(column)  # the legend shows it
        series.SetAndObserveTableNodeID(self.table.GetID())
        series.SetXColumnName(_STEP)
        series.SetYColumnName(column)
        series.SetPlotType(series.PlotTypeScatter)  # the type that has an x column
        series.SetMarkerStyle(series.MarkerStyleNone)
        series.SetLineStyle(series.LineStyleSolid)
        series.SetColor(*_COLOURS[column])
        self.chart.AddAndObservePlotSeriesNodeID(series.GetID())
        return series
