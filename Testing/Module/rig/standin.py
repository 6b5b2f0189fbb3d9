"""Makes stand-ins for ctk and qMRML widgets out of the table of their real properties, signals and slots.

The table ``widget_api.json`` holds names only, taken from the C++ headers of Slicer and CTK: for each class its base,
``properties`` (name: type), ``signals`` (exact signatures), public ``slots`` and ``methods`` (those that Python can call).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtGui

from .pythonqt import normalized

API: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "widget_api.json").read_text(encoding="utf-8"))

_PYTHON_TYPES = {"bool": bool, "int": int, "double": float, "QString": str}
_ACCEPTED = {
    "bool": (bool, int),
    "int": (int,),
    "double": (float, int),
    "QString": (str,),
    "QStringList": (list, tuple),
}
_DEFAULTS = {"bool": False, "int": 0, "double": 0.0, "QString": "", "QStringList": []}
REGISTRY: dict[str, type] = {}


def facts(name: str, kind: str) -> Any:
    """Facts of one kind about a class, its bases in the table included."""
    merged: Any = {} if kind == "properties" else []
    while name in API:
        found = API[name][kind]
        merged = {**found, **merged} if kind == "properties" else merged + found
        name = API[name]["base"]
    return merged


def standin(base: type, **defaults: Any):
    """Class decorator: turn the behaviour into a Qt class that has every property and signal of the table, and no other.

    A property without code of its own is stored; ``_get_<name>`` and ``_set_<name>`` give it behaviour, ``_after_<name>`` is
    called after each change.
    """

    def build(body: type) -> type:
        name = body.__name__
        namespace: dict[str, Any] = {
            "_rig_standin": True,
            "_rig_defaults": {**getattr(base, "_rig_defaults", {}), **defaults},
            "__module__": body.__module__,
            "__doc__": body.__doc__,
            "_rig_check": staticmethod(_checker(name)),
        }
        namespace["_rig_signals"] = _declare_signals(name, namespace)
        for property_name, type_name in facts(name, "properties").items():
            if not hasattr(base, property_name) or property_name in API[name]["properties"]:
                namespace[property_name] = _property(body, property_name, type_name)
        made = type(name, (body, base), namespace)
        REGISTRY[name] = made
        return made

    return build


def _declare_signals(name: str, namespace: dict[str, Any]) -> dict[str, str]:
    table: dict[str, str] = {}
    for index, signature in enumerate(API[name]["signals"]):
        title, arguments = signature.rstrip(")").split("(")
        types = [_PYTHON_TYPES.get(a, object) for a in arguments.split(",") if a]
        attribute = title if title not in namespace else f"_signal_{index}"
        namespace[attribute] = QtCore.Signal(*types)
        table[normalized(signature)] = attribute
    return table


def _property(body: type, name: str, type_name: str) -> QtCore.Property:
    get = getattr(body, f"_get_{name}", None) or (lambda self: stored(self, name, type_name))
    put = getattr(body, f"_set_{name}", None)
    after = getattr(body, f"_after_{name}", None)

    def setter(self, value):
        if put is not None:
            put(self, value)
        else:
            self.__dict__.setdefault("_values", {})[name] = value
        if after is not None:
            after(self)

    return QtCore.Property(_PYTHON_TYPES.get(type_name, "QVariant"), get, setter)


def stored(self: Any, name: str, type_name: str = "") -> Any:
    """The stored value of a property, or its default."""
    values = self.__dict__.get("_values", {})
    if name in values:
        return values[name]
    return type(self)._rig_defaults.get(name, _DEFAULTS.get(type_name))


def _checker(name: str):
    known = facts(name, "properties")

    def check(property_name: str, value: Any) -> None:
        accepted = _ACCEPTED.get(known.get(property_name, ""))
        if accepted is not None and not isinstance(value, accepted):
            raise ValueError(
                f"property {property_name!r} of {name} is a {known[property_name]} and does not accept "
                f"{type(value).__name__}: {value!r}"
            )

    return check


def emit(widget: Any, signature: str, *arguments: Any) -> None:
    """Emit the signal with exactly this C++ signature."""
    wanted = normalized(signature)
    for cls in type(widget).__mro__:
        attribute = getattr(cls, "_rig_signals", {}).get(wanted)
        if attribute is not None:
            getattr(widget, attribute).emit(*arguments)
            return
    raise ValueError(f"{type(widget).__name__} has no signal {signature!r}")


def has_signal(widget: Any, signature: str) -> bool:
    """Whether a stand-in has the signal."""
    return any(normalized(signature) in getattr(cls, "_rig_signals", {}) for cls in type(widget).__mro__)


def color(value: Any) -> QtGui.QColor:
    """A colour from what a property was given."""
    return QtGui.QColor(value) if value is not None else QtGui.QColor()
