"""Measures over the dates of visits, as plot charts of the scene."""

from __future__ import annotations

from collections.abc import Sequence

import slicer
import vtk

from .visit_nodes import VisitNodes

_COLOUR = (0.0, 0.45, 0.74)
_MARKER, _WIDTH = 9.0, 2.0


def put_chart(
    nodes: VisitNodes, measure: str, title: str, axes: tuple[str, str], points: Sequence[tuple[float, float]]
):
    """A chart of one measure, with a table and a curve of its own; an earlier one is used again.

    Parameters
    ----------
    nodes : VisitNodes
    measure : str
        One of `visit_nodes.CHARTED`.
    title : str
    axes : (str, str)
        Titles of the horizontal and the vertical axis, which are also those of the table's columns.
    points : sequence of (float, float)
        Finite, in the order of time.

    Returns
    -------
    vtkMRMLPlotChartNode
    """
    table = _node(nodes, f"points_{measure}", "vtkMRMLTableNode", f"{title} points")
    _fill(table, axes, points)
    series = _node(nodes, f"series_{measure}", "vtkMRMLPlotSeriesNode", title)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName(axes[0])
    series.SetYColumnName(axes[1])
    series.SetPlotType(series.PlotTypeScatter)  # the type that has an x column
    series.SetMarkerStyle(series.MarkerStyleCircle)
    series.SetMarkerSize(_MARKER)
    series.SetLineStyle(series.LineStyleSolid)
    series.SetLineWidth(_WIDTH)
    series.SetColor(*_COLOUR)
    chart = _node(nodes, f"chart_{measure}", "vtkMRMLPlotChartNode", title)
    chart.RemoveAllPlotSeriesNodeIDs()
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetTitle(title)
    chart.SetXAxisTitle(axes[0])
    chart.SetYAxisTitle(axes[1])
    chart.SetLegendVisibility(False)
    return chart


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


def _fill(node, titles: tuple[str, str], points: Sequence[tuple[float, float]]) -> None:
    table = vtk.vtkTable()
    for number, title in enumerate(titles):
        column = vtk.vtkDoubleArray()
        column.SetName(title)
        for point in points:
            column.InsertNextValue(float(point[number]))
        table.AddColumn(column)
    node.SetAndObserveTable(table)
