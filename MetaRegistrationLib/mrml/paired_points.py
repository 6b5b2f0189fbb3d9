"""Two synchronised point lists, moving and fixed: points are placed in pairs, renamed and deleted together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import InputError
from ..formats.label_matching import corresponding
from .markups import defined_points
from .pair_labels import PairLabels

MOVING, FIXED = 0, 1


class PairedPointLists:
    """Pairs the points of two lists while it is open.

    A point that is placed joins the oldest point of the other list that still waits for a partner, and takes its label;
    else it gets the next number and waits itself. Points that `match_landmarks` finds when the lists are opened, and points
    that are given equal labels, are pairs too. `PairLabels` tells the labels.

    Parameters
    ----------
    moving, fixed : vtkMRMLMarkupsFiducialNode
    on_change : callable without arguments, optional
        Called after points that have a position were added, moved, renamed or removed, when both lists are in step.

    Attributes
    ----------
    kept_in : vtkMRMLMarkupsFiducialNode or None
        The list that kept the partner of the last point that was deleted, because the number of its points is locked.

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
        self.kept_in = None
        self._busy = False
        self._partners: dict[tuple[int, str], str] = {}
        self._pair_matching()
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

    @property
    def partner(self) -> tuple[str, object] | None:
        """Label and list of the point whose partner the next point becomes; None where a new pair begins."""
        side = 1 - self.expects
        waiting = self._waiting(side)
        return (_labels(self.nodes[side])[waiting[0]], self.nodes[side]) if waiting else None

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
        """Follow nothing while the block changes the lists; then pair the points anew."""
        with self._own_changes():
            yield
        self._partners.clear()
        self._pair_matching()
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
        present, other = _labels(self.nodes[side]), self.nodes[1 - side]
        self.kept_in = None
        for identifier in [key for key in self._known[side] if key not in present]:
            index = _index(other, self._unpair(side, identifier))
            if index < 0:
                continue
            if other.GetFixedNumberOfControlPoints():
                self.kept_in = other
            else:
                other.RemoveNthControlPoint(index)

    def _follow_renamed(self, side: int) -> None:
        for identifier, label in _labels(self.nodes[side]).items():
            if self._known[side].get(identifier, label) == label:
                continue
            index = _index(self.nodes[1 - side], self._partners.get((side, identifier)))
            if index < 0:
                continue
            of_partner = self._labels.of_partner(side, label)
            self.nodes[1 - side].SetNthControlPointLabel(index, label if of_partner is None else of_partner)
            if of_partner is None:
                self._make_labels_equal()

    def _make_labels_equal(self) -> None:
        labels = _labels(self.nodes[MOVING])
        for (side, identifier), partner in self._partners.items():
            if side == MOVING and identifier in labels:
                self.nodes[FIXED].SetNthControlPointLabel(_index(self.nodes[FIXED], partner), labels[identifier])
        self._labels = PairLabels(*[list(_labels(node).values()) for node in self.nodes])

    def _pair_new(self, side: int) -> None:
        self._pair_equal_labels()
        new = [key for key in self._waiting(side) if key not in self._placed[side]]
        if len(new) != 1:
            return
        waiting = self._waiting(1 - side)
        label = self._next_label(side, new[0])
        if waiting:
            self._pair(side, new[0], waiting[0])
            of_waiting = _labels(self.nodes[1 - side])[waiting[0]]
            label = self._labels.of_partner(1 - side, of_waiting) or of_waiting
        self.nodes[side].SetNthControlPointLabel(_index(self.nodes[side], new[0]), label)

    def _pair_matching(self) -> None:
        """Pair the points by the labels that the lists have."""
        points = [self._labels_of_waiting(side) for side in (MOVING, FIXED)]
        self._labels = PairLabels(*[list(labels.values()) for labels in points])
        try:
            pairs = corresponding(*[list(labels.values()) for labels in points])
        except InputError:  # lists that are half done
            pairs = []
        for indices in pairs:
            self._pair(MOVING, *(list(labels)[index] for labels, index in zip(points, indices, strict=True)))
        self._pair_equal_labels()

    def _pair_equal_labels(self) -> None:
        key = self._labels.key
        fixed = {key(FIXED, label): point for point, label in self._labels_of_waiting(FIXED).items()}
        for point, label in self._labels_of_waiting(MOVING).items():
            if label and key(MOVING, label) in fixed:
                self._pair(MOVING, point, fixed.pop(key(MOVING, label)))

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
        others = [
            [label for key, label in _labels(node).items() if (number, key) != (side, new)]
            for number, node in enumerate(self.nodes)
        ]
        return self._labels.new(1, *others)[side][0]

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
