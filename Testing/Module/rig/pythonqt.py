"""PySide6 made to behave as PythonQt does inside Slicer.

Every ``QObject`` class gets the attribute rules of PythonQt: a Qt property is an attribute (``label.text`` is a string and
cannot be called), unknown attributes are refused, and ``connect`` takes the exact C++ signature. Where PythonQt and this
differ, this is the stricter one.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from .tooltips import rich

MODULES = (QtCore, QtGui, QtWidgets)
_GETTERS_THAT_STAY = {"isVisible", "isHidden"}  # Slicer's own modules call these
_VIRTUAL = {"sizeHint", "minimumSizeHint"}  # properties that Qt itself looks up as methods: they stay methods here
_original: dict[type, Any] = {}
_properties: dict[type, dict[str, tuple[str, bool]]] = {}


class PythonQtError(AttributeError):
    """The code does what PySide allows and PythonQt does not."""


def install() -> None:
    """Give all ``QObject`` classes of PySide6 the attribute rules of PythonQt. Calling it twice does no harm."""
    for cls in _qobject_classes():
        if cls not in _original:
            _original[cls] = cls.__getattribute__
            _properties[cls] = _read_properties(cls)
    for cls, get in _original.items():
        cls.__getattribute__ = _getter(get)
        cls.__setattr__ = _setter()


def _qobject_classes() -> list[type]:
    found = (getattr(module, name) for module in MODULES for name in dir(module))
    return [item for item in found if inspect.isclass(item) and issubclass(item, QtCore.QObject)]


def is_standin(obj: Any) -> bool:
    """Whether an object is one of the stand-ins for a ctk or qMRML widget."""
    return getattr(type(obj), "_rig_standin", False)


@cache
def _is_derived_in_python(cls: type) -> bool:
    return not cls.__module__.startswith("PySide6") and not getattr(cls, "_rig_standin", False)


def properties_of(cls: type) -> dict[str, tuple[str, bool]]:
    """The Qt properties of a class, those of its bases included: name -> (type name, whether it can be written)."""
    if cls not in _properties:
        inherited: dict[str, tuple[str, bool]] = {}
        for base in reversed(cls.__mro__[1:]):
            inherited.update(_properties.get(base, {}))
        own = {name: ("", True) for name, item in vars(cls).items() if isinstance(item, QtCore.Property)}
        _properties[cls] = {**inherited, **own}
    return _properties[cls]


def _read_properties(cls: type) -> dict[str, tuple[str, bool]]:
    """Read once, before there are objects: PySide loses a class's meta-object with the object that it was asked of."""
    meta = cls.staticMetaObject
    described = (meta.property(index) for index in range(meta.propertyCount()))
    return {item.name(): (item.typeName(), item.isWritable()) for item in described}


def _has_property(obj: Any, name: str) -> bool:
    return name in properties_of(type(obj))


@cache
def _reading(cls: type, name: str) -> str:
    """How PythonQt reads an attribute of a class: "own", "special", "property", "plain", or the property to read instead."""
    if name.startswith("_"):
        return "own"
    if name in _SPECIAL:
        return "special"
    known = properties_of(cls)
    if name not in _VIRTUAL and name in known:
        return "property"
    if name.startswith("is") and name not in _GETTERS_THAT_STAY and len(name) > 2:
        bare = name[2].lower() + name[3:]
        if bare in known:
            return f".{bare}"
    return "plain"


def _getter(original):
    def __getattribute__(self, name):
        reading = _reading(type(self), name)
        if reading == "own":
            return original(self, name)
        if reading == "property":
            return QtCore.QObject.property(self, name)
        if reading == "special":
            return _SPECIAL[name](self, original)
        if reading != "plain":
            raise PythonQtError(f"{type(self).__name__}.{name}(): read the property instead: {reading}")
        try:
            return original(self, name)
        except AttributeError:
            if name.encode() in [bytes(n) for n in QtCore.QObject.dynamicPropertyNames(self)]:
                return QtCore.QObject.property(self, name)
            raise

    return __getattribute__


def _setter():
    def __setattr__(self, name, value):
        if name == "name" and not _has_property(self, "name"):
            name = "objectName"
        if isinstance(value, QtCore.SignalInstance):  # PySide itself keeps the bound signals of an object this way
            self.__dict__[name] = value
        elif _has_property(self, name):
            _set_property(self, name, rich(value) if name == "toolTip" and _is_widget(self) else value)
        elif _is_derived_in_python(type(self)) or (name.startswith("_") and is_standin(self)):
            _store(self, name, value)
        elif hasattr(type(self), name):
            raise PythonQtError(f"method {name!r} of {type(self).__name__} cannot be overwritten")
        else:
            raise PythonQtError(
                f"attribute {name!r} does not exist on {type(self).__name__}, and PythonQt creates no new attributes"
            )

    return __setattr__


def _is_widget(obj: Any) -> bool:
    return isinstance(obj, QtWidgets.QWidget)


@cache
def _described(cls: type, name: str) -> Any:
    return inspect.getattr_static(cls, name, None)


def _store(obj: Any, name: str, value: Any) -> None:
    described = _described(type(obj), name)
    if hasattr(described, "__set__"):
        described.__set__(obj, value)
    else:
        obj.__dict__[name] = value


def _set_property(obj: Any, name: str, value: Any) -> None:
    expected, writable = properties_of(type(obj))[name]
    if not writable:
        raise PythonQtError(f"property {name!r} of {type(obj).__name__} cannot be written")
    check = getattr(type(obj), "_rig_check", None)
    if check is not None:
        check(name, value)
    if expected in {"bool", "QString", "int", "double"} and not isinstance(value, (bool, int, float, str)):
        raise ValueError(f"property {name!r} of type {expected} does not accept {type(value).__name__}: {value!r}")
    if expected != "QString" and isinstance(value, str) and expected in {"bool", "int", "double"}:
        raise ValueError(f"property {name!r} of type {expected} does not accept the text {value!r}")
    if not QtCore.QObject.setProperty(obj, name, value) and not _known_to_return_false(obj, name, value):
        raise ValueError(f"property {name!r} of {type(obj).__name__} ({expected}) does not accept {value!r}")


def _known_to_return_false(obj: Any, name: str, value: Any) -> bool:
    return QtCore.QObject.property(obj, name) == value


@cache
def normalized(signature: str) -> str:
    """A signal's signature as Qt writes it: no spaces, ``const X &`` as ``X``."""
    return QtCore.QMetaObject.normalizedSignature(signature).data().decode()


def find_signal(obj: Any, signature: str) -> Any:
    """The bound signal of an object that has exactly this C++ signature.

    Raises
    ------
    ValueError
        If there is none; the message lists those of that name.
    """
    wanted = normalized(signature)
    for cls in type(obj).__mro__:
        attribute = getattr(cls, "_rig_signals", {}).get(wanted)
        if attribute is not None:
            return getattr(obj, attribute)
    name = wanted.split("(")[0]
    declared = [s for cls in type(obj).__mro__ for s in getattr(cls, "_rig_signals", {}) if s.split("(")[0] == name]
    known = declared or [s for s in _signatures(obj) if s.split("(")[0] == name]
    if declared or wanted not in known:
        raise ValueError(f"{type(obj).__name__} has no signal {signature!r}; of that name: {known or 'none'}")
    return None


_READ_SIGNATURES: dict[tuple[type, str], list[str]] = {}


def _signatures(obj: Any) -> list[str]:
    meta = QtCore.QObject.metaObject(obj)
    key = (type(obj), meta.className())
    if key not in _READ_SIGNATURES:
        methods = (meta.method(index) for index in range(meta.methodCount()))
        signals = (m for m in methods if m.methodType() == QtCore.QMetaMethod.MethodType.Signal)
        _READ_SIGNATURES[key] = [m.methodSignature().data().decode() for m in signals]
    return _READ_SIGNATURES[key]


def _connector(self, original):
    plain = original(self, "connect")

    def connect(signature, *receiver):
        if not isinstance(signature, str) or signature[:1] in "12":
            return plain(signature, *receiver)  # PySide's own way of connecting a bound signal
        slot = _slot(*receiver)
        bound = find_signal(self, signature)
        if bound is None:
            return bool(QtCore.QObject.connect(self, QtCore.SIGNAL(normalized(signature)), slot))
        bound.connect(slot)
        return True

    return connect


def _disconnector(self, original):
    plain = original(self, "disconnect")

    def disconnect(signature, *receiver):
        if not isinstance(signature, str) or signature[:1] in "12":
            return plain(signature, *receiver)
        slot = _slot(*receiver)
        bound = find_signal(self, signature)
        try:
            if bound is None:
                return bool(QtCore.QObject.disconnect(self, QtCore.SIGNAL(normalized(signature)), slot))
            return bool(bound.disconnect(slot))
        except (RuntimeError, TypeError):
            return False  # PythonQt says no and goes on

    return disconnect


def _slot(receiver: Any, slot: Any = None) -> Any:
    if isinstance(slot, str):
        return getattr(receiver, slot.split("(")[0])
    return slot if slot is not None else receiver


def _tooltip_setter(self, original):
    plain = original(self, "setToolTip")
    return (lambda text: plain(rich(text))) if _is_widget(self) else plain


_SPECIAL = {
    "connect": _connector,
    "disconnect": _disconnector,
    "setToolTip": _tooltip_setter,
    "name": lambda self, original: QtCore.QObject.property(
        self, "name" if _has_property(self, "name") else "objectName"
    ),
    "className": lambda self, original: lambda: QtCore.QObject.metaObject(self).className(),
}
