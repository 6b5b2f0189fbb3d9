"""Loss and NCC during fine-tuning, drawn in Slicer's plot views."""

from __future__ import annotations

import math

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from .layouts import CHART_VIEWS, show_charts

_STEP, _LOSS, _NCC = "epoch", "loss", "NCC"
_MARGIN = 0.05  # of the values' spread, above and below
LEAST_POINTS = 2  # of a line; with fewer, each drawing costs an error in the log
_COLOURS = {_LOSS: (0.85, 0.33, 0.10), _NCC: (0.0, 0.45, 0.74)}


def fit_axes(chart, points: np.ndarray, beside: float = 0.0) -> None:
    """Let the axes of a chart show all points (N, 2), with a margin above and below, and a share `beside` to left and right."""
    if not len(points):
        return
    for values, margin, set_auto, set_range in (
        (points[:, 0], beside, chart.SetXAxisRangeAuto, chart.SetXAxisRange),
        (points[:, 1], _MARGIN, chart.SetYAxisRangeAuto, chart.SetYAxisRange),
    ):
        low, high = float(values.min()), float(values.max())
        spread = high - low or max(abs(high), 1.0)
        set_auto(False)
        set_range(low - margin * spread, low + (1 + margin) * spread)


class LossChart:
    """Loss and NCC of a training, each with a table, a curve and a chart of its own in the scene.

    Parameters
    ----------
    name : str
        Start of the titles of the charts, and of the names of the nodes.
    """

    def __init__(self, name: str = "Fine-tuning"):
        # Each curve has axes of its own, because the two have different ranges, and needs no legend then.
        self._curves = [_Curve(name, column) for column in (_LOSS, _NCC)]
        self.tables = [curve.table for curve in self._curves]
        self.series = [curve.series for curve in self._curves]
        self.charts = [curve.chart for curve in self._curves]

    def append(self, step: float, loss: float, ncc: float | None = None) -> None:
        """Add a point to each curve that has one. Does nothing once the scene was closed."""
        if not self.alive:
            return
        for curve, value in zip(self._curves, (loss, ncc), strict=True):
            if value is not None and math.isfinite(value):
                curve.append(step, value)

    def label(self, axis: str, loss: str, ncc: str) -> None:
        """What the horizontal axes count, and what the two curves are called."""
        if self.alive:
            for curve, name in zip(self._curves, (loss, ncc), strict=True):
                curve.label(axis, name)

    def clear(self) -> None:
        """Remove all points."""
        for curve in self._curves:
            curve.clear()

    def show(self) -> bool:
        """Show both charts below the images; False where there are no plot views."""
        if not hasattr(getattr(slicer, "modules", None), "plots") or not self.alive:
            return False
        show_charts()
        for view, chart in zip(CHART_VIEWS, self.charts, strict=True):
            node = slicer.mrmlScene.GetSingletonNode(view, "vtkMRMLPlotViewNode")
            if node is not None:
                # The chart that is active in the scene would take the place of both.
                node.SetDoPropagatePlotChartSelection(False)
                node.SetPlotChartNodeID(chart.GetID())
        return True

    def remove(self) -> None:
        """Take the charts and their tables out of the scene."""
        for node in (*self.charts, *self.series, *self.tables):
            if node.GetScene() is not None:
                slicer.mrmlScene.RemoveNode(node)

    @property
    def alive(self) -> bool:
        """Whether the nodes are still in the scene."""
        return all(node.GetScene() is not None for node in (*self.tables, *self.charts))


class _Curve:
    """A table of (epoch, value), its plot series, and a chart of this series alone."""

    def __init__(self, name: str, column: str):
        # A table for each curve: a gap in a common one is an error to VTK at every drawing.
        self._column, self._name = column, name
        self.table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", f"{name} {column} table")
        self.chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", f"{name} {column} chart")
        self.series = self._add_series()
        self.chart.SetLegendVisibility(False)
        self.label(_STEP, column)
        self.clear()

    def append(self, step: float, value: float) -> None:
        values = self.table.GetTable()
        row = values.InsertNextBlankRow()
        for column, number in enumerate((step, value)):
            values.SetValue(row, column, vtk.vtkVariant(float(number)))
        values.Modified()
        self.table.Modified()
        if row + 1 == LEAST_POINTS:
            self.chart.AddAndObservePlotSeriesNodeID(self.series.GetID())
        fit_axes(self.chart, _points(self.table))  # Slicer's plot view fits them once, and not while the table grows

    def label(self, axis: str, name: str) -> None:
        self.series.SetName(name)
        self.chart.SetTitle(f"{self._name}: {name}")
        self.chart.SetXAxisTitle(axis)
        self.chart.SetYAxisTitle(self._column)

    def clear(self) -> None:
        self.chart.RemoveAllPlotSeriesNodeIDs()
        table = vtk.vtkTable()
        for title in (_STEP, self._column):
            column = vtk.vtkDoubleArray()
            column.SetName(title)
            table.AddColumn(column)
        self.table.SetAndObserveTable(table)

    def _add_series(self):
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", self._column)
        series.SetAndObserveTableNodeID(self.table.GetID())
        series.SetXColumnName(_STEP)
        series.SetYColumnName(self._column)
        series.SetPlotType(series.PlotTypeScatter)  # the type that has an x column
        series.SetMarkerStyle(series.MarkerStyleNone)
        series.SetLineStyle(series.LineStyleSolid)
        series.SetColor(*_COLOURS[self._column])
        return series


def _points(table) -> np.ndarray:
    """(N, 2) of a table node: steps and values."""
    columns = [table.GetTable().GetColumn(index) for index in (0, 1)]
    return np.stack(
        [vtk_to_numpy(column) if column.GetNumberOfTuples() else np.zeros(0) for column in columns], axis=-1
    )
