"""The devices of this computer by name, found without torch."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..jobs.lines import as_bytes
from .texts import tr as _

_ASK = ("nvidia-smi", ["--query-gpu=index,name", "--format=csv,noheader"])


@dataclass(frozen=True)
class Device:
    """A device: its name for a person, and its name for `--device`."""

    label: str
    option: str


def always_there() -> list[Device]:
    """Devices that need no asking: the processor, and the GPU of an Apple computer."""
    found = [Device(_("CPU (slow)"), "cpu")]
    if sys.platform == "darwin" and platform.machine() == "arm64":
        found.insert(0, Device(_("Apple GPU"), "mps"))
    return found


def parse(text: str) -> list[Device]:
    """Devices in the lines "index, name" of the driver's own program."""
    found = []
    for line in text.splitlines():
        index, comma, name = line.partition(",")
        if comma and index.strip().isdigit():
            found.append(Device(name.strip(), f"cuda:{index.strip()}"))
    return found


def ask_driver(host: Any, on_found: Callable[[list[Device]], None]) -> object:
    """Ask NVIDIA's driver for its GPUs, in a process; `on_found` is called when there are any.

    Returns
    -------
    process
        To be kept until it has answered.
    """
    process = host.process(dict(os.environ))

    def read(*_arguments) -> None:
        found = parse(as_bytes(process.readAllStandardOutput()).decode(errors="replace"))
        if found:
            on_found(found)

    process.connect("finished(int,QProcess::ExitStatus)", read)
    process.start(*_ASK)
    return process
