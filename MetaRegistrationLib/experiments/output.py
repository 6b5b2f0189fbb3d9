"""The folder of the experiments, to which later calls add."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import InputError
from ..formats.output_folder import EarlierResultsError, Finished, Output, check_output
from ..formats.written_files import WrittenFiles
from ..training.folder import BEST, LAST, LOG
from .plan import RUNS, Row
from .report import CLAIMS, COMPARISONS, PAGE, TABLE, figure_files

KIND = "reproduce"


def results_in(folder: Path, rows: Sequence[Row]) -> Output:
    """The results of rows, beside those of earlier calls.

    Raises
    ------
    InputError
        The folder holds results of another command, or files that no call wrote and that would be replaced.
    """
    earlier = WrittenFiles.read(folder)
    if earlier is None:
        _refuse_unlisted_results(folder)
    finished = None if earlier is None else Finished(frozenset(), tables=frozenset(earlier.states))
    output = Output(folder, KIND, targets=lambda: _files(folder, rows), finished=finished)
    try:
        check_output(output)
    except EarlierResultsError as error:  # they cannot be replaced: an experiment is made in many calls
        raise InputError(error.problem, field="output", advice=error.advice_without_replacing) from error
    return output


def _refuse_unlisted_results(folder: Path) -> None:
    if (folder / RUNS).is_dir() and (folder / TABLE).is_file():
        raise InputError(
            f"{folder}: this folder holds results of {KIND} of an earlier version, without a list of the written files.",
            field="output",
            advice="Choose another {field}.",
        )


def _files(folder: Path, rows: Sequence[Row]) -> Iterator[Path]:
    for name in (TABLE, PAGE, COMPARISONS, CLAIMS):
        yield folder / name
    for setting in dict.fromkeys(row.setting for row in rows):
        yield from figure_files(folder, setting)
    for row in rows:
        names = [f"{row.file}{suffix}" for suffix in (".csv", ".json", ".pt", ".png")]
        for name in (*names, LAST, BEST, LOG):
            yield folder / row.folder / name
