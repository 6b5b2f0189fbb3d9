"""Point lists that Slicer named, each with its own name before its numbers, are placed, renamed and deleted in pairs."""

from __future__ import annotations

import pytest
import slicer

from MetaRegistrationLib.formats.label_matching import corresponding


def _labels(node) -> list[str]:
    return [node.GetNthControlPointLabel(index) for index in range(node.GetNumberOfControlPoints())]


def _list(name: str, labels):
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", name)
    for index, label in enumerate(labels):
        node.AddControlPoint([index, 0, 0], label)
    return node


@pytest.fixture
def paired(rig):
    from MetaRegistrationLib.mrml.paired_points import PairedPointLists

    opened = []

    def make(moving, fixed):
        opened.append(PairedPointLists(_list("F", moving), _list("F_1", fixed)))
        return opened[-1]

    yield make
    for lists in opened:
        lists.close()


MOVING, FIXED = [[f"{name}-{number}" for number in (1, 2, 3, 4)] for name in ("F", "F_1")]


def matched(lists) -> int:
    return len(corresponding(*map(_labels, lists.nodes)))


@pytest.mark.parametrize("first", [0, 1])
def test_a_new_pair_gets_the_next_number_of_each_list(paired, first):
    lists = paired(MOVING, FIXED)
    for side in (first, 1 - first):
        lists.nodes[side].AddControlPoint([9, 0, 0])
    assert [_labels(node)[-1] for node in lists.nodes] == ["F-5", "F_1-5"]
    assert matched(lists) == 5 and lists.expects == 0
    lists.nodes[first].RemoveNthControlPoint(4)
    assert (_labels(lists.nodes[0]), _labels(lists.nodes[1])) == (MOVING, FIXED)


@pytest.mark.parametrize("side", [0, 1])
def test_a_deleted_point_takes_its_partner_along(paired, side):
    lists = paired(MOVING, FIXED[::-1])
    lists.nodes[side].RemoveNthControlPoint(1)
    number = "23"[side]
    for node in lists.nodes:
        assert len(_labels(node)) == 3 and not any(label.endswith(number) for label in _labels(node))
    assert matched(lists) == 3


def test_a_renamed_point_leaves_the_lists_matching(paired):
    lists = paired(MOVING, FIXED)
    moving, fixed = lists.nodes
    fixed.SetNthControlPointLabel(0, "F_1-7")
    assert _labels(moving)[0] == "F-7" and matched(lists) == 4
    moving.SetNthControlPointLabel(1, "fovea")
    assert _labels(moving) == _labels(fixed) == ["F-7", "fovea", "F-3", "F-4"]
    moving.AddControlPoint([9, 0, 0])
    fixed.AddControlPoint([9, 0, 0])
    assert _labels(moving) == _labels(fixed) and len(set(_labels(moving))) == 5


def test_a_list_that_lacks_a_point_is_completed(paired):
    lists = paired(MOVING, FIXED[:3])
    assert lists.expects == 1
    lists.nodes[1].AddControlPoint([9, 0, 0])
    assert _labels(lists.nodes[1]) == FIXED and matched(lists) == 4


def test_lists_without_a_name_in_common_are_paired_by_their_order(paired):
    lists = paired(["p", "p"], ["", ""])
    lists.nodes[0].RemoveNthControlPoint(0)
    assert len(_labels(lists.nodes[1])) == 1
