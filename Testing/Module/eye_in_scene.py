"""Registered visits in the scene without a child process: the visits of `visit_files`, whose displacements are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from visit_files import PLACES, SIDE

from MetaRegistrationLib.visits import AlignedVisit, Series, average
from MetaRegistrationLib.visits.report import write_series
from MetaRegistrationLib.visits.series_measures import grid_of, measure_series

SPACING_UM = 20.0


def finished(steps):
    """What a generator returns."""
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return end.value


def chosen_visits(logic, folder: Path):
    """The visits of a folder of one eye, as the panel reads them."""
    ((_name, eye),) = logic.eyes(str(folder)).eyes.items()
    return finished(logic.scan(str(folder), eye, SPACING_UM))


def series_of_files(chosen, reference: int = 0) -> Series:
    """The chosen visits, aligned to one of them."""
    visits = [one.file.load(spacing_um=chosen.spacing_um) for one in chosen.visits]
    grid = np.stack(np.indices((SIDE, SIDE)), axis=-1).astype(np.float32)
    starts = np.array([PLACES[visit.name] for visit in visits])
    positions = [(grid + starts[reference] - start).astype(np.float32) for start in starts]
    entries = [AlignedVisit(*each, "", 1.0, 0.9, "refine") for each in zip(visits, positions, strict=True)]
    return Series(reference, "chosen", entries, [6.0] * len(visits), order=chosen.order, side=chosen.side)


def put_results(widget, chosen, folder: Path, *, measured: bool = False, reference: int = 0, **record):
    """Registered visits in the scene, from results in `folder`, as the panel has them once they are registered.

    With `measured` they have measures; `record` is for `series.json`.
    """
    series, logic = series_of_files(chosen, reference), widget.logic.visits
    measures = measure_series(series, grid_of(series)) if measured else None
    write_series(folder, series, average(series), record, None, measures)
    nodes = finished(logic.load(chosen, folder))
    widget.panel.state.parameters.visitsTable = nodes.table
    return nodes
