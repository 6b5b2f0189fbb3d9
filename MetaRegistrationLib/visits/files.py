"""Images as visits of eyes: from a table, a folder with one subfolder per eye, or a list of files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import InputError
from ..formats.image_files import file_stem, reader_by_name
from ..formats.images import check_image, read_image, with_spacing
from ..formats.tables import read_table
from ..pairs.files import read_image_landmarks, read_mask
from .series import Visit


@dataclass(frozen=True)
class VisitFile:
    """The files of one visit: an image and, optionally, its landmarks and a tissue mask (not zero in tissue)."""

    name: str
    path: Path
    date: str = ""
    landmarks: Path | None = None
    mask: Path | None = None

    def load(self, slice_index: int | None = None, spacing_um: float | None = None) -> Visit:
        """Read them; an `InputError` names the file."""
        own = read_image(self.path, slice_index=slice_index)
        image = with_spacing(own, spacing_um)
        if self.mask is not None:
            image = replace(image, mask=read_mask(self.mask, image, slice_index=slice_index))
        check_image(image)
        return Visit(self.name, image, self.date, read_image_landmarks(self.landmarks, image, own.geometry))


def eyes_of_files(paths: Sequence[Path]) -> dict[str, list[VisitFile]]:
    """The files as visits of one eye, called after them."""
    return {"eye": _named([(path, "") for path in paths])}


def eyes_of_table(path: Path) -> dict[str, list[VisitFile]]:
    """Eyes of a table with the column image (relative to the table) and, optionally, eye, visit, date, landmarks and mask."""
    eyes: dict[str, list[VisitFile]] = {}
    for row in read_table(path, ("image",)):
        image = path.parent / row.text("image")
        if not row.text("image"):
            raise InputError(f"{row.place}: the column 'image' is empty. Name the file of that visit.")
        name = usable_name(row.text("visit") or file_stem(image), row.place)
        beside = [path.parent / row.text(column) if row.text(column) else None for column in ("landmarks", "mask")]
        visit = VisitFile(name, image, row.text("date"), *beside)
        eyes.setdefault(usable_name(row.text("eye") or "eye", row.place), []).append(visit)
    for eye, visits in eyes.items():
        _enough(eye, visits, path)
    return eyes


def eyes_of_folder(folder: Path) -> dict[str, list[VisitFile]]:
    """A subfolder an eye, or the images of the folder itself as one eye; in the order of their names, which dates sort."""
    if (folder / "visits.csv").is_file():
        return eyes_of_table(folder / "visits.csv")
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder.")
    own = _images(folder)
    found = {folder.name: _named(own)} if own else {}
    for part in sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith(".")):
        images = _images(part)
        if images:
            found[part.name] = _named(images)
    if not found:
        raise InputError(
            f"{folder}: no images were found. Expected visits.csv, images, or one subfolder an eye with its visits."
        )
    for eye, visits in found.items():
        _enough(eye, visits, folder)
    return found


def usable_name(name: str, place: str) -> str:
    """The name of a visit or an eye, which becomes that of files and folders; an `InputError` begins with `place`."""
    if (
        not name.strip()
        or Path(name).name != name
        or name.startswith(".")
        or set(name) & set('<>:"/\\|?*')
        or name in ("average", "count", "overlap", "film")
    ):
        raise InputError(f"{place}: {name!r} cannot be the name of a file. Use letters, numbers, spaces, - and _.")
    return name


def _images(folder: Path) -> list[tuple[Path, str]]:
    return [(path, "") for path in sorted(folder.iterdir()) if path.is_file() and reader_by_name(path)]


def _named(files: Sequence[tuple[Path, str]]) -> list[VisitFile]:
    names = [file_stem(path) for path, _ in files]
    clear = [name if names.count(name) == 1 else path.name for name, (path, _) in zip(names, files, strict=True)]
    return [VisitFile(name, path, date) for name, (path, date) in zip(clear, files, strict=True)]


def _enough(eye: str, visits: list[VisitFile], place: Path) -> None:
    if len(visits) < 2:
        raise InputError(f"{place}: the eye {eye!r} has one visit only. A series needs at least two.")
