"""Stand-ins for ``slicer.app`` and the main window."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6 import QtCore, QtWidgets

from . import warm_python
from .standin import standin
from .view_widgets import pause_drawing

VERSION = (5, 13, 0)


@standin(QtWidgets.QApplication)
class qSlicerCoreApplication:
    """The application without a window."""


@standin(qSlicerCoreApplication)
class qSlicerApplication:
    """What ``slicer.app`` gives. Its folders all lie in a temporary one."""

    def __init__(self):
        super().__init__(["Slicer"])
        self.setApplicationName("Slicer")
        self.setApplicationVersion(".".join(map(str, VERSION)))
        self.setOrganizationName("slicer.org")
        self.setOrganizationDomain("slicer.org")
        self._testing = False

    def _use(self, holder, io_manager, module_manager, layout_manager, folder: Path):
        self._holder, self._io, self._modules, self._layouts = holder, io_manager, module_manager, layout_manager
        self._folder = folder
        for name in ("temporary", "settings", "home", "cache"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._values = {
            "slicerHome": str(folder / "home"),
            "temporaryPath": str(folder / "temporary"),
            "cachePath": str(folder / "cache"),
            "slicerUserSettingsFilePath": str(folder / "settings" / "Slicer.ini"),
            "slicerRevisionUserSettingsFilePath": str(folder / "settings" / "Slicer-0.ini"),
            "defaultScenePath": str(folder / "settings"),
            "extensionsInstallPath": str(folder / "settings" / "Extensions"),
            "majorVersion": VERSION[0],
            "minorVersion": VERSION[1],
            "revision": "0",
            "documentationBaseUrl": "https://slicer.readthedocs.io/",
        }
        QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
        QtCore.QSettings.setPath(
            QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope, str(folder / "settings")
        )

    def mrmlScene(self):
        """The scene."""
        return self._holder.scene

    def applicationLogic(self):
        """The application logic."""
        return self._holder.application_logic

    def moduleLogic(self, name):
        """A module's logic."""
        return self._holder.logics.get(name)

    def moduleManager(self):
        """The modules."""
        return self._modules

    def layoutManager(self):
        """The views."""
        return self._layouts

    def coreIOManager(self):
        """Reading and writing."""
        return self._io

    def ioManager(self):
        """Reading and writing."""
        return self._io

    def settings(self):
        """The settings, kept in the temporary folder."""
        return QtCore.QSettings()

    def userSettings(self):
        """The settings, kept in the temporary folder."""
        return QtCore.QSettings()

    def revisionUserSettings(self):
        """The settings, kept in the temporary folder."""
        return QtCore.QSettings()

    def startupEnvironment(self):
        """The environment in which Slicer was started."""
        return QtCore.QProcessEnvironment.systemEnvironment()

    def environment(self):
        """The environment of Slicer."""
        return QtCore.QProcessEnvironment.systemEnvironment()

    def testingEnabled(self):
        """Whether Slicer runs its self-tests, which silences message boxes."""
        return self._testing

    def translate(self, context, text):
        """There is no other language here."""
        return text

    def pauseRender(self):
        """Draw no view until `resumeRender` was called as often; returns how often that is."""
        return pause_drawing(True)

    def resumeRender(self):
        """Draw the views again."""
        return pause_drawing(False)

    def setRenderPaused(self, paused):
        """`pauseRender` or `resumeRender`."""
        return pause_drawing(paused)

    def moduleDocumentationUrl(self, name):
        """Address of a module's page."""
        return f"https://slicer.readthedocs.io/en/latest/user_guide/modules/{name.lower()}.html"

    def restart(self):
        """A test never restarts."""
        raise AssertionError("the module asked Slicer to restart")

    def logUsageEvent(self, component, event):
        """Nothing is counted."""


def put_python_slicer_on_path(folder: Path) -> Path:
    """Write a ``PythonSlicer`` and put it on PATH.

    As Slicer's, it is a launcher: another process than the Python that it starts, which goes on where the launcher is killed. Of
    a Python that was killed, it tells the exit code 1. Commands of the library run in copies of :mod:`.warm_python`.
    """
    launcher = warm_python.launcher(folder, "PythonSlicer")
    parts = os.environ.get("PATH", "").split(os.pathsep)
    os.environ["PATH"] = os.pathsep.join([str(folder), *(p for p in parts if p != str(folder))])
    return launcher


def make_main_window(view_area: QtWidgets.QWidget) -> QtWidgets.QMainWindow:
    """A main window with the module panel at the left and the views beside it."""
    window = QtWidgets.QMainWindow()
    window.setObjectName("qSlicerMainWindow")
    window.setWindowTitle("3D Slicer (stand-in of the test rig)")
    panel = QtWidgets.QScrollArea()
    panel.setObjectName("ModulePanel")
    panel.setWidgetResizable(True)
    dock = QtWidgets.QDockWidget("Module", window)
    dock.setObjectName("PanelDockWidget")
    dock.setWidget(panel)
    window.addDockWidget(QtCore.Qt.DockWidgetArea.LeftDockWidgetArea, dock)
    window.setCentralWidget(view_area)
    window.resize(1280, 800)
    window.resizeDocks([dock], [480], QtCore.Qt.Orientation.Horizontal)
    return window
