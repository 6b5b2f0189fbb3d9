"""How the pairs of a folder are worked through: processes, cluster, part of an array, resuming, files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..errors import InputError

JOBS_VARIABLE = "META_REGISTRATION_JOBS"
"""Environment variable with the number of processes of folder runs, where none is given."""
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class RunOptions:
    """How the pairs of a folder are worked through.

    Attributes
    ----------
    jobs : int or None
        Number of processes; None is one a core, or one on a GPU.
    resume : bool
        Go on where an earlier run into the same folder stopped.
    shard : Shard or None
        Only a part of the pairs, in a folder of its own within the output folder.
    parts : frozenset of str or None
        The parts of each result that are written (`registration.file_names.PARTS`); None for all but the compact transform.
    dask : str or None
        Address of a Dask scheduler, whose workers register the pairs.
    batch : int
        Pairs that go through the networks at once.
    """

    jobs: int | None = None
    resume: bool = False
    shard: Shard | None = None
    parts: frozenset[str] | None = None
    dask: str | None = None
    batch: int = 1


@dataclass(frozen=True)
class Shard:
    """One of several parts of the pairs or eyes of a folder: every `count`-th one, from the `number`-th on (counted from 1)."""

    number: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise InputError(
                f"{{field}}: expected K/N with K from 1 to N, such as 3/16; got {self.number}/{self.count}.",
                field="shard",
            )

    @classmethod
    def of(cls, text: str) -> Shard:
        """The shard of a text such as 3/16."""
        number, _, count = text.partition("/")
        if not (number.isdecimal() and count.isdecimal()):
            raise InputError(f"{{field}}: expected K/N, such as 3/16; got {text!r}.", field="shard")
        return cls(int(number), int(count))

    def of_items(self, items: Sequence[_Item]) -> Sequence[_Item]:
        """The part of the pairs or eyes."""
        return items[self.number - 1 :: self.count]

    def folder(self, output: Path) -> Path:
        """The folder of its results."""
        return output / f"shard_{self.number:0{len(str(self.count))}}_of_{self.count}"


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1


def wanted_jobs(jobs: int | None) -> int | None:
    """The number of processes that is asked for, here or by the environment; None for one a core.

    Raises
    ------
    InputError
        It is no whole number of at least 1.
    """
    given = os.environ.get(JOBS_VARIABLE) if jobs is None else jobs
    if given in (None, ""):
        return None
    try:
        number = int(given)
    except ValueError:
        number = 0
    if number < 1:
        source = f"the environment variable {JOBS_VARIABLE}" if jobs is None else "{field}"
        raise InputError(f"{source}: expected a whole number of at least 1, got {given!r}.", field="jobs")
    return number
