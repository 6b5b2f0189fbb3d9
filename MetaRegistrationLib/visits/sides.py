"""Which eye it is: right or left, as tables, files and names say."""

from __future__ import annotations

import re

from ..errors import InputError

SIDES = ("right", "left")
_WORDS = {
    "right": ("od", "re", "right", "dexter", "dextra", "oculus dexter", "right eye"),
    "left": ("os", "le", "left", "sinister", "sinistra", "oculus sinister", "left eye"),
}
_LETTERS = {"r": "right", "l": "left"}
_UNKNOWN = ("", "u", "unknown", "n/a", "na", "-", "?")


def side_of_cell(text: str, place: str) -> str:
    """Side in a cell or a header; "" if it is said to be unknown.

    Raises
    ------
    InputError
        It is another word.
    """
    word = " ".join(text.casefold().replace("_", " ").split())
    if word in _UNKNOWN:
        return ""
    side = _side_of_word(word) or _LETTERS.get(word, "")
    if not side:
        raise InputError(f"{place}: the side of an eye is OD, R or right, or OS, L or left, but it is {text!r}.")
    return side


def is_side(text: str) -> bool:
    """Whether a text is nothing but a side."""
    word = text.strip().casefold()
    return bool(_side_of_word(word) or _LETTERS.get(word))


def side_in_name(name: str) -> str:
    """Side in the name of a file or folder: a word between other signs or beside digits; "" without one, or with both."""
    words = re.findall(r"[a-z]+", name.casefold())
    found = {_side_of_word(word) for word in words} - {""}
    if not found:  # a single letter counts only between signs: R1 is a number of its own
        alone = re.findall(r"(?:^|[^a-z0-9])([rl])(?=$|[^a-z0-9])", name.casefold())
        found = {_LETTERS[letter] for letter in alone}
    return found.pop() if len(found) == 1 else ""


def _side_of_word(word: str) -> str:
    return next((side for side, words in _WORDS.items() if word in words), "")
