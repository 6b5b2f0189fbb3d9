"""Starts the rig: everything that ``import slicer``, ``qt`` and ``ctk`` give inside Slicer."""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

from . import log
from .dialogs import dialogs

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("MPLBACKEND", "Agg")  # matplotlib must not choose Qt because it is there
if not os.environ.get("VTK_DEFAULT_OPENGL_WINDOW") and sys.platform.startswith("linux"):
    os.environ["VTK_DEFAULT_OPENGL_WINDOW"] = "vtkEGLRenderWindow"

_PLACEHOLDERS = {
    "ctk": ("ctkDoubleRangeSlider", "ctkColorPickerButton", "ctkVTKChartView"),
    "slicer": ("qMRMLRangeWidget", "qMRMLSubjectHierarchyComboBox", "qMRMLSegmentSelectorWidget", "qSlicerFileDialog"),
}

HANG_S = 600.0
"""Seconds after which something that is waited for hangs. No test says how fast anything is."""


class Rig:
    """A started rig. There is one in a process: see :func:`start`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="slicer-rig-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.dialogs = dialogs
        self.log_errors = log.errors
        _install_qt()
        import slicer

        self.slicer = slicer
        slicer.modules = _module("slicer.modules")
        slicer.moduleNames = _module("slicer.moduleNames")
        from .application import make_main_window, put_python_slicer_on_path, qSlicerApplication
        from .io_manager import IOManager
        from .scene import SceneHolder

        self.app = qSlicerApplication()
        slicer.app = self.app
        self.holder = SceneHolder(self.folder)
        slicer.mrmlScene = self.scene = self.holder.scene
        _publish_standins(slicer)
        from .layout import qSlicerLayoutManager
        from .modules import BuiltInModule, qSlicerModuleManager

        self.modules = qSlicerModuleManager()
        self.layout_manager: Any = None
        self.app._use(self.holder, IOManager(self.holder), self.modules, None, self.folder)
        self.layout_manager = qSlicerLayoutManager(self.holder)
        self.app._layouts = self.layout_manager
        for name, logic in self.holder.logics.items():
            module = BuiltInModule(name, logic)
            self.modules._modules[name] = module
            setattr(slicer.modules, name.lower(), module)
            setattr(slicer.moduleNames, name, name)
        _install_slicer_python(slicer)
        _install_dialogs(slicer, self.app)
        self.main_window = make_main_window(self.layout_manager.viewport())
        put_python_slicer_on_path(self.folder / "bin")
        self._open: list[Any] = []
        self._fresh_at: int | None = None
        self.main_window.show()  # Slicer's window stands before any module is opened
        self._panel_area().setUpdatesEnabled(
            False
        )  # panel and slices are drawn for pictures alone: a tenth of the tests' time

    # What tests do.

    def open_module(self, path: Path | str) -> Any:
        """Load a scripted module, open its panel in the main window, and return its Python widget."""
        from . import modules

        module = modules.load(Path(path), self.modules)
        self._open.append(module)
        panel = module.widgetRepresentation()
        self._panel_area().setWidget(panel)
        self.main_window.show()
        panel.show()
        panel.enter()
        self.process_events()
        return panel.self()

    def open_sample_data(self) -> Any:
        """Go to the module *Sample Data*; its panel, with a tool button named `<sample>PushButton` for each data set."""
        from . import sample_data

        self._leave()
        panel = sample_data.panel()
        self._panel_area().setWidget(panel)
        panel.show()
        self.process_events()
        return panel

    def return_to_module(self, name: str) -> Any:
        """Go back to a module that is open; its Python widget."""
        self._leave()
        panel = next(m for m in self._open if m.name == name).widgetRepresentation()
        self._panel_area().setWidget(panel)
        panel.show()
        panel.enter()
        self.process_events()
        return panel.self()

    def _leave(self) -> None:
        """Leave the module whose panel is shown; a module keeps its panel."""
        shown = self._panel_area().takeWidget()
        if shown is not None and any(shown is module._panel for module in self._open):
            shown.exit()
            shown.setParent(None)

    def close_module(self, name: str) -> None:
        """Take a module away, as when Slicer quits."""
        from . import modules

        module = next(m for m in self._open if m.name == name)
        self._open.remove(module)
        if module._panel is not None and self._panel_area().widget() is module._panel:
            self._panel_area().takeWidget()
        modules.unload(module, self.modules)
        self.process_events()

    def _panel_area(self):
        from PySide6 import QtWidgets

        return self.main_window.findChild(QtWidgets.QScrollArea, "ModulePanel")

    def emit_startup_completed(self) -> None:
        """Tell the modules that Slicer has started."""
        from .standin import emit

        emit(self.app, "startupCompleted()")

    def slice_view(self, name: str):
        """The real slice view of this name (Red, Yellow, Green, ...), with ``click_at(ras)`` and ``save(path)``."""
        return self.layout_manager.sliceWidget(name)._drawn

    def process_events(self) -> None:
        """Let Qt do what is due, deletions included."""
        from PySide6 import QtCore

        self.app.processEvents()
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)

    def wait_until(self, condition, what: str = "") -> None:
        """Let Qt run until a condition holds; fails after `HANG_S` seconds, which only something that hangs takes."""
        import time

        end, pause = time.monotonic() + HANG_S, 0.002
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited {HANG_S:.0f} s in vain {what}")
            self.process_events()
            time.sleep(pause)
            pause = min(1.1 * pause, 0.03)  # children need the processor more than this loop does

    def screenshot(self, widget: Any, name: str, width: int = 480) -> Path:
        """Photograph a widget into the output folder."""
        from .pictures import OUTPUT, photograph

        return photograph(widget, OUTPUT / f"{name}.png", width)

    def screenshot_window(self, name: str, size: tuple[int, int] = (1280, 800)) -> Path:
        """Photograph the main window with panel and views into the output folder."""
        from .pictures import OUTPUT, save_picture

        self.main_window.resize(*size)
        self.main_window.show()
        self.process_events()
        return save_picture(self.main_window, OUTPUT / f"{name}.png")

    @property
    def is_fresh(self) -> bool:
        """Whether nothing was added to the scene or taken from it since the last reset."""
        return self._fresh_at == self.scene.GetMTime()

    def reset(self) -> None:
        """Close modules and scene, and forget dialogs, settings and sample data."""
        self.restart()
        self._fresh_at = self.scene.GetMTime()
        self.app.settings().clear()
        self.app._testing = False
        self.dialogs.clear()
        self.log_errors.clear()

    def restart(self) -> None:
        """Quit and start again: modules and scene are gone, settings and so the histories of path lines stay."""
        for module in list(self._open):
            self.close_module(module.name)
        interaction = self.holder.application_logic.GetInteractionNode()
        interaction.SetCurrentInteractionMode(interaction.ViewTransform)
        self.scene.Clear(0)
        self.layout_manager.setLayout(self.slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        if "SampleData" in sys.modules:
            sys.modules["SampleData"].clear()
        self.process_events()


def _module(name: str) -> types.ModuleType:
    module = types.ModuleType(name.split(".")[-1])
    sys.modules[name] = module
    return module


def _install_qt() -> None:
    from . import pythonqt, qt_module

    pythonqt.install()
    sys.modules["qt"] = qt_module.make()
    sys.modules.setdefault("ctk", types.ModuleType("ctk"))


def _placeholder(name: str) -> type:
    def refuse(self, *args, **kwargs):
        raise TypeError(f"the rig has no stand-in for {name}")

    return type(name, (), {"__init__": refuse})


def _publish_standins(slicer: Any) -> None:
    for module in (
        "ctk_standins",
        "ctk_numbers",
        "node_selector",
        "mrml_widgets",
        "markups_widgets",
        "layout",
        "modules",
    ):
        importlib.import_module(f"{__package__}.{module}")
    from .standin import REGISTRY

    spaces = {"ctk": sys.modules["ctk"], "slicer": slicer}
    for name, cls in REGISTRY.items():
        setattr(spaces["ctk" if name.startswith("ctk") else "slicer"], name, cls)
    for space, names in _PLACEHOLDERS.items():
        for name in names:
            if not hasattr(spaces[space], name):
                setattr(spaces[space], name, _placeholder(name))


def _install_slicer_python(slicer: Any) -> None:
    """``slicer.ScriptedLoadableModule``, ``slicer.parameterNodeWrapper``, ``slicer.i18n``: Slicer's own, or ours."""
    source = os.environ.get("SLICER_SOURCE_DIR")
    if source:
        folder = Path(source) / "Base" / "Python" / "slicer"
        if not (folder / "ScriptedLoadableModule.py").is_file():
            raise FileNotFoundError(f"SLICER_SOURCE_DIR has no Base/Python/slicer: {source}")
        slicer.__path__.append(str(folder))
        for name in ("i18n", "ScriptedLoadableModule", "parameterNodeWrapper"):
            setattr(slicer, name, importlib.import_module(f"slicer.{name}"))
    else:
        ours = {"i18n": "i18n", "ScriptedLoadableModule": "scripted_module", "parameterNodeWrapper": "parameter_node"}
        for name, file in ours.items():
            module = importlib.import_module(f"{__package__}.{file}")
            sys.modules[f"slicer.{name}"] = module
            setattr(slicer, name, module)
    sys.modules["SampleData"] = importlib.import_module(f"{__package__}.sample_data")


def _install_dialogs(slicer: Any, app: Any) -> None:
    from PySide6.QtWidgets import QMessageBox

    ask = QMessageBox.StandardButton.Cancel | QMessageBox.StandardButton.No | QMessageBox.StandardButton.Retry

    def message_box(text, parent=None, **kwargs):
        buttons = kwargs.get("standardButtons")
        if buttons is not None and buttons & ask:
            return dialogs.ask("question", text, **kwargs)
        kind = {QMessageBox.Icon.Warning: "warning", QMessageBox.Icon.Critical: "error"}.get(
            kwargs.get("icon"), "message"
        )
        dialogs.tell(kind, text, **kwargs)
        return QMessageBox.StandardButton.Ok

    def delay_display(message, autoCloseMsec=1000, parent=None, **kwargs):
        dialogs.tell("delay display", message)
        app.processEvents()

    for name, function in (("messageBox", message_box), ("delayDisplay", delay_display)):
        setattr(slicer.util, name, function)
        setattr(slicer, name, function)


_started: list[Rig] = []


def start() -> Rig:
    """The rig, started at the first call."""
    if not _started:
        _started.append(Rig())
    return _started[0]
