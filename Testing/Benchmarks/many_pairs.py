"""Processor time of `pairs` on a folder of 10,000 pairs, in each layout, beside that of the bare headers.

    python Testing/Benchmarks/many_pairs.py --folder /tmp/many

Each folder holds hard links to two images, so that the disk is not measured.
"""

from __future__ import annotations

import argparse
import os
import shutil
import time
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from MetaRegistrationLib.workflows.folders import PairSelection
from MetaRegistrationLib.workflows.listing import list_pairs

_LAYOUTS = {
    "pairs.csv": "images/{name}_{role}{suffix}",
    "two folders": "{role}/{name}{suffix}",
    "endings": "{name}_{role}{suffix}",
    "subfolders": "{name}/{role}{suffix}",
}


def make(root: Path, layout: str, suffix: str, count: int, size: int) -> None:
    """A folder of `count` pairs in a layout."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    rows = ["moving,fixed"]
    for seed, role in enumerate(("moving", "fixed")):
        image = sitk.GetImageFromArray(np.random.default_rng(seed).integers(0, 255, (size, size)).astype(np.uint8))
        image.SetSpacing((0.01, 0.01))
        first = None
        for number in range(count):
            path = root / _LAYOUTS[layout].format(name=f"eye{number:05d}", role=role, suffix=suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            if first is None:
                sitk.WriteImage(image, str(path))
                first = path
            else:
                os.link(first, path)
    if layout == "pairs.csv":
        names = ["images/" + f"eye{number:05d}" for number in range(count)]
        rows += [f"{name}_moving{suffix},{name}_fixed{suffix}" for name in names]
        (root / "pairs.csv").write_text("\n".join(rows))


def bare_headers(root: Path, suffix: str) -> float:
    """Seconds that ITK takes for the headers of the images of a folder; 24 bytes hold that of a PNG."""
    files = list(root.rglob(f"*{suffix}"))
    began = time.process_time()
    for path in files:
        if suffix == ".png":
            with path.open("rb") as stream:
                stream.read(24)
        else:
            reader = sitk.ImageFileReader()
            reader.SetFileName(str(path))
            reader.ReadImageInformation()
    return time.process_time() - began


def listing(root: Path, *, pixels: bool) -> float:
    """Seconds that the pairs of a folder take."""
    began = time.process_time()
    list_pairs(PairSelection(root), pixels=pixels)
    return time.process_time() - began


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="an empty folder for the images")
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=400, help="rows and columns of the images")
    parser.add_argument("--kinds", nargs="+", default=[".png", ".tif", ".nrrd", ".nii.gz"], metavar="SUFFIX")
    parser.add_argument("--in-full", type=int, default=500, help="pairs of which the pixels are read too")
    options = parser.parse_args()
    print("| files | layout | ms a pair | beyond bare headers | in full |\n|---|---|---|---|---|")
    for suffix in options.kinds:
        for layout in _LAYOUTS:
            root = options.folder / "pairs"
            make(root, layout, suffix, options.pairs, options.size)
            bare, found = bare_headers(root, suffix), listing(root, pixels=False)
            make(root, layout, suffix, options.in_full, options.size)
            full = listing(root, pixels=True) / options.in_full
            cells = [f"{1000 * value:.2f}" for value in (found / options.pairs, (found - bare) / options.pairs, full)]
            print(f"| {suffix} | {layout} | {' | '.join(cells)} |", flush=True)
    shutil.rmtree(options.folder / "pairs")


if __name__ == "__main__":
    main()
