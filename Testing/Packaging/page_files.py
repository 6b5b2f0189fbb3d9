"""The files that commands of the pages name, made of the samples: a reader has files of his own under these names."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from MetaRegistrationLib.formats.markups import write_mrk_json

ROOT = Path(__file__).resolve().parents[2]
PAIRS, VISITS = ROOT / "Resources" / "SamplePairs", ROOT / "Resources" / "SampleVisits"
TASK_PAGE = ROOT / "Documentation" / "Reference" / "Tasks.md"


def make_files(folder: Path) -> None:
    """Write all of them into a folder."""
    for name in ("SamplePairs", "SampleVisits", "Tasks", "Checkpoints"):
        shutil.copytree(ROOT / "Resources" / name, folder / "Resources" / name)
    for name in ("my_pairs", "repeat_scans", "thousands_of_pairs", "biobank"):
        _pairs(folder / name)
    for year in (1, 2, 3):
        shutil.copy(VISITS / f"visit_{year}.png", folder / f"visit{year}.png")
        shutil.copy(VISITS / f"visit_{year}.png", folder / f"visit_{year}.png")
        shutil.copy(VISITS / f"visit_{year}.png", folder / f"202{year}.png")
        for eye in ("visits_of_an_eye", "eyes/P1_OD", "eyes/P2_OS"):
            (folder / eye).mkdir(parents=True, exist_ok=True)
            shutil.copy(VISITS / f"visit_{year}.png", folder / eye / f"202{year}.png")
    _table(folder / "visits.csv", [("visit", "image"), *((f"202{n}", f"202{n}.png") for n in (1, 2, 3))])
    _scans(folder)
    for name in ("tasks.toml", "source_tasks.toml"):
        (folder / name).write_text(task_set_without_data(), encoding="utf-8")
    _regions(folder / "visit1.png", folder)


def task_set_without_data() -> str:
    """The task set that the page on task sets shows for it."""
    text = TASK_PAGE.read_text(encoding="utf-8")
    return text.partition("A task set that needs no data:")[2].partition("```toml\n")[2].partition("```")[0]


def _pairs(folder: Path) -> None:
    """Five sample pairs with landmarks and splits: three to adapt on, two to test."""
    names = ["phantom_001", "phantom_002", "phantom_003", "phantom_009", "phantom_010"]
    with (PAIRS / "pairs.csv").open(encoding="utf-8", newline="") as lines:
        head, *rows = list(csv.reader(lines))
    chosen = [row for row in rows if row[-1] in names]
    for row in chosen:
        for file in row[:3]:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PAIRS / file, folder / file)
    _table(folder / "pairs.csv", [head, *chosen])


def _scans(folder: Path) -> None:
    """Three single images, their vessel masks, and landmarks of a visit."""
    for name in ("scans", "vessel_masks"):
        (folder / name).mkdir()
    for number in (1, 2, 3):
        image = sitk.ReadImage(str(PAIRS / "fixed" / f"phantom_00{number}.png"))
        sitk.WriteImage(image, str(folder / "scans" / f"eye_{number}.png"))
        sitk.WriteImage(image > 150, str(folder / "vessel_masks" / f"eye_{number}.png"))
    write_mrk_json(folder / "visit1.mrk.json", ["1", "2"], np.array([[80.0, 90.0, 0.0], [200.0, 150.0, 0.0]]))


def _regions(image: Path, folder: Path) -> None:
    """A label map with one region, on the pixels of an image; the larger vessels and a brighter image beside it."""
    pixels = sitk.GetArrayFromImage(sitk.ReadImage(str(image)))
    labels = np.zeros(pixels.shape, np.uint8)
    labels[100:180, 120:200] = 1
    sitk.WriteImage(sitk.GetImageFromArray(labels), str(folder / "lesions.nrrd"))
    sitk.WriteImage(sitk.GetImageFromArray((pixels > 150).astype(np.uint8)), str(folder / "vessels.png"))
    sitk.WriteImage(sitk.GetImageFromArray(pixels), str(folder / "deep.tif"))


def _table(path: Path, rows: list) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows(rows)
