"""What the page of a series shows, and which two visits stand side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ...errors import InputError
from ..average import Average
from ..change_files import SeriesChange, default_pair
from ..changes import MeasureChange, Occasion, Verdict, compared_occasions
from ..comparable import LEAST_VESSEL_AGREEMENT
from ..dates import order_unknown
from ..polarity import dark_visits
from ..series import AlignedVisit, Series
from ..series_measures import SeriesMeasures


@dataclass(frozen=True, eq=False)
class Content:
    """The results of a series, for its page.

    Attributes
    ----------
    eye : str
        Its name.
    series : Series
    mean : Average
    measures : SeriesMeasures or None
    change : SeriesChange or None
    change_picture : Path or None
        The picture of the change map: the reference's pixels from its left edge on, and a legend on the right of them.
    """

    eye: str
    series: Series
    mean: Average
    measures: SeriesMeasures | None = None
    change: SeriesChange | None = None
    change_picture: Path | None = None

    @property
    def reference(self) -> AlignedVisit:
        """The visit that all others are aligned to."""
        return self.series.visits[self.series.reference]

    @cached_property
    def pair(self) -> tuple[AlignedVisit, ...]:
        """The visits that stand side by side: the earlier and the later one, or the only one."""
        if self.change is not None:
            return self.change.earlier, self.change.later
        try:
            return default_pair(self.series)
        except InputError:  # fewer than two visits can be compared, all are of one day, or their order is unknown
            used = self.series.in_time or self.series.used[:1] or [self.reference]
            return (used[0], used[-1]) if len(used) > 1 else (used[0],)

    @cached_property
    def occasions(self) -> tuple[Occasion, Occasion] | None:
        """The days of the pair if both are measured, and are two."""
        if self.measures is None or len(self.pair) < 2:
            return None
        found = [self._occasion(entry.visit.name) for entry in self.pair]
        return None if None in found or found[0] is found[1] else tuple(found)

    @cached_property
    def compared(self) -> list[Occasion]:
        """The days that have a place in time, of which the first is compared with each later one."""
        return compared_occasions([entry.visit for entry in self.series.in_time])

    def _occasion(self, name: str) -> Occasion | None:
        return next((group for group in self.measures.occasions if name in group.visits), None)

    @cached_property
    def changes(self) -> Sequence[MeasureChange]:
        """The changes of all measures between the two visits that stand side by side."""
        if self.occasions is None:
            return ()
        names = tuple(group.name for group in self.occasions)
        known = [row for row in self.measures.changes if (row.earlier, row.later) == names]
        if known or self.change is None:
            return known
        # A map between two visits is made only if they are comparable.
        return self.measures.between(*self.occasions)

    @property
    def why_no_map(self) -> str:
        """Why there is no change map, in words; empty if there is one."""
        if self.change is not None:
            return ""
        if len(self.series.used) < 2:
            return "No change: fewer than two visits can be used."
        if self.changes and all(row.verdict is Verdict.NOT_COMPARABLE for row in self.changes):
            agreement = self.measures.agreement.get(tuple(group.name for group in self.occasions))
            if dark_visits(self.pair) or (agreement is not None and agreement >= LEAST_VESSEL_AGREEMENT):
                return " ".join(["Not comparable.", *self.measures.remarks])
            found = "" if agreement is None else f": the agreement of their larger vessels is {agreement:.2f}"
            return f"Not comparable{found}. At least {LEAST_VESSEL_AGREEMENT:g} is expected of one eye."
        if len(self.series.in_time) < 2:
            return "No change: fewer than two visits with a date can be used."
        if self.measures is not None and len(self.compared) < 2:
            if self.occasions is not None:
                return order_unknown((entry.visit.name, entry.when) for entry in self.series.in_time)
            which = "All visits" if len(self.measures.occasions) < 2 else "All visits with a date"
            return f"{which} are of one day. They are repeats, and no change over time."
        return "No change map was made."

    @property
    def spacing_mm(self) -> tuple[float, float] | None:
        """Distance between rows and between columns by which was measured; None if unknown."""
        if self.measures is not None:
            return self.measures.grid.spacing_mm
        if self.change is not None:
            return self.change.pixel_mm
        return self.series.pixel_mm

    @cached_property
    def centre_xy(self) -> tuple[float, float]:
        """The centre of the grid, (x, y) in pixels of the reference."""
        if self.measures is not None:
            return self.measures.grid.centre_xy
        if self.change is not None:
            return self.change.centre_xy
        return self.series.centre()

    @property
    def centre_chosen(self) -> bool:
        """Whether the user gave the centre."""
        return tuple(self.centre_xy) != self.series.fovea.centre_xy

    def words_of(self, entry: AlignedVisit) -> str:
        """Name and date of a visit."""
        visit = entry.visit
        return f"{visit.name}, {visit.date}" if visit.date and visit.date not in visit.name else visit.name
