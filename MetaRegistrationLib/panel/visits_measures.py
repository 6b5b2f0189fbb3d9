"""The measures of registered visits in the scene: tables, charts, and foveal avascular zones that can be corrected."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..eye_length import EyeLength
from ..formats.markups import read_mrk_json
from ..formats.tables import Row, read_table
from ..mrml import faz_curves, measure_charts, measured_grid
from ..mrml.change_nodes import place_points
from ..mrml.charts import LEAST_POINTS
from ..mrml.moved_visits import moved_visits
from ..mrml.node_watch import NodeWatch
from ..mrml.point_watch import PointWatch
from ..mrml.visit_nodes import CHARTED, VisitNodes, in_folder, name_in_scene, set_text, text_table
from ..octa.faz import Faz
from ..octa.outline_faults import crosses_itself, leaves
from ..visits.dates import read_date
from ..visits.faz_files import CORRECTED_COLUMNS, CorrectedFaz, faz_file, keep_corrected
from ..visits.measure_files import CHANGE_COLUMNS, CHANGES, MEASUREMENT_COLUMNS, MEASUREMENTS, TREND_COLUMNS, TRENDS
from .texts import tr as _
from .visits_words import cell_text, column_text, measure_text, side_text, unit_text

_TABLES = (
    ("measurements", MEASUREMENTS, MEASUREMENT_COLUMNS),
    ("changes", CHANGES, CHANGE_COLUMNS),
    ("trends", TRENDS, TREND_COLUMNS),
)
_DAYS_A_YEAR = 365.25


class VisitsMeasures:
    """Works on the nodes of registered visits.

    Parameters
    ----------
    host : jobs.job.Host
    """

    def __init__(self, host: Any) -> None:
        self._host = host

    def load(self, nodes: VisitNodes, folder: Path) -> None:
        """Put the measures of a folder of results into the scene: tables, charts, curves.

        Results without measures, as of earlier versions, have none.
        """
        titles = {"measurements": _("{name} measures"), "changes": _("{name} changes"), "trends": _("{name} trends")}
        rows: dict[str, list[Row]] = {}
        for part, file, columns in _TABLES:
            if (folder / file).is_file():
                rows[part] = read_table(folder / file, columns)
                cells = [[cell_text(column, row.text(column)) for column in columns] for row in rows[part]]
                name = titles[part].format(name=nodes.name)
                nodes[part] = text_table(name, [column_text(column) for column in columns], cells)
        self._load_charts(nodes, rows.get("measurements", []), rows.get("changes", []))
        for visit in nodes.aligned:
            path = folder / faz_file(visit)
            if path.is_file() and nodes.zone(visit) is None:  # one that the user changed stays
                faz_curves.put_zone(nodes, visit, read_mrk_json(path)[1], _zone_name(nodes, visit))
        self.show_zone(nodes)

    def _load_charts(self, nodes: VisitNodes, rows: Sequence[Row], changes: Sequence[Row]) -> None:
        """A chart of each main measure of the whole image, with the smallest detectable change from the first visit."""
        whole = [row for row in rows if row.text("region") == "whole"]
        times = _times(whole)
        for measure in CHARTED:
            found = [row for row in whole if row.text("measure") == measure and row.text("value")]
            points = [
                (time, row.number("value")) for row in found if (time := times.get(row.text("visit"))) is not None
            ]
            if len(points) < LEAST_POINTS:
                measure_charts.empty_chart(nodes, measure)
                continue
            unit = unit_text(found[0].text("unit"))
            axis = f"{measure_text(measure)} ({unit})" if unit else measure_text(measure)
            across = _("Year") if _dated(whole) else _("Visit number")
            titles = measure_charts.ChartTitles(
                f"{nodes.name}: {measure_text(measure)}",
                across,
                axis,
                _("within repeatability"),
                (_("lowest within repeatability"), _("highest within repeatability")),
            )
            measure_charts.put_chart(nodes, measure, titles, sorted(points), _band(measure, sorted(points), changes))

    def other_than_measured(self, nodes: VisitNodes, length: EyeLength | None) -> list[str]:
        """What was changed after the visits were measured, in words with the values of then; `length` is that of now."""
        found = []
        if faz_curves.reference_geometry(nodes) is not None:  # without a pixel size there is no grid
            if measured_grid.other_side(nodes):
                found.append(_("side ({side})").format(side=side_text(measured_grid.measured_side(nodes))))
            # On a reference that was moved or rescaled, the centre is elsewhere, though nobody moved it.
            if nodes.reference not in moved_visits(nodes) and measured_grid.other_centre(nodes):
                found.append(_("centre of the grid"))
        if nodes.eye_length != length:
            found.append(_length_text(nodes.eye_length))
        return found

    def charts(self, nodes: VisitNodes) -> list[str]:
        """The measures that have a chart."""
        return [measure for measure in CHARTED if measure_charts.has_curves(nodes[f"chart_{measure}"])]

    def show_chart(self, nodes: VisitNodes, measure: str) -> bool:
        """Draw the chart of a measure in a plot view; False where there is none."""
        return measure_charts.show_chart(nodes[f"chart_{measure}"])

    def shown_visit(self, nodes: VisitNodes) -> str:
        """The visit that the views show; empty without one."""
        browser, names = nodes["browser"], nodes.aligned
        number = -1 if browser is None else browser.GetSelectedItemNumber()
        return names[number] if 0 <= number < len(names) else ""

    def show_zone(self, nodes: VisitNodes) -> str:
        """Show the curve of the visit that the views show, and no other; the visit's name."""
        visit = self.shown_visit(nodes)
        faz_curves.show_only(nodes, visit)
        return visit

    def zone(self, nodes: VisitNodes, visit: str) -> tuple[Faz | None, str]:
        """The zone of a visit measured again, and the state of its curve (`faz_curves`).

        Raises
        ------
        InputError
            The reference is no longer in the scene, or where it is cannot be told.
        """
        node = nodes.zone(visit)
        return faz_curves.measured(nodes, visit), faz_curves.FOUND if node is None else faz_curves.state_of(node)

    def why_no_zone(self, nodes: VisitNodes, visit: str) -> str:
        """Why a visit has no zone that can be measured, a sentence."""
        if nodes.zone(visit) is None:
            text = _(
                "FAZ of {visit}: the scene holds no outline of it. None was found with certainty, or it was deleted. It can be"
                " drawn."
            )
        elif faz_curves.reference_geometry(nodes) is None:
            text = _("FAZ of {visit}: not measured, because the pixel size is unknown.")
        else:
            text = _("FAZ of {visit}: its curve has fewer than three points.")
        return text.format(visit=visit)

    def fault(self, nodes: VisitNodes, visit: str, zone: Faz | None) -> str:
        """Why the zone of a visit cannot be measured, a sentence; empty where it can."""
        if zone is None:
            return ""
        if crosses_itself(zone.outline):
            text = _(
                "FAZ of {visit}: not measured, because the curve crosses itself. Move or delete the points of the loop."
            )
        elif leaves(zone.outline, faz_curves.reference_geometry(nodes).size):
            text = _(
                "FAZ of {visit}: not measured, because the curve leaves the image. Move its points into the image."
            )
        else:
            return ""
        return text.format(visit=visit)

    def changed(self, nodes: VisitNodes, visit: str) -> None:
        """Points of a visit's curve were moved."""
        faz_curves.set_state(nodes.zone(visit), faz_curves.CHANGED)

    def draw_zone(self, nodes: VisitNodes, visit: str) -> None:
        """Let the next clicks in the views draw the zone of a visit.

        Raises
        ------
        InputError
            The reference is no longer in the scene, or its pixel size is unknown, so that nothing can be measured.
        """
        if faz_curves.reference_geometry(nodes) is None:
            raise InputError(
                _("The pixel size is unknown, so the FAZ cannot be measured. Give it, and register again.")
            )
        with in_folder(nodes.name, nodes.key):
            node = nodes.zone(visit) or faz_curves.put_zone(nodes, visit, [], _zone_name(nodes, visit))
        place_points(node)

    def keep(self, nodes: VisitNodes, visit: str) -> Path | None:
        """Keep the corrected zone of a visit, in a table of the scene and beside the results; None where those are gone.

        Raises
        ------
        InputError
            There is no zone or no reference, or its curve has a `fault`; nothing is kept. Or the file cannot be written; the
            table of the scene has the values all the same.
        """
        zone = faz_curves.measured(nodes, visit)
        if zone is None:
            raise InputError(_("{name}: its FAZ has fewer than three points.").format(name=visit))
        if fault := self.fault(nodes, visit, zone):
            raise InputError(fault)
        date = next(row["date"] for row in nodes.rows if row["visit"] == visit)
        length = nodes.eye_length
        eye = nodes.attribute("ResultsEye") or nodes.name
        found = CorrectedFaz(eye, visit, date, zone, None if length is None else length.axial_mm)
        with in_folder(nodes.name, nodes.key):
            _put_corrected(nodes, found)
        faz_curves.set_state(nodes.zone(visit), faz_curves.KEPT)
        folder = Path(nodes.attribute("Results") or ".")
        if not nodes.attribute("Results") or not (folder / "series.json").is_file():
            return None
        return keep_corrected(folder, found)

    def watch(self, nodes: VisitNodes, on_zone: Callable[[str], None]) -> PointWatch:
        """Call with the name of the visit when points of its curve move; `close()` the returned object."""
        watch = PointWatch(self._host)
        for visit, zone in nodes.zones.items():
            watch.add(zone, lambda visit=visit: on_zone(visit))
        return watch

    def watch_browser(self, nodes: VisitNodes, on_visit: Callable[[], None]) -> NodeWatch:
        """Call when the views may show another visit; `close()` the returned object."""
        return NodeWatch(nodes["browser"], on_visit)


def _length_text(length: EyeLength | None) -> str:
    if length is None:
        return _("axial length (none)")
    text = _("axial length ({axial:g} mm, the device assumes {device:g} mm)")
    return text.format(axial=length.axial_mm, device=length.device_mm)


def _zone_name(nodes: VisitNodes, visit: str) -> str:
    return name_in_scene(nodes.name, _("{name} FAZ").format(name=visit))


def _put_corrected(nodes: VisitNodes, found: CorrectedFaz) -> None:
    """Put a corrected zone into the table of the scene, in place of an earlier one of its visit."""
    node, titles = nodes["corrected"], [column_text(column) for column in CORRECTED_COLUMNS]
    cells = [[cell_text(name, text) for name, text in zip(CORRECTED_COLUMNS, row, strict=True)] for row in found.rows()]
    if node is None:
        name = _("{name} FAZ corrected by hand").format(name=nodes.name)
        nodes["corrected"] = text_table(name, titles, cells)
        return
    table = node.GetTable()
    rows = [
        [table.GetValue(row, column).ToString() for column in range(table.GetNumberOfColumns())]
        for row in range(table.GetNumberOfRows())
    ]
    visit = CORRECTED_COLUMNS.index("visit")
    set_text(node, titles, [row for row in rows if row[visit] != found.visit] + cells)


def _band(measure: str, points: Sequence[tuple[float, float]], changes: Sequence[Row]) -> tuple[float, float] | None:
    """The values that differ from the first day by no more than repeat scans do; None where that is unknown."""
    found = [row for row in changes if (row.text("measure"), row.text("region")) == (measure, "whole")]
    reach = [row.number("cor") for row in found if row.text("cor")]
    first = [value for time, value in points if time == points[0][0]]
    if not reach:
        return None
    middle = sum(first) / len(first)
    return middle - reach[-1], middle + reach[-1]


def _dated(rows: Sequence[Row]) -> bool:
    """Whether all visits have a date."""
    return bool(rows) and all(_start(row) is not None for row in rows)


def _start(row: Row) -> datetime.date | None:
    """The first day that the date of a visit can mean."""
    try:
        when = read_date(row.text("date"), row.place)
    except InputError:
        return None
    return None if when is None else when.start.date()


def _times(rows: Sequence[Row]) -> dict[str, float]:
    """By visit, the year with its fraction, or where a date is unknown the number of the visit in their order."""
    if not _dated(rows):
        return {
            visit: float(number) for number, visit in enumerate(dict.fromkeys(row.text("visit") for row in rows), 1)
        }
    found = {}
    for row in rows:
        day = _start(row)
        found[row.text("visit")] = day.year + (day - day.replace(month=1, day=1)).days / _DAYS_A_YEAR
    return found
