"""The files of a series: images, transforms, tables, a film, and one page that shows all of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..core.geometry import Geometry
from ..formats.files import writable_folder, write_json, write_text
from ..formats.image_writing import write_displacement_field, write_image
from ..formats.output_folder import writing
from ..formats.tables import write_table
from ..progress import plain
from ..registration.overlays import grey_levels
from .average import Average
from .change_files import SeriesChange, write_change
from .columns import LOOP_COLUMNS, VISIT_COLUMNS, VisitOfSeries, cells, loops_of
from .faz_files import write_outlines
from .measure_files import write_measures
from .output import series_output
from .page.content import Content
from .page.document import page
from .series import AlignedVisit, Series
from .series_measures import SeriesMeasures

COLUMNS = tuple(column.key for column in VISIT_COLUMNS)
_PICTURED = 800


def write_series(
    folder: Path,
    series: Series,
    mean: Average,
    record: dict,
    change: SeriesChange | None = None,
    measures: SeriesMeasures | None = None,
    *,
    replace: bool = False,
) -> None:
    """Write a series into `folder`, with the change between two of its visits if there is one.

    Files
    -----
    VISIT.nrrd, VISIT_transform.nrrd
        Each aligned visit on the reference's pixels, and the transform from reference to visit points (LPS vectors in mm).
    VISIT_error_95.nrrd
        The 95 % bound of the predicted error of its alignment, in pixels of the network grid, NaN where it is not known; not
        for the reference, and not if no error was predicted.
    average.nrrd, count.nrrd, overlap.nrrd
        The mean of all used visits, the number of them with tissue at each pixel, and a mask (1) of the tissue common to
        all of them.
    film/NUMBER_VISIT.png
        The visits one after the other, all with the grey levels of the reference's range, the average last.
    visits.csv, consistency.csv
        One line per visit; one line per round trip over two visits.
    measurements.csv, changes.csv, trends.csv
        See `write_measures`.
    faz_VISIT.mrk.json
        The foveal avascular zone of each visit in which it is clear: a closed curve for 3D Slicer.
    change_A_to_B ...
        See `write_change`.
    report.html
        All of it on one page without external files; `series.json` is written last.

    With `replace`, results of other visits in the folder are replaced.

    Raises
    ------
    InputError
        The folder is or holds an image of the series, it holds files that are not replaced (`formats.output_folder`), or it
        cannot be written to.
    """
    with writing(series_output(series, folder, replace=replace)):
        _write_files(folder, series, mean, record, change, measures)


def _write_files(
    folder: Path,
    series: Series,
    mean: Average,
    record: dict,
    change: SeriesChange | None,
    measures: SeriesMeasures | None,
) -> None:
    writable_folder(folder / "film")
    geometry = series.visits[series.reference].visit.image.geometry
    for number, entry in enumerate(series.visits, 1):
        if not entry.aligned:
            continue
        warped, seen = entry.warped
        write_image(folder / f"{entry.visit.name}.nrrd", warped, geometry)
        write_displacement_field(folder / f"{entry.visit.name}_transform.nrrd", _vectors(entry, geometry), geometry)
        if entry.error is not None and number - 1 != series.reference:
            write_image(folder / f"{entry.visit.name}_error_95.nrrd", entry.error.bound_px, geometry)
        _frame(folder, f"{number:03d}_{entry.visit.name}", warped, seen)
    write_image(folder / "average.nrrd", mean.image, geometry)
    write_image(folder / "count.nrrd", mean.count, geometry)
    all_shown = mean.count == len(series.used)
    write_image(folder / "overlap.nrrd", all_shown.astype(np.uint8), geometry)
    _frame(folder, f"{len(series.visits) + 1:03d}_average", mean.image, mean.count > 0)
    rows = [cells(VISIT_COLUMNS, VisitOfSeries(series, index)) for index in range(len(series.visits))]
    write_table(folder / "visits.csv", COLUMNS, rows)
    loops = [cells(LOOP_COLUMNS, loop) for loop in loops_of(series)]
    write_table(folder / "consistency.csv", [column.key for column in LOOP_COLUMNS], loops)
    picture = None if change is None else write_change(folder, change, mean.image, geometry)
    eye = record.get("eye", folder.name)
    if measures is not None:
        write_measures(folder, eye, measures)
        write_outlines(folder, measures.zones, geometry)
        record = {**record, "centre_xy": measures.grid.centre_xy}
    write_text(folder / "report.html", page(Content(eye, series, mean, measures, change, picture)))
    record = {**record, "reference": series.visits[series.reference].visit.name, "why": series.why}
    record |= {"order": series.order, "side": series.side}
    reasons = {
        key: {name: exclusion.text for name, exclusion in found.items()}
        for key, found in (
            ("excluded", series.excluded),
            ("included_as_asked", series.asked),
            ("poor_but_used", series.poor),
        )
    }
    write_json(folder / "series.json", plain({**record, "inconsistent": series.inconsistent, **reasons}))


def _vectors(entry: AlignedVisit, geometry: Geometry) -> np.ndarray:
    grid = np.stack(np.meshgrid(*map(np.arange, geometry.size), indexing="ij"), axis=-1)
    return entry.visit.image.geometry.to_physical(entry.positions.astype(np.float64)) - geometry.to_physical(grid)


def _frame(folder: Path, name: str, image: np.ndarray, seen: np.ndarray) -> None:
    """Write a picture of the film."""
    step = -(-max(image.shape) // _PICTURED)
    levels = grey_levels(np.where(seen, image, np.nan))[::step, ::step]
    picture = np.round(255 * np.nan_to_num(levels)).astype(np.uint8)
    write_image(folder / "film" / f"{name}.png", picture, Geometry(picture.shape))
