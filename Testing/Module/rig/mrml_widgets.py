"""Stand-ins for the other qMRML and qSlicer widgets: scene holders, numbers with units, tables."""

from __future__ import annotations

from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from .ctk_numbers import ctkDoubleSpinBox, ctkSliderWidget
from .standin import emit, standin


class _SceneHolder:
    """Keeps a scene and tells those who are connected."""

    _scene: Any = None

    def setMRMLScene(self, scene):  # noqa: N802
        """Hold the scene and pass it on by the signal."""
        if scene is self._scene:
            return
        self._scene = scene
        emit(self, "mrmlSceneChanged(vtkMRMLScene*)", scene)

    def mrmlScene(self):  # noqa: N802
        """The scene."""
        return self._scene


@standin(QtWidgets.QWidget)
class qMRMLWidget(_SceneHolder):  # noqa: N801
    """The top-level widget of a ``.ui`` file: its ``mrmlSceneChanged`` feeds the others."""


@standin(QtWidgets.QWidget)
class qSlicerWidget(_SceneHolder):  # noqa: N801
    """As qMRMLWidget, for the widgets of modules."""


@standin(ctkSliderWidget)
class qMRMLSliderWidget:  # noqa: N801
    """A slider with units; the units are not shown here."""

    def setMRMLScene(self, scene):  # noqa: N802
        """Take the scene, which holds the units."""
        self._scene = scene

    def setQuantity(self, quantity):  # noqa: N802
        """Set the quantity."""
        self.quantity = quantity


@standin(ctkDoubleSpinBox)
class qMRMLSpinBox:  # noqa: N801
    """A spin box with units; the units are not shown here."""

    def setMRMLScene(self, scene):  # noqa: N802
        """Take the scene, which holds the units."""
        self._scene = scene

    def setQuantity(self, quantity):  # noqa: N802
        """Set the quantity."""
        self.quantity = quantity


@standin(QtWidgets.QTableView)
class qMRMLTableView(_SceneHolder):  # noqa: N801
    """Shows the cells of a real table node, and follows it."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._table: Any = None
        self._view_node: Any = None
        self._tag = None
        self._cells = QtGui.QStandardItemModel(self)
        self.setModel(self._cells)
        self.destroyed.connect(lambda: None)

    def setMRMLTableNode(self, node):  # noqa: N802
        """Show a table node, or nothing."""
        if self._table is not None:
            self._table.RemoveObserver(self._tag)
        self._table = node
        if node is not None:
            self._tag = node.AddObserver("ModifiedEvent", lambda *_: self._fill())
        self._fill()

    def mrmlTableNode(self):  # noqa: N802
        """The table node that is shown."""
        return self._table

    def setMRMLTableViewNode(self, node):  # noqa: N802
        """Show the table of a view node."""
        self._view_node = node
        self.setMRMLTableNode(node.GetTableNode() if node is not None else None)

    def mrmlTableViewNode(self):  # noqa: N802
        """The view node."""
        return self._view_node

    def tableModel(self):  # noqa: N802
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


def header_texts(view: QtWidgets.QTableView) -> list[str]:
    """The column titles that a table view shows."""
    model = view.model()
    role = QtCore.Qt.ItemDataRole.DisplayRole
    return [str(model.headerData(c, QtCore.Qt.Orientation.Horizontal, role)) for c in range(model.columnCount())]
