"""A process that works on pairs or eyes for another one, which sends them and takes the outcomes."""

from __future__ import annotations

import json
import os
import pickle
import queue
import sys
import threading
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .eyes_engine import EyesWork
    from .pair_work import PairWork

READY, DONE, ERROR = "ready", "done", "error"
DOOR = "META_REGISTRATION_DOOR"
"""Environment variable with address, key and token, by which a process reports to the one that started it."""


def main() -> None:
    """Report, and work on pairs or eyes until the other end of the connection is closed.

    The connection gives the search path of modules with the settings as of `sending.sent`, then (files, folder) of one item at
    a time. It takes (kind, content): READY with the record of the registrar, then DONE with a `PairDone` or an
    `EyeDone`, or ERROR with an exception, for each item.
    """
    address, key, token = json.loads(os.environ.pop(DOOR))
    address = tuple(address) if isinstance(address, list) else address
    connection = Client(address, authkey=bytes.fromhex(key))
    connection.send(token)
    sys.path[:], settings = connection.recv()
    pairs: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, pairs), daemon=True).start()
    work = _made(connection, settings)
    while work is not None:
        files, folder = pairs.get()
        _send(connection, *_outcome(work, files, folder))


def _receive(connection: Connection, pairs: queue.SimpleQueue) -> None:
    """Hand on the pairs. When nobody sends any more, the process ends at once: its unfinished pair belongs to nobody."""
    try:
        while True:
            pairs.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)


def _made(connection: Connection, settings: bytes) -> PairWork | EyesWork | None:
    try:
        import torch

        from .sending import received

        torch.set_num_threads(1)
        work = received(settings).work()
    except Exception as error:
        _send(connection, ERROR, error)
        return None
    _send(connection, READY, work.record)
    return work


def _outcome(work: PairWork | EyesWork, files: Any, folder: Path | None) -> tuple[str, object]:
    try:
        return DONE, work.staged(files, folder)
    except Exception as error:
        return ERROR, error


def _send(connection: Connection, kind: str, content: object) -> None:
    try:
        connection.send((kind, content))
    except (pickle.PicklingError, AttributeError, TypeError):  # an error that cannot be sent as it is
        connection.send((kind, RuntimeError(f"{type(content).__name__}: {content}")))
    except (BrokenPipeError, ConnectionError):
        os._exit(0)


if __name__ == "__main__":
    main()
