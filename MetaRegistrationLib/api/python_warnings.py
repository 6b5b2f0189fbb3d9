"""Warnings of a run where Python code reads no events: they become warnings of Python."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from types import FrameType
from typing import Any

from ..errors import InputError
from ..progress import Event, Message, Reader

_LIBRARY = str(Path(__file__).resolve().parents[1]) + os.sep


def as_reader(progress: Any) -> Reader:
    """The reader of events that was given, or one that warns.

    Raises
    ------
    InputError
        It is nothing that can be called.
    """
    if progress is None:
        return _warn_of
    if not callable(progress):
        raise InputError(f"progress: expected a function that takes an event, got {type(progress).__name__}.")
    reader: Reader = progress
    return reader


def _warn_of(event: Event) -> None:
    if isinstance(event, Message) and event.level == "warning":
        warn(event.text)


def warn(text: str) -> None:
    """A warning at the line of the user's code that called the library."""
    frame: FrameType | None = sys._getframe()
    level, last = 1, 1
    while frame is not None:
        if frame.f_code.co_filename.startswith(_LIBRARY):
            last = level
        frame, level = frame.f_back, level + 1
    warnings.warn(text, stacklevel=last + 1)
