"""One table a kind of image: MetaRegistration and other programs on the same pairs (README.md says more).

    python Testing/Benchmarks/kinds.py --data DATA --output kinds --threads 2

It goes on where it was ended. `--methods ours` registers with our rows only; `--label NEW` keeps those of an earlier version.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from pathlib import Path


def _wanted(name: str, wanted: Sequence[str], names: set[str]) -> bool:
    """Whether a method is asked for: by its whole name, or by how it starts where no method has that name."""
    exact = {text for text in wanted if text in names}
    return name in exact or name.lower().startswith(tuple(text.lower() for text in wanted if text not in exact))


def main() -> None:
    """Choose threads before any library starts its own, then register, measure and write."""
    arguments = _arguments()
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
        os.environ[variable] = str(arguments.threads)
    import torch

    torch.set_num_threads(arguments.threads)
    _run(arguments)


def _run(arguments: argparse.Namespace) -> None:
    import kinds_methods
    import kinds_results
    import kinds_sets
    import numpy as np

    from MetaRegistrationLib.formats.files import writable_folder

    output = writable_folder(arguments.output)
    checkpoints = [(name, Path(path)) for name, _, path in (text.partition("=") for text in arguments.checkpoint)]
    methods = kinds_methods.all_methods(arguments.threads, arguments.label, checkpoints)
    order = [method.name for method in methods]
    wanted = [arguments.label if text == "ours" else text for text in arguments.methods or ()]
    if wanted:
        methods = [method for method in methods if _wanted(method.name, wanted, {other.name for other in methods})]
    marks = {method.name: kinds_methods.fingerprint(method) for method in methods}
    results = kinds_results.KindResults(output / "results.jsonl")
    warm = set()
    for kind in arguments.sets or [name for name in kinds_sets.set_names(arguments.data) if name != "S"]:
        files = kinds_sets.set_files(kind, arguments.data, output / "made", arguments.pairs)
        if arguments.few and arguments.few < len(files):
            files = [files[index] for index in np.linspace(0, len(files) - 1, arguments.few).round().astype(int)]
        for number, (pair_files, labels) in enumerate(files, 1):
            name = pair_files.name
            waiting = [m for m in methods if m.suits(kind) and not results.has(kind, name, m.name, marks[m.name])]
            if not waiting:
                continue
            pair = kinds_sets.load(kind, pair_files, labels)
            before = kinds_methods.OfPeer().find(pair)
            line = []
            for method in waiting:
                if method.name not in warm:  # first calls load libraries; no user waits for that at every pair
                    warm.add(method.name)
                    _attempt(method, pair, before)
                found, failed = _attempt(method, pair, before)
                result = kinds_results.measured(pair, method.name, marks[method.name], found, before, failed)
                results.add(result)
                line.append(
                    f"{method.name} {'failed' if failed else f'{result.error_px:.2f}'} ({result.seconds:.1f} s)"
                )
                if not pair.truth:
                    _picture(output / "pictures" / kind, pair, method.name, found)
            print(f"{kind} {number}/{len(files)} {name}: {', '.join(line)}", flush=True)
        kinds_results.write_tables(output, results, order)
    print(kinds_results.write_tables(output, results, order))


def _attempt(method, pair, before) -> tuple:
    """What a method found; where it fails, the images as they lie, and why."""
    from dataclasses import replace

    began = time.perf_counter()
    try:
        return method.find(pair), ""
    except Exception as error:  # whatever a program throws is its failure, not the end of the comparison
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return replace(before, seconds=time.perf_counter() - began), reason


def _picture(folder: Path, pair, method: str, found) -> None:
    """Fixed, moved and moving image side by side, for sets that are judged by eye."""
    import numpy as np
    from scipy import ndimage

    from MetaRegistrationLib.core.geometry import Geometry
    from MetaRegistrationLib.formats.files import writable_folder
    from MetaRegistrationLib.formats.images import write_image

    moving, fixed = pair.images.moving.array, pair.images.fixed.array
    moved = ndimage.map_coordinates(moving, found.positions, order=1, mode="constant")
    start = ndimage.zoom(moving, np.divide(fixed.shape, moving.shape), order=1)
    shown = [np.clip(255.0 * image / max(np.percentile(image, 99.8), 1e-6), 0, 255) for image in (fixed, moved, start)]
    strip = np.hstack(shown).astype(np.uint8)
    name = "".join(letter if letter.isalnum() else "_" for letter in f"{pair.name} {method}")
    write_image(writable_folder(folder) / f"{name}.png", strip, Geometry(strip.shape))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="octa_scp_*, other_kinds, source_tasks")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR", help="results, tables, pictures, made sets"
    )
    parser.add_argument("--sets", nargs="+", metavar="SET", help="(default: all but S)")
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="rows whose name starts so; `ours` for our own")
    parser.add_argument("--label", default="ours", metavar="NAME", help="what our rows are called (%(default)s)")
    parser.add_argument(
        "--checkpoint", action="append", default=[], metavar="NAME=PATH", help="our row with it as well"
    )
    parser.add_argument("--pairs", type=int, default=20, metavar="N", help="pairs of S2 (%(default)s)")
    parser.add_argument("--few", type=int, metavar="N", help="only N pairs a set, spread over it")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, metavar="N", help="CPU threads")
    return parser.parse_args()


if __name__ == "__main__":
    main()
