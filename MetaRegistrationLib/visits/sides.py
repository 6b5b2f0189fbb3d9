"""Which eye it is: right or left, as tables, files and names say."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import InputError

SIDES = ("right", "left")
SIDES_OR_UNKNOWN = ("", *SIDES)
_WORDS = {
    "right": ("od", "right", "dexter", "dextra", "oculus dexter", "right eye", "rechts", "droite", "derecho"),
    "left": ("os", "left", "sinister", "sinistra", "oculus sinister", "left eye", "links", "gauche", "izquierdo"),
}
_SHORT = {"r": "right", "re": "right", "l": "left", "le": "left"}
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
    side = _side_of_word(word) or _SHORT.get(word, "")
    if not side:
        raise InputError(f"{place}: the side of an eye is OD, R or right, or OS, L or left, but it is {text!r}.")
    return side


def is_side(text: str) -> bool:
    """Whether a text is nothing but a side."""
    word = text.strip().casefold()
    return bool(_side_of_word(word) or _SHORT.get(word))


def side_in_name(name: str) -> str:
    """Side in the name of a file or folder; "" without one, or with both.

    Words count between other signs, beside digits, and in camel case (RightEye). R, L, RE and LE count as capitals between
    signs: R1 is a number of its own, and re-scan a word.
    """
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)
    found = {_side_of_word(word.casefold()) for word in words} - {""}
    found |= {_side_of_word(word.casefold()) for word in re.findall(r"(?<![A-Z])(?:OD|OS)(?![A-Z])", name)}
    if not found:
        alone = re.findall(r"(?:^|[^A-Za-z0-9])(RE|LE|R|L)(?=$|[^A-Za-z0-9])", name)
        found = {_SHORT[word.lower()] for word in alone}
    return found.pop() if len(found) == 1 else ""


def differ_in_side_alone(names: Sequence[str]) -> bool:
    """Whether names come in pairs that differ in nothing but an R and an L, as P01R_1 and P01L_1 do."""
    letters = r"(?<![A-Za-z])[RL](?![A-Za-z])"
    forms = {side: {re.sub(letters, "?", name) for name in names if side in re.findall(letters, name)} for side in "RL"}
    return bool(forms["R"] & forms["L"])


def _side_of_word(word: str) -> str:
    return next((side for side, words in _WORDS.items() if word in words), "")
