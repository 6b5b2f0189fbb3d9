"""Stand-ins for the widgets of the Markups module."""

from __future__ import annotations

from typing import Any

import slicer
from PySide6 import QtGui, QtWidgets

from .mrml_widgets import qSlicerWidget
from .node_selector import qMRMLNodeComboBox
from .standin import emit, standin, stored


def _application_nodes():
    logic = slicer.app.applicationLogic()
    return logic.GetSelectionNode(), logic.GetInteractionNode()


@standin(qSlicerWidget, buttonsVisible=True, placeMultipleMarkups=2)
class qSlicerMarkupsPlaceWidget:
    """The button that starts and ends the placing of points, through Slicer's selection and interaction nodes."""

    ShowPlaceMultipleMarkupsOption, HidePlaceMultipleMarkupsOption = 0, 1
    ForcePlaceSingleMarkup, ForcePlaceMultipleMarkups = 2, 3

    def __init__(self, parent=None):
        super().__init__(parent)
        self._node: Any = None
        self._place = QtWidgets.QToolButton(self)
        self._place.setText("Place")
        self._place.setCheckable(True)
        self._delete = QtWidgets.QToolButton(self)
        self._delete.setText("Delete")
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._place)
        layout.addWidget(self._delete)
        self._place.clicked.connect(lambda on: self.setPlaceModeEnabled(on))
        self._delete.clicked.connect(lambda: self.deleteAllPoints())
        self._active = False
        interaction = _application_nodes()[1]
        self._tag = interaction.AddObserver("ModifiedEvent", lambda *_: self._follow())
        self.destroyed.connect(lambda: interaction.RemoveObserver(self._tag))

    def currentNode(self):
        """The point list."""
        return self._node

    currentMarkupsNode = currentMarkupsFiducialNode = currentNode

    def setCurrentNode(self, node):
        """Choose the point list."""
        self._node = node
        self._follow()

    def placeButton(self):
        """The button that starts placing."""
        return self._place

    def deleteButton(self):
        """The button that deletes points."""
        return self._delete

    def interactionNode(self):
        """The interaction node of the scene."""
        return _application_nodes()[1]

    def selectionNode(self):
        """The selection node of the scene."""
        return _application_nodes()[0]

    def _get_currentNodeActive(self):
        return self._node is not None and _application_nodes()[0].GetActivePlaceNodeID() == self._node.GetID()

    def _set_currentNodeActive(self, active):
        if active and self._node is not None:
            selection = _application_nodes()[0]
            selection.SetReferenceActivePlaceNodeClassName(self._node.GetClassName())
            selection.SetActivePlaceNodeID(self._node.GetID())

    def _get_placeModeEnabled(self):
        interaction = _application_nodes()[1]
        return self._get_currentNodeActive() and interaction.GetCurrentInteractionMode() == interaction.Place

    def _set_placeModeEnabled(self, on):
        self.setPlaceModeEnabled(on)

    def setPlaceModeEnabled(self, on):
        """Start or end the placing of points."""
        interaction = _application_nodes()[1]
        if on:
            self._set_currentNodeActive(True)
            interaction.SetPlaceModePersistence(
                int(stored(self, "placeMultipleMarkups") == self.ForcePlaceMultipleMarkups)
            )
            interaction.SetCurrentInteractionMode(interaction.Place)
        elif self._get_placeModeEnabled():
            interaction.SetCurrentInteractionMode(interaction.ViewTransform)
        self._follow()

    def _follow(self):
        active = bool(self._get_placeModeEnabled())
        self._place.setChecked(active)
        if active != self._active:
            self._active = active
            emit(self, "activeMarkupsPlaceModeChanged(bool)", active)
            emit(self, "activeMarkupsFiducialPlaceModeChanged(bool)", active)

    def deleteLastPoint(self):
        """Delete the last point."""
        if self._node is not None and self._node.GetNumberOfControlPoints():
            self._node.RemoveNthControlPoint(self._node.GetNumberOfControlPoints() - 1)

    def deleteAllPoints(self):
        """Delete all points."""
        if self._node is not None:
            self._node.RemoveAllControlPoints()


@standin(qSlicerWidget, nodeSelectorVisible=True, optionsVisible=True, enterPlaceModeOnNodeChange=True)
class qSlicerSimpleMarkupsWidget:
    """A point list with its table."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._selector = qMRMLNodeComboBox(self)
        self._selector.nodeTypes = ["vtkMRMLMarkupsFiducialNode"]
        self._selector.noneEnabled = True
        self._placer = qSlicerMarkupsPlaceWidget(self)
        self._rows = QtWidgets.QTableWidget(0, 4, self)
        self._rows.setHorizontalHeaderLabels(["Name", "R", "A", "S"])
        layout = QtWidgets.QVBoxLayout(self)
        for widget in (self._selector, self._placer, self._rows):
            layout.addWidget(widget)
        self._watched: Any = None
        self._selector.connect("currentNodeChanged(vtkMRMLNode*)", self._node_changed)
        self._rows.itemChanged.connect(self._renamed)
        self._filling = False

    def setMRMLScene(self, scene):
        """Show the point lists of a scene."""
        super().setMRMLScene(scene)
        self._selector.setMRMLScene(scene)

    def _node_changed(self, node):
        if self._watched is not None:
            self._watched[0].RemoveObserver(self._watched[1])
        self._watched = (node, node.AddObserver("ModifiedEvent", lambda *_: self._fill())) if node is not None else None
        if node is not None:
            for event in ("PointAddedEvent", "PointRemovedEvent", "PointModifiedEvent"):
                node.AddObserver(getattr(node, event), lambda *_: self._fill())
        self._placer.setCurrentNode(node)
        self._fill()
        emit(self, "markupsNodeChanged()")
        emit(self, "markupsFiducialNodeChanged()")

    def _fill(self):
        node = self._selector.currentNode()
        count = node.GetNumberOfControlPoints() if node is not None else 0
        self._filling = True
        self._rows.setRowCount(count)
        for row in range(count):
            position = node.GetNthControlPointPosition(row)
            texts = [node.GetNthControlPointLabel(row), *(f"{value:.3f}" for value in position)]
            for column, text in enumerate(texts):
                self._rows.setItem(row, column, QtWidgets.QTableWidgetItem(text))
        self._filling = False
        emit(self, "updateFinished()")

    def _renamed(self, item):
        if not self._filling and item.column() == 0:
            self._selector.currentNode().SetNthControlPointLabel(item.row(), item.text())

    def currentNode(self):
        """The point list."""
        return self._selector.currentNode()

    getCurrentNode = currentNode

    def setCurrentNode(self, node):
        """Choose the point list."""
        self._selector.setCurrentNode(node)

    def tableWidget(self):
        """The table of points."""
        return self._rows

    def markupsPlaceWidget(self):
        """The button that starts placing."""
        return self._placer

    def markupsSelectorComboBox(self):
        """The selector of point lists."""
        return self._selector

    def interactionNode(self):
        """The interaction node of the scene."""
        return _application_nodes()[1]

    def setNodeBaseName(self, name):
        """The name of new point lists."""
        self._selector.baseName = name

    def highlightNthControlPoint(self, index):
        """Select a row."""
        self._rows.selectRow(index)

    def placeActive(self, on):
        """Start or end placing."""
        self._placer.setPlaceModeEnabled(on)

    def _after_nodeSelectorVisible(self):
        self._selector.setVisible(stored(self, "nodeSelectorVisible"))

    def _after_defaultNodeColor(self):
        self._placer.setProperty("defaultNodeColor", QtGui.QColor(stored(self, "defaultNodeColor")))
