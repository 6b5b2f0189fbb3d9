"""The work on one eye: its visits read, aligned, checked, averaged, measured and compared, and its files written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..eye_length import EyeLength
from ..progress import Message, Reader, Silent, Stage
from .pair_work import reason_of
from .registering import NOT_MIRRORED
from .repeat_scans import RepeatScans
from .visit_checks import check_grid_centre, check_names, landmark_notes
from .visit_messages import (
    because_of_alignment,
    changed_measures,
    report_centre,
    report_scale,
    report_series,
    uncertain_regions,
)
from .visit_options import VisitsOptions

if TYPE_CHECKING:
    from ..formats.images import Image
    from ..registration.registrar import Registrar, Registration
    from ..visits import Series, Visit
    from ..visits.change_files import SeriesChange
    from ..visits.eyes import Eye
    from ..visits.eyes_table import EyeRow
    from ..visits.files import VisitFile
    from ..visits.own_regions import GivenRegions, OwnRegions
    from ..visits.series_measures import SeriesMeasures

_MOST_AT_ONCE = 8  # memory: each takes some 100 MB


def align_visits(
    visits: Sequence[Visit],
    registrar: Registrar,
    reference: str | None = None,
    progress: Reader | None = None,
    include: Sequence[str] = (),
) -> Series:
    """Align the visits of one eye to one of them, with several registrations in parallel on a processor.

    Parameters
    ----------
    visits : sequence of Visit
        At least two, each name once.
    registrar : Registrar
    reference : str, optional
        Name of the visit that stays in place.
    progress : Reader, optional
    include : sequence of str
        As of `VisitsOptions`.
    """
    from ..visits import align_series

    progress = progress or Silent()
    names = {id(visit.image): visit.name for visit in visits}
    stored: dict[str, None] = {}

    def register(moving: Image, fixed: Image) -> Registration:
        found = registrar(moving, fixed)
        if found.without_directions:
            stored[f"{names[id(moving)]} to {names[id(fixed)]}"] = None
        return found

    with _side_by_side(registrar) as many:
        series = align_series(visits, register, reference, _registrations(len(visits), progress), many, include)
    for pair in stored:
        progress(Message(f"{pair}: {NOT_MIRRORED}", "warning"))
    return series


def _registrations(visits: int, progress: Reader) -> Callable[[str], None]:
    """The reporter of each registration of a series, and of their number as far as it is known."""
    # Each other visit to the reference, and one in two to another; more where one goes through another.
    likely = 3 * (visits - 1) // 2
    numbers = count(1)

    def tell(detail: str) -> None:
        number = next(numbers)
        progress(Stage("register", detail, number, max(likely, number)))

    return tell


@dataclass(frozen=True, eq=False)
class EyeWork:
    """The work on one eye. `left_out` names what is left out on the way, with reasons."""

    options: VisitsOptions
    registrar: Registrar
    record: dict
    repeats: RepeatScans | None
    regions: GivenRegions | None
    progress: Reader
    left_out: dict[str, str] = field(default_factory=dict)

    def one(self, eye: Eye, folder: Path) -> EyeRow:
        """Process one eye into `folder`."""
        from ..visits import average
        from ..visits.eyes_table import DONE, EyeRow
        from ..visits.orders import ORDERS
        from ..visits.report import write_series

        options = self.options
        check_names(eye, options)
        visits = self._loaded(eye)
        names = {visit.name for visit in visits}
        include = [name for name in options.include if name in names]  # of several eyes, each has its own names
        series = align_visits(visits, self.registrar, options.reference, self.progress, include)
        series = replace(series, order=eye.order, side=eye.side, eye_length=self._length(eye))
        self.progress(Message(f"visits in the {ORDERS[eye.order]}: {', '.join(visit.name for visit in visits)}"))
        with ThreadPoolExecutor(1) as beside:
            averaging = beside.submit(average, series)
            own = self._own(series)
            measures = self._measures(series, own)
            change = self._change(series) if options.change.wanted else None
            mean = averaging.result()
        images = {file.name: file.path for file in eye.visits}
        record = {**self.record, "eye": eye.name, "images": images, **given_for_measures(series, own)}
        write_series(folder, series, mean, record, change, measures)
        report_series(series, self.progress)
        self.left_out.update({name: exclusion.text for name, exclusion in series.excluded.items()})
        return EyeRow(
            eye.name,
            DONE,
            len(visits),
            sum(entry.confident for entry in series.visits),
            len(series.used),
            series.visits[series.reference].visit.name,
            max((px for px in series.round_trip_px.values() if px == px), default=math.nan),
            tuple(self.left_out.items()),
        )

    def _loaded(self, eye: Eye) -> list[Visit]:
        """The visits that can be read, with landmarks that match; the others are named.

        Raises
        ------
        InputError
            Fewer than two can be read, landmarks do not match, or the centre of the grid is outside of the reference.
        """
        from ..visits.scan_sizes import unusual_scan_size

        visits, wanted = [], self.options
        for file in eye.visits:
            try:
                visits.append(self._read(file))
            except InputError as error:
                self.left_out[file.name] = reason_of(error)
                self.progress(Message.of(error, f"left out: {file.name}: "))
                continue
            image = visits[-1].image
            for note in image.notes:
                self.progress(Message(f"{file.name}: {note}", "warning"))
            for text in unusual_scan_size(image.geometry, file.name, (file.spacing_um, wanted.spacing_um)):
                self.progress(Message(text, "warning"))
        if len(visits) < 2:
            raise InputError(f"{eye.name}: fewer than two visits can be read. A series needs at least two.")
        check_names(
            replace(eye, visits=tuple(file for file in eye.visits if file.name in {v.name for v in visits})), wanted
        )
        check_grid_centre(visits, wanted)
        for note in landmark_notes(visits, wanted.reference):
            self.progress(Message(note, "warning"))
        if self.regions is not None:
            from ..visits.own_regions import fitting

            fitting(self.regions, visits)  # before the visits are registered
        return visits

    def _read(self, file: VisitFile) -> Visit:
        wanted = self.options
        return file.load(wanted.slice_index, wanted.spacing_um, override_spacing=wanted.override_spacing)

    def _length(self, eye: Eye) -> EyeLength | None:
        """The axial length of an eye."""
        if eye.axial_length_mm is None:
            return None
        return EyeLength(eye.axial_length_mm, self.options.device_axial_length_mm)

    def _own(self, series: Series) -> OwnRegions | None:
        """The user's own regions on the reference. If they cannot be brought there, None, with a message."""
        from ..visits.own_regions import on_reference

        if self.regions is None:
            return None
        try:
            found = on_reference(self.regions, series)
        except InputError as error:
            self.left_out["regions"] = reason_of(error)
            self.progress(Message.of(error, "your own regions are not measured: "))
            return None
        text = f"regions of your own, drawn on {found.visit}: {', '.join(found.masks)}"
        if found.others:
            text += f". They fit {', '.join(found.others)} too ({{field}})"
        self.progress(Message.about("regions_visit", text, level="warning" if found.others else "info"))
        return found

    def _measures(self, series: Series, own: OwnRegions | None = None) -> SeriesMeasures | None:
        """The measures of the used visits; None without any."""
        from ..visits.comparable import LEAST_VESSEL_AGREEMENT
        from ..visits.faz_notes import faz_text
        from ..visits.series_measures import grid_of, measure_series

        if not series.used:
            return None
        grid = grid_of(series, self.options.change.centre_xy, None if own is None else own.masks)
        report_scale(series, "spacing_um", self.progress)
        report_centre(series, self.options.change.centre_xy, self.progress)
        found = measure_series(series, grid, self.repeats and self.repeats.measures)
        for (earlier, later), agreement in found.agreement.items():
            if agreement < LEAST_VESSEL_AGREEMENT:
                text = (
                    f"{earlier} and {later}: not comparable, the agreement of their larger vessels is {agreement:.2f}"
                )
                self.progress(Message(text, "warning"))
        for text in filter(None, (*found.remarks, faz_text(found.faz_areas), *uncertain_regions(found))):
            self.progress(Message(text, "warning"))
        for text in changed_measures(found):
            self.progress(Message(text))
        return found

    def _change(self, series: Series) -> SeriesChange | None:
        """The change between the visits of the options. If none are named and there is no change map, None, with a message."""
        from ..visits.change_files import series_change

        wanted = self.options.change
        try:
            found = series_change(
                series, wanted.visits, self.repeats and self.repeats.clusters, wanted.centre_xy, series.side
            )
        except InputError as error:
            if wanted.visits:
                self.left_out["change"] = reason_of(error)
            self.progress(Message.of(error, "no change is mapped: "))
            return None
        for doubt in found.doubts:
            self.progress(Message(doubt, "warning"))
        whole = found.rows[-1]
        self.progress(
            Message(
                f"change from {found.earlier.visit.name} to {found.later.visit.name}: vessel density decreased on"
                f" {whole['lost_percent']:.1f} % and increased on {whole['gained_percent']:.1f} % of the measurable pixels;"
                f" {whole['unknown_percent']:.1f} % not measurable{because_of_alignment(whole)}"
            )
        )
        if found.pixel_mm is None:
            text = "the pixel size is unknown, so the regions are no ETDRS regions ({field})"
            self.progress(Message.about("spacing_um", text, level="warning"))
        return found


def given_for_measures(series: Series, own: OwnRegions | None) -> dict:
    """What the user gave for the measures, for the record of a series."""
    found: dict = {}
    if own is not None:
        found["regions"] = {"file": own.source, "visit": own.visit, "names": list(own.masks)}
    if series.eye_length is not None:
        found["axial_length_mm"] = series.eye_length.axial_mm
        found["device_axial_length_mm"] = series.eye_length.device_mm
    return found


@contextmanager
def _side_by_side(registrar: Registrar) -> Iterator[Callable]:
    """As `map`; on a processor several pairs at once, a core each, which is faster than one after the other on all cores."""
    import torch

    cores = torch.get_num_threads()
    if registrar.device.type != "cpu" or cores < 2:
        yield map
        return
    pool = ThreadPoolExecutor(min(cores, _MOST_AT_ONCE), initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool.map
    finally:
        pool.shutdown(cancel_futures=True)
