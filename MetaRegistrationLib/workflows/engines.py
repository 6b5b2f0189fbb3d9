"""Where the pairs of a folder are worked on: in this process, in one process a core, or on a Dask cluster."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..errors import TOKEN, InputError
from ..progress import Message, Reader
from .pair_work import PairDone, PairWork, WorkSettings, one_thread
from .run_options import RunOptions, cores, wanted_jobs

if TYPE_CHECKING:
    from ..pairs.files import PairFiles


class Engine(Protocol):
    """Works on pairs.

    Attributes
    ----------
    record : dict
        Of the registrar, as of `make_registrar`.
    staged : bool
        Whether files are written into folders from which they are moved into place.
    """

    record: dict
    staged: bool

    def run(
        self, files: Sequence[PairFiles], folder_of: Callable[[PairFiles], Path | None], tell: Callable[[Message], None]
    ) -> Iterator[tuple[int, PairDone]]:
        """The outcomes of pairs with their positions, in the order in which they are done."""

    def stop(self) -> None:
        """Give up what is not done. No process of this machine writes files afterwards. It may be called twice."""


class Here:
    """Works on pairs in this process, one after another."""

    staged = False

    def __init__(self, work: PairWork, batch: int = 1) -> None:
        self._work, self._batch = work, batch
        self.record = work.record

    def run(
        self, files: Sequence[PairFiles], folder_of: Callable[[PairFiles], Path | None], tell: Callable[[Message], None]
    ) -> Iterator[tuple[int, PairDone]]:
        """As of `Engine`."""
        if self._batch > 1 and files:  # of a resumed run, all may be finished
            from .batched import outcomes

            yield from outcomes(self._work, files, folder_of, self._batch)
            return
        for index, pair in enumerate(files):
            yield index, self._work(pair, folder_of(pair))

    def stop(self) -> None:
        """As of `Engine`: nothing runs here between two pairs."""


def engine(settings: WorkSettings, run: RunOptions, pairs: int, progress: Reader) -> AbstractContextManager[Engine]:
    """The engine for a number of pairs. A message says why it is one process where several are usual.

    Raises
    ------
    InputError
        A setting cannot be used, or an object of this process is to be sent to another one.
    """
    if run.dask is not None:
        from .dask_engine import DaskEngine
        from .sending import sent

        if run.jobs is not None or run.batch > 1:
            raise InputError("{field}: the cluster says how many pairs are registered at once.", field="dask")
        if pairs == 0:  # of a resumed run, all may be finished
            return _here(settings, run.batch)
        return DaskEngine(run.dask, sent(settings, "dask"))
    jobs = _jobs(settings, run, pairs, progress)
    if jobs == 1:
        return _here(settings, run.batch)
    from .processes import Processes
    from .sending import sent

    return Processes(sent(settings, "jobs"), jobs)


@contextmanager
def _here(settings: WorkSettings, batch: int) -> Iterator[Here]:
    # One pair is registered with all cores, as its user waits.
    from ..training.devices import choose_device

    device = settings.registrar.device
    on_processor = (choose_device(device) if isinstance(device, str) else device).type == "cpu"
    with one_thread() if settings.several and on_processor else nullcontext():
        yield Here(PairWork.of(settings), batch)


def _jobs(settings: WorkSettings, run: RunOptions, pairs: int, progress: Reader) -> int:
    wanted = wanted_jobs(run.jobs)
    if pairs <= 1 or wanted == 1:
        return 1
    if run.batch > 1:
        if wanted is not None and run.jobs is not None:
            raise InputError("{field}: pairs go through the networks in batches in one process only.", field="batch")
        return 1
    if wanted is None:
        wanted = 1 if _may_be_a_gpu(settings.registrar.device) else cores()
    if run.jobs is None and wanted > 1 and _only_here(settings, progress):
        return 1
    return min(wanted, pairs)


def _only_here(settings: WorkSettings, progress: Reader) -> bool:
    """Whether objects of this process keep the work in it, which is said."""
    from .sending import obstacle

    error = obstacle(settings)
    if error is not None:
        reason = error.problem.removeprefix(f"{TOKEN}: ")
        progress(Message(f"One process does all the work, because {reason}"))
    return error is not None


def _may_be_a_gpu(device: object) -> bool:
    """Whether pairs may be registered on a GPU, which one process keeps busy. Asks torch only if there is a driver."""
    name = str(device)
    if name != "auto":
        return name != "cpu"
    if not _has_driver():
        return False
    import torch

    return torch.cuda.is_available()


def _has_driver() -> bool:
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    return True
