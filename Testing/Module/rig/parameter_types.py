"""How parameters of each type lie in a parameter node, and what values they take."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from functools import cache
from pathlib import Path, PurePath
from typing import Any

import slicer


@dataclasses.dataclass
class Default:
    """The default value of a parameter."""

    value: Any


@dataclasses.dataclass
class Decimals:
    """Number of decimals of the widget."""

    value: int


@dataclasses.dataclass
class SingleStep:
    """Step of the widget."""

    value: float


@dataclasses.dataclass
class Choice:
    """One of these values."""

    choices: list

    def validate(self, value):
        """Refuse another value."""
        if value not in self.choices:
            raise ValueError(f"{value!r} is none of {self.choices}")


@dataclasses.dataclass
class Minimum:
    """At least this."""

    minimum: float

    def validate(self, value):
        """Refuse a smaller value."""
        if value < self.minimum:
            raise ValueError(f"{value} is below {self.minimum}")


@dataclasses.dataclass
class Maximum:
    """At most this."""

    maximum: float

    def validate(self, value):
        """Refuse a larger value."""
        if value > self.maximum:
            raise ValueError(f"{value} is above {self.maximum}")


@dataclasses.dataclass
class WithinRange:
    """Between these, both included."""

    minimum: float
    maximum: float

    def validate(self, value):
        """Refuse a value outside."""
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"{value} is not within {self.minimum} and {self.maximum}")


def base_type(annotation: Any) -> Any:
    """The type without ``Annotated``."""
    return typing.get_args(annotation)[0] if typing.get_origin(annotation) is typing.Annotated else annotation


def extras(annotation: Any) -> tuple:
    """What ``Annotated`` adds to the type."""
    return typing.get_args(annotation)[1:] if typing.get_origin(annotation) is typing.Annotated else ()


@cache
def without_none(kind: Any) -> Any:
    """``T`` for ``T | None`` and for ``T``."""
    if typing.get_origin(kind) in {typing.Union, types.UnionType}:
        parts = [part for part in typing.get_args(kind) if part is not type(None)]
        return parts[0]
    return kind


@cache
def is_node(kind: Any) -> bool:
    """Whether parameters of this type are MRML nodes: of one type, or of those of a ``typing.Union``.

    Slicer connects no ``A | B`` with a selector.
    """
    return bool(node_types(kind))


@cache
def node_types(kind: Any) -> tuple[type, ...]:
    """The types of MRML nodes that a parameter takes; empty where it takes others."""
    parts = _union(kind) or (kind,)
    nodes = tuple(part for part in parts if part is not type(None))
    return nodes if all(isinstance(part, type) and issubclass(part, slicer.vtkMRMLNode) for part in nodes) else ()


def is_stored(node: Any, name: str, kind: Any) -> bool:
    """Whether a parameter node holds this parameter."""
    stored = node.GetParameterNamesAsCommaSeparatedList().split(",")
    return any(key in stored for key in _keys(name, kind))


def _union(kind: Any) -> tuple:
    return typing.get_args(kind) if typing.get_origin(kind) is typing.Union else ()


@cache
def _keys(name: str, kind: Any) -> list[str]:
    """Where Slicer keeps a parameter: each member of a union of nodes has its own place."""
    return [f"{name}.{index}" for index in range(len(_union(kind)))] if is_node(kind) and _union(kind) else [name]


def default_of(cls: type, name: str, annotation: Any) -> Any:
    """The default of a member: its value in the class, its ``Default``, or the empty value of its type."""
    if name in vars(cls):
        return vars(cls)[name]
    given = [extra.value for extra in extras(annotation) if isinstance(extra, Default)]
    if given:
        return given[0]
    kind = base_type(annotation)
    if is_node(kind) or without_none(kind) is not kind:
        return None
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    choices = [extra.choices[0] for extra in extras(annotation) if isinstance(extra, Choice)]
    return choices[0] if choices else (typing.get_origin(kind) or kind)()


def validate(name: str, value: Any, annotation: Any) -> None:
    """Refuse a value of another type, or one that the annotation excludes."""
    kind = base_type(annotation)
    bare = without_none(kind)
    if value is None:
        if (is_node(kind) and not _union(kind)) or bare is not kind:
            return
        raise TypeError(f"parameter {name!r} cannot be None")
    expected = node_types(kind) or (
        (float, int) if bare is float else PurePath if _is_path(bare) else typing.get_origin(bare) or bare
    )
    if not isinstance(value, expected) or (isinstance(value, bool) and bare in {int, float}):
        raise TypeError(
            f"parameter {name!r} takes {getattr(bare, '__name__', bare)}, not {type(value).__name__}: {value!r}"
        )
    for extra in extras(annotation):
        if hasattr(extra, "validate"):
            extra.validate(value)


def _is_path(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, PurePath)


def write(node: Any, name: str, value: Any, kind: Any) -> None:
    """Write a value into a parameter node."""
    bare = without_none(kind)
    if is_node(kind):
        _write_node(node, name, value, kind)
    elif value is None:
        node.SetParameter(name, "None")
    elif isinstance(bare, type) and issubclass(bare, enum.Enum):
        node.SetParameter(name, value.name)
    elif typing.get_origin(bare) is list or bare is list:
        node.SetParameter(name, repr(value))
    else:
        node.SetParameter(name, str(value))


def _write_node(node: Any, name: str, value: Any, kind: Any) -> None:
    key, members = name, _union(kind)
    if members:
        for other in _keys(name, kind):
            node.UnsetParameter(other)
            node.RemoveNodeReferenceIDs(other)
        key = next(key for key, part in zip(_keys(name, kind), members, strict=True) if isinstance(value, part))
    node.SetParameter(key, "True" if members and value is None else "")
    node.SetNodeReferenceID(key, value.GetID() if value is not None else None)


def read(node: Any, name: str, kind: Any) -> Any:
    """Read a value from a parameter node."""
    bare = without_none(kind)
    if is_node(kind):
        found = (node.GetNodeReference(key) for key in _keys(name, kind))
        return next((value for value in found if value is not None), None)
    text = node.GetParameter(name)
    if bare is not kind and text == "None":
        return None
    if bare is bool:
        return text == "True"
    if isinstance(bare, type) and issubclass(bare, enum.Enum):
        return bare[text]
    if typing.get_origin(bare) is list or bare is list:
        import ast

        return ast.literal_eval(text)
    return Path(text) if _is_path(bare) else bare(text)
