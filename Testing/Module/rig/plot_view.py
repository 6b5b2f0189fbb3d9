"""Draws a real plot chart node with VTK's chart, as Slicer's plot view does."""

from __future__ import annotations

import numpy as np
import slicer
import vtk
from vtk.util.numpy_support import vtk_to_numpy

from . import log

_PENS = {
    slicer.vtkMRMLPlotSeriesNode.LineStyleNone: vtk.vtkPen.NO_PEN,
    slicer.vtkMRMLPlotSeriesNode.LineStyleSolid: vtk.vtkPen.SOLID_LINE,
    slicer.vtkMRMLPlotSeriesNode.LineStyleDash: vtk.vtkPen.DASH_LINE,
    slicer.vtkMRMLPlotSeriesNode.LineStyleDot: vtk.vtkPen.DOT_LINE,
    slicer.vtkMRMLPlotSeriesNode.LineStyleDashDot: vtk.vtkPen.DASH_DOT_LINE,
    slicer.vtkMRMLPlotSeriesNode.LineStyleDashDotDot: vtk.vtkPen.DASH_DOT_DOT_LINE,
}
_MARKERS = {
    slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone: vtk.vtkPlotPoints.NONE,
    slicer.vtkMRMLPlotSeriesNode.MarkerStyleCross: vtk.vtkPlotPoints.CROSS,
    slicer.vtkMRMLPlotSeriesNode.MarkerStylePlus: vtk.vtkPlotPoints.PLUS,
    slicer.vtkMRMLPlotSeriesNode.MarkerStyleSquare: vtk.vtkPlotPoints.SQUARE,
    slicer.vtkMRMLPlotSeriesNode.MarkerStyleCircle: vtk.vtkPlotPoints.CIRCLE,
    slicer.vtkMRMLPlotSeriesNode.MarkerStyleDiamond: vtk.vtkPlotPoints.DIAMOND,
}


class PlotView:
    """An off-screen chart."""

    def __init__(self) -> None:
        self._first: dict[str, list] = {}
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._view = vtk.vtkContextView()
        self._view.SetRenderWindow(self._window)
        self._chart = vtk.vtkChartXY()
        self._view.GetScene().AddItem(self._chart)
        self._view.GetRenderer().SetBackground(1, 1, 1)

    def render(self, chart_node, size: tuple[int, int]) -> np.ndarray:
        """The picture of a chart node (or of an empty chart) as (height, width, 3) uint8."""
        self._chart.ClearPlots()
        if chart_node is not None:
            self._fill(chart_node)
        self._window.SetSize(*size)
        with log.listening():  # VTK refuses a line of fewer than two points
            self._window.Render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self._window)
        grab.ReadFrontBufferOff()
        grab.Update()
        width, height, _ = grab.GetOutput().GetDimensions()
        pixels = vtk_to_numpy(grab.GetOutput().GetPointData().GetScalars()).reshape(height, width, -1)
        return np.flipud(pixels[..., :3]).copy()

    def _fill(self, chart_node) -> None:
        self._chart.SetTitle(chart_node.GetTitle() or "")
        self._chart.SetShowLegend(bool(chart_node.GetLegendVisibility()))
        for axis, title in ((0, chart_node.GetYAxisTitle()), (1, chart_node.GetXAxisTitle())):
            self._chart.GetAxis(axis).SetTitle(title or "")
        for index in range(chart_node.GetNumberOfPlotSeriesNodes()):
            self._add(chart_node.GetNthPlotSeriesNode(index))
        self._chart.RecalculateBounds()
        self._set_ranges(chart_node)

    def _set_ranges(self, chart_node) -> None:
        """As Slicer's plot view: the node's ranges, and without any those of the chart's first drawing, for ever."""
        drawn = any(
            self._chart.GetPlot(index).GetInput() is not None for index in range(self._chart.GetNumberOfPlots())
        )
        first = self._first.get(chart_node.GetID())
        if first is None and drawn:
            first = self._first[chart_node.GetID()] = [self._bounds(axis) for axis in (0, 1)]
        for axis, automatic, wanted in (
            (0, chart_node.GetYAxisRangeAuto(), chart_node.GetYAxisRange()),
            (1, chart_node.GetXAxisRangeAuto(), chart_node.GetXAxisRange()),
        ):
            low, high = wanted if not automatic else (first or ((0, 6.67), (0, 6.67)))[axis]
            self._chart.GetAxis(axis).SetBehavior(vtk.vtkAxis.FIXED)
            self._chart.GetAxis(axis).SetRange(low, high)

    def _bounds(self, axis: int) -> tuple[float, float]:
        found = []
        for index in range(self._chart.GetNumberOfPlots()):
            bounds = [0.0] * 4
            self._chart.GetPlot(index).GetBounds(bounds)
            found.append((bounds[2], bounds[3]) if axis == 0 else (bounds[0], bounds[1]))
        return (min(low for low, _ in found), max(high for _, high in found)) if found else (0.0, 1.0)

    def ranges(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """What the axes show: (left, right), (bottom, top)."""
        return tuple((self._chart.GetAxis(a).GetMinimum(), self._chart.GetAxis(a).GetMaximum()) for a in (1, 0))

    def _add(self, series) -> None:
        table = series.GetTableNode().GetTable() if series.GetTableNode() is not None else None
        if table is None or table.GetColumnByName(series.GetYColumnName()) is None:
            return
        x = series.GetXColumnName()
        plot = self._chart.AddPlot(vtk.vtkChart.LINE)
        plot.GetPen().SetLineType(_PENS[series.GetLineStyle()])
        plot.SetMarkerStyle(_MARKERS[series.GetMarkerStyle()])
        plot.SetMarkerSize(series.GetMarkerSize())
        if x and table.GetColumnByName(x) is not None:
            plot.SetInputData(table, x, series.GetYColumnName())
        else:
            plot.UseIndexForXSeriesOn()
            plot.SetInputData(table, series.GetYColumnName(), series.GetYColumnName())
        plot.SetLabel(series.GetName())
        plot.SetColorF(*series.GetColor())
        plot.SetWidth(series.GetLineWidth())
