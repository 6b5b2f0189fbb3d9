"""Charts: the two of a training, each in a view of its own whatever else is shown, and those of measures of visits."""

from __future__ import annotations

import csv

import slicer

from MetaRegistrationLib.mrml.charts import LossChart
from MetaRegistrationLib.mrml.visit_nodes import VisitNodes
from MetaRegistrationLib.panel.visits_measures import VisitsMeasures
from MetaRegistrationLib.visits.measure_files import MEASUREMENT_COLUMNS, MEASUREMENTS


def plots() -> list:
    """The charts that the window shows, from left to right."""
    manager = slicer.app.layoutManager()
    views = [manager.plotWidget(index).mrmlPlotViewNode() for index in range(manager.plotViewCount)]
    return [view.GetPlotChartNode() for view in views]


def test_loss_and_ncc_are_side_by_side_below_the_images(rig):
    chart = LossChart("Adapting")
    assert chart.show()
    assert plots() == chart.charts
    manager = slicer.app.layoutManager()
    assert [manager.sliceWidget(name).isVisible() for name in ("Red", "Yellow")] == [True, True]


def test_another_chart_of_the_scene_does_not_take_their_place(rig):
    chart = LossChart()
    chart.show()
    other = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", "other")
    slicer.modules.plots.logic().ShowChartInLayout(other)
    assert plots() == [other], "in a layout of its own"
    chart.show()
    assert plots() == chart.charts


def test_the_next_training_shows_its_own_charts(rig):
    LossChart("first").show()
    second = LossChart("second")
    second.show()
    assert plots() == second.charts
    slicer.mrmlScene.Clear(0)
    third = LossChart("third")
    third.show()
    assert plots() == third.charts


def measurements(folder, values: list[float]):
    """A file with one measure of the whole image at some visits."""
    with (folder / MEASUREMENTS).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, MEASUREMENT_COLUMNS, restval="")
        writer.writeheader()
        for number, value in enumerate(values, 1):
            row = {"visit": f"visit {number}", "region": "whole", "measure": "vessel_density"}
            writer.writerow(row | {"value": value, "unit": "percent"})
    return folder


def test_a_measure_of_a_single_visit_has_no_chart(rig, tmp_path):
    """VTK writes an error into Slicer's log at every drawing of a line of one point."""
    nodes = VisitNodes(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "eye"))
    measures = VisitsMeasures(None)
    measures.load(nodes, measurements(tmp_path, [40.0]))
    assert measures.charts(nodes) == []
    measures.load(nodes, measurements(tmp_path, [40.0, 38.0]))
    assert measures.charts(nodes) == ["vessel_density"]
    measures.load(nodes, measurements(tmp_path, [40.0]))
    assert measures.charts(nodes) == []
