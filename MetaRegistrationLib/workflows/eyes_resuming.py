"""Which eyes of an earlier run are finished: the files and dates of an eye, and the settings of all eyes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..formats.written_files import State, WrittenFiles, digest
from ..progress import plain
from .pair_work import file_states, input_states
from .resuming import MISSING, Found, Items, files_by_folder, found_files, key_of, run_settings

if TYPE_CHECKING:
    from ..visits.eyes import Eye
    from ..visits.eyes_table import EyeRow
    from .visit_options import VisitsOptions

RECORD = "series.json"
"""The record of an eye, the last of its files."""


def series_settings(options: VisitsOptions) -> dict:
    """What all eyes of a run share and what changes their results, as plain values."""
    change = options.change
    return run_settings(options.registrar, None) | plain(
        {
            "reference": options.reference,
            "included visits": list(options.include),
            "change map": change.wanted,
            "compared visits": change.visits,
            "repeat scans": _repeats_key(change.repeats) if change.wanted and change.repeats is not None else None,
            "centre of the grid": change.centre_xy,
            "slice": options.slice_index,
            "pixel size": [options.spacing_um, "of all files"] if options.override_spacing else options.spacing_um,
            "regions": None if options.regions is None else digest(options.regions),
            "visit of the regions": options.regions_visit,
            "axial length of the device": options.device_axial_length_mm,
        }
    )


def _repeats_key(folder: Path) -> str:
    from ..pairs.folders import find_pairs

    pairs = find_pairs(folder).pairs
    return key_of([[each.name, {role: state.blake2b for role, state in input_states(each).items()}] for each in pairs])


def eye_reading(eye: Eye) -> dict:
    """What a table, a folder or the user states of the visits of an eye, as plain values by what they are."""
    visits = eye.visits
    stated = {
        "the dates": {visit.name: [visit.date, str(visit.when or "")] for visit in visits},
        "the pixel sizes": {visit.name: visit.spacing_um for visit in visits},
        "the slices": {visit.name: visit.slice_index for visit in visits},
        "the centres": {visit.name: visit.centre_xy for visit in visits},
    }
    given = {
        name: {visit: value for visit, value in values.items() if value is not None} for name, values in stated.items()
    }
    order = {"the visits": [visit.name for visit in visits], "the order of the visits": eye.order}
    return plain({**order, **given, "the side": eye.side, "the axial length": eye.axial_length_mm})


def eye_states(eye: Eye) -> dict[str, State]:
    """The content of the files of an eye, by their role."""
    roles = {"image": "path", "landmarks": "landmarks", "mask": "mask"}
    return file_states(
        {f"the {word} of {visit.name}": getattr(visit, name) for visit in eye.visits for word, name in roles.items()}
    )


def _row(values: dict) -> EyeRow:
    from ..visits.eyes_table import EyeRow

    return EyeRow.of(values)


EYES = Items("eye", eye_reading, eye_states, _row)
"""The eyes of a series."""


def result_files(apart: bool) -> Callable[[WrittenFiles, str], Found]:
    """The state of the result files of eyes, all of which must be there. `apart` says that each eye has a folder."""
    by_eye: dict[str, list[str]] = {}

    def found(listed: WrittenFiles, name: str) -> Found:
        if not apart:  # an earlier run over several eyes wrote into their folders
            return found_files(listed, listed.states, listed.states) if RECORD in listed.states else Found(MISSING)
        if not by_eye:
            by_eye.update(files_by_folder(listed))
        files = by_eye.get(name, ())
        return found_files(listed, files, files) if files else Found(MISSING)

    return found
