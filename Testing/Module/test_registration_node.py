"""What a result says of itself in the scene: one file knows it, older scenes keep their results, one more measure follows."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import pytest
import slicer
from panel_helpers import measured

from MetaRegistrationLib.mrml import registration_node
from MetaRegistrationLib.mrml.registration_node import MeanDistance, OtherInitial, RegistrationNode, UncertainAlignment
from MetaRegistrationLib.panel.measure_texts import compared_cells, compared_titles, measures_text, translated
from MetaRegistrationLib.registration import measures
from MetaRegistrationLib.registration.schema import COMPARED, GRID_PX, PANEL, SCENE, Measure
from MetaRegistrationLib.stages import Stages

LIBRARY = Path(registration_node.__file__).parents[1]
EXEMPT = {
    "mrml/chosen_nodes.py": "a point list or a mask says for which images it was chosen",
    "mrml/display_volume.py": "a volume says that it is for display only",
    "mrml/error_maps.py": "a volume says of which pair it is the predicted error, and a view what that covers",
    "mrml/faz_curves.py": "a curve says whether the program found it or a hand corrected it",
    "mrml/masks.py": "a label map says of which volume it is the field of view",
    "mrml/scene_folders.py": "a folder of the subject hierarchy says that we made it",
    "mrml/overlay.py": "a view says which pair it compares",
    "mrml/transforms.py": "a linear transform between a volume and a result says where the volume was before",
    "mrml/views.py": "a view says what it showed",
    "mrml/visit_nodes.py": "the table of visits, their landmarks and masks",
    "mrml/visit_results.py": "a volume says which file of a visit it came from",
    "mrml/volumes.py": "a volume says that its pixel size was typed, and which pair of files it came from",
}
"""Files with attributes of other nodes than results."""
NAMES = [
    "AdaptedInitial",
    "AlignmentAlone",
    "AlignmentConfidence",
    "AlignmentKept",
    "AlignmentReason",
    "Checkpoint",
    "Error95Px",
    "ErrorMap",
    "ExpectedErrorPx",
    "FixedSlice",
    "FoldingPercent",
    "FrameSize",
    "InitialAlignment",
    "InverseTolerance",
    "Kept",
    "Made",
    "MeanDistance",
    "MovingSlice",
    "NCCAfter",
    "NCCBefore",
    "Network",
    "RefinementSteps",
    "RefinementStepsTaken",
    "TransformContent",
    "UncertainPercent",
]
"""Attributes of results, as scenes have them."""
WORDS = {"Checkpoint", "InitialAlignment", "Kept", "Made", "Network"}
"""Those that name other things too, without the prefix: a label of the panel, a class."""
SCENE_OF_BEFORE = """<?xml version="1.0" encoding="UTF-8"?>
<MRML version="Slicer4.4.0" userTags="">
<GridTransform
  id="vtkMRMLGridTransformNode1" name="chosen" attributes="MetaRegistration.AlignmentConfidence:1.000;MetaRegistration.AlignmentKept:affine;MetaRegistration.Checkpoint:coarse_to_fine_any.pt;MetaRegistration.FixedSlice:2;MetaRegistration.FoldingPercent:0.0;MetaRegistration.FrameSize:400;MetaRegistration.InitialAlignment:affine;MetaRegistration.InverseTolerance:0.001;MetaRegistration.Made:2026-11-28T21:06:52.206126+00:00;MetaRegistration.MeanDistance:0.30169360292558284 nan 30;MetaRegistration.MovingSlice:1;MetaRegistration.NCCAfter:0.6444461988847783;MetaRegistration.NCCBefore:0.31324224204679896;MetaRegistration.Network:on;MetaRegistration.RefinementSteps:30;MetaRegistration.RefinementStepsTaken:30" references="spatialRegistrationFixed:vtkMRMLScalarVolumeNode2;spatialRegistrationMoving:vtkMRMLScalarVolumeNode1;" userTags="" >
</GridTransform>
<GridTransform
  id="vtkMRMLGridTransformNode2" name="beside" attributes="MetaRegistration.AdaptedInitial:rigid;MetaRegistration.AlignmentAlone:yes;MetaRegistration.AlignmentConfidence:0.250;MetaRegistration.AlignmentKept:translation;MetaRegistration.AlignmentReason:the images do not correlate;MetaRegistration.FoldingPercent:0.5;MetaRegistration.InitialAlignment:affine;MetaRegistration.Kept:yes;MetaRegistration.Made:2026-11-28T20:06:52.206126+00:00;MetaRegistration.MeanDistance:0.5 12.0 30;MetaRegistration.NCCAfter:0.5;MetaRegistration.NCCBefore:0.25;MetaRegistration.Network:off;MetaRegistration.RefinementSteps:0" references="spatialRegistrationFixed:vtkMRMLScalarVolumeNode2;spatialRegistrationMoving:vtkMRMLScalarVolumeNode1;" userTags="" >
</GridTransform>
<Volume id="vtkMRMLScalarVolumeNode1" name="moving" userTags="" spacing="1 1 1" origin="0 0 0" ijkToRASDirections="-1 0 0 0 -1 0 0 0 1 " >
</Volume>
<Volume id="vtkMRMLScalarVolumeNode2" name="fixed" userTags="" spacing="1 1 1" origin="0 0 0" ijkToRASDirections="-1 0 0 0 -1 0 0 0 1 " >
</Volume>
</MRML>
"""  # noqa: E501  (as it was written before this file was)


def strings(file: Path):
    """The texts in a file, parts of formatted ones too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_one_file_alone_knows_the_attributes_of_a_result():
    with_prefix, with_name, with_roles = set(), set(), set()
    for file in sorted(LIBRARY.rglob("*.py")):
        name, found = file.relative_to(LIBRARY).as_posix(), set(strings(file))
        if any(text.startswith("MetaRegistration.") for text in found):
            with_prefix.add(name)
        if found & {*NAMES, *(f"MetaRegistration.{each}" for each in NAMES)} - WORDS:
            with_name.add(name)
        if "MovingNodeReferenceRole" in file.read_text(encoding="utf-8") or "spatialRegistrationMoving" in found:
            with_roles.add(name)
    assert with_prefix == {"mrml/registration_node.py", *EXEMPT}
    assert with_name == with_roles == {"mrml/registration_node.py"}


@pytest.fixture
def scene_of_before(rig):
    slicer.mrmlScene.SetSceneXMLString(SCENE_OF_BEFORE)
    slicer.mrmlScene.SetLoadFromXMLString(1)
    assert slicer.mrmlScene.Import()
    slicer.mrmlScene.SetLoadFromXMLString(0)
    return [RegistrationNode(slicer.util.getNode(name)) for name in ("chosen", "beside")]


def test_results_of_an_earlier_scene_are_read(scene_of_before):
    chosen, beside = scene_of_before
    pair = [slicer.util.getNode(name) for name in ("moving", "fixed")]
    assert chosen.is_of_pair(*pair) and chosen.is_of_another_pair(*reversed(pair))
    assert registration_node.result_of_pair("vtkMRMLGridTransformNode", *pair) is chosen.node
    assert (chosen.stages, chosen.checkpoint) == (Stages("affine", True, 30), "coarse_to_fine_any.pt")
    found = chosen.outcome
    assert (found.initial, found.alignment_alone) == ("affine", False)
    assert (found.measures.ncc_before, found.measures.ncc_after) == (0.31324224204679896, 0.6444461988847783)
    assert found.measures.folding_percent == 0 and math.isnan(found.measures.seconds)
    assert chosen.mean_distance[::2] == (0.30169360292558284, 30) and math.isnan(chosen.mean_distance.micrometres)
    assert (chosen.grid_size, chosen.slices, chosen.inverse_tolerance) == (400, (1, 2), 0.001)
    assert not chosen.saved and chosen.uncertain_alignment is None and chosen.other_initial is None
    assert beside.saved and beside.made < chosen.made
    assert (beside.stages, beside.checkpoint) == (Stages("affine", False, 0), "")
    assert beside.uncertain_alignment == UncertainAlignment("translation", "the images do not correlate")
    assert beside.other_initial == OtherInitial("rigid", "affine")
    assert (beside.outcome.initial, beside.outcome.alignment_alone) == ("translation", True)
    assert beside.mean_distance == MeanDistance(0.5, 12.0, 30)
    assert (beside.grid_size, beside.slices, beside.inverse_tolerance) == (400, (0, 0), None)


def test_what_is_written_today_has_the_same_names(scene_of_before):
    chosen, beside = scene_of_before
    written = RegistrationNode(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", "again"))
    for result in (chosen, beside):
        written.note_measures(result.outcome.measures)
        written.mean_distance = result.mean_distance
        written.note_grid(result.grid_size, *result.slices)
        for name in ("NCCBefore", "NCCAfter", "FoldingPercent", "MeanDistance"):
            name = f"MetaRegistration.{name}"
            assert written.node.GetAttribute(name) == result.node.GetAttribute(name)
    written.saved = True
    written.inverse_tolerance = 0.001
    written.note_made("a.pt")
    assert set(written.node.GetAttributeNames()) <= {f"MetaRegistration.{name}" for name in NAMES}
    assert not written.saved and written.mean_distance is None and written.checkpoint == "a.pt"


@pytest.mark.parametrize(
    ("percent", "words"), [(0.0, "no folding"), (1e-6, "folding 0.000 %"), (0.5, "folding 0.500 %")]
)
def test_only_a_field_without_any_fold_has_no_folding(percent, words):
    text = measures_text(measured(ncc_before=0.2014, ncc_after=0.4676, folding_percent=percent))
    assert text == f"Similarity (NCC) 0.20 → 0.47, {words}."
    assert "no folding" in translated()


def test_one_more_measure_comes_to_scene_and_panel(rig, monkeypatch):
    longest = Measure(
        "longest_ncc_px",
        "longest displacement",
        lambda pair: 5.0,
        unit=GRID_PX,
        digits=1,
        shown_in=frozenset({SCENE, PANEL, COMPARED}),
    )
    monkeypatch.setattr(measures, "MEASURES", (*measures.MEASURES, longest))
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLGridTransformNode", "result")
    result = RegistrationNode(node)
    result.note_measures(measured(longest_ncc_px=1 / 3))
    assert node.GetAttribute("MetaRegistration.LongestNCCPx") == repr(1 / 3)
    found = result.outcome.measures
    assert found.longest_ncc_px == 1 / 3
    assert measures_text(found) == "Similarity (NCC) 0.25 → 0.75, folding 0.500 %, longest displacement 0.3 grid px."
    assert compared_titles() == ["similarity (NCC)", "longest displacement, grid px"]
    assert compared_cells(found) == ["0.250 → 0.750", "0.3"]
    assert "longest displacement" in translated()
    node.RemoveAttribute("MetaRegistration.LongestNCCPx")  # as a scene of before
    assert math.isnan(result.outcome.measures.longest_ncc_px) and compared_cells(result.outcome.measures)[1] == "–"
