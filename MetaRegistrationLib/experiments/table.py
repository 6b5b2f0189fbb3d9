"""The table of all rows, beside the paper's Table 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from .. import calibration
from ..formats.tables import write_table
from .plan import ADAPTED, BRAIN, METHODS, Row, Setting
from .results import Result, settings_of
from .statistics import pair_means

PAPER = {
    "not_deformed": ("10.07 ± 3.99", "0.06 ± 0.02"),
    "seen": ("5.55 ± 3.99", "0.24 ± 0.09"),
    "unseen": ("5.85 ± 3.99", "0.22 ± 0.08"),
    "transfer": ("6.19 ± 3.59", "0.16 ± 0.08"),
    ("fine_tune", 10): ("5.90 ± 3.66", "0.18 ± 0.08"),
    ("fine_tune", 2000): ("4.81 ± 2.93", "0.24 ± 0.08"),
    ("ours", 10): ("5.05 ± 3.27", "0.23 ± 0.09"),
    ("ours", 2000): ("4.52 ± 2.93", "0.28 ± 0.10"),
}
"""Distance (px at 400 x 400) and NCC of the paper, on 74 private pairs."""
_WORSE_PX = calibration.WORSE_PX.value


@dataclass(frozen=True)
class TableRow:
    """One line: means over pairs of values that are averaged over seeds first; `seed_spread` are standard deviations of
    the seeds' means (empty for one seed). Distances in pixels of the network grid unless they say `native`."""

    network: str
    bed: str
    initial: str
    row: str
    length: int
    unit: str
    seeds: int
    pairs: int
    distance_px: float
    distance_std_px: float
    distance_median_px: float
    distance_seed_spread_px: float | None
    distance_native_px: float
    made_worse_percent: float
    ncc: float
    ncc_std: float
    ncc_seed_spread: float | None
    folding_percent: float
    gradient_magnitude: float
    seconds_a_pair: float
    training_seconds: float
    paper_distance_px: str
    paper_ncc: str


def table_rows(results: Sequence[Result]) -> list[TableRow]:
    """All lines: by setting, in the order of the paper's table."""
    return [line for setting in settings_of(results) for line in _lines(setting, results)]


def _lines(setting: Setting, results: Sequence[Result]) -> Iterator[TableRow]:
    here = [result for result in results if result.row.setting == setting]
    order = list(METHODS)
    for method, length in sorted({(r.row.method, r.row.length) for r in here}, key=lambda k: (order.index(k[0]), k[1])):
        yield _line([r for r in here if (r.row.method, r.row.length) == (method, length)])


def _line(seeds: Sequence[Result]) -> TableRow:
    row = seeds[0].row
    means = {name: np.array(list(pair_means(seeds, name).values())) for name in _MEASURES}
    distance, before, ncc = means["distance_after_px"], means["distance_before_px"], means["ncc_after"]
    paper = paper_values(row)
    return TableRow(
        **asdict(row.setting),
        row=row.label,
        length=row.length,
        unit=row.unit,
        seeds=len(seeds),
        pairs=len(distance),
        distance_px=float(distance.mean()),
        distance_std_px=float(distance.std()),
        distance_median_px=float(np.median(distance)),
        distance_seed_spread_px=_spread(seeds, "distance_after_px"),
        distance_native_px=float(means["distance_after_native_px"].mean()),
        made_worse_percent=float(100 * (distance > before + _WORSE_PX).mean()),
        ncc=float(np.nanmean(ncc)),
        ncc_std=float(np.nanstd(ncc)),
        ncc_seed_spread=_spread(seeds, "ncc_after"),
        folding_percent=float(means["folding_percent"].mean()),
        gradient_magnitude=float(means["gradient_magnitude"].mean()),
        seconds_a_pair=float(np.median(means["seconds"])),
        training_seconds=float(np.mean([r.record.get("training_seconds") or 0.0 for r in seeds])),
        paper_distance_px=paper[0],
        paper_ncc=paper[1],
    )


_MEASURES = (
    "distance_before_px",
    "distance_after_px",
    "distance_after_native_px",
    "ncc_after",
    "folding_percent",
    "gradient_magnitude",
    "seconds",
)


def paper_values(row: Row) -> tuple[str, str]:
    """The paper's distance and NCC; of other numbers of epochs than the paper's, those of its 2000 stand beside them.

    Empty for the bed of brain slices, which the paper has not.
    """
    if row.setting.bed == BRAIN:
        return "", ""
    if row.method in ADAPTED:
        return PAPER[row.method, 10 if row.length <= 10 else 2000]
    return PAPER[row.method]


def _spread(seeds: Sequence[Result], measure: str) -> float | None:
    if len(seeds) < 2:
        return None
    return float(np.std([np.nanmean(list(result.by_pair(measure).values())) for result in seeds], ddof=1))


def write_csv(path: Path, lines: Sequence[TableRow]) -> None:
    """The table with all its columns."""
    columns = [field.name for field in fields(TableRow)]
    cells = [[_cell(getattr(line, name)) for name in columns] for line in lines]
    write_table(path, columns, cells)


def markdown(lines: Sequence[TableRow]) -> str:
    """A table a setting, as people read it."""
    parts = []
    for setting in dict.fromkeys((line.network, line.bed, line.initial) for line in lines):
        here = [line for line in lines if (line.network, line.bed, line.initial) == setting]
        parts.append(f"### {Setting(*setting).title} ({here[0].pairs} pairs)\n")
        header = (
            "row", "distance, px", "median", "got worse", "NCC", "folding", "seeds", "trained", "paper: distance", "paper: NCC",
        )  # fmt: skip
        parts.append(markdown_table(header, [_cells(line) for line in here]))
    return "\n".join(parts)


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, with a blank line after it."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines) + "\n"


def _cells(line: TableRow) -> tuple[str, ...]:
    spread = "" if line.distance_seed_spread_px is None else f" (seeds: ± {line.distance_seed_spread_px:.2f})"
    ncc_spread = "" if line.ncc_seed_spread is None else f" (seeds: ± {line.ncc_seed_spread:.3f})"
    length = f" ({line.length} steps)" if line.unit == "steps" else ""
    return (
        line.row + length,
        f"{line.distance_px:.2f} ± {line.distance_std_px:.2f}{spread}",
        f"{line.distance_median_px:.2f}",
        f"{line.made_worse_percent:.0f} %",
        f"{line.ncc:.3f} ± {line.ncc_std:.3f}{ncc_spread}",
        f"{line.folding_percent:.3f} %",
        str(line.seeds) if line.unit else "",
        f"{line.training_seconds:.0f} s" if line.unit else "",
        line.paper_distance_px,
        line.paper_ncc,
    )


def _cell(value: object) -> object:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value
