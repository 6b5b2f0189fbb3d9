"""Work of about a second in the program itself, in steps. Between steps, the window responds and Cancel works."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any


class Steps:
    """Runs a generator from the event loop.

    Parameters
    ----------
    host : jobs.job.Host
        Gives the timer.
    work : generator
        Yields what `on_step` gets, returns what `on_end` gets.
    on_step, on_end, on_error : callable
        With one argument each; `on_error` gets the exception. After `cancel` none of them is called.
    """

    def __init__(
        self,
        host: Any,
        work: Generator,
        *,
        on_step: Callable[[Any], None],
        on_end: Callable[[Any], None],
        on_error: Callable[[Exception], None],
    ) -> None:
        self._host, self._work = host, work
        self._on_step, self._on_end, self._on_error = on_step, on_end, on_error
        self.running = False

    def start(self) -> Steps:
        """Begin when the event loop runs next."""
        self.running = True
        self._later()
        return self

    def cancel(self) -> None:
        """Stop before the next step; the generator cleans up at once."""
        self.running = False
        self._work.close()

    def _later(self) -> None:
        # Not 0: what the last step wrote is painted first.
        self._host.single_shot(1, self._advance)

    def _advance(self) -> None:
        if not self.running:
            return
        try:
            said = next(self._work)
        except StopIteration as end:
            self.running = False
            self._on_end(end.value)
        except Exception as error:  # handed on, to become a sentence in the panel
            self.running = False
            self._on_error(error)
        else:
            self._on_step(said)
            self._later()
