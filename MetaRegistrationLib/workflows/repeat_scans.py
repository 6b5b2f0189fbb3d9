"""How much repeat scans of the user's own differ, for the limits of change and the repeatability of measures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..progress import Message, Reader, Stage
from ..words import counted

if TYPE_CHECKING:
    from ..pairs.files import ImagePair
    from ..registration.registrar import Registrar
    from ..visits.change import Change, ClusterLimits
    from ..visits.measures import Measurement
    from ..visits.repeatability import Repeatability


@dataclass(frozen=True)
class RepeatScans:
    """What the user's own repeat scans show.

    Attributes
    ----------
    clusters : ClusterLimits
        The least size of a cluster that is a change.
    measures : Repeatability
    """

    clusters: ClusterLimits
    measures: Repeatability


def measured_repeats(
    folder: Path,
    registrar: Registrar,
    progress: Reader,
    spacing_um: float | None = None,
    *,
    override_spacing: bool = False,
) -> RepeatScans:
    """Register the repeat scans of a folder of pairs, and measure how they differ.

    Parameters
    ----------
    folder : path
    registrar : Registrar
    progress : Reader
    spacing_um : float, optional
        Distance between pixels of images that carry none, as for the visits.
    override_spacing : bool
        It overrides the pixel size of files.

    Raises
    ------
    InputError
        No pair could be aligned with confidence and measured, or is of two good scans of one eye. A pair that is left out has a
        message.
    """
    from ..pairs.folders import find_pairs
    from ..visits.change import limits_of, raised
    from ..visits.repeatability import repeatability

    used: list[_Pair] = []
    found = find_pairs(folder, spacing_um=spacing_um, override_spacing=override_spacing).pairs
    for number, files in enumerate(found, 1):
        pair = files.load()
        progress(Stage("register", f"repeat scans: {pair.name}", number, len(found)))
        try:
            used.append(_measured(pair, registrar))
        except InputError as error:
            progress(Message.of(error, f"{pair.name}: left out of the repeat scans: "))
    if not used:
        raise InputError(
            f"{{field}}: no pair of {folder} is of two scans of one eye that could be aligned and measured.",
            field="repeats",
        )
    unknown = sum(not pair.sized for pair in used)
    if unknown:
        progress(Message.about("spacing_um", _without_sizes(unknown, len(used)), level="warning"))
    for pair in used:
        for text in filter(None, (pair.poor, raised(pair.change))):
            progress(Message(f"{pair.name}: {text}", "warning"))
    source = f"{counted(len(used), 'pair')} of repeat scans of your own"
    limits = limits_of([pair.change for pair in used], source)
    return RepeatScans(limits, repeatability([pair.rows for pair in used], source))


@dataclass(frozen=True, eq=False)
class _Pair:
    """What one pair of repeat scans shows; `sized` if its pixel size is known, `poor` a sentence on low signal quality."""

    name: str
    change: Change
    rows: list[Measurement]
    sized: bool
    poor: str


def _measured(pair: ImagePair, registrar: Registrar) -> _Pair:
    """How two scans differ.

    Raises
    ------
    InputError
        They are no repeat scans to go by, or cannot be measured.
    """
    from ..visits import Visit, align_series
    from ..visits.change import visit_change
    from ..visits.measured import measured_alike
    from ..visits.repeat_pairs import has_values, no_repeats, poor_repeats
    from ..visits.series_measures import grid_of, measure_series
    from ..visits.unlike_pixels import without_texture

    series = align_series([Visit("fixed", pair.fixed), Visit("moving", pair.moving)], registrar, "fixed")
    if why := no_repeats(series):
        raise InputError(f"{why}.")
    grid = grid_of(series)
    pixel = None if grid.spacing_mm is None else math.sqrt(math.prod(grid.spacing_mm))
    change, measures = visit_change(*measured_alike(series.visits), pixel), measure_series(series, grid)
    rows = without_texture(measures.rows, measures.sizes)
    if not has_values(rows):
        raise InputError("no measure has a value in both scans.")
    return _Pair(pair.name, change, rows, pixel is not None, poor_repeats(series))


def _without_sizes(unknown: int, pairs: int) -> str:
    """What is said of repeat scans without a pixel size."""
    return (
        f"{unknown} of {pairs} pairs of repeat scans have no pixel size. They count for the whole image only. Measures in mm and"
        " of circles and quadrants keep the shipped values. Their shorter side is taken as 6 mm. Give their pixel size ({field},"
        " or a column spacing_um in the table of pairs)."
    )
