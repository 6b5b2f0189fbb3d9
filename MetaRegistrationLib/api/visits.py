"""All visits of one eye, aligned to one of them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..eye_length import DEVICE_MM, EyeLength, possible_length
from ..formats.image_files import file_stem
from ..formats.units import possible_visit_um
from ..numeric import whole
from ..progress import Message, Reader
from ..stages import Stages
from ..visits import Average, Series, Visit, average
from ..visits.dates import When, read_date
from ..visits.names import clashes, renamed_notes, result_names, usable_name
from ..visits.own_regions import fitting, on_reference
from ..visits.scan_sizes import check_scan_size, unusual_scan_size
from ..visits.series_alignment import check_names
from ..visits.sides import side_of_cell
from ..workflows.eye_work import align_visits as align_series_of
from ..workflows.eye_work import given_for_measures
from ..workflows.visit_checks import check_grid_centre
from ..workflows.visit_messages import report_centre, report_scale, report_series
from ..workflows.visit_options import ChangeOptions, VisitsOptions, check_stages
from .inputs import as_image, as_path, as_spacing, truth_value
from .locking import locked
from .options import registrar_options
from .pairs import made_registrar
from .precision import own_precision
from .python_warnings import as_reader
from .regions import as_regions

if TYPE_CHECKING:
    import torch

    from ..checkpoints import Checkpoint
    from ..visits.series_measures import SeriesMeasures


class AlignedVisits:
    """The visits of an eye on the pixels of one of them. `align_visits` makes it.

    Attributes
    ----------
    names, dates : list of str
        Of the visits, in the order given.
    reference : str
        The visit that all others were registered to.
    series : visits.Series
        The result as the library uses it.
    record : dict
        Its settings.
    regions : dict of str to bool array (H, W)
        Your own regions, on the reference's pixels.
    """

    def __init__(
        self,
        series: Series,
        record: dict[str, Any],
        regions: Mapping[str, np.ndarray] | None = None,
        centre: tuple[float, float] | None = None,
    ) -> None:
        self.series, self.record, self.regions, self._centre = series, record, dict(regions or {}), centre
        self.names = [entry.visit.name for entry in series.visits]
        self.dates = [entry.visit.date for entry in series.visits]
        self.reference = self.names[series.reference]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if "average" in state:
            _locked(state["average"])  # a copy of an array is not

    def __repr__(self) -> str:
        return f"<AlignedVisits {', '.join(self.names)}: {sum(self.aligned)} aligned to {self.reference}>"

    def __len__(self) -> int:
        return len(self.names)

    @property
    def aligned(self) -> list[bool]:
        """Whether each visit could be aligned with confidence. One of `include` that could not is used all the same."""
        return [entry.confident for entry in self.series.visits]

    @property
    def confidences(self) -> list[float]:
        """Confidence of each alignment, 0 to 1; that of the reference is 1."""
        return [entry.confidence for entry in self.series.visits]

    @property
    @own_precision
    def centre(self) -> tuple[float, float]:
        """Centre of the ETDRS grid, (x, y) in pixels of the reference: the one that was given, or the suggested fovea."""
        return self.series.centre(self._centre)

    @property
    @own_precision
    def inconsistent(self) -> list[str]:
        """Visits that are at fault where round-trip errors are over 0.5 px of the network grid.

        Visits are registered directly and through a third visit.
        """
        return self.series.inconsistent

    @property
    @own_precision
    def excluded(self) -> dict[str, str]:
        """The visits that are out of the average, each with the reason: not aligned, a copy, inverted, another field of view,
        inconsistent, low signal quality, another eye or a wrong alignment.
        """
        return {name: exclusion.text for name, exclusion in self.series.excluded.items()}

    @own_precision
    def warped(self, visit: int | str) -> np.ndarray:
        """A visit on the reference's pixels, float32 (H, W); NaN outside its tissue.

        Raises
        ------
        InputError
            There is no such visit, or it could not be aligned and is not one of `include`.
        """
        entry = self.series.visits[self._index(visit)]
        if not entry.aligned:
            raise InputError(f"visit: expected one that could be aligned, got {entry.visit.name!r}, which could not.")
        values, seen = entry.warped
        return np.where(seen, values, np.float32(np.nan))

    @cached_property
    @own_precision
    def average(self) -> Average:
        """The mean of the used visits (`image`, float32 (H, W)), and the number of visits with tissue there (`count`).

        Grey levels are first matched to those of the reference or, if that is excluded, of the used visit with the best quality
        (median and quartiles of the area that both show). Of three visits and more the lowest and the highest value of a pixel
        are left out.
        """
        return _locked(average(self.series))  # it is kept, and `save` writes it

    @cached_property
    @own_precision
    def measured(self) -> SeriesMeasures:
        """The measures of the used visits, their changes and trends (`visits.series_measures`)."""
        from ..visits.series_measures import grid_of, measure_series

        if not self.series.used:
            raise InputError("measured: expected at least one visit that can be used, got none.")
        return measure_series(self.series, grid_of(self.series, self._centre, self.regions))

    @property
    @own_precision
    def measurements(self) -> list[dict[str, Any]]:
        """One record a visit, region and measure, with the keys of `measurements.csv`; `pandas.DataFrame(...)` takes them."""
        from ..visits.measure_files import measurement_records

        return measurement_records("", self.measured)

    @property
    @own_precision
    def changes(self) -> list[dict[str, Any]]:
        """One record a change from the first to a later visit. The keys are those of `changes.csv`.

        `verdict` is changed, within repeatability, not measurable, not comparable, or uncertain.
        """
        from ..visits.measure_files import change_records

        return change_records("", self.measured)

    @own_precision
    def save(self, folder: str | Path, *, replace: bool = False) -> Path:
        """Write the same files as the command ``series`` without a change map; return the folder.

        Saving the same visits again replaces the files of the first time.

        Parameters
        ----------
        folder : path
        replace : bool
            Replace the results of other visits in the folder.

        Raises
        ------
        InputError
            The folder cannot be written to, is or holds an image of a visit, or holds other files that would be replaced.
        """
        from ..formats.output_folder import check_output
        from ..visits.output import series_output
        from ..visits.report import write_series

        folder = as_path(folder, "folder")
        replace = truth_value(replace, "replace")
        check_output(series_output(self.series, folder, replace=replace))  # before the visits are averaged
        measures = self.measured if self.series.used else None
        write_series(folder, self.series, self.average, self.record, None, measures, replace=replace)
        return folder

    def _index(self, visit: int | str) -> int:
        if isinstance(visit, str) and visit in self.names:
            return self.names.index(visit)
        number = whole(visit)
        if number is not None and -len(self) <= number < len(self):
            return number
        raise InputError(f"visit: expected one of {', '.join(self.names)} or its number, got {visit!r}.")


def _locked(found: Average) -> Average:
    locked(found.image)
    locked(found.count)
    return found


@own_precision
def align_visits(
    images: Sequence[Any],
    *,
    dates: Sequence[str | datetime.date] | None = None,
    names: Sequence[str] | None = None,
    reference: str | None = None,
    masks: Sequence[Any] | None = None,
    checkpoint: str | Path | Checkpoint | None = None,
    network: torch.nn.Module | None = None,
    stages: Stages | None = None,
    device: str = "auto",
    spacing: float | Sequence[float] | None = None,
    progress: Reader | None = None,
    include: Sequence[str] = (),
    regions: Any | None = None,
    regions_visit: str | None = None,
    axial_length: float | None = None,
    device_axial_length: float = DEVICE_MM,
    centre: Sequence[float] | None = None,
    side: str = "",
) -> AlignedVisits:
    """Align all visits of one eye to one of them, check them, and average them.

    Parameters
    ----------
    images : sequence
        At least two images, each as `register` takes it.
    dates : sequence of str or date, optional
        One for each image, such as 2021-03-04; they are stored with the visits.
    names : sequence of str, optional
        One for each image, all different; by default the names of the files, or visit_1, visit_2 ...
    reference : str, optional
        Name of the visit that stays in place; by default the one with the best quality.
    masks : sequence, optional
        One for each image, or None instead.
    checkpoint, network, stages, device
        As `register` takes them.
    spacing : float or (float, float), optional
        Distance of rows and of columns, mm, of images that carry no pixel size. `progress` is told if it is unusual of a scan
        of an eye.
    progress : callable, optional
        Called with one typed event after another. Without it, the warnings among them are those of Python.
    include : sequence of str, optional
        Names of visits that are averaged even if they are found not to fit (`AlignedVisits.excluded`), or could not be aligned
        with confidence (`AlignedVisits.aligned`).
    regions : array (H, W), path or mapping of str to bool array (H, W), optional
        Your own regions, in which the visits are measured too. An array or a file is a label map: each whole number above 0
        is a region, "label 1" and so on; a segmentation of 3D Slicer names them. A mapping names each region.
    regions_visit : str, optional
        The visit on whose pixels they are drawn; by default the reference, or the only visit that they fit.
    axial_length : float, optional
        Of the eye, mm. Areas, lengths and circles of the measures are scaled by it (`eye_length`).
    device_axial_length : float
        The axial length that the device assumed when it stated the pixel size, mm.
    centre : (float, float), optional
        The fovea, (x, y) = (column, row) in pixels of the reference, while all points and pixel sizes are (row, column);
        by default it is suggested from all visits (`AlignedVisits.centre`).
        `progress` is told if the visits disagree.
    side : str
        "right" or "left" (also OD, R, OS, L), which makes left and right of the regions nasal and temporal; "" if unknown.

    Returns
    -------
    AlignedVisits

    Raises
    ------
    InputError
        Fewer than two images, lists of another length, two visits of one name, a name in `include` that no visit has, an
        impossible or ambiguous date (04.03.2021), an image that cannot be used, regions that fit no visit or whose names cannot
        be used, a pixel size that no scan of an eye has (pixels below 0.1 um or above 1 mm, a field of view above 60 mm), an
        axial length outside of 15 to 40 mm, a centre outside of the reference, or another word for the side.
    """
    images, progress = _images(images), as_reader(progress)
    stated = {"dates": dates, "names": names, "masks": masks}
    for name, values in stated.items():
        if values is not None and len(values) != len(images):
            raise InputError(f"{name}: expected one for each of {len(images)} images, got {len(values)}.")
    options = registrar_options(checkpoint, network, stages, device)
    settings = VisitsOptions(
        options, reference, ChangeOptions(centre_xy=_centre(centre), eye=side_of_cell(str(side), "side"))
    )
    check_stages(settings)
    stated_dates = [_date(None if dates is None else dates[number], number) for number in range(len(images))]
    for size in () if spacing is None else as_spacing(spacing):
        possible_visit_um(1000 * size, "spacing")
    called = _names(names, images, progress)
    visits = [
        Visit(
            called[number],
            as_image(image, f"images[{number}]", spacing=spacing, mask=None if masks is None else masks[number]).image,
            str(when or text),
            when=when,
        )
        for number, (image, (text, when)) in enumerate(zip(images, stated_dates, strict=True))
    ]
    for number, visit in enumerate(visits):
        check_scan_size(visit.image.geometry, f"images[{number}]")
    _tell_unusual(visits, spacing is not None, progress)
    same = [visit.name.casefold() for visit in visits]
    double = next((visit.name for visit in visits if same.count(visit.name.casefold()) > 1), None)
    if double is not None:
        raise InputError(f"names: expected one of its own for each visit, whatever the case; got {double!r} twice.")
    include = [include] if isinstance(include, str) else list(include)
    check_names([visit.name for visit in visits], include)
    own = None if regions is None else as_regions(regions, regions_visit)
    if own is not None:
        fitting(own, visits)  # before they are registered
    check_grid_centre(visits, settings)
    length = _length(axial_length, device_axial_length)
    registrar, record = made_registrar(options)
    series = align_series_of(visits, registrar, reference, progress, include)
    series = replace(series, eye_length=length, side=settings.change.eye)
    report_series(series, progress)
    report_scale(series, "spacing", progress)
    report_centre(series, settings.change.centre_xy, progress)
    brought = None if own is None else on_reference(own, series)
    record = {**record, **given_for_measures(series, brought)}
    return AlignedVisits(series, record, None if brought is None else brought.masks, settings.change.centre_xy)


def _images(images: Any) -> list[Any]:
    """At least two images."""
    if isinstance(images, (str, Path)) or not isinstance(images, Iterable):
        raise InputError(
            f"images: expected a list of images, got {images!r:.80}. Give the files of a folder in a list, such as"
            ' sorted(Path(folder).glob("*.png")).'
        )
    found = list(images)
    if len(found) < 2:
        raise InputError(f"images: expected at least two visits, got {len(found)}.")
    return found


def _tell_unusual(visits: Sequence[Visit], stated: bool, progress: Reader) -> None:
    """Say which sizes are unusual of a scan of an eye; `stated` is whether the user gave them."""
    notes = [
        note
        for visit in visits
        for note in unusual_scan_size(visit.image.geometry, "{field}" if stated else visit.name)
    ]
    for note in dict.fromkeys(notes):
        progress(Message.about("spacing", note, level="warning"))


def _length(axial_length: float | None, device_axial_length: float) -> EyeLength | None:
    device = possible_length(device_axial_length, "device_axial_length")
    return None if axial_length is None else EyeLength(possible_length(axial_length, "axial_length"), device)


def _centre(centre: Sequence[float] | None) -> tuple[float, float] | None:
    """A centre of the grid as two numbers."""
    if centre is None:
        return None
    try:
        x, y = (float(value) for value in centre)
    except (TypeError, ValueError):
        raise InputError(f"centre: expected two numbers, x and y in pixels of the reference, got {centre!r}.") from None
    return x, y


def _names(names: Sequence[str] | None, images: Sequence[Any], progress: Reader) -> list[str]:
    """The names that were given, or else those of the files, as the results can have them."""
    if names is not None:
        given = [usable_name(str(name), "names") for name in names]
        clashing = next((name for name in given if clashes(name, given)), None)
        if clashing is not None:
            raise InputError(f"names: expected names that no result has, got {clashing!r}. Choose another name.")
        return given
    own = [_file_name(image, number) for number, image in enumerate(images, 1)]
    used = result_names(own)
    for note in renamed_notes(own, used):
        progress(Message(note))
    return used


def _file_name(image: Any, number: int) -> str:
    path = image if isinstance(image, (str, Path)) else getattr(image, "path", None)
    return f"visit_{number}" if path is None else file_stem(Path(path))


def _date(value: Any, number: int) -> tuple[str, When | None]:
    """A date as text and as it can be compared; a text that is no date stays a text."""
    if value is None or isinstance(value, (str, datetime.date, np.datetime64)):
        text = "" if value is None else str(value)
        return text, read_date(text, f"dates[{number}]")
    raise InputError(f"dates: expected text or a date, got {value!r}.")
