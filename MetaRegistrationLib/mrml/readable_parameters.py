"""The parameters of a scene without the values that this version cannot read: Slicer's parameter nodes raise errors at them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer


def readable_parameters(node: Any, wrapper: type) -> Any:
    """The parameters that a node holds. Values that cannot be read, or are out of range, get their default.

    Parameters
    ----------
    node : vtkMRMLScriptedModuleNode
    wrapper : type
        A class with the decorator `parameterNodeWrapper`.

    Returns
    -------
    wrapper
        Its attribute `replaced` lists the values that were replaced: (str, str), name and text.
    """
    texts = _texts(node, wrapper)
    replaced = [] if _is_readable(texts, wrapper) else [each for each in texts if not _is_readable([each], wrapper)]
    with slicer.util.NodeModify(node):
        for name, _ in replaced:
            node.UnsetParameter(name)
        parameters = wrapper(node)
    parameters.replaced = replaced
    return parameters


def _texts(node: Any, wrapper: type) -> list[tuple[str, str]]:
    """The parameters that are stored as text: those that are nodes are references."""
    stored = set(node.GetParameterNames())
    return [(name, node.GetParameter(name)) for name in wrapper.allParameters if name in stored]


def _is_readable(texts: Sequence[tuple[str, str]], wrapper: type) -> bool:
    """Whether a node with these values can be read, and the values can be set: only then are they asked for their range."""
    node = slicer.vtkMRMLScriptedModuleNode()
    for name, text in texts:
        node.SetParameter(name, text)
    try:
        parameters = wrapper(node)
        for name, text in texts:
            value = getattr(parameters, name)
            if isinstance(value, bool) and text != str(value):  # any other text is read as False
                return False
            if value is not None:
                setattr(parameters, name, value)
    except (ValueError, KeyError, TypeError, SyntaxError):
        return False
    return True
