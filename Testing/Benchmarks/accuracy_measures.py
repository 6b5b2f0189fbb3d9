"""One result of `accuracy.py`: the measures of a field on a pair, and the file that keeps them as they come."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from accuracy_beds import EQUALISED, BenchPair

from MetaRegistrationLib.core.metrics import folding_percent, landmark_distances, normalised_cross_correlation
from MetaRegistrationLib.core.spatial import invert_points, warp
from MetaRegistrationLib.formats.files import write_text

# A pair got worse when its distance grew by more than the inverse's own precision, in pixels.
_PRECISION_PX = 1e-3


@dataclass(frozen=True)
class Result:
    """A method on a pair. Distances are means over the pair's landmarks, in pixels of the 400 x 400 frame.

    `settings` is the fingerprint of what the method was set to; `failed` says why it gave no field (the pair then counts as
    not deformed); `not_converged` counts landmarks that have no exact place under the inverse of the field.
    """

    bed: str
    pair: str
    method: str
    settings: str
    distance_before_px: float
    distance_px: float
    ncc: float
    folding_percent: float
    seconds: float
    not_converged: int
    failed: str = ""

    @property
    def worse(self) -> bool:
        """Whether the landmarks lie further apart than without registration."""
        return self.distance_px > self.distance_before_px + _PRECISION_PX


def checked_field(field: np.ndarray, size: int) -> np.ndarray:
    """The field as float32 (2, size, size); `ValueError` when it has another shape or is not finite."""
    field = np.ascontiguousarray(field, dtype=np.float32)
    if field.shape != (2, size, size):
        raise ValueError(f"a field of shape {(2, size, size)} was expected, but it is {field.shape}")
    if not np.isfinite(field).all():
        raise ValueError("the field is not finite")
    return field


def measured(
    pair: BenchPair, field: np.ndarray, *, method: str, settings: str = "", seconds: float = 0.0, failed: str = ""
) -> Result:
    """All measures of a pull field (2, S, S) on a pair; the same code for every method."""
    carried, converged = invert_points(field, pair.moving_points)
    moving, fixed = pair.frames[EQUALISED]
    stack = torch.from_numpy(np.stack([moving, pair.inside[0].astype(np.float32)]))[None]
    moved, defined = warp(stack, torch.from_numpy(field)[None])[0].numpy()
    return Result(
        bed=pair.bed,
        pair=pair.name,
        method=method,
        settings=settings,
        distance_before_px=float(landmark_distances(pair.moving_points, pair.fixed_points).mean()),
        distance_px=float(landmark_distances(carried, pair.fixed_points).mean()),
        ncc=normalised_cross_correlation(moved, fixed, pair.inside[1] & (defined > 0.999)),
        folding_percent=folding_percent(field),
        seconds=seconds,
        not_converged=int((~converged).sum()),
        failed=failed,
    )


class ResultFile:
    """Results as JSON lines: each is on disk as soon as it is there, and a run that is started again goes on behind them.

    What a method gave with other settings stays in the file and does not count.
    """

    def __init__(self, path: Path):
        self._path = path
        self._results = {_key(result): result for result in _read(path)}
        if path.is_file():  # without the half line at which an earlier run may have been ended
            write_text(path, "".join(map(_line, self._results.values())))

    def add(self, result: Result) -> None:
        """Keep a result."""
        self._results[_key(result)] = result
        with self._path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(_line(result))

    def get(self, bed: str, pair: str, method: str, settings: str) -> Result | None:
        """The result of a method with these settings on a pair, if there is one."""
        return self._results.get((bed, pair, method, settings))

    def of(self, bed: str, pairs: Iterable[str], method: str, settings: str) -> list[Result]:
        """Those that there are of several pairs."""
        return [result for pair in pairs if (result := self.get(bed, pair, method, settings)) is not None]


def _key(result: Result) -> tuple[str, str, str, str]:
    return result.bed, result.pair, result.method, result.settings


def _line(result: Result) -> str:
    values = {key: None if value != value else value for key, value in asdict(result).items()}  # JSON has no NaN
    return json.dumps(values, ensure_ascii=False) + "\n"


def _read(path: Path) -> list[Result]:
    if not path.is_file():
        return []
    names, results = {field.name for field in fields(Result)}, []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            values = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(values, dict) and names == set(values):
            results.append(Result(**{key: math.nan if value is None else value for key, value in values.items()}))
    return results
