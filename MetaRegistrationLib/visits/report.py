"""The files of a series: images, transforms, tables, a film, and one page that shows all of it."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..core.geometry import Geometry
from ..formats.files import writable_folder, write_json, write_text
from ..formats.image_writing import write_displacement_field, write_image
from ..formats.output_folder import writing
from ..formats.tables import write_table
from ..progress import plain
from ..registration.overlays import grey_levels
from ..registration.schema import Measure
from .average import Average
from .change_files import WHAT_IT_SHOWS, SeriesChange, region_cells, write_change
from .columns import LOOP_COLUMNS, VISIT_COLUMNS, Loop, VisitOfSeries, cells
from .measure_files import write_measures
from .measure_page import measures_part
from .orders import ORDERS
from .output import series_output
from .regions import REGION_COLUMNS
from .series import LEAST_CONSISTENCY_PX, AlignedVisit, Series
from .series_measures import SeriesMeasures

COLUMNS = tuple(column.key for column in VISIT_COLUMNS)
_PICTURED = 800
_PLAY = (
    "let t=null,i=0;const f=document.querySelectorAll('#film .f');"
    "function s(){f.forEach((e,k)=>e.style.display=k==i?'block':'none');i=(i+1)%f.length}"
    "function go(){if(t){clearInterval(t);t=null}else{t=setInterval(s,700)}}s()"
)


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
    average.nrrd, count.nrrd, overlap.nrrd
        The mean of all used visits, the number of them with tissue at each pixel, and a mask (1) of the tissue common to
        all of them.
    film/NUMBER_VISIT.png
        The visits one after the other, all with the grey levels of the reference's range, the average last.
    visits.csv, consistency.csv
        One line per visit; one line per round trip over two visits.
    measurements.csv, changes.csv, trends.csv
        See `write_measures`.
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
    frames = []
    for number, entry in enumerate(series.visits, 1):
        if not entry.aligned:
            continue
        warped, seen = entry.warped
        write_image(folder / f"{entry.visit.name}.nrrd", warped, geometry)
        write_displacement_field(folder / f"{entry.visit.name}_transform.nrrd", _vectors(entry, geometry), geometry)
        frames.append((entry.visit.name, _frame(folder, f"{number:03d}_{entry.visit.name}", warped, seen)))
    write_image(folder / "average.nrrd", mean.image, geometry)
    write_image(folder / "count.nrrd", mean.count, geometry)
    all_shown = mean.count == len(series.used)
    write_image(folder / "overlap.nrrd", all_shown.astype(np.uint8), geometry)
    frames.append(("average", _frame(folder, f"{len(series.visits) + 1:03d}_average", mean.image, mean.count > 0)))
    rows = [cells(VISIT_COLUMNS, VisitOfSeries(series, index)) for index in range(len(series.visits))]
    write_table(folder / "visits.csv", COLUMNS, rows)
    loops = [cells(LOOP_COLUMNS, Loop(*names, px)) for names, px in series.round_trip_px.items()]
    write_table(folder / "consistency.csv", [column.key for column in LOOP_COLUMNS], loops)
    changed = "" if change is None else _change_part(write_change(folder, change, mean.image, geometry), change)
    measured = ""
    if measures is not None:
        write_measures(folder, record.get("eye", folder.name), measures)
        measured = measures_part(measures)
    write_text(folder / "report.html", _page(folder.name, series, rows, loops, frames, measured + changed))
    record = {**record, "reference": series.visits[series.reference].visit.name, "why": series.why}
    record |= {"order": series.order, "side": series.side}
    reasons = {
        key: {name: exclusion.text for name, exclusion in found.items()}
        for key, found in (("excluded", series.excluded), ("included_as_asked", series.asked))
    }
    write_json(folder / "series.json", plain({**record, "inconsistent": series.inconsistent, **reasons}))


def _vectors(entry: AlignedVisit, geometry: Geometry) -> np.ndarray:
    grid = np.stack(np.meshgrid(*map(np.arange, geometry.size), indexing="ij"), axis=-1)
    return entry.visit.image.geometry.to_physical(entry.positions.astype(np.float64)) - geometry.to_physical(grid)


def _frame(folder: Path, name: str, image: np.ndarray, seen: np.ndarray) -> str:
    """Write a picture of the film; the same as base64, for the page."""
    step = -(-max(image.shape) // _PICTURED)
    levels = grey_levels(np.where(seen, image, np.nan))[::step, ::step]
    picture = np.round(255 * np.nan_to_num(levels)).astype(np.uint8)
    path = folder / "film" / f"{name}.png"
    write_image(path, picture, Geometry(picture.shape))
    return base64.b64encode(path.read_bytes()).decode("ascii")


def _change_part(picture: Path, found: SeriesChange) -> str:
    """The section of the change, for the page."""
    names = html.escape(f"{found.earlier.visit.name} to {found.later.visit.name}")
    doubts = "".join(f"<p>{html.escape(doubt)}.</p>" for doubt in found.doubts)
    noise = "this pair itself" if found.change.own_noise else "repeat scans"
    sizes = (
        "Circles of 1, 3 and 6 mm"
        if found.pixel_mm
        else "The pixel size is unknown: the circles are no ETDRS circles, they"
    )
    where = "chosen" if found.centre_chosen else "suggested: check it"
    x, y = found.centre_xy
    data = base64.b64encode(picture.read_bytes()).decode("ascii")
    return (
        f"<h2>Change, {names}</h2>{doubts}<p>Local vessel density. {html.escape(WHAT_IT_SHOWS)} Coloured strongly from"
        f" {found.change.threshold:g} SD; one SD is estimated from {noise}.</p>"
        f'<img src="data:image/png;base64,{data}" alt="change">'
        f"<p>{sizes} go round x = {x:.0f}, y = {y:.0f} px ({where}).</p>"
        f"{_html_table(REGION_COLUMNS, region_cells(found.rows))}"
    )


def _page(title: str, series: Series, rows: list, loops: list, frames: list[tuple[str, str]], changed: str) -> str:
    pictures = "".join(_figure(name, data) for name, data in frames)
    why = (
        f"Visits in the {ORDERS[series.order]}. Reference: {series.visits[series.reference].visit.name}, {series.why}."
    )
    if series.inconsistent:
        names = ", ".join(series.inconsistent)
        why += f" Inconsistent alignment: round-trip error over {LEAST_CONSISTENCY_PX} px. Check {names}."
    for name, exclusion in series.excluded.items():
        why += f" Out of average and change: {name}, {exclusion.text}."
    for name, exclusion in series.asked.items():
        why += f" Used as asked: {name}, {exclusion.text}."
    return "\n".join(
        [
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>',
            "<style>body{font-family:sans-serif;max-width:60em;margin:2em auto}td,th{border:1px solid #999;padding:.2em .5em}"
            "table{border-collapse:collapse}img{width:100%}figure{margin:0}.f+.f{display:none}</style>",
            f"<h1>{html.escape(title)}</h1><p>{html.escape(why)} For research, not for clinical use.</p>",
            f"<h2>Film</h2><p><button onclick='go()'>Play / pause</button></p><div id='film'>{pictures}</div>",
            f"<script>{_PLAY}</script>",
            f"<h2>Visits</h2>{_html_table(_titles(VISIT_COLUMNS), rows)}{changed}",
            "<h2>Consistency</h2><p>Each visit is registered to the reference directly and through a third visit. A grid px is a"
            f" pixel of the network grid (400 x 400).</p>{_html_table(_titles(LOOP_COLUMNS), loops)}</html>",
            "",
        ]
    )


def _figure(name: str, data: str) -> str:
    name = html.escape(name)
    picture = f'<img src="data:image/png;base64,{data}" alt="{name}">'
    return f'<figure class="f">{picture}<figcaption>{name}</figcaption></figure>'


def _titles(columns: Sequence[Measure]) -> list[str]:
    return [column.title for column in columns]


def _html_table(columns, rows) -> str:
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in columns)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"
