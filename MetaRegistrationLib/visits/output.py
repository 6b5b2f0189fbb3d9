"""The files of a series, as results in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from ..formats.output_folder import Finished, Output
from ..formats.written_files import image_source
from .faz_files import faz_file
from .names import OVER_EYES

if TYPE_CHECKING:
    from .files import VisitFile
    from .series import Series

KIND = "series"
_OF_ALL = (
    "average.nrrd",
    "count.nrrd",
    "overlap.nrrd",
    "visits.csv",
    "consistency.csv",
    "measurements.csv",
    "changes.csv",
    "trends.csv",
    "report.html",
    "series.json",
)
_OF_A_CHANGE = ("_density.nrrd", "_clusters.nrrd", ".png", "_regions.csv", ".json")


def eyes_output(
    eyes: Mapping[str, Sequence[VisitFile]],
    folder: Path,
    others: Iterable[Path] = (),
    *,
    replace: bool = False,
    several: bool | None = None,
    finished: Finished | None = None,
) -> Output:
    """The results of several eyes; of more than one, each has a folder, and there are tables over all of them.

    Parameters
    ----------
    eyes : mapping of str to sequence of VisitFile
    folder : Path
    others : iterable of Path
        Further inputs, such as the folder or table of the visits.
    replace : bool
        The user allows earlier results to be replaced.
    several : bool, optional
        Whether each eye has a folder, if the number of eyes does not tell: a part of several may be one.
    finished : Finished, optional
        The eyes whose results stay, because a run is resumed.
    """
    items = {f"{eye}/{file.name}": (file.path,) for eye, files in eyes.items() for file in files}
    apart = len(eyes) > 1 if several is None else several
    waiting = [eye for eye in eyes if finished is None or eye not in finished.names]
    folders = {eye: folder / eye if apart else folder for eye in waiting}

    def targets() -> list[Path]:
        found = [path for eye, own in folders.items() for path in series_files(own, [f.name for f in eyes[eye]])]
        return [*found, *eyes_tables(folder)] if apart else found

    beside = [path for files in eyes.values() for file in files for path in (file.landmarks, file.mask) if path]
    return Output(folder, KIND, items, (*others, *beside), targets, replace, finished=finished)


def eyes_tables(folder: Path) -> list[Path]:
    """The tables over several eyes."""
    return [folder / name for name in sorted(OVER_EYES)]


def series_output(series: Series, folder: Path, *, replace: bool = False) -> Output:
    """The results of one series."""
    names = [entry.visit.name for entry in series.visits]
    items = {entry.visit.name: (image_source(entry.visit.image),) for entry in series.visits}
    return Output(folder, KIND, items, targets=lambda: series_files(folder, names), replace=replace)


def series_files(folder: Path, names: Sequence[str]) -> list[Path]:
    """Every file that `write_series` may write into `folder` for visits of these names, in their order."""
    own = [f"{name}{end}" for name in names for end in (".nrrd", "_transform.nrrd", "_error_95.nrrd")]
    film = [f"{number:03d}_{name}.png" for number, name in enumerate([*names, "average"], 1)]
    changes = [
        f"change_{start}_to_{end}{part}"
        for pair in combinations(names, 2)
        for start, end in (pair, pair[::-1])
        for part in _OF_A_CHANGE
    ]
    zones = [faz_file(name) for name in names]
    return [*(folder / name for name in (*own, *_OF_ALL, *zones, *changes)), *(folder / "film" / name for name in film)]
