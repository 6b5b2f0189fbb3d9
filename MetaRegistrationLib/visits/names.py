"""Names of visits and eyes in files of results: usable on every system, unique in any case, never that of a result."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path

from ..errors import InputError
from ..formats.device_names import is_device, numbered

RESERVED = frozenset(
    (
        *("average", "count", "overlap", "film", "series", "visits", "consistency", "report", "written_files"),
        *("measurements", "changes", "trends", "faz_corrected"),
    )
)
"""Names of results that belong to all visits."""
OVER_EYES = frozenset(("eyes.csv", "measurements.csv", "changes.csv", "trends.csv"))
"""Names of the tables over several eyes, beside the folders of the eyes."""
_OF_A_VISIT = ("_transform", "_error_95")
_CHANGE = re.compile(r"change_.+_to_.+_(density|brightness)")
_REFUSED = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def usable_name(name: str, place: str) -> str:
    """The name of a visit or an eye, which becomes that of files and folders; an `InputError` begins with `place`."""
    if not name.strip() or Path(name).name != name or name.startswith(".") or _REFUSED.search(name):
        raise InputError(f"{place}: {name!r} cannot be the name of a file. Use letters, numbers, spaces, - and _.")
    if clashes(name, ()):
        raise InputError(f"{place}: {name!r} is the name of a result or of a device. Choose another name.")
    return name


def file_name(text: str, otherwise: str) -> str:
    """A text as the name of a file or folder on every system; `otherwise` where nothing of it is left."""
    return _REFUSED.sub("_", unicodedata.normalize("NFC", text)).strip(" .") or otherwise


def result_names(names: Sequence[str]) -> list[str]:
    """A name for the files of each visit.

    A name that is that of a result or that of another visit, whatever the case, gets a number: `average_2`. The others stay.

    Parameters
    ----------
    names : sequence of str
        Of the visits of one eye.
    """
    plain = [file_name(name, "visit") for name in names]
    wished = {_key(name) for name in plain}
    found: list[str] = []
    used: set[str] = set()
    for name in plain:
        candidate, number = name, 1
        while _key(candidate) in used or _taken(candidate, number, wished | used, plain + found):
            number += 1
            candidate = numbered(name, number)
        used.add(_key(candidate))
        found.append(candidate)
    return found


def _taken(candidate: str, number: int, keys: set[str], names: list[str]) -> bool:
    """Whether a name is that of a result or, as a new name, that of another visit or of its files."""
    new = number > 1 and not keys.isdisjoint(_key(candidate + end) for end in ("", *_OF_A_VISIT))
    return new or clashes(candidate, names)


def renamed_notes(names: Sequence[str], used: Sequence[str]) -> list[str]:
    """Sentences on the visits whose files have another name."""
    return [
        f"the visit {name!r} is called {own!r} in the results, {_reason(name, names)}"
        for name, own in zip(names, used, strict=True)
        if unicodedata.normalize("NFC", name) != own
    ]


def clashes(name: str, names: Collection[str]) -> bool:
    """Whether files of a visit of this name would have the name of a result, where these are the names of all visits."""
    key = _key(name)
    others = {_key(other) for other in names}
    return (
        key in RESERVED
        or _CHANGE.fullmatch(key) is not None
        or is_device(name)
        or any(key.endswith(end) and key.removesuffix(end) in others for end in _OF_A_VISIT)
    )


def _reason(name: str, names: Collection[str]) -> str:
    if file_name(name, "") != unicodedata.normalize("NFC", name) or is_device(name):
        return "because a file cannot have that name"
    return "because a result has that name" if clashes(name, names) else "because another visit has that name"


def _key(name: str) -> str:
    """A name as systems compare it that ignore case and the form of accents."""
    return unicodedata.normalize("NFC", name.casefold())
