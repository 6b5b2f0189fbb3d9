"""The work on one pair of files: read, register, measure, write. A process of a folder run does it again and again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, RunStopped
from ..formats.files import folder_within
from ..formats.written_files import State
from ..progress import Message
from .full_disk import raise_if_full
from .registrars import RegistrarOptions, make_registrar

if TYPE_CHECKING:
    from ..formats.images import Image
    from ..pairs.files import ImagePair, PairFiles
    from ..registration.measures import CarriedLandmarks, PairMeasures
    from ..registration.registrar import Registrar, Registration

Tell = Callable[[Message], None]
_NAMED = 3


@dataclass(frozen=True, eq=False)
class Registered:
    """One pair with all that is known of it."""

    files: PairFiles
    registration: Registration
    landmarks: CarriedLandmarks | None
    measures: PairMeasures


@dataclass(frozen=True, eq=False)
class PairDone:
    """The outcome of one pair of a folder run, as plain values that another process can send.

    Attributes
    ----------
    name : str
    measures : PairMeasures or None
        None if the pair is left out.
    messages : tuple of Message
        What was noted on the way.
    reason : str
        Why it is left out.
    inputs : mapping of str to State
        The content of its files before they were read, by their role.
    written : Path or None
        The folder with its files, if these are not yet where they belong.
    """

    name: str
    measures: PairMeasures | None
    messages: tuple[Message, ...] = ()
    reason: str = ""
    inputs: Mapping[str, State] = field(default_factory=dict)
    written: Path | None = None


@dataclass(frozen=True, eq=False)
class WorkSettings:
    """What a process has to know before the first pair.

    Attributes
    ----------
    registrar : RegistrarOptions
    parts : frozenset of str or None
        The parts of a result that are written (`registration.file_names.PARTS`); None writes no file.
    several : bool
        A pair that cannot be used is left out. If there is only one, its error ends the run.
    with_inputs : bool
        Note the content of the files, by which a later run knows finished pairs.
    """

    registrar: RegistrarOptions
    parts: frozenset[str] | None = None
    several: bool = True
    with_inputs: bool = False

    def work(self) -> PairWork:
        """The work with a registrar of its own."""
        return PairWork.of(self)


class PairWork:
    """Works on pairs, one after another.

    Parameters
    ----------
    registrar : Registrar
    record : dict
        As of `make_registrar`.
    settings : WorkSettings
    """

    def __init__(self, registrar: Registrar, record: dict, settings: WorkSettings) -> None:
        self.record = record
        self.registrar, self._settings = registrar, settings
        self._warm = not settings.several  # of one pair the user waits for the command, not for a measured time

    @classmethod
    def of(cls, settings: WorkSettings) -> PairWork:
        """The work with a registrar of its own."""
        return cls(*make_registrar(settings.registrar), settings)

    def staged(self, files: PairFiles, folder: Path | None) -> PairDone:
        """As a call, into a new folder within `folder`: a pair that is tried twice at a time is not mixed."""
        own = None if folder is None else Path(folder) / uuid.uuid4().hex
        return replace(self(files, own), written=own)

    def __call__(self, files: PairFiles, folder: Path | None) -> PairDone:
        """Register a pair, and write its files into `folder` if any are wanted.

        Raises
        ------
        OSError
            The disk is full, or takes no files any more.
        RunStopped
            The folder above is no longer there.
        """
        messages: list[Message] = []
        try:
            inputs = input_states(files) if self._settings.with_inputs else {}
            done = self.registered(files, messages.append)
            if folder is not None and self._settings.parts is not None:
                self._write(done, folder)
        except RunStopped:
            raise
        except (InputError, OSError, RuntimeError, MemoryError) as error:  # torch's out of memory is a RuntimeError
            if not self._settings.several:
                raise
            raise_if_full(error)
            return PairDone(files.name, None, (*messages, left_out_message(files, error)), reason_of(error))
        return PairDone(files.name, done.measures, tuple(messages), inputs=inputs)

    def registered(self, files: PairFiles, tell: Tell) -> Registered:
        """Register a pair and tell what has to be said of it."""
        pair = files.load()
        if not self._warm:  # the first pass also sets things up; it is not timed
            self.registrar(*map(_small, (pair.moving, pair.fixed)), _some_points())
            self._warm = True
        done = register_pair(self.registrar, files, pair)
        for message in messages_on(pair, done.registration):
            tell(message)
        return done

    def _write(self, done: Registered, folder: Path) -> None:
        from ..registration.results import write_files

        own = pair_record(self.record, done.files)
        write_files(folder_within(folder), done.registration, done.landmarks, done.measures, own, self._settings.parts)


def register_pair(registrar: Registrar, files: PairFiles, pair: ImagePair) -> Registered:
    """Register one pair, read from `files`, and carry its landmarks."""
    from ..registration.measures import carry_landmarks, measure

    landmarks = None
    if pair.moving_landmarks is not None and pair.fixed_landmarks is not None:
        landmarks = pair.moving_landmarks.points, pair.fixed_landmarks.points
    registration = registrar(pair.moving, pair.fixed, landmarks)
    landmarks = None
    if pair.moving_landmarks is not None:
        landmarks = carry_landmarks(registration, pair.moving_landmarks, pair.fixed_landmarks)
    return Registered(files, registration, landmarks, measure(pair.name, registration, landmarks))


def _some_points() -> tuple:
    import numpy as np

    return (np.array([[1.0, 1], [1, 9], [9, 1]]),) * 2


def _small(image: Image) -> Image:
    """The image with at most about 800 pixels a side, without a position in space."""
    from ..core.geometry import Geometry

    step = max(max(image.array.shape) // 400, 1)
    array = image.array[::step, ::step]
    return replace(image, array=array, geometry=Geometry(array.shape), mask=None)


def messages_on(pair: ImagePair, registration: Registration) -> Iterator[Message]:
    """What has to be said of a registered pair."""
    from ..alignment.aligned import alignment_message

    for note in pair.notes:
        yield Message(f"{pair.name}: {note}", "warning")
    if registration.burnt_in_px:
        yield Message(f"{pair.name}: {_BURNT_IN.format(count=registration.burnt_in_px)}")
    message = alignment_message(pair.name, registration.alignment)
    if message:
        yield message
    yield from contradictions(pair, registration)


def contradictions(pair: ImagePair, registration: Registration) -> list[Message]:
    """What the registration of a pair says of directions and pixel sizes that its files state."""
    messages = []
    if registration.moving_axes is not None:
        messages.append(Message(f"{pair.name}: {_MIRRORED}"))
    if registration.without_directions:
        messages.append(Message(f"{pair.name}: {NOT_MIRRORED}", "warning"))
    message = registration.size_message(pair.name)
    return messages if message is None else [*messages, message]


_MIRRORED = "by the directions that the files state, the moving image is stored mirrored. They were used."
NOT_MIRRORED = (
    "by the directions that the files state, the moving image is stored mirrored, but only as stored could it be aligned."
    " The directions were not used. Check them."
)
_BURNT_IN = "{count} pixels that a device drew into the images (a grid, a scale bar) are ignored"


def given_up(name: str, how: str, times: int) -> PairDone:
    """The outcome of a pair whose worker died too often."""
    reason = f"{how}, {times} times"
    return PairDone(name, None, (Message(f"left out: {name}: {reason}", "warning"),), reason)


def left_out_message(files: PairFiles, error: Exception) -> Message:
    """The warning that a pair is left out, and why."""
    return Message.of(error, f"left out: {files.name}: ")


def reason_of(error: Exception) -> str:
    """What an error says, for the tables."""
    return str(error) or type(error).__name__


def none_done(what: str, reasons: Mapping[str, str]) -> InputError:
    """The error that no pair or eye could be done, with the first reasons by the names of pairs or eyes."""
    sentences = [f"{what}.", *(f"{name}: {reason.rstrip('.')}." for name, reason in list(reasons.items())[:_NAMED])]
    more = len(reasons) - _NAMED
    return InputError(" ".join([*sentences, f"{more} more failed."] if more > 0 else sentences))


def pair_record(record: dict, files: PairFiles) -> dict:
    """`record` with the files of one pair and how they were read (slice, pixel size), as far as given."""
    given = {key: value for key, value in asdict(files).items() if value is not None}
    shared = {key: value for key, value in record.items() if key != "left_out"}
    return {**shared, "pair": given.pop("name"), **given}


_ROLES = ("moving", "fixed", "landmarks", "moving_landmarks", "fixed_landmarks", "moving_mask", "fixed_mask")


def input_states(files: PairFiles) -> dict[str, State]:
    """The content of the files of a pair, by their role; of an image with a detached header, also of its pixels."""
    return file_states({role: getattr(files, role) for role in _ROLES})


def file_states(paths: Mapping[str, Path | None]) -> dict[str, State]:
    """The content of files by their role, as of `input_states`; None is no file."""
    from ..formats.pixel_files import by_role  # it imports SimpleITK

    return {role: State.of(path) for role, path in by_role(paths).items()}


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread: sums over threads round differently, and the pairs of a folder are the same on every machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
