"""Connections between parameters and widgets: which widget shows which type, as in Slicer."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctk
import qt
import slicer

from .parameter_types import (
    Choice,
    Decimals,
    Maximum,
    Minimum,
    SingleStep,
    WithinRange,
    base_type,
    extras,
    is_node,
    node_types,
    without_none,
)


@dataclasses.dataclass
class Link:
    """Reads and writes one widget, and tells when the user changes it."""

    widget: Any
    signal: str
    read: Callable[[], Any]
    write: Callable[[Any], None]
    _slot: Any = None

    def start(self, callback: Callable[[], None]) -> None:
        """Call back at each change."""
        self._slot = lambda *_: callback()
        if self.signal:
            getattr(self.widget, self.signal).connect(self._slot)

    def stop(self) -> None:
        """Call back no more."""
        if self.signal and self._slot is not None:
            getattr(self.widget, self.signal).disconnect(self._slot)
        self._slot = None


def connect_widget(widget: Any, annotation: Any) -> Link:
    """The link of a widget with a parameter of this type.

    Raises
    ------
    RuntimeError
        If Slicer has no such connection.
    """
    kind, cls = base_type(annotation), type(widget)
    if is_node(kind) and cls is slicer.qMRMLNodeComboBox:
        # As Slicer does: so the types are those of the parameter, and none of them may be an abstract class.
        widget.nodeTypes = [node_type().GetClassName() for node_type in node_types(kind)]
        return Link(widget, "currentNodeChanged", widget.currentNode, widget.setCurrentNode)
    for makes in (_choice, _number, _simple):
        link = makes(widget, cls, without_none(kind), annotation)
        if link is not None:
            return link
    raise RuntimeError(f"Slicer connects no parameter of type {kind} with a {cls.__name__}")


def _choice(widget, cls, kind, annotation) -> Link | None:
    if cls not in {qt.QComboBox, ctk.ctkComboBox}:
        return None
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        values = list(kind)
        labels = [kind.label(e) if hasattr(kind, "label") else e.name for e in values]
    else:
        found = [extra for extra in extras(annotation) if isinstance(extra, Choice)]
        if not found:
            raise RuntimeError("a combo box needs an enumeration or a Choice annotation")
        values = list(found[0].choices)
        labels = [str(value) for value in values]
    widget.clear()
    widget.addItems(labels)
    return Link(
        widget,
        "currentIndexChanged",
        lambda: values[widget.currentIndex],
        lambda value: setattr(widget, "currentIndex", values.index(value)),
    )


def _number(widget, cls, kind, annotation) -> Link | None:
    floats = {
        qt.QDoubleSpinBox,
        ctk.ctkSliderWidget,
        slicer.qMRMLSliderWidget,
        ctk.ctkDoubleSlider,
        ctk.ctkDoubleSpinBox,
        slicer.qMRMLSpinBox,
    }
    integer = kind is int and cls in {qt.QSpinBox, qt.QSlider}
    if not integer and not (kind in {int, float} and cls in floats):
        return None
    if not integer and kind is int and cls is not ctk.ctkDoubleSlider:
        widget.decimals = 0
    bounds = _apply_annotations(widget, annotation)
    if bounds < 2 and cls in {ctk.ctkSliderWidget, slicer.qMRMLSliderWidget, qt.QSlider}:
        raise RuntimeError("a slider needs a parameter with a minimum and a maximum")
    return Link(widget, "valueChanged", lambda: kind(widget.value), lambda value: setattr(widget, "value", kind(value)))


def _apply_annotations(widget, annotation) -> int:
    bounds = 0
    for extra in extras(annotation):
        if isinstance(extra, (WithinRange, Minimum)):
            widget.minimum, bounds = extra.minimum, bounds + 1
        if isinstance(extra, (WithinRange, Maximum)):
            widget.maximum, bounds = extra.maximum, bounds + 1
        if isinstance(extra, Decimals):
            widget.decimals = extra.value
        if isinstance(extra, SingleStep):
            widget.singleStep = extra.value
    return bounds


def _simple(widget, cls, kind, annotation) -> Link | None:
    def attribute(name: str, signal: str, out: Callable = lambda v: v, into: Callable = lambda v: v) -> Link:
        def put(value):
            if out(getattr(widget, name)) != value:  # else typing moves the cursor
                setattr(widget, name, into(value))

        return Link(widget, signal, lambda: out(getattr(widget, name)), put)

    if kind is bool and cls in {qt.QCheckBox, ctk.ctkCheckBox}:
        return attribute("checked", "stateChanged")
    if kind is bool and cls is qt.QPushButton:
        widget.checkable = True
        return attribute("checked", "toggled")
    if kind is str and cls is qt.QLineEdit:
        return attribute("text", "textChanged")
    if kind is str and cls is qt.QLabel:
        return attribute("text", "")
    if kind is str and cls is qt.QTextEdit:
        return Link(widget, "textChanged", widget.toPlainText, widget.setPlainText)
    if kind in {Path} and cls is ctk.ctkPathLineEdit:
        return attribute("currentPath", "currentPathChanged", Path, str)
    if kind in {Path} and cls is ctk.ctkDirectoryButton:
        return attribute("directory", "directoryChanged", Path, str)
    return None
