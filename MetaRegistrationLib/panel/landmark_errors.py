"""Why the two chosen point lists cannot be used."""

from __future__ import annotations

from ..errors import InputError
from .texts import tr as _


def check_two_lists(moving_points, fixed_points) -> None:
    """Raise `InputError` if one list is chosen as both."""
    if moving_points is not None and moving_points is fixed_points:
        raise InputError(_("Moving and fixed points are the same list: choose two."))
