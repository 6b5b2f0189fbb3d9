"""What made a result: versions and hardware, for records and checkpoints."""

from __future__ import annotations

import datetime
import platform

import numpy
import scipy
import SimpleITK
import torch

from . import __version__


def provenance() -> dict:
    """Versions of program and packages, system, processor and time (UTC), as plain values."""
    return {
        "program": f"MetaRegistration {__version__}",
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "SimpleITK": SimpleITK.Version.VersionString(),
        "system": f"{platform.system()} {platform.machine()}",
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }


def device_name(device: torch.device) -> str:
    """A person's name for a device: the GPU's model, or the processor with its thread count."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    return f"CPU {platform.machine()}, {torch.get_num_threads()} threads"
