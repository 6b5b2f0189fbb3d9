"""The settings of a series of visits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from ..eye_length import DEVICE_MM
from ..initial_kinds import needs_landmarks
from .registrars import RegistrarOptions
from .run_options import RunOptions


@dataclass(frozen=True)
class ChangeOptions:
    """The settings of the change map.

    Attributes
    ----------
    wanted : bool
        Map a change at all.
    visits : (str, str) or None
        Names of the earlier and the later visit; None for the first and the last that are used.
    repeats : Path or None
        Folder of pairs of repeat scans, whose differences are one standard deviation.
    centre_xy : (float, float) or None
        Centre of the ETDRS grid, pixels of the reference.
    eye : str
        "right", "left" or "".
    """

    wanted: bool = True
    visits: tuple[str, str] | None = None
    repeats: Path | None = None
    centre_xy: tuple[float, float] | None = None
    eye: str = ""


@dataclass(frozen=True)
class VisitsOptions:
    """The settings of reading and registering visits.

    Attributes
    ----------
    registrar : RegistrarOptions
    reference : str or None
        The visit that stays in place; None for the one with the best quality.
    change : ChangeOptions
    slice_index : int or None
        Slice to take from stacks, counted from 0.
    spacing_um : float or None
        Distance between pixels of files without a pixel size.
    include : tuple of str
        Names of visits that are averaged and compared whatever is found (`visits.trust`).
    source : Path or None
        Folder or table that names the visits, which the results must not replace.
    replace : bool
        Replace the results of other visits in the output folder.
    regions : Path or None
        Label map of the user's own regions.
    regions_visit : str or None
        The visit on which they are drawn; None for the reference, or the only one that they fit.
    axial_length_mm : float or None
        Of the eye, by which lateral distances are scaled.
    device_axial_length_mm : float
        That the device assumed.
    run : RunOptions
        Processes, resuming, a part of the eyes.
    override_spacing : bool
        `spacing_um` overrides the pixel size of files.
    """

    registrar: RegistrarOptions = field(default_factory=RegistrarOptions)
    reference: str | None = None
    change: ChangeOptions = field(default_factory=ChangeOptions)
    slice_index: int | None = None
    spacing_um: float | None = None
    include: tuple[str, ...] = ()
    source: Path | None = None
    replace: bool = False
    regions: Path | None = None
    regions_visit: str | None = None
    axial_length_mm: float | None = None
    device_axial_length_mm: float = DEVICE_MM
    run: RunOptions = field(default_factory=RunOptions)
    override_spacing: bool = False


def check_stages(options: VisitsOptions) -> None:
    """Raise an `InputError` if the initial alignment needs landmarks, which a series does not use."""
    if needs_landmarks(options.registrar.stages.initial):
        raise InputError(
            "series: visits have no landmarks to go by.", field="initial", advice="Choose another {field}."
        )
