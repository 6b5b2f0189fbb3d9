"""Two synchronised point lists, moving and fixed: points are placed in pairs, renamed and deleted together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .markups import defined_points

MOVING, FIXED = 0, 1


class PairedPointLists:
    """Pairs the points of two lists while it is open.

    A point that is placed joins the oldest point of the other list that still waits for a partner, and takes its label;
    else it gets the next number and waits itself. Points that bear equal labels when the lists are opened, or that are
    given equal labels, are pairs too.

    Parameters
    ----------
    moving, fixed : vtkMRMLMarkupsFiducialNode
    on_change : callable without arguments, optional
        Called after points that have a position were added, moved, renamed or removed, when both lists are in step.

    Notes
    -----
    Several points that are added at once keep their labels. Fill whole lists inside `paused`: Slicer gives the identifiers
    of removed points to new ones, so that a list that is replaced looks like one that is renamed.
    """

    def __init__(self, moving, fixed, on_change: Callable[[], None] | None = None):
        if moving is fixed:
            raise ValueError("PairedPointLists: moving and fixed are one list")
        self.nodes = (moving, fixed)
        self._on_change = on_change
        self._busy = False
        self._partners: dict[tuple[int, str], str] = {}
        self._pair_equal_labels()
        self._remember()
        self._shown = self._snapshot()
        self._observations = [
            (node, node.AddObserver(event, self._follow))
            for node in self.nodes
            for event in (node.PointPositionDefinedEvent, node.PointRemovedEvent, node.PointModifiedEvent)
        ]

    @property
    def expects(self) -> int:
        """The list, `MOVING` or `FIXED`, in which the next point is to be placed: pairs begin in the moving image."""
        return FIXED if self._waiting(MOVING) else MOVING

    @property
    def expected_node(self):
        """The point list that `expects` names."""
        return self.nodes[self.expects]

    def place(self) -> None:
        """Let the next click in a view place a point in the list that expects one; call again after each point."""
        scene = self.nodes[MOVING].GetScene()
        selection = scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
        interaction = scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
        selection.SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsFiducialNode")
        selection.SetActivePlaceNodeID(self.expected_node.GetID())
        interaction.SetPlaceModePersistence(1)
        interaction.SetCurrentInteractionMode(interaction.Place)

    def stop_placing(self) -> None:
        """Return the views to navigation."""
        scene = self.nodes[MOVING].GetScene()
        if scene is not None:
            interaction = scene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
            interaction.SetCurrentInteractionMode(interaction.ViewTransform)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Follow nothing while the block changes the lists; then pair anew the points that bear equal labels."""
        with self._own_changes():
            yield
        self._partners.clear()
        self._pair_equal_labels()
        self._remember()
        self._tell()

    def close(self) -> None:
        """Stop observing the lists; they are not changed."""
        for node, tag in self._observations:
            node.RemoveObserver(tag)
        self._observations = []
        self._on_change = None

    def _follow(self, caller, event) -> None:
        if self._busy:  # our own change to the other list
            return
        side = MOVING if caller is self.nodes[MOVING] else FIXED
        with self._own_changes():
            self._drop_removed(side)
            self._follow_renamed(side)
            self._pair_new(side)
            self._remember()
        self._tell()

    def _remember(self) -> None:
        self._known = [_labels(node) for node in self.nodes]
        self._placed = [set(_defined(node)) for node in self.nodes]

    def _tell(self) -> None:
        shown = self._snapshot()
        # The preview of a point that is being placed changes with every movement of the mouse.
        if shown != self._shown:
            self._shown = shown
            if self._on_change is not None:
                self._on_change()

    @contextmanager
    def _own_changes(self) -> Iterator[None]:
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    def _drop_removed(self, side: int) -> None:
        present = _labels(self.nodes[side])
        for identifier in [key for key in self._known[side] if key not in present]:
            partner = self._unpair(side, identifier)
            index = _index(self.nodes[1 - side], partner)
            if index >= 0:
                self.nodes[1 - side].RemoveNthControlPoint(index)

    def _follow_renamed(self, side: int) -> None:
        for identifier, label in _labels(self.nodes[side]).items():
            if self._known[side].get(identifier, label) == label:
                continue
            index = _index(self.nodes[1 - side], self._partners.get((side, identifier)))
            if index >= 0:
                self.nodes[1 - side].SetNthControlPointLabel(index, label)

    def _pair_new(self, side: int) -> None:
        self._pair_equal_labels()
        new = [key for key in self._waiting(side) if key not in self._placed[side]]
        if len(new) != 1:
            return
        waiting = self._waiting(1 - side)
        if waiting:
            self._pair(side, new[0], waiting[0])
        label = _labels(self.nodes[1 - side])[waiting[0]] if waiting else self._next_label(side, new[0])
        self.nodes[side].SetNthControlPointLabel(_index(self.nodes[side], new[0]), label)

    def _pair_equal_labels(self) -> None:
        fixed = {label: key for key, label in self._labels_of_waiting(FIXED).items()}
        for key, label in self._labels_of_waiting(MOVING).items():
            if label and label in fixed:
                self._pair(MOVING, key, fixed.pop(label))

    def _labels_of_waiting(self, side: int) -> dict[str, str]:
        labels = _labels(self.nodes[side])
        return {key: labels[key] for key in self._waiting(side)}

    def _waiting(self, side: int) -> list[str]:
        """Points with a position but without a partner, oldest first."""
        return [key for key in _defined(self.nodes[side]) if (side, key) not in self._partners]

    def _pair(self, side: int, identifier: str, partner: str) -> None:
        self._partners[side, identifier] = partner
        self._partners[1 - side, partner] = identifier

    def _unpair(self, side: int, identifier: str) -> str | None:
        partner = self._partners.pop((side, identifier), None)
        self._partners.pop((1 - side, partner), None)
        return partner

    def _next_label(self, side: int, new: str) -> str:
        labels = [
            label
            for number, node in enumerate(self.nodes)
            for key, label in _labels(node).items()
            if (number, key) != (side, new)
        ]
        return str(max((int(label) for label in labels if label.isdecimal()), default=0) + 1)

    def _snapshot(self) -> list:
        return [
            (
                node is self.nodes[FIXED],
                node.GetNthControlPointLabel(index),
                tuple(node.GetNthControlPointPosition(index)),
            )
            for node in self.nodes
            for index in defined_points(node)
        ]


def _labels(node) -> dict[str, str]:
    """Label of every point by its identifier, previews included."""
    count = node.GetNumberOfControlPoints()
    return {node.GetNthControlPointID(index): node.GetNthControlPointLabel(index) for index in range(count)}


def _index(node, identifier: str | None) -> int:
    return -1 if identifier is None else node.GetNthControlPointIndexByID(identifier)


def _defined(node) -> list[str]:
    """Identifiers of the points that have a position, oldest first."""
    return [node.GetNthControlPointID(index) for index in defined_points(node)]
