"""Screenshots: of widgets and of views, as PNG files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PySide6 import QtCore, QtGui, QtWidgets

OUTPUT = Path(__file__).resolve().parents[1] / "output"


def write_png(pixels: np.ndarray, path: Path) -> Path:
    """Write an (height, width, 3) uint8 picture as PNG."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.ascontiguousarray(pixels)
    height, width, _ = pixels.shape
    image = QtGui.QImage(pixels.data, width, height, 3 * width, QtGui.QImage.Format.Format_RGB888)
    if not image.save(str(path)):
        raise OSError(f"could not write the picture {path}")
    return path


def photograph(widget: QtWidgets.QWidget, path: Path, width: int = 480) -> Path:
    """Write a PNG of a widget at its natural height (at least its present one), as wide as Slicer's module panel."""
    widget.resize(width, max(widget.sizeHint().height(), widget.minimumSizeHint().height()))
    widget.ensurePolished()
    QtWidgets.QApplication.processEvents()
    return save_picture(widget, path)


def save_picture(widget: QtWidgets.QWidget, path: Path) -> Path:
    """Write a PNG of a widget as it is, with all that is drawn for pictures alone."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _drawn(widget.window()):
        picture = widget.grab()
    if not picture.save(str(path)):
        raise OSError(f"could not write the picture {path}")
    return path


@contextlib.contextmanager
def _drawn(window: QtWidgets.QWidget) -> Iterator[None]:
    """Draw the parts of a window that are not drawn otherwise."""
    still = QtCore.Qt.WidgetAttribute.WA_ForceUpdatesDisabled
    parts = [each for each in (window, *window.findChildren(QtWidgets.QWidget)) if each.testAttribute(still)]
    for each in parts:
        each.setUpdatesEnabled(True)
    try:
        yield
    finally:
        for each in parts:
            each.setUpdatesEnabled(False)


def side_by_side(pictures: list[np.ndarray], gap: int = 4) -> np.ndarray:
    """Pictures of equal height, one beside the other."""
    spacer = np.full((pictures[0].shape[0], gap, 3), 60, np.uint8)
    parts = [part for picture in pictures for part in (picture, spacer)][:-1]
    return np.concatenate(parts, axis=1)


def number_of_colours(path: Path) -> int:
    """How many different colours a PNG has: one means that it is blank."""
    image = QtGui.QImage(str(path)).convertToFormat(QtGui.QImage.Format.Format_RGB888)
    buffer = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    pixels = buffer[:, : 3 * image.width()].reshape(-1, 3).astype(np.uint32)
    return len(np.unique(pixels @ np.array([65536, 256, 1], np.uint32)))
