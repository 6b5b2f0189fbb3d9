"""Stand-ins for the widgets of slice, plot and table views, which draw the real views."""

from __future__ import annotations

from typing import Any

from PySide6 import QtGui, QtWidgets

from .mrml_widgets import qMRMLTableView, qMRMLWidget
from .observations import Observations
from .plot_view import PlotView
from .slice_view import SIZE, SliceView
from .standin import emit, standin


def _paint(widget: QtWidgets.QWidget, pixels) -> None:
    height, width, _ = pixels.shape
    image = QtGui.QImage(pixels.tobytes(), width, height, 3 * width, QtGui.QImage.Format.Format_RGB888)
    painter = QtGui.QPainter(widget)
    painter.drawImage(0, 0, image)
    painter.end()


_paused = [0]  # how often drawing was paused


def pause_drawing(on: bool) -> int:
    """Pause drawing, or end one pause; returns how many there are."""
    _paused[0] = max(0, _paused[0] + (1 if on else -1))
    if not _paused[0]:
        for widget in QtWidgets.QApplication.allWidgets():
            if isinstance(widget, qMRMLSliceView):
                widget.update()
    return _paused[0]


@standin(QtWidgets.QWidget)
class qMRMLSliceView:
    """Draws a real slice view; its mouse is driven through ``drawn.click``."""

    def __init__(self, view: SliceView):
        super().__init__()
        self._drawn = view
        self._last = None
        self.setMinimumSize(120, 120)
        self.setUpdatesEnabled(False)  # drawn for pictures alone, and where somebody asks for its pixels

    def resizeEvent(self, event):
        """The view has the size of the widget."""
        self._drawn.resize((event.size().width(), event.size().height()))

    def paintEvent(self, event):
        """Draw the view; while drawing is paused, as it was."""
        if not _paused[0]:
            self._last = self._drawn.render()
        if self._last is not None:
            _paint(self, self._last)

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
        self._observations = Observations()
        self.setMinimumSize(200, 150)
        self.destroyed.connect(self._observations.stop)

    def setMRMLScene(self, scene):
        """The scene of the node."""
        self._scene = scene
        emit(self, "mrmlSceneChanged(vtkMRMLScene*)", scene)

    def setMRMLPlotViewNode(self, node):
        """Show the chart of this view node."""
        self._node = node
        self._follow()

    def _follow(self, *_):
        """Draw again after each change of the view, its chart, or one of its curves and tables."""
        self._observations.stop()
        for node in self._nodes():
            self._observations.add(node, "ModifiedEvent", self._follow)
        self.update()

    def _nodes(self):
        chart = self._node.GetPlotChartNode() if self._node is not None else None
        count = chart.GetNumberOfPlotSeriesNodes() if chart is not None else 0
        series = [chart.GetNthPlotSeriesNode(index) for index in range(count)]
        tables = [one.GetTableNode() for one in series if one is not None]
        return [node for node in (self._node, chart, *series, *tables) if node is not None]

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
