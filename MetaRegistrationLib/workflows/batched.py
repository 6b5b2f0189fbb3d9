"""Several pairs at once in one process, whose images go through the networks together.

Each pair has a thread of its own. A network waits until all threads ask for it, or for something else, and then sees the images
of all of them as one batch. Reading, preparation, the search of the initial alignment, the error predictor and the refinement
work on one pair at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING

from .pair_work import PairDone, PairWork

if TYPE_CHECKING:
    from torch import Tensor

    from ..pairs.files import PairFiles
    from ..registration.registrar import Registrar

    Network = Callable[[Tensor, Tensor], Tensor]
_POLL_S = 0.2


class Together:
    """Collects the calls of several threads.

    Parameters
    ----------
    most : int
        Images that a network sees at once.

    Attributes
    ----------
    batches : list of int
        How many pairs each call of a network had.
    """

    def __init__(self, most: int) -> None:
        self._most, self._members = most, 0
        self._lock = threading.Condition()
        self._asked: dict[Network, list[_Call]] = {}
        self.batches: list[int] = []

    def of(self, network: Network) -> Network:
        """The network as the threads call it."""

        def call(moving: Tensor, fixed: Tensor) -> Tensor:
            return self._call(network, moving, fixed)

        return call

    def __enter__(self) -> Together:
        """A thread begins with a pair."""
        with self._lock:
            self._members += 1
        return self

    def __exit__(self, *exception: object) -> None:
        """A thread is done with a pair."""
        with self._lock:
            self._members -= 1
            self._lock.notify_all()

    def _call(self, network: Network, moving: Tensor, fixed: Tensor) -> Tensor:
        mine = _Call(moving, fixed)
        with self._lock:
            if not self._members:  # outside of a pair, such as the first pass
                return network(moving, fixed)
            self._asked.setdefault(network, []).append(mine)
            self._lock.notify_all()
            while not mine.done:
                if self._all_wait() or len(self._asked.get(network, ())) >= self._most:
                    self._work(network if len(self._asked.get(network, ())) >= self._most else self._largest())
                else:
                    self._lock.wait(_POLL_S)
        if mine.error is not None:
            raise mine.error
        return mine.result

    def _all_wait(self) -> bool:
        return sum(map(len, self._asked.values())) >= self._members

    def _largest(self) -> Network:
        return max(self._asked, key=lambda network: len(self._asked[network]))

    def _work(self, network: Network) -> None:
        """Run a network for all that wait for it; the lock is held, as all others wait or have work of their own to do first."""
        import torch

        calls = self._asked.pop(network)
        self.batches.append(len(calls))
        try:
            with torch.no_grad():
                results = network(*(torch.cat([getattr(call, name) for call in calls]) for name in ("moving", "fixed")))
            for number, call in enumerate(calls):
                call.result = results[number : number + 1]
        except Exception:
            self._work_one_by_one(network, calls)  # an error belongs to the pair that has it
        for call in calls:
            call.done = True
        self._lock.notify_all()

    @staticmethod
    def _work_one_by_one(network: Network, calls: Sequence[_Call]) -> None:
        import torch

        for call in calls:
            try:
                with torch.no_grad():
                    call.result = network(call.moving, call.fixed)
            except Exception as error:
                call.error = error


class _Call:
    def __init__(self, moving: Tensor, fixed: Tensor) -> None:
        self.moving, self.fixed = moving, fixed
        self.result: Tensor | None = None
        self.error: Exception | None = None
        self.done = False


def outcomes(
    work: PairWork, files: Sequence[PairFiles], folder_of: Callable[[PairFiles], Path | None], batch: int
) -> Iterator[tuple[int, PairDone]]:
    """The outcomes of pairs with their positions, in the order in which they are done; `batch` pairs at once.

    Parameters
    ----------
    work : PairWork
    files : sequence of PairFiles
    folder_of : callable
        The folder for the files of a pair; None for no files.
    batch : int
    """
    import torch

    together = Together(batch)
    threads = torch.get_num_threads()
    single = work.registrar
    work.registrar = batched(single, together)

    def one(pair: PairFiles) -> PairDone:
        torch.set_num_threads(threads)  # it is a setting of each thread
        with together:
            return work(pair, folder_of(pair))

    pool = ThreadPoolExecutor(batch)
    try:
        yield 0, work(files[0], folder_of(files[0]))  # the first pass also sets things up
        waiting = list(enumerate(files))[:0:-1]
        running: dict[Future, int] = {}
        while waiting or running:
            while waiting and len(running) < batch:
                index, pair = waiting.pop()
                running[pool.submit(one, pair)] = index
            for future in wait(running, _POLL_S, FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    finally:
        work.registrar = single
        pool.shutdown(cancel_futures=True)


def batched(registrar: Registrar, together: Together) -> Registrar:
    """A registrar whose networks see the images of several pairs at once."""
    return registrar.with_networks(together.of)
