"""The question before results of an earlier run are replaced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..formats.output_folder import EarlierResultsError
from .texts import field_name
from .texts import tr as _
from .widgets import confirm


def start_or_ask(request: Any, start: Callable[[Any], Any], beside: Any) -> Any:
    """Start a request. Where results of an earlier run are in the way, ask whether to replace them.

    Parameters
    ----------
    request : dataclass with a field `replace`
    start : callable
        Takes the request, and gives its job.
    beside : QWidget
        The dialog belongs to its window.

    Returns
    -------
    The job, or None where the user wants to keep the earlier results.
    """
    try:
        return start(request)
    except EarlierResultsError as error:
        problem = error.problem.replace("{field}", field_name(error.field))
        question = _("Replace the earlier results? Only files that an earlier run wrote are removed or replaced.")
        if not confirm(_("Replace results"), f"{problem}\n\n{question}", beside):
            return None
    return start(replace(request, replace=True))


def not_replaced() -> str:
    """What the panel says where the user keeps the earlier results."""
    return _("Nothing was started, and the earlier results are unchanged. Choose another folder for the results.")
