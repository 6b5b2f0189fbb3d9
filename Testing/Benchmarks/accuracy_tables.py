"""Tables of `accuracy.py`: one row a method, as CSV, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from accuracy_measures import Result

from MetaRegistrationLib.formats.files import write_json, write_text
from MetaRegistrationLib.formats.tables import write_table
from MetaRegistrationLib.progress import plain

_FAR_PX = 2.0
# Key, heading, decimals.
COLUMNS = (
    ("mean_px", "mean, px", 2),
    ("std_px", "std", 2),
    ("median_px", "median", 2),
    ("p90_px", "90th percentile", 2),
    ("max_px", "max", 2),
    ("worse_percent", "worse than before, %", 1),
    ("far_percent", f"over {_FAR_PX:g} px, %", 1),
    ("folding_percent", "folding, %", 3),
    ("ncc", "NCC", 3),
    ("seconds", "seconds a pair", 2),
    ("failed", "failed", 0),
)


def row(method: str, results: Sequence[Result]) -> dict:
    """One method's numbers over its pairs. Seconds are the median (their mean, quartiles and sum go into the JSON)."""
    distances = np.array([result.distance_px for result in results])
    seconds = np.array([result.seconds for result in results])
    return {
        "method": method,
        "pairs": len(results),
        "mean_px": float(distances.mean()),
        "std_px": float(distances.std()),
        "median_px": float(np.median(distances)),
        "p90_px": float(np.percentile(distances, 90)),
        "max_px": float(distances.max()),
        "worse_percent": 100 * float(np.mean([result.worse for result in results])),
        "far_percent": 100 * float((distances > _FAR_PX).mean()),
        "folding_percent": float(np.mean([result.folding_percent for result in results])),
        "ncc": float(np.nanmean([result.ncc for result in results])),
        "seconds": float(np.median(seconds)),
        "seconds_mean": float(seconds.mean()),
        "seconds_quartiles": [float(value) for value in np.percentile(seconds, (25, 75))],
        "not_converged": sum(result.not_converged for result in results),
        "failed": sum(bool(result.failed) for result in results),
    }


def write(folder: Path, bed: str, rows: Sequence[dict], record: dict) -> str:
    """Write `BED.csv`, `BED.md` and `BED.json`; return the Markdown.

    Parameters
    ----------
    folder : Path
    bed : str
    rows : sequence of dict
        As `row` makes them.
    record : dict
        Machine, versions, settings of every method, data: goes into the JSON.
    """
    keys = ["method", "pairs", *(key for key, _, _ in COLUMNS)]
    write_table(
        folder / f"{bed}.csv",
        keys,
        [[f"{line[key]:.6g}" if isinstance(line[key], float) else line[key] for key in keys] for line in rows],
    )
    text = markdown(rows)
    write_text(folder / f"{bed}.md", text + "\n")
    write_json(folder / f"{bed}.json", plain({**record, "rows": list(rows)}))
    return text


def markdown(rows: Sequence[dict]) -> str:
    """The rows as a Markdown table, and what it is about."""
    lines = [
        "| method | pairs | " + " | ".join(heading for _, heading, _ in COLUMNS) + " |",
        "|---|" + "---:|" * (len(COLUMNS) + 1),
    ]
    for line in rows:
        cells = [f"{line[key]:.{decimals}f}" for key, _, decimals in COLUMNS]
        lines.append(f"| {line['method']} | {line['pairs']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
