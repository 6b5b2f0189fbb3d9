"""What is read from the rows that are done: tables, comparisons, claims, figures, and the page that joins them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ..errors import InputError
from ..formats.files import writable_folder, write_text
from ..formats.tables import write_table
from ..progress import Message, Reader
from .claims import PAPER_CONVERGED, PAPER_REACHED, TOLERANCE, WINDOW, Claim, claims
from .figures import draw_curves, join_panels
from .measures import WATCHED_PAIRS
from .plan import ADAPTED, BRAIN, METHODS, Budget, Row, Setting
from .results import Result, read_log, read_results, settings_of
from .statistics import Comparison, comparisons
from .table import markdown, markdown_table, table_rows, write_csv

TABLE, PAGE, COMPARISONS, CLAIMS = "table.csv", "table.md", "comparisons.csv", "claims.csv"
_DISTANCE, _NCC = "distance_after_px", "ncc_after"
_PANELS = ("not_deformed", "seen", "unseen", "transfer", "fine_tune", "ours")

Compared = tuple[Setting, str, str, str, Comparison]


def write_report(
    output: Path, budget: Budget, progress: Reader, changed: Sequence[Setting] | None = None
) -> list[Result]:
    """Bring tables and figures up to date with the rows in `output`, and give these rows.

    Parameters
    ----------
    output : Path
    budget : Budget
        Which number of epochs the quick row has.
    progress : Reader
        Is warned when a figure cannot be drawn.
    """
    results = read_results(output)
    if not results:
        return results
    lines = table_rows(results)
    compared = [
        (setting, measure, first, second, comparison)
        for measure in (_DISTANCE, _NCC)
        for setting, first, second, comparison in comparisons(results, measure)
    ]
    found = [claim for setting in settings_of(results) for claim in _claims(output, setting, budget)]
    write_csv(output / TABLE, lines)
    _write_comparisons(output / COMPARISONS, compared)
    _write_claims(output / CLAIMS, found)
    captions = [_figures(output, results, setting, budget, progress) for setting in settings_of(results)]
    parts = [
        "# The paper's Table 1 on the test beds\n",
        _NOTE,
        markdown(lines),
        "## Paired comparisons\n",
        _comparisons_text(compared),
        "## Epochs\n",
        _claims_text(found),
        "## Figures\n",
        *captions,
        _machines(results),
    ]
    write_text(output / PAGE, "\n".join(parts))
    return results


def figure_files(output: Path, setting: Setting) -> tuple[Path, Path]:
    """Fig. 3 and Fig. 4 of a setting."""
    figure_3, figure_4 = (output / "figures" / f"fig{number}_{setting.name}.png" for number in (3, 4))
    return figure_3, figure_4


_NOTE = (
    "Mean ± standard deviation over test pairs, each pair's values averaged over the seeds; behind them the standard deviation\n"
    "of the seeds' means. Distances in pixels of the network grid (400 x 400). The paper's numbers are of private pairs:\n"
    "order and ratios can be compared, not the values; its longest rows have 2000 epochs. 'Not deformed' with an initial\n"
    "alignment is that alignment alone.\n"
)


_TEST_NOTE = (
    "Mean differences, first minus second, with a two-sided Wilcoxon signed rank test over the test pairs, each p by itself\n"
    "(not corrected for their number); a pair's values are averaged over the seeds that both methods have. Comparisons with\n"
    f"the models from scratch, and medians, stand in {COMPARISONS}.\n\n"
)


def _log(output: Path, setting: Setting, method: str) -> list[dict[str, float]]:
    return read_log(output, Row(setting, method))


def _claims(output: Path, setting: Setting, budget: Budget) -> list[Claim]:
    logs = [_log(output, setting, method) for method in ADAPTED]
    return claims(setting, *logs, budget.epochs(setting.bed)[0]) if all(logs) else []


def _figures(output: Path, results: Sequence[Result], setting: Setting, budget: Budget, progress: Reader) -> str:
    """Draw a setting's figures where they are due, and give their captions."""
    writable_folder(output / "figures")
    quick = budget.epochs(setting.bed)[0]
    total = max(len(result.pairs) for result in results if result.row.setting == setting)
    return _curves(output, setting, quick, total, progress) + _overlays(output, results, setting, quick)


def _curves(output: Path, setting: Setting, quick: int, total: int, progress: Reader) -> str:
    path, _ = figure_files(output, setting)
    logs = [_log(output, setting, method) for method in ADAPTED]
    if not any(logs):
        return ""
    pairs = max(int(line.get(f"validation_{WATCHED_PAIRS}", 0)) for log in logs for line in log[-1:])
    watched = f"distance and NCC: mean of {'all ' if pairs == total else f'{pairs} of '}{total} test pairs; one seed"
    if _older(path, [output / Row(setting, method).folder / "log.csv" for method in ADAPTED]):
        try:
            draw_curves(path, setting.title, *logs, quick, watched)
        except InputError as error:
            progress(Message.of(error))
    return f"Fig. 3, {setting.title} ({watched}):\n\n![Fig. 3](figures/{path.name})\n\n"


def _overlays(output: Path, results: Sequence[Result], setting: Setting, quick: int) -> str:
    _, path = figure_files(output, setting)
    rows = [row for method in _PANELS for row in _panel_row(results, setting, method, quick)]
    panels = [output / row.folder / f"{row.file}.png" for row in rows]
    rows = [
        row for row, panel in zip(rows, panels, strict=True) if panel.is_file()
    ]  # results may travel without pictures
    panels = [panel for panel in panels if panel.is_file()]
    if not rows:
        return ""
    if _older(path, panels):
        join_panels(path, panels)
    names = ", ".join(f"({letter}) {row.label}" for letter, row in zip("abcdef", rows, strict=False))
    return f"Fig. 4, {setting.title}, from left to right, row by row: {names}.\n\n![Fig. 4](figures/{path.name})\n"


def _older(picture: Path, sources: Sequence[Path]) -> bool:
    """Whether a picture is missing, or older than something that it shows."""
    times = [source.stat().st_mtime_ns for source in sources if source.is_file()]
    return not picture.is_file() or picture.stat().st_mtime_ns < max(times, default=0)


def _panel_row(results: Sequence[Result], setting: Setting, method: str, quick: int) -> list[Row]:
    """The row of a method that Fig. 4 shows: of adapted ones the quick one, of others the longest; none or one."""
    rows = [r.row for r in results if r.row.setting == setting and r.row.method == method and r.row.seed == 0]
    rows = [row for row in rows if method not in ADAPTED or row.length == quick]
    return sorted(rows, key=lambda row: row.length)[-1:]


def _write_comparisons(path: Path, compared: Sequence[Compared]) -> None:
    columns = ["network", "bed", "initial", "measure", "first", "second", *Comparison.__dataclass_fields__]
    cells = [
        [*asdict(setting).values(), measure, first, second, *(_short(value) for value in asdict(comparison).values())]
        for setting, measure, first, second, comparison in compared
    ]
    write_table(path, columns, cells)


def _comparisons_text(compared: Sequence[Compared]) -> str:
    """The comparisons among Ours, Fine-tune and Transfer, distance and NCC in one line; the file has all of them."""
    ncc = {(setting, first, second): found for setting, measure, first, second, found in compared if measure == _NCC}
    rows = [
        (setting.name, f"{first} against {second}", str(found.pairs), *_cells(found, found.lower_percent), *other)
        for setting, measure, first, second, found in compared
        if measure == _DISTANCE and not second.startswith("Model")
        for against in [ncc.get((setting, first, second))]
        for other in [_cells(against, against.higher_percent) if against else ("", "", "")]
    ]
    header = ("setting", "compared", "pairs", "distance, px", "first is better", "p", "NCC", "first is better", "p")
    return _TEST_NOTE + markdown_table(header, rows)


def _cells(found: Comparison, better_percent: float) -> tuple[str, str, str]:
    return f"{found.mean_difference:+.3f}", f"{better_percent:.0f} %", f"{found.p:.2g}"


def _write_claims(path: Path, found: Sequence[Claim]) -> None:
    names = [name for name in Claim.__dataclass_fields__ if name != "setting"]
    cells = [[*asdict(claim.setting).values(), *(_short(getattr(claim, name)) for name in names)] for claim in found]
    write_table(path, ["network", "bed", "initial", *names], cells)


def _claims_text(found: Sequence[Claim]) -> str:
    rows = [
        (
            claim.setting.name,
            claim.curve,
            f"{claim.epochs:g}",
            _epoch(claim.reached),
            PAPER_REACHED[claim.curve] if claim.setting.bed != BRAIN else "",
            _epoch(claim.fine_tune_converged),
            _epoch(claim.ours_converged),
        )
        for claim in found
    ]
    text = (
        f"Running means over {WINDOW} measurements. Converged: the first epoch at which the running mean is within "
        f"{TOLERANCE:.0%} of the best\none of the epochs that were run, so that a training that still improves converges late "
        f"in them. In the paper, Fine-tune\nconverges after {PAPER_CONVERGED['fine_tune']} epochs and Ours after "
        f"{PAPER_CONVERGED['ours']}.\n\n"
    )
    quick = found[0].quick_epochs if found else 10
    header = (
        "setting", "curve", "epochs run", f"Fine-tune reaches Ours at {quick} epochs after", "paper", "Fine-tune converged",
        "Ours converged",
    )  # fmt: skip
    return text + markdown_table(header, rows)


def _machines(results: Sequence[Result]) -> str:
    devices = sorted({result.record["device"] for result in results})
    programs = sorted({result.record["versions"]["program"] for result in results})
    torches = sorted({result.record["versions"]["torch"] for result in results})
    hours = sum((r.record.get("own_training_seconds") or 0) + r.record["measuring_seconds"] for r in results) / 3600
    return (
        f"## Made by\n\n{', '.join(programs)}; torch {', '.join(torches)}; {'; '.join(devices)}. The rows took "
        f"{hours:.2f} hours.\nSettings, seeds, versions and times of each row stand in the `.json` file beside its table of "
        f"pairs, in `runs/`.\nMethods: {', '.join(METHODS.values())} (Documentation/Notebook/Experiments.md).\n"
    )


def _epoch(value: float | None) -> str:
    return "not within these" if value is None else f"{value:g}"


def _short(value: object) -> object:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value
