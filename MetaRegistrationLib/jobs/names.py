"""Names that can be a folder's on every system."""

from __future__ import annotations

import re
import unicodedata

from ..errors import InputError

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
# Devices of Windows, which no file may be named after, with or without a suffix.
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])\s*(\..*)?", re.IGNORECASE)
_LONGEST = 80


def checked_name(name: str) -> str:
    """`name` as it will be a folder's.

    Raises
    ------
    InputError
        It cannot be one; the message says why.
    """
    name = unicodedata.normalize("NFC", name)
    if not name.strip():
        raise InputError("The name is empty: type a name for the adapted checkpoint.")
    if found := _FORBIDDEN.search(name):
        raise InputError(f"The name {name!r} holds {found.group()!r}: use letters, digits, spaces, - and _.")
    if name != name.strip() or name.startswith(".") or name.endswith("."):
        raise InputError(f"The name {name!r} begins or ends with a space or a dot: leave that out.")
    if _RESERVED.fullmatch(name):
        raise InputError(f"The name {name!r} means a device on Windows: choose another one.")
    if len(name) > _LONGEST:
        raise InputError(f"The name has {len(name)} characters: choose one of at most {_LONGEST}.")
    return name


def same_name(first: str, second: str) -> bool:
    """Whether two names are one folder on a system that ignores upper and lower case."""
    return unicodedata.normalize("NFC", first).casefold() == unicodedata.normalize("NFC", second).casefold()
