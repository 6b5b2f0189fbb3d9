"""The one rule for folders of results: no file of the user is replaced, and no earlier result stays among new ones."""

from __future__ import annotations

import os
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError, RunStopped
from ..progress import Message, Reader
from ..words import counted, enumerated
from .earlier_results import kind_in_words, results_of, training_of
from .files import refuse_replacing, sole_writer, watched, watching, writable_folder
from .links import real_path
from .written_files import ListWriter, Run, State, WrittenFiles, new_run

_ANOTHER = "Choose another {field}."
_ANOTHER_OR_REPLACE = "Choose another {field}, or replace the earlier results."
_NAMED = 3


class EarlierResultsError(InputError):
    """The folder holds results of an earlier run, which the user may allow to be replaced."""

    advice_without_replacing = _ANOTHER


class ChangedResultsError(EarlierResultsError):
    """Results of an earlier run have changed since, and would stay among those of another."""

    advice_without_replacing = "Move it away, or choose another {field}."


@dataclass(frozen=True)
class Finished:
    """Earlier results of a run that is resumed.

    Attributes
    ----------
    names : frozenset of str
        Names of the inputs whose results stay, each a folder in the output folder.
    notes : tuple of dict
        Their notes in the list of written files.
    tables : frozenset of str
        Files over all inputs, which are replaced.
    """

    names: frozenset[str]
    notes: tuple[dict, ...] = ()
    tables: frozenset[str] = frozenset()

    def stays(self, name: str) -> bool:
        """Whether a file of the list stays until it is replaced."""
        return name in self.tables or name.partition("/")[0] in self.names


@dataclass(frozen=True)
class Output:
    """The results that a run is about to write.

    Attributes
    ----------
    folder : Path
    kind : str
        The command, such as "register".
    items : mapping of str to sequence of (Path or str)
        The inputs by name, each with its files; a text identifies what has no file.
    others : sequence of Path
        Further inputs: folders, tables.
    targets : callable or None
        Gives the files that the run may write, as far as they are known before.
    replace : bool
        The user allows earlier results to be replaced.
    together : bool
        Results of other inputs stay in the folder (`warp`): only those of the same names are replaced.
    finished : Finished or None
        Earlier results that stay, because a run is resumed.
    """

    folder: Path
    kind: str
    items: Mapping[str, Sequence[Path | str]] = field(default_factory=dict)
    others: Sequence[Path] = ()
    targets: Callable[[], Iterable[Path]] | None = None
    replace: bool = False
    together: bool = False
    finished: Finished | None = None

    def inputs(self) -> list[Path]:
        """All files and folders that are read."""
        files = (Path(each) for item in self.items.values() for each in item if not isinstance(each, str))
        return [*files, *map(Path, self.others)]

    def written(self) -> list[Path]:
        """The files that the run may write."""
        return [] if self.targets is None else [Path(target) for target in self.targets()]


def check_output(output: Output) -> None:
    """Refuse a run whose results would replace what the user has. Call it before any work.

    Raises
    ------
    EarlierResultsError
        The folder holds results of other inputs, or results without a list; `replace` allows them to be replaced.
    InputError
        The folder is or holds an input, or a result would replace an input or another file that no run wrote.
    """
    refuse_inputs_inside(output.folder, output.inputs())
    _allowed(output, new_run(output.kind, output.items))


@contextmanager
def writing(output: Output, progress: Reader | None = None) -> Iterator[Path]:
    """The folder of a run, held for it and made if needed. Every file written into it within this context is listed.

    Files of an earlier run are removed just before the first new one is written. Within the context of a run that writes into a
    folder above, the files belong to that run.

    Raises
    ------
    InputError
        As `check_output`; the folder cannot be written to, or another process writes there.
    RunStopped
        Within the context, as a file is about to be written: the folder was moved or removed.
    """
    if watched(output.folder):
        yield writable_folder(output.folder)
        return
    refuse_inputs_inside(output.folder, output.inputs())
    folder = writable_folder(output.folder)
    with sole_writer(folder):
        run = new_run(output.kind, output.items)
        record = _Record(output, run, _allowed(output, run), progress)
        try:
            with watching(folder, record):
                yield folder
        finally:
            record.close()


def refuse_inputs_inside(folder: Path, inputs: Iterable[Path]) -> None:
    """Raise an `InputError` where an output folder is one of the inputs, or contains one, by whatever name."""
    folder = real_path(folder)  # "missing/../scans" is scans, once the folder is made
    try:
        own = folder.stat()
    except OSError:  # it is not there, and holds nothing
        return
    seen: dict[Path, bool] = {}
    parents: dict[Path, set[Path]] = {}
    for source in map(Path, inputs):
        if source.is_dir() and _same(source, folder, own):
            raise InputError(
                f"{source}: this folder is read, and {{field}} is the same folder. Results would replace the input.",
                field="output",
                advice="Choose another {field}, such as a new folder within it.",
            )
        if not source.name or ".." in source.parts:  # the name before is not the folder above
            source = real_path(source)
        above = source.parent
        if above not in parents:  # once for all inputs of a folder
            parents[above] = {real_path(above), Path(os.path.normpath(above.absolute()))}
        behind = {real_path(source).parent} if source.is_symlink() else set()
        if any(_is_within(part, folder, own, seen) for part in parents[above] | behind):
            raise InputError(
                f"{source}: this input is inside {{field}} {folder}. Results would replace the input or mix with it.",
                field="output",
                advice="Choose another {field}, such as a new folder.",
            )


def _is_within(path: Path, folder: Path, own: os.stat_result, seen: dict[Path, bool]) -> bool:
    if path not in seen:
        above = path.parent
        seen[path] = _same(path, folder, own) or (above != path and _is_within(above, folder, own, seen))
    return seen[path]


def _same(path: Path, folder: Path, own: os.stat_result) -> bool:
    """Whether both are one folder; by name where a share gives no numbers of files."""
    try:
        found = path.stat()
    except OSError:
        return False
    if found.st_ino and own.st_ino:
        return os.path.samestat(found, own)
    return os.path.normcase(real_path(path)) == os.path.normcase(real_path(folder))


@dataclass(frozen=True)
class _Allowed:
    """What a run may do.

    Attributes
    ----------
    earlier : WrittenFiles or None
        The earlier list.
    removes : bool
        Remove the files of that list.
    replaces : frozenset of str
        Further files that are replaced.
    unlisted : bool
        The user allows results without a list to be replaced.
    """

    earlier: WrittenFiles | None
    removes: bool
    replaces: frozenset[str] = frozenset()
    unlisted: bool = False


def _allowed(output: Output, run: Run) -> _Allowed:
    targets = output.written() if output.folder.exists() else []
    refuse_replacing(targets, output.inputs())
    earlier = WrittenFiles.read(real_path(output.folder))
    if earlier is None:
        _refuse_training(output)
    there = {} if earlier is None else earlier.there()
    taken = _existing(output.folder, targets)
    replaces: set[str] = set()
    for name in sorted(taken - there.keys()):
        _check_unlisted(output, name, earlier is not None)
        replaces.add(name)
    if not there:
        unlisted = output.replace and earlier is None and results_of(output.folder) is not None
        return _Allowed(None, False, frozenset(replaces), unlisted)
    if output.together and earlier.run.kind == run.kind:
        return _added(output, run, earlier, there, taken, replaces)
    if output.finished is not None and earlier.run.kind == run.kind:
        return _resumed(output, run, earlier, there, taken, replaces)
    if not (earlier.run.reads_as(run) or output.replace):
        raise EarlierResultsError(
            f"{output.folder}: {{field}} holds {kind_in_words(earlier.run)}, {_difference(earlier.run, run)}."
            " Both would be mixed.",
            field="output",
            advice=_ANOTHER_OR_REPLACE,
        )
    changed = [name for name, unchanged in there.items() if not unchanged and (name in taken or not output.replace)]
    if changed:
        _refuse_changed(output, changed, [name for name in changed if name in taken])
    return _Allowed(earlier, True, frozenset(replaces))


def _refuse_training(output: Output) -> None:
    """Refuse the folder of a training, which keeps no list, and of which nothing is replaced."""
    words = training_of(output.folder)
    if words is not None:
        raise InputError(
            f"{output.folder}: {{field}} holds {words}, and this is {output.kind}. Both would be mixed.",
            field="output",
            advice="Choose another {field}, such as a new folder within it.",
        )


def _difference(earlier: Run, run: Run) -> str:
    """In what two runs differ, as the end of a sentence on the earlier one."""
    if earlier.kind != run.kind:
        return f"and this is {run.kind}"
    names = [name for name in {**earlier.items, **run.items} if earlier.items.get(name) != run.items.get(name)]
    return f"from other inputs ({enumerated(names, _NAMED)})"


def _resumed(
    output: Output,
    run: Run,
    earlier: WrittenFiles,
    there: dict[str, bool],
    taken: set[str],
    replaces: set[str],
) -> _Allowed:
    """What a run may do that goes on where an earlier one stopped."""
    gone = sorted(_folders_of(earlier.run) - _folders_of(run))
    if gone and not output.replace:
        named = enumerated(gone, _NAMED)
        raise EarlierResultsError(
            f"{output.folder}: {{field}} holds results of inputs that are not among the present ones: {named}.",
            field="output",
            advice=_ANOTHER_OR_REPLACE,
        )
    tables = {name for name in output.finished.tables if name in there}
    changed = [
        name
        for name, unchanged in there.items()
        if not unchanged
        and (name in tables or not output.finished.stays(name))
        and (name in taken or not output.replace)
    ]
    if changed:
        _refuse_changed(output, changed, [name for name in changed if name in taken])
    return _Allowed(earlier, True, frozenset(replaces | tables))


def _folders_of(run: Run) -> set[str]:
    """The names of the inputs as of folders of results; the visits of an eye share one."""
    return {name.partition("/")[0] for name in run.items}


def _added(
    output: Output, run: Run, earlier: WrittenFiles, there: dict[str, bool], taken: set[str], replaces: set[str]
) -> _Allowed:
    """What a run may do that adds its results to those of the same kind."""
    for name in sorted(taken & there.keys()):
        if not there[name]:
            _refuse_changed(output, [name], [name])
        if not output.replace and earlier.run.items.get(name, ()) != run.items.get(name):
            raise EarlierResultsError(
                f"{output.folder / name}: an earlier run wrote it from another input.",
                field="output",
                advice=_ANOTHER_OR_REPLACE,
            )
    return _Allowed(earlier, False, frozenset(replaces | (taken & there.keys())))


def _refuse_changed(output: Output, changed: Sequence[str], replaced: Sequence[str]) -> None:
    named = ", ".join(str(output.folder / name) for name in changed[:_NAMED])
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    problem = f"{named}{more}: changed since an earlier run wrote it"
    if replaced:
        raise InputError(
            f"{problem}, and would be replaced.", field="output", advice="Move it away, or choose another {field}."
        )
    raise ChangedResultsError(
        f"{problem}. It would stay among the new results.",
        field="output",
        advice="Move it away, choose another {field}, or replace the other earlier results.",
    )


def _check_unlisted(output: Output, name: str, has_list: bool) -> None:
    """Refuse to replace a file that is on no list, unless it is a result of an earlier version and the user allows it."""
    path = output.folder / name
    words = None if has_list else results_of(path.parent) or results_of(output.folder)
    if words is None:
        raise InputError(
            f"{path}: the results would replace this file, which no earlier run is known to have written.",
            field="output",
            advice="Move it away, or choose another {field}.",
        )
    if not output.replace:
        raise EarlierResultsError(
            f"{path}: it would be replaced. The folder holds {words}, without a list of the written files.",
            field="output",
            advice=_ANOTHER_OR_REPLACE,
        )


def _existing(folder: Path, targets: Iterable[Path]) -> set[str]:
    """Those of the targets that exist, relative to the folder; each folder is read once."""
    root, names = Path(folder).absolute(), set()
    held: dict[Path, set[str]] = {}

    def content(part: Path) -> set[str]:
        if part not in held:
            held[part] = _names(part) if part == root or _key(part) in content(part.parent) else set()
        return held[part]

    for target in targets:
        path = target.absolute()
        if root in path.parents and _key(path) in content(path.parent) and os.path.lexists(path):
            names.add(path.relative_to(root).as_posix())
    return names


def _names(folder: Path) -> set[str]:
    try:
        return {_key(path) for path in folder.iterdir()}
    except OSError:
        return set()


def _key(path: Path) -> str:
    """A name as systems compare it that ignore case and the form of accents."""
    return unicodedata.normalize("NFC", path.name.casefold())


def _is_same_folder(folder: Path, before: os.stat_result) -> bool:
    """Whether a folder is there, and is the one of before; by name alone where a share gives no numbers of files."""
    try:
        found = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return not (found.st_ino and before.st_ino) or os.path.samestat(found, before)


class _Record:
    """Lists what is written into a folder, and refuses to replace what no run wrote."""

    def __init__(self, output: Output, run: Run, allowed: _Allowed, progress: Reader | None) -> None:
        self._root = real_path(output.folder)
        self._output, self._run, self._allowed, self._progress = output, run, allowed, progress
        self._writer: ListWriter | None = None
        self._written: set[str] = set()
        self._lock = threading.Lock()
        self._held = self._root.stat()

    def prepare(self) -> None:
        """Remove what an earlier run wrote, and begin the list, unless that is done.

        Raises
        ------
        RunStopped
            The folder is no longer there, or another one has its name.
        """
        with self._lock:
            self._refuse_another_folder()
            if self._writer is None:
                self._begin()

    def before(self, path: Path) -> None:
        """A file is about to be written."""
        self.prepare()
        name = path.relative_to(self._root).as_posix()
        with self._lock:
            if name not in self._written and os.path.lexists(path):
                self._check(name)

    def about_to_replace(self, path: Path, temporary: Path) -> None:
        """The file is whole under its temporary name."""
        name, state = path.relative_to(self._root).as_posix(), State.of(temporary)
        with self._lock:
            self._refuse_another_folder()
            self._written.add(name)
            self._writer.add(name, state)

    def close(self) -> None:
        """Close the list."""
        if self._writer is not None:
            self._writer.close()

    def note(self, line: dict) -> None:
        """Add a line to the list."""
        self.prepare()
        with self._lock:
            self._writer.note(line)

    def _refuse_another_folder(self) -> None:
        if not (_is_same_folder(self._root, self._held) if self._writer is None else self._writer.in_place()):
            raise RunStopped(
                f"{self._output.folder}: {{field}} was moved or removed during the run.",
                field="output",
                advice="Move it back, or choose another {field}.",
            )

    def _begin(self) -> None:
        allowed, kept = self._allowed, {}
        run, finished = self._run, self._output.finished
        if allowed.removes:
            outdated = allowed.earlier
            if finished is not None:
                kept = {name: found for name, found in outdated.states.items() if finished.stays(name)}
                outdated = outdated.without(finished.stays)
            removed, _ = outdated.remove_unchanged()
            if removed and self._progress is not None:
                self._progress(
                    Message(f"{self._output.folder}: removed {counted(removed, 'file')} that an earlier run wrote")
                )
        elif allowed.earlier is not None:
            kept = allowed.earlier.states
            run = Run(run.kind, {**allowed.earlier.run.items, **run.items}, run.date)
        self._writer = ListWriter(self._root, run, kept, () if finished is None else finished.notes)

    def _check(self, name: str) -> None:
        if name in self._allowed.replaces or self._allowed.unlisted:
            return
        earlier = self._allowed.earlier
        if earlier is not None and name in earlier.states:
            _refuse_changed(self._output, [name], [name])
        _check_unlisted(self._output, name, has_list=True)
