"""The demo: adapt on some pairs, register the others."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError
from ..formats.output_folder import Output, check_output, refuse_inputs_inside, writing
from ..progress import Finished, Reader, Silent
from .finetuning import FinetuneOptions, finetune_folder
from .folders import PairSelection
from .registering import PairsOutcome, pair_record, register_pairs
from .registrars import RegistrarOptions, make_registrar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..pairs.folders import PairFiles

TASK = "demo"
REGISTERED, ADAPTED = "registered", "adapted"
_MARKER = "demo.json"


@dataclass(frozen=True)
class DemoOptions:
    """The settings of the demo.

    Attributes
    ----------
    output : Path
    pairs : Path or None
        Folder of pairs with the splits fine_tune and test; None for the sample pairs.
    registrar : RegistrarOptions
        Where the adaptation starts, and the stages and the device. Without the network nothing is adapted.
    epochs, seed : int
    replace : bool
        Replace the results of other inputs in `output`.
    """

    output: Path
    pairs: Path | None = None
    registrar: RegistrarOptions = field(default_factory=RegistrarOptions)
    epochs: int = 10
    seed: int = 0
    replace: bool = False


def run_demo(options: DemoOptions, progress: Reader | None = None) -> PairsOutcome:
    """Fine-tune on the pairs of the split fine_tune, register those of the split test, and write tables over them.

    Raises
    ------
    InputError
        There are no such pairs, or `options.output` holds another run or would lose files (`formats.output_folder`).
    """
    from ..pairs.folders import find_pairs
    from ..resources import sample_pairs

    progress = progress or Silent()
    pairs = options.pairs or sample_pairs()
    refuse_inputs_inside(Path(options.output), [pairs])  # before the pairs are read
    _refuse_another_run(Path(options.output))
    unseen = find_pairs(pairs).split("test")  # before the training: without any, there is nothing to show
    planned = _planned(options, pairs, unseen)
    check_output(planned)
    with writing(planned, progress) as output:
        return _run(options, pairs, unseen, output, progress)


def _refuse_another_run(output: Path) -> None:
    if (output / ADAPTED).exists() and not (output / _MARKER).exists():
        raise InputError(
            f"{output / ADAPTED} exists and was not made by the demo.", field="output", advice="Choose another {field}."
        )


def _planned(options: DemoOptions, pairs: Path, unseen: Sequence[PairFiles]) -> Output:
    from ..registration.file_names import result_files, table_files
    from ..training.folder import BEST, LAST, LOG

    output = Path(options.output)

    def targets() -> list[Path]:
        adapted = [output / ADAPTED / name for name in (BEST, LAST, LOG)]
        folders = (result_files(output / REGISTERED / pair.name, landmarks=pair.has_landmarks) for pair in unseen)
        registered = [path for paths in folders for path in paths]
        return [output / _MARKER, *adapted, *registered, *table_files(output)]

    items = {pair.name: (pair.moving, pair.fixed) for pair in unseen}
    others = [pairs, *(path for pair in unseen for path in pair.paths())]
    return Output(output, TASK, items, others, targets, options.replace)


def _run(
    options: DemoOptions, pairs: Path, unseen: Sequence[PairFiles], output: Path, progress: Reader
) -> PairsOutcome:
    from ..formats.files import write_json
    from ..registration.results import write_registration, write_tables

    write_json(output / _MARKER, {"made_by": "meta-registration demo"})  # removes an earlier demo
    used = options.registrar
    if used.stages.network:
        used = dataclasses.replace(used, checkpoint=_adapted(options, pairs, progress))
    registrar, record = make_registrar(used)
    rows = []
    for done in register_pairs(registrar, unseen, "register", progress, record):
        folder = output / REGISTERED / done.files.name
        write_registration(folder, done.registration, done.landmarks, done.measures, pair_record(record, done.files))
        rows.append(done.measures)
    summary = write_tables(output, rows, record)
    progress(Finished(TASK, output, summary))
    return PairsOutcome(rows, summary, record.get("left_out", []), output)


def _adapted(options: DemoOptions, pairs: Path, progress: Reader) -> Path:
    """Fine-tune; an earlier demo in the same folder is replaced, another run never."""
    from ..training.folder import BEST, LAST, LOG

    folder = options.output / ADAPTED
    if options.replace:  # of a demo of an earlier version, which has no list
        for name in (LAST, BEST, LOG):
            (folder / name).unlink(missing_ok=True)
    settings = FinetuneOptions(
        output=folder,
        checkpoint=options.registrar.checkpoint,
        device=options.registrar.device,
        seed=options.seed,
        epochs=options.epochs,
        initial=options.registrar.stages.initial,
    )
    return finetune_folder(PairSelection(pairs), settings, progress).best
