"""Colour tables, and scalar volumes that are shown by them; pixels that are NaN are not drawn."""

from __future__ import annotations

import numpy as np
import slicer

_BEYOND = 1e6  # NaN is outside any range, and is not drawn


def fill_colours(table, colours: np.ndarray) -> None:
    """Fill a colour table node.

    Parameters
    ----------
    table : vtkMRMLColorTableNode
    colours : array (N, 4)
        Red, green, blue and opacity, 0 to 1. Slice views know only the opacities 0 and 1.
    """
    table.SetTypeToUser()
    table.SetAttribute("Category", "MetaRegistration")
    table.SetNumberOfColors(len(colours))
    table.GetLookupTable().SetRange(0, len(colours) - 1)
    for number, (red, green, blue, alpha) in enumerate(colours.astype(float)):
        table.SetColor(number, f"{number}", red, green, blue, alpha)


def show_coloured(volume, table, low: float, high: float) -> None:
    """Show a scalar volume by a colour table, whose first colour is `low` and whose last one is `high`."""
    volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    with slicer.util.NodeModify(display):
        display.SetAndObserveColorNodeID(table.GetID())
        display.AutoWindowLevelOff()
        display.SetWindowLevelMinMax(low, high)
        display.SetInterpolate(False)  # between a number and none there is nothing
        display.AutoThresholdOff()
        display.SetThreshold(-_BEYOND, _BEYOND)
        display.ApplyThresholdOn()
