"""Settings that are all numbers, checked on making and readable from a table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import ClassVar

from ..errors import InputError


class NumberSettings:
    """Base of frozen dataclasses of numbers of at least 0 or what `at_least` says; `at_most` has upper limits by name."""

    subject: ClassVar[str]
    """What messages call them, such as "appearance"."""
    at_least: ClassVar[Mapping[str, float]] = {}
    at_most: ClassVar[Mapping[str, float]] = {}

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            lowest, highest = self.at_least.get(name, 0.0), self.at_most.get(name, math.inf)
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not is_number or not math.isfinite(value) or not lowest <= value <= highest:
                upper = "" if highest == math.inf else f" and at most {highest:g}"
                raise InputError(
                    f"{self.subject.capitalize()} setting {name} must be a number of at least {lowest:g}{upper}, "
                    f"but is {value!r}."
                )

    def to_dict(self) -> dict[str, float]:
        """All settings as plain numbers by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, object]):
        """Settings from numbers by name; what is not named keeps its default.

        Raises
        ------
        InputError
            For a name that is no setting and for a value out of range.
        """
        known = {item.name for item in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(
                f"Unknown {cls.subject} setting {', '.join(unknown)}: remove it or correct its name. "
                f"The settings are {', '.join(sorted(known))}."
            )
        return cls(**values)
