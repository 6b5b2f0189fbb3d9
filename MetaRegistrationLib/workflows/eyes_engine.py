"""Eyes that are worked on here, or several at once in processes of their own."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, RunStopped
from ..formats.written_files import State
from ..progress import Event, Message, Reader
from .eye_work import EyeWork
from .eyes_resuming import EYES, RECORD, eye_states
from .folder_run import UNFINISHED, move_results
from .full_disk import raise_if_full
from .pair_work import reason_of
from .registrars import RegistrarOptions, make_registrar
from .visit_options import VisitsOptions

if TYPE_CHECKING:
    from ..registration.registrar import Registrar
    from ..visits.eyes import Eye
    from ..visits.eyes_table import EyeRow
    from ..visits.own_regions import GivenRegions
    from .repeat_scans import RepeatScans


@dataclass(frozen=True, eq=False)
class EyeDone:
    """The outcome of one eye, as plain values that another process can send.

    Attributes
    ----------
    name : str
    row : EyeRow or None
        None if the eye is left out.
    left_out : mapping of str to str
        What is left out of it, with reasons.
    reason : str
        Why it is left out.
    inputs : mapping of str to State or None
        The content of its files before they were read; None if one could not be read.
    messages : tuple of Message
        What was not told yet.
    written : Path or None
        The folder with its files, if these are not yet where they belong.
    """

    name: str
    row: EyeRow | None
    left_out: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    inputs: Mapping[str, State] | None = None
    messages: tuple[Message, ...] = ()
    written: Path | None = None


@dataclass(frozen=True, eq=False)
class EyesSettings:
    """What a process has to know before the first eye.

    Attributes
    ----------
    options : VisitsOptions
    repeats : RepeatScans or None
    several : bool
        An eye that cannot be used is left out. If there is only one, its error ends the run.
    """

    options: VisitsOptions
    repeats: RepeatScans | None = None
    several: bool = True

    @property
    def registrar(self) -> RegistrarOptions:
        """The settings of the registrar."""
        return self.options.registrar

    def work(self) -> EyesWork:
        """The work with a registrar of its own."""
        return EyesWork(*make_registrar(self.registrar), self)


class EyesWork:
    """Works on eyes, one after another.

    Parameters
    ----------
    registrar : Registrar
    record : dict
        As of `make_registrar`.
    settings : EyesSettings
    regions : GivenRegions, optional
    """

    def __init__(
        self, registrar: Registrar, record: dict, settings: EyesSettings, regions: GivenRegions | None = None
    ) -> None:
        self.record, self.settings = record, settings
        self._registrar, self._regions = registrar, regions

    def __call__(self, eye: Eye, folder: Path, progress: Reader) -> EyeDone:
        """Work on an eye, and write its files into `folder`.

        Raises
        ------
        OSError
            The disk is full, or takes no files any more.
        """
        options, repeats = self.settings.options, self.settings.repeats
        work, inputs = EyeWork(options, self._registrar, self.record, repeats, self._regions, progress), _states(eye)
        try:
            row = work.one(eye, folder)
        except RunStopped:
            raise
        except (InputError, OSError, RuntimeError, MemoryError) as error:  # torch's out of memory is a RuntimeError
            if not self.settings.several:
                raise
            raise_if_full(error)
            progress(Message.of(error, f"left out: {eye.name}: "))
            return EyeDone(eye.name, None, work.left_out, reason_of(error))
        return EyeDone(eye.name, row, work.left_out, inputs=inputs)

    def staged(self, eye: Eye, folder: Path) -> EyeDone:
        """As a call, into a new folder within `folder`, with the messages in the outcome."""
        own, messages = folder / uuid.uuid4().hex, []

        def told(event: Event) -> None:
            if isinstance(event, Message):
                messages.append(event)

        return replace(self(eye, own, told), messages=tuple(messages), written=own)


def _states(eye: Eye) -> dict[str, State] | None:
    """The content of the files of an eye before they are read; None if one cannot be read, which is told later."""
    try:
        return eye_states(eye)
    except OSError:
        return None


def _given_up(name: str, how: str, times: int) -> EyeDone:
    """The outcome of an eye whose process died too often."""
    reason = f"{how}, {times} times"
    return EyeDone(name, None, reason=reason, messages=(Message(f"left out: {name}: {reason}", "warning"),))


@contextmanager
def in_processes(
    settings: EyesSettings, count: int, output: Path, progress: Reader
) -> Iterator[Callable[[Sequence[Eye]], Iterator[tuple[Eye, EyeDone]]]]:
    """A function that gives the outcomes of eyes as they come; their files are in place then.

    Raises
    ------
    InputError
        An object of this process is to be sent to another one.
    """
    from .processes import Processes  # most commands start without them
    from .sending import sent

    folder = output / UNFINISHED

    def outcomes(eyes: Sequence[Eye]) -> Iterator[tuple[Eye, EyeDone]]:
        for index, done in processes.run(eyes, lambda _: folder.absolute(), progress):
            done = _moved(done, output / done.name)
            for message in done.messages:
                progress(message)
            yield eyes[index], done

    with Processes(sent(settings, "jobs"), count, EYES.word, _given_up) as processes:
        folder.mkdir(exist_ok=True)
        try:
            yield outcomes
        finally:
            processes.stop()  # processes at work would write on
            shutil.rmtree(folder, ignore_errors=True)


def _moved(done: EyeDone, target: Path) -> EyeDone:
    """Move the files of an eye to where they belong, the record last; if that cannot be, the eye is left out."""
    if done.row is None or done.written is None:
        return done
    try:
        move_results(done.written, target, RECORD)
    except (InputError, OSError) as error:
        raise_if_full(error)
        message, reason = Message.of(error, f"left out: {done.name}: "), reason_of(error)
        return replace(done, row=None, messages=(*done.messages, message), reason=reason)
    return done
