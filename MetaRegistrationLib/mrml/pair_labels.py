"""The labels of the points of two lists that are placed, renamed and deleted in pairs."""

from __future__ import annotations

from collections.abc import Sequence

from ..formats.label_matching import name_before_numbers


class PairLabels:
    """Labels with which `match_landmarks` finds the pairs.

    The labels of a pair are equal. If each list has a name of its own before its numbers, as Slicer gives it (`F-1` and
    `F_1-1`), the numbers are.

    Parameters
    ----------
    moving, fixed : sequence of str
        The labels that the lists have.
    """

    def __init__(self, moving: Sequence[str], fixed: Sequence[str]) -> None:
        moving_name, fixed_name = name_before_numbers(moving), name_before_numbers(fixed)
        if not moving:
            moving_name = fixed_name
        if not fixed:
            fixed_name = moving_name
        self._names = ("", "") if moving_name is None or fixed_name is None else (moving_name, fixed_name)

    @property
    def equal(self) -> bool:
        """Whether the labels of a pair are equal."""
        return self._names[0] == self._names[1]

    def key(self, side: int, label: str) -> str:
        """What a label, of the moving (0) or fixed (1) list, has in common with that of its partner."""
        number = self._number(side, label)
        return label if self.equal or number is None else str(number)

    def of_partner(self, side: int, label: str) -> str | None:
        """The label for the partner of a point; None where only equal labels of all pairs can tell them."""
        if self.equal:
            return label
        if self._number(side, label) is None:
            return None
        return self._names[1 - side] + label[len(self._names[side]) :]

    def new(self, count: int, moving: Sequence[str], fixed: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Labels of new pairs, in the moving and in the fixed list, with the next numbers that are free in both."""
        numbers = [self._number(side, label) or 0 for side, labels in enumerate((moving, fixed)) for label in labels]
        first = max(numbers, default=0) + 1
        of_moving, of_fixed = (tuple(f"{name}{first + index}" for index in range(count)) for name in self._names)
        return of_moving, of_fixed

    def _number(self, side: int, label: str) -> int | None:
        number = label.removeprefix(self._names[side])
        return int(number) if number.isdecimal() and label.startswith(self._names[side]) else None
