"""Views: slices, points placed by mouse, layouts, charts, tables, screenshots."""

from __future__ import annotations

import numpy as np
import pytest
import slicer
import vtk
from rig.pictures import OUTPUT, number_of_colours
from rig_example import EXAMPLE, make_volume


def start_placing(points):
    """Put Slicer into the mode that places points of this list."""
    logic = slicer.app.applicationLogic()
    logic.GetSelectionNode().SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsFiducialNode")
    logic.GetSelectionNode().SetActivePlaceNodeID(points.GetID())
    interaction = logic.GetInteractionNode()
    interaction.SetPlaceModePersistence(1)
    interaction.SetCurrentInteractionMode(interaction.Place)


def test_points_are_placed_by_mouse_where_they_should(rig):
    spacing = 0.5
    volume = make_volume(spacing=spacing)
    points = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "landmarks")
    points.CreateDefaultDisplayNodes()
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    view = rig.slice_view("Red")
    start_placing(points)
    wanted = [(-10.0, -7.0, 0.0), (-25.0, -20.0, 0.0)]
    for place in wanted:
        view.click_at(place)
    assert points.GetNumberOfControlPoints() == 2
    placed = [points.GetNthControlPointPositionWorld(i) for i in range(2)]
    assert np.abs(np.array(placed) - wanted).max() / spacing < 0.5


def test_slice_view_shows_image_overlay_and_points(rig):
    view = rig.slice_view("Red")
    background, overlay = make_volume("background"), make_volume("overlay")
    slicer.util.updateVolumeFromArray(overlay, np.roll(slicer.util.arrayFromVolume(overlay), 25, axis=1))
    for volume, colour in (
        (background, "vtkMRMLColorTableNodeFileMagenta.txt"),
        (overlay, "vtkMRMLColorTableNodeGreen"),
    ):
        display = volume.GetDisplayNode()
        if slicer.mrmlScene.GetNodeByID(colour):
            display.SetAndObserveColorNodeID(colour)
        display.SetAutoWindowLevel(0)
        display.SetWindowLevelMinMax(0, 200)
    slicer.util.setSliceViewerLayers(background=background, foreground=overlay, foregroundOpacity=0.5, fit=True)
    plain = view.render()
    green = (plain[..., 1] > 60) & (plain[..., 0] < 20) & (plain[..., 2] < 20)
    x, y = view.to_display((-15.0, -20.0, 0.0))  # row 40, column 30: inside the overlay's bar only
    assert green[plain.shape[0] - 1 - round(y), round(x)]
    points = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "landmarks")
    points.CreateDefaultDisplayNodes()
    points.AddControlPoint(vtk.vtkVector3d(-15.0, -15.0, 0.0), "A")
    assert np.any(view.render() != plain)
    path = view.save(OUTPUT / "rig_slice_view.png")
    assert number_of_colours(path) > 10


def _visible(manager):
    return [name for name in manager.sliceViewNames() if manager.sliceWidget(name).visible]


def test_layouts_and_views(rig):
    manager = slicer.app.layoutManager()
    heard = []
    manager.connect("layoutChanged(int)", heard.append)
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    assert _visible(manager) == ["Red"] and heard == [slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView]
    layout = (
        '<layout type="horizontal"><item><view class="vtkMRMLSliceNode" singletontag="Moving">'
        '<property name="orientation" action="default">Axial</property></view></item>'
        '<item><view class="vtkMRMLPlotViewNode" singletontag="Curves"/></item></layout>'
    )
    manager.layoutLogic().GetLayoutNode().AddLayoutDescription(5005, layout)
    manager.setLayout(5005)
    assert _visible(manager) == ["Moving"] and manager.plotViewCount == 1
    assert manager.sliceWidget("Moving").mrmlSliceNode().GetOrientation() == "Axial"


def test_chart_table_and_screenshots(rig):
    widget = rig.open_module(EXAMPLE)
    values = np.column_stack([np.arange(5.0), np.arange(5.0)[::-1]])
    slicer.util.plot(values, xColumnIndex=0, columnNames=["epoch", "loss"], title="Loss", show=False)
    table = slicer.util.getFirstNodeByClassByName("vtkMRMLTableNode", "")
    view_node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotViewNode")
    view_node.SetPlotChartNodeID(slicer.util.getNodesByClass("vtkMRMLPlotChartNode")[0].GetID())
    ui = widget.ui
    ui.moreButton.collapsed = False
    ui.plotView.setMRMLPlotViewNode(view_node)
    ui.tableView.setMRMLTableNode(table or slicer.util.getNodesByClass("vtkMRMLTableNode")[0])
    assert ui.tableView.model().rowCount() == 5
    assert ui.tableView.model().item(0, 1).text() == "4"
    panel = rig.screenshot(widget.parent, "rig_panel")
    window = rig.screenshot_window("rig_window")
    assert number_of_colours(panel) > 50 and number_of_colours(window) > 50


def test_markups_widget_places_and_renames(rig):
    widget = rig.open_module(EXAMPLE)
    volume = make_volume()
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    points = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "landmarks")
    points.CreateDefaultDisplayNodes()
    widget.ui.markupsWidget.setCurrentNode(points)
    widget.ui.placeWidget.setCurrentNode(points)
    widget.ui.placeWidget.placeMultipleMarkups = slicer.qSlicerMarkupsPlaceWidget.ForcePlaceMultipleMarkups
    widget.ui.placeWidget.placeButton().click()
    assert widget.ui.placeWidget.placeModeEnabled
    rig.slice_view("Red").click_at((-10.0, -7.0, 0.0))
    widget.ui.placeWidget.setPlaceModeEnabled(False)
    rig.slice_view("Red").click_at((-12.0, -9.0, 0.0))
    rows = widget.ui.markupsWidget.tableWidget()
    assert rows.rowCount == 1
    rows.item(0, 0).setText("fovea")
    assert points.GetNthControlPointLabel(0) == "fovea"


def plot_of(points):
    """A chart of one curve, shown in the plot view of the layout; its table."""
    table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", "curve")
    slicer.util.updateTableFromArray(table, np.reshape(np.array(points, dtype=float), (-1, 2)), ["x", "y"])
    series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", "curve")
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("x")
    series.SetYColumnName("y")
    series.SetPlotType(series.PlotTypeScatter)
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", "chart")
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    slicer.modules.plots.logic().ShowChartInLayout(chart)
    return table


@pytest.mark.parametrize("points", [[], [(1, 1)]])
def test_a_plot_view_complains_of_a_curve_of_fewer_than_two_points(rig, points):
    table = plot_of(points)
    rig.process_events()
    assert any("<2 points" in text for text in rig.log_errors)
    slicer.util.updateTableFromArray(table, np.array([(1.0, 1.0), (2.0, 2.0)]), ["x", "y"])
    rig.process_events()
    rig.log_errors.clear()
    rig.process_events()
    slicer.app.layoutManager().plotWidget(0).plotView().grab()
    assert rig.log_errors == []
