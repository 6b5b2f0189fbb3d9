"""A training command in the processes that torchrun starts, or in this one alone."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..progress import Reader, Silent
from .failures import explain

if TYPE_CHECKING:
    from ..training.distributed import Group


def run_in_group(
    arguments: argparse.Namespace,
    progress: Reader,
    train: Callable[[argparse.Namespace, Reader, Group], None],
) -> int:
    """Exit code of a training that the processes share; only the first one reports.

    Parameters
    ----------
    arguments : argparse.Namespace
        With `device`, which becomes that of this process.
    progress : Reader
    train : callable
        Gets the arguments, a reader and the group.
    """
    from ..training.distributed import join

    group, arguments.device = join(arguments.device)
    if group.first:
        train(arguments, progress, group)
        return 0
    code = 0
    try:
        train(arguments, Silent(), group)
    except BaseException as error:
        failure = explain(error)
        if failure is None:
            raise
        code = failure.code
    group.leave()
    return code
