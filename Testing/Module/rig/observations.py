"""Observers of VTK objects that a widget adds and takes away together."""

from __future__ import annotations

from typing import Any, ClassVar


class Observations:
    """The observers of one widget.

    While there are any, this object is kept alive: where Python's garbage collector takes the callback of an observer, the next
    call ends the process.
    """

    _alive: ClassVar[set[Observations]] = set()

    def __init__(self) -> None:
        self._tags: list[tuple[Any, int]] = []

    def add(self, source: Any, event: Any, callback: Any, priority: float = 0.0) -> None:
        """Call back at each event of a VTK object."""
        self._tags.append((source, source.AddObserver(event, callback, priority)))
        self._alive.add(self)

    def stop(self, *_: object) -> None:
        """Watch nothing."""
        for source, tag in self._tags:
            source.RemoveObserver(tag)
        self._tags = []
        self._alive.discard(self)
