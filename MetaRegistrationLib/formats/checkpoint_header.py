"""What a checkpoint file says of itself, without its weights. Needs no torch."""

from __future__ import annotations

import collections
import hashlib
import io
import math
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

FORMAT = "MetaRegistration checkpoint"
FORMAT_VERSION = 1


class _Weight:
    """Stands for a tensor; only its size is known."""

    def __init__(self, storage: object, offset: int, size: tuple[int, ...], *more: object) -> None:
        self.size = tuple(size)

    def numel(self) -> int:
        """Number of values."""
        return math.prod(self.size)


def _parameter(data: _Weight, *more: object) -> _Weight:
    return data


_KNOWN = {
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _Weight,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}


class _Plain(pickle.Unpickler):
    """Reads tensors as `_Weight` and plain values, and nothing else: no code of the file is run."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name.endswith("Storage"):
            return name
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is no plain value") from None

    def persistent_load(self, pid: object) -> None:
        return None


def read_header(path: str | os.PathLike) -> dict | None:
    """The content of a checkpoint with `_Weight` in place of tensors; None for any file that needs a closer look.

    Damage is not looked for here: `checkpoints.load_checkpoint` says what is wrong with a file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return None
            name = next(each for each in archive.namelist() if each.endswith("/data.pkl"))
            content = _Plain(io.BytesIO(archive.read(name))).load()
        sound = (
            content["format"] == FORMAT
            and type(content["format_version"]) is int
            and content["format_version"] <= FORMAT_VERSION
            and isinstance(content["network"]["name"], str)
            and isinstance(content["preprocessing"], dict)
            and all(isinstance(weight, _Weight) for weight in content["weights"].values())
            and all(isinstance(entry, dict) for entry in content["history"])
            and isinstance(content["provenance"], dict)
        )
    except Exception:  # whatever a hostile or damaged file provokes
        return None
    return content if sound else None


def sha256_of(path: str | os.PathLike) -> str:
    """SHA-256 of a file, hexadecimal: the identity of a checkpoint in every record."""
    with Path(path).open("rb") as stream:
        return hashlib.sha256(stream.read()).hexdigest()
