"""From the name of a kind of initial alignment to its implementation."""

from __future__ import annotations

import importlib

from ..errors import InputError
from ..initial_kinds import declared
from .aligner import Aligner
from .checked import CheckedAligner


def aligner(name: str) -> Aligner:
    """The initial alignment of a declared kind (`initial_kinds`).

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
        found = getattr(importlib.import_module(module, __package__), attribute)(name)
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"The initial alignment {name} cannot be imported: {error}. Is its package installed?"
        ) from error
    return CheckedAligner(name, found)
