"""Readers, networks and kinds of alignment that a program adds to the library, as another process needs them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import initial_kinds
from ..errors import InputError
from ..formats import registry as formats
from ..formats.checkpoint_header import read_header
from ..initial_kinds import InitialKind

if TYPE_CHECKING:
    from torch import nn

    from .registrars import RegistrarOptions

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
        The class of the network that is used, by its registered name.
    kinds : tuple of InitialKind
        The kind of initial alignment that is used.
    """

    readers: tuple[type[formats.Reader], ...]
    networks: dict[str, type[nn.Module]]
    kinds: tuple[InitialKind, ...]

    @classmethod
    def of(cls, options: RegistrarOptions) -> OwnParts:
        """All readers that this process has beside those of the library, and the network and alignment that are used."""
        readers = (type(reader) for reader in formats.readers())
        return cls(
            tuple(kind for kind in readers if _is_own(kind)),
            _used_networks(options),
            tuple(kind for kind in initial_kinds.declared() if kind.name == options.stages.initial),
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


def _used_networks(options: RegistrarOptions) -> dict[str, type[nn.Module]]:
    registry = sys.modules.get(_NETWORKS)  # nobody has added a network without it, and it needs torch
    if registry is None or not options.stages.network:
        return {}
    own = {name: kind for name, kind in registry.registered_classes().items() if _is_own(kind)}
    used = _network_name(options) if own else None
    return {name: kind for name, kind in own.items() if name == used}


def _network_name(options: RegistrarOptions) -> str | None:
    """The name of the network of the checkpoint; None if it cannot be read, which the run itself refuses."""
    from ..resources import default_checkpoint
    from .registrars import find_checkpoint

    try:
        checkpoint = default_checkpoint() if options.checkpoint is None else options.checkpoint
        if not isinstance(checkpoint, (str, Path)):
            return checkpoint.network["name"]
        header = read_header(find_checkpoint(checkpoint))
    except InputError:
        return None
    return None if header is None else header["network"]["name"]


def _is_own(kind: type) -> bool:
    return kind.__module__.partition(".")[0] != _LIBRARY


def _importable(module: str) -> bool:
    """Whether another process with the same search path finds a module."""
    package = module.partition(".")[0]
    # Not `importlib.util.find_spec`: it finds what this process has made by itself.
    return package != "__main__" and any(_finds(finder, package) for finder in sys.meta_path)


def _finds(finder: object, package: str) -> bool:
    """Whether an import hook finds a package. Old ones have no `find_spec`, and others may fail."""
    find = getattr(finder, "find_spec", None)
    try:
        return find is not None and find(package, None) is not None
    except Exception:  # as many kinds as hooks have
        return False
