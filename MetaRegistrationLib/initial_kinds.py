"""The kinds of initial alignment, declared in one table. It needs neither torch nor NumPy, so that a list of choices is quick.

A new kind takes two files: its implementation in `alignment/`, and a line of `_DECLARED` here. Command line, panel, checks and
records read this table; `alignment.registry` finds the implementation. A program that imports the library declares a kind of its
own with `declare`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InitialKind:
    """One kind of initial alignment.

    Attributes
    ----------
    name : str
        What users choose, and what records say.
    implementation : str
        ``.module:callable`` of the room `alignment`, or ``package.module:callable`` of anything that is installed. Called with
        the name, it gives an `alignment.aligner.Aligner`.
    needs_landmarks : bool
        Whether it needs corresponding landmarks of both images. Such a kind serves single pairs, not fine-tuning or visits.
    """

    name: str
    implementation: str
    needs_landmarks: bool = False


NONE = "none"
"""The kind that leaves the initial alignment out."""

_DECLARED = [
    InitialKind(NONE, ".pair_alignment:SearchedAlignment"),
    InitialKind("translation", ".pair_alignment:SearchedAlignment"),
    InitialKind("rigid", ".pair_alignment:SearchedAlignment"),
    InitialKind("affine", ".pair_alignment:SearchedAlignment"),
    InitialKind("landmarks", ".from_points:LandmarkAlignment", needs_landmarks=True),
]


def declare(kind: InitialKind) -> None:
    """Add a kind, after all others. One that is declared again, as by a cell of a notebook, stays where it is.

    Raises
    ------
    ValueError
        There is another kind of this name.
    """
    known = next((each for each in _DECLARED if each.name == kind.name), None)
    if known is None:
        _DECLARED.append(kind)
    elif known != kind:
        raise ValueError(
            f"initial alignment {kind.name!r}: there is such a kind already; its implementation is {known.implementation}."
            " Choose another name."
        )


def declared() -> tuple[InitialKind, ...]:
    """All kinds, in the order in which the command line names them."""
    return tuple(_DECLARED)


def initial_kinds(*, with_landmarks: bool = True) -> tuple[str, ...]:
    """Names of all kinds, or of those that need no landmarks."""
    return tuple(kind.name for kind in _DECLARED if with_landmarks or not kind.needs_landmarks)


def needs_landmarks(name: str) -> bool:
    """Whether there is a kind of this name and it needs landmarks."""
    return any(kind.name == name and kind.needs_landmarks for kind in _DECLARED)
