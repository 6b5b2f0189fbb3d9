"""Loss and NCC during fine-tuning, drawn in Slicer's plot view."""

from __future__ import annotations

import math

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

_STEP, _LOSS, _NCC = "epoch", "loss", "NCC"
_MARGIN = 0.05  # of the values' spread, above and below
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
    """Two tables of (epoch, loss) and (epoch, NCC), their plot series and the chart of both, in the scene.

    Parameters
    ----------
    name : str
        Title of the chart, and name of its nodes.
    """

    def __init__(self, name: str = "Fine-tuning"):
        # Each curve has a table of its own: a gap in a common one is an error to VTK at every drawing.
        self.tables = [
            slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", f"{name} {column} table") for column in (_LOSS, _NCC)
        ]
        self.chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", f"{name} chart")
        self.series = [self._add_series(*both) for both in zip((_LOSS, _NCC), self.tables, strict=True)]
        self.chart.SetTitle(name)
        self.chart.SetXAxisTitle(_STEP)
        self.chart.SetYAxisTitle("")
        self.clear()

    def append(self, step: float, loss: float, ncc: float | None = None) -> None:
        """Add a point to each curve that has one. Does nothing once the scene was closed."""
        if not self.alive:
            return
        for table, value in zip(self.tables, (loss, ncc), strict=True):
            if value is None or not math.isfinite(value):
                continue
            values = table.GetTable()
            row = values.InsertNextBlankRow()
            for column, number in enumerate((step, value)):
                values.SetValue(row, column, vtk.vtkVariant(float(number)))
            values.Modified()
            table.Modified()
        self._draw_lines()
        self._fit()

    def _draw_lines(self) -> None:
        """Draw the curves that are lines: one of fewer than two points is an error in the log at every drawing."""
        for series, table in zip(self.series, self.tables, strict=True):
            drawn = self.chart.HasPlotSeriesNodeID(series.GetID())
            if not drawn and table.GetNumberOfRows() > 1:
                self.chart.AddAndObservePlotSeriesNodeID(series.GetID())

    def _fit(self) -> None:
        """Let the axes show all points: Slicer's plot view fits them once, and never again while the tables grow."""
        fit_axes(self.chart, np.concatenate([_points(table) for table in self.tables]))

    def label(self, axis: str, loss: str, ncc: str) -> None:
        """What the horizontal axis counts, and what the legend calls the two curves."""
        if self.alive:
            self.chart.SetXAxisTitle(axis)
            for series, name in zip(self.series, (loss, ncc), strict=True):
                series.SetName(name)

    def clear(self) -> None:
        """Remove all points."""
        self.chart.RemoveAllPlotSeriesNodeIDs()
        for node, name in zip(self.tables, (_LOSS, _NCC), strict=True):
            table = vtk.vtkTable()
            for title in (_STEP, name):
                column = vtk.vtkDoubleArray()
                column.SetName(title)
                table.AddColumn(column)
            node.SetAndObserveTable(table)

    def show(self) -> bool:
        """Switch to a layout with a plot view and draw the chart there; False where there are no plot views."""
        plots = getattr(getattr(slicer, "modules", None), "plots", None)
        if plots is None or not self.alive:
            return False
        plots.logic().ShowChartInLayout(self.chart)
        return True

    def remove(self) -> None:
        """Take the chart and its tables out of the scene."""
        for node in (self.chart, *self.series, *self.tables):
            if node.GetScene() is not None:
                slicer.mrmlScene.RemoveNode(node)

    @property
    def alive(self) -> bool:
        """Whether the nodes are still in the scene."""
        return all(table.GetScene() is not None for table in self.tables) and self.chart.GetScene() is not None

    def _add_series(self, column: str, table):
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", column)
        series.SetName(column)  # the legend shows it
        series.SetAndObserveTableNodeID(table.GetID())
        series.SetXColumnName(_STEP)
        series.SetYColumnName(column)
        series.SetPlotType(series.PlotTypeScatter)  # the type that has an x column
        series.SetMarkerStyle(series.MarkerStyleNone)
        series.SetLineStyle(series.LineStyleSolid)
        series.SetColor(*_COLOURS[column])
        return series


def _points(table) -> np.ndarray:
    """(N, 2) of a table node: steps and values."""
    columns = [table.GetTable().GetColumn(index) for index in (0, 1)]
    return np.stack(
        [vtk_to_numpy(column) if column.GetNumberOfTuples() else np.zeros(0) for column in columns], axis=-1
    )
