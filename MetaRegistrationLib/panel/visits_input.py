"""The visits that the user chose: images of a folder, or volumes of the scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..date_orders import DateOrder
from ..errors import InputError
from ..eye_length import DEVICE_MM
from ..formats.image_writing import write_image
from ..formats.label_maps import write_label_map
from ..formats.tables import write_table
from ..mrml import region_export, visit_nodes, visit_results, volumes
from ..mrml.pixel_checksum import slice_checksum
from ..mrml.volumes import stored_files
from ..stages import Stages
from ..visits.eyes import eye_of_names
from ..visits.files import VisitFile
from ..visits.names import file_name, result_names
from ..visits.quality import quality
from .texts import tr as _
from .visits_words import side_text

_COLUMNS = ("visit", "date", "side", "image", "landmarks", "mask", "spacing_um", "centre_x", "centre_y")


@dataclass(frozen=True)
class ChosenVisit:
    """One visit before it is registered: a file or a volume of the scene, and its image quality."""

    name: str
    date: str
    quality: float
    file: VisitFile | None = None
    volume: Any | None = None


@dataclass(frozen=True)
class ChosenVisits:
    """The visits of one eye.

    Attributes
    ----------
    name : str
    key : str
        Identifies their source.
    visits : tuple of ChosenVisit
        In the order of time.
    spacing_um : float or None
        Pixel size for files without one.
    order : str
        "dates" or "names": what the order rests on.
    side : str
        "right", "left" or "".
    left_out : tuple of InputError
        Why visits of the source are not among them.
    notes : tuple of str
        What contradicts or is not understood.
    axial_length_mm : float or None
        The axial length that the table of the folder states.
    """

    name: str
    key: str
    visits: tuple[ChosenVisit, ...]
    spacing_um: float | None = None
    order: str = "names"
    side: str = ""
    left_out: tuple[InputError, ...] = ()
    notes: tuple[str, ...] = ()
    axial_length_mm: float | None = None


@dataclass(frozen=True)
class VisitsRequest:
    """Visits to be registered into `output`; `reference` is None for the one with the best quality.

    `replace` allows the results of other visits there to be replaced. `include` holds the names of visits that are used
    whatever is found of them. `side` is the one that the user chose, or "". `centre` is the name of a visit and the centre of
    the grid, (x, y) in its pixels, or None. Without them, the files tell. `regions` is a label map or a segmentation node with
    regions of the user, or None. The axial lengths are those of the eye (None: unknown) and of the eye that the device assumed,
    mm.
    """

    chosen: ChosenVisits
    output: Path
    reference: str | None
    checkpoint: Path | None
    device: str
    stages: Stages = field(default_factory=Stages)
    replace: bool = False
    include: tuple[str, ...] = ()
    side: str = ""
    centre: tuple[str, tuple[float, float]] | None = None
    regions: Any | None = None
    axial_length: float | None = None
    device_axial_length: float = DEVICE_MM


def from_file(file: VisitFile, spacing_um: float | None) -> ChosenVisit:
    """A visit of a folder; an `InputError` says why it cannot be used."""
    visit = file.load(spacing_um=spacing_um)
    return ChosenVisit(file.name, visit.date, quality(visit.image), file)


def from_volumes(nodes: Sequence[Any], dates: DateOrder = "ask") -> ChosenVisits:
    """Volumes of the scene as visits of one eye, in the order of time: by the headers of their files, or their names.

    Raises
    ------
    InputError
        One of them has several slices, or cannot be registered; a date cannot be understood, or both eyes are among them.
    """
    key = "|".join(["volumes", *sorted(node.GetID() for node in nodes)])
    by_name = dict(zip(_names(nodes), nodes, strict=True))
    paths = [(name, volumes.stored_path(node)) for name, node in by_name.items()]
    eye, notes = eye_of_names(_("Visits"), paths, dates)
    found = []
    for visit in eye.visits:
        node = by_name[visit.name]
        image = _image(node)
        found.append(ChosenVisit(visit.name, str(visit.when or ""), quality(image), volume=node))
    return ChosenVisits(eye.name, key, tuple(found), order=eye.order, side=eye.side, notes=tuple(notes))


def write_request(request: VisitsRequest, folder: Path) -> Path:
    """Write the input of the command line: a table of visits, and the volumes of the scene.

    Raises
    ------
    InputError
        The user chose another side than the files say.
    """
    side, rows = _side(request), []
    for visit in request.chosen.visits:
        if visit.file is None:
            image = _image(visit.volume)
            file = VisitFile(visit.name, folder / f"{visit.name}.nrrd")
            write_image(file.path, image.array, image.geometry)
        else:
            file = visit.file
        if request.centre is not None:
            file = replace(file, centre_xy=request.centre[1] if visit.name == request.centre[0] else None)
        rows.append(_row(file, visit.date, side))
    table = folder / "visits.csv"
    write_table(table, _COLUMNS, rows)
    return table


def _side(request: VisitsRequest) -> str:
    """The side of the eye."""
    chosen, stated = request.side, request.chosen.side
    if chosen and stated and chosen != stated:
        text = _("Side is {chosen}, but the files of the visits or their names say {stated}. Correct one of them.")
        raise InputError(text.format(chosen=side_text(chosen), stated=side_text(stated)))
    return chosen or stated


def checksums_of(chosen: ChosenVisits) -> dict[str, str]:
    """The checksums of the visits that are volumes of the scene, by their names: they may be edited while they are registered."""
    return {visit.name: slice_checksum(visit.volume, 0) for visit in chosen.visits if visit.volume is not None}


def write_regions(request: VisitsRequest, folder: Path) -> tuple[Path | None, str | None]:
    """Write the user's own regions, and say on which visit they lie; None where the file itself tells, or without regions.

    Raises
    ------
    InputError
        The node holds no region, or does not tell on which image it was drawn.
    """
    if request.regions is None:
        return None, None
    key = request.chosen.key
    found = region_export.regions_of(request.regions, _grids(request.chosen), visit_nodes.find_visits(key))
    path = (
        folder / "regions" / f"{file_name(request.regions.GetName(), 'regions')}.nrrd"
    )  # beside no visit of that name
    path.parent.mkdir()
    write_label_map(path, found.masks, found.geometry)
    return path, found.visit


def _grids(chosen: ChosenVisits) -> dict[str, Any]:
    """The volumes of the scene that are visits, by name."""
    return {visit.name: visit.volume for visit in chosen.visits if visit.volume is not None}


def _row(file: VisitFile, date: str, side: str) -> list[object]:
    """The cells of `_COLUMNS`."""
    parts = ("" if part is None else str(part.absolute()) for part in (file.path, file.landmarks, file.mask))
    numbers = (file.spacing_um, *(file.centre_xy or (None, None)))
    return [file.name, date, side, *parts, *("" if number is None else repr(float(number)) for number in numbers)]


def sources_of(chosen: ChosenVisits) -> list[Path]:
    """The files of the visits, those that volumes of the scene were loaded from too."""
    files = [path for visit in chosen.visits if visit.file is not None for path in _files(visit.file)]
    return files + [path for visit in chosen.visits if visit.volume is not None for path in stored_files(visit.volume)]


def _files(file: VisitFile) -> list[Path]:
    return [path for path in (file.path, file.landmarks, file.mask) if path is not None]


def nodes_of(chosen: ChosenVisits) -> dict[str, Any]:
    """The visits as volumes of the scene, by name; those of files are loaded unless they are there."""
    return {visit.name: visit.volume or _loaded(visit, chosen) for visit in chosen.visits}


def _loaded(visit: ChosenVisit, chosen: ChosenVisits) -> Any:
    source = f"{visit.file.path}|{chosen.spacing_um or ''}"
    return visit_results.visit_volume(visit.file.load(spacing_um=chosen.spacing_um), source, chosen.name)


def _image(node):
    slices = volumes.volume_slices(node)
    if slices > 1:
        raise InputError(
            _(
                "{name}: a visit is one 2D image, but this volume has {count} slices. Take it out, or load one slice."
            ).format(name=node.GetName(), count=slices)
        )
    return volumes.image_from_volume(node, without=visit_nodes.transform_over(node))


def _names(nodes: Sequence[Any]) -> list[str]:
    """Names of nodes as those of files, each once, and none that a result has."""
    # A semicolon would separate the columns of the table.
    return result_names([node.GetName().replace(";", "_") for node in nodes])
