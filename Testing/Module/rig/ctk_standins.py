"""Stand-ins for the ctk widgets of registration panels: they behave, they do not look like CTK."""

from __future__ import annotations

from pathlib import Path

from PySide6 import QtCore, QtGui, QtWidgets

from .file_dialog import file_dialog
from .standin import emit, standin, stored

_EXPLICIT = QtCore.Qt.WidgetAttribute.WA_WState_ExplicitShowHide


def _hidden_by_the_module(widget) -> bool:
    """Whether a widget was hidden by a call, and not by the section around it."""
    return widget.isHidden() and widget.testAttribute(_EXPLICIT)


@standin(QtWidgets.QAbstractButton, contentsFrameShape=0)
class ctkCollapsibleButton:
    """A header that hides and shows what lies under it."""

    _HEADER = 24

    def __init__(self, *args):
        parent = args[-1] if args and not isinstance(args[-1], str) else None
        super().__init__(parent)
        self.setCheckable(True)
        self.setChecked(True)
        self.setContentsMargins(0, self._HEADER, 0, 0)
        if args and isinstance(args[0], str):
            self.setText(args[0])
        self.toggled.connect(lambda on: setattr(self, "collapsed", not on))

    def _set_collapsed(self, collapsed):
        if collapsed == stored(self, "collapsed", "bool"):
            return
        self.__dict__.setdefault("_values", {})["collapsed"] = bool(collapsed)
        self.setChecked(not collapsed)
        self._show_contents(not collapsed)
        emit(self, "contentsCollapsed(bool)", bool(collapsed))

    def _show_contents(self, visible):
        """Hide or show the children; as in CTK's, one that the module hid stays hidden, also if it did so meanwhile."""
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget) and not _hidden_by_the_module(child):
                child.setVisible(visible)
                child.setAttribute(_EXPLICIT, False)
        self.setMaximumHeight(16777215 if visible else self._HEADER)
        self.updateGeometry()

    def childEvent(self, event):
        """A widget that arrives while the button is collapsed stays hidden."""
        super().childEvent(event)
        child = event.child()
        if event.added() and stored(self, "collapsed", "bool") and child.isWidgetType():
            child.setVisible(False)
            child.setAttribute(_EXPLICIT, False)

    def hitButton(self, position):
        """Only the header is a button."""
        return position.y() < self._HEADER

    def sizeHint(self):
        """Size of the header, and of the contents when they show."""
        layout = self.layout()
        hint = (
            layout.totalSizeHint()
            if layout is not None and not stored(self, "collapsed", "bool")
            else QtCore.QSize(200, 0)
        )
        return QtCore.QSize(max(200, hint.width()), max(hint.height(), self._HEADER))

    def minimumSizeHint(self):
        """As narrow as the contents allow."""
        layout = self.layout()
        narrow = layout is not None and not stored(self, "collapsed", "bool")
        width = layout.totalMinimumSize().width() if narrow else 200
        return QtCore.QSize(width, self.sizeHint().height())

    def paintEvent(self, event):
        """Draw the header: an arrow and the text."""
        painter = QtGui.QPainter(self)
        header = QtCore.QRect(0, 0, self.width, self._HEADER - 4)
        painter.fillRect(header, self.palette.color(QtGui.QPalette.ColorRole.Button).darker(106))
        arrow = "▸" if stored(self, "collapsed", "bool") else "▾"
        text = self.property("text").replace("&&", "&")
        painter.drawText(header.adjusted(6, 0, 0, 0), QtCore.Qt.AlignmentFlag.AlignVCenter, f"{arrow} {text}")
        painter.end()


@standin(QtWidgets.QGroupBox)
class ctkCollapsibleGroupBox:
    """A group box that hides its contents."""

    def _after_collapsed(self):
        for child in self.children():
            if isinstance(child, QtWidgets.QWidget):
                child.setVisible(not stored(self, "collapsed", "bool"))


@standin(QtWidgets.QCheckBox)
class ctkCheckBox:
    """A check box."""


@standin(QtWidgets.QPushButton)
class ctkPushButton:
    """A push button with alignments."""


@standin(ctkPushButton)
class ctkCheckablePushButton:
    """A push button with a check box in it."""


@standin(QtWidgets.QPushButton)
class ctkMenuButton:
    """A push button with a menu beside it."""


@standin(QtWidgets.QToolButton)
class ctkExpandButton:
    """A small arrow."""


@standin(QtWidgets.QLineEdit)
class ctkSearchBox:
    """A line edit for searching."""


@standin(QtWidgets.QTextBrowser)
class ctkFittedTextBrowser:
    """A text browser as high as its text."""

    def setCollapsibleText(self, text):
        """Show the text."""
        self.setText(text)


@standin(QtWidgets.QComboBox)
class ctkComboBox:
    """A combo box with a default text."""

    def _get_currentUserDataAsString(self):
        data = self.property("currentData")
        return "" if data is None else str(data)

    def _set_currentUserDataAsString(self, value):
        self.setCurrentIndex(self.findData(value))

    def setCurrentUserDataAsString(self, value):
        """Choose the item that carries this data."""
        self._set_currentUserDataAsString(value)

    def _after_defaultText(self):
        self.setPlaceholderText(stored(self, "defaultText"))


@standin(QtWidgets.QWidget, filters=0, showBrowseButton=True, showHistoryButton=True)
class ctkPathLineEdit:
    """A line for a path, with a button that opens a file dialog."""

    Dirs, Files, Drives, NoSymLinks, Readable, Writable, Executable = 1, 2, 4, 8, 16, 32, 64
    Hidden, NoDot, NoDotDot, NoDotAndDotDot = 0x100, 0x2000, 0x4000, 0x1000
    ShowDirsOnly, DontResolveSymlinks, DontConfirmOverwrite, DontUseNativeDialog = 1, 2, 4, 16
    AdjustToContents, AdjustToContentsOnFirstShow, AdjustToMinimumContentsLength = 0, 1, 2

    def __init__(self, parent=None):
        super().__init__(parent)
        self._combo = QtWidgets.QComboBox(self)
        self._combo.setEditable(True)
        self._button = QtWidgets.QToolButton(self)
        self._button.setText("…")
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo, 1)
        layout.addWidget(self._button)
        self._valid = False
        self._combo.editTextChanged.connect(self._changed)
        self._button.clicked.connect(lambda: self.browse())

    def _get_currentPath(self):
        return self._combo.property("currentText")

    def _set_currentPath(self, path):
        self._combo.setEditText(path)

    def setCurrentPath(self, path):
        """Put a path into the line."""
        self._rig_check("currentPath", path)
        self._set_currentPath(path)

    def comboBox(self):
        """The combo box inside, which keeps the history."""
        return self._combo

    def addCurrentPathToHistory(self):
        """Keep the path in the history; as in CTK's, one that is in it is taken out first, and the line tells of it."""
        path = self._get_currentPath()
        if not path:
            return
        history = [path, *(known for known in self._history() if known != path)]
        QtCore.QSettings().setValue(self._key(), history)
        index = self._combo.findText(path)
        if index >= 0:
            self._combo.removeItem(index)
        self._combo.insertItem(0, path)
        self._combo.setCurrentIndex(0)

    def _key(self):
        return f"ctkPathLineEdit/{stored(self, 'settingKey', 'QString')}"

    def _history(self):
        found = QtCore.QSettings().value(self._key()) or []
        return [found] if isinstance(found, str) else list(found)

    def _after_settingKey(self):
        """Another key brings another history, of which CTK's line shows the latest."""
        path, blocked = self._get_currentPath(), self._combo.blockSignals(True)
        self._combo.clear()
        self._combo.addItems(self._history())
        self._combo.setEditText(path)
        self._combo.blockSignals(blocked)
        if not path and self._combo.count:
            self._combo.setCurrentIndex(-1)
            self._combo.setCurrentIndex(0)

    def browse(self):
        """Open a file dialog as the filters say. Qt runs meanwhile."""
        filters = int(stored(self, "filters") or 0)
        kind = "folder" if not filters & self.Files else "save file" if filters & self.Writable else "open file"
        answer = file_dialog(self, kind, stored(self, "label", "QString"), stored(self, "nameFilters"))
        if answer:
            self._set_currentPath(answer)

    def _after_showBrowseButton(self):
        self._button.setVisible(stored(self, "showBrowseButton"))

    def _changed(self, path):
        exists = bool(path) and Path(path).exists()
        if exists != self._valid:
            self._valid = exists
            emit(self, "validInputChanged(bool)", exists)
        if path:  # as the real one: a line that was emptied tells that it is not valid, and no path
            emit(self, "currentPathChanged(QString)", path)


@standin(QtWidgets.QWidget)
class ctkDirectoryButton:
    """A button that shows a folder and asks for another one."""

    def __init__(self, *args):
        super().__init__(args[-1] if args and not isinstance(args[-1], str) else None)
        self._button = QtWidgets.QPushButton(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._button)
        self._button.clicked.connect(lambda: self.browse())

    def _set_directory(self, path):
        if path == stored(self, "directory"):
            return
        self.__dict__.setdefault("_values", {})["directory"] = path
        self._button.setText(path)
        emit(self, "directoryChanged(QString)", path)

    def browse(self):
        """Ask for a folder."""
        answer = file_dialog(self, "folder", stored(self, "caption", "QString"))
        if answer:
            self._set_directory(answer)
            emit(self, "directorySelected(QString)", answer)


@standin(QtWidgets.QMessageBox)
class ctkMessageBox:
    """A message box that can be told not to show again."""
