"""The flat ``qt`` module of Slicer's Python: all of Qt in one namespace, with dialogs that tests answer."""

from __future__ import annotations

import types

from PySide6 import QtCore, QtGui, QtWidgets

from .dialogs import dialogs
from .pythonqt import MODULES
from .uiloader import UiLoader

_REFUSED = {"Signal", "Slot", "Property", "SIGNAL", "SLOT", "QEnum", "QFlag"}  # PySide's, not PythonQt's


class FileDialog(QtWidgets.QFileDialog):
    """The static functions return what the test prepared: one string (a list for several files), as in PythonQt."""

    @staticmethod
    def getExistingDirectory(parent=None, caption="", directory="", *options):
        """The folder that the test's user chooses; an empty text when the dialog is cancelled."""
        return _path(dialogs.ask("folder", caption, directory=str(directory), parent=parent))

    @staticmethod
    def getOpenFileName(parent=None, caption="", directory="", filter="", *options):
        """The file that the test's user opens."""
        return _path(dialogs.ask("open file", caption, directory=str(directory), filter=filter, parent=parent))

    @staticmethod
    def getOpenFileNames(parent=None, caption="", directory="", filter="", *options):
        """The files that the test's user opens."""
        answer = dialogs.ask("open files", caption, directory=str(directory), filter=filter, parent=parent)
        return [_path(item) for item in answer or []]

    @staticmethod
    def getSaveFileName(parent=None, caption="", directory="", filter="", *options):
        """The file that the test's user saves to."""
        return _path(dialogs.ask("save file", caption, directory=str(directory), filter=filter, parent=parent))


def _path(answer) -> str:
    return "" if answer is None else str(answer)


class InputDialog(QtWidgets.QInputDialog):
    """Only the text comes back, as in PythonQt; an empty one when cancelled."""

    @staticmethod
    def getText(parent, title, label, *more):
        """The text that the test's user types."""
        return _path(dialogs.ask("text", f"{title}: {label}", parent=parent))

    @staticmethod
    def getItem(parent, title, label, items, *more):
        """The item that the test's user picks."""
        return _path(dialogs.ask("item", f"{title}: {label}", items=list(items), parent=parent))


class MessageBox(QtWidgets.QMessageBox):
    """Boxes that inform are recorded, boxes that ask take the test's answer."""

    @staticmethod
    def information(parent, title, text, *more):
        """Record the text."""
        dialogs.tell("information", text, title=title, parent=parent)
        return QtWidgets.QMessageBox.StandardButton.Ok

    @staticmethod
    def warning(parent, title, text, *more):
        """Record the text."""
        dialogs.tell("warning", text, title=title, parent=parent)
        return QtWidgets.QMessageBox.StandardButton.Ok

    @staticmethod
    def critical(parent, title, text, *more):
        """Record the text."""
        dialogs.tell("critical", text, title=title, parent=parent)
        return QtWidgets.QMessageBox.StandardButton.Ok

    @staticmethod
    def question(parent, title, text, *more):
        """Record the text and return the test's answer."""
        return dialogs.ask("question", text, title=title, parent=parent)


class DesktopServices:
    """Opening a folder or a page is recorded, not done."""

    @staticmethod
    def openUrl(url):
        """Record the address."""
        dialogs.tell("open url", url.toString())
        return True


def _exec(self, *args):
    if isinstance(self, QtWidgets.QMessageBox):
        return dialogs.ask("message box", QtCore.QObject.property(self, "text"))
    return dialogs.ask("dialog", QtCore.QObject.property(self, "windowTitle"), dialog=self)


_REPLACED = {
    "QFileDialog": FileDialog,
    "QInputDialog": InputDialog,
    "QMessageBox": MessageBox,
    "QDesktopServices": DesktopServices,
    "QUiLoader": UiLoader,
}


class QtModule(types.ModuleType):
    """Looks names up in QtCore, QtGui and QtWidgets."""

    def __getattr__(self, name):
        if name in _REPLACED:
            return _REPLACED[name]
        if name not in _REFUSED and not name.startswith("__"):
            for module in MODULES:
                if hasattr(module, name):
                    return getattr(module, name)
        raise AttributeError(f"module 'qt' has no attribute {name!r}")


def make() -> QtModule:
    """The module to be put into ``sys.modules['qt']``. A modal dialog never blocks a test."""
    for cls in (QtWidgets.QDialog, QtWidgets.QMessageBox, QtWidgets.QFileDialog, QtWidgets.QInputDialog):
        cls.exec = cls.exec_ = _exec
    QtWidgets.QMenu.exec = QtWidgets.QMenu.exec_ = lambda self, *args: dialogs.ask("menu", self.title)
    QtGui.QDesktopServices.openUrl = staticmethod(DesktopServices.openUrl)
    return QtModule("qt")
