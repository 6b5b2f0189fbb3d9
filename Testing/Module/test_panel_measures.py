"""Measures of visits in the panel: own regions, axial length, tables, charts, and the FAZ that is corrected by hand."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import slicer
from panel_helpers import SMALL, open_panel, register_simply, settle, table, wide
from test_panel_visits import choose, register_all
from visit_files import PLACES, SIDE, visit_folder

from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.eye_length import EyeLength
from MetaRegistrationLib.formats.tables import write_table
from MetaRegistrationLib.mrml import faz_curves, region_export
from MetaRegistrationLib.mrml.visit_nodes import CHARTED, table_rows

MM = 0.02


@pytest.fixture
def widget(rig, request):
    opened = open_panel(rig, size=getattr(request, "param", SMALL))
    for name in ("pairs", "adapt", "register", "landmarks", "visits"):
        getattr(opened.ui, f"{name}CollapsibleButton").collapsed = name != "visits"
    return opened


def registered(rig, widget, folder, output, count=3):
    """Choose, give the pixel size, and register without a network."""
    ui = widget.ui
    choose(rig, widget, folder, output)
    register_simply(widget)
    ui.visitsSpacingSpinBox.value = 1000 * MM
    rig.wait_until(lambda: not widget.panel.visits.running)
    ui.visitsReferenceComboBox.setCurrentIndex(1)
    register_all(rig, widget)
    assert f"{count} of {count} visits" in ui.visitsStatusLabel.text, ui.visitsStatusLabel.text
    return widget.panel.visits.nodes


def rows(path: Path) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def circle(radius_mm: float, middle_mm: float = SIDE * MM / 2) -> np.ndarray:
    """RAS points of a circle in the image."""
    angles = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    x, y = middle_mm + radius_mm * np.cos(angles), middle_mm + radius_mm * np.sin(angles)
    return np.stack([-x, -y, np.zeros(32)], axis=-1)


def move(node, points: np.ndarray) -> None:
    """Drag the points of a curve."""
    for index, point in enumerate(points):
        if index < node.GetNumberOfControlPoints():
            node.SetNthControlPointPositionWorld(index, [float(value) for value in point])
        else:
            node.AddControlPointWorld([float(value) for value in point], "")


def label_map(name: str, pixels: np.ndarray, mm: float = MM):
    matrix = np.diag([-mm, -mm, 1.0, 1.0])
    return slicer.util.addVolumeFromArray(pixels[None].astype(np.uint8), matrix, name, "vtkMRMLLabelMapVolumeNode")


def segmentation(name: str, parts: dict[str, np.ndarray], place=None):
    """A segmentation of named segments, drawn on a volume."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    for part, pixels in parts.items():
        labels = label_map(part, pixels)
        assert slicer.modules.segmentations.logic().ImportLabelmapToSegmentationNode(labels, node)
        segments = node.GetSegmentation()
        segments.GetNthSegment(segments.GetNumberOfSegments() - 1).SetName(part)
        slicer.mrmlScene.RemoveNode(labels)
    if place is not None:
        node.SetReferenceImageGeometryParameterFromVolumeNode(place)
    return node


@wide
def test_story_of_measures(rig, widget, tmp_path):
    ui, results = widget.ui, tmp_path / "my results é"
    pixels = np.zeros((SIDE, SIDE))
    pixels[40:110, 40:110] = 3
    ui.visitsOptionsCollapsibleButton.collapsed = ui.measuresCollapsibleButton.collapsed = False
    assert ui.visitsOptionsCollapsibleButton.text == "Regions and axial length: none"
    ui.regionsSelector.setCurrentNode(label_map("drusen", pixels))
    ui.axialLengthSpinBox.value = 26.0
    ui.deviceAxialLengthSpinBox.value = 23.95
    assert ui.visitsOptionsCollapsibleButton.text == "Regions and axial length: drusen, 26 mm"
    assert not ui.showChartButton.enabled and not ui.keepFazButton.enabled and not ui.fazLabel.visible

    # The child measures; the panel reads its files.
    nodes = registered(rig, widget, visit_folder(tmp_path / "OD", landmarks=True), results)
    assert {"measurements.csv", "changes.csv", "trends.csv"} <= {path.name for path in results.iterdir()}
    found = rows(results / "measurements.csv")
    assert {row["axial_length_mm"] for row in found} == {"26"} and "label 3" in {row["region"] for row in found}
    shown = table_rows(nodes["measurements"])
    assert len(shown) == len(found) and list(shown[0])[:5] == ["Eye", "Visit", "Date", "Region", "Measure"]
    assert {"whole image", "centre", "label 3"} <= {row["Region"] for row in shown}
    assert list(shown[0])[-1] == "Axial length (mm)" and "capillary density" in {row["Measure"] for row in shown}
    assert not any("_" in text for row in shown for text in (row["Region"], row["Measure"], row["Unit"]))
    assert table_rows(nodes["changes"])[0]["Verdict"] and table_rows(nodes["trends"])[0]["Per year"]
    changes = table(ui.measureChangesTable)
    assert {row[6] for row in changes} <= {
        "changed",
        "within repeatability",
        "uncertain",
        "not measurable",
        "not comparable",
    }
    assert any(row[2:4] == ["label 3", "capillary density"] for row in changes) and len(changes[0]) == 7

    # Charts over the dates.
    charted = [CHARTED[index] for index in range(len(CHARTED)) if nodes[f"chart_{CHARTED[index]}"] is not None]
    assert "capillary_density" in charted and ui.measureChartComboBox.count == len(charted)
    points = slicer.util.arrayFromTableColumn(nodes["points_capillary_density"], "Year")
    assert np.allclose(points, [2021.33, 2022.33, 2023.33], atol=0.01)
    chart, changed = nodes["chart_capillary_density"], table_rows(nodes["changes"])
    low, high = (
        slicer.util.arrayFromTableColumn(nodes["band_capillary_density"], f"{end} within repeatability")[0]
        for end in ("lowest", "highest")
    )
    cor = [
        row["Detectable"] for row in changed if (row["Region"], row["Measure"]) == ("whole image", "capillary density")
    ]
    assert high - low == pytest.approx(2 * float(cor[-1])), "the axis shows chance in proportion"
    assert chart.GetYAxisRange()[0] < low < high < chart.GetYAxisRange()[1]
    ui.showChartButton.click()
    settle(rig)
    assert (
        slicer.app.layoutManager().plotWidget(0).mrmlPlotViewNode().GetPlotChartNode()
        is nodes["chart_capillary_density"]
    )
    rig.screenshot_window("measures_1_chart", (1500, 1100))

    # The FAZ of the shown visit follows the sequence.
    zones = {name: nodes.zone(name) for name in nodes.aligned if nodes.zone(name) is not None}
    assert zones, "the phantom has a FAZ"
    name, curve = next(iter(zones.items()))
    ui.visitsTable.cellClicked.emit(nodes.aligned.index(name), 0)
    settle(rig)
    assert [n for n, node in zones.items() if node.GetDisplayNode().GetVisibility()] == [name]
    area = next(float(row["value"]) for row in found if (row["visit"], row["measure"]) == (name, "faz_area"))
    assert faz_curves.measured(nodes, name).area_mm2 == pytest.approx(area, rel=0.01)
    assert ui.fazLabel.text.startswith(f"FAZ of {name}: ") and "found by the program" in ui.fazLabel.text
    assert not (results / "faz_corrected.csv").exists()

    # Corrected by hand, measured again, kept.
    move(curve, circle(0.3))
    rig.wait_until(lambda: "not kept yet" in ui.fazLabel.text, "for the FAZ to be measured again")
    scale = EyeLength(26, 23.95).scale
    truth = math.pi * (0.3 * scale) ** 2
    assert f"{truth:.2f} mm²" in ui.fazLabel.text, ui.fazLabel.text
    ui.keepFazButton.click()
    kept = {row["measure"]: row for row in rows(results / "faz_corrected.csv")}
    assert float(kept["faz_area"]["value"]) == pytest.approx(truth, rel=0.01) and kept["faz_area"]["visit"] == name
    assert float(kept["faz_perimeter"]["value"]) == pytest.approx(2 * math.pi * 0.3 * scale, rel=0.01)
    assert {row["note"] for row in kept.values()} == {"corrected by hand"}
    assert {row["axial_length_mm"] for row in kept.values()} == {"26"}
    assert table_rows(nodes["corrected"])[0]["Note"] == "corrected by hand" and "corrected by hand" in ui.fazLabel.text
    assert "faz_corrected.csv" in ui.measuresStatusLabel.text
    settle(rig)
    section = ui.measuresCollapsibleButton
    assert section.height >= section.layout().totalMinimumSize().height(), "its rows do not overlap"
    rig.screenshot_window("measures_2_faz", (1500, 1300))

    # The scene keeps it.
    path, before = str(tmp_path / "measures.mrb"), table(ui.measureChangesTable)
    said = ui.fazLabel.text
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(0)
    settle(rig)
    assert table(ui.measureChangesTable) == [] and not ui.fazLabel.visible and not ui.keepFazButton.enabled
    slicer.util.loadScene(path)
    settle(rig, 0.4)
    rig.wait_until(lambda: not widget.panel.visits.running)
    nodes = widget.panel.visits.nodes
    assert table(ui.measureChangesTable) == before and ui.fazLabel.text == said
    assert ui.axialLengthSpinBox.value == 26 and nodes.eye_length == EyeLength(26, 23.95)

    # Registering again keeps what was corrected, in the scene and in the file.
    register_all(rig, widget)
    nodes = widget.panel.visits.nodes
    ui.visitsTable.cellClicked.emit(nodes.aligned.index(name), 0)
    settle(rig)
    assert ui.fazLabel.text == said and len(rows(results / "faz_corrected.csv")) == 3
    curves = slicer.util.getNodesByClass("vtkMRMLMarkupsClosedCurveNode")
    assert len(curves) == len(zones) and len(slicer.util.getNodesByClass("vtkMRMLPlotChartNode")) == len(charted)

    # The change map has the circles of the longer eye.
    ui.changeMapButton.click()
    areas = {row["region"]: float(row["area_mm2"]) for row in table_rows(nodes["regions"])}
    assert areas["centre"] == pytest.approx(math.pi / 4, rel=0.02)
    assert areas["whole"] == pytest.approx((SIDE * MM * scale) ** 2, rel=0.02)

    # On another scale, what was kept has to be kept again.
    ui.axialLengthSpinBox.value = 0
    register_all(rig, widget)
    nodes = widget.panel.visits.nodes
    ui.visitsTable.cellClicked.emit(nodes.aligned.index(name), 0)
    assert nodes.eye_length is None, ui.visitsStatusLabel.text
    assert f"{math.pi * 0.09:.2f} mm²" in ui.fazLabel.text
    assert "not kept yet" in ui.fazLabel.text


def test_a_segmentation_gives_the_names_of_its_visible_segments(rig):
    first, second, third = (np.zeros((SIDE, SIDE)) for _ in range(3))
    first[20:80, 20:90], second[60:120, 60:120], third[5:9, 5:9] = 1, 1, 1
    volume = slicer.util.addVolumeFromArray(np.ones((1, SIDE, SIDE)), np.diag([-MM, -MM, 1, 1]), "2021")
    node = segmentation("mine", {"Narbe, groß": first, "overlap": second, "hidden": third}, volume)
    node.GetDisplayNode().SetSegmentVisibility(node.GetSegmentation().GetNthSegmentID(2), False)
    found = region_export.regions_of(node, {"2021": volume}, None)
    assert list(found.masks) == ["Narbe, groß", "overlap"] and found.visit == "2021"
    assert np.array_equal(found.masks["Narbe, groß"], first > 0), "segments may overlap"
    assert np.array_equal(found.masks["overlap"], second > 0)
    assert region_export.regions_of(node, {}, None).visit is None
    assert not slicer.util.getNodesByClass("vtkMRMLLabelMapVolumeNode"), "nothing is left in the scene"


@pytest.mark.parametrize("kind", ["empty label map", "empty segmentation", "stack", "without a volume"])
def test_regions_that_cannot_be_used_are_named(rig, kind):
    volume = slicer.util.addVolumeFromArray(np.ones((1, SIDE, SIDE)), np.diag([-MM, -MM, 1, 1]), "2021")
    if kind == "empty label map":
        node, text = label_map("mine", np.zeros((9, 9))), "mine: it holds no region"
    elif kind == "empty segmentation":
        node, text = segmentation("mine", {}, volume), "mine: it holds no region"
    elif kind == "stack":
        stack = np.ones((3, 9, 9), np.uint8)
        node = slicer.util.addVolumeFromArray(stack, np.eye(4), "mine", "vtkMRMLLabelMapVolumeNode")
        text = "it has 3 slices"
    else:
        node, text = segmentation("mine", {"a": np.ones((9, 9))}), "on which volume it was drawn"
        node.SetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole(), None)
    with pytest.raises(ValueError, match=text):
        region_export.regions_of(node, {"2021": volume}, None)


def test_regions_drawn_on_registered_visits_reach_the_table(rig, widget, tmp_path):
    folder = visit_folder(tmp_path / "OD", tuple(PLACES)[:2], landmarks=True)
    nodes = registered(rig, widget, folder, tmp_path / "results", 2)
    pixels = np.zeros((SIDE, SIDE))
    pixels[60:120, 60:140] = 1
    widget.ui.regionsSelector.setCurrentNode(segmentation("mine", {"my lesion": pixels}, nodes["average"]))
    register_all(rig, widget)
    found = rows(tmp_path / "results" / "measurements.csv")
    assert {row["visit"] for row in found if row["region"] == "my lesion"} == set(nodes.aligned)
    assert "my lesion" in {row["Region"] for row in table_rows(widget.panel.visits.nodes["changes"])}
    assert {"mine", "my lesion"} <= widget.panel.state.names, "a report for others leaves them out"


def test_regions_and_axial_length_of_one_eye_are_not_used_for_another(rig, widget, tmp_path):
    ui = widget.ui
    ui.axialLengthSpinBox.value = 26.0
    choose(rig, widget, visit_folder(tmp_path / "P1" / "OD"), tmp_path / "results")
    ui.regionsSelector.setCurrentNode(label_map("drusen", np.ones((SIDE, SIDE))))
    assert ui.axialLengthSpinBox.value == 26, "given before any eye was chosen"
    choose(rig, widget, visit_folder(tmp_path / "P2" / "OD"))
    assert ui.axialLengthSpinBox.value == 0 and ui.regionsSelector.currentNode() is None
    assert ui.visitsOptionsCollapsibleButton.text == "Regions and axial length: none"


@pytest.mark.parametrize("entered", [0.0, 26.0])
def test_the_axial_length_of_the_table_is_that_of_the_panel(rig, widget, tmp_path, entered):
    ui, folder = widget.ui, visit_folder(tmp_path / "OD")
    table = [[f"{name}.png", name, f"{name[:4]}-05-01", 24.5] for name in PLACES]
    write_table(folder / "visits.csv", ("image", "visit", "date", "axial_length_mm"), table)
    ui.axialLengthSpinBox.value = entered
    choose(rig, widget, folder, tmp_path / "results")
    assert ui.axialLengthSpinBox.value == (entered or 24.5)
    assert ("says an axial length of 24.5 mm. 26 mm, as entered, is used." in ui.visitsStatusLabel.text) == bool(
        entered
    )
    choose(rig, widget, visit_folder(tmp_path / "P2" / "OD"))
    assert ui.axialLengthSpinBox.value == 0


def test_what_the_child_refuses_is_said_in_the_panel(rig, widget, tmp_path):
    ui = widget.ui
    choose(rig, widget, visit_folder(tmp_path / "OD"), tmp_path / "results")
    ui.axialLengthSpinBox.value = 2.6
    register_all(rig, widget)
    assert "Axial length: an axial length of 15 to 40 mm was expected, but it is 2.6 mm" in ui.visitsStatusLabel.text
    ui.axialLengthSpinBox.value = 0
    ui.regionsSelector.setCurrentNode(label_map("odd", np.ones((30, 40))))
    register_all(rig, widget)
    assert "they have 40 x 30" in ui.visitsStatusLabel.text and widget.panel.visits.nodes is None


def test_a_faz_can_be_drawn_and_a_file_of_another_is_left_alone(rig, widget, tmp_path):
    ui, results = widget.ui, tmp_path / "results"
    nodes = registered(rig, widget, visit_folder(tmp_path / "OD", tuple(PLACES)[:2], landmarks=True), results, 2)
    name = nodes.aligned[0]
    curve = nodes.zone(name)
    if curve is not None:
        slicer.mrmlScene.RemoveNode(curve)
    ui.visitsTable.cellClicked.emit(0, 0)
    widget.panel.state.notify()
    assert "It can be drawn" in ui.fazLabel.text and not ui.keepFazButton.enabled
    ui.drawFazButton.click()
    selection = slicer.mrmlScene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
    assert selection.GetActivePlaceNodeID() == nodes.zone(name).GetID()
    assert selection.GetActivePlaceNodeClassName() == "vtkMRMLMarkupsClosedCurveNode"
    eight = circle(0.3)
    eight[:, 1] = -SIDE * MM / 2 + 0.2 * np.sin(2 * np.arange(32) * 2 * np.pi / 32)
    for points, said in (
        (eight, "the curve crosses itself. Move"),
        (circle(0.3, 0.1), "the curve leaves the image. Move"),
    ):
        move(nodes.zone(name), points)
        rig.wait_until(lambda said=said: said in ui.fazLabel.text, "for the FAZ that cannot be measured")
        assert not ui.keepFazButton.enabled and "mm²" not in ui.fazLabel.text
    with pytest.raises(InputError, match=f"FAZ of {name}: not measured"):
        widget.panel.measures._logic.keep(nodes, name)
    assert nodes["corrected"] is None and not (results / "faz_corrected.csv").exists()
    move(nodes.zone(name), circle(0.2))
    rig.wait_until(lambda: "not kept yet" in ui.fazLabel.text, "for the FAZ")
    (results / "faz_corrected.csv").write_text("mine\n1\n", encoding="utf-8")
    ui.keepFazButton.click()
    assert "faz_corrected.csv" in ui.measuresStatusLabel.text and "Kept" not in ui.measuresStatusLabel.text
    assert (results / "faz_corrected.csv").read_text(encoding="utf-8") == "mine\n1\n"
    assert len(table_rows(nodes["corrected"])) == 3, "the scene has it"
