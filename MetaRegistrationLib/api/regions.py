"""Regions of the user as Python code gives them: label maps and mappings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import InputError
from ..formats.label_maps import LabelMap, label_map, read_label_map
from ..visits.own_regions import GivenRegions, given_regions
from .inputs import as_label_pixels, as_path, refuse_masked

_NAME = "regions"


def as_regions(value: Any, visit: str | None) -> GivenRegions:
    """Regions drawn on a visit.

    Parameters
    ----------
    value : array, tensor, SimpleITK image, path, Image or mapping of str to array
    visit : str or None
        The visit on whose pixels they are drawn.

    Raises
    ------
    InputError
        It is none of these, holds no region, or has a name that cannot be used.
    """
    if isinstance(value, Mapping):
        return given_regions(LabelMap(_masks(value)), _NAME, visit)
    if isinstance(value, str) or hasattr(value, "__fspath__"):
        path = as_path(value, _NAME)
        return given_regions(read_label_map(path), str(path), visit)
    return given_regions(label_map(*as_label_pixels(value, _NAME)), _NAME, visit)


def _masks(value: Mapping[Any, Any]) -> dict[str, np.ndarray]:
    """Bool arrays of one shape by name."""
    for name, mask in value.items():
        refuse_masked(mask, f"{_NAME} ({name})")
    masks = {name: np.asarray(mask) for name, mask in value.items()}
    if not masks:
        raise InputError(f"{_NAME}: expected at least one region, got none.")
    first = next(iter(masks.values()))
    for name, mask in masks.items():
        if not isinstance(name, str):
            raise InputError(f"{_NAME}: expected names of regions, got {name!r}.")
        if mask.ndim != 2 or mask.dtype.kind not in "bui":
            raise InputError(
                f"{_NAME}: expected a bool array (H, W) of {name!r}, got {mask.dtype} of shape {mask.shape}."
            )
        if mask.shape != first.shape:
            raise InputError(
                f"{_NAME}: expected arrays of one shape, got {mask.shape} of {name!r} beside {first.shape}."
            )
    return {name: mask != 0 for name, mask in masks.items()}
