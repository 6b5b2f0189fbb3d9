"""What image files say of their scans beyond the pixels."""

from __future__ import annotations

from pathlib import Path

from .image_files import reader_of
from .registry import FileFacts


def file_facts(path: Path) -> FileFacts:
    """Date, side and patient that the header of an image file states; empty where it states none or cannot be read."""
    try:
        reader = reader_of(path)
    except OSError:
        return FileFacts()
    return FileFacts() if reader is None else reader.facts(path)
