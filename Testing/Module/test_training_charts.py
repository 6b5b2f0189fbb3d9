"""The two charts of a training in the window: each in a view of its own, whatever else is shown."""

from __future__ import annotations

import slicer

from MetaRegistrationLib.mrml.charts import LossChart


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
