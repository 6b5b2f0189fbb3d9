"""Measures over the dates of visits, as plot charts of the scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import slicer
import vtk

from .charts import fit_axes
from .visit_nodes import VisitNodes

_COLOUR, _GREY = (0.0, 0.45, 0.74), (0.5, 0.5, 0.5)
_MARKER, _WIDTH = 9.0, 2.0
_BESIDE = 0.1  # of the time: the first and the last marker are whole


@dataclass(frozen=True)
class ChartTitles:
    """The texts of a chart.

    Attributes
    ----------
    chart, across, up : str
        Of the chart and of its axes; those of the axes are also titles of columns.
    band : str
        What lies between the two lines.
    ends : (str, str)
        The lower and the upper line.
    """

    chart: str
    across: str
    up: str
    band: str
    ends: tuple[str, str]


def put_chart(
    nodes: VisitNodes,
    measure: str,
    titles: ChartTitles,
    points: Sequence[tuple[float, float]],
    band: tuple[float, float] | None = None,
):
    """A chart of one measure, with tables and curves of its own; an earlier one is used again.

    Parameters
    ----------
    nodes : VisitNodes
    measure : str
        One of `visit_nodes.CHARTED`.
    titles : ChartTitles
    points : sequence of (float, float)
        At least `charts.LEAST_POINTS`, finite, in the order of time.
    band : (float, float), optional
        Values between which a difference from the first visit is within repeatability.

    Returns
    -------
    vtkMRMLPlotChartNode
    """
    chart = _node(nodes, f"chart_{measure}", "vtkMRMLPlotChartNode", titles.chart)
    chart.RemoveAllPlotSeriesNodeIDs()
    shown = list(points)
    if band is not None:
        ends = [(points[0][0], *band), (points[-1][0], *band)]
        shown += [(time, value) for time, *values in ends for value in values]
        table = _table(nodes, f"band_{measure}", f"{titles.chart} {titles.band}", (titles.across, *titles.ends), ends)
        for part, column in zip(("low", "high"), titles.ends, strict=True):
            line = _series(nodes, f"{part}_{measure}", f"{titles.chart} {column}", table, (titles.across, column))
            line.SetMarkerStyle(line.MarkerStyleNone)
            line.SetLineStyle(line.LineStyleDash)
            line.SetColor(*_GREY)
            chart.AddAndObservePlotSeriesNodeID(line.GetID())
    table = _table(nodes, f"points_{measure}", f"{titles.chart} points", (titles.across, titles.up), points)
    series = _series(nodes, f"series_{measure}", titles.chart, table, (titles.across, titles.up))
    series.SetMarkerStyle(series.MarkerStyleCircle)
    series.SetMarkerSize(_MARKER)
    series.SetLineStyle(series.LineStyleSolid)
    series.SetColor(*_COLOUR)
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetTitle(titles.chart)
    chart.SetXAxisTitle(titles.across)
    chart.SetYAxisTitle(titles.up)
    chart.SetLegendVisibility(False)
    fit_axes(chart, np.array(shown, dtype=float).reshape(-1, 2), _BESIDE)
    return chart


def empty_chart(nodes: VisitNodes, measure: str) -> None:
    """Take the curves of an earlier registration off the chart of a measure, if there is one."""
    chart = nodes[f"chart_{measure}"]
    if chart is not None:
        chart.RemoveAllPlotSeriesNodeIDs()


def has_curves(chart) -> bool:
    """Whether there is a chart with something to draw."""
    return chart is not None and chart.GetNumberOfPlotSeriesNodes() > 0


def show_chart(chart) -> bool:
    """Draw a chart in a layout with a plot view; False where there are no plot views."""
    plots = getattr(getattr(slicer, "modules", None), "plots", None)
    if plots is None or chart is None:
        return False
    plots.logic().ShowChartInLayout(chart)
    return True


def _node(nodes: VisitNodes, part: str, class_name: str, name: str):
    node = nodes[part]
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass(class_name, name)
        nodes[part] = node
    node.SetName(name)
    return node


def _series(nodes: VisitNodes, part: str, name: str, table, columns: tuple[str, str]):
    """A curve of two columns of a table."""
    series = _node(nodes, part, "vtkMRMLPlotSeriesNode", name)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(columns[0])
    series.SetYColumnName(columns[1])
    series.SetPlotType(series.PlotTypeScatter)  # the type that has an x column
    series.SetLineWidth(_WIDTH)
    return series


def _table(nodes: VisitNodes, part: str, name: str, titles: Sequence[str], rows: Sequence[Sequence[float]]):
    """A table of numbers."""
    node, table = _node(nodes, part, "vtkMRMLTableNode", name), vtk.vtkTable()
    for number, title in enumerate(titles):
        column = vtk.vtkDoubleArray()
        column.SetName(title)
        for row in rows:
            column.InsertNextValue(float(row[number]))
        table.AddColumn(column)
    node.SetAndObserveTable(table)
    return node
