"""Meta-learned registration of 2D medical images, adapted in a few epochs to the user's own pairs.

The names of `__all__` are the public interface. Each is loaded when it is first used, so that importing the package is quick.
"""

import importlib as _importlib
import os as _os
from typing import TYPE_CHECKING as _TYPE_CHECKING

if _TYPE_CHECKING:
    from .api.adapting import finetune
    from .api.checkpoints import load_checkpoint, save_checkpoint
    from .api.folders import evaluate, register_folder
    from .api.pairs import register
    from .api.registration import Registration
    from .api.visits import AlignedVisits, align_visits
    from .api.writing import write_image
    from .checkpoints import Checkpoint
    from .core.geometry import Geometry
    from .errors import InputError, RunStopped, TrainingStopped
    from .formats.images import Image, read_image
    from .stages import Stages

__version__ = "0.1.0"

# PyTorch's threads spin while they wait for a core, which on a busy machine takes several times as long. The library that
# makes them reads this when it is loaded, so it must stand here; whoever has set it keeps what he set.
# Not to spin at all is no answer either: where a core that has nothing to do is slow to wake, as on virtual machines, a pair took
# 1.1 s in place of 0.5 s. A few thousand turns, some microseconds, lose a sixth alone; GNU's OpenMP alone counts them.
if "OMP_WAIT_POLICY" not in _os.environ:
    _os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
    _os.environ.setdefault("GOMP_SPINCOUNT", "3000")

_HOMES = {
    "AlignedVisits": "api.visits",
    "Checkpoint": "checkpoints",
    "Geometry": "core.geometry",
    "Image": "formats.images",
    "InputError": "errors",
    "Registration": "api.registration",
    "RunStopped": "errors",
    "Stages": "stages",
    "TrainingStopped": "errors",
    "align_visits": "api.visits",
    "evaluate": "api.folders",
    "finetune": "api.adapting",
    "load_checkpoint": "api.checkpoints",
    "read_image": "formats.images",
    "register": "api.pairs",
    "register_folder": "api.folders",
    "save_checkpoint": "api.checkpoints",
    "write_image": "api.writing",
}

__all__ = [
    "AlignedVisits",
    "Checkpoint",
    "Geometry",
    "Image",
    "InputError",
    "Registration",
    "RunStopped",
    "Stages",
    "TrainingStopped",
    "align_visits",
    "evaluate",
    "finetune",
    "load_checkpoint",
    "read_image",
    "register",
    "register_folder",
    "save_checkpoint",
    "write_image",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(_importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
