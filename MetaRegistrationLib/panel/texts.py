"""Texts for the user, in the user's language: errors, messages of a child process, and names of fields."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from .. import errors
from ..jobs.sentences import told_by

_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")


def tr(text: str) -> str:
    """`text` in the language of the application; unchanged without an application."""
    try:
        from slicer.i18n import translate
    except ImportError:
        return text
    # Slicer's translation tools call the context of a text package.file.
    context = ".".join(sys._getframe(1).f_globals["__name__"].split(".")[-2:])
    return translate(context, text)


def field_name(field: str) -> str:
    """The panel's name for a field of an error: the label beside it, without the colon."""
    names = {
        "axial_length": tr("Axial length"),
        "change": tr("Change from"),
        "checkpoint": tr("Checkpoint"),
        "device": tr("Device"),
        "device_axial_length": tr("Device assumes"),
        "epochs": tr("Epochs"),
        "include": tr("“Use all the same” for"),
        "initial": tr("Initial alignment"),
        "no_network": tr("Network"),
        "output": tr("Results folder"),
        "pairs": tr("Folder"),
        "dates": tr("Dates"),
        "reference": tr("Reference"),
        "regions": tr("Own regions"),
        "regions_visit": tr("Own regions"),
        "refine": tr("Refinement steps"),
        "resume": tr("Resume"),
        "spacing_um": tr("Pixel spacing"),
        "visits": tr("Folder of visits"),
    }
    return names.get(field) or errors.field_name(field)


def message_text(event: dict) -> str:
    """The text of a message of a child process."""
    return told_by(event, tr, field_name)


def stage_text(event: dict) -> str:
    """The present activity of a child process."""
    texts = {"align": tr("Aligning {detail} ..."), "register": tr("Registering {detail} ...")}
    return texts.get(event["name"], "{detail}").format(detail=event["detail"])


def sentence(error: BaseException, name_of: Callable[[str], str] = field_name) -> str:
    """The message of an error for the user. An unexpected one is logged with its traceback."""
    if isinstance(error, errors.UserError):
        return errors.told(error.problem, error.field, error.advice, name_of=name_of, translate=tr)
    words = " ".join(str(error).split())
    if isinstance(error, MemoryError) or any(part in words.lower() for part in _MEMORY):
        return tr("The memory ran out: close other programs, or choose another device (CPU), and start again.")
    if isinstance(error, OSError):
        return tr("A file could not be read or written ({error}): check the folder and start again.").format(
            error=words
        )
    logging.error("MetaRegistration: unexpected error", exc_info=error)
    return tr("Unexpected error ({error}). Report it with the log (Help / Report a bug).").format(
        error=f"{type(error).__name__}: {words}"
    )
