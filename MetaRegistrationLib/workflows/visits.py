"""All visits of eyes: aligned, checked, averaged, and what changed between two of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from .. import calibration
from ..errors import InputError
from ..eye_length import DEVICE_MM, EyeLength
from ..initial_kinds import needs_landmarks
from ..progress import Finished, Item, Message, Reader, Silent, Stage, Started
from ..stages import LEAST_CONFIDENCE
from .registering import NOT_MIRRORED
from .registrars import RegistrarOptions, make_registrar
from .visit_checks import check_names, checked, landmark_notes, read_regions

if TYPE_CHECKING:
    from ..formats.images import Image
    from ..formats.output_folder import Output
    from ..registration.registrar import Registrar, Registration
    from ..visits import Series, Visit
    from ..visits.change import ClusterLimits
    from ..visits.change_files import SeriesChange
    from ..visits.eyes import Eye, Eyes
    from ..visits.own_regions import GivenRegions, OwnRegions
    from ..visits.repeatability import Repeatability
    from ..visits.series_measures import SeriesMeasures

TASK = "series"
_LEAST_SAID = 0.05  # percent
_MOST_AT_ONCE = 8  # memory: each takes some 100 MB


@dataclass(frozen=True)
class ChangeOptions:
    """The settings of the change map.

    Attributes
    ----------
    wanted : bool
        Map a change at all.
    visits : (str, str) or None
        Names of the earlier and the later visit; None for the first and the last that are used.
    repeats : Path or None
        Folder of pairs of repeat scans, whose differences are one standard deviation.
    centre_xy : (float, float) or None
        Centre of the ETDRS grid, pixels of the reference.
    eye : str
        "right", "left" or "".
    """

    wanted: bool = True
    visits: tuple[str, str] | None = None
    repeats: Path | None = None
    centre_xy: tuple[float, float] | None = None
    eye: str = ""


@dataclass(frozen=True)
class VisitsOptions:
    """The settings of reading and registering visits.

    Attributes
    ----------
    registrar : RegistrarOptions
    reference : str or None
        The visit that stays in place; None for the one with the best quality.
    change : ChangeOptions
    slice_index : int or None
        Slice to take from stacks, counted from 0.
    spacing_um : float or None
        Distance between pixels of files without a pixel size.
    include : tuple of str
        Names of visits that are averaged and compared whatever is found (`visits.trust`).
    source : Path or None
        Folder or table that names the visits, which the results must not replace.
    replace : bool
        Replace the results of other visits in the output folder.
    regions : Path or None
        Label map of the user's own regions.
    regions_visit : str or None
        The visit on which they are drawn; None for the reference, or the only one that they fit.
    axial_length_mm : float or None
        Of the eye, by which lateral distances are scaled.
    device_axial_length_mm : float
        That the device assumed.
    """

    registrar: RegistrarOptions = field(default_factory=RegistrarOptions)
    reference: str | None = None
    change: ChangeOptions = field(default_factory=ChangeOptions)
    slice_index: int | None = None
    spacing_um: float | None = None
    include: tuple[str, ...] = ()
    source: Path | None = None
    replace: bool = False
    regions: Path | None = None
    regions_visit: str | None = None
    axial_length_mm: float | None = None
    device_axial_length_mm: float = DEVICE_MM


@dataclass(frozen=True)
class EyesOutcome:
    """The outcome of several eyes.

    Attributes
    ----------
    output : Path
    done : int
        Eyes that were registered.
    left_out : list of str
        Names of the eyes, visits and files that were not.
    """

    output: Path
    done: int
    left_out: list[str]


def align_eyes(
    eyes: Eyes,
    output: Path,
    options: VisitsOptions | None = None,
    progress: Reader | None = None,
) -> EyesOutcome:
    """Align, average and compare the visits of each eye into `output`; of several eyes, each gets a folder in it.

    Parameters
    ----------
    eyes : Eyes
        As of `visits.sources`.
    output : Path
    options : VisitsOptions, optional
    progress : Reader, optional

    Raises
    ------
    InputError
        None of the eyes could be registered, a setting, checkpoint or folder cannot be used, or `output` is or holds an input or
        would lose files (`formats.output_folder`). Names that are in none of the eyes are refused before any registration.
    """
    from ..formats.files import writable_folder
    from ..formats.output_folder import check_output, writing

    progress, options = progress or Silent(), options or VisitsOptions()
    check_stages(options)
    planned = series_output(eyes, Path(output), options)
    check_output(planned)
    eyes = checked(eyes, options)
    regions = read_regions(options)
    registrar, record = make_registrar(options.registrar)
    output = writable_folder(output)
    progress(Started(TASK, len(eyes.eyes), device=record["device"], detail={"checkpoint": record["checkpoint"]}))
    left_out = _tell(eyes, progress)
    wanted = options.change.repeats if options.change.wanted else None
    repeats = _repeats(wanted, registrar, progress) if wanted else None
    work = _Eyes(options, registrar, record, repeats, regions, progress, left_out)
    done, several = 0, len(eyes.eyes) > 1
    with writing(planned, progress):
        for number, eye in enumerate(eyes.eyes.values(), 1):
            try:
                values = work.one(eye, output / eye.name if several else output)
            except (InputError, OSError) as error:
                if not several:
                    raise
                left_out.append(eye.name)
                progress(Message.of(error, f"left out: {eye.name}: "))
                continue
            done += 1
            progress(Item(number, len(eyes.eyes), eye.name, values))
    if not done:
        raise InputError(f"None of the {len(eyes.eyes)} eyes could be done; the messages above say why.")
    progress(Finished(TASK, output, {"eyes": done, "left_out": left_out}))
    return EyesOutcome(output, done, left_out)


def _tell(eyes: Eyes, progress: Reader) -> list[str]:
    """Say what the source left out and did not understand; the names of what is left out."""
    for note in eyes.notes:
        progress(Message(note, "warning"))
    for eye in eyes.eyes.values():
        if eye.side:
            progress(Message(f"{eye.name}: {eye.side} eye"))
    for item in eyes.left_out:
        told = str(item.error).startswith(item.name)  # the place is in the error already
        progress(Message.of(item.error, "left out: " if told else f"left out: {item.name}: "))
    return [item.name for item in eyes.left_out]


def series_output(eyes: Eyes, output: Path, options: VisitsOptions) -> Output:
    """The results of aligning visits, as results in a folder."""
    from ..visits.output import eyes_output

    repeats = options.change.repeats if options.change.wanted else None
    others = [path for path in (options.source, repeats, options.regions) if path is not None]
    return eyes_output({eye.name: eye.visits for eye in eyes.eyes.values()}, output, others, replace=options.replace)


def check_stages(options: VisitsOptions) -> None:
    """Raise an `InputError` if the initial alignment needs landmarks, which a series does not use."""
    if needs_landmarks(options.registrar.stages.initial):
        raise InputError(
            "series: visits have no landmarks to go by.", field="initial", advice="Choose another {field}."
        )


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
class _Eyes:
    options: VisitsOptions
    registrar: Registrar
    record: dict
    repeats: _Repeats | None
    regions: GivenRegions | None
    progress: Reader
    left_out: list[str]

    def one(self, eye: Eye, folder: Path) -> dict:
        """Process one eye into `folder`."""
        from ..visits import average
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
        _report(series, self.progress)
        self.left_out.extend(series.excluded)
        loops = [px for px in series.round_trip_px.values() if px == px]
        values = {"visits": len(visits), "aligned": sum(entry.aligned for entry in series.visits)}
        values["used"] = len(series.used)
        return values | ({"greatest_round_trip_px": max(loops)} if loops else {})

    def _loaded(self, eye: Eye) -> list[Visit]:
        """The visits that can be read, with landmarks that match; the others are named.

        Raises
        ------
        InputError
            Fewer than two can be read, or landmarks do not match.
        """
        visits, wanted = [], self.options
        for file in eye.visits:
            try:
                visits.append(file.load(wanted.slice_index, wanted.spacing_um))
            except InputError as error:
                self.left_out.append(file.name)
                self.progress(Message.of(error, f"left out: {file.name}: "))
                continue
            for note in visits[-1].image.notes:
                self.progress(Message(f"{file.name}: {note}", "warning"))
        if len(visits) < 2:
            raise InputError(f"{eye.name}: fewer than two visits can be read. A series needs at least two.")
        check_names(
            replace(eye, visits=tuple(file for file in eye.visits if file.name in {v.name for v in visits})), wanted
        )
        for note in landmark_notes(visits, wanted.reference):
            self.progress(Message(note, "warning"))
        if self.regions is not None:
            from ..visits.own_regions import fitting

            fitting(self.regions, visits)  # before the visits are registered
        return visits

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
            self.left_out.append("regions")
            self.progress(Message.of(error, "your own regions are not measured: "))
            return None
        text = f"regions of your own, drawn on {found.visit}: {', '.join(found.masks)}"
        if found.others:
            text += f". They fit {', '.join(found.others)} too ({{field}})"
        self.progress(Message.about("regions_visit", text, level="warning" if found.others else "info"))
        return found

    def _measures(self, series: Series, own: OwnRegions | None = None) -> SeriesMeasures | None:
        """The measures of the used visits; None without any."""
        from ..visits.changes import Verdict
        from ..visits.series_measures import grid_of, measure_series

        if not series.used:
            return None
        grid = grid_of(series, self.options.change.centre_xy, None if own is None else own.masks)
        if series.eye_length is not None and grid.eye_length is None:
            text = "the axial length changes nothing, since the pixel size is unknown ({field})"
            self.progress(Message.about("spacing_um", text, level="warning"))
        found = measure_series(series, grid, self.repeats and self.repeats.measures)
        for (earlier, later), agreement in found.agreement.items():
            if any(row.later == later and row.verdict is Verdict.NOT_COMPARABLE for row in found.changes):
                text = (
                    f"{earlier} and {later}: not comparable, the agreement of their larger vessels is {agreement:.2f}"
                )
                self.progress(Message(text, "warning"))
        for text in _uncertain_regions(found):
            self.progress(Message(text, "warning"))
        changed = [row for row in found.changes if row.verdict is Verdict.CHANGED and row.region == "whole"]
        for row in changed:
            self.progress(
                Message(
                    f"changed from {row.earlier} to {row.later}: {row.measure.replace('_', ' ')} {row.difference:+.3g}"
                    f" {row.unit}, beyond the {row.cor:.3g} of repeat scans"
                )
            )
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
                self.left_out.append("change")
            self.progress(Message.of(error, "no change is mapped: "))
            return None
        for doubt in found.doubts:
            self.progress(Message(doubt, "warning"))
        whole = found.rows[-1]
        self.progress(
            Message(
                f"change from {found.earlier.visit.name} to {found.later.visit.name}: vessel density decreased on"
                f" {whole['lost_percent']:.1f} % and increased on {whole['gained_percent']:.1f} % of the measurable pixels;"
                f" {whole['unknown_percent']:.1f} % not measurable{_because_of_alignment(whole)}"
            )
        )
        if found.pixel_mm is None:
            text = "the pixel size is unknown, so the regions are no ETDRS regions ({field})"
            self.progress(Message.about("spacing_um", text, level="warning"))
        return found


def _because_of_alignment(region: dict) -> str:
    """How much of a region has an alignment that is too uncertain; empty if none."""
    share = region["uncertain_percent"] or 0.0
    return f", {share:.1f} % with an uncertain alignment" if share >= _LEAST_SAID else ""


def _uncertain_regions(found: SeriesMeasures) -> Iterator[str]:
    """Sentences on the regions that are too uncertain to compare, one for each pair of days."""
    from ..visits.changes import Verdict

    regions: dict[tuple[str, str], dict[str, None]] = {}
    for row in found.changes:
        if row.verdict is Verdict.UNCERTAIN:
            regions.setdefault((row.earlier, row.later), {})[row.region] = None
    for (earlier, later), names in regions.items():
        shown = ", ".join(_in_words(name) for name in names)
        yield f"{earlier} and {later}: the alignment is too uncertain to compare {shown}"


def _in_words(region: str) -> str:
    """The name of a region of the ETDRS grid with spaces; one's own regions keep their names."""
    return region.replace("_", " ") if region.startswith(("inner_", "outer_")) else region


def given_for_measures(series: Series, own: OwnRegions | None) -> dict:
    """What the user gave for the measures, for the record of a series."""
    found: dict = {}
    if own is not None:
        found["regions"] = {"file": own.source, "visit": own.visit, "names": list(own.masks)}
    if series.eye_length is not None:
        found["axial_length_mm"] = series.eye_length.axial_mm
        found["device_axial_length_mm"] = series.eye_length.device_mm
    return found


def _report(series: Series, progress: Reader) -> None:
    """Say which visits were aligned through another one, and which are left out of average and change."""
    from ..visits.trust import POOR_BUT_USED

    for entry in series.visits:
        if entry.aligned and entry.via:
            progress(Message(f"{entry.visit.name}: aligned through {entry.via}"))
    for name, exclusion in series.excluded.items():
        text = f"{name}: {exclusion.text}. Left out of average and change ({{field}} {name} uses it)."
        progress(Message.about("include", text, level="warning"))
    for name, exclusion in series.poor.items():
        progress(Message(f"{name}: {exclusion.text}. {POOR_BUT_USED}", "warning"))
    for name in series.inconsistent:
        if name not in series.excluded:
            text = f"inconsistent alignment: round-trip error over {calibration.CONSISTENCY_PX.value} px. Check this visit."
            progress(Message(f"{name}: {text}", "warning"))
    for name, exclusion in series.asked.items():
        progress(Message(f"{name}: {exclusion.text}. Used all the same, as asked.", "warning"))
    for message in _contradicted_sizes(series):
        progress(message)
    progress(Message(f"reference: {series.visits[series.reference].visit.name}, {series.why}"))


def _contradicted_sizes(series: Series) -> Iterator[Message]:
    """The warnings about visits whose stated pixel sizes contradict the alignment."""
    from ..registration.size_check import scale_found, size_message

    fixed = series.visits[series.reference].visit
    for entry in series.visits:
        if entry.aligned and entry.visit is not fixed and not entry.confidence < LEAST_CONFIDENCE:
            sides = [(str(each.image.path or each.name), each.image.geometry) for each in (entry.visit, fixed)]
            scale = scale_found(entry.positions, sides[0][1], sides[1][1])
            message = size_message(entry.visit.name, scale, *sides)
            if message is not None:
                yield message


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


@dataclass(frozen=True)
class _Repeats:
    """What the user's own repeat scans show."""

    clusters: ClusterLimits
    measures: Repeatability


def _repeats(folder: Path, registrar: Registrar, progress: Reader) -> _Repeats:
    """The differences between the repeat scans of a folder of pairs."""
    from ..pairs.folders import find_pairs
    from ..visits import Visit, align_series
    from ..visits.change import limits_of, visit_change
    from ..visits.measured import measured
    from ..visits.repeatability import repeatability
    from ..visits.series_measures import grid_of, measure_series

    changes, rows = [], []
    found = find_pairs(folder).pairs
    for number, files in enumerate(found, 1):
        pair = files.load()
        progress(Stage("register", f"repeat scans: {pair.name}", number, len(found)))
        series = align_series([Visit("fixed", pair.fixed), Visit("moving", pair.moving)], registrar, "fixed")
        if not all(entry.aligned for entry in series.visits):
            progress(Message(f"{pair.name}: not aligned with confidence, and left out of the repeat scans", "warning"))
            continue
        grid = grid_of(series)
        pixel = None if grid.spacing_mm is None else math.sqrt(math.prod(grid.spacing_mm))
        try:
            changes.append(visit_change(*map(measured, series.visits), pixel))
        except InputError as error:
            progress(Message.of(error, f"{pair.name}: left out of the repeat scans: "))
            continue
        rows.append(measure_series(series, grid).rows)
    if not changes:
        raise InputError(
            f"{{field}}: no pair of {folder} could be aligned with confidence and measured.", field="repeats"
        )
    source = f"{len(rows)} pairs of repeat scans of your own"
    return _Repeats(limits_of(changes, source), repeatability(rows, source))
