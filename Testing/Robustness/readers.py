"""The readers that get hostile files, each in a child process: `python readers.py KIND` reads paths from its standard input.

After each file a line that begins with @ says `ok` or `refused`; anything else that comes of it is a finding.
Decoders print lines of their own.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from MetaRegistrationLib.errors import InputError

_PERTURB = -6  # M_PERTURB of glibc


@contextmanager
def memory_filled_with(byte: int) -> Iterator[None]:
    """New and freed memory holds this byte, where the C library is glibc: what a decoder leaves as it was shows. 0 is none."""
    fill = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if fill is not None:
        fill(_PERTURB, byte)
    try:
        yield
    finally:
        if fill is not None:
            fill(_PERTURB, 0)


def check_packed(path: Path) -> None:
    """Unpack a MetaImage that was read by Python alone; the check sum of its pixels has to be right."""
    head, local, packed = path.read_bytes().partition(b"\nElementDataFile = LOCAL\n")
    if local and b"\nCompressedData = True\n" in head:
        unpacker = zlib.decompressobj(47)
        unpacker.decompress(packed)
        if not unpacker.eof:
            raise AssertionError("packed pixels that do not unpack were read")


def read_twice(path: Path, fills: tuple[int, int] = (0x55, 0xAA)) -> None:
    """Read an image twice; a difference is a finding, and so are pixels that cannot be unpacked."""
    from MetaRegistrationLib.formats.images import check_image, read_image

    found = []
    for byte in fills:
        with memory_filled_with(byte):
            found.append(read_image(path, slice_index=0))
    if not np.array_equal(*(image.array for image in found), equal_nan=True):
        raise AssertionError("two reads of the image differ")
    check_packed(path)
    check_image(found[0])


def reader(kind: str) -> Callable[[Path], object]:
    """What reads files of a kind."""
    if kind in ("csv", "mrk.json", "fcsv"):
        from MetaRegistrationLib.core.geometry import Geometry
        from MetaRegistrationLib.formats.landmarks import read_landmark_pairs, read_landmarks

        def landmarks(path: Path) -> None:
            if kind == "csv" and b"moving_x" in path.read_bytes():
                read_landmark_pairs(path)
            else:
                read_landmarks(path, Geometry((24, 20)))

        return landmarks
    if kind == "pairs.csv":
        from MetaRegistrationLib.pairs.folders import find_pairs

        return lambda path: find_pairs(path, check=False)
    if kind == "toml":
        from MetaRegistrationLib.core.preprocessing import Preprocessing
        from MetaRegistrationLib.tasks import load_task_set

        return lambda path: load_task_set(path, Preprocessing())
    if kind == "pt":
        from MetaRegistrationLib.checkpoints import load_checkpoint

        return lambda path: load_checkpoint(path).build()
    if kind == "stdin":
        from MetaRegistrationLib.commands.stdin_watch import wait_for_cancel

        def worker(path: Path) -> None:
            with path.open("rb") as stream:
                wait_for_cancel(stream.fileno())

        return worker
    if kind == "adapted.json":
        from MetaRegistrationLib.jobs.store import CheckpointStore

        def record(path: Path) -> None:
            (path.parent / "best.pt").touch()
            store = CheckpointStore(path.parent.parent)
            store.names()
            store.describe(path.parent.name)

        return record
    if kind == "json lines":
        from MetaRegistrationLib.jobs.lines import LineBuffer, event_of

        return lambda path: [event_of(line) for line in LineBuffer().feed(path.read_bytes())]
    # pydicom asks for as much memory as a damaged length says, and never touches it
    return (lambda path: read_twice(path, (0, 0))) if kind == "dcm" else read_twice


def main() -> None:
    """Read until the input ends."""
    read = reader(sys.argv[1])
    print("ready", flush=True)
    for line in sys.stdin:
        path = Path(json.loads(line))
        began = time.perf_counter()
        try:
            read(path)
            outcome = "ok"
        except (InputError, UnicodeEncodeError) as error:
            outcome = "refused" if isinstance(error, InputError) else f"finding {type(error).__name__}: {error}"
        except BaseException as error:
            outcome = f"finding {type(error).__name__}: {error}"
        print("\n@" + json.dumps([outcome[:300], round(time.perf_counter() - began, 3)]), flush=True)


if __name__ == "__main__":
    main()
