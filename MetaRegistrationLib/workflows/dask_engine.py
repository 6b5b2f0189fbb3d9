"""Pairs on the workers of a Dask cluster, which see the same files."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..errors import InputError, RunStopped
from ..progress import Message
from .pair_work import PairDone, PairWork, WorkSettings, given_up
from .sending import received

if TYPE_CHECKING:
    from distributed import Future

    from ..pairs.files import PairFiles

_CONNECT_S = 20
_NO_WORKER_S = 600


class DaskEngine:
    """Works on pairs on a Dask cluster; a context manager.

    No more pairs are sent than the workers have threads, so that a worker that dies costs only the pairs that it works on.

    Parameters
    ----------
    address : str
        Of the scheduler, such as tcp://node1:8786.
    settings : bytes
        As of `sending.sent`.
    """

    staged = True

    def __init__(self, address: str, settings: bytes) -> None:
        self._address, self._settings = address, settings
        self._client = None
        self.record: dict = {}

    def __enter__(self) -> DaskEngine:
        try:
            from distributed import Client
        except ImportError as error:
            raise InputError(
                "{field}: the packages dask and distributed are missing. Install meta-registration[cluster].",
                field="dask",
            ) from error
        try:
            self._client = Client(self._address, timeout=_CONNECT_S)
        except (OSError, ValueError) as error:
            raise InputError(
                f"{{field}} {self._address}: no Dask scheduler answers ({error}).", field="dask"
            ) from error
        try:
            self._client.wait_for_workers(1, timeout=_NO_WORKER_S)
            self.record = self._client.submit(record_of, self._settings, pure=False).result()
        except (TimeoutError, asyncio.TimeoutError) as error:
            self._client.close()
            raise InputError(f"{{field}} {self._address}: the scheduler has no workers.", field="dask") from error
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """As of `engines.Engine`; a worker of the cluster ends the pair that it works on."""
        self._client.close()  # forgets the pairs that are not done

    def run(
        self, files: Sequence[PairFiles], folder_of: Callable[[PairFiles], Path | None], tell: Callable[[Message], None]
    ) -> Iterator[tuple[int, PairDone]]:
        """As of `engines.Engine`; files are written to folders that the workers see by the same names.

        Raises
        ------
        RunStopped
            The scheduler is gone.
        """
        from distributed.scheduler import KilledWorker

        waiting, running = deque(range(len(files))), {}
        while waiting or running:
            while waiting and len(running) < self._threads():
                index = waiting.popleft()
                folder = folder_of(files[index])  # outside of the connection: its errors are those of the disk
                running[self._sent(files[index], folder)] = index
            with self._connected():
                done = {future: future.exception() for future in self._some_done(running)}
                results = {future: future.result() for future, error in done.items() if error is None}
            for future, error in done.items():
                index = running.pop(future)
                if error is None:
                    yield index, results[future]
                elif isinstance(error, KilledWorker):  # the scheduler has tried it elsewhere before
                    how, times = "the worker that registered it died", error.allowed_failures + 1
                    yield index, given_up(files[index].name, how, times)
                else:
                    raise error
                future.release()

    def _threads(self) -> int:
        """Threads of the workers. They are asked for each time, because more may have come."""
        with self._connected():
            return max(1, sum(self._client.nthreads().values()))

    def _sent(self, files: PairFiles, folder: Path | None) -> Future:
        with self._connected():
            return self._client.submit(work_on, self._settings, files, folder, pure=False, retries=0)

    @staticmethod
    def _some_done(running: Collection[Future]) -> list[Future]:
        """The pairs that are done within a moment."""
        from distributed import wait

        with contextlib.suppress(TimeoutError, asyncio.TimeoutError):  # two classes before Python 3.11
            wait(list(running), timeout=1, return_when="FIRST_COMPLETED")
        return [future for future in running if future.done()]

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Raise a `RunStopped` where the connection to the scheduler is lost, by whatever error that shows."""
        try:
            if self._client.status == "running":
                yield
                return
            lost = None
        except (CancelledError, asyncio.CancelledError, OSError) as error:  # two classes, by the version of Dask
            lost = error
        raise RunStopped(
            f"{self._address}: the Dask scheduler is gone.",
            field="resume",
            advice="Start another one, and continue with {field}.",
        ) from lost


def record_of(settings: bytes) -> dict:
    """The record of a worker's registrar."""
    return _work(settings).record


def work_on(settings: bytes, files: PairFiles, folder: Path | None) -> PairDone:
    """Register one pair on a worker, with one thread."""
    import torch

    torch.set_num_threads(1)
    return _work(settings).staged(files, folder)


@lru_cache(maxsize=1)
def _work(settings: bytes) -> PairWork:
    return PairWork.of(cast("WorkSettings", received(settings)))
