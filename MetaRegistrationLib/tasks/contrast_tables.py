"""The tables of a task set that make pairs of any contrast."""

from __future__ import annotations

from pathlib import Path

from ..core.preprocessing import Preprocessing
from ..errors import InputError
from ..formats.registry import volume_suffixes
from ..simulation.appearance import AppearanceSettings
from ..simulation.fundus import MODALITIES
from ..simulation.warps import WarpSettings
from .any_contrast import AnyContrast
from .base import Task
from .contrasts import ContrastsTask, patients_of
from .file_lists import held_out, listed
from .scenes import FundusTask, ShapesTask


def any_contrast(table: dict, where: str) -> AnyContrast:
    """Appearances and warps by the tables `any_contrast` and `warp`. Without the former, appearances are unchanged."""
    settings = {}
    for key, kind in (("any_contrast", AppearanceSettings), ("warp", WarpSettings)):
        values = table.get(key)
        if values is not None and not isinstance(values, dict):
            raise InputError(f"{where}: expected {key} as a table of settings, got {values!r}.")
        try:
            settings[key] = kind.from_dict(values or {})
        except InputError as error:
            raise error.within(f"{where}, {key}: ") from error
    return AnyContrast(settings["any_contrast"] if "any_contrast" in table else None, settings["warp"])


def contrasts_task(table: dict, root: Path, preprocessing: Preprocessing, where: str) -> list[Task]:
    """The same patients in several folders, one a contrast."""
    names = table.get("folders")
    if not (isinstance(names, list) and len(names) > 1 and all(isinstance(name, str) for name in names)):
        raise InputError(f"{where}: expected folders as a list of at least two names, got {names!r}.")
    for name in names:
        if not (root / name).is_dir():
            raise InputError(f"{where}: the folder {root / name} does not exist.")
    patients = patients_of([listed(root / name, volume_suffixes(), where) for name in names])
    if not patients:
        raise InputError(
            f"{where}: no patient has a file in two of the folders {', '.join(names)}; their names must be equal up to "
            "the last underscore, as in PATIENT_t1w.nii.gz and PATIENT_t2w.nii.gz."
        )
    training, validation = held_out([Path(patient) for patient in patients], table.get("validation"), where)
    chosen = [{str(path): patients[str(path)] for path in paths} for paths in (training, validation)]
    return [ContrastsTask(table["name"], *chosen, preprocessing, any_contrast(table, where))]


def shapes_task(table: dict, root: Path, preprocessing: Preprocessing, where: str) -> list[Task]:
    """Random shapes; nothing is read."""
    return [ShapesTask(table["name"], preprocessing, any_contrast(table, where))]


def fundus_task(table: dict, root: Path, preprocessing: Preprocessing, where: str) -> list[Task]:
    """Drawn eyes in several modalities; nothing is read."""
    modalities, eyes = table.get("modalities", list(MODALITIES)), table.get("eyes", 24)
    if not (isinstance(modalities, list) and modalities and all(name in MODALITIES for name in modalities)):
        raise InputError(f"{where}: expected modalities as a list of {', '.join(MODALITIES)}, got {modalities!r}.")
    if not (type(eyes) is int and eyes > 0):
        raise InputError(f"{where}: expected eyes as a whole number above 0, got {eyes!r}.")
    contrast = any_contrast(table, where)
    return [FundusTask(table["name"], preprocessing, contrast, modalities=modalities, eyes=eyes)]
