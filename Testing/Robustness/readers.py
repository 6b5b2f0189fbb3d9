"""The readers that get hostile files, each in a child process: `python readers.py KIND` reads paths from its standard input.

After each file a line that begins with @ says `ok` or `refused`; anything else that comes of it is a finding.
Decoders print lines of their own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from MetaRegistrationLib.errors import InputError


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
    from MetaRegistrationLib.formats.images import check_image, read_image

    def image(path: Path) -> None:
        found = read_image(path, slice_index=0)
        check_image(found)

    return image


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
