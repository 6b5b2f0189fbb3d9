"""Visits of an eye: found, registered in a child process, loaded into the scene, compared, and reported."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..date_orders import DateOrder
from ..errors import InputError
from ..formats.files import replacing, writable_folder
from ..formats.output_folder import check_output, refuse_inputs_inside
from ..formats.written_files import TEMPORARY_INPUT
from ..jobs.command_lines import series_arguments
from ..jobs.job import Job
from ..jobs.outcome import JobEnd
from ..mrml import (
    change_nodes,
    landmark_nodes,
    measured_grid,
    moved_visits,
    point_places,
    scene,
    visit_nodes,
    visit_results,
    visit_sequence,
    visit_series,
)
from ..mrml.markups import MOVING_COLOUR
from ..mrml.placement_watch import PlacementWatch
from ..mrml.point_watch import PointWatch
from ..mrml.visit_nodes import VisitNodes
from ..visits.average import average
from ..visits.change_files import SeriesChange, series_change
from ..visits.eyes import Eye, Eyes
from ..visits.regions import etdrs_table
from ..visits.report import write_series
from ..visits.series import Series
from ..visits.sources import eyes_of_folder, eyes_of_table
from ..workflows.eyes_run import series_output
from ..workflows.visit_options import VisitsOptions
from .texts import field_name
from .texts import tr as _
from .visits_input import (
    ChosenVisits,
    VisitsRequest,
    checksums_of,
    from_file,
    from_volumes,
    nodes_of,
    sources_of,
    write_regions,
    write_request,
)
from .visits_measures import VisitsMeasures


class VisitsLogic:
    """Works on the visits that the panel's parameters name.

    Parameters
    ----------
    host : jobs.job.Host

    Attributes
    ----------
    measures : VisitsMeasures
        The tables, charts and zones of registered visits.
    """

    def __init__(self, host: Any) -> None:
        self._host = host
        self.measures = VisitsMeasures(host)
        self._jobs: dict[Job, Path] = {}  # and the folder of its temporary inputs
        self._computed: tuple[str, Series, SeriesChange] | None = None
        self._pixels: dict[str, dict[str, str]] = {}  # of visits that are being registered, by the source of the visits

    def eyes(self, folder: str, dates: DateOrder = "ask") -> Eyes:
        """The eyes of a folder; an `InputError` says what is wrong with it.

        Raises
        ------
        AmbiguousDate
            Day and month of a date cannot be distinguished; `dates` has to say which comes first.
        """
        return eyes_of_folder(Path(folder), dates)

    def scan(self, folder: str, eye: Eye, spacing_um: float | None) -> Generator[tuple[int, int], None, ChosenVisits]:
        """Read every visit of an eye in turn, yielding (read, of how many). One that cannot be used is named, and left out."""
        visits, left_out = [], []
        for number, file in enumerate(eye.visits):
            yield number, len(eye.visits)
            try:
                visits.append(from_file(file, spacing_um))
            except InputError as error:
                left_out.append(error)
        key = "|".join(["folder", folder, eye.name, str(spacing_um or "")])
        found = ChosenVisits(eye.name, key, tuple(visits), spacing_um, eye.order, eye.side, tuple(left_out))
        return replace(found, axial_length_mm=eye.axial_length_mm)

    def of_volumes(self, nodes: Sequence[Any], dates: DateOrder = "ask") -> ChosenVisits:
        """Volumes of the scene as visits; an `InputError` names one that cannot be used."""
        return from_volumes(nodes, dates)

    def find(self, chosen: ChosenVisits) -> VisitNodes | None:
        """The stored registration of these visits, or None."""
        return visit_nodes.find_visits(chosen.key)

    def centre_choice(self, chosen: ChosenVisits) -> tuple[str, tuple[float, float]] | None:
        """The centre that the user chose for these visits, as `VisitsRequest` takes it."""
        nodes = self.find(chosen)
        if nodes is None:
            return None
        if nodes.reference in nodes.deleted or nodes.reference not in {visit.name for visit in chosen.visits}:
            return None
        centre = measured_grid.moved_centre(nodes)
        return None if centre is None else (nodes.reference, centre)

    def start(self, request: VisitsRequest, on_event: Callable[[dict], None], on_end: Callable[[JobEnd], None]) -> Job:
        """Register the visits in a child process.

        Raises
        ------
        EarlierResultsError
            The folder for the results holds those of other visits.
        InputError
            It cannot be written to, is or holds a file of the visits, or holds other files that would be replaced.
        """
        refuse_inputs_inside(request.output, sources_of(request.chosen))
        temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY_INPUT))

        def finish(end: JobEnd) -> None:
            self._forget(job)
            on_end(end)

        job = Job(self._host, on_event, finish, translate=_, name_of=field_name)
        self._jobs[job] = temporary
        try:
            self._pixels[request.chosen.key] = checksums_of(request.chosen)
            table = write_request(request, temporary)
            regions, regions_visit = write_regions(request, temporary)
            options = VisitsOptions(replace=request.replace)
            check_output(series_output(eyes_of_table(table), request.output, options))
            arguments = series_arguments(
                visits=table,
                output=writable_folder(request.output),
                replace=request.replace,
                reference=request.reference,
                include=request.include,
                checkpoint=request.checkpoint,
                device=request.device,
                spacing_um=request.chosen.spacing_um,
                regions=regions,
                regions_visit=regions_visit,
                axial_length=request.axial_length,
                device_axial_length=request.device_axial_length,
                **request.stages.to_dict(),
            )
            job.start(arguments)
        except BaseException:
            self._forget(job)
            raise
        return job

    def load(self, chosen: ChosenVisits, folder: Path) -> Generator[str, None, VisitNodes]:
        """Load the results into the scene, yielding each next step."""
        yield _("Loading the visits ...")
        volumes = [visit.volume for visit in chosen.visits]
        with scene.unchanged_on_error(), visit_nodes.in_folder(chosen.name, chosen.key, *volumes):
            found = nodes_of(chosen)
            shown = _("{name} visit shown").format(name=chosen.name)
            pixels = self._pixels.pop(chosen.key, {})
            loading = visit_results.load_results(folder, found, chosen.key, chosen.name, shown, pixels)
            try:
                while True:
                    yield _("Loading {name} ...").format(name=next(loading))
            except StopIteration as end:
                nodes = end.value
            if not self.moved(nodes):  # the table of a visit that was edited meanwhile has the distances of then
                visit_series.update_distances(nodes)
            yield _("Loading the measures ...")
            self.measures.load(nodes, folder)
        self._computed = None
        return nodes

    def change(self, nodes: VisitNodes, earlier: str, later: str) -> SeriesChange:
        """Map the change between two visits into the scene.

        Raises
        ------
        InputError
            The same visit twice, or too few measurable pixels.
        """
        if earlier == later:
            raise InputError(_("{name} was chosen twice: choose two visits.").format(name=earlier))
        series = visit_series.series_of(nodes)
        _refuse_backwards(series, earlier, later)
        with scene.unchanged_on_error(), visit_nodes.in_folder(nodes.name, nodes.key):
            found = self._with_centre(nodes, series, series_change(series, (earlier, later)))
            geometry = _geometry(series)
            nodes.attribute("Earlier", earlier), nodes.attribute("Later", later)
            change_nodes.put_change(nodes, found, geometry, _names(nodes.name, earlier, later))
            change_nodes.put_centre(nodes, found.centre_xy, geometry, _("Centre of the grid"))
        self._computed = _key(nodes), series, found
        return found

    def measure_again(self, nodes: VisitNodes) -> SeriesChange | None:
        """Fill the table with the regions around the present centre; None without a change map."""
        if nodes["change"] is None or nodes["regions"] is None:
            return None
        series, found = self._present(nodes)
        found = self._with_centre(nodes, series, found)
        change_nodes.put_regions(nodes, found.rows, nodes["regions"].GetName())
        self._computed = _key(nodes), series, found
        return found

    def report(self, nodes: VisitNodes, path: Path) -> Generator[str, None, Path]:
        """Write one page with all results, yielding each next step."""
        yield _("Reading the visits ...")
        found = self._present(nodes)[1]
        series = visit_series.series_of(nodes)  # landmarks may have moved since
        yield _("Averaging ...")
        mean = average(series)
        yield _("Writing the report ...")
        with tempfile.TemporaryDirectory(prefix="visits-") as temporary:
            folder = Path(temporary) / _plain(nodes.name)
            write_series(folder, series, mean, {}, found)
            with replacing(path) as part:
                shutil.copyfile(folder / "report.html", part)
        return path

    def points(self, nodes: VisitNodes, name: str):
        """The list of landmarks of a visit, made where there is none; the next clicks in the views place its points."""
        volume, transform = nodes.volume(name), nodes.transform(name)
        node = visit_nodes.points_of(volume)
        if node is None:
            with visit_nodes.in_folder(nodes.name, nodes.key):
                node = landmark_nodes.new_list(_("{name} points").format(name=volume.GetName()), MOVING_COLOUR)
            visit_nodes.note_points(node, volume)
        if transform is not None:
            landmark_nodes.follow(node, volume, transform)
        point_places.check_positions(node, volume)
        landmark_nodes.set_visible(node, True)
        self.select(nodes, name)
        change_nodes.place_points(node)
        return node

    def update_distances(self, nodes: VisitNodes) -> None:
        """Measure the landmarks of the visits again; `InputError` if those of one cannot be measured."""
        visit_series.update_distances(nodes)
        visit_series.check_points(nodes)

    def points_of(self, nodes: VisitNodes) -> tuple[str, ...]:
        """Identifiers of the nodes to watch: the landmarks of the visits, and the centre."""
        lists = [*map(visit_nodes.points_of, nodes.volumes.values()), nodes["centre"]]
        return tuple(node.GetID() for node in lists if node is not None)

    def watch(self, nodes: VisitNodes, on_points: Callable[[], None], on_centre: Callable[[], None]) -> PointWatch:
        """Call these when landmarks of visits, or the centre, move; `close()` the returned object."""
        watch = PointWatch(self._host)
        for volume in nodes.volumes.values():
            watch.add(visit_nodes.points_of(volume), on_points)
        watch.add(nodes["centre"], on_centre)
        return watch

    def moved(self, nodes: VisitNodes) -> list[str]:
        """Names of the visits that were moved, rescaled or edited since they were registered."""
        return moved_visits.moved_visits(nodes)

    def watch_placement(self, moved: Callable[[], None]) -> PlacementWatch:
        """Call `moved` a moment after the nodes that the returned object follows are moved."""
        return PlacementWatch(moved, self._host.single_shot)

    def select(self, nodes: VisitNodes, name: str) -> bool:
        """Show a visit in the view of the visits; False for one that could not be aligned."""
        known = nodes["browser"] is not None and visit_sequence.select_visit(nodes["browser"], name)
        if known:
            change_nodes.show_one_at_a_time(nodes)
        return known

    def play(self, nodes: VisitNodes, on: bool) -> None:
        """Play the visits, or stop."""
        if nodes["browser"] is not None:
            if on:
                change_nodes.show_one_at_a_time(nodes)
            visit_sequence.play(nodes["browser"], on)

    def playing(self, nodes: VisitNodes | None) -> bool:
        """Whether the visits are playing."""
        browser = None if nodes is None else nodes["browser"]
        return browser is not None and bool(browser.GetPlaybackActive())

    def show(self, nodes: VisitNodes) -> None:
        """Show two visits and their change side by side; without a change, the visits one at a time beside the average."""
        change_nodes.show_visits(nodes)

    def close(self) -> None:
        """Stop all work at once."""
        for job in list(self._jobs):
            job.close()
            self._forget(job)
        self._computed = None

    def _forget(self, job: Job) -> None:
        temporary = self._jobs.pop(job, None)
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)

    def _present(self, nodes: VisitNodes) -> tuple[Series, SeriesChange | None]:
        """The series, and the change that the scene shows; computed again after a scene was loaded."""
        if self._computed is None or self._computed[0] != _key(nodes):
            series = visit_series.series_of(nodes)
            if nodes["change"] is None:
                return series, None
            found = series_change(series, (nodes.attribute("Earlier"), nodes.attribute("Later")))
            self._computed = _key(nodes), series, self._with_centre(nodes, series, found)
        return self._computed[1:]

    def _with_centre(self, nodes: VisitNodes, series: Series, found: SeriesChange) -> SeriesChange:
        """A change with the regions around the centre of the scene, for the side of the eye that the user chose."""
        centre, moved = change_nodes.centre_of(nodes, _geometry(series))
        centre = centre or measured_grid.measured_centre(nodes) or found.centre_xy
        rows = etdrs_table(found.change, centre, found.pixel_mm, nodes.side)
        return replace(found, centre_xy=centre, centre_chosen=moved, rows=rows)


def _refuse_backwards(series: Series, earlier: str, later: str) -> None:
    """Raise an `InputError` if the dates say that the earlier visit is the later one."""
    when = {entry.visit.name: entry.visit.when for entry in series.visits}
    if when[earlier] is not None and when[later] is not None and when[later].before(when[earlier]):
        text = _("{later} ({later_date}) is before {earlier} ({earlier_date}): choose the earlier visit first.")
        raise InputError(text.format(later=later, later_date=when[later], earlier=earlier, earlier_date=when[earlier]))


def _key(nodes: VisitNodes) -> str:
    parts = nodes.table.GetID(), nodes.attribute("Earlier"), nodes.attribute("Later")
    return "|".join([*parts, *moved_visits.moved_visits(nodes)])


def _geometry(series: Series):
    return series.visits[series.reference].visit.image.geometry


def _names(eye: str, earlier: str, later: str) -> dict[str, str]:
    pair = {"eye": eye, "earlier": earlier, "later": later}
    return {
        "change": _("{eye} density difference, {earlier} to {later}").format(**pair),
        "clusters": _("{eye} density changed, {earlier} to {later}").format(**pair),
        "unknown": _("{eye} not measurable, {earlier} to {later}").format(**pair),
        "colours": _("Change"),
        "unknownColours": _("Not measurable"),
        "regions": _("{eye} regions, {earlier} to {later}").format(**pair),
    }


def _plain(name: str) -> str:
    """A name as that of a folder."""
    return "".join("_" if letter in '<>:"/\\|?*' else letter for letter in name).strip(" .") or "visits"
