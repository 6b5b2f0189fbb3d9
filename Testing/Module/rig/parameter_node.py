"""Our own ``slicer.parameterNodeWrapper``; ``SLICER_SOURCE_DIR`` replaces it by Slicer's real one.

Covers nodes, str, int, float, bool, Path, enumerations, optionals and lists of these; ``Choice``, ``WithinRange``, ``Minimum``,
``Maximum`` and ``Default``. Parameters are written into the node as Slicer writes them, so that either reads the other's scenes.
"""

from __future__ import annotations

import typing
from typing import Any

import vtk

from .parameter_gui import connect_widget
from .parameter_types import (
    Choice,
    Decimals,
    Default,
    Maximum,
    Minimum,
    SingleStep,
    WithinRange,
    base_type,
    default_of,
    is_stored,
    read,
    validate,
    write,
)

__all__ = [
    "Choice",
    "Decimals",
    "Default",
    "Maximum",
    "Minimum",
    "SingleStep",
    "SlicerParameterNamePropertyName",
    "WithinRange",
    "parameterNodeWrapper",
]
SlicerParameterNamePropertyName = "SlicerParameterName"

# Kept, so that an observer that was left behind is an error of its test and not the end of the process.
_CALLBACKS: list[Any] = []


class _Parameter:
    """One annotated member: a descriptor that reads and writes the node."""

    def __init__(self, name: str, annotation: Any, default: Any) -> None:
        self.name, self.annotation, self.default = name, annotation, default
        self.kind = base_type(annotation)

    def __get__(self, wrapper, owner=None):
        if wrapper is None:
            return self
        return read(wrapper.parameterNode, self.name, self.kind)

    def __set__(self, wrapper, value):
        validate(self.name, value, self.annotation)
        wasModifying = wrapper.parameterNode.StartModify()
        try:
            write(wrapper.parameterNode, self.name, value, self.kind)
        finally:
            wrapper.parameterNode.EndModify(wasModifying)


def _init(self, parameterNode, prefix=None):
    self.parameterNode = parameterNode
    self._connections = {}
    self._updating = False
    for parameter in self.allParameters.values():
        if not is_stored(parameterNode, parameter.name, parameter.kind):
            setattr(self, parameter.name, parameter.default)


def _connect_gui(self, gui):
    if hasattr(gui, "isWidgetType"):
        import qt

        widgets = [*gui.findChildren(qt.QWidget)]
    else:
        widgets = list(vars(gui).values())
    named = {
        w.property(SlicerParameterNamePropertyName): w for w in widgets if w.property(SlicerParameterNamePropertyName)
    }
    return _connect_parameters(self, named)


def _connect_parameters(self, mapping):
    for name in mapping:
        if name not in self.allParameters:
            raise ValueError(f"the widget is connected to a parameter {name!r} that does not exist")
    links = {name: connect_widget(widget, self.allParameters[name].annotation) for name, widget in mapping.items()}
    for name, link in links.items():
        link.write(getattr(self, name))
        link.start(lambda name=name, link=link: _from_gui(self, name, link))
    tag = len(self._connections)

    def changed(*_) -> None:
        if self._connections.get(tag) is not links:
            raise RuntimeError("an observer of connectGui is at the node after disconnectGui: Slicer can crash here")
        _to_gui(self)

    _CALLBACKS.append(changed)
    self.AddObserver(vtk.vtkCommand.ModifiedEvent, changed)
    self._connections[tag] = links
    return tag


def _from_gui(self, name, link):
    if not self._updating:
        setattr(self, name, link.read())


def _to_gui(self):
    if self._updating:
        return
    self._updating = True
    try:
        for links in list(self._connections.values()):
            for name, link in links.items():
                link.write(getattr(self, name))
    finally:
        self._updating = False


def _disconnect_gui(self, tag):
    for link in self._connections.pop(tag, {}).values():
        link.stop()
    # Slicer up to 5.10 leaves its observer at the node, where it outlives the callback. The rig leaves it too.


def parameterNodeWrapper(classtype=None):
    """Class decorator: the annotated members are read from and written to the parameter node given to the constructor."""
    if classtype is None:
        return parameterNodeWrapper
    parameters = {}
    for name, annotation in typing.get_type_hints(classtype, include_extras=True).items():
        parameters[name] = _Parameter(name, annotation, default_of(classtype, name, annotation))
        setattr(classtype, name, parameters[name])
    members = {
        "allParameters": parameters,
        "__init__": _init,
        "connectGui": _connect_gui,
        "connectParametersToGui": _connect_parameters,
        "disconnectGui": _disconnect_gui,
        "default": lambda self, name: Default(parameters[name].default),
        "dataType": staticmethod(lambda name: parameters[name].annotation),
        "getValue": lambda self, name: getattr(self, name),
        "setValue": lambda self, name, value: setattr(self, name, value),
        "StartModify": lambda self: self.parameterNode.StartModify(),
        "EndModify": lambda self, previous: self.parameterNode.EndModify(previous),
        "AddObserver": lambda self, event, callback, priority=0.0: self.parameterNode.AddObserver(
            event, callback, priority
        ),
        "RemoveObserver": lambda self, tag: self.parameterNode.RemoveObserver(tag),
        "Modified": lambda self: self.parameterNode.Modified(),
    }
    for name, member in members.items():
        setattr(classtype, name, member)
    return classtype
