"""Results of `kinds.py`: the measures of a method on a pair, the file that keeps them, and the tables."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from kinds_methods import Found
from kinds_sets import KindPair
from scipy import ndimage

from MetaRegistrationLib.core.metrics import landmark_distances
from MetaRegistrationLib.formats.files import write_text

LOST_PX, WORSE_PX, WORSE_DICE, LEAST_CONFIDENCE = 10.0, 2.0, 0.02, 0.5


@dataclass(frozen=True)
class KindResult:
    """A method on a pair. Distances are means over landmarks in pixels of a 400 x 400 frame on the fixed image; Dice is the
    mean over labels but 0; NaN is what there is no truth or no word for."""

    kind: str
    pair: str
    method: str
    settings: str
    before_px: float
    error_px: float
    dice_before: float
    dice: float
    confidence: float
    initial: str
    seconds: float
    failed: str = ""
    cpu_seconds: float = math.nan

    @property
    def confident(self) -> bool:
        """Whether the method is confident of its result."""
        return self.confidence >= LEAST_CONFIDENCE

    @property
    def lost(self) -> bool:
        """Whether the landmarks are far apart."""
        return self.error_px > LOST_PX

    @property
    def worse(self) -> bool:
        """Whether the pair got worse."""
        return self.error_px > self.before_px + WORSE_PX or self.dice < self.dice_before - WORSE_DICE


def measured(pair: KindPair, method: str, settings: str, found: Found, before: Found, failed: str = "") -> KindResult:
    """All measures of what a method found; `before` is what no method at all gives."""
    return KindResult(
        pair.kind,
        pair.name,
        method,
        settings,
        _distance(pair, before),
        _distance(pair, found),
        _dice(pair, before),
        _dice(pair, found),
        found.confidence,
        found.initial,
        found.seconds,
        failed,
        found.cpu_seconds,
    )


def _distance(pair: KindPair, found: Found) -> float:
    if found.points is None or pair.images.fixed_landmarks is None:
        return math.nan
    unit = pair.unit_px
    return float(landmark_distances(found.points / unit, pair.images.fixed_landmarks.points / unit).mean())


def _dice(pair: KindPair, found: Found) -> float:
    if pair.labels is None:
        return math.nan
    moving, fixed = pair.labels
    moved = ndimage.map_coordinates(moving, found.positions, order=0, mode="constant", cval=0)
    shares = [
        2
        * np.count_nonzero((moved == label) & (fixed == label))
        / (np.count_nonzero(moved == label) + np.count_nonzero(fixed == label))
        for label in np.unique(fixed)
        if label
    ]
    return float(np.mean(shares))


class KindResults:
    """Results as JSON lines, each on disk as soon as it is there; of a row's results on a pair the last one counts."""

    def __init__(self, path: Path):
        self._path = path
        names = {field.name for field in fields(KindResult)}
        needed = names - {"cpu_seconds"}
        self._results: dict[tuple[str, str, str], KindResult] = {}
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
            try:
                values = json.loads(line)
            except json.JSONDecodeError:  # the half line at which an earlier run was ended
                continue
            if needed <= set(values) <= names:
                self._keep(KindResult(**{key: math.nan if value is None else value for key, value in values.items()}))

    def _keep(self, result: KindResult) -> None:
        self._results[result.kind, result.pair, result.method] = result

    def add(self, result: KindResult) -> None:
        """Keep a result."""
        self._keep(result)
        values = {key: None if value != value else value for key, value in asdict(result).items()}  # JSON has no NaN
        with self._path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write("\n" * self._ends_in_half_a_line() + json.dumps(values, ensure_ascii=False) + "\n")

    def _ends_in_half_a_line(self) -> bool:
        return self._path.is_file() and not self._path.read_bytes().endswith(b"\n") and self._path.stat().st_size > 0

    def has(self, kind: str, pair: str, method: str, settings: str) -> bool:
        """Whether a row has a result with these settings."""
        found = self._results.get((kind, pair, method))
        return found is not None and found.settings == settings

    def kinds(self) -> list[str]:
        """All sets with results, in the order in which they came."""
        return list(dict.fromkeys(kind for kind, _, _ in self._results))

    def rows(self, kind: str) -> dict[str, list[KindResult]]:
        """A set's results by method."""
        rows: dict[str, list[KindResult]] = {}
        for result in self._results.values():
            if result.kind == kind:
                rows.setdefault(result.method, []).append(result)
        return rows


def write_tables(folder: Path, results: KindResults, order: Sequence[str]) -> str:
    """Write KIND.md for each set and kinds.md with all of them; returns the latter.

    `order` is that of the rows; rows that are only in the results (of an earlier version) come behind "not deformed".
    """
    parts = []
    for kind in results.kinds():
        rows = results.rows(kind)
        first, rest = [name for name in order[:1] if name in rows], [name for name in order[1:] if name in rows]
        names = [*first, *(name for name in rows if name not in order), *rest]
        text = markdown({name: rows[name] for name in names})
        write_text(folder / f"{kind}.md", text + "\n")
        parts.append(f"## {kind}\n\n{text}\n")
    whole = "\n".join(parts)
    write_text(folder / "kinds.md", whole)
    return whole


def markdown(rows: dict[str, list[KindResult]]) -> str:
    """One set's table."""
    everything = [result for results in rows.values() for result in results]
    dice = any(not math.isnan(result.dice) for result in everything)
    landmarks = any(not math.isnan(result.error_px) for result in everything)
    heads = ["method", "pairs"]
    heads += ["mean, px", "median", "max", f"lost (> {LOST_PX:g} px)"] * landmarks
    heads += ["Dice", "lowest"] * dice
    heads += ["confident", "confident and wrong", "got worse", "failed", "seconds", "CPU s"]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    for name, results in rows.items():
        cells = [name, str(len(results))]
        if landmarks:
            errors = np.array([result.error_px for result in results])
            lost = sum(result.lost for result in results)
            cells += [f"{errors.mean():.2f}", f"{np.median(errors):.2f}", f"{errors.max():.2f}", str(lost)]
        if dice:
            shares = np.array([result.dice for result in results])
            cells += [f"{shares.mean():.3f}", f"{shares.min():.3f}"]
        confident = [result for result in results if result.confident]
        known = any(not math.isnan(result.confidence) for result in results)
        cells.append(f"{100 * len(confident) / len(results):.0f} %" if known else "")
        cells.append(str(sum(result.lost for result in confident)) if known and landmarks else "")
        cells.append(str(sum(result.worse for result in results)) if landmarks or dice else "")
        cells.append(str(sum(bool(result.failed) for result in results)))
        cells.append(f"{np.median([result.seconds for result in results]):.2f}")
        times = [result.cpu_seconds for result in results if not math.isnan(result.cpu_seconds)]
        cells.append(f"{np.median(times):.2f}" if times else "")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
