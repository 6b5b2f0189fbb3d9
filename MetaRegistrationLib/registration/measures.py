"""The measures of a registered pair. Each is declared only here; tables, scene and panel read the declarations.

Needs no torch: the panel opens without it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .distances import MOMENTS, NATIVE, NETWORK, PHYSICAL, CarriedLandmarks, Grid, carry_landmarks, distances
from .schema import COMPARED, GRID_PX, PANEL, PERCENT, SCENE, SECONDS, SUMMARY, TERMINAL, Measure

if TYPE_CHECKING:  # it imports torch
    from ..error_map.maps import ErrorMap
    from ..progress import Message
    from .registrar import Registration

__all__ = [
    "MEASURES",
    "CarriedLandmarks",
    "MeasuredPair",
    "PairMeasures",
    "as_row",
    "carry_landmarks",
    "from_row",
    "measure",
    "shown_in",
    "shown_values",
    "summary",
]


class MeasuredPair(NamedTuple):
    """The input of a measure; `landmarks` is None unless both images have them."""

    name: str
    registration: Registration
    landmarks: CarriedLandmarks | None


def _mean_distance(grid: Grid, moment: str) -> Callable[[MeasuredPair], float]:
    def of(pair: MeasuredPair) -> float:
        if pair.landmarks is None or not len(pair.landmarks.converged):
            return math.nan
        return float(distances(grid, moment, pair.registration, pair.landmarks).mean())

    return of


def _distances(grid: Grid, *, shown: frozenset[str] = frozenset()) -> tuple[Measure, ...]:
    return tuple(
        Measure(
            f"distance_{moment}_{grid.suffix}",
            f"distance {moment}",
            _mean_distance(grid, moment),
            unit=grid.unit,
            digits=2,
            note="Mean over the landmarks of the pair",
            shown_in=shown,
        )
        for moment in MOMENTS
    )


def _of_error(value: Callable[[ErrorMap], float]) -> Callable[[MeasuredPair], float]:
    def of(pair: MeasuredPair) -> float:
        error = pair.registration.error
        return math.nan if error is None else value(error)

    return of


def _warning(pair: MeasuredPair) -> str:
    from ..alignment.aligned import alignment_message  # it imports torch, as whoever has a registration did

    message = alignment_message(pair.name, pair.registration.alignment)
    return " ".join(each.text for each in (message, pair.registration.size_message(pair.name)) if _is_warning(each))


def _is_warning(message: Message | None) -> bool:
    return message is not None and message.level == "warning"


_SIMILARITY = "similarity (NCC)"
_EVERYWHERE = frozenset({SUMMARY, TERMINAL, SCENE, PANEL, COMPARED})
MEASURES = (
    Measure("pair", "pair", lambda pair: pair.name, kind=str, shown_in=frozenset({TERMINAL})),
    *_distances(NETWORK, shown=frozenset({SUMMARY, TERMINAL})),
    Measure(
        "ncc_before",
        "NCC before",
        lambda pair: pair.registration.ncc[0],
        note="Normalised cross-correlation of the two images where both show tissue; 1 is a perfect match",
        shown_in=_EVERYWHERE,
        group=_SIMILARITY,
    ),
    Measure("ncc_after", "NCC after", lambda pair: pair.registration.ncc[1], shown_in=_EVERYWHERE, group=_SIMILARITY),
    Measure(
        "folding_percent",
        "folding",
        lambda pair: pair.registration.folding_percent,
        unit=PERCENT,
        note="Share of the network grid on which the field folds",
        shown_in=frozenset({SUMMARY, SCENE, PANEL}),
        zero="no folding",
    ),
    Measure(
        "seconds",
        "time",
        lambda pair: pair.registration.seconds,
        unit=SECONDS,
        digits=2,
        note="From images in memory to the field",
        shown_in=frozenset({SUMMARY}),
    ),
    Measure(
        "landmarks",
        "landmarks",
        lambda pair: len(pair.landmarks.carried) if pair.landmarks else 0,
        kind=int,
        note="Number of landmarks in the mean distances",
    ),
    Measure(
        "not_converged",
        "not converged",
        lambda pair: int((~pair.landmarks.converged).sum()) if pair.landmarks else 0,
        kind=int,
        note="Landmarks whose inverse was not found to tolerance; the means use their best position",
    ),
    *_distances(NATIVE),
    *_distances(PHYSICAL),
    Measure(
        "gradient_magnitude",
        "gradient magnitude",
        lambda pair: pair.registration.gradient_magnitude,
        note="Mean magnitude of the gradient of the field on the network grid",
    ),
    Measure(
        "initial",
        "initial alignment",
        lambda pair: pair.registration.alignment.kind if pair.registration.alignment else "none",
        kind=str,
        note="The kind that was used: `none`, `translation`, `rigid`, `affine` or `landmarks`",
    ),
    Measure(
        "confidence",
        "confidence",
        lambda pair: pair.registration.alignment.confidence if pair.registration.alignment else math.nan,
        note="That the result is right, from 0 to 1; below 0.5 it is not confident, and the image is left unchanged",
    ),
    Measure(
        "scale_found",
        "scale found",
        lambda pair: pair.registration.scale_found,
        note="Size of the tissue in the moving image by that in the fixed one, by the stated pixel sizes; 1 where these agree",
    ),
    Measure(
        "kept",
        "result stage",
        lambda pair: pair.registration.result_stage,
        kind=str,
        note="The stage whose field is the result: `none`, `initial`, `network` or `refine`",
    ),
    Measure("warning", "warning", _warning, kind=str, note="What to check before the result is used"),
    Measure(
        "expected_error_px",
        "expected error",
        _of_error(lambda error: error.expected_px),
        unit=GRID_PX,
        digits=2,
        note="Mean of the predicted error where both images show tissue",
        shown_in=frozenset({SUMMARY, TERMINAL, SCENE}),
    ),
    Measure(
        "error_95_px",
        "95 % of the errors below",
        _of_error(lambda error: error.error_95_px),
        unit=GRID_PX,
        digits=2,
        note="Predicted for the positions where both images show tissue",
        shown_in=frozenset({SCENE}),
    ),
    Measure(
        "uncertain_percent",
        "uncertain",
        _of_error(lambda error: error.uncertain_percent),
        unit=PERCENT,
        digits=0,
        note="Predicted share of these positions with an error over 2 px of the network grid",
        shown_in=frozenset({SCENE}),
    ),
)
"""The measures of a pair, in the order of the columns of `metrics.csv`."""


class PairMeasures(Mapping[str, Any]):
    """The measures of one pair, by key or as attributes: one row of `metrics.csv`.

    Parameters
    ----------
    **values
        By the keys of `MEASURES`; a missing one is unknown: NaN, 0 or an empty text.

    Raises
    ------
    TypeError
        There is no such measure.
    """

    def __init__(self, **values: Any) -> None:
        unknown = set(values) - set(self)
        if unknown:
            raise TypeError(f"PairMeasures: no measure is called {', '.join(sorted(unknown))}")
        self._values = values

    def __getitem__(self, key: str) -> Any:
        found = next((measure for measure in MEASURES if measure.key == key), None)
        if found is None:
            raise KeyError(key)
        return self._values.get(key, found.missing)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"PairMeasures: no measure is called {name}") from None

    def __iter__(self) -> Iterator[str]:
        return (measure.key for measure in MEASURES)

    def __len__(self) -> int:
        return len(MEASURES)

    def __repr__(self) -> str:
        return f"PairMeasures({', '.join(f'{key}={value!r}' for key, value in self._values.items())})"

    def changed(self, **values: Any) -> PairMeasures:
        """The same with other values."""
        return PairMeasures(**{**self._values, **values})


def shown_in(place: str) -> tuple[Measure, ...]:
    """The measures that are shown in `place`, one of the constants of `schema`."""
    return tuple(measure for measure in MEASURES if place in measure.shown_in)


def shown_values(measures: PairMeasures, place: str) -> dict:
    """The values that `place` shows, by key; unknown ones are omitted."""
    values = {each.key: measures[each.key] for each in shown_in(place)}
    return {key: value for key, value in values.items() if value == value}


def measure(name: str, registration: Registration, landmarks: CarriedLandmarks | None) -> PairMeasures:
    """All measures of one registered pair."""
    known = landmarks if landmarks is not None and landmarks.fixed is not None else None
    pair = MeasuredPair(name, registration, known)
    return PairMeasures(**{each.key: each.of(pair) for each in MEASURES})


def summary(rows: Sequence[PairMeasures]) -> dict:
    """Mean, standard deviation and median of each measure over pairs, and the share of pairs that got worse (percent).

    A pair got worse if its landmark distance grew by more than a thousandth of a pixel (the precision of the inverse). Pairs
    without landmarks are ignored.
    """
    result: dict = {"pairs": len(rows)}
    for each in shown_in(SUMMARY):
        values = np.array([row[each.key] for row in rows], dtype=float)
        values = values[np.isfinite(values)]
        result[each.key] = (
            {"mean": float(values.mean()), "std": float(values.std()), "median": float(np.median(values))}
            if values.size
            else None
        )
    judged = [row for row in rows if math.isfinite(row.distance_after_px)]
    worse = sum(row.distance_after_px > row.distance_before_px + 1e-3 for row in judged)
    result["pairs_with_landmarks"] = len(judged)
    result["made_worse_percent"] = 100 * worse / len(judged) if judged else None
    return result


def as_row(measures: PairMeasures) -> dict:
    """Columns of `metrics.csv`: unknown values are empty cells."""
    return {each.key: each.cell(measures[each.key]) for each in MEASURES}


def from_row(cells: Mapping[str, str]) -> PairMeasures:
    """The measures of a row of `metrics.csv`. A missing column is unknown, an additional one is ignored."""
    return PairMeasures(**{each.key: each.parse(cells[each.key]) for each in MEASURES if each.key in cells})
