"""Registering pairs one after another, and a pair or a folder of pairs into a folder of results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..formats.output_folder import Output, check_output, refuse_inputs_inside, writing
from ..progress import Finished, Item, Message, Reader, Silent, Started
from .folders import PairSelection, find_selected
from .registrars import RegistrarOptions, make_registrar

if TYPE_CHECKING:
    from ..formats.images import Image
    from ..pairs.folders import ImagePair, PairFiles
    from ..registration.measures import CarriedLandmarks, PairMeasures
    from ..registration.registrar import Registrar, Registration

TASK = "register"


@dataclass(frozen=True, eq=False)
class Registered:
    """One pair with all that is known of it."""

    files: PairFiles
    registration: Registration
    landmarks: CarriedLandmarks | None
    measures: PairMeasures


@dataclass(frozen=True, eq=False)
class PairsOutcome:
    """The outcome of registering pairs.

    Attributes
    ----------
    rows : list of PairMeasures
        One for each pair that was registered, in order.
    summary : dict
        Mean, standard deviation and median of the measures, as in `summary.json`.
    left_out : list of dict
        The pairs that could not be registered or written: `pair` and `reason`.
    output : Path or None
        Where the results are; None where nothing was written.
    """

    rows: list[PairMeasures]
    summary: dict
    left_out: list[dict] = field(default_factory=list)
    output: Path | None = None


def register_folder(
    selection: PairSelection,
    output: Path,
    options: RegistrarOptions | None = None,
    progress: Reader | None = None,
    *,
    replace: bool = False,
) -> PairsOutcome:
    """Register the pairs of a folder into `output`: a folder of results for each pair, and tables over all pairs.

    Parameters
    ----------
    selection : PairSelection
        The folder, and which of its pairs.
    output : Path
    options : RegistrarOptions, optional
        Checkpoint, network, stages and device.
    progress : Reader, optional
        Receives the events.
    replace : bool
        Replace the results of other inputs in `output`.

    Raises
    ------
    InputError
        The folder holds no pair that can be used, none of them could be registered, or `output` cannot be written to or would
        lose files (`formats.output_folder`).
    """
    progress = progress or Silent()
    refuse_inputs_inside(Path(output), [selection.folder])  # before the pairs are read
    files = find_selected(selection, progress)[1]
    return register_files(files, output, options, progress, source=selection.folder, replace=replace)


def register_files(
    files: Sequence[PairFiles],
    output: Path,
    options: RegistrarOptions | None = None,
    progress: Reader | None = None,
    *,
    source: Path | None = None,
    replace: bool = False,
) -> PairsOutcome:
    """Register pairs of files into `output`, as `register_folder`; `source` is the folder or table that names them."""
    from ..registration.results import write_tables

    progress = progress or Silent()
    planned = pairs_output(files, Path(output), source, replace=replace)
    check_output(planned)
    registrar, record = make_registrar(options or RegistrarOptions())
    with writing(planned, progress) as output:
        rows = list(_written(registrar, files, output, progress, record))
        if not rows:
            raise InputError(f"None of the {len(files)} pairs could be written; the messages above say why.")
        summary = write_tables(output, rows, record)
    progress(Finished(TASK, output, summary))
    return PairsOutcome(rows, summary, record.get("left_out", []), output)


def pairs_output(
    files: Sequence[PairFiles], output: Path, source: Path | None = None, *, replace: bool = False
) -> Output:
    """The results of registering pairs, as results in a folder."""
    from ..registration.file_names import result_files, table_files

    def targets() -> list[Path]:
        folders = (result_files(output / pair.name, landmarks=pair.has_landmarks) for pair in files)
        return [*(target for targets in folders for target in targets), *table_files(output)]

    others = [path for pair in files for path in pair.paths()] + ([] if source is None else [source])
    # The images alone tell whether a run is the same: other landmarks and masks of a pair are a better run of it.
    return Output(output, TASK, {pair.name: (pair.moving, pair.fixed) for pair in files}, others, targets, replace)


def _written(
    registrar: Registrar, files: Sequence[PairFiles], output: Path, progress: Reader, record: dict
) -> Iterator[PairMeasures]:
    """Register and write pairs one by one. If one of several cannot be written, it is named and the others continue."""
    from ..registration.results import write_registration

    for done in register_pairs(registrar, files, TASK, progress, record):
        folder, own = output / done.files.name, pair_record(record, done.files)
        try:
            write_registration(folder, done.registration, done.landmarks, done.measures, own)
        except (InputError, OSError) as error:
            if len(files) == 1:
                raise
            leave_out(done.files, error, progress, record)
            continue
        yield done.measures


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


def register_pairs(
    registrar: Registrar, files: Sequence[PairFiles], task: str, progress: Reader, record: dict
) -> Iterator[Registered]:
    """Register pairs one by one. If one of several cannot be read or registered, it is named and the others continue.

    Such a pair and its reason are in `record["left_out"]` afterwards.

    Raises
    ------
    InputError
        None of the pairs could be registered.
    """
    from ..alignment.aligned import alignment_message, other_initial_message
    from ..registration.measures import shown_values
    from ..registration.schema import SUMMARY

    progress(Started(task, len(files), device=record["device"], detail={"checkpoint": record["checkpoint"]}))
    message = other_initial_message(record["adapted_initial"], record["stages"]["initial"])
    if message:
        progress(message)
    warm = len(files) == 1  # of one pair the user waits for the command, not for a measured time
    for index, pair_files in enumerate(files, start=1):
        try:
            pair = pair_files.load()
            if not warm:  # the first pass also sets things up; it is not timed
                registrar(*map(_small, (pair.moving, pair.fixed)), _some_points())
                warm = True
            registered = register_pair(registrar, pair_files, pair)
        except InputError as error:
            leave_out(pair_files, error, progress, record)
            continue
        except (OSError, RuntimeError, MemoryError) as error:  # torch's out of memory is a RuntimeError
            if len(files) == 1:
                raise
            leave_out(pair_files, error, progress, record)
            continue
        for note in pair.notes:
            progress(Message(f"{pair.name}: {note}", "warning"))
        if registered.registration.burnt_in_px:
            progress(Message(f"{pair.name}: {_BURNT_IN.format(count=registered.registration.burnt_in_px)}"))
        message = alignment_message(pair.name, registered.registration.alignment)
        if message:
            progress(message)
        for message in contradictions(pair, registered.registration):
            progress(message)
        progress(Item(index, len(files), pair.name, shown_values(registered.measures, SUMMARY)))
        yield registered
    if not warm:
        names = ", ".join(pair_files.name for pair_files in files)
        raise InputError(f"No pair could be registered ({names}); the messages above name the files and the reasons.")


def contradictions(pair: ImagePair, registration: Registration) -> list[Message]:
    """What the registration of a pair says of directions and pixel sizes that its files state."""
    from ..registration.size_check import size_message

    messages = []
    if registration.moving_axes is not None:
        messages.append(Message(f"{pair.name}: {_MIRRORED}"))
    if registration.without_directions:
        messages.append(Message(f"{pair.name}: {NOT_MIRRORED}", "warning"))
    sides = [
        (str(image.path or role), image.geometry) for role, image in (("moving", pair.moving), ("fixed", pair.fixed))
    ]
    message = size_message(pair.name, registration.scale_found, *sides)
    return messages if message is None else [*messages, message]


_MIRRORED = "by the directions that the files state, the moving image is stored mirrored. They were used."
NOT_MIRRORED = (
    "by the directions that the files state, the moving image is stored mirrored, but only as stored could it be aligned."
    " The directions were not used. Check them."
)
_BURNT_IN = "{count} pixels of marks at the same position in both images (a grid, a scale bar) are ignored"


def leave_out(files: PairFiles, error: Exception, progress: Reader, record: dict) -> None:
    """Report a pair that is left out and why, and record it for the tables."""
    progress(Message.of(error, f"left out: {files.name}: "))
    record.setdefault("left_out", []).append({"pair": files.name, "reason": str(error) or type(error).__name__})


def pair_record(record: dict, files: PairFiles) -> dict:
    """`record` with the files of one pair and how they were read (slice, pixel size), as far as given."""
    given = {key: value for key, value in asdict(files).items() if value is not None}
    shared = {key: value for key, value in record.items() if key != "left_out"}
    return {**shared, "pair": given.pop("name"), **given}
