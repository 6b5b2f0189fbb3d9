"""Task sets: one readable TOML file that names the folders of the source tasks."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from ..core.preprocessing import Preprocessing
from ..errors import InputError
from ..formats.image_files import file_stem
from ..formats.registry import image_suffixes, volume_suffixes
from ..pairs.folders import find_pairs
from ..simulation import RepeatSettings
from ..stages import check_initial
from .any_contrast import AnyContrast
from .base import Task
from .contrast_tables import any_contrast, contrasts_task, fundus_task, shapes_task
from .file_lists import held_out, listed
from .image_pairs import PairTask
from .single_images import SingleImageTask
from .volumes import VolumeTask

_COMMON = {"name", "kind", "folder", "validation", "licence", "note", "weight"}


def load_task_set(path: str | os.PathLike, preprocessing: Preprocessing, *, data: Path | None = None) -> list[Task]:
    """Read a task set.

    Parameters
    ----------
    path : path
        TOML file with one `[[task]]` table a task; `Documentation/Reference/Tasks.md` describes its keys. Folders are
        relative to the file's `root`, which is relative to the file itself; `$DATA` in `root` stands for the data folder.
    preprocessing : Preprocessing
    data : Path, optional
        The data folder; by default the environment variable META_REGISTRATION_DATA.

    Raises
    ------
    InputError
        The file or a folder that it names is missing or malformed; the message names the file, the task and the key.
    """
    path = Path(path)
    content = _read(path)
    unknown = set(content) - {"root", "task"}
    if unknown:
        raise InputError(f"{path}: unknown keys {sorted(unknown)}; a task set has root and [[task]] tables.")
    tables = content.get("task", [])
    if not (isinstance(tables, list) and tables and all(isinstance(table, dict) for table in tables)):
        raise InputError(f"{path}: expected at least one [[task]] table.")
    root = _root(path, content.get("root", "."), data)
    tasks: list[Task] = []
    for number, table in enumerate(tables, start=1):
        tasks += _make(table, root, preprocessing, f"{path}, task {number} ({table.get('name', 'without a name')})")
    names = [task.name for task in tasks]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise InputError(f"{path}: several tasks have the name {', '.join(doubled)}.")
    return tasks


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Task set {path}: cannot be read ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"Task set {path}: expected TOML; {error}.") from error


def _root(path: Path, root: object, data: Path | None) -> Path:
    if not isinstance(root, str):
        raise InputError(f"{path}: expected the name of a folder as root, got {root!r}.")
    if "$DATA" in root:
        folder = data or os.environ.get("META_REGISTRATION_DATA")
        if not folder:
            raise InputError(
                f"{path}: its root is {root}.",
                field="data",
                advice="Say where the data is by {field} or META_REGISTRATION_DATA.",
            )
        root = root.replace("$DATA", str(folder))
    root = (path.parent / root).resolve()
    if not root.is_dir():
        raise InputError(f"{path}: its root folder {root} does not exist.")
    return root


def _make(table: dict, root: Path, preprocessing: Preprocessing, where: str) -> list[Task]:
    kinds = {
        "volumes": _volumes,
        "decathlon": _decathlon,
        "single_images": _single_images,
        "pairs": _pairs,
        "contrasts": contrasts_task,
        "shapes": shapes_task,
        "fundus": fundus_task,
    }
    own_folder = str(table.get("kind")) not in _WITHOUT_FOLDER
    for key in ("name", "kind", "folder", "masks", "split"):
        needed = key in ("name", "kind") or (key == "folder" and own_folder)
        if (needed or key in table) and not isinstance(table.get(key), str):
            raise InputError(f"{where}: expected a text for the key {key!r}, got {table.get(key)!r}.")
    if table["kind"] not in kinds:
        raise InputError(f"{where}: expected a kind of {', '.join(kinds)}, got {table['kind']!r}.")
    make, keys = kinds[table["kind"]], _KEYS[table["kind"]]
    if "masks" in table:
        table = {**table, "masks": root / table["masks"]}
    known = (_COMMON | keys) - (set() if own_folder else {"folder"})
    unknown = set(table) - known
    if unknown:
        raise InputError(f"{where}: unknown keys {sorted(unknown)}; a task of this kind has {sorted(known)}.")
    folder = root / table["folder"] if own_folder else root
    if not folder.is_dir():
        raise InputError(f"{where}: the folder {folder} does not exist.")
    weight = table.get("weight", 1.0)
    if type(weight) not in (int, float) or not 0 < weight < math.inf:
        raise InputError(f"{where}: expected weight as a number above 0, got {weight!r}.")
    tasks = make(table, folder, preprocessing, where)
    for task in tasks:
        task.weight = float(weight) / len(tasks)
    return tasks


_KEYS = {
    "volumes": {"channel", "window", "deformation", "simulation", "simulated", "any_contrast", "warp"},
    "decathlon": {"channels", "window", "deformation", "simulation", "simulated", "any_contrast", "warp"},
    "single_images": {"masks", "simulation", "any_contrast", "warp"},
    "pairs": {"split", "initial"},
    "contrasts": {"folders", "any_contrast", "warp"},
    "shapes": {"any_contrast", "warp"},
    "fundus": {"modalities", "eyes", "any_contrast", "warp"},
}
_WITHOUT_FOLDER = {"contrasts", "shapes", "fundus"}


def _volumes(table: dict, folder: Path, preprocessing: Preprocessing, where: str) -> list[Task]:
    files = listed(folder, volume_suffixes(), where)
    training, validation = held_out(files, table.get("validation"), where)
    channel, settings = table.get("channel"), _volume_settings(table, where)
    if channel is not None and not (type(channel) is int and channel >= 0):
        raise InputError(f"{where}: expected channel as a whole number of at least 0, got {channel!r}.")
    return [VolumeTask(table["name"], training, validation, preprocessing, channel=channel, **settings)]


def _decathlon(table: dict, folder: Path, preprocessing: Preprocessing, where: str) -> list[Task]:
    """The layout of the Medical Segmentation Decathlon: `dataset.json`, `imagesTr`; one task a channel of 4-D images."""
    try:
        description = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
        files = [folder / item["image"] for item in description["training"]]
        modality = {int(key): str(value) for key, value in description["modality"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"{where}: {folder / 'dataset.json'} is not a Decathlon description ({error!r}).") from error
    files = [path for path in files if path.exists()]
    if not files:
        raise InputError(f"{where}: none of the training images that {folder / 'dataset.json'} names is there.")
    training, validation = held_out(sorted(files), table.get("validation"), where)
    settings = _volume_settings(table, where)
    if len(modality) == 1:
        return [VolumeTask(table["name"], training, validation, preprocessing, **settings)]
    return [
        VolumeTask(f"{table['name']}_{label}", training, validation, preprocessing, channel=channel, **settings)
        for channel, label in _chosen_channels(modality, table.get("channels"), where)
    ]


def _chosen_channels(modality: dict[int, str], wanted: object, where: str) -> list[tuple[int, str]]:
    by_name = {label.lower(): (channel, label) for channel, label in sorted(modality.items())}
    if wanted is None:
        paper = [name for name in ("t1w", "t1gd", "t2w") if name in by_name]
        return [by_name[name] for name in paper] or list(by_name.values())
    if not (isinstance(wanted, list) and wanted and all(isinstance(name, str) for name in wanted)):
        raise InputError(f"{where}: expected channels as a list of names, got {wanted!r}.")
    missing = [name for name in wanted if name.lower() not in by_name]
    if missing:
        raise InputError(f"{where}: no channel {missing}; the images have {list(modality.values())}.")
    return [by_name[name.lower()] for name in wanted]


def _volume_settings(table: dict, where: str) -> dict:
    window = table.get("window")
    if window is not None:
        numbers = isinstance(window, list) and all(type(value) in (int, float) for value in window)
        if not (numbers and len(window) == 2 and window[0] < window[1]):
            raise InputError(f"{where}: expected window = [lowest, highest], got {window!r}.")
        window = (float(window[0]), float(window[1]))
    settings = {"window": window, "deformation": _repeat_settings(table, "deformation", where)}
    return settings | _simulation_settings(table, where) | {"any_contrast": _optional_contrast(table, where)}


def _optional_contrast(table: dict, where: str) -> AnyContrast | None:
    if "any_contrast" in table:
        return any_contrast(table, where)
    if "warp" in table:
        raise InputError(f"{where}: warp belongs to pairs of any contrast; add a table any_contrast, or remove it.")
    return None


def _simulation_settings(table: dict, where: str) -> dict:
    """How the simulated repeats of single slices are made, and the share of the pairs that they are."""
    if "simulation" not in table:
        if "simulated" in table:
            raise InputError(
                f"{where}: simulated is the share of simulated pairs; add a table simulation, or remove it."
            )
        return {}
    share = table.get("simulated", 0.5)
    if type(share) not in (int, float) or not 0 < share <= 1:
        raise InputError(f"{where}: expected simulated as a share above 0 and at most 1, got {share!r}.")
    return {"simulation": _repeat_settings(table, "simulation", where), "simulated": float(share)}


def _repeat_settings(table: dict, key: str, where: str) -> RepeatSettings | None:
    if key not in table:
        return None
    if not isinstance(table[key], dict):
        raise InputError(f"{where}: expected {key} as a table of settings, got {table[key]!r}.")
    try:
        return RepeatSettings.from_dict(table[key])
    except InputError as error:
        raise error.within(f"{where}, {key}: ") from error


def _single_images(table: dict, folder: Path, preprocessing: Preprocessing, where: str) -> list[Task]:
    training, validation = held_out(listed(folder, image_suffixes(), where), table.get("validation"), where)
    masks = {}
    if "masks" in table:
        if not table["masks"].is_dir():
            raise InputError(f"{where}: the folder of masks {table['masks']} does not exist.")
        masks = {file_stem(file): file for file in listed(table["masks"], image_suffixes(), where)}
    settings = _repeat_settings(table, "simulation", where) or RepeatSettings()
    options = {"settings": settings, "masks": masks, "any_contrast": _optional_contrast(table, where)}
    return [SingleImageTask(table["name"], training, validation, preprocessing, **options)]


def _pairs(table: dict, folder: Path, preprocessing: Preprocessing, where: str) -> list[Task]:
    initial = table.get("initial", "none")
    check_initial(initial, f"{where}: initial")
    try:
        pairs = {Path(pair.name): pair for pair in find_pairs(folder).split(table.get("split"))}
    except InputError as error:
        raise error.within(f"{where}: ") from error
    training, validation = held_out(list(pairs), table.get("validation"), where)
    chosen = [[pairs[name] for name in names] for names in (training, validation)]
    return [PairTask(table["name"], *chosen, preprocessing, initial=initial)]
