"""Names that Windows keeps for devices, such as CON and aux.txt: no file or folder has them there."""

from __future__ import annotations

import re

_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\..*)?")


def is_device(name: str) -> bool:
    """Whether Windows keeps a name for a device, whatever its case and what follows its first dot."""
    return _DEVICES.fullmatch(name.casefold()) is not None


def numbered(name: str, number: int) -> str:
    """A name with a number: `CON_2`, and `aux_2.txt`, because Windows looks at the part before the first dot alone."""
    if not is_device(name):
        return f"{name}_{number}"
    start, dot, end = name.partition(".")
    return f"{start.rstrip()}_{number}{dot}{end}"
