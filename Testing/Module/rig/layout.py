"""Stand-in for the layout manager: shows the views that Slicer's real layout logic asks for."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtWidgets

from .standin import emit, standin
from .view_widgets import qMRMLPlotWidget, qMRMLSliceWidget, qMRMLTableWidget


@standin(QtCore.QObject)
class qMRMLLayoutManager:
    """Shows the views that Slicer's real layout logic asks for."""

    def __init__(self, holder):
        super().__init__()
        self._holder = holder
        self._widgets: dict[Any, QtWidgets.QWidget] = {}
        self._shown: list[Any] = []
        self._arrangement: QtWidgets.QWidget | None = None
        self._logics = vtk.vtkCollection()
        holder.application_logic.SetSliceLogics(self._logics)
        self._area = QtWidgets.QWidget()
        QtWidgets.QVBoxLayout(self._area).setContentsMargins(0, 0, 0, 0)
        self._layout_number = -1
        holder.layout_node.AddObserver("ModifiedEvent", lambda *_: self._arrange())
        holder.layout_node.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        self._arrange()

    def _arrange(self):
        node = self._holder.layout_node
        description = node.GetCurrentLayoutDescription()
        if not description or (node.GetViewArrangement(), description) == self._layout_number:
            return
        self._layout_number = (node.GetViewArrangement(), description)
        self._shown = []
        for widget in self._widgets.values():
            widget.hide()
            widget.setParent(None)
        if self._arrangement is not None:
            self._arrangement.hide()  # until it is deleted, it would take half of the room
            self._arrangement.deleteLater()
        self._arrangement = self._build(ElementTree.fromstring(description))
        self._area.layout().addWidget(self._arrangement)
        self._arrangement.show()
        emit(self, "layoutChanged(int)", node.GetViewArrangement())

    def _build(self, element):
        if element.tag == "view":
            return self._view(element)
        if element.tag == "item":
            return self._build(element[0])
        splitter = QtWidgets.QSplitter()
        vertical = element.get("type", "horizontal") == "vertical"
        splitter.setOrientation(QtCore.Qt.Orientation.Vertical if vertical else QtCore.Qt.Orientation.Horizontal)
        for item in element:
            splitter.addWidget(self._build(item))
        sizes = [item.get("splitSize") for item in element]
        # Without sizes CTK's splitter goes by size hints: a view's is large, that of a row of views small.
        hints = [900 if item[0].tag == "view" else 80 for item in element]
        splitter.setSizes([int(size) for size in sizes] if all(sizes) else hints)
        return splitter

    def _view(self, element):
        class_name, tag = element.get("class"), element.get("singletontag")
        node = self._holder.scene.GetSingletonNode(tag, class_name) if tag else None
        makers = {
            "vtkMRMLSliceNode": lambda n: qMRMLSliceWidget(n, self._holder.application_logic),
            "vtkMRMLPlotViewNode": qMRMLPlotWidget,
            "vtkMRMLTableViewNode": qMRMLTableWidget,
        }
        if node is None or class_name not in makers:
            return QtWidgets.QLabel(f"{class_name} {tag or ''}: not drawn by the rig")
        if node not in self._widgets:
            self._widgets[node] = makers[class_name](node)
        self._shown.append(node)
        widget = self._widgets[node]
        widget.show()
        return widget

    def _of(self, class_name, shown_only=False):
        return [n for n in (self._shown if shown_only else self._widgets) if n.IsA(class_name)]

    def viewport(self):
        """The area with all views."""
        return self._area

    def sliceViewNames(self):
        """Names of all slice views that were ever shown, hidden ones too, as Slicer has it."""
        return [n.GetLayoutName() for n in self._of("vtkMRMLSliceNode")]

    def sliceWidget(self, name):
        """The slice widget of this name, or None."""
        return next((self._widgets[n] for n in self._of("vtkMRMLSliceNode") if n.GetLayoutName() == name), None)

    def plotWidget(self, index):
        """The plot widget at this place, or None."""
        nodes = self._of("vtkMRMLPlotViewNode", shown_only=True)
        return self._widgets[nodes[index]] if index < len(nodes) else None

    def tableWidget(self, index):
        """The table widget at this place, or None."""
        nodes = self._of("vtkMRMLTableViewNode", shown_only=True)
        return self._widgets[nodes[index]] if index < len(nodes) else None

    def threeDWidget(self, index):
        """Three-dimensional views are not drawn here."""
        return None

    def mrmlSliceLogics(self):
        """The slice logics."""
        return self._logics

    def mrmlScene(self):
        """The scene."""
        return self._holder.scene

    def layoutLogic(self):
        """Slicer's real layout logic."""
        return self._holder.layout_logic

    def setLayout(self, number):
        """Show a layout."""
        self._holder.layout_node.SetViewArrangement(number)

    def _get_layout(self):
        return self._holder.layout_node.GetViewArrangement()

    def _set_layout(self, number):
        self.setLayout(number)

    def _get_plotViewCount(self):
        return len(self._of("vtkMRMLPlotViewNode", shown_only=True))

    def _get_tableViewCount(self):
        return len(self._of("vtkMRMLTableViewNode", shown_only=True))

    def resetSliceViews(self):
        """Fit every slice view to what it shows."""
        for node in self._of("vtkMRMLSliceNode"):
            self._widgets[node].fitSliceToBackground()

    def resetThreeDViews(self):
        """There are none."""

    def pauseRender(self):
        """Views are drawn only when they are looked at."""

    def resumeRender(self):
        """Views are drawn only when they are looked at."""


@standin(qMRMLLayoutManager)
class qSlicerLayoutManager:
    """What ``slicer.app.layoutManager()`` gives."""
