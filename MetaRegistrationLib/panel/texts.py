"""Texts for the user, in the user's language, and sentences for what went wrong."""

from __future__ import annotations

import logging
import sys

from ..errors import InputError

_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")


def tr(text: str) -> str:
    """`text` in the language of the application; as it is where there is no application."""
    try:
        from slicer.i18n import translate
    except ImportError:
        return text
    # Slicer's translation tools call the context of a text package.file.
    context = ".".join(sys._getframe(1).f_globals["__name__"].split(".")[-2:])
    return translate(context, text)


def sentence(error: BaseException) -> str:
    """What a user is told of an error; one that nobody expected is logged with its traceback."""
    if isinstance(error, InputError):
        return str(error)
    words = " ".join(str(error).split())
    if isinstance(error, MemoryError) or any(part in words.lower() for part in _MEMORY):
        return tr("The memory ran out: close other programs, or choose another device (CPU), and start again.")
    if isinstance(error, OSError):
        return tr("A file could not be read or written ({error}): check the folder and start again.").format(
            error=words
        )
    logging.error("MetaRegistration: unexpected error", exc_info=error)
    return tr("An error that was not expected ({error}): report it with the log (Help / Report a bug).").format(
        error=f"{type(error).__name__}: {words}"
    )
