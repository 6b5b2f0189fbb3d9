"""Loads a ``.ui`` file with the stand-ins, and refuses what Slicer would not understand."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from functools import cache
from typing import Any

from PySide6 import QtCore, QtUiTools, QtWidgets

from .pythonqt import find_signal, normalized, properties_of
from .standin import REGISTRY, facts
from .tooltips import make_rich


class UiFileError(AssertionError):
    """The ``.ui`` file names a class, a property, a signal or a slot that does not exist (or that the rig lacks)."""


class UiLoader(QtUiTools.QUiLoader):
    """``qt.QUiLoader`` with the ctk and qMRML classes."""

    def createWidget(self, class_name, parent=None, name=""):
        """Make a widget: a stand-in where the class is one of ctk's or Slicer's."""
        if class_name not in REGISTRY:
            return super().createWidget(class_name, parent, name)
        widget = REGISTRY[class_name](parent)
        widget.setObjectName(name)
        return widget

    def load(self, device, parent=None):
        """Load from an open file, and make the connections of the file."""
        text, held_back, connections = _prepared(bytes(device.readAll()))
        buffer = QtCore.QBuffer(self)
        buffer.setData(text)
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        widget = super().load(buffer, parent)
        if widget is None:
            raise UiFileError(f"Qt could not load the .ui file: {self.errorString()}")
        for name, properties in held_back.items():
            _apply(_named(widget, name), properties)
        for connection in connections:
            _connect(widget, connection)
        make_rich(widget)
        return widget


@cache
def _prepared(
    text: bytes,
) -> tuple[bytes, dict[str, list[ElementTree.Element]], list[tuple[str, str, str, str]]]:
    """A ``.ui`` file that was checked: what Qt's loader gets, what the stand-ins get, and the connections.

    Each test opens the same panel, so that it is kept.
    """
    root = ElementTree.fromstring(text)
    _check_classes(root)
    held_back = _take_properties_of_standins(root)
    connections = _take_connections(root)
    return ElementTree.tostring(root), held_back, connections


def _named(root: QtWidgets.QWidget, name: str) -> QtCore.QObject:
    found = root if root.objectName == name else root.findChild(QtCore.QObject, name)
    if found is None:
        raise UiFileError(f"the .ui file connects {name!r}, and there is no widget of that name")
    return found


def _check_classes(root: ElementTree.Element) -> None:
    for element in root.iter("widget"):
        class_name = element.get("class", "")
        if class_name not in REGISTRY and not hasattr(QtWidgets, class_name):
            raise UiFileError(f"widget {element.get('name')!r} is a {class_name}, which the rig has no stand-in for")


def _take_properties_of_standins(root: ElementTree.Element) -> dict[str, list[ElementTree.Element]]:
    """Enumerations and sets of stand-ins: the loader cannot read them, so they are taken out and applied later."""
    held: dict[str, list[ElementTree.Element]] = {}
    for element in root.iter("widget"):
        class_name = element.get("class", "")
        if class_name not in REGISTRY:
            continue
        for described in list(element.findall("property")):
            name = described.get("name", "")
            dynamic = described.get("stdset") == "0"
            known = name in facts(class_name, "properties") or _is_qt_property(REGISTRY[class_name], name)
            if not known and not dynamic:
                raise UiFileError(f"{class_name} {element.get('name')!r} has no property {name!r}")
            if name in facts(class_name, "properties"):
                element.remove(described)
                held.setdefault(element.get("name", ""), []).append(described)
    return held


def _is_qt_property(cls: type, name: str) -> bool:
    return name in properties_of(cls)


def _apply(widget: Any, properties: list[ElementTree.Element]) -> None:
    for described in properties:
        setattr(widget, described.get("name", ""), _value(widget, described[0]))


def _value(widget: Any, element: ElementTree.Element) -> Any:
    text = element.text or ""
    if element.tag in {"string", "cstring"}:
        return text
    if element.tag == "bool":
        return text.strip() == "true"
    if element.tag in {"number", "double"}:
        return int(text) if element.tag == "number" else float(text)
    if element.tag == "stringlist":
        return [item.text or "" for item in element.findall("string")]
    if element.tag == "color":
        from PySide6 import QtGui

        return QtGui.QColor(*(int(element.findtext(part, "0")) for part in ("red", "green", "blue")))
    if element.tag == "set":
        total = 0
        for name in filter(None, text.split("|")):
            total |= _enumerator(widget, name.strip(), as_number=True)
        return total
    if element.tag == "enum":
        return _enumerator(widget, text, as_number=False)
    raise UiFileError(f"the rig cannot read <{element.tag}> in a .ui file")


def _enumerator(widget: Any, name: str, as_number: bool) -> Any:
    scope, _, member = name.rpartition("::")
    owner = (
        {"Qt": QtCore.Qt}.get(scope)
        or REGISTRY.get(scope)
        or getattr(QtWidgets, scope.split("::")[0], None)
        or type(widget)
    )
    value = getattr(owner, member, None)
    if value is None:
        raise UiFileError(f"{scope or type(widget).__name__} has no enumerator {member!r}")
    return int(getattr(value, "value", value)) if as_number else value


def _take_connections(root: ElementTree.Element) -> list[tuple[str, str, str, str]]:
    parent = root.find("connections")
    if parent is None:
        return []
    found = [tuple(c.findtext(part, "") for part in ("sender", "signal", "receiver", "slot")) for c in parent]
    root.remove(parent)
    return found  # type: ignore[return-value]


def _connect(root: QtWidgets.QWidget, connection: tuple[str, str, str, str]) -> None:
    sender, signal, receiver, slot = connection
    source, target = _named(root, sender), _named(root, receiver)
    method = slot.split("(")[0]
    class_name = type(target).__name__
    is_slot = method in facts(class_name, "slots") or target.metaObject().indexOfSlot(normalized(slot)) >= 0
    if not is_slot or not hasattr(target, method):
        raise UiFileError(f"{class_name} {receiver!r} has no slot {slot!r}")
    try:
        find_signal(source, signal)
    except ValueError as error:
        raise UiFileError(str(error)) from None
    source.connect(signal, getattr(target, method))
