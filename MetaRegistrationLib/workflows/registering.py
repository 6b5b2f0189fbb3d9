"""What `register`, `evaluate` and `demo` share: registering pairs one after another with a record of what made them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..progress import Item, Message, Reader, Started
from ..words import counted

if TYPE_CHECKING:
    from ..formats.images import Image
    from ..pairs.folders import ImagePair, PairFiles
    from ..registration.measures import CarriedLandmarks, PairMeasures
    from ..registration.registrar import Registrar, Registration
    from ..stages import Stages


@dataclass(frozen=True, eq=False)
class Registered:
    """One pair with all that is known of it."""

    files: PairFiles
    registration: Registration
    landmarks: CarriedLandmarks | None
    measures: PairMeasures


def make_registrar(checkpoint: Path | None, device: str, stages: Stages) -> tuple[Registrar, dict]:
    """A registrar, and the record of it: stages, checkpoint with hash, network, settings, device, versions.

    Without a checkpoint the shipped one is taken; where `stages` has no network, none is.
    """
    from ..checkpoints import file_sha256, load_checkpoint
    from ..registration.registrar import Registrar
    from ..resources import default_checkpoint
    from ..stages import adapted_initial
    from ..versions import device_name, provenance

    path = (checkpoint or default_checkpoint()) if stages.network else None
    content = load_checkpoint(path) if path else None
    registrar = Registrar(content, device, stages)
    record = {
        "stages": stages.to_dict(),
        "checkpoint": path,
        "checkpoint_sha256": file_sha256(path) if path else None,
        "network": content.network if content else None,
        "preprocessing": registrar.preprocessing.to_dict(),
        "training_stages": [entry.get("stage") for entry in content.history] if content else [],
        "adapted_initial": adapted_initial(content.history) if content else None,
        "device": device_name(registrar.device),
        "versions": provenance(),
    }
    return registrar, record


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
    """The image with at most 800 or so pixels a side, without a place in space."""
    from ..frames.geometry import Geometry

    step = max(max(image.array.shape) // 400, 1)
    array = image.array[::step, ::step]
    return replace(image, array=array, geometry=Geometry(array.shape), mask=None)


def register_pairs(
    registrar: Registrar, files: Sequence[PairFiles], task: str, progress: Reader, record: dict
) -> Iterator[Registered]:
    """Register pairs in turn; one of several that cannot be read or registered is named and the rest goes on.

    Such a pair and its reason stand in `record["left_out"]` afterwards.

    Raises
    ------
    InputError
        None of the pairs could be registered.
    """
    from ..alignment.aligned import alignment_message, other_initial_message
    from ..errors import InputError

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
        progress(Item(index, len(files), pair.name, _shown(registered.measures)))
        yield registered
    if not warm:
        names = ", ".join(pair_files.name for pair_files in files)
        raise InputError(f"No pair could be registered ({names}); the messages above name the files and the reasons.")


_BURNT_IN = "{count} pixels of marks that both images have at the same place (a grid, a scale bar) count as no tissue"


def leave_out(files: PairFiles, error: Exception, progress: Reader, record: dict) -> None:
    """Say that a pair is left out and why, and keep it for the tables."""
    reason = str(error) or type(error).__name__
    progress(Message(f"left out: {files.name}: {reason}", "warning"))
    record.setdefault("left_out", []).append({"pair": files.name, "reason": reason})


def _shown(measures: PairMeasures) -> dict:
    keys = ("distance_before_px", "distance_after_px", "ncc_before", "ncc_after", "folding_percent", "seconds")
    values = {key: getattr(measures, key) for key in keys}
    return {key: value for key, value in values.items() if value == value}


def pair_record(record: dict, files: PairFiles) -> dict:
    """`record` with the files of one pair and how they were read (slice, pixel size), as far as given."""
    given = {key: value for key, value in asdict(files).items() if value is not None}
    shared = {key: value for key, value in record.items() if key != "left_out"}
    return {**shared, "pair": given.pop("name"), **given}


def metrics_table(rows: Sequence[PairMeasures]) -> str:
    """The table that a person reads: distance and NCC before and after, a row a pair."""
    from .tables import text_table

    cells = [
        (
            row.pair,
            _number(row.distance_before_px, 2),
            _number(row.distance_after_px, 2),
            _number(row.ncc_before, 3),
            _number(row.ncc_after, 3),
        )
        for row in rows
    ]
    return text_table(("pair", "distance before, px", "distance after, px", "NCC before", "NCC after"), cells)


def summary_line(summary: dict) -> str:
    """Mean and standard deviation over pairs, in a sentence."""
    ncc = f"NCC {_mean(summary['ncc_before'], 3)} before, {_mean(summary['ncc_after'], 3)} after"
    if not summary["distance_after_px"]:
        return f"Mean over {counted(summary['pairs'], 'pair')}: {ncc}"
    distance = f"distance {_mean(summary['distance_before_px'], 2)} px before, {_mean(summary['distance_after_px'], 2)} px after"
    return (
        f"Mean over {counted(summary['pairs_with_landmarks'], 'pair')} with landmarks: {distance}; {ncc}; "
        f"made worse {summary['made_worse_percent']:.0f} %"
    )


def _number(value: float, digits: int) -> str:
    return "-" if value != value else f"{value:.{digits}f}"


def _mean(statistics: dict | None, digits: int) -> str:
    if not statistics:
        return "-"
    return f"{statistics['mean']:.{digits}f} +- {statistics['std']:.{digits}f}"
