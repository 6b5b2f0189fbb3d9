"""Folders of visits: the images of one eye, a folder an eye, a folder a visit, patients with eyes, or tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from ..errors import InputError
from ..formats.earlier_results import results_of
from ..formats.folder_listing import ListedFolder, landmark_files, landmarks_beside, listed, name_key
from ..formats.image_files import file_stem, is_image_file, where_it_leads
from .eyes import Draft, Listing
from .sides import side_in_name
from .tables import TABLE_NAME, list_table

_DEPTH = 4  # levels of folders below the chosen one: site, patient, eye, visit
_UNREAD = {
    **dict.fromkeys((".xlsx", ".xls", ".ods", ".numbers"), "a table of this kind is not read. Save it as visits.csv"),
    **dict.fromkeys(
        (".webp", ".gif", ".heic", ".jp2", ".svg", ".pdf", ".mat", ".npy", ".npz", ".h5", ".zip", ".7z", ".rar"),
        "a file of this kind is not read. Export it as PNG, TIFF or DICOM",
    ),
    **dict.fromkeys(
        (".e2e", ".fda", ".fds", ".oct", ".vol", ".img", ".sdb", ".lif", ".czi"),
        "a device's own file is not read. Export the en-face image as PNG, TIFF or DICOM",
    ),
}
"""Suffixes of files that people mean as visits or tables, and what is said of them."""
_MASKS = "masks"
_BESIDE = ("landmarks", _MASKS)  # folders that hold no visits


class _Folder(ListedFolder):
    """A folder that may hold visits."""

    @cached_property
    def table(self) -> Path | None:
        """The table of visits in it."""
        return next((path for path in self.entries if path.name.lower() == TABLE_NAME and path.is_file()), None)

    @cached_property
    def folders(self) -> list[_Folder]:
        """Folders in it that may hold visits, as far as they can be read."""
        return [folder for folder in self._below.values() if isinstance(folder, _Folder)]

    @property
    def unreadable(self) -> dict[Path, str]:
        """Folders in it that cannot be read, with the reason."""
        return {path: reason for path, reason in self._below.items() if isinstance(reason, str)}

    @cached_property
    def _below(self) -> dict[Path, _Folder | str]:
        paths = (path for path in self.entries if path.is_dir() and path.name.lower() not in _BESIDE)
        return {path: _opened(path) for path in paths}

    @property
    def kept_masks(self) -> list[Path]:
        """Images in a folder masks. One that cannot be read stands for itself."""
        found: list[Path] = []
        for folder in (path for path in self.entries if path.is_dir() and path.name.lower() == _MASKS):
            try:
                found += [path for path in listed(folder) if is_image_file(path)]
            except OSError:
                found.append(folder)
        return found

    @cached_property
    def landmarks(self) -> dict[str, Path]:
        """Landmark files beside the images, or in a folder landmarks."""
        below = [path for path in self.entries if path.is_dir() and path.name.lower() == "landmarks"]
        return landmark_files([*(path for folder in below for path in listed(folder)), *self.entries])

    @property
    def is_visit(self) -> bool:
        """Whether it holds one visit: one image, or one of each eye."""
        if self.table is not None or self.folders:
            return False
        sides = [side_in_name(file_stem(path)) for path in self.images]
        return len(sides) == 1 or sorted(sides) == ["left", "right"]


def _opened(path: Path) -> _Folder | str:
    """A folder whose entries are listed and known by their kind; the reason if it cannot be read."""
    try:
        folder = _Folder(path)
        _ = folder.table, folder.images, folder.landmarks
    except OSError as error:
        return error.strerror or str(error)
    return folder


def list_folder(folder: Path) -> Listing:
    """The visits of a folder.

    Parameters
    ----------
    folder : Path
        It holds a `visits.csv`; or the images of one eye; or folders of eyes or of patients, each in one of these ways; or
        one folder for each visit of an eye.

    Raises
    ------
    InputError
        There is no such folder, or nothing in it is an image.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder.")
    if (words := results_of(folder)) is not None:
        raise InputError(f"{folder}: it holds {words}, which are no visits. Name the folder of the scans.")
    listing = Listing()
    _collect(_Folder(folder), (), listing)
    if not listing.drafts and not listing.left_out:
        raise InputError(
            f"{folder}: no images were found. Expected {TABLE_NAME}, images, or one subfolder an eye with its visits."
        )
    return listing


def list_files(paths: Sequence[Path]) -> Listing:
    """Files as visits of one eye, called after them."""
    labels = _labels(paths)
    return Listing([Draft("eye", label, path, str(path)) for label, path in zip(labels, paths, strict=True)])


def _collect(folder: _Folder, trail: tuple[str, ...], listing: Listing) -> None:
    """Add the visits of a folder; `trail` holds the names of the folders above, below the chosen one."""
    if folder.table is not None:
        _add_table(folder, trail, listing)
        return
    eye = "/".join(trail) or folder.path.name or "eye"
    names = (*trail[-2:], *(() if trail else (folder.path.name,)))
    _leave_masks_out(folder, listing)
    for draft in _drafts(folder, eye, names):
        listing.drafts.append(draft)
    for path in folder.entries:
        if path.suffix.lower() in _UNREAD and path.is_file():
            listing.leave_out(path, _UNREAD[path.suffix.lower()])
    for path, reason in folder.unreadable.items():
        listing.leave_out(path, f"the folder cannot be read: {reason}. Check its rights.")
    for path in folder.broken:
        listing.leave_out(path, where_it_leads(path))
    below = [part for part in folder.folders if part.entries and not _is_results(part, listing)]
    shown = [part for part in below if part.images or part.folders or part.table]
    if not folder.images and _are_visits(shown):
        for part in shown:
            _leave_masks_out(part, listing)
            listing.drafts += [replace(draft, name=part.path.name) for draft in _drafts(part, eye, names)]
        listing.notes.append(
            f"{folder.path}: each folder in it holds one image, so each is taken for a visit of one eye"
        )
        return
    for part in below:
        if len(trail) < _DEPTH:
            _collect(part, (*trail, part.path.name), listing)
        elif part.images or part.folders:
            listing.leave_out(part.path, f"folders more than {_DEPTH} levels below the chosen one are not read")


def _leave_masks_out(folder: _Folder, listing: Listing) -> None:
    """Name the masks in a folder: none is used, since only a table tells whether they mark tissue or vessels."""
    use = f"A table {TABLE_NAME} names the tissue masks to use."
    for path, key in folder.masks.items():
        listing.leave_out(path, f"a mask of {key} by its name. {use}")
    for path in folder.kept_masks:
        listing.leave_out(path, f"a mask by its folder. {use}")


def _add_table(folder: _Folder, trail: tuple[str, ...], listing: Listing) -> None:
    try:
        found = list_table(folder.table)
    except InputError as error:
        if not trail:
            raise
        listing.leave_out(folder.table, error)
        return
    prefix = "/".join(trail)
    for draft in found.drafts:
        parts = [prefix, "" if prefix and draft.eye == "eye" else draft.eye]
        names = (*draft.names, *trail[-2:])
        listing.drafts.append(replace(draft, eye="/".join(part for part in parts if part), names=names))
    listing.left_out += found.left_out
    listing.notes += found.notes


def _drafts(folder: _Folder, eye: str, names: tuple[str, ...]) -> Iterator[Draft]:
    for label, path in zip(_labels(folder.images), folder.images, strict=True):
        beside = landmarks_beside(path, folder.landmarks)
        yield Draft(eye, label, path, str(path), names, landmarks=beside)


def _are_visits(folders: Sequence[_Folder]) -> bool:
    """Whether folders are the visits of one eye, not eyes: each holds one image, and no two names say different sides."""
    return (
        len(folders) > 1
        and all(folder.is_visit for folder in folders)
        and len({side_in_name(folder.path.name) for folder in folders}) == 1
    )


def _is_results(folder: _Folder, listing: Listing) -> bool:
    """Whether a folder holds results of the program, which are no visits."""
    words = results_of(folder.path)
    if words is None:
        return False
    listing.notes.append(f"{folder.path}: {words}, passed over")
    return True


def _labels(paths: Sequence[Path]) -> list[str]:
    """Names of files without suffix; the whole name where two would be the same."""
    stems = [name_key(file_stem(path)) for path in paths]
    return [file_stem(path) if stems.count(stem) == 1 else path.name for stem, path in zip(stems, paths, strict=True)]
