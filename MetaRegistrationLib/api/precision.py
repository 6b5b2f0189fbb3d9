"""The public functions compute in one precision, whatever the caller's `torch.autocast` says."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def own_precision(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function, outside of the caller's `torch.autocast`: half precision would change results, or fail."""

    @wraps(function)
    def computed(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        if "torch" not in sys.modules:  # then nobody can have entered autocast
            return function(*args, **kwargs)
        import torch

        from ..networks.precision import without_autocast

        # Copies of weights, which autocast of the caller's network may keep, would outlive a change of the weights.
        alone = torch.autocast("cpu", enabled=False, cache_enabled=False)
        # Autocast of a GPU that is not there would warn.
        with alone, without_autocast("cuda" if torch.is_autocast_enabled() else ""):
            return function(*args, **kwargs)

    return computed
