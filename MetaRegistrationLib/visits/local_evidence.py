"""Evidence, at every place, that capillaries of one visit are missing in another.

A difference of local density alone does not tell loss from focus and signal, which differ between regions of repeat scans. The
two visits are aligned, so that more is known: whether the structure of one is found in the other (its correlation), how strong it
is there, and what became of the larger vessels around. A linear function of these features (`evidence_weights`) separates painted
loss from repeat scans, in which nothing changed, and from shadows (Fisher's linear discriminant; `local_change_fit.py` of the
benchmarks). A shadow dims structure and larger vessels, and keeps their correlation.

Focus and signal change slowly over the image. What changes slowly, by no more than in repeat scans, is subtracted. A loss over
half of the image is far greater than that, and stays.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..core.enlarging import enlarged
from ..core.gaussian import gaussian
from ..octa.capillaries import FEATURES, FLOOR
from .evidence_weights import KINDS, WINDOW, Evidence
from .measured import Local
from .shadows import WIDTHS, dimming, larger_of_both

NAMES = (
    *FEATURES,
    *(f"{part}{band}_{where}" for band in range(3) for where in ("all", "between") for part in ("correlation", "gain")),
    "larger_near",
    "larger_far",
)
"""The features, in the order of the weights."""
STEP = 2
"""Distance between the places at which the evidence is computed, pixels of 18.75 um."""
_SLOW = 53  # standard deviation of the window of what changes slowly, pixels of 18.75 um
_COARSE = 4  # places that are averaged for it
_LEAST_BETWEEN, _LEAST_KNOWN = 0.2, 0.7  # of a window
_MARGIN = 2  # places beside what is unknown
_NARROWEST, _WIDEST = 0.5, 2.0  # how far the spread of a pair counts, in spreads of usual repeat scans
_NO_ENERGY = 1e-4  # of structure, below which there is none
_WEAK = 0.1  # added to correlations, so that their logarithm is finite


@dataclass(frozen=True, eq=False)
class Scores:
    """Evidence of loss and of gain at places that are `step_of` pixels apart, in standard deviations of repeat scans.

    Attributes
    ----------
    lost, gained : float32 arrays (N, h, w)
        Of each of the N kinds of evidence (`evidence_weights.KINDS`); 0 where unknown.
    known : bool array (h, w)
    """

    lost: np.ndarray
    gained: np.ndarray
    known: np.ndarray


def scores(first: Local, second: Local, known: np.ndarray, unit: float) -> Scores:
    """Evidence of loss and of gain.

    Parameters
    ----------
    first, second : Local
        The earlier and the later visit.
    known : bool array (H, W)
        The measurable pixels.
    unit : float
        Pixels in 18.75 um (`octa.capillaries.filter_unit`).
    """
    forth, back, places = features_between(first, second, known, unit, WINDOW)
    return Scores(*(scores_of(features, places) for features in (forth, back)), places)


def scores_of(features: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Scores of each kind of evidence, float32 (N, h, w); parameters as of `score`."""
    return np.stack([score(features, known, kind) for kind in KINDS])


def step_of(unit: float) -> int:
    """Pixels between the places of the evidence."""
    return max(round(STEP * unit), 1)


def features_between(
    first: Local, second: Local, known: np.ndarray, unit: float, window: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features at every place, of loss and of gain.

    Parameters
    ----------
    first, second, known, unit
        As for `scores`.
    window : float
        Standard deviation of the Gaussian window, pixels of 18.75 um.

    Returns
    -------
    forth, back : float32 arrays (32, h, w)
        From the first to the second visit, and the other way round.
    known : bool array (h, w)
    """
    step = step_of(unit)
    every = (slice(None, None, step),) * 2
    between = first.between & second.between & known
    masks = [(mask, gaussian(mask, window * unit, step)) for mask in (known, between)]

    def mean(values: np.ndarray, number: int) -> np.ndarray:
        mask, share = masks[number]
        return gaussian(np.where(mask, values, 0), window * unit, step) / np.maximum(share, 1e-3)

    forth = [_log(mean(b, 1)) - _log(mean(a, 1)) for a, b in zip(first.texture, second.texture, strict=True)]
    back = [-part for part in forth]
    for a, b in zip(first.structure[1:], second.structure[1:], strict=True):
        for number in (0, 1):
            own, other, both = (mean(part, number) + _NO_ENERGY for part in (a**2, b**2, a * b))
            same = np.log(np.clip((both - _NO_ENERGY) / np.sqrt(own * other), 0, 1) + _WEAK)
            gain = 0.5 * np.log(other / own)
            forth += [same, gain]
            back += [same, -gain]
    grey = [gaussian(part.structure[0], unit) for part in (first, second)]
    larger = larger_of_both(first.large, second.large, known, unit)
    for width in WIDTHS:
        there, here = (dimming(*pair, larger, width * unit)[every] for pair in (grey, grey[::-1]))
        forth.append(there)
        back.append(here)
    (_, share_known), (_, share_between) = masks
    places = known[every] & (share_between > _LEAST_BETWEEN) & (share_known > _LEAST_KNOWN)
    places = ndimage.binary_erosion(places, iterations=_MARGIN)
    return np.stack(forth).astype(np.float32), np.stack(back).astype(np.float32), places


def score(features: np.ndarray, known: np.ndarray, scale: Evidence) -> np.ndarray:
    """The evidence in standard deviations of repeat scans, float32 (h, w); a pair that varies more has larger ones.

    Parameters
    ----------
    features : array (32, h, w)
    known : bool array (h, w)
    scale : Evidence
    """
    if not known.any():
        return np.zeros(known.shape, np.float32)
    values = _linear(features, known, scale)
    return np.where(known, values / np.clip(_spread(values[known]) / scale.spread, _NARROWEST, _WIDEST), 0).astype(
        np.float32
    )


def spread_of(features: np.ndarray, known: np.ndarray, scale: Evidence) -> float:
    """How much the linear function varies in a pair; a change of less than three quarters of the area has no part in it."""
    return _spread(_linear(features, known, scale)[known])


def _linear(features: np.ndarray, known: np.ndarray, scale: Evidence) -> np.ndarray:
    parts, share = zip(features, scale.weights, scale.limits, strict=True), _coarse(known)
    return sum(np.float32(weight) * (part - slow(part, known, limit, share)) for part, weight, limit in parts)


def _spread(values: np.ndarray) -> float:
    """The standard deviation of normal values around 0, from the quarter of them that is nearest to 0."""
    return float(np.percentile(np.abs(values), 25)) / 0.3186


def slow(values: np.ndarray, known: np.ndarray, limit: float, share: np.ndarray | None = None) -> np.ndarray:
    """What changes slowly over the image: a wide mean of values that are limited to `limit` and below.

    `share` is `_coarse(known)`, where it is known already.
    """
    near = np.where(known, np.clip(values, -limit, limit), 0).astype(np.float32)
    found = _coarse(near) / np.maximum(_coarse(known) if share is None else share, 1e-3)
    return enlarged(found, _COARSE, values.shape).astype(np.float32)


def _coarse(part: np.ndarray) -> np.ndarray:
    """Wide means of blocks of places."""
    rows, columns = part.shape
    padded = np.pad(part.astype(np.float32), ((0, -rows % _COARSE), (0, -columns % _COARSE)))
    blocks = padded.reshape(padded.shape[0] // _COARSE, _COARSE, padded.shape[1] // _COARSE, _COARSE)
    return gaussian(blocks.mean(axis=(1, 3)), _SLOW / STEP / _COARSE)


def _log(means: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(means, 0) + FLOOR)
