"""The visits that the user chose: images of a folder, or volumes of the scene."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..formats.image_writing import write_image
from ..formats.tables import write_table
from ..mrml import visit_nodes, visit_results, volumes
from ..stages import Stages
from ..visits.files import VisitFile
from ..visits.quality import quality
from .texts import tr as _

_COLUMNS = ("visit", "date", "image", "landmarks", "mask")
_TAKEN = ("average", "count", "film")


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
    """The visits of one eye. `key` identifies their source; `spacing_um` is for files without a pixel size."""

    name: str
    key: str
    visits: tuple[ChosenVisit, ...]
    spacing_um: float | None = None


@dataclass(frozen=True)
class VisitsRequest:
    """Visits to be registered into `output`; `reference` is None for the one with the best quality."""

    chosen: ChosenVisits
    output: Path
    reference: str | None
    checkpoint: Path | None
    device: str
    stages: Stages = field(default_factory=Stages)


def from_file(file: VisitFile, spacing_um: float | None) -> ChosenVisit:
    """A visit of a folder; an `InputError` says why it cannot be used."""
    return ChosenVisit(file.name, file.date, quality(file.load(spacing_um=spacing_um).image), file)


def from_volumes(nodes: Sequence[Any]) -> ChosenVisits:
    """Volumes of the scene as visits of one eye, in their order.

    Raises
    ------
    InputError
        One of them has several slices, or cannot be registered.
    """
    key = "|".join(["volumes", *sorted(node.GetID() for node in nodes)])
    earlier = visit_nodes.find_visits(key)
    visits = []
    for name, node in zip(_names(nodes), nodes, strict=True):
        image = _image(node, None if earlier is None else earlier.transform(name))
        visits.append(ChosenVisit(name, "", quality(image), volume=node))
    return ChosenVisits(_("Visits"), key, tuple(visits))


def write_request(request: VisitsRequest, folder: Path) -> Path:
    """Write the input of the command line: a table of visits, and the volumes of the scene."""
    earlier = visit_nodes.find_visits(request.chosen.key)
    rows = []
    for visit in request.chosen.visits:
        if visit.file is not None:
            parts = (visit.file.path, visit.file.landmarks, visit.file.mask)
            rows.append([visit.name, visit.date, *("" if part is None else str(part.absolute()) for part in parts)])
            continue
        image = _image(visit.volume, None if earlier is None else earlier.transform(visit.name))
        path = folder / f"{visit.name}.nrrd"
        write_image(path, image.array, image.geometry)
        rows.append([visit.name, visit.date, str(path), "", ""])
    table = folder / "visits.csv"
    write_table(table, _COLUMNS, rows)
    return table


def nodes_of(chosen: ChosenVisits) -> dict[str, Any]:
    """The visits as volumes of the scene, by name; those of files are loaded unless they are there."""
    return {visit.name: visit.volume or _loaded(visit, chosen.spacing_um) for visit in chosen.visits}


def _loaded(visit: ChosenVisit, spacing_um: float | None) -> Any:
    source = f"{visit.file.path}|{spacing_um or ''}"
    return visit_results.visit_volume(visit.file.load(spacing_um=spacing_um), source)


def _image(node, transform):
    slices = volumes.volume_slices(node)
    if slices > 1:
        raise InputError(
            _(
                "{name}: a visit is one 2D image, but this volume has {count} slices. Take it out, or load one slice."
            ).format(name=node.GetName(), count=slices)
        )
    return volumes.image_from_volume(node, without=transform)


def _names(nodes: Sequence[Any]) -> list[str]:
    """Names of nodes as those of files, each once."""
    names: list[str] = []
    for node in nodes:
        wish = re.sub(r'[<>:;"/\\|?*\x00-\x1f]', "_", node.GetName()).strip(" .") or _("visit")
        name, number = wish, 2
        while name.lower() in (*map(str.lower, names), *_TAKEN):
            name, number = f"{wish} {number}", number + 1
        names.append(name)
    return names
