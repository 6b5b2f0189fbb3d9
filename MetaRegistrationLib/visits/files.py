"""The files of one visit, and the visit that is read from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..formats.images import check_image
from ..pairs.files import GivenSize, read_image_landmarks, read_mask
from .centres import check_centre
from .dates import When
from .scan_sizes import check_file_size, check_scan_size
from .series import Visit


@dataclass(frozen=True)
class VisitFile:
    """The files of one visit, and its date, side and sizes before the image is read.

    Attributes
    ----------
    name : str
        Its own among the visits of the eye; usable as the name of a file.
    path : Path
        The image.
    date : str
        As the user wrote it.
    landmarks, mask : Path or None
        Landmarks of the image, and a tissue mask (not zero in tissue).
    when : When or None
        The date, if one is known.
    side : str
        "right", "left" or "".
    spacing_um : float or None
        Pixel size of this image, micrometres; it overrides the file.
    slice_index : int or None
        Slice to take from a stack, counted from 0.
    centre_xy : (float, float) or None
        Centre of the ETDRS grid, (x, y) in pixels of this image.
    place : str
        Beginning of messages on the centre: the table and its line.
    """

    name: str
    path: Path
    date: str = ""
    landmarks: Path | None = None
    mask: Path | None = None
    when: When | None = None
    side: str = ""
    spacing_um: float | None = None
    slice_index: int | None = None
    centre_xy: tuple[float, float] | None = None
    place: str = ""

    def load(
        self, slice_index: int | None = None, spacing_um: float | None = None, *, override_spacing: bool = False
    ) -> Visit:
        """Read them. `slice_index` and `spacing_um` are those of all visits.

        `spacing_um` is for files without a pixel size; with `override_spacing` it overrides that of the files.

        Raises
        ------
        InputError
            A file is missing or cannot be used; the file is named.
        """
        every = GivenSize(spacing_um, override_spacing)
        size = every if self.spacing_um is None else GivenSize(self.spacing_um, True)
        index = slice_index if self.slice_index is None else self.slice_index
        own = size.read(self.path, index)
        image = size.of(own)
        image = replace(image, notes=(*image.notes, *size.notes(own)))
        if self.mask is not None:
            image = replace(image, mask=read_mask(self.mask, image, slice_index=index))
        check_image(image)
        check = check_file_size if own.geometry.spacing_known and not size.override else check_scan_size
        check(image.geometry, self.path)
        if self.centre_xy is not None:
            check_centre(self.centre_xy, image.geometry.size, self.place or self.path)
        landmarks = read_image_landmarks(self.landmarks, image, own.geometry)
        return Visit(self.name, image, str(self.when or self.date), landmarks, self.when, self.centre_xy)
