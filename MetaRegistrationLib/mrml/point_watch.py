"""Notices when points of lists are moved, added or removed, or put under a transform, after the user has paused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer

_REST_MS = 200


class PointWatch:
    """Calls functions after points have changed.

    Parameters
    ----------
    host : jobs.job.Host
        Gives the timer: a point that is dragged changes many times a second.
    """

    def __init__(self, host: Any) -> None:
        self._host = host
        self._observed: list[tuple[Any, int]] = []
        self._waiting: set[Callable[[], None]] = set()
        self._open = True

    def add(self, node, changed: Callable[[], None]) -> None:
        """Call `changed` after points of a list have changed; nothing is done for None."""
        if node is None:
            return
        events = slicer.vtkMRMLMarkupsNode
        points = events.PointModifiedEvent, events.PointPositionDefinedEvent, events.PointRemovedEvent
        for event in (*points, events.TransformModifiedEvent):
            tag = node.AddObserver(event, lambda caller, name: self._changed(changed))
            self._observed.append((node, tag))

    def close(self) -> None:
        """Stop watching, without further calls."""
        self._open = False
        for node, tag in self._observed:
            node.RemoveObserver(tag)
        self._observed = []

    def _changed(self, changed: Callable[[], None]) -> None:
        if changed not in self._waiting:
            self._waiting.add(changed)
            self._host.single_shot(_REST_MS, lambda: self._call(changed))

    def _call(self, changed: Callable[[], None]) -> None:
        self._waiting.discard(changed)
        if self._open:
            changed()
