"""Names of visits and eyes as names of files and folders."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError

_REFUSED = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
_RESULTS = ("average", "count", "overlap", "film", "visits", "consistency", "report", "series")


def usable_name(name: str, place: str) -> str:
    """The name of a visit or an eye, which becomes that of files and folders; an `InputError` begins with `place`."""
    if not name.strip() or Path(name).name != name or name.startswith(".") or _REFUSED.search(name) or name in _RESULTS:
        raise InputError(f"{place}: {name!r} cannot be the name of a file. Use letters, numbers, spaces, - and _.")
    return name


def file_name(text: str, otherwise: str) -> str:
    """A text as the name of a file or folder on every system; `otherwise` where nothing of it is left."""
    return _REFUSED.sub("_", unicodedata.normalize("NFC", text)).strip(" .") or otherwise


def result_names(names: Sequence[str]) -> list[str]:
    """A name for each visit that is that of no result of a series, nor of another visit, whatever the case."""
    found: list[str] = []
    for name in names:
        wish = label = file_name(name, "visit")
        number = 2
        while label.casefold() in (*map(str.casefold, found), *_RESULTS):
            label, number = f"{wish}_{number}", number + 1
        found.append(label)
    return found
