"""Checkpoints: a network's weights and all that is needed to use them, as tensors and plain Python values."""

from __future__ import annotations

import copy
import io
import os
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from .calibration import NetworkCalibration, network_calibration
from .core.preprocessing import Preprocessing
from .errors import InputError
from .formats.checkpoint_header import FORMAT, FORMAT_VERSION, sha256_of
from .formats.files import replacing
from .networks import as_network, build_network, network_name

_ARCHIVE_START = b"PK\x03\x04"
_COMPARED = ("network", "preprocessing", "history", "provenance", "format_version", "calibration")


@dataclass(eq=False)
class Checkpoint:
    """Content of a checkpoint file. Two are equal if they give the same results and have the same history and provenance.

    Attributes
    ----------
    network : dict
        `name` (registry name or `package.module:Class`) and `settings` (keyword arguments).
    weights : dict of str to Tensor
        State of the network, on the CPU.
    preprocessing : dict
        Settings of `Preprocessing`.
    history : list of dict
        One entry for each training stage, oldest first: its name, steps, settings, data, results.
    provenance : dict
        Versions, hardware, date, parent checkpoint's hash.
    calibration : dict of str to float
        Thresholds of this network (names of `NetworkCalibration`) that differ from the defaults of `calibration.py`. A file
        without them is written and read as before there were any.
    training : dict
        State of an unfinished run (optimisers, counters); empty in a checkpoint that is only to be used.
    path : Path or None
        File that it was read from, for messages; not stored.
    module : nn.Module or None
        The network itself, where it was given as an object and not by name; not stored. `build` copies it.
    """

    network: dict
    weights: dict[str, Tensor]
    preprocessing: dict
    history: list = field(default_factory=list)
    provenance: dict = field(default_factory=dict)
    training: dict = field(default_factory=dict)
    format_version: int = FORMAT_VERSION
    path: Path | None = None
    calibration: dict = field(default_factory=dict)
    module: nn.Module | None = field(default=None, repr=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Checkpoint):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _COMPARED) and same_weights(self, other)

    __hash__ = None  # type: ignore[assignment]  # its content may change

    @classmethod
    def of_module(cls, module: nn.Module) -> Checkpoint:
        """A checkpoint of a network that is given as an object, with its weights and the paper's preprocessing.

        Raises
        ------
        InputError
            It is no torch module.
        """
        network = as_network(module)
        description = {"name": network_name(module), "settings": {}}
        try:
            weights = cpu_weights(copy.deepcopy(network))
        except (RuntimeError, TypeError, NotImplementedError) as error:
            raise InputError(f"network: expected a torch.nn.Module that can be copied; {error}") from error
        return cls(description, weights, Preprocessing().to_dict(), module=network)

    def with_module(self, module: nn.Module) -> Checkpoint:
        """This checkpoint's weights for a network that is given as an object.

        Raises
        ------
        InputError
            It is no torch module.
        """
        return replace(self, module=as_network(module), network={"name": network_name(module), "settings": {}})

    def build(self, device: torch.device | str = "cpu") -> nn.Module:
        """The network with its weights, in evaluation mode.

        Raises
        ------
        InputError
            The network cannot be made, the weights do not fit it, or there is no such device.
        """
        place = _device(device)
        try:
            network = self._new_network()
            network.float().load_state_dict(self.weights)  # whatever torch makes by default
        except InputError as error:
            raise error.within(f"{self.title}: ") from error
        except RuntimeError as error:
            words = " ".join(str(error).split())[:300]
            raise InputError(
                f"{self.title}: its weights do not fit its network {self.network['name']} ({words})."
            ) from error
        return network.to(place).float().eval()  # images are float32

    def _new_network(self) -> nn.Module:
        if self.module is not None:
            return copy.deepcopy(self.module)
        return build_network(self.network["name"], self.network.get("settings"))

    @property
    def knows_contrasts(self) -> bool:
        """Whether any of its trainings had pairs of unlike contrast."""
        tasks = [task for entry in self.history for task in entry.get("tasks", ()) if isinstance(task, dict)]
        return any(task.get("any_contrast") for task in tasks)

    def build_calibration(self) -> NetworkCalibration:
        """The thresholds of the network; an `InputError` when this version does not know those of the checkpoint."""
        try:
            return network_calibration(any_contrast=self.knows_contrasts, own=self.calibration)
        except ValueError as error:
            raise InputError(f"{self.title}: {error}. A newer version of the program may have written them.") from error

    def build_preprocessing(self) -> Preprocessing:
        """The checkpoint's preprocessing; an `InputError` when this version does not know its settings."""
        try:
            return Preprocessing.from_dict(self.preprocessing)
        except InputError as error:
            raise error.within(f"{self.title}: ") from error

    @property
    def title(self) -> str:
        """What messages call it: its file when it has one, or the network that was given alone."""
        if self.of_object:
            return f"The network {self.network['name'].rpartition(':')[2].rpartition('.')[2]}"
        return f"Checkpoint {self.path}" if self.path else "The checkpoint"

    @property
    def of_object(self) -> bool:
        """Whether it stands for a network that was given as an object, and has no file."""
        return self.module is not None and self.path is None


def _device(name: torch.device | str) -> torch.device:
    """A device on which a number can be put."""
    try:
        place = torch.device(name)
        torch.zeros(1, device=place)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"device: expected cpu, cuda, cuda:N or mps, as this machine has it; got {name!r} ({reason})."
        ) from error
    return place


def cpu_weights(network: nn.Module) -> dict[str, Tensor]:
    """Copy of a network's state on the CPU, contiguous whatever the memory format of the network."""
    return {
        name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, value in network.state_dict().items()
    }


def same_weights(first: Checkpoint, second: Checkpoint) -> bool:
    """Whether two checkpoints have equal weights of equal names."""
    if first.weights.keys() != second.weights.keys():
        return False
    return all(torch.equal(value, second.weights[name].to(value)) for name, value in first.weights.items())


def save_checkpoint(path: str | os.PathLike, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically: at any kill or full disk the file that was there before is still whole.

    Raises
    ------
    InputError
        The folder does not exist, or what came is no checkpoint.
    """
    if not isinstance(checkpoint, Checkpoint):
        raise InputError(
            f"checkpoint: expected a Checkpoint, as load_checkpoint gives it; got {type(checkpoint).__name__}."
        )
    if not Path(path).absolute().parent.is_dir():
        raise InputError(f"Checkpoint {path}: its folder does not exist.")
    with replacing(path) as temporary:
        # Into memory first: torch hides the reason (such as a full disk) when it cannot write, and its archive would
        # carry the temporary name, so that equal runs would differ in their bytes.
        content = io.BytesIO()
        torch.save({"format": FORMAT, **_stored(checkpoint)}, content)
        temporary.write_bytes(content.getbuffer())
        load_checkpoint(temporary)  # a file that could not be read back must never replace one that can


def _stored(checkpoint: Checkpoint) -> dict:
    stored = {name: value for name, value in vars(checkpoint).items() if name not in ("path", "module")}
    if not checkpoint.calibration:  # earlier versions do not know it
        del stored["calibration"]
    return stored


def load_checkpoint(path: str | os.PathLike) -> Checkpoint:
    """Read a checkpoint; nothing in the file is executed (``weights_only=True``).

    Raises
    ------
    InputError
        The file is missing, truncated, damaged, not a checkpoint of this program, holds more than tensors and plain
        values, or was written by a newer version.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"Checkpoint {path}: it is a folder. Name a checkpoint file in it, such as best.pt.")
    if not path.is_file():
        raise InputError(f"Checkpoint {path}: there is no such file.")
    try:
        _check_archive(path)
    except OSError as error:
        raise InputError(f"Checkpoint {path}: it cannot be read ({error.strerror or error}).") from error
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a hostile or damaged file provokes in the reader
        raise InputError(_refusal(path, error)) from error
    return _checked(path, content)


def _check_archive(path: Path) -> None:
    """Refuse what is not a whole zip archive, as torch writes it, with the check sums that torch itself ignores."""
    try:
        is_archive = zipfile.is_zipfile(path)
    except zipfile.BadZipFile as error:
        raise InputError(f"Checkpoint {path}: the file is damaged ({error}). Copy or train it again.") from error
    if not is_archive:
        with path.open("rb") as stream:
            start = stream.read(len(_ARCHIVE_START))
        if not start:
            raise InputError(f"Checkpoint {path}: the file is empty. Copy or train it again.")
        if _ARCHIVE_START.startswith(start):
            raise InputError(f"Checkpoint {path}: the file is truncated, its end is missing. Copy or train it again.")
        raise InputError(
            f"Checkpoint {path}: another kind of file; expected one made by pretrain, metatrain or finetune."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise InputError(f"Checkpoint {path}: the file is damaged ({error}). Copy or train it again.") from error
    if damaged:
        raise InputError(f"Checkpoint {path}: the file is damaged (in {damaged}). Copy or train it again.")


def _refusal(path: Path, error: Exception) -> str:
    words = str(error)
    if "weights_only" in words or "Unsupported" in words:
        return (
            f"Checkpoint {path}: refused, because it holds Python objects other than tensors and plain values, "
            "which could run code."
        )
    reason = words.splitlines()[0][:200] if words else type(error).__name__
    return f"Checkpoint {path}: it cannot be read as a checkpoint ({reason})."


def _checked(path: Path, content: object) -> Checkpoint:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise InputError(
            f"Checkpoint {path}: another program wrote it; expected one made by pretrain, metatrain or finetune."
        )
    version = content.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise InputError(
            f"Checkpoint {path}: its format version is {version}, and this program reads up to {FORMAT_VERSION}. "
            "Update MetaRegistration."
        )
    try:
        checkpoint = Checkpoint(**{key: value for key, value in content.items() if key != "format"}, path=path)
        sound = (
            isinstance(checkpoint.network["name"], str)
            and isinstance(checkpoint.preprocessing, dict)
            and isinstance(checkpoint.calibration, dict)
            and all(isinstance(weight, Tensor) for weight in checkpoint.weights.values())
            and isinstance(checkpoint.history, list)
            and all(isinstance(entry, dict) for entry in checkpoint.history)
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f"Checkpoint {path}: parts of it are missing or unknown ({error}).") from error
    if not sound:
        raise InputError(
            f"Checkpoint {path}: its network, weights, preprocessing, history or calibration are not what a checkpoint holds."
        )
    return checkpoint


def file_sha256(path: str | os.PathLike) -> str:
    """SHA-256 of a file, hexadecimal: the identity of a checkpoint in every record."""
    return sha256_of(path)
