"""A registrar from a checkpoint, a network or a name, with the record of what it is."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from ..stages import Stages, adapted_initial

if TYPE_CHECKING:
    import torch

    from ..checkpoints import Checkpoint
    from ..registration.registrar import Registrar


@dataclass(frozen=True, eq=False)
class RegistrarOptions:
    """The settings of a registrar.

    Attributes
    ----------
    checkpoint : path, str, Checkpoint or None
        A file, the name of a shipped checkpoint, or a loaded one. None is the shipped default, unless `network` is given.
    network : torch.nn.Module or None
        A network to use. With a checkpoint, it gets the checkpoint's weights.
    stages : Stages
    device : str or torch.device
        auto, cpu, cuda, cuda:N or mps.
    """

    checkpoint: Path | str | Checkpoint | None = None
    network: torch.nn.Module | None = None
    stages: Stages = field(default_factory=Stages)
    device: str | torch.device = "auto"


def find_checkpoint(path_or_name: str | Path) -> Path:
    """The file of a checkpoint: a path, or the name of a shipped one with or without its suffix.

    Raises
    ------
    InputError
        There is no such file, and no shipped checkpoint has that name.
    """
    from ..errors import InputError
    from ..resources import shipped_checkpoints

    path = Path(path_or_name).expanduser()
    if path.exists():
        return path
    shipped = {file.stem: file for file in shipped_checkpoints()}
    found = shipped.get(str(path_or_name).removesuffix(".pt"))
    if found is None:
        raise InputError(
            f"Checkpoint {path_or_name}: there is no such file, and no shipped checkpoint has this name. The shipped"
            f" ones are {', '.join(shipped)}."
        )
    return found


def open_checkpoint(
    checkpoint: Path | str | Checkpoint | None, network: torch.nn.Module | None = None
) -> tuple[Checkpoint, Path | None]:
    """The checkpoint that options name, with `network` as its architecture where one is given, and its file.

    The file is None for a loaded checkpoint that has none, or whose file now holds something else.

    Raises
    ------
    InputError
        The checkpoint cannot be read.
    """
    from ..checkpoints import Checkpoint, load_checkpoint
    from ..resources import default_checkpoint

    if checkpoint is None:
        if network is not None:
            return Checkpoint.of_module(network), None
        checkpoint = default_checkpoint()
    if isinstance(checkpoint, Checkpoint):
        content, path = checkpoint, checkpoint.path if _as_in_its_file(checkpoint) else None
    else:
        path = find_checkpoint(checkpoint)
        content = load_checkpoint(path)
    return (content if network is None else content.with_module(network)), path


def _as_in_its_file(checkpoint: Checkpoint) -> bool:
    """Whether the file of a loaded checkpoint gives the same results."""
    from ..checkpoints import load_checkpoint, same_weights
    from ..errors import InputError

    if checkpoint.path is None:
        return False
    try:
        stored = load_checkpoint(checkpoint.path)
    except InputError:
        return False
    return _settings(checkpoint) == _settings(stored) and same_weights(checkpoint, stored)


def _settings(checkpoint: Checkpoint) -> tuple:
    """What changes the results beside the weights. A network that is given as an object stands for the one of the file."""
    network = None if checkpoint.module is not None else checkpoint.network
    return network, checkpoint.preprocessing, checkpoint.calibration


def make_registrar(options: RegistrarOptions) -> tuple[Registrar, dict]:
    """A registrar, and the record of it: stages, checkpoint with hash, network, settings, device, versions.

    No checkpoint is read where the stages have no network.

    Raises
    ------
    InputError
        The checkpoint, the network or the device cannot be used.
    """
    from ..registration.registrar import Registrar
    from ..versions import device_name, provenance

    content, path = open_checkpoint(options.checkpoint, options.network) if options.stages.network else (None, None)
    registrar = Registrar(content, options.device, options.stages)
    record = {
        "stages": options.stages.to_dict(),
        "checkpoint": path,
        "checkpoint_sha256": content and checkpoint_sha256(content, path),
        "network": content.network if content else None,
        "preprocessing": registrar.preprocessing.to_dict(),
        "training_stages": [entry.get("stage") for entry in content.history] if content else [],
        "adapted_initial": adapted_initial(content.history) if content else None,
        "device": device_name(registrar.device),
        "versions": provenance(),
    }
    return registrar, record


class LastRegistrar:
    """Caches the last registrar, and makes a new one only if the options or the file have changed.

    Registrars of networks and checkpoints that are given as objects are never cached: their weights may change.
    """

    def __init__(self) -> None:
        self._key: tuple | None = None
        self._made: tuple[Registrar, dict] | None = None
        self._making = Lock()

    def __call__(self, options: RegistrarOptions) -> tuple[Registrar, dict]:
        """As `make_registrar`."""
        key = _key(options)
        with self._making:
            if key is not None and key == self._key:
                return self._made
            self._key = self._made = None  # two networks at a time need not fit a GPU
            made = make_registrar(options)
            if key is not None:
                self._key, self._made = key, made
            return made


def _key(options: RegistrarOptions) -> tuple | None:
    """The key of the cache; None for what is not cached."""
    from ..alignment.registry import implementation
    from ..resources import default_checkpoint

    path = options.checkpoint
    # An alignment of the user's own may be defined again, as by a cell of a notebook.
    settings = str(options.device), options.stages, implementation(options.stages.initial)
    if not options.stages.network:
        return None, None, *settings
    if options.network is not None or not (path is None or isinstance(path, (str, Path))):
        return None
    path = default_checkpoint() if path is None else find_checkpoint(path)
    state = path.stat()
    return path.resolve(), (state.st_mtime_ns, state.st_size), *settings


def checkpoint_sha256(checkpoint: Checkpoint, path: Path | None) -> str:
    """SHA-256 of a checkpoint's file `path`; of its weights, as they would be stored, and its settings where that is None."""
    import torch

    from ..checkpoints import file_sha256

    if path is not None and path.is_file():
        return file_sha256(path)
    content = io.BytesIO()
    torch.save(checkpoint.weights, content)
    content.write(json.dumps(_settings(checkpoint), sort_keys=True, default=repr).encode())
    return hashlib.sha256(content.getbuffer()).hexdigest()
