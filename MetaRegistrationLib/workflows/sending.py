"""The settings of a run as bytes for another process."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Protocol

from ..errors import InputError
from .own_parts import OwnParts

if TYPE_CHECKING:
    from .registrars import RegistrarOptions


class Settings(Protocol):
    """What a process has to know before the first item."""

    @property
    def registrar(self) -> RegistrarOptions:
        """The settings of the registrar."""

    def work(self) -> object:
        """The work, with a `record` and `staged(item, folder)`."""


def obstacle(settings: Settings) -> InputError | None:
    """Why the settings hold for this process alone; None if another process understands them."""
    try:
        sent(settings, "jobs")
    except InputError as error:
        return error
    return None


def sent(settings: Settings, field: str) -> bytes:
    """The settings as bytes that another process understands.

    Raises
    ------
    InputError
        An object of this process is to be sent to another one.
    """
    options = settings.registrar
    if options.network is not None or "__main__" in str(getattr(options.checkpoint, "network", "")):
        raise _no_network(field)
    parts = OwnParts.of(options)
    missing = parts.only_here()
    if missing is not None:
        raise InputError(
            f"{{field}}: another process cannot import {missing}.",
            field=field,
            advice="Put it into a module (a file .py) of its own, or use one process.",
        )
    try:
        return pickle.dumps((parts, settings))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise _no_network(field) from error


def received(content: bytes) -> Settings:
    """The settings that `sent` made into bytes, in another process, which then knows the parts of the program, too."""
    parts, settings = pickle.loads(content)
    parts.declare()
    return settings


def _no_network(field: str) -> InputError:
    return InputError(
        "{field}: a network that is an object of this program cannot be sent to another process.",
        field=field,
        advice="Save it as a checkpoint, or use one process.",
    )
