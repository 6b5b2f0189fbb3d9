"""The paper's Fig. 3 (curves, needs matplotlib) and Fig. 4 (overlays with landmarks, needs nothing)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813

from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.files import replacing
from ..formats.images import write_image
from ..registration.overlays import overlay, side_by_side
from ..registration.registrar import Registration
from .beds import BedPair
from .claims import CURVES, Log, curve

_GAP = 12
_COLUMNS = 3
_COLOURS = {"Fine-tune": "tab:blue", "Ours": "tab:red"}  # the paper's
_LABELS = {"distance": "distance, px", "NCC": "NCC", "training loss": "training loss"}


def require_matplotlib() -> None:
    """Raise an `InputError` that says what to do when matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise InputError(
            "Fig. 3 needs matplotlib, which is not installed. Install it (pip install matplotlib) and call the command again: "
            "what is done is not done again."
        ) from error


def draw_curves(path: Path, title: str, fine_tune: Log, ours: Log, quick_epochs: int, watched: str) -> None:
    """Fig. 3: distance, NCC and training loss over the epochs of fine-tuning, with the line of Ours at the quick row.

    Parameters
    ----------
    path : Path
        PNG file.
    title : str
    fine_tune, ours : sequences of dict
        Logs of the two trainings; either may be empty.
    quick_epochs : int
        Epochs of the quick row.
    watched : str
        What distance and NCC are means of, in words.

    Raises
    ------
    InputError
        matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure  # without pyplot: no window system is touched

    figure = Figure(figsize=(13, 4), layout="constrained")  # numbers of any length stay clear of the next panel
    figure.suptitle(f"{title}\n{watched}", fontsize=10)
    for axes, letter, (name, (column, _)) in zip(figure.subplots(1, 3), "abc", CURVES.items(), strict=True):
        for label, log in (("Fine-tune", fine_tune), ("Ours", ours)):
            epochs, values = curve(log, column)
            axes.plot(epochs, values, label=label, color=_COLOURS[label], marker=".", markersize=3, linewidth=1.2)
            if label == "Ours" and quick_epochs in epochs:
                level = values[np.flatnonzero(epochs == quick_epochs)[0]]
                axes.axhline(level, label=f"Ours, {quick_epochs} epochs", color="black", linestyle=":", linewidth=1.2)
        axes.set_xlabel("epochs of fine-tuning")
        axes.set_ylabel(_LABELS[name])
        axes.set_title(f"({letter}) {name}", fontsize=10)
        axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120)


def panel(registration: Registration, pair: BedPair) -> np.ndarray:
    """One panel of Fig. 4, uint8 (h, w, 3): the registered pair with its landmarks, in the geometry of the fixed image."""
    images = pair.images
    carried, _ = registration.carry(images.moving_landmarks)
    picture = overlay(registration.warped(), registration.fixed.array, carried.points, images.fixed_landmarks.points)
    return _halved(picture)


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write uint8 (h, w, 3) as PNG."""
    write_image(path, picture, Geometry(size=picture.shape[:2]))


def join_panels(path: Path, panels: Sequence[Path]) -> None:
    """Fig. 4: panels from their files, three in a row, in the order given."""
    pictures = [sitk.GetArrayFromImage(sitk.ReadImage(str(panel))) for panel in panels]
    height, width = (max(picture.shape[axis] for picture in pictures) for axis in (0, 1))
    rows = [pictures[start : start + _COLUMNS] for start in range(0, len(pictures), _COLUMNS)]
    joined = [side_by_side(*(_on_white(picture, height, width) for picture in row), gap=_GAP) for row in rows]
    whole = max(row.shape[1] for row in joined)
    write_picture(path, np.vstack([_on_white(row, row.shape[0] + _GAP, whole) for row in joined])[:-_GAP])


def _on_white(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    missing = ((0, height - picture.shape[0]), (0, width - picture.shape[1]), (0, 0))
    return np.pad(picture, missing, constant_values=255)


def _halved(picture: np.ndarray) -> np.ndarray:
    """Every two by two pixels as their mean."""
    height, width = (extent // 2 * 2 for extent in picture.shape[:2])
    blocks = picture[:height, :width].reshape(height // 2, 2, width // 2, 2, 3)
    return np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)
