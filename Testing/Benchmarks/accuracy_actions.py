"""What `accuracy.py` does: run, train, check."""

from __future__ import annotations

import argparse
import importlib.metadata
from pathlib import Path

import accuracy_plots
import accuracy_tables
import numpy as np
from accuracy_beds import SEED, SIZE, BenchPair, bed_pairs, load
from accuracy_check import check as check_fields
from accuracy_measures import Result, ResultFile
from accuracy_run import Entry, Run, chosen
from our_methods import NotDeformed, named_checkpoint, our_methods
from peers import installed_peers
from step_time import machine

from MetaRegistrationLib.core.preprocessing import Preprocessing
from MetaRegistrationLib.errors import InputError
from MetaRegistrationLib.formats.files import writable_folder
from MetaRegistrationLib.pairs.folders import PairFiles
from MetaRegistrationLib.simulation import RepeatSettings
from MetaRegistrationLib.tasks import prepare_pair
from MetaRegistrationLib.versions import provenance

_WEIGHTS = "weights"
_PACKAGES = ("itk-elastix", "antspyx", "picsl-greedy", "fireants", "voxelmorph", "neurite", "matplotlib")


def run(arguments: argparse.Namespace) -> int:
    """Register and measure all that is missing, then write tables and pictures."""
    output = writable_folder(arguments.output)
    entries = chosen(_entries(arguments), arguments.methods)
    results = ResultFile(output / "results.jsonl")
    for bed in arguments.beds:
        files = _files(arguments, bed)
        turns = Run(entries, results)
        missing = [pair for pair in files if turns.waiting(bed, pair.name)]
        print(f"{bed}: {len(files)} pairs, {len(missing)} of them to register with {len(entries)} methods", flush=True)
        for number, pair in enumerate(missing, 1):
            done = turns.pair(load(bed, pair))
            print(f"{bed} {number}/{len(missing)} {pair.name}: {_line(done)}", flush=True)
        _report(arguments, output, bed, entries, results, files)
    return 0


def train(arguments: argparse.Namespace) -> int:
    """Train voxelmorph's network on each test bed's fine_tune pairs."""
    from peers import voxelmorph_peer

    folder = writable_folder(arguments.output / _WEIGHTS)
    for bed in arguments.beds:
        files = _files(arguments, bed, split="fine_tune")
        pairs = [prepare_pair(pair, Preprocessing(size=SIZE), landmarks=False) for pair in files]
        voxelmorph_peer.train(bed, pairs, folder, arguments.minutes, lambda text: print(text, flush=True))
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Known transforms, on the first pair of the first test bed."""
    bed = arguments.beds[0]
    entries = chosen(_entries(arguments), arguments.methods)
    return 0 if check_fields(entries, load(bed, _files(arguments, bed)[0])) else 1


def _entries(arguments: argparse.Namespace) -> list[Entry]:
    try:
        ours = our_methods([named_checkpoint(text) for text in arguments.checkpoint])
    except (ValueError, InputError) as error:
        raise SystemExit(f"--checkpoint: {error}") from error
    peers = installed_peers(arguments.threads, arguments.output / _WEIGHTS)
    return [Entry(method, arguments.threads) for method in (NotDeformed(), *peers, *ours)]


def _files(arguments: argparse.Namespace, bed: str, split: str | None = None) -> list[PairFiles]:
    simulated = arguments.simulated or writable_folder(arguments.output) / "simulated"
    files = bed_pairs(bed, split or arguments.split, arguments.data, simulated)
    if arguments.pairs is None or arguments.pairs >= len(files):
        return list(files)
    return [files[index] for index in np.linspace(0, len(files) - 1, arguments.pairs).round().astype(int)]


def _line(results: list[Result]) -> str:
    return ", ".join(
        f"{result.method} {'failed' if result.failed else f'{result.distance_px:.2f}'} ({result.seconds:.1f} s)"
        for result in results
    )


def _report(
    arguments: argparse.Namespace,
    output: Path,
    bed: str,
    entries: list[Entry],
    results: ResultFile,
    files: list[PairFiles],
) -> None:
    names = [pair.name for pair in files]
    found = {entry: kept for entry in entries if (kept := results.of(bed, names, entry.name, entry.fingerprint()))}
    rows = [accuracy_tables.row(entry.name, kept) for entry, kept in found.items()]
    if not rows:
        return
    record = {
        "bed": bed,
        "split": arguments.split,
        "machine": machine(arguments.threads),
        "versions": provenance() | {package: _version(package) for package in _PACKAGES},
        "simulation": {"settings": RepeatSettings().to_dict(), "seed": SEED} if bed == "S" else None,
        "methods": {entry.name: entry.record() for entry in found},
        "failures": [[r.method, r.pair, r.failed] for kept in found.values() for r in kept if r.failed],
    }
    print(f"\n{accuracy_tables.write(output, bed, rows, record)}\n", flush=True)
    ours = {entry.name for entry in found if entry.ours}
    if not accuracy_plots.error_against_time(output / f"{bed}.png", bed, rows, ours):
        print("no plot: matplotlib is not installed")
    _picture_worst(arguments, output, bed, found, files)


def _picture_worst(arguments, output: Path, bed: str, found: dict[Entry, list[Result]], files: list[PairFiles]) -> None:
    wanted = arguments.worst_of or "affine + network + refinement"
    fitting = [entry for entry in found if entry.ours and entry.name.startswith(wanted)]
    if not fitting or not arguments.worst:
        return
    entry = fitting[-1]
    worst = sorted(found[entry], key=lambda result: -result.distance_px)[: arguments.worst]
    of_name = {pair.name: pair for pair in files}
    pairs: dict[str, BenchPair] = {result.pair: load(bed, of_name[result.pair]) for result in worst}
    for path in accuracy_plots.worst_cases(output / "worst", entry.method, worst, pairs):
        print(f"worst of {entry.name}: {path}")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
