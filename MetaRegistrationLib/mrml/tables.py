"""Landmark distances as a table in the scene."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import slicer
import vtk

from ..formats.tables import write_table
from ..registration.distances import MOMENTS, NETWORK, PHYSICAL, distances
from ..registration.predicted_error import UNCERTAIN_PX, errors_at
from ..registration.schema import GRID_PX

if TYPE_CHECKING:  # they import torch
    from ..registration.measures import CarriedLandmarks
    from ..registration.registrar import Registration

_DECIMALS = 3
_COLUMNS = ("label", *(f"{moment} ({unit})" for unit in (GRID_PX.symbol, "um") for moment in MOMENTS))
_UNCERTAIN = "uncertain"


class DistanceRow(NamedTuple):
    """Distance of one pair of landmarks before and after; micrometres are NaN where the pixel size is unknown.

    `bound_px` is the 95 % bound of the predicted error at the moving landmark, carried into the fixed image: NaN where it is
    unknown, None where the registration has no predicted error. `scene_um` is the distance where the volumes are in the scene,
    without the registration; NaN where a pixel size is unknown. `pixel_um` is the size of a pixel of the network grid.
    """

    label: str
    before_px: float
    after_px: float
    before_um: float
    after_um: float
    bound_px: float | None = None
    scene_um: float = float("nan")
    pixel_um: float = float("nan")

    @property
    def distances(self) -> tuple[float, float, float, float]:
        """The distances before and after, in pixels and in micrometres."""
        return self.before_px, self.after_px, self.before_um, self.after_um

    @property
    def uncertain(self) -> bool:
        """Whether the place is too uncertain to measure: the bound is over 2 px or unknown."""
        return self.bound_px is not None and not self.bound_px <= UNCERTAIN_PX


def distance_rows(
    registration: Registration, landmarks: CarriedLandmarks, spacing_um: float | None = None
) -> list[DistanceRow]:
    """One row a landmark; pixels are those of the network grid, as `distance_after_px` in `metrics.csv`.

    Empty when the fixed counterparts are not known. `spacing_um` is the pixel size of a fixed image that carries none.
    """
    if landmarks.fixed is None:
        return []
    columns = [
        distances(grid, moment, registration, landmarks, spacing_um)
        for grid in (NETWORK, PHYSICAL)
        for moment in MOMENTS
    ]
    labels = [label or str(number) for number, label in enumerate(landmarks.moving.labels, 1)]
    bounds = [None] * len(labels)
    if registration.error is not None:
        bounds = errors_at(registration, landmarks.carried.points).bound_px.tolist()
    return [
        DistanceRow(label, *map(float, values), bound)
        for label, bound, *values in zip(labels, bounds, *columns, strict=True)
    ]


def distance_table(node, rows: Sequence[DistanceRow], name: str = "Landmark distances"):
    """Fill a table node, or a new one for None, with `rows`, their mean and their standard deviation.

    The micrometre columns are left out when no row has any; values are rounded to a thousandth. If errors were predicted, a last
    column says which landmarks are too uncertain to measure.

    Returns
    -------
    vtkMRMLTableNode
    """
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", name)
    values = np.array([row.distances for row in rows], dtype=np.float64).reshape(-1, 4)
    shown = 4 if np.isfinite(values[:, 2:]).any() else 2
    labels, uncertain = [row.label for row in rows], ["yes" if row.uncertain else "no" for row in rows]
    if len(rows):
        uncertain += ["", ""]
        labels += ["mean", "standard deviation"]
        values = np.vstack([values, values.mean(axis=0), values.std(axis=0)])
    table = vtk.vtkTable()
    table.AddColumn(_text_column(_COLUMNS[0], labels))
    for title, column in zip(_COLUMNS[1 : shown + 1], values.T[:shown], strict=True):
        table.AddColumn(_number_column(title, np.round(column, _DECIMALS)))
    if any(row.bound_px is not None for row in rows):
        table.AddColumn(_text_column(_UNCERTAIN, uncertain))
    with slicer.util.NodeModify(node):
        node.SetAndObserveTable(table)
        node.SetUseColumnTitleAsColumnHeader(True)
        node.SetLocked(True)
    return node


def has_rows(node) -> bool:
    """Whether a table node, or None, holds a row."""
    return node is not None and node.GetTable() is not None and node.GetTable().GetNumberOfRows() > 0


def export_table(node, path: str | Path) -> None:
    """Write a table node as CSV, whole or not at all."""
    table = node.GetTable()
    columns = [table.GetColumnName(index) for index in range(table.GetNumberOfColumns())]
    rows = [
        [table.GetValue(row, column).ToString() for column in range(len(columns))]
        for row in range(table.GetNumberOfRows())
    ]
    write_table(path, columns, rows)


def _text_column(name: str, values: Sequence[str]) -> vtk.vtkStringArray:
    column = vtk.vtkStringArray()
    column.SetName(name)
    for value in values:
        column.InsertNextValue(value)
    return column


def _number_column(name: str, values: np.ndarray) -> vtk.vtkDoubleArray:
    column = vtk.vtkDoubleArray()
    column.SetName(name)
    for value in values:
        column.InsertNextValue(float(value))
    return column
