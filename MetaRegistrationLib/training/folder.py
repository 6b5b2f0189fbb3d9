"""The folder of a training run."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..formats.earlier_results import kind_in_words, results_of
from ..formats.files import writable_folder
from ..formats.written_files import WrittenFiles

LAST, BEST, LOG = "last.pt", "best.pt", "log.csv"


def check_folder(folder: Path, *, resume: bool) -> None:
    """Make the folder of a run, which begins there or, with `resume`, continues where it stopped, if it did.

    Raises
    ------
    InputError
        The folder holds a run and `resume` is not set, or a part of one, or results of another command, or another file that the
        run would replace; or files cannot be made in it.
    """
    held = [(folder / name).exists() for name in (LAST, BEST, LOG)]
    if not any(held[:2]):
        _refuse_other_results(folder)
    if resume and any(held) and not held[0]:
        raise InputError(
            f"{folder / LAST} is missing, so there is nothing to resume from.",
            field="output",
            advice="Choose another {field}.",
        )
    if not resume and any(held[:2]):
        raise InputError(
            f"{folder} already holds a training run.",
            field="resume",
            advice="Continue it with {field}, or choose another folder.",
        )
    if not held[0] and held[2] and not _is_log(folder / LOG):
        raise InputError(
            f"{folder / LOG}: the log of the training would replace this file, which is none.",
            field="output",
            advice="Move it away, or choose another {field}.",
        )
    writable_folder(folder)


def _refuse_other_results(folder: Path) -> None:
    listed = WrittenFiles.read(folder)
    words = results_of(folder) if listed is None else kind_in_words(listed.run)
    if words is not None:
        raise InputError(
            f"{folder}: {{field}} holds {words}, and this is a training. Both would be mixed.",
            field="output",
            advice="Choose another {field}.",
        )


def _is_log(path: Path) -> bool:
    """Whether a file is the log of a training, such as that of a run which ended before its first save."""
    with path.open("rb") as stream:
        return stream.readline(100).removeprefix(b"\xef\xbb\xbf").startswith(b"step")
