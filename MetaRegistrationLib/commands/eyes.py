"""The eyes that `simulate` makes repeat visits of: single images from a folder, or drawn phantoms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Eye:
    """One eye: its name, its split (None for none), a function that gives its image and vessel mask (or None), and its files."""

    name: str
    split: str | None
    load: Callable[[], tuple[np.ndarray, np.ndarray | None]]
    files: tuple[Path, ...] = ()


def phantom_eyes(count: int, size: int, seed: int) -> list[Eye]:
    """Drawn eyes; the first two thirds belong to the split fine_tune, the others to test.

    Each is drawn from its own random numbers, so that the first ones are the same however many are asked for.
    """
    return [
        Eye(
            name=f"phantom_{index + 1:03d}",
            split="fine_tune" if 3 * index < 2 * count else "test",
            load=lambda index=index: _phantom(size, seed, index),
        )
        for index in range(count)
    ]


def _phantom(size: int, seed: int, index: int) -> tuple[np.ndarray, np.ndarray]:
    import numpy as np

    from ..simulation import draw_phantom

    # The trailing 1 keeps the drawing's random numbers apart from those of the eye's visits.
    phantom = draw_phantom(np.random.default_rng([seed, index, 0, 1]), size)
    return phantom.image, phantom.vessel_mask


def image_eyes(folder: Path, masks: Path | None, split_csv: Path | None) -> list[Eye]:
    """Eyes from the images of a folder, ordered by name.

    Parameters
    ----------
    folder : Path
        Folder of single images.
    masks : Path, optional
        Folder with a vessel mask (not zero on vessels) for each image, under the same name but for the suffix.
    split_csv : Path, optional
        CSV with the columns image (file name) and, optionally, split: only images that it lists are taken.

    Raises
    ------
    InputError
        No images; a listed image or a mask is missing; two images differ only in their suffix.
    """
    from ..formats.image_files import file_stem

    images = _images(folder)
    splits = {image.name: None for image in images} if split_csv is None else _splits(split_csv)
    missing = sorted(set(splits) - {image.name for image in images})
    if missing:
        raise InputError(f"{split_csv}: {missing[0]} is not in {folder}. Correct the table or add the image.")
    chosen = [image for image in images if image.name in splits]
    mask_of = {} if masks is None else {file_stem(path): path for path in _images(masks)}
    eyes = []
    for image in chosen:
        stem = file_stem(image)
        mask = mask_of.get(stem)
        if masks is not None and mask is None:
            raise InputError(f"{masks}: no vessel mask named as {image.name}. Add it, or leave out --masks.")
        files = (image,) if mask is None else (image, mask)
        eyes.append(Eye(stem, splits[image.name], lambda image=image, mask=mask: _read(image, mask), files))
    _refuse_equal_names(eyes, folder)
    return eyes


def _images(folder: Path) -> list[Path]:
    from ..formats.image_files import is_hidden, is_image_file

    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder of images. Check the path.")
    images = sorted(path for path in folder.iterdir() if not is_hidden(path) and is_image_file(path))
    if not images:
        raise InputError(f"{folder}: there are no images in this folder. Name the folder that holds them.")
    return images


def _splits(path: Path) -> dict[str, str | None]:
    from ..formats.tables import read_table

    rows = read_table(path, ("image",))
    if not rows:
        raise InputError(f"{path}: the table lists no image. Add a row for each, or leave out --split-csv.")
    return {Path(row.text("image")).name: row.text("split") or None for row in rows}


def _refuse_equal_names(eyes: list[Eye], folder: Path) -> None:
    names = [eye.name.casefold() for eye in eyes]
    double = next((name for name in names if names.count(name) > 1), None)
    if double is not None:
        raise InputError(f"{folder}: two images are named {double} but for the suffix or case. Rename one of them.")


def _read(image: Path, mask: Path | None) -> tuple[np.ndarray, np.ndarray | None]:
    from ..formats.images import check_image, read_image

    eye = read_image(image, keep_drawings=True)
    check_image(eye)
    return eye.array, None if mask is None else read_image(mask, luminance=True).array > 0
