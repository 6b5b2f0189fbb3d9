"""Small helpers for sentences."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`number` with `noun` in the singular or with an s: '1 pair', '2 pairs'."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
