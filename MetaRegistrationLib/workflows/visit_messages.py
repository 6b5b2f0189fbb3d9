"""What is said of a series of visits: what is left out, contradicted or uncertain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import calibration
from ..progress import Message, Reader

if TYPE_CHECKING:
    from ..visits import Series
    from ..visits.changes import MeasureChange
    from ..visits.series_measures import SeriesMeasures

_LEAST_SAID = 0.05  # percent


def because_of_alignment(region: dict) -> str:
    """How much of a region has an alignment that is too uncertain; empty if none."""
    share = region["uncertain_percent"] or 0.0
    return f", {share:.1f} % with an uncertain alignment" if share >= _LEAST_SAID else ""


def uncertain_regions(found: SeriesMeasures) -> Iterator[str]:
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


def changed_measures(found: SeriesMeasures) -> Iterator[str]:
    """Sentences on the measures of the whole image that changed, and one on the regions for each pair of days."""
    from ..visits.changed_regions import changed_regions, values_of_regions
    from ..visits.changes import Verdict

    pairs: dict[tuple[str, str], list[MeasureChange]] = {}
    for row in found.changes:
        pairs.setdefault((row.earlier, row.later), []).append(row)
    for (earlier, later), rows in pairs.items():
        start = f"changed from {earlier} to {later}: "
        for row in rows:
            if row.verdict is Verdict.CHANGED and row.region == "whole":
                yield f"{start}{_difference(row)}, beyond the {row.cor:.3g} of repeat scans"
        if regions := changed_regions(rows):
            parts = [f"{_in_words(name)} ({', '.join(map(_difference, of))})" for name, of in regions.items()]
            changed = sum(map(len, regions.values()))
            yield f"{start}{changed} of {len(values_of_regions(rows))} values of regions: {', '.join(parts)}"


def _difference(row: MeasureChange) -> str:
    """A measure and its difference with the unit."""
    return f"{row.measure.replace('_', ' ')} {row.difference:+.3g} {row.unit}".rstrip()


def report_series(series: Series, progress: Reader) -> None:
    """Say which visits were aligned through another one, and which are left out of average and change."""
    from ..visits.trust import POOR_BUT_USED
    from ..visits.unlike_pixels import sizes_of, sizes_text

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
    if text := sizes_text(sizes_of(series.used)):
        progress(Message(text, "warning"))
    for message in _contradicted_sizes(series):
        progress(message)
    progress(Message(f"reference: {series.visits[series.reference].visit.name}, {series.why}"))


def report_scale(series: Series, field: str, progress: Reader) -> None:
    """Say if nothing is measured in millimetres although some length is known; `field` is the key of the pixel size."""
    if series.size_note:
        progress(Message.about(field, series.size_note, "{field} states it.", "warning"))
    if series.eye_length is not None and series.pixel_mm is None:
        text = "the axial length changes nothing, since the pixel size is unknown ({field})"
        progress(Message.about(field, text, level="warning"))


def report_centre(series: Series, chosen_xy: tuple[float, float] | None, progress: Reader) -> None:
    """Say if visits disagree on the fovea that is suggested as the centre of the grid."""
    if chosen_xy is None and series.centre_xy is None and (text := series.fovea.text):
        progress(Message.about("centre", f"{text} {{field}} gives the centre.", level="warning"))


def _contradicted_sizes(series: Series) -> Iterator[Message]:
    """The warnings about visits whose stated pixel sizes contradict the alignment."""
    from ..registration.size_check import scale_found, size_message

    fixed = series.visits[series.reference].visit
    for entry in series.visits:
        if entry.confident and entry.visit is not fixed:
            sides = [(str(each.image.path or each.name), each.image.geometry) for each in (entry.visit, fixed)]
            scale = scale_found(entry.positions, sides[0][1], sides[1][1])
            message = size_message(entry.visit.name, scale, *sides)
            if message is not None:
                yield message
