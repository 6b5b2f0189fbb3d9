"""Pictures of `accuracy.py`: error against time, and the worst pairs of one of our rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from accuracy_beds import BenchPair
from accuracy_measures import Result
from our_methods import OurMethod

from MetaRegistrationLib.core.geometry import Geometry
from MetaRegistrationLib.formats.files import replacing, writable_folder
from MetaRegistrationLib.formats.images import write_image
from MetaRegistrationLib.registration.measures import carry_landmarks
from MetaRegistrationLib.registration.results import overlay_picture

_OURS, _PEER = "#0f6fb8", "#c2410c"
_TITLES = {"R": "R: real repeat scans", "S": "S: simulated repeat scans"}


def error_against_time(path: Path, bed: str, rows: Sequence[dict], ours: set[str]) -> bool:
    """Median (disc) and 90th percentile (end of the line) of the distance against seconds a pair, both axes logarithmic.

    Returns False, and writes nothing, where matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter
    except ImportError:
        return False
    shown = [row for row in rows if row["method"] != "not deformed"]
    before = next((row for row in rows if row["method"] == "not deformed"), None)
    figure = Figure(figsize=(10.5, 6.5), dpi=130, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for number, row in enumerate(sorted(shown, key=lambda row: row["seconds"]), 1):
        colour = _OURS if row["method"] in ours else _PEER
        axes.plot([row["seconds"]] * 2, [row["median_px"], row["p90_px"]], color=colour, linewidth=1.5, alpha=0.6)
        axes.plot(row["seconds"], row["p90_px"], "_", color=colour, markersize=8, alpha=0.6)
        label = f"{number}  {row['method']}: {row['median_px']:.2f} px, {row['seconds']:.2g} s"
        axes.plot(row["seconds"], row["median_px"], "o", color=colour, markersize=13, label=label)
        # A number on each disc and the names beside the axes: names at the discs would cover each other.
        axes.annotate(
            str(number), (row["seconds"], row["median_px"]), ha="center", va="center", color="white", fontsize=8
        )
    if before:
        axes.axhline(before["median_px"], color="0.5", linestyle="--", linewidth=1, label="not deformed (median)")
    axes.set(xscale="log", yscale="log", xlabel="seconds a pair (median)", ylabel="landmark distance, px of 400")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if _leading(value) in (2, 5) else ""))
    axes.grid(which="both", color="0.92")
    axes.set_axisbelow(True)
    axes.set_title(
        f"{_TITLES[bed]}, {shown[0]['pairs'] if shown else 0} pairs: median (disc) and 90th percentile (bar)"
    )
    figure.legend(loc="outside right upper", fontsize=8, frameon=False, title="blue: ours, orange: others")
    with replacing(path) as temporary:
        figure.savefig(temporary)
    return True


def _leading(value: float) -> int:
    return round(value / 10 ** np.floor(np.log10(value))) if value > 0 else 0


def worst_cases(folder: Path, method: OurMethod, results: Sequence[Result], pairs: dict[str, BenchPair]) -> list[Path]:
    """Overlays before (left) and after (right) of the pairs of `results`, named by their order in it."""
    written = []
    for earlier in folder.glob(f"{results[0].bed}_*.png"):  # of a run with fewer pairs or another row
        earlier.unlink()
    for place, result in enumerate(results, 1):
        images = pairs[result.pair].images
        registration = method.registration(pairs[result.pair])
        landmarks = carry_landmarks(registration, images.moving_landmarks, images.fixed_landmarks)
        picture = overlay_picture(registration, registration.warped(), landmarks)
        path = writable_folder(folder) / f"{result.bed}_{place}_{result.pair}_{result.distance_px:.2f}px.png"
        write_image(path, picture, Geometry(size=picture.shape[:2]))
        written.append(path)
    return written
