"""The visits of one eye on the pixels of one of them, and what is known of their alignment."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import ndimage

from .. import calibration
from ..errors import InputError
from ..eye_length import EyeLength
from ..formats.images import Image, tissue
from ..formats.landmarks import Landmarks, match_landmarks
from ..octa.vessels import vessel_mask, vessel_polarity
from ..stages import LEAST_CONFIDENCE
from .alignment_error import AlignmentError
from .centres import check_centre
from .consistency import inconsistent_visits
from .dates import When
from .fovea import Fovea, suggested_fovea
from .no_signal import signal
from .position_maps import positions_at
from .trust import LEAST_QUALITY, Exclusion, low_quality
from .unknown import usual_area

LEAST_CONSISTENCY_PX = calibration.CONSISTENCY_PX.value
"""Least median round-trip error that is inconsistent, in pixels of the network grid (400 x 400)."""
_DARK = calibration.DARK_VESSELS.value
_SMOOTHED_FROM = 1.25  # pixels of an image for one of the reference


@dataclass(frozen=True, eq=False)
class Visit:
    """One image of the eye.

    Attributes
    ----------
    name : str
    image : Image
    date : str
        As tables and pages show it.
    landmarks : Landmarks or None
        In pixels of the image.
    when : When or None
        The date as it can be compared; None if it is unknown.
    centre_xy : (float, float) or None
        Centre of the ETDRS grid, (x, y) in pixels of the image, if one was given.

    Raises
    ------
    InputError
        The centre is outside of the image, or not finite.
    """

    name: str
    image: Image
    date: str = ""
    landmarks: Landmarks | None = None
    when: When | None = None
    centre_xy: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.centre_xy is not None:
            check_centre(self.centre_xy, self.image.geometry.size, self.name)

    @cached_property
    def dark(self) -> bool:
        """Whether its vessels are dark: an inverted scan, or an image of another kind such as a fundus photograph."""
        return vessel_polarity(np.where(tissue(self.image), self.image.array, np.nan)) < _DARK


@dataclass(frozen=True, eq=False)
class AlignedVisit:
    """A visit on the pixels of the reference.

    Attributes
    ----------
    visit : Visit
    positions : float32 array (H, W, 2) or None
        Position of each pixel of the reference in this image, (row, column); None if it could not be aligned. Those of a visit
        that the user wants all the same may be without confidence.
    via : str
        The visit through which it was aligned; empty if directly.
    confidence : float
        That of the alignment; through another visit, the lower of the two.
    ncc : float
        NCC after, on the network grid of the registration; through another visit, that with the other visit.
    result_stage : str
        As `Registration.result_stage`.
    error : AlignmentError or None
        The predicted error; through another visit, the sum of the two. None if none was predicted.
    """

    visit: Visit
    positions: np.ndarray | None
    via: str = ""
    confidence: float = math.nan
    ncc: float = math.nan
    result_stage: str = "none"
    error: AlignmentError | None = None

    @property
    def aligned(self) -> bool:
        """Whether it can be used."""
        return self.positions is not None

    @property
    def confident(self) -> bool:
        """Whether it could be aligned with confidence, and is not used only because the user wants it."""
        return self.aligned and not self.confidence < LEAST_CONFIDENCE

    @property
    def when(self) -> When | None:
        """The date of the visit as it can be compared."""
        return self.visit.when

    @property
    def uncertain(self) -> np.ndarray | None:
        """Pixels of the reference, bool (H, W), at which the alignment is too uncertain to measure; None if no error was
        predicted.
        """
        return None if self.error is None else self.error.uncertain

    @cached_property
    def area(self) -> float:
        """Pixels of the image for one of the reference, as a rule (`unknown.usual_area`)."""
        return usual_area(self.positions)

    @property
    def finer(self) -> bool:
        """Whether its pixels are much smaller than those of the reference."""
        return math.sqrt(abs(self.area)) > _SMOOTHED_FROM

    @cached_property
    def warped(self) -> tuple[np.ndarray, np.ndarray]:
        """The image on the reference's pixels, float32 (H, W), interpolated once, and where it shows tissue, bool (H, W).

        Bands without signal show none.

        An image of much smaller pixels is smoothed first, so that its noise is that of the reference's pixels.
        """
        places = np.moveaxis(self.positions, -1, 0)
        array, valid = signal(self.visit.image)
        step = math.sqrt(abs(self.area))
        if step > _SMOOTHED_FROM:
            array = ndimage.gaussian_filter(array, 0.5 * math.sqrt(step**2 - 1))
        values = ndimage.map_coordinates(array, places, order=1, mode="nearest")
        shown = ndimage.map_coordinates(valid.astype(np.float32), places, order=1, mode="constant")
        seen = shown > 0.999
        return np.where(seen, values, np.float32(0)), seen

    @cached_property
    def larger_vessels(self) -> np.ndarray:
        """The larger vessels on the reference's pixels, bool (H, W), whether they are bright or dark."""
        values, seen = self.warped
        image = np.where(seen, values, np.nan)
        # On the scale of the reference's side, so that visits with and without a pixel size are filtered alike.
        return vessel_mask(-image if self.visit.dark else image)

    def with_error(self, error: AlignmentError | None) -> AlignedVisit:
        """The same visit with its predicted error. What was computed of the image stays."""
        found = copy.copy(self)
        object.__setattr__(found, "error", error)
        return found


@dataclass(frozen=True, eq=False)
class Series:
    """The aligned visits of an eye.

    Attributes
    ----------
    reference : int
        Index of the visit that all others were registered to.
    why : str
        Why it was chosen.
    visits : list of AlignedVisit
        In the order given, the reference included.
    qualities : list of float
    round_trip_px : dict of (str, str) to float
        Median round-trip error from a visit over another one to the reference, pixels of the network grid (400 x 400).
    between_px : dict of (str, str, str) to float
        The same from a visit over another one to a third that is not the reference; measured if the reference may be at fault.
    order : str
        What the order of the visits rests on, a key of `orders.ORDERS`.
    side : str
        "right", "left" or "" (unknown).
    excluded : dict of str to Exclusion
        Names of the visits that are out of average and change, and why (`trust`).
    asked : dict of str to Exclusion
        Names of the visits that would be excluded if the user had not asked for them.
    eye_length : EyeLength or None
        The axial length, if it is known.
    """

    reference: int
    why: str
    visits: list[AlignedVisit]
    qualities: list[float]
    round_trip_px: dict[tuple[str, str], float] = field(default_factory=dict)
    order: str = "given"
    side: str = ""
    excluded: dict[str, Exclusion] = field(default_factory=dict)
    asked: dict[str, Exclusion] = field(default_factory=dict)
    between_px: dict[tuple[str, str, str], float] = field(default_factory=dict)
    eye_length: EyeLength | None = None

    @property
    def pixel_mm(self) -> tuple[float, float] | None:
        """Distance between rows and between columns of the reference on the retina, mm; None if it is unknown.

        It is what the file states, scaled by the axial length where that is known.
        """
        geometry = self.visits[self.reference].visit.image.geometry
        if not geometry.spacing_known:
            return None
        scale = 1.0 if self.eye_length is None else self.eye_length.scale
        return float(geometry.spacing[0]) * scale, float(geometry.spacing[1]) * scale

    @property
    def size_note(self) -> str:
        """A sentence on a reference without a pixel size, if another visit has one; else empty."""
        known = [entry.visit.name for entry in self.visits if entry.visit.image.geometry.spacing_known]
        if self.pixel_mm is not None or not known:
            return ""
        name = self.visits[self.reference].visit.name
        return (
            f"{name}, the reference, has no pixel size, but {', '.join(known)} has: there are no areas, no lengths, no FAZ and no"
            f" ETDRS regions. Choose {known[0]} as the reference, or state the pixel size of {name}."
        )

    @property
    def poor(self) -> dict[str, Exclusion]:
        """Visits of low signal quality that are used because fewer than two would be left without them, and nobody asked."""
        by_name = {entry.visit.name: value for entry, value in zip(self.visits, self.qualities, strict=True)}
        names = [entry.visit.name for entry in self.used if entry.visit.name not in self.asked]
        return {name: low_quality(by_name[name]) for name in names if by_name[name] < LEAST_QUALITY}

    @property
    def used(self) -> list[AlignedVisit]:
        """The visits that are averaged, and compared unless others are named: aligned and not excluded."""
        return [entry for entry in self.visits if entry.aligned and entry.visit.name not in self.excluded]

    @property
    def in_time(self) -> list[AlignedVisit]:
        """The used visits that have a place in time: among visits with dates, one without a date has none."""
        dated = sum(entry.visit.when is not None for entry in self.visits) > 1
        return [entry for entry in self.used if entry.visit.when is not None or not dated]

    @property
    def centre_xy(self) -> tuple[float, float] | None:
        """The centre of the ETDRS grid, (x, y) in pixels of the reference, if a visit has one; that of the reference first."""
        entries = [self.visits[self.reference], *self.visits]
        given = next((entry for entry in entries if entry.aligned and entry.visit.centre_xy is not None), None)
        if given is None:
            return None
        away = np.linalg.norm(given.positions - np.array(given.visit.centre_xy[::-1]), axis=-1)
        row, column = np.unravel_index(int(np.argmin(away)), away.shape)
        return float(column), float(row)

    @cached_property
    def fovea(self) -> Fovea:
        """The suggested fovea, by all used visits together; by the reference if none is used."""
        entries = self.used or [self.visits[self.reference]]
        return suggested_fovea([entry.visit.name for entry in entries], [entry.warped for entry in entries])

    def centre(self, chosen_xy: tuple[float, float] | None = None) -> tuple[float, float]:
        """The centre of the ETDRS grid, (x, y) in pixels of the reference: the chosen one, that of a visit, or the suggested one.

        Raises
        ------
        InputError
            The chosen centre is outside of the reference, or not finite.
        """
        if chosen_xy is not None:
            self.check_centre(chosen_xy)
        return chosen_xy or self.centre_xy or self.fovea.centre_xy

    def check_centre(self, centre_xy: tuple[float, float]) -> None:
        """Raise an `InputError` if a centre of the ETDRS grid, (x, y), is outside of the reference, or not finite."""
        visit = self.visits[self.reference].visit
        check_centre(centre_xy, visit.image.geometry.size, f"{{field}} on {visit.name}", "centre")

    def landmark_distance_px(self, index: int) -> float:
        """Mean distance of a visit's landmarks from the mapped ones of the reference, in pixels of the visit; NaN without."""
        entry, fixed = self.visits[index], self.visits[self.reference].visit.landmarks
        if index == self.reference or not entry.aligned or fixed is None or entry.visit.landmarks is None:
            return math.nan
        try:
            moving, fixed = match_landmarks(entry.visit.landmarks, fixed)
        except InputError as error:
            raise error.within(f"{entry.visit.name}: ") from None
        return float(np.linalg.norm(positions_at(entry.positions, fixed.points) - moving.points, axis=-1).mean())

    @cached_property
    def inconsistent(self) -> list[str]:
        """Visits at fault where round-trip errors are over `LEAST_CONSISTENCY_PX`."""
        return self.inconsistent_over(LEAST_CONSISTENCY_PX)

    def inconsistent_over(self, limit_px: float) -> list[str]:
        """Visits at fault where round-trip errors are over a limit; the reference, if the others agree without it."""
        names = [entry.visit.name for entry in self.visits]
        poor = [name for name, value in zip(names, self.qualities, strict=True) if value < LEAST_QUALITY]
        return inconsistent_visits(names[self.reference], names, self.round_trip_px, self.between_px, limit_px, poor)
