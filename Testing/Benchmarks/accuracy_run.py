"""The run of `accuracy.py`: methods take turns on each pair, and what they give is measured and kept."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from accuracy_beds import SIZE, BenchPair
from accuracy_measures import Result, ResultFile, checked_field, measured
from our_methods import NotDeformed, OurMethod
from peers import Peer

from MetaRegistrationLib.progress import plain


@dataclass(frozen=True, eq=False)
class Entry:
    """A row of the tables: a method of ours or a peer, and the fingerprint of its settings, versions and threads."""

    method: NotDeformed | OurMethod | Peer
    threads: int

    @property
    def name(self) -> str:
        """As in the tables."""
        return self.method.name

    @property
    def ours(self) -> bool:
        """Whether it is one of MetaRegistration's rows."""
        return isinstance(self.method, OurMethod)

    def record(self) -> dict:
        """Settings and versions, plain values."""
        if not isinstance(self.method, Peer):
            return plain(self.method.settings)
        versions = {package: importlib.metadata.version(package) for package in self.method.packages}
        return plain({"greys": self.method.greys, **self.method.settings, "versions": versions})

    def fingerprint(self) -> str:
        """Results with another fingerprint are not taken for this entry's."""
        text = json.dumps([self.record(), self.threads], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def register(self, pair: BenchPair) -> tuple[np.ndarray, float]:
        """The field on a pair in frame pixels, and the seconds that it took."""
        if not isinstance(self.method, Peer):
            return self.method.register(pair)
        frames = pair.frames[self.method.greys]
        began = time.perf_counter()
        field = self.method.register(*frames)
        return field, time.perf_counter() - began


def chosen(entries: Sequence[Entry], wanted: Sequence[str] | None) -> list[Entry]:
    """The entries whose name starts with one of the `wanted` (in any case), in their order; all without any.

    Raises
    ------
    SystemExit
        No name starts with one of them.
    """
    if not wanted:
        return list(entries)
    for text in wanted:
        if not any(entry.name.lower().startswith(text.lower()) for entry in entries):
            raise SystemExit(f"--methods {text}: no such row. There are:\n  " + "\n  ".join(e.name for e in entries))
    return [entry for entry in entries if entry.name.lower().startswith(tuple(text.lower() for text in wanted))]


class Run:
    """Registers what has not been registered yet.

    Parameters
    ----------
    entries : sequence of Entry
    results : ResultFile
    """

    def __init__(self, entries: Sequence[Entry], results: ResultFile):
        self._entries, self._results = entries, results
        self._warm: set[Entry] = set()

    def pair(self, pair: BenchPair) -> list[Result]:
        """All methods on one pair, one after the other; those that are for its test bed and have no result yet."""
        return [self._one(entry, pair) for entry in self.waiting(pair.bed, pair.name)]

    def waiting(self, bed: str, name: str) -> list[Entry]:
        """Entries that have no result on a pair yet."""
        return [
            entry
            for entry in self._entries
            if bed in entry.method.beds and self._results.get(bed, name, entry.name, entry.fingerprint()) is None
        ]

    def _one(self, entry: Entry, pair: BenchPair) -> Result:
        if (
            entry not in self._warm
        ):  # first calls load libraries and start threads; no user waits for that at every pair
            self._warm.add(entry)
            _attempt(entry, pair)
        field, seconds, failed = _attempt(entry, pair)
        result = measured(pair, field, method=entry.name, settings=entry.fingerprint(), seconds=seconds, failed=failed)
        self._results.add(result)
        return result


def _attempt(entry: Entry, pair: BenchPair) -> tuple[np.ndarray, float, str]:
    """Field, seconds, and why there is no field (the zero field stands in for it)."""
    began = time.perf_counter()
    try:
        field, seconds = entry.register(pair)
        return checked_field(field, SIZE), seconds, ""
    except Exception as error:  # whatever a program throws is its failure, not the end of the comparison
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return np.zeros((2, SIZE, SIZE), dtype=np.float32), time.perf_counter() - began, reason
