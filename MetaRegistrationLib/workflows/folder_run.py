"""The run over the pairs of a folder: outcomes as they come, files moved into place, tables that are whole at any time."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, RunStopped
from ..formats.files import move_into_place, note, remove_leftovers, writable_folder
from ..formats.written_files import NAME as LIST
from ..progress import Item, Message, Reader, Started
from ..words import counted, enumerated
from .full_disk import raise_if_full, stopped_by_the_disk
from .now_and_then import NowAndThen
from .pair_work import PairDone, none_done
from .resuming import Earlier, in_order, pair_note, settings_note

if TYPE_CHECKING:
    from ..pairs.files import PairFiles
    from ..registration.measures import PairMeasures
    from .engines import Engine

UNFINISHED = ".meta-registration-unfinished"
"""Folder within the output folder in which other processes write the files of a pair until they are whole."""
_TABLES_EVERY_S = 30.0


def move_results(written: Path, target: Path, record: str) -> None:
    """Move the files of a pair or an eye from where a process wrote them to their folder, the file `record` last."""
    for path in sorted(written.rglob("*"), key=lambda path: (path.name == record, path)):
        if path.is_file() and path.name != LIST:  # the list of a folder of its own
            folder = writable_folder(target / path.relative_to(written).parent)
            move_into_place(path, folder / path.name)
    shutil.rmtree(written, ignore_errors=True)


def refuse_lost(output: Path, records: Mapping[str, Path], word: str) -> None:
    """Raise a `RunStopped` where the record of a finished pair or eye (`word`) is gone, which each has in its folder."""
    lost = [name for name, path in records.items() if not path.is_file()]
    if lost:
        raise RunStopped(
            f"{output}: the results of {counted(len(lost), word)} were removed during the run: {enumerated(lost)}.",
            field="resume",
            advice="Continue with {field}, which makes them again.",
        )


@dataclass
class FolderRun:
    """The outcomes of the pairs of a folder.

    Attributes
    ----------
    task : str
        "register" or "evaluate".
    files : sequence of PairFiles
        All pairs, in their order.
    settings : dict
        As of `resuming.run_settings`; empty for a single pair, which leaves no notes.
    progress : Reader
    output : Path or None
        The folder of the results; None for no files.
    earlier : Earlier
        What an earlier run has finished.
    own_files : bool
        Each pair has files in a folder of its own.
    extra : dict
        Further entries of `summary.json`.
    left_out_before : sequence of dict
        The pairs that were left out before, with reasons; they are not in `files`.
    part_note : dict
        As of `folders.SelectedPairs`.
    """

    task: str
    files: Sequence[PairFiles]
    settings: dict
    progress: Reader
    output: Path | None = None
    earlier: Earlier = field(default_factory=Earlier)
    own_files: bool = True
    extra: dict = field(default_factory=dict)
    left_out_before: Sequence[dict] = ()
    part_note: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rows: dict[str, PairMeasures] = dict(self.earlier.rows)
        self._reasons: dict[str, str] = {}
        self._tables_due = NowAndThen(_TABLES_EVERY_S)

    @property
    def waiting(self) -> list[PairFiles]:
        """The pairs that are not done yet."""
        return [pair for pair in self.files if pair.name not in self._rows and pair.name not in self._reasons]

    @property
    def rows(self) -> list[PairMeasures]:
        """The measures of the finished pairs, in the order of the pairs."""
        return list(in_order(self._rows, self.files))

    @property
    def left_out(self) -> list[dict]:
        """The pairs that are left out, with reasons: first those left out before, then the others in their order."""
        failed = (each.name for each in self.files if each.name in self._reasons)
        return [*self.left_out_before, *({"pair": name, "reason": self._reasons[name]} for name in failed)]

    def work(self, engine: Engine) -> None:
        """Work on all pairs that are not finished.

        Raises
        ------
        InputError
            None of the pairs could be registered.
        RunStopped
            The disk is full, or takes no files any more. What was finished before is whole.
        """
        with self._stopped_by_the_disk():
            self._work(engine)
        if not self._rows:
            raise none_done("No pair could be registered", self._reasons)

    def _work(self, engine: Engine) -> None:
        waiting, record = self.waiting, engine.record
        detail = {"checkpoint": record["checkpoint"]}
        first, total = len(self._rows), len(self.files)
        self.progress(Started(self.task, total, first, device=record["device"], detail=detail))
        self._tell_of_initial(record)
        if self.output is not None and self.settings:
            note(self.output, settings_note(self.settings))
            if self.part_note:
                note(self.output, self.part_note)
        with self._staging(engine) as folder_of:
            try:
                for count, (index, done) in enumerate(engine.run(waiting, folder_of, self.progress), first + 1):
                    self._take(waiting[index], done, count)
                    self._tables_now_and_then(record)
            except BaseException:
                with contextlib.suppress(OSError, InputError, RunStopped):
                    self._unfinished_tables(record)
                raise

    def _stopped_by_the_disk(self) -> AbstractContextManager:
        if self.output is None or not self.settings:
            return contextlib.nullcontext()
        return stopped_by_the_disk(self.output, lambda: len(self._rows), len(self.files), "pair")

    def tables(self, record: dict) -> dict:
        """Write the tables over all pairs; the summary.

        Raises
        ------
        RunStopped
            As of `work`; or the results of a finished pair are gone.
        """
        self._refuse_lost_results()
        with self._stopped_by_the_disk():
            return self._tables(record)

    def _refuse_lost_results(self) -> None:
        from ..registration.file_names import RECORD

        if self.output is not None and self.own_files:
            refuse_lost(self.output, {name: self.output / name / RECORD for name in self._rows}, "pair")

    def _tables(self, record: dict) -> dict:
        from ..registration.measures import summary
        from ..registration.tables import write_tables

        left_out = {"left_out": self.left_out} if self.left_out else {}
        content = {**record, **left_out, **self.extra}
        return summary(self.rows) if self.output is None else write_tables(self.output, self.rows, content)

    def _tell_of_initial(self, record: dict) -> None:
        adapted, used = record["adapted_initial"], record["stages"]["initial"]
        if adapted not in (None, used):
            from ..alignment.aligned import other_initial_message  # it imports torch

            message = other_initial_message(adapted, used)
            if message:
                self.progress(message)

    def _take(self, files: PairFiles, done: PairDone, count: int) -> None:
        from ..registration.measures import shown_values
        from ..registration.schema import SUMMARY

        if done.measures is not None and done.written is not None:
            done = self._moved(done)
        for message in done.messages:
            self.progress(message)
        if done.measures is None:
            self._reasons[done.name] = done.reason
            return
        self._rows[done.name] = done.measures
        if self.output is not None and self.settings:
            note(self.output, pair_note(done, files, self.settings))
        self.progress(Item(count, len(self.files), done.name, shown_values(done.measures, SUMMARY)))

    def _moved(self, done: PairDone) -> PairDone:
        """Move the files of a pair to where they belong; if that cannot be, the pair is left out."""
        from ..registration.file_names import RECORD

        try:
            move_results(done.written, self.output / done.name, RECORD)
        except (InputError, OSError) as error:
            raise_if_full(error)
            message = Message.of(error, f"left out: {done.name}: ")
            reason = str(error) or type(error).__name__
            return replace(done, measures=None, messages=(*done.messages, message), reason=reason)
        return done

    @contextmanager
    def _staging(self, engine: Engine) -> Iterator:
        self._remove_leftovers()
        if self.output is None or not self.own_files:
            yield lambda files: None
            return
        if not engine.staged:
            yield lambda files: self.output / files.name
            return
        folder = self.output / UNFINISHED
        folder.mkdir(exist_ok=True)
        try:
            yield lambda files: folder.absolute()
        finally:
            engine.stop()  # processes at work would write on
            shutil.rmtree(folder, ignore_errors=True)

    def _remove_leftovers(self) -> None:
        """Remove the unfinished files of a run that was killed."""
        from ..registration.file_names import PARTS, result_files, table_files

        if self.output is None:
            return
        shutil.rmtree(self.output / UNFINISHED, ignore_errors=True)
        remove_leftovers(self.output, {path.name for path in table_files(self.output)})
        names = {path.name for path in result_files(self.output, landmarks=True, parts=PARTS)}
        for pair in self.waiting if self.own_files else ():
            remove_leftovers(self.output / pair.name, names)

    def _tables_now_and_then(self, record: dict) -> None:
        if self.output is not None and self._rows:
            self._tables_due(lambda: self._unfinished_tables(record))

    def _unfinished_tables(self, record: dict) -> None:
        if self.output is not None and self._rows and self.settings:
            self._tables({**record, "pairs_not_done": len(self.waiting)})


def needed_files(files: Sequence[PairFiles], parts: frozenset[str]) -> Mapping[str, list[str]]:
    """The result files without which a pair is not finished, relative to the output folder."""
    from ..registration.file_names import PARTS, RECORD

    names = [name for part in sorted(parts) for name in PARTS[part]]
    return {pair.name: [f"{pair.name}/{name}" for name in (*names, RECORD)] for pair in files}
