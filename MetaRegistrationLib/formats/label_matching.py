"""Which labels of two lists of landmarks belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import InputError


def corresponding(moving: Sequence[str], fixed: Sequence[str]) -> list[tuple[int, int]]:
    """Indices of the landmarks that belong together, in the order of `moving`, by the rules of `match_landmarks`.

    Raises
    ------
    InputError
        No rule gives a correspondence; both lists of labels are shown.
    """
    keys = meaningful(moving), meaningful(fixed)
    if all(map(decisive, keys)):
        if nested(*keys):
            return _equal(*keys)
        numbers = _numbers(keys[0]), _numbers(keys[1])
        numbered = all(map(decisive, numbers))
        if numbered and set(numbers[0]) == set(numbers[1]):
            return _equal(*numbers)
        shared = set(keys[0]) & set(keys[1])
        found = "no label occurs"
        if shared or (numbered and set(numbers[0]) & set(numbers[1])):
            found = f"only some {'labels' if shared else 'numbers'} occur"
        raise InputError(
            f"Landmarks cannot be matched: {found} in both lists {_both(moving, fixed)}. Give corresponding landmarks equal"
            " labels, and take out those without a partner."
        )
    ordered = keys[0] == keys[1] or not any(keys[0]) or not any(keys[1])
    if not ordered or len(moving) != len(fixed):
        raise InputError(
            f"Landmarks cannot be matched: {len(moving)} moving and {len(fixed)} fixed ones, with labels that are empty"
            f" or repeated {_both(moving, fixed)}. Give corresponding landmarks equal, unique labels."
        )
    return [(index, index) for index in range(len(moving))]


def meaningful(labels: Sequence[str]) -> list[str]:
    """The labels; all empty where they name no point.

    That is: coordinates (`0068-0104`), by which ImageJ's ROI Manager names points, or one label for all of several.
    """
    coordinates = bool(labels) and all(re.search(r"(^|\D)\d{3,}-\d{3,}$", label) for label in labels)
    one_for_all = len(labels) > 1 and len(set(labels)) == 1
    return [""] * len(labels) if coordinates or one_for_all else list(labels)


def decisive(labels: Sequence[str]) -> bool:
    """Whether each landmark has a label, and no other one has it."""
    return all(labels) and len(set(labels)) == len(labels)


def nested(moving: Sequence[str], fixed: Sequence[str]) -> bool:
    """Whether the labels of one list are all in the other."""
    return set(moving) <= set(fixed) or set(fixed) <= set(moving)


def name_before_numbers(labels: Sequence[str]) -> str | None:
    """How all labels of a list begin before their numbers (`F_1-` of `F_1-1` and `F_1-2`); None where there is no such name."""
    parts = [re.fullmatch(r"(.*?)\d+", label) for label in labels]
    names = {part.group(1) if part else None for part in parts}
    return names.pop() if len(names) == 1 else None


def _numbers(labels: Sequence[str]) -> list[str]:
    """The number at the end of each label, if all labels of the list begin equally; else empty strings."""
    name = name_before_numbers(labels)
    return [""] * len(labels) if name is None else [str(int(label[len(name) :])) for label in labels]


def _equal(moving: Sequence[str], fixed: Sequence[str]) -> list[tuple[int, int]]:
    place = {key: index for index, key in enumerate(fixed)}
    return [(index, place[key]) for index, key in enumerate(moving) if key in place]


def _both(moving: Sequence[str], fixed: Sequence[str]) -> str:
    return f"(moving: {_shown(moving)}; fixed: {_shown(fixed)})"


def _shown(labels: Sequence[str]) -> str:
    shown = [label or "without a label" for label in labels[:12]]
    return ", ".join(shown) + (", ..." if len(labels) > 12 else "")
