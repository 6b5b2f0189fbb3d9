"""The public functions compute in one precision, whatever autocast and `set_float32_matmul_precision` of the caller say."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def own_precision(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function, in full float32 and outside of the caller's `torch.autocast`: less precision changes results, or fails."""

    @wraps(function)
    def computed(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        if "torch" not in sys.modules:  # then nobody can have set anything
            return function(*args, **kwargs)
        import torch

        from ..networks.precision import without_autocast
        from .matmul_precision import full_precision

        cuda = "cuda" if torch.is_autocast_enabled() else ""  # autocast of a GPU that is not there would warn
        with full_precision(), without_autocast("cpu"), without_autocast(cuda):
            return function(*args, **kwargs)

    return computed
