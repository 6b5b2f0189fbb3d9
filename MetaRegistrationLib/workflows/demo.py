"""The demo: adapt on some pairs, register the others."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from ..progress import Finished, Reader, Silent
from .finetuning import FinetuneOptions, finetune_folder
from .folders import PairSelection
from .registering import PairsOutcome, pair_record, register_pairs
from .registrars import RegistrarOptions, make_registrar

TASK = "demo"
REGISTERED = "registered"
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
    """

    output: Path
    pairs: Path | None = None
    registrar: RegistrarOptions = field(default_factory=RegistrarOptions)
    epochs: int = 10
    seed: int = 0


def run_demo(options: DemoOptions, progress: Reader | None = None) -> PairsOutcome:
    """Fine-tune on the pairs of the split fine_tune, register those of the split test, and write tables over them.

    Raises
    ------
    InputError
        There are no such pairs, or `options.output` holds another run.
    """
    from ..pairs.folders import find_pairs
    from ..registration.results import write_registration, write_tables
    from ..resources import sample_pairs

    progress = progress or Silent()
    pairs = options.pairs or sample_pairs()
    unseen = find_pairs(pairs).split("test")  # before the training: without any, there is nothing to show
    used = options.registrar
    if used.stages.network:
        used = dataclasses.replace(used, checkpoint=_adapted(options, pairs, progress))
    registrar, record = make_registrar(used)
    rows, output = [], Path(options.output)
    for done in register_pairs(registrar, unseen, "register", progress, record):
        folder = output / REGISTERED / done.files.name
        write_registration(folder, done.registration, done.landmarks, done.measures, pair_record(record, done.files))
        rows.append(done.measures)
    summary = write_tables(output, rows, record)
    progress(Finished(TASK, output, summary))
    return PairsOutcome(rows, summary, record.get("left_out", []), output)


def _adapted(options: DemoOptions, pairs: Path, progress: Reader) -> Path:
    """Fine-tune; an earlier demo in the same folder is replaced, another run never."""
    from ..formats.files import writable_folder, write_json
    from ..training.run import BEST, LAST, LOG

    output = writable_folder(options.output)
    folder, marker = output / "adapted", output / _MARKER
    if folder.exists() and not marker.exists():
        raise InputError(
            f"{folder} exists and was not made by the demo.", field="output", advice="Choose another {field}."
        )
    write_json(marker, {"made_by": "meta-registration demo"})
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
    return finetune_folder(PairSelection(pairs), settings, progress)
