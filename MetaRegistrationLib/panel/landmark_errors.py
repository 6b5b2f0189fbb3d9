"""Why the two chosen point lists cannot be used."""

from __future__ import annotations

from ..errors import InputError
from .texts import tr as _


def check_two_lists(moving_points, fixed_points) -> None:
    """Raise `InputError` if one list is chosen as both."""
    if moving_points is not None and moving_points is fixed_points:
        raise InputError(_("The same list is chosen as moving and as fixed points. Choose two lists."))
