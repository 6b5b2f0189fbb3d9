"""Small helpers for sentences."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """`number` with `noun` in the singular or with an s: '1 pair', '2 pairs'."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def enumerated(names: Sequence[str], most: int = 10) -> str:
    """The first names with commas, and how many more there are: 'a, b and 3 more'."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
