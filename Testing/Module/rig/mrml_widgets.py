"""Stand-ins for the other qMRML and qSlicer widgets: scene holders, numbers with units, tables."""

from __future__ import annotations

from typing import Any

from PySide6 import QtGui, QtWidgets

from .ctk_numbers import ctkDoubleSpinBox, ctkSliderWidget
from .standin import emit, standin


class _SceneHolder:
    """Keeps a scene and tells those who are connected."""

    _scene: Any = None

    def setMRMLScene(self, scene):
        """Hold the scene and pass it on by the signal."""
        if scene is self._scene:
            return
        self._scene = scene
        emit(self, "mrmlSceneChanged(vtkMRMLScene*)", scene)


@standin(QtWidgets.QWidget)
class qMRMLWidget(_SceneHolder):
    """The top-level widget of a ``.ui`` file: its ``mrmlSceneChanged`` feeds the others."""

    def mrmlScene(self):
        """The scene."""
        return self._scene


@standin(QtWidgets.QWidget)
class qSlicerWidget(_SceneHolder):
    """As qMRMLWidget, for the widgets of modules."""


@standin(ctkSliderWidget)
class qMRMLSliderWidget:
    """A slider with units; the units are not shown here."""

    def setMRMLScene(self, scene):
        """Take the scene, which holds the units."""
        self._scene = scene

    def setQuantity(self, quantity):
        """Set the quantity."""
        self.quantity = quantity


@standin(ctkDoubleSpinBox)
class qMRMLSpinBox:
    """A spin box with units; the units are not shown here."""

    def setMRMLScene(self, scene):
        """Take the scene, which holds the units."""
        self._scene = scene

    def setQuantity(self, quantity):
        """Set the quantity."""
        self.quantity = quantity


@standin(QtWidgets.QTableView)
class qMRMLTableView(_SceneHolder):
    """Shows the cells of a real table node, and follows it."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._table: Any = None
        self._view_node: Any = None
        self._tag = None
        self._cells = QtGui.QStandardItemModel(self)
        self.setModel(self._cells)

    def setMRMLTableNode(self, node):
        """Show a table node, or nothing."""
        if self._table is not None:
            self._table.RemoveObserver(self._tag)
        self._table = node
        if node is not None:
            self._tag = node.AddObserver("ModifiedEvent", lambda *_: self._fill())
        self._fill()

    def mrmlTableNode(self):
        """The table node that is shown."""
        return self._table

    def setMRMLTableViewNode(self, node):
        """Show the table of a view node."""
        self._view_node = node
        self.setMRMLTableNode(node.GetTableNode() if node is not None else None)

    def mrmlTableViewNode(self):
        """The view node."""
        return self._view_node

    def mrmlScene(self):
        """The scene."""
        return self._scene

    def tableModel(self):
        """The model of the cells."""
        return self._cells

    def _fill(self):
        self._cells.clear()
        table = self._table.GetTable() if self._table is not None else None
        if table is None:
            return
        self._cells.setHorizontalHeaderLabels([table.GetColumnName(c) for c in range(table.GetNumberOfColumns())])
        for row in range(table.GetNumberOfRows()):
            items = [QtGui.QStandardItem(self._text(table, row, c)) for c in range(table.GetNumberOfColumns())]
            self._cells.appendRow(items)

    @staticmethod
    def _text(table, row, column):
        value = table.GetValue(row, column)
        return value.ToString() if hasattr(value, "ToString") else str(value)
