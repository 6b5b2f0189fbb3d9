"""Notices when a node changes at all."""

from __future__ import annotations

from collections.abc import Callable

import vtk


class NodeWatch:
    """Calls a function after every change of a node.

    Parameters
    ----------
    node : vtkMRMLNode
    changed : callable without arguments
    """

    def __init__(self, node, changed: Callable[[], None]) -> None:
        self._node = node
        self._tag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda caller, event: changed())

    def close(self) -> None:
        """Watch no more."""
        if self._node is not None:
            self._node.RemoveObserver(self._tag)
            self._node = None
