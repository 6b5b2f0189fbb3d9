"""The adapted checkpoints in the user's folder: one folder each, saved ones with a small record that is read without torch."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from ..errors import InputError
from ..formats.files import replacing, writable_folder, write_json
from ..resources import shipped_checkpoints
from .names import checked_name, same_name
from .record import FIELDS

BEST, LAST, LOG, RECORD = "best.pt", "last.pt", "log.csv", "adapted.json"


class CheckpointStore:
    """Adapted checkpoints by name.

    A run trains in the folder `new_run` gives; while it is unfinished it can be resumed, and once `keep` was called it
    is an adapted checkpoint to choose. A checkpoint that was copied in by hand (`NAME/best.pt`) is one too.

    Parameters
    ----------
    folder : path
        Made when it is first written to.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        self.folder = Path(folder)

    def names(self) -> list[str]:
        """Names of the adapted checkpoints, in the order of the alphabet."""
        return [name for name in self._folders() if self._is_kept(name)]

    def unfinished(self) -> list[str]:
        """Names of the runs that can be resumed."""
        return [name for name in self._folders() if self.resumable(name)]

    def path(self, name: str) -> Path:
        """The path of the checkpoint of this name; an `InputError` for an invalid name."""
        return self.folder / checked_name(name) / BEST

    def new_run(self, name: str) -> Path:
        """The folder to train into, made when missing; of a run that was stopped it is the same one (`resumable`).

        Raises
        ------
        InputError
            The name cannot be a folder's or is taken, or the folder cannot be written to.
        """
        name = checked_name(name)
        taken = next((other for other in self._folders() if same_name(other, name)), None)
        if taken is not None and (self._is_kept(taken) or (taken != name and self.resumable(taken))):
            raise InputError(f"The name {taken!r} is taken: choose another one, or delete that checkpoint first.")
        return writable_folder(self.folder / (taken or name))

    def resumable(self, name: str) -> bool:
        """Whether a run of this name was stopped and can be resumed."""
        folder = self.path(name).parent
        return (folder / LAST).is_file() and not (folder / RECORD).is_file()

    def keep(self, name: str, best_path: str | os.PathLike, record: dict | None = None) -> Path:
        """Make the checkpoint file `best_path` the adapted checkpoint `name`, and return its path.

        A file in the run's own folder stays there, any other is copied. The record is written last: until then the name is
        not among `names`.

        Parameters
        ----------
        record : dict, optional
            The record that `describe` gives (`RunRecord.to_dict()`).

        Raises
        ------
        InputError
            There is no such file, another checkpoint has the name, or the folder cannot be written to.
        """
        source, target = Path(best_path), self.path(name)
        if not source.is_file():
            raise InputError(f"{source}: there is no such file, so there is nothing to save. Fine-tune first.")
        if not target.is_file() or not target.samefile(source):
            self.new_run(name)
            with _explained(target), replacing(target) as temporary:
                shutil.copyfile(source, temporary)
        with _explained(target):
            write_json(target.with_name(RECORD), dict.fromkeys(FIELDS) | (record or {}))
        return target

    def delete(self, name: str) -> None:
        """Delete a checkpoint or an unfinished run; files of other origin stay.

        Raises
        ------
        InputError
            There is none of this name, or a file cannot be deleted.
        """
        folder = self.path(name).parent
        # The checkpoint first: should it be in use, nothing was lost. What a killed write left behind goes with the rest.
        parts = (BEST, LAST, LOG, RECORD)
        ours = [folder / part for part in parts]
        if not any(path.exists() for path in ours):
            raise InputError(f"There is no adapted checkpoint {name!r} in {self.folder}.")
        for path in [*ours, *(left for part in parts for left in folder.glob(f".????????.{part}"))]:
            with _explained(path, "be deleted; close what uses it"):
                path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            folder.rmdir()

    def describe(self, name: str) -> dict:
        """What is known of a checkpoint: `name`, `path` and the keys of `record.FIELDS`, None where nothing is known."""
        path = self.path(name)
        try:
            record = json.loads(path.with_name(RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            record = None
        known = {key: record[key] for key in FIELDS if key in record} if isinstance(record, dict) else {}
        return {"name": name, "path": path, **dict.fromkeys(FIELDS), **known}

    def choices(self, label: Callable[[Path], str] = lambda path: f"{path.stem} (shipped)") -> list[tuple[str, Path]]:
        """Label and path of every checkpoint to start from, the shipped ones (called as `label` says) first.

        The first of them is the one to choose where the user has chosen none.
        """
        shipped = []
        with contextlib.suppress(InputError):  # a broken installation still has the user's own ones
            shipped = [(label(path), path) for path in shipped_checkpoints()]
        return shipped + [(name, self.path(name)) for name in self.names()]

    def _is_kept(self, name: str) -> bool:
        return self.path(name).is_file() and not self.resumable(name)

    def _folders(self) -> list[str]:
        try:
            found = [entry.name for entry in self.folder.iterdir() if entry.is_dir()]
        except OSError:
            return []
        return sorted(filter(_possible, found), key=str.casefold)


def _possible(name: str) -> bool:
    try:
        return checked_name(name) == name
    except InputError:
        return False


@contextlib.contextmanager
def _explained(path: Path, what: str = "be written; free some space or choose another folder"):
    try:
        yield
    except OSError as error:
        raise InputError(f"{path} cannot {what} ({error.strerror or error}).") from error
