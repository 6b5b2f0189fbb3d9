"""Readers, networks and kinds of alignment that a program adds to the library, as another process needs them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import initial_kinds
from ..formats import registry as formats
from ..initial_kinds import InitialKind

if TYPE_CHECKING:
    from torch import nn

_LIBRARY = __name__.partition(".")[0]
_NETWORKS = f"{_LIBRARY}.networks.registry"


@dataclass(frozen=True, eq=False)
class OwnParts:
    """The parts that are no part of the library. Their pickle names their modules, which the other process imports.

    Attributes
    ----------
    readers : tuple of type
        Classes of readers.
    networks : dict of str to type
        Classes of networks by their registered names.
    kinds : tuple of InitialKind
        The kind of initial alignment that is used.
    """

    readers: tuple[type[formats.Reader], ...]
    networks: dict[str, type[nn.Module]]
    kinds: tuple[InitialKind, ...]

    @classmethod
    def of(cls, initial: str) -> OwnParts:
        """The parts that this process has beside those of the library; of the alignments the one named `initial`."""
        readers = (type(reader) for reader in formats.readers())
        networks = sys.modules.get(_NETWORKS)  # nobody has added a network without it, and it needs torch
        named = {} if networks is None else networks.registered_classes()
        return cls(
            tuple(kind for kind in readers if _is_own(kind)),
            {name: kind for name, kind in named.items() if _is_own(kind)},
            tuple(kind for kind in initial_kinds.declared() if kind.name == initial),
        )

    def only_here(self) -> str | None:
        """The first part that another process cannot import, in words; None if there is none."""
        for word, kinds in (("reader", self.readers), ("network", self.networks.values())):
            for kind in kinds:
                if "<locals>" in kind.__qualname__ or not _importable(kind.__module__):
                    return f"the {word} {kind.__qualname__}"
        for each in self.kinds:
            module = each.implementation.partition(":")[0]
            if not module.startswith(".") and not _importable(module):
                return f"the initial alignment {each.name!r}"
        return None

    def declare(self) -> None:
        """Make the parts known to this process. Those that their modules have declared already stay."""
        known = [type(reader) for reader in formats.readers()]
        for reader in self.readers:
            if reader not in known:
                formats.register(reader)
        if self.networks:
            from ..networks.registry import register_network

            for name, network in self.networks.items():
                register_network(name)(network)
        for kind in self.kinds:
            if kind not in initial_kinds.declared():
                initial_kinds.declare(kind)


def _is_own(kind: type) -> bool:
    return kind.__module__.partition(".")[0] != _LIBRARY


def _importable(module: str) -> bool:
    """Whether another process with the same search path finds a module."""
    package = module.partition(".")[0]
    # Not `importlib.util.find_spec`: it finds what this process has made by itself.
    return package != "__main__" and any(finder.find_spec(package, None) for finder in sys.meta_path)
