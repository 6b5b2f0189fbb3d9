"""How much repeat scans of the user's own differ, for the limits of change and the repeatability of measures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..progress import Message, Reader, Stage

if TYPE_CHECKING:
    from ..registration.registrar import Registrar
    from ..visits.change import ClusterLimits
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
    folder: Path, registrar: Registrar, progress: Reader, spacing_um: float | None = None
) -> RepeatScans:
    """Register the repeat scans of a folder of pairs, and measure how they differ.

    Parameters
    ----------
    folder : path
    registrar : Registrar
    progress : Reader
    spacing_um : float, optional
        Distance between pixels of images that carry none, as for the visits.

    Raises
    ------
    InputError
        No pair could be aligned with confidence and measured.
    """
    from ..pairs.folders import find_pairs
    from ..visits import Visit, align_series
    from ..visits.change import limits_of, visit_change
    from ..visits.measured import measured_alike
    from ..visits.repeatability import repeatability
    from ..visits.series_measures import grid_of, measure_series
    from ..visits.unlike_pixels import without_texture

    changes, rows, unknown = [], [], 0
    found = find_pairs(folder, spacing_um=spacing_um).pairs
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
            change, measures = visit_change(*measured_alike(series.visits), pixel), measure_series(series, grid)
        except InputError as error:
            progress(Message.of(error, f"{pair.name}: left out of the repeat scans: "))
            continue
        if pixel is None:
            unknown += 1
        changes.append(change)
        rows.append(without_texture(measures.rows, measures.sizes))
    if not changes:
        raise InputError(
            f"{{field}}: no pair of {folder} could be aligned with confidence and measured.", field="repeats"
        )
    if unknown:
        progress(Message.about("spacing_um", _without_sizes(unknown, len(rows)), level="warning"))
    source = f"{len(rows)} pairs of repeat scans of your own"
    return RepeatScans(limits_of(changes, source), repeatability(rows, source))


def _without_sizes(unknown: int, pairs: int) -> str:
    """What is said of repeat scans without a pixel size."""
    return (
        f"{unknown} of {pairs} pairs of repeat scans have no pixel size. They count for the whole image only. Measures in mm and"
        " of circles and quadrants keep the shipped values. Their shorter side is taken as 6 mm. Give their pixel size ({field},"
        " or a column spacing_um in the table of pairs)."
    )
