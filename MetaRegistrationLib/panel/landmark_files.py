"""Assignment of landmark files to images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.image_files import file_stem, file_suffix
from ..formats.landmarks import Landmarks, read_landmark_pairs
from ..formats.tables import read_lines
from ..pairs.points import Seen, check_inside, read_points
from .texts import tr as _

_SIDES = ("moving", "fixed")


class Marked(NamedTuple):
    """An image whose landmarks are read, and its geometry without a pixel size that was given by hand."""

    image: Seen
    own: Geometry


def read(
    paths: Sequence[Path],
    moving: Marked,
    fixed: Marked,
    *,
    has_moving: bool = False,
    names: tuple[str, str] = ("", ""),
) -> tuple[Landmarks | None, Landmarks | None]:
    """Landmarks of the moving and of the fixed image; None for an image without a file.

    A name tells the image if it contains moving or fixed or begins with the name of the image. One file: a CSV with both
    images; else by its name; else the fixed image's when there are moving landmarks already. Two files are distinguished by
    their names only: their order may be that of a dialog.

    Parameters
    ----------
    names : (str, str)
        Names of the moving and the fixed image.

    Raises
    ------
    InputError
        More than two files, two with ambiguous names, or one that cannot be read or whose points are not those of the image.
    """
    if len(paths) > 2:
        raise InputError(_("{count} landmark files were chosen: choose one or two.").format(count=len(paths)))
    if len(paths) == 2:
        sides = [_sides(path, names) for path in paths]
        possible = [order for order in ((0, 1), (1, 0)) if "moving" in sides[order[0]] and "fixed" in sides[order[1]]]
        if len(possible) != 1:
            raise InputError(
                _(
                    "The names of {first} and {second} do not show which image they belong to. Load them one after the other, "
                    "the moving image's first, or let the names begin with those of the images."
                ).format(first=paths[0].name, second=paths[1].name)
            )
        first, second = (paths[index] for index in possible[0])
        return read_points(first, *moving), read_points(second, *fixed)
    path = paths[0]
    if _is_of_both(path):
        pairs = read_landmark_pairs(path)
        for landmarks, marked, side in zip(pairs, (moving, fixed), _SIDES, strict=True):
            check_inside(landmarks, marked.image.geometry, f"{path}, {side} image")
        return pairs
    sides = _sides(path, names)
    if sides == {"moving"} or (len(sides) > 1 and not has_moving):
        return read_points(path, *moving), None
    return None, read_points(path, *fixed)


def beside(path: Path, side: str) -> Path:
    """`points.mrk.json` becomes `points_moving.mrk.json`; a name that says this side alone stays, so that two sides differ."""
    stem, suffix = file_stem(path), file_suffix(path)
    return path if _said(path.name) == {side} else path.with_name(f"{stem}_{side}{suffix}")


def _said(name: str) -> set[str]:
    """The sides whose words are in a name."""
    return {side for side in _SIDES if side in name.lower()}


def _sides(path: Path, names: tuple[str, str]) -> set[str]:
    """The images that a file's name mentions; both if it mentions none. What `beside` added to a name of both decides."""
    said, stem = _said(path.name), file_stem(path).lower()
    added = {side for side in said if stem.endswith(f"_{side}") and len(_said(stem.removesuffix(f"_{side}"))) > 1}
    if len(added or said) == 1:
        return added or said
    called = [name.lower().removesuffix(".nrrd") for name in names]
    found = {side for side, name in zip(_SIDES, called, strict=True) if name and _begins(path.name.lower(), name)}
    return found or said or set(_SIDES)


def _begins(text: str, name: str) -> bool:
    """Whether a text begins with a name that does not go on there (`visit1` in `visit1.csv`, not in `visit10.csv`)."""
    return text.startswith(name) and not text[len(name) : len(name) + 1].isalnum()


def _is_of_both(path: Path) -> bool:
    if file_suffix(path) != ".csv":
        return False
    lines = read_lines(path, "landmarks")
    return bool(lines) and "moving_x" in lines[0].lower()
