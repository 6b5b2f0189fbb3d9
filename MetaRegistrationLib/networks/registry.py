"""Networks by registry name (`voxelmorph`) or by import path (`package.module:Class`)."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from torch import nn

from ..errors import InputError
from .adapter import DisplacementAdapter

_REGISTRY: dict[str, type[nn.Module]] = {}


def register_network(name: str) -> Callable[[type[nn.Module]], type[nn.Module]]:
    """Class decorator that makes a network known by `name`."""

    def remember(network_class: type[nn.Module]) -> type[nn.Module]:
        _REGISTRY[name] = network_class
        return network_class

    return remember


def registered_networks() -> tuple[str, ...]:
    """Names that `build_network` knows without an import path."""
    return tuple(sorted(_REGISTRY))


def registered_classes() -> dict[str, type[nn.Module]]:
    """The classes of the networks that are known by a name."""
    return dict(_REGISTRY)


def build_network(name: str, settings: dict | None = None) -> nn.Module:
    """Make a network that is called as ``network(moving, fixed) -> displacement_px``.

    Parameters
    ----------
    name : str
        A registered name, or `package.module:Class` of any installed `torch.nn.Module`.
    settings : dict, optional
        Keyword arguments of the class, plain values.

    Raises
    ------
    InputError
        The name is unknown, does not name a module, or the settings do not fit.
    """
    network_class = _REGISTRY.get(name) or _import_class(name)
    try:
        network = network_class(**(settings or {}))
    except (TypeError, ValueError, RuntimeError) as error:  # torch refuses impossible sizes with a RuntimeError
        raise InputError(f"The network {name} does not take the settings {settings}: {error}") from error
    return network if name in _REGISTRY else DisplacementAdapter(network)


def as_network(module: nn.Module) -> nn.Module:
    """A network that is given as an object, called as ``network(moving, fixed) -> displacement_px``.

    Raises
    ------
    InputError
        It is no `torch.nn.Module` (a class, for instance, in place of an object of it).
    """
    if not isinstance(module, nn.Module):
        what = f"the class {module.__name__}" if isinstance(module, type) else f"{type(module).__name__}"
        raise InputError(f"network: expected a torch.nn.Module object, got {what}.")
    known = isinstance(module, (DisplacementAdapter, *_REGISTRY.values()))
    return module if known else DisplacementAdapter(module)


def network_name(module: nn.Module) -> str:
    """The name of a network's class: that of the registry, or `package.module:Class`."""
    own = module.module if isinstance(module, DisplacementAdapter) else module
    registered = {network_class: name for name, network_class in _REGISTRY.items()}
    return registered.get(type(own)) or f"{type(own).__module__}:{type(own).__qualname__}"


def _import_class(name: str) -> type[nn.Module]:
    module_name, colon, class_name = name.partition(":")
    if not colon:
        known = ", ".join(registered_networks())
        raise InputError(f"Unknown network {name!r}. Known: {known}; or give package.module:Class.")
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:  # the last two: no valid module name
        raise InputError(f"The network {name} cannot be imported: {error}. Is its package installed?") from error
    # A checkpoint may name anything that is installed; nothing but a network is ever called.
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise InputError(f"The network {name} is not a torch.nn.Module class, but {found!r}.")
    return found


def count_parameters(network: nn.Module) -> int:
    """Number of trainable scalars."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
