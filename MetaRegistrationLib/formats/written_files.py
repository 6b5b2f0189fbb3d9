"""The list of the files that a run wrote into a folder of results: what a later run may remove there, and nothing else.

The list is a file of JSON lines. The first line says what wrote the results and from which inputs. Each file adds a line just
before it is moved into place, so that the list is right whenever the process ends, and a large folder costs no more a file.
A folder run adds notes: its settings, and a line for each pair once all files of the pair are in place.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, TYPE_CHECKING

from .. import __version__
from .cut_files import ends_too_early
from .patience import patiently

if TYPE_CHECKING:
    from .images import Image

NAME = "written_files.jsonl"
TEMPORARY_INPUT = "meta-registration-input-"
"""Start of the name of a folder of temporary inputs, whose paths are others in each run."""
_FORMAT = 1
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Run:
    """What wrote the files of a list.

    Attributes
    ----------
    kind : str
        The command, such as "register".
    items : mapping of str to tuple of str
        The inputs by name (of a pair, a visit): an identity for each of their files.
    date : str
        Day on which the run began, such as 2026-01-31.
    """

    kind: str
    items: Mapping[str, tuple[str, ...]]
    date: str = ""

    def reads_as(self, other: Run) -> bool:
        """Whether both are the same kind of run on the same inputs."""
        return self.kind == other.kind and dict(self.items) == dict(other.items)


@dataclass(frozen=True)
class State:
    """Content of a file: its size, the time of its last change, and a hash (BLAKE2b) of its bytes."""

    size: int
    mtime_ns: int
    blake2b: str

    @classmethod
    def of(cls, path: Path) -> State:
        """The present state of a file."""
        found = path.stat()
        return cls(found.st_size, found.st_mtime_ns, digest(path))


@dataclass(frozen=True)
class WrittenFiles:
    """A list that was read: the run, and for each file the states that it wrote; paths are relative to `folder`, with /.

    `notes` are the lines that name no file, in their order.
    """

    folder: Path
    run: Run
    states: Mapping[str, tuple[State, ...]] = field(default_factory=dict)
    notes: tuple[dict, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> WrittenFiles | None:
        """The list of a folder; None where there is none that can be understood."""
        try:
            with (folder / NAME).open(encoding="utf-8") as stream:
                run = _run(json.loads(stream.readline()))
                states: dict[str, tuple[State, ...]] = {}
                notes: list[dict] = []
                for name, state in _entries(stream, notes):
                    states[name] = (*states.get(name, ()), state)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return cls(folder, run, states, tuple(notes))

    def last_note(self, key: str) -> dict | None:
        """The value of the last note that has a key; None without one."""
        return next((note[key] for note in reversed(self.notes) if key in note), None)

    def there(self) -> dict[str, bool]:
        """The listed files that are there, and whether each still is as it was written, or a beginning of that."""
        found = {}
        for name, states in self.states.items():
            path = self.folder / name
            if os.path.lexists(path):
                found[name] = _is_one_of(path, states)
        return found

    def damaged(self, name: str) -> bool:
        """Whether a listed file is there and ends too early."""
        return _is_beginning(self.folder / name, self.states[name])

    def had_size(self, name: str, size: int) -> bool:
        """Whether a listed file was written with a size."""
        return size in {state.size for state in self.states[name]}

    def without(self, stays: Callable[[str], bool]) -> WrittenFiles:
        """The list without the files that stay."""
        return replace(self, states={name: states for name, states in self.states.items() if not stays(name)})

    def remove_unchanged(self) -> tuple[int, list[str]]:
        """Remove the files that are as they were written, and folders that are empty then.

        Returns
        -------
        int
            How many files were removed.
        list of str
            The listed files that have changed since, which stay.
        """
        removed, changed, folders = 0, [], set()
        for name, unchanged in self.there().items():
            if unchanged:
                patiently(_remove, self.folder / name)
                removed += 1
                folders |= set(PurePosixPath(name).parents)
            else:
                changed.append(name)
        for part in sorted(folders, key=lambda part: -len(part.parts)):
            if part.parts:
                with suppress(OSError):  # it holds more
                    (self.folder / part).rmdir()
        return removed, changed


def new_run(kind: str, items: Mapping[str, Iterable[Path | str]]) -> Run:
    """The run that begins now; an input is a path, or a text that identifies what has no file."""
    today = datetime.date.today().isoformat()
    return Run(kind, {name: tuple(map(identity, files)) for name, files in items.items()}, today)


def identity(source: Path | str) -> str:
    """What an input is recognised by in a later run: the resolved path, or the content of a temporary file."""
    if isinstance(source, str):
        return source
    if any(part.startswith(TEMPORARY_INPUT) for part in source.parts):
        return f"blake2b:{digest(source)}"
    return os.path.realpath(source)


def image_source(image: Image) -> Path | str:
    """The file of an image, or what its pixels are recognised by if it has none."""
    if image.path is not None:
        return Path(image.path)
    import numpy as np  # the command line imports this module before it sets up NumPy

    found = hashlib.blake2b(repr(image.array.shape).encode(), digest_size=16)
    found.update(np.ascontiguousarray(image.array).tobytes())
    return f"pixels:{found.hexdigest()}"


def digest(path: Path) -> str:
    """BLAKE2b of a file's bytes, 16 of it, in hexadecimal."""
    found = hashlib.blake2b(digest_size=16)
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


class ListWriter:
    """Writes the list of a folder, line by line.

    Parameters
    ----------
    folder : Path
    run : Run
    states : mapping, optional
        Entries of an earlier list that stay valid.
    notes : iterable of dict
        Notes of an earlier list that stay valid.
    """

    def __init__(
        self, folder: Path, run: Run, states: Mapping[str, Iterable[State]] | None = None, notes: Iterable[dict] = ()
    ) -> None:
        head = {"list": "files written by MetaRegistration", "format": _FORMAT, "version": __version__}
        head |= {"kind": run.kind, "date": run.date, "inputs": [[name, *files] for name, files in run.items.items()]}
        lines = [head, *(_entry(name, state) for name, kept in (states or {}).items() for state in kept), *notes]
        path = folder / NAME
        temporary = path.with_name(f".{NAME}.new")
        with temporary.open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
            stream.flush()
            with suppress(OSError):
                os.fsync(stream.fileno())
        patiently(os.replace, temporary, path)
        self._path = path
        self._stream: IO[str] = path.open("a", encoding="utf-8", newline="\n")

    def in_place(self) -> bool:
        """Whether the list is where it was begun: its folder was not moved, removed, or replaced by another one.

        The open file is compared, because systems give the number of a removed file to a new one.
        """
        try:
            found = self._path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        # Windows keeps the folder of an open file.
        return os.name == "nt" or os.path.samestat(found, os.fstat(self._stream.fileno()))

    def add(self, name: str, state: State) -> None:
        """Add a file that is about to be moved into place."""
        self.note(_entry(name, state))

    def note(self, line: dict) -> None:
        """Add a line."""
        self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Close the file. Each line was written when it was added, so a full disk has told of itself."""
        with suppress(OSError):
            self._stream.close()


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _entry(name: str, state: State) -> dict:
    return {"file": name, "size": state.size, "mtime_ns": state.mtime_ns, "blake2b": state.blake2b}


def _run(head: dict) -> Run:
    if head["format"] != _FORMAT:
        raise ValueError
    return Run(str(head["kind"]), {row[0]: tuple(row[1:]) for row in head["inputs"]}, str(head["date"]))


def _entries(lines: Iterable[str], notes: list[dict]) -> Iterator[tuple[str, State]]:
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:  # the last line of a process that was killed
            continue
        if "file" not in row:
            notes.append(row)
            continue
        name = str(row["file"])
        if _is_inside(name):
            yield name, State(int(row["size"]), int(row["mtime_ns"]), str(row["blake2b"]))


def _is_inside(name: str) -> bool:
    """Whether a listed path stays within its folder, on every system: a list may come from elsewhere."""
    path = PureWindowsPath(name)
    return bool(path.parts) and not path.anchor and not PurePosixPath(name).is_absolute() and ".." not in path.parts


def _is_one_of(path: Path, states: Iterable[State]) -> bool:
    """Whether a file is in one of the states. The time is only a quick answer; another time with equal bytes is no change."""
    try:
        found = path.stat()
        alike = [state for state in states if state.size == found.st_size]
        if any(state.mtime_ns == found.st_mtime_ns for state in alike):
            return path.is_file()
        if alike:
            return path.is_file() and digest(path) in {state.blake2b for state in alike}
    except OSError:
        return False
    return _is_beginning(path, states)


def _is_beginning(path: Path, states: Iterable[State]) -> bool:
    """Whether a file is shorter than in any of the states, and ends too early."""
    try:
        size = path.stat().st_size
        return path.is_file() and all(size < state.size for state in states) and ends_too_early(path)
    except OSError:
        return False
