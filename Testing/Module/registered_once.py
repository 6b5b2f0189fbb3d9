"""Registers the same pair in the same way once for all tests of this folder; later ones get a copy of what was found.

Registration has no chance in it: the same images, stages and weights give the same field.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace


@contextmanager
def registered_once() -> Iterator[Callable[[], int]]:
    """While it lasts, no registration is computed twice; gives how many were computed."""
    from MetaRegistrationLib.registration.pipeline import Pipeline
    from MetaRegistrationLib.registration.registrar import Registrar

    initialise, compute, found = Registrar.__init__, Pipeline.__call__, {}

    @functools.wraps(initialise)
    def noted(self, *args, **options) -> None:
        initialise(self, *args, **options)
        weights = None if self.network is None else [value.numpy() for value in self.network.state_dict().values()]
        self.pipeline.seen_as = _digest((self.stages, self.preprocessing, type(self.network).__name__, weights))

    @functools.wraps(compute)
    def once(self, pair, landmarks=None):
        seen_as = getattr(self, "seen_as", None)
        if seen_as is None:  # made in another way
            return compute(self, pair, landmarks)
        key = seen_as, _digest((replace(pair, seconds=0.0), landmarks))
        if key not in found:
            found[key] = compute(self, pair, landmarks)
        return copy.deepcopy(found[key])

    Registrar.__init__, Pipeline.__call__ = noted, once
    try:
        yield lambda: len(found)
    finally:
        Registrar.__init__, Pipeline.__call__ = initialise, compute


def _digest(value: object) -> str:
    return hashlib.sha256(pickle.dumps(value)).hexdigest()
