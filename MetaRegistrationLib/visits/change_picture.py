"""The change map as a picture. Blue: vessel density decreased, orange: increased, hatched: not measurable."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..registration.overlays import grey_levels
from .change import Change

LOST, GAINED = (0, 114, 178), (230, 159, 0)
"""Blue and orange of Okabe and Ito, which colour-blind people can distinguish. A paler colour is a smaller change."""
FULL = 15.0
"""Percentage points of the full colour."""
_PALE = 0.3  # of the colour outside clusters that count
_HATCH = 9  # pixels between the lines
_GREY = 0.55  # of the image under the colours
_BAR = 56  # pixels that the legend is wide
_LETTERS = {  # 3 x 5 pixels each, a row a digit in octal
    "0": "75557",
    "1": "26227",
    "2": "71747",
    "3": "71717",
    "4": "55711",
    "5": "74717",
    "6": "74757",
    "7": "71111",
    "8": "75757",
    "9": "75717",
    "+": "02720",
    "-": "00700",
    "%": "51245",
    " ": "00000",
}


def change_colours(points: np.ndarray, counts: np.ndarray | bool = True) -> np.ndarray:
    """Opacity and colour of differences: float32 (..., 4), red, green, blue and alpha from 0 to 1.

    Parameters
    ----------
    points : array
        Percentage points; NaN is transparent.
    counts : bool array of that shape, or bool
        Whether they are in a cluster that counts. Elsewhere the colour is pale.
    """
    points = np.asarray(points, dtype=np.float32)
    size = np.clip(np.abs(np.nan_to_num(points)) / FULL, 0, 1)
    alpha = np.where(counts, 0.45 + 0.55 * size, _PALE * size)
    colour = np.where((points > 0)[..., None], np.float32(GAINED), np.float32(LOST)) / 255
    return np.concatenate([colour, np.where(np.isfinite(points), alpha, 0)[..., None]], axis=-1).astype(np.float32)


def change_picture(image: np.ndarray, change: Change) -> np.ndarray:
    """Picture of a change on the image, with a legend in percentage points: uint8 (H, W + 56, 3).

    Parameters
    ----------
    image : array (H, W)
        The reference.
    change : Change
    """
    grey = np.repeat((_GREY * np.nan_to_num(grey_levels(image)))[..., None], 3, axis=2)
    counts = change.lost | change.gained
    colours = change_colours(change.density, counts)
    mixed = grey * (1 - colours[..., 3:]) + colours[..., :3] * colours[..., 3:]
    mixed[ndimage.binary_dilation(counts) & ~counts] = 1  # their outline
    rows, columns = np.indices(image.shape)
    lines = ~change.known & ((rows + columns) % _HATCH < 2)
    mixed[~change.known] *= 0.6
    mixed[lines] = 0.7
    picture = np.round(255 * np.clip(mixed, 0, 1)).astype(np.uint8)
    return np.concatenate([picture, _legend(picture.shape[0])], axis=1)


def _legend(height: int) -> np.ndarray:
    """A bar from +FULL down to -FULL on white, with its numbers."""
    white = np.full((height, _BAR, 3), 255, np.uint8)
    if height < 80:
        return white
    top, bottom = 24, height - 12
    values = np.linspace(FULL, -FULL, bottom - top)[:, None]
    colours = change_colours(values)
    mixed = 0.35 * (1 - colours[..., 3:]) + colours[..., :3] * colours[..., 3:]
    white[top:bottom, 6:18] = np.round(255 * mixed).astype(np.uint8)
    _write(white, "%", 6, 6)
    for value in (FULL, FULL / 2, 0.0, -FULL / 2, -FULL):
        row = round(top + (FULL - value) / (2 * FULL) * (bottom - top - 1))
        white[row, 18:22] = 0
        _write(white, f"{value:+.0f}" if value else " 0", row - 5, 24)
    return white


def _write(picture: np.ndarray, text: str, row: int, column: int) -> None:
    for number, letter in enumerate(text):
        bits = np.array([[int(digit) >> shift & 1 for shift in (2, 1, 0)] for digit in _LETTERS[letter]], bool)
        glyph = np.kron(bits, np.ones((2, 2), bool))
        left = column + 8 * number
        part = picture[max(row, 0) : row + 10, left : left + 6]
        part[glyph[-part.shape[0] :, : part.shape[1]]] = 0
