"""From the name of a kind of initial alignment to its implementation."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from ..errors import InputError
from ..initial_kinds import declared
from .aligner import Aligner
from .checked import CheckedAligner


def implementation(name: str) -> Callable[[str], Aligner]:
    """What makes the initial alignment of a declared kind (`initial_kinds`).

    Raises
    ------
    InputError
        There is no such kind, or its implementation is not installed.
    """
    kinds = {kind.name: kind for kind in declared()}
    if name not in kinds:
        raise InputError(f"There is no initial alignment {name!r}. Known: {', '.join(kinds)}.")
    module, _, attribute = kinds[name].implementation.partition(":")
    try:
        found: Callable[[str], Aligner] = getattr(importlib.import_module(module, __package__), attribute)
    except (ImportError, AttributeError) as error:
        raise _missing(name, error) from error
    return found


def aligner(name: str) -> Aligner:
    """The initial alignment of a declared kind; an `InputError` as of `implementation`, or where it cannot be made."""
    made = implementation(name)
    try:
        found = made(name)
    except (ImportError, AttributeError) as error:
        raise _missing(name, error) from error
    return CheckedAligner(name, found)


def _missing(name: str, error: Exception) -> InputError:
    return InputError(f"The initial alignment {name} cannot be imported: {error}. Is its package installed?")
