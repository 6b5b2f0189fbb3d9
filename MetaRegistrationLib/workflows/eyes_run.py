"""The run over the eyes of a series: outcomes as they come, and tables over all eyes that are whole at any time."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, RunStopped
from ..formats.files import note, remove_leftovers
from ..formats.output_folder import Finished, Output
from ..progress import Message, Reader, Silent
from ..words import counted
from .eyes_resuming import EYES, RECORD, eye_reading, result_files, series_settings
from .folder_run import UNFINISHED, refuse_lost
from .now_and_then import NowAndThen
from .resuming import Earlier, earlier_results, item_note, settings_note
from .run_options import Shard

if TYPE_CHECKING:
    from ..formats.written_files import State
    from ..visits.eyes import Eye, Eyes
    from ..visits.eyes_table import EyeRow
    from .visit_options import VisitsOptions

TASK = "series"


@dataclass(eq=False)
class EyesRun:
    """The outcomes of eyes.

    Attributes
    ----------
    eyes : Eyes
    output : Path
        The folder of the results.
    options : VisitsOptions
    apart : bool
        Each eye has a folder, and there are tables over all of them.
    settings : dict
        As of `eyes_resuming.series_settings`.
    earlier : Earlier of EyeRow
        What an earlier run has finished.
    whole_list : tuple of str
        Of a part of the eyes: the names of all eyes, by which `merge` compares the parts.
    progress : Reader
    """

    eyes: Eyes
    output: Path
    options: VisitsOptions
    apart: bool
    settings: dict
    earlier: Earlier[EyeRow] = field(default_factory=Earlier)
    whole_list: tuple[str, ...] = ()
    progress: Reader = field(default_factory=Silent)

    def __post_init__(self) -> None:
        self._rows: dict[str, EyeRow] = dict(self.earlier.rows)
        self._noted = bool(self.earlier.rows)
        self._part_notes = [{"part_of": {"eyes": self.whole_list}}] if self.whole_list else []
        self._part_noted = self.options.run.resume  # `planned` has the note, so that the list begins with it
        self._not_joined: set[Path] = set()
        self._now_and_then = NowAndThen(0)

    @property
    def waiting(self) -> list[Eye]:
        """The eyes that are not done yet."""
        return [eye for eye in self.eyes.eyes.values() if eye.name not in self._rows]

    @property
    def done(self) -> int:
        """Number of eyes with results."""
        from ..visits.eyes_table import DONE

        return sum(row.status == DONE for row in self._rows.values())

    @property
    def left_out(self) -> list[str]:
        """Names of the eyes, visits and files that are left out."""
        rows = [self._rows[name] for name in self.eyes.eyes if name in self._rows]
        return [*(item.name for item in self.eyes.left_out), *(name for row in rows for name in row.names_left_out)]

    @property
    def planned(self) -> Output:
        """The results, as results in a folder."""
        from ..visits.output import eyes_tables

        finished = None
        if self.options.run.resume:
            tables = [path.name for path in eyes_tables(self.output)] if self.apart else []
            finished = self.earlier.finished(tables)
            finished = replace(finished, notes=(*finished.notes, *self._part_notes))
        return series_output(self.eyes, self.output, self.options, apart=self.apart, finished=finished)

    def folder(self, eye: Eye) -> Path:
        """The folder of the results of an eye."""
        return self.output / eye.name if self.apart else self.output

    def take(self, eye: Eye, row: EyeRow, inputs: Mapping[str, State] | None) -> None:
        """An eye is done, and its files are in place; `inputs` is None if the content of its own files is not known."""
        if inputs is not None:
            if not self._noted:
                note(self.output, settings_note(self.settings))
                self._noted = True
            self._note_part()
            note(self.output, item_note(EYES, eye.name, eye_reading(eye), inputs, row.to_dict(), self.settings))
        self._rows[eye.name] = row
        self._now_and_then(self.tables)

    def leave_out(self, eye: Eye, reason: str, left_out: Mapping[str, str]) -> None:
        """An eye could not be done."""
        from ..visits.eyes_table import LEFT_OUT, EyeRow

        visits = len(eye.visits)
        self._rows[eye.name] = EyeRow(eye.name, LEFT_OUT, visits, left_out=tuple(left_out.items()), reason=reason)
        self._now_and_then(self.tables)

    def tables(self) -> None:
        """Write the tables over all eyes, if there are several and any is done."""
        from ..visits.eyes_table import LEFT_OUT, EyeRow, eye_cells, write_eyes_tables

        if not (self.apart and self.done):
            return
        not_used = [
            EyeRow(
                item.name if item.is_eye else "", LEFT_OUT, reason=f"{'' if item.is_eye else item.start}{item.error}"
            )
            for item in self.eyes.left_out
        ]
        rows = [self._rows.get(name, EyeRow(name)) for name in self.eyes.eyes]
        folders = {eye.name: self.folder(eye) for eye in self.eyes.eyes.values()}
        not_joined = write_eyes_tables(self.output, [eye_cells(row) for row in (*rows, *not_used)], folders)
        tell_not_joined([path for path in not_joined if path not in self._not_joined], self.progress)
        self._not_joined.update(not_joined)

    @contextmanager
    def with_tables(self) -> Iterator[None]:
        """Write the tables in the end, also if the run is stopped."""
        self._remove_leftovers()
        try:
            yield
        except BaseException:
            with contextlib.suppress(OSError, InputError, RunStopped):
                self.tables()
            raise
        self._refuse_lost_results()
        self.tables()
        if self.done:
            self._note_part()

    def _refuse_lost_results(self) -> None:
        from ..visits.eyes_table import DONE

        done = [
            eye for eye in self.eyes.eyes.values() if eye.name in self._rows and self._rows[eye.name].status == DONE
        ]
        refuse_lost(self.output, {eye.name: self.folder(eye) / RECORD for eye in done}, "eye")

    def _note_part(self) -> None:
        """Note the list of all eyes, once."""
        if not self._part_noted:
            for line in self._part_notes:
                note(self.output, line)
            self._part_noted = True

    def _remove_leftovers(self) -> None:
        """Remove the unfinished files of a run that was killed."""
        shutil.rmtree(self.output / UNFINISHED, ignore_errors=True)
        names: dict[Path, set[str]] = {}
        for path in self.planned.written():
            names.setdefault(path.parent, set()).add(path.name)
        for folder, own in names.items():
            remove_leftovers(folder, own)


def eyes_run(eyes: Eyes, output: Path, options: VisitsOptions, progress: Reader) -> EyesRun:
    """The run over eyes or a part of them, with what an earlier one has finished if it is resumed; that is told.

    Raises
    ------
    InputError
        The part has no eye.
    """
    settings, shard = series_settings(options), options.run.shard
    apart = len(eyes.eyes) > 1 or shard is not None
    whole_list = () if shard is None else tuple(eyes.eyes)
    if shard is not None:
        eyes, output = part_of(eyes, shard), shard.folder(output)
    if not options.run.resume:
        return EyesRun(eyes, output, options, apart, settings, whole_list=whole_list, progress=progress)
    items = list(eyes.eyes.values())
    earlier = earlier_results(output, TASK, items, settings, result_files(apart), EYES)
    earlier.report(len(items), progress)
    for row in earlier.rows.values():
        for name, reason in row.left_out:
            progress(Message(f"{row.eye}: left out: {name}: {reason}", "warning"))
    return EyesRun(eyes, output, options, apart, settings, earlier, whole_list, progress)


def tell_not_joined(tables: Iterable[Path], progress: Reader) -> None:
    """Say which tables of eyes are not in the tables over all eyes."""
    for path in tables:
        problem = "its columns are not those that this version writes. Its rows are not in the table over all eyes."
        progress(Message(f"{path}: {problem}", "warning"))


def part_of(eyes: Eyes, shard: Shard) -> Eyes:
    """A part of the eyes. What the source left out belongs to one of the parts.

    Raises
    ------
    InputError
        It has no eye.
    """
    found, total = shard.of_items(list(eyes.eyes.items())), len(eyes.eyes)
    if not found:
        raise InputError(
            f"{{field}} {shard.number}/{shard.count}: there are only {counted(total, 'eye')}.", field="shard"
        )
    with_eyes = Shard(shard.number, min(shard.count, total))  # further parts have no results
    left_out = tuple(with_eyes.of_items(eyes.left_out))
    return replace(eyes, eyes=dict(found), left_out=left_out)


def series_output(
    eyes: Eyes, output: Path, options: VisitsOptions, *, apart: bool | None = None, finished: Finished | None = None
) -> Output:
    """The results of aligning visits, as results in a folder."""
    from ..visits.output import eyes_output

    repeats = options.change.repeats if options.change.wanted else None
    others = [path for path in (options.source, repeats, options.regions) if path is not None]
    visits = {eye.name: eye.visits for eye in eyes.eyes.values()}
    return eyes_output(visits, output, others, replace=options.replace, several=apart, finished=finished)
