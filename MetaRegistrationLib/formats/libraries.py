"""Libraries that some files need: imported at first use, with a clear message where one is not installed."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from ..errors import InputError


def is_installed(module: str) -> bool:
    """Whether a module can be imported."""
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def needed(module: str, package: str, path: Path, what: str) -> ModuleType:
    """The imported `module` of a Python package.

    Raises
    ------
    InputError
        It is not installed; the message names `path`, `what` is read with it, and how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"{path}: {what} is read with the Python package {package}, which is not installed."
            f" Install it (pip install {package})."
        ) from error
