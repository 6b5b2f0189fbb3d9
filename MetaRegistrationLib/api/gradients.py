"""Trainings need gradients, whether the caller has switched them off or not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def with_gradients(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function, outside of the caller's `torch.no_grad` and `torch.inference_mode`."""

    @wraps(function)
    def trained(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        import torch

        with torch.inference_mode(False), torch.enable_grad():
            return function(*args, **kwargs)

    return trained
