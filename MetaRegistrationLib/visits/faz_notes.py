"""Words on foveal avascular zones that are not measured because their area depends on the centre."""

from __future__ import annotations

from collections.abc import Mapping

OF_THE_CENTRE = "area depends on the centre"
"""In the column `note` of a table."""


def faz_text(areas: Mapping[str, tuple[float, float]]) -> str:
    """A sentence on visits whose zone is not measured; empty without any.

    Parameters
    ----------
    areas : mapping of str to (float, float)
        By visit, the least and the greatest area from neighbouring centres, mm2.
    """
    if not areas:
        return ""
    each = ", ".join(f"{name} ({least:.2f} to {most:.2f} mm²)" for name, (least, most) in areas.items())
    return (
        f"The FAZ is not measured in {each}: neighbouring centres give these unlike areas. Draw its outline by hand, or"
        " choose another centre and check the outline."
    )
