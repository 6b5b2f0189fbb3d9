"""Slice views, charts and tables in a real MRML scene."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="slicer-core is not installed")
from mrml_pairs import blob, geometry, registration, rotation  # noqa: E402
from mrml_scene import mrml_scene  # noqa: E402
from vtk.util.numpy_support import vtk_to_numpy  # noqa: E402

from MetaRegistrationLib.core.geometry import Geometry  # noqa: E402
from MetaRegistrationLib.formats.images import Image  # noqa: E402
from MetaRegistrationLib.formats.landmarks import Landmarks  # noqa: E402
from MetaRegistrationLib.registration.measures import carry_landmarks, measure  # noqa: E402

SIZE = (100, 100)
OBLIQUE = geometry(SIZE, (0.015, 0.012), (4, -7, 11), rotation(0, 20) @ rotation(2, 35))


@pytest.fixture
def rig(tmp_path):
    with mrml_scene(tmp_path) as parts:
        yield parts


def _volume(array, name, place=None):
    from MetaRegistrationLib.mrml.volumes import volume_from_image

    return volume_from_image(Image(array, place or Geometry(array.shape)), name)


def _halves(axis: int) -> np.ndarray:
    array = np.zeros(SIZE, np.float32)
    array[:50] = 1
    return array if axis == 0 else np.ascontiguousarray(array.T)


def _picture(rig, view="Red") -> np.ndarray:
    """What the slice view draws, uint8 (H, W, 3), rows from the top."""
    logic = rig.application_logic.GetSliceLogicByLayoutName(view)
    logic.GetImageDataConnection().GetProducer().Update()
    image = logic.GetImageDataConnection().GetProducer().GetOutputDataObject(0)
    columns, rows, _ = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, -1)[::-1, :, :3]


def _quarters(picture) -> list[tuple[int, ...]]:
    """Colours of the upper left, upper right, lower left and lower right quarter."""
    rows, columns = picture.shape[:2]
    colours = [picture[rows * row // 8, columns * column // 8].astype(int) for row in (3, 5) for column in (3, 5)]
    # Slicer's colour tables miss their ends by one or two.
    return [tuple(np.where(colour > 252, 255, np.where(colour < 3, 0, colour)).tolist()) for colour in colours]


BLACK, WHITE = (0, 0, 0), (255, 255, 255)


@pytest.mark.parametrize("place", [Geometry(SIZE), OBLIQUE], ids=["plain", "oblique"])
def test_a_pair_stands_side_by_side_as_its_files_have_it(rig, place):
    from MetaRegistrationLib.mrml.overlay import show_overlay
    from MetaRegistrationLib.mrml.views import show_pair

    corner = blob(SIZE, (28, 32), 8)
    moving, fixed = _volume(corner, "moving", place), _volume(_halves(1), "fixed", place)
    show_overlay(moving, fixed)
    show_pair(moving, fixed)
    assert rig.layouts[-1] == slicer.vtkMRMLLayoutNode.SlicerLayoutSideBySideView
    left, right = _picture(rig, "Red"), _picture(rig, "Yellow")
    assert np.ptp(left, axis=2).max() == 0  # grey again
    row, column = np.unravel_index(left[..., 0].astype(int).argmax(), left.shape[:2])
    assert row < 90 and column < 90 and left.max() == 255
    assert _quarters(right) == [WHITE, BLACK, WHITE, BLACK]


def test_the_view_goes_to_the_slice(rig):
    from MetaRegistrationLib.mrml.views import show_pair

    stack = np.stack([_halves(0), _halves(1), np.zeros(SIZE, np.float32)])
    node = slicer.util.addVolumeFromArray(stack, np.diag([-0.01, -0.01, 0.3, 1]), "stack")
    node.CreateDefaultDisplayNodes()
    show_pair(node, node, moving_slice=0, fixed_slice=1)
    assert _quarters(_picture(rig, "Red")) == [WHITE, WHITE, BLACK, BLACK]
    assert _quarters(_picture(rig, "Yellow")) == [WHITE, BLACK, WHITE, BLACK]


def test_the_chart_draws_every_epoch(rig):
    from MetaRegistrationLib.mrml.charts import LossChart

    chart = LossChart("Adapting")
    chart.append(1, 2.5, 0.25)
    chart.append(2, 1.5)
    chart.append(3, 1.25, 0.5)
    assert chart.show()
    loss, ncc = (
        [slicer.util.arrayFromTableColumn(table, name).tolist() for name in ("epoch", column)]
        for table, column in zip(chart.tables, ("loss", "NCC"), strict=True)
    )
    assert loss == [[1, 2, 3], [2.5, 1.5, 1.25]]
    assert ncc == [[1, 3], [0.25, 0.5]], "no gap: each costs VTK's log a line at every drawing"
    assert [series.GetYColumnName() for series in chart.series] == ["loss", "NCC"]
    assert [node.GetTitle() for node in chart.charts] == ["Adapting: loss", "Adapting: NCC"]
    assert [node.GetNumberOfPlotSeriesNodes() for node in chart.charts] == [1, 1], "each curve has axes of its own"
    assert not any(node.GetLegendVisibility() for node in chart.charts), "a legend would cover the curve"


def test_a_curve_is_drawn_from_its_second_point_on(rig):
    """VTK writes an error into Slicer's log at every drawing of a line with fewer points."""
    from MetaRegistrationLib.mrml.charts import LossChart

    chart, curves = LossChart(), []
    for _ in range(2):  # steps, then epochs
        for step, ncc in ((1, None), (2, 0.25), (3, 0.5)):
            chart.append(step, 1.0, ncc)
            curves.append(tuple(node.GetNumberOfPlotSeriesNodes() for node in chart.charts))
        chart.clear()
        curves.append(tuple(node.GetNumberOfPlotSeriesNodes() for node in chart.charts))
    assert curves == [(0, 0), (1, 0), (1, 1), (0, 0)] * 2


def test_the_axes_show_all_epochs_of_a_chart_that_grows(rig):
    from rig.plot_view import PlotView

    from MetaRegistrationLib.mrml.charts import LossChart

    chart, view = LossChart(), PlotView()
    for epoch in range(31):
        chart.append(epoch, 3 - 0.1 * epoch, math.nan if epoch % 2 else -0.2)
        view.render(chart.charts[0], (300, 200))
    (left, right), (bottom, top) = view.ranges()
    assert (left, right) == (0, 30)
    assert -0.2 < bottom < 0 and 3 < top < 3.5, "those of the loss alone"


def test_the_chart_ends_with_the_scene(rig):
    from MetaRegistrationLib.mrml.charts import LossChart

    chart = LossChart()
    chart.append(1, 1.0)
    chart.clear()
    assert [table.GetNumberOfRows() for table in chart.tables] == [0, 0]
    slicer.mrmlScene.Clear(0)
    chart.append(2, 1.0)
    assert not chart.alive and not chart.show()
    other = LossChart()
    other.remove()
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLPlotSeriesNode") == 0


def _carried():
    place = Geometry((64, 72), (0.015, 0.0125), spacing_known=True)
    image = Image(blob(place.size, (20, 20)), place)
    result = registration(image, image)
    moving = Landmarks(("a", "", "c"), np.array([[20.0, 30], [40, 20], [30, 50]]))
    return result, carry_landmarks(result, moving, Landmarks(moving.labels, moving.points + 2))


def test_distances_are_those_of_the_library(rig):
    from MetaRegistrationLib.mrml.tables import distance_rows

    result, landmarks = _carried()
    rows = distance_rows(result, landmarks)
    measures = measure("pair", result, landmarks)
    assert [row.label for row in rows] == ["a", "2", "c"]
    for name in ("before_px", "after_px", "before_um", "after_um"):
        mean = np.mean([getattr(row, name) for row in rows])
        assert mean == pytest.approx(getattr(measures, f"distance_{name}"))
    assert rows[0].before_um == pytest.approx(2 * math.hypot(15, 12.5))


def test_the_table_ends_with_mean_and_deviation(rig, tmp_path):
    from MetaRegistrationLib.mrml.tables import DistanceRow, distance_table, export_table

    node = distance_table(None, [DistanceRow("a", 3, 1, 30, 10), DistanceRow("b é,", 5, 2, 50, 20)])
    export_table(node, tmp_path / "dîstances.csv")
    with (tmp_path / "dîstances.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["label", "before (grid px)", "after (grid px)", "before (um)", "after (um)"]
    assert [row[0] for row in rows[1:]] == ["a", "b é,", "mean", "standard deviation"]
    assert [[float(value) for value in row[1:]] for row in rows[3:]] == [[4, 1.5, 40, 15], [1, 0.5, 10, 5]]
    assert distance_table(node, []) is node and node.GetNumberOfRows() == 0


def test_micrometres_are_left_out_where_the_pixel_size_is_unknown(rig):
    from MetaRegistrationLib.mrml.tables import DistanceRow, distance_table

    node = distance_table(None, [DistanceRow("a", 3.14159, 1, math.nan, math.nan)])
    assert node.GetNumberOfColumns() == 3
    assert slicer.util.arrayFromTableColumn(node, "before (grid px)").tolist() == [3.142, 3.142, 0]
