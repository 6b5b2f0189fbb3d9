"""Notices when the user leaves the mode in which clicks place points."""

from __future__ import annotations

from collections.abc import Callable

import slicer


class PlaceModeWatch:
    """Calls `on_stop` when placing ends by the right mouse button, the Escape key or the toolbar.

    Parameters
    ----------
    on_stop : callable without arguments
    """

    def __init__(self, on_stop: Callable[[], None]) -> None:
        self._on_stop = on_stop
        self._node = slicer.mrmlScene.GetNodeByID("vtkMRMLInteractionNodeSingleton")
        event = self._node.InteractionModeChangedEvent
        self._tag = self._node.AddObserver(event, self._changed)

    def close(self) -> None:
        """Watch no more."""
        if self._node is not None:
            self._node.RemoveObserver(self._tag)
            self._node = None

    def _changed(self, caller, event) -> None:
        if caller.GetCurrentInteractionMode() != caller.Place:
            self._on_stop()
