"""Stand-ins for modules: the built-in ones with their real logic, and scripted ones with their panel."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets

from .mrml_widgets import qSlicerWidget
from .standin import emit, standin


class BuiltInModule:
    """``slicer.modules.volumes`` and the like: a name and a real logic."""

    def __init__(self, name: str, logic: Any) -> None:
        self.name, self.title, self.path = name, name, ""
        self._logic = logic

    def logic(self):
        """The real logic."""
        return self._logic


@standin(QtCore.QObject)
class qSlicerModuleManager:
    """The modules by name."""

    def __init__(self):
        super().__init__()
        self._modules: dict[str, Any] = {}

    def module(self, name):
        """A module, or None."""
        return self._modules.get(name)

    def modulesNames(self):
        """The names of the modules."""
        return list(self._modules)

    def factoryManager(self):
        """The factory manager, of which the rig has the names only."""
        return FactoryManager(self._modules)


class FactoryManager:
    """Names of the modules."""

    def __init__(self, modules) -> None:
        self._modules = modules

    def loadedModuleNames(self):
        """The names of the loaded modules."""
        return list(self._modules)

    def isLoaded(self, name):
        """Whether a module is loaded."""
        return name in self._modules


@standin(QtCore.QObject)
class qSlicerScriptedLoadableModule:
    """The ``parent`` that a module class fills in."""

    def __init__(self, path: Path):
        super().__init__()
        self._values = {"name": path.stem, "path": str(path)}
        self._panel: Any = None

    def widgetRepresentation(self):
        """The panel, made when first asked for."""
        if self._panel is None:
            self._panel = qSlicerScriptedLoadableModuleWidget(self.path)
            self._panel.reload()
        return self._panel

    def createNewWidgetRepresentation(self):
        """Another panel."""
        panel = qSlicerScriptedLoadableModuleWidget(self.path)
        panel.reload()
        return panel


@standin(qSlicerWidget)
class qSlicerScriptedLoadableModuleWidget:
    """The panel that a module's widget class fills."""

    def __init__(self, path: str):
        super().__init__()
        QtWidgets.QVBoxLayout(self)
        self._path, self._self = path, None
        self._values = {"moduleName": Path(path).stem, "isEntered": False}
        self.setMRMLScene(slicer.mrmlScene)

    def self(self):
        """The Python widget."""
        return self._self

    def reload(self):
        """Make the Python widget and set it up."""
        class_name = f"{Path(self._path).stem}Widget"
        self._self = getattr(sys.modules[Path(self._path).stem], class_name)(self)
        setattr(slicer.modules, class_name, self._self)
        self._self.setup()

    def enter(self):
        """The user comes to the module."""
        self._values["isEntered"] = True
        if hasattr(self._self, "enter"):
            self._self.enter()

    def exit(self):
        """The user leaves the module."""
        self._values["isEntered"] = False
        if hasattr(self._self, "exit"):
            self._self.exit()


def load(path: Path, manager: qSlicerModuleManager) -> qSlicerScriptedLoadableModule:
    """Load a scripted module as Slicer does at its start."""
    path = Path(path).resolve()
    if str(path.parent) not in sys.path:
        sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    code = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = code
    spec.loader.exec_module(code)
    module = qSlicerScriptedLoadableModule(path)
    instance = getattr(code, path.stem)(module)
    manager._modules[path.stem] = module
    setattr(slicer.modules, path.stem.lower(), module)
    setattr(slicer.modules, f"{path.stem}Instance", instance)
    setattr(slicer.moduleNames, path.stem, path.stem)
    if hasattr(instance, "setup"):
        instance.setup()
    return module


def unload(module: qSlicerScriptedLoadableModule, manager: qSlicerModuleManager) -> None:
    """Take a module away as Slicer does when it quits."""
    name = Path(module.path).stem
    panel = module._panel
    if panel is not None and panel.isEntered:
        panel.exit()
    emit(manager, "moduleAboutToBeUnloaded(QString)", name)
    if panel is not None:
        panel.setParent(None)
        panel.deleteLater()
        module._panel = None
    manager._modules.pop(name, None)
    for attribute in (name.lower(), f"{name}Instance", f"{name}Widget"):
        if hasattr(slicer.modules, attribute):
            delattr(slicer.modules, attribute)
    sys.modules.pop(name, None)
