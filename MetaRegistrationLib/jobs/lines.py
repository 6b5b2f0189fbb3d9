"""Lines of text out of chunks of bytes, and events out of lines."""

from __future__ import annotations

import json


class LineBuffer:
    """Joins chunks into lines; a character or a line that is split between two chunks comes out whole."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that `chunk` completes, without their ends."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [_text(line) for line in lines]

    def flush(self) -> list[str]:
        """What came after the last line end, as a line; nothing when there is nothing."""
        rest, self._rest = self._rest, b""
        return [_text(rest)] if rest else []


def _text(line: bytes) -> str:
    return line.rstrip(b"\r").decode("utf-8", errors="replace")


def event_of(line: str) -> tuple[dict | None, str]:
    """The event that a line holds, and the rest of the line: text that is none, or that a library wrote before it."""
    start = line.find('{"event":')
    if start < 0:
        return None, line
    try:
        return json.loads(line[start:]), line[:start]
    except (ValueError, RecursionError):  # the latter of thousands of brackets
        return None, line


def as_bytes(data: object) -> bytes:
    """What a process's `readAll...` returned as bytes; Qt's byte arrays have them in `data()`."""
    return data if isinstance(data, bytes) else bytes(data.data())
