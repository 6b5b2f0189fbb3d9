"""How our command line is started in a child process: program, environment, arguments."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..stages import Stages

_PACKAGE = __name__.partition(".")[0]


def python_executable() -> str:
    """The Python to run: Slicer's own where there is one, else the running one."""
    return shutil.which("PythonSlicer") or sys.executable


def child_environment() -> dict[str, str]:
    """This process's environment, in which a child speaks UTF-8, writes at once and finds this library first."""
    library = str(Path(__file__).resolve().parents[2])
    others = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path != library]
    return {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "PYTHONUTF8": "1",
        # A user's file random.py in the working folder must not be imported (Python 3.11 and later).
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": os.pathsep.join([library, *others]),
    }


def finetune_arguments(
    *,
    pairs: str | os.PathLike,
    output: str | os.PathLike,
    checkpoint: str | os.PathLike | None = None,
    epochs: int = 10,
    device: str = "auto",
    resume: bool = False,
    pixel_sizes: Mapping[str, object] | None = None,
    slice_index: int | None = None,
    initial: str = Stages.initial,
) -> list[str]:
    """Arguments of Python that fine-tune `checkpoint` (None: the shipped one) on a folder of pairs.

    Parameters
    ----------
    pairs, output : path
        Folder of image pairs, and folder of the run.
    epochs : int
    device : str
        auto, cpu, cuda, cuda:N or mps.
    resume : bool
        Resume the run in `output`.
    pixel_sizes : dict, optional
        As keyword arguments of `find_pairs`: spacing_um and so on.
    slice_index : int, optional
        Slice to take, counted from 0, of files that are stacks.
    initial : str
        Initial alignment: none, translation, rigid or affine.
    """
    return [
        *_command("finetune"),
        *_reading(pairs, output, checkpoint, device, pixel_sizes, slice_index),
        *("--epochs", str(epochs), "--initial", initial),
        *(["--resume"] if resume else []),
    ]


def register_arguments(
    *,
    pairs: str | os.PathLike,
    output: str | os.PathLike,
    checkpoint: str | os.PathLike | None = None,
    device: str = "auto",
    pixel_sizes: Mapping[str, object] | None = None,
    slice_index: int | None = None,
    split: str | None = None,
    initial: str = Stages.initial,
    network: bool = Stages.network,
    refine: int = Stages.refine,
    replace: bool = False,
) -> list[str]:
    """Arguments of Python that register a folder of pairs (those of `split` alone when given); others as above.

    Parameters
    ----------
    network : bool
        Without it, `checkpoint` is not used.
    refine : int
        Steps of refinement, 0 for none.
    replace : bool
        Replace the results of other inputs in `output`.
    """
    return [
        *_command("register"),
        *_reading(pairs, output, checkpoint if network else None, device, pixel_sizes, slice_index),
        *_option("--split", split),
        *("--initial", initial, "--refine", str(refine)),
        *([] if network else ["--no-network"]),
        *(["--replace"] if replace else []),
    ]


def series_arguments(
    *,
    visits: str | os.PathLike,
    output: str | os.PathLike,
    reference: str | None = None,
    checkpoint: str | os.PathLike | None = None,
    device: str = "auto",
    spacing_um: float | None = None,
    initial: str = Stages.initial,
    network: bool = Stages.network,
    refine: int = Stages.refine,
    include: Sequence[str] = (),
    regions: str | os.PathLike | None = None,
    regions_visit: str | None = None,
    axial_length: float | None = None,
    device_axial_length: float | None = None,
    replace: bool = False,
) -> list[str]:
    """Arguments of Python that align the visits of a table, without a change map; others as above.

    Parameters
    ----------
    reference : str, optional
        Name of the visit that stays in place; by default the one with the best quality.
    spacing_um : float, optional
        Distance between pixels where files carry none, in micrometres.
    include : sequence of str
        Names of visits that are averaged whatever is found.
    regions : path, optional
        Label map of the user's own regions, and the visit on which they are drawn.
    axial_length, device_axial_length : float, optional
        Of the eye, and the one that the device assumed, mm.
    """
    return [
        *_command("series"),
        *_option("--visits", _absolute(visits)),
        *_option("--output", _absolute(output)),
        *([] if reference is None else [f"--reference={reference}"]),
        *_option("--checkpoint", None if checkpoint is None or not network else _absolute(checkpoint)),
        *_option("--device", device),
        *_option("--spacing-um", spacing_um),
        *("--initial", initial, "--refine", str(refine), "--no-change"),
        *([] if network else ["--no-network"]),
        *(f"--include={name}" for name in include),
        *_option("--regions", None if regions is None else _absolute(regions)),
        *([] if regions_visit is None else [f"--regions-visit={regions_visit}"]),
        *_option("--axial-length", axial_length),
        *_option("--device-axial-length", device_axial_length),
        *(["--replace"] if replace else []),
    ]


def _command(name: str) -> list[str]:
    return ["-m", _PACKAGE, name, "--json", "--watch-stdin"]


def _reading(
    pairs: str | os.PathLike,
    output: str | os.PathLike,
    checkpoint: str | os.PathLike | None,
    device: str,
    pixel_sizes: Mapping[str, object] | None,
    slice_index: int | None,
) -> list[str]:
    return [
        *_option("--pairs", _absolute(pairs)),
        *_option("--output", _absolute(output)),
        *_option("--checkpoint", None if checkpoint is None else _absolute(checkpoint)),
        *_option("--device", device),
        *(word for name, size in (pixel_sizes or {}).items() for word in _size_option(name, size)),
        *_option("--slice", slice_index),
    ]


def _absolute(path: str | os.PathLike) -> str:
    # Also keeps a name that begins with a dash or a tilde from being taken for something else.
    return str(Path(path).absolute())


def _size_option(name: str, size: object) -> list[str]:
    option = "--" + name.replace("_", "-")
    return ([option] if size else []) if isinstance(size, bool) else _option(option, size)


def _option(name: str, value: object) -> list[str]:
    return [] if value is None else [name, str(value)]
