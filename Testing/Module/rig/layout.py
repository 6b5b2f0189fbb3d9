"""Stand-ins for the layout manager and its view widgets, which draw the real views."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from .mrml_widgets import qMRMLTableView, qMRMLWidget
from .plot_view import PlotView
from .slice_view import SIZE, SliceView
from .standin import emit, standin


def _paint(widget: QtWidgets.QWidget, pixels) -> None:
    height, width, _ = pixels.shape
    image = QtGui.QImage(pixels.tobytes(), width, height, 3 * width, QtGui.QImage.Format.Format_RGB888)
    painter = QtGui.QPainter(widget)
    painter.drawImage(0, 0, image)
    painter.end()


@standin(QtWidgets.QWidget)
class qMRMLSliceView:
    """Draws a real slice view; its mouse is driven through ``drawn.click``."""

    def __init__(self, view: SliceView):
        super().__init__()
        self._drawn = view
        self.setMinimumSize(120, 120)

    def resizeEvent(self, event):
        """The view has the size of the widget."""
        self._drawn.resize((event.size().width(), event.size().height()))

    def paintEvent(self, event):
        """Draw the view."""
        _paint(self, self._drawn.render())

    def renderWindow(self):
        """The VTK window."""
        return self._drawn.window

    def interactor(self):
        """The VTK interactor."""
        return self._drawn.interactor

    def mrmlSliceNode(self):
        """The slice node."""
        return self._drawn.node

    def forceRender(self):
        """Draw now."""
        self._drawn.render()

    def scheduleRender(self):
        """Draw soon."""
        self.update()

    def displayableManagerByClassName(self, name):
        """One of the displayable managers."""
        return self._drawn.managers.GetDisplayableManagerByClassName(name)

    def convertXYZToRAS(self, xyz):
        """A place of the view in mm."""
        return list(self._drawn.to_ras(xyz[0], xyz[1]))

    def convertRASToXYZ(self, ras):
        """A point in mm as a place of the view."""
        return [*self._drawn.to_display(ras), 0.0]

    def setViewCursor(self, cursor):
        """The pointer over the view."""
        self.setCursor(cursor)

    def unsetViewCursor(self):
        """The usual pointer again."""
        self.unsetCursor()


@standin(qMRMLWidget)
class qMRMLSliceWidget:
    """A slice view with its name in the layout."""

    def __init__(self, node, application_logic):
        super().__init__()
        self._drawn = SliceView(node, application_logic)
        self._view = qMRMLSliceView(self._drawn)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._bar = QtWidgets.QLabel(self)
        self._bar.setAutoFillBackground(True)
        layout.addWidget(self._bar)
        layout.addWidget(self._view, 1)
        self.resize(SIZE[0], SIZE[1])
        self._show_name()
        node.AddObserver("ModifiedEvent", lambda *_: self._show_name())

    def _show_name(self):
        node = self._drawn.node
        palette = self._bar.palette
        palette.setColor(QtGui.QPalette.ColorRole.Window, QtGui.QColor.fromRgbF(*node.GetLayoutColor()))
        self._bar.setPalette(palette)
        self._bar.setText(f" {node.GetLayoutLabel() or node.GetLayoutName()}")

    def _get_sliceViewName(self):
        return self._drawn.node.GetLayoutName()

    def _get_sliceViewLabel(self):
        return self._drawn.node.GetLayoutLabel()

    def _get_sliceOrientation(self):
        return self._drawn.node.GetOrientation()

    def _set_sliceOrientation(self, orientation):
        self._drawn.node.SetOrientation(orientation)

    def setSliceOrientation(self, orientation):
        """Turn the view."""
        self._drawn.node.SetOrientation(orientation)

    def mrmlSliceNode(self):
        """The slice node."""
        return self._drawn.node

    def mrmlSliceCompositeNode(self):
        """The node that says what is shown."""
        return self._drawn.logic.GetSliceCompositeNode(self._drawn.node)

    def mrmlAbstractViewNode(self):
        """The slice node."""
        return self._drawn.node

    def sliceLogic(self):
        """The real slice logic."""
        return self._drawn.logic

    def logic(self):
        """The real slice logic."""
        return self._drawn.logic

    def sliceView(self):
        """The view."""
        return self._view

    def viewWidget(self):
        """The view."""
        return self._view

    def interactorStyle(self):
        """Slicer's own interactor style."""
        return self._drawn.style

    def fitSliceToBackground(self):
        """Fill the view with the background."""
        self._drawn.logic.FitSliceToBackground()


@standin(QtWidgets.QWidget)
class qMRMLPlotView:
    """Draws the chart of a plot view node with VTK."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._drawn = PlotView()
        self._node: Any = None
        self.setMinimumSize(200, 150)

    def setMRMLScene(self, scene):
        """The scene of the node."""
        self._scene = scene
        emit(self, "mrmlSceneChanged(vtkMRMLScene*)", scene)

    def setMRMLPlotViewNode(self, node):
        """Show the chart of this view node."""
        self._node = node

    def fitToContent(self):
        """Show all of the chart."""
        self.update()

    def paintEvent(self, event):
        """Draw the chart."""
        chart = self._node.GetPlotChartNode() if self._node is not None else None
        _paint(self, self._drawn.render(chart, (self.width, self.height)))


@standin(qMRMLWidget)
class qMRMLPlotWidget:
    """A plot view in the layout."""

    def __init__(self, node):
        super().__init__()
        self._view = qMRMLPlotView(self)
        self._view.setMRMLPlotViewNode(node)
        QtWidgets.QVBoxLayout(self).addWidget(self._view)

    def mrmlPlotViewNode(self):
        """The view node."""
        return self._view._node

    def plotView(self):
        """The view."""
        return self._view


@standin(qMRMLWidget)
class qMRMLTableWidget:
    """A table view in the layout."""

    def __init__(self, node):
        super().__init__()
        self._node = node
        self._view = qMRMLTableView(self)
        self._view.setMRMLTableViewNode(node)
        QtWidgets.QVBoxLayout(self).addWidget(self._view)
        node.AddObserver("ModifiedEvent", lambda *_: self._view.setMRMLTableViewNode(node))

    def mrmlTableViewNode(self):
        """The view node."""
        return self._node

    def tableView(self):
        """The view."""
        return self._view


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
            widget.setParent(None)
        if self._arrangement is not None:
            self._arrangement.deleteLater()
        self._arrangement = self._build(ElementTree.fromstring(description))
        self._area.layout().addWidget(self._arrangement)
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
        splitter.setSizes([1000] * splitter.count())
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
        """Names of the slice views in the layout."""
        return [n.GetLayoutName() for n in self._of("vtkMRMLSliceNode", shown_only=True)]

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
