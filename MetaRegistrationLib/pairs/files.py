"""One pair of images: its files, and the images and landmarks that are read from them."""

from __future__ import annotations

import hashlib
import math
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .. import calibration
from ..core.geometry import Geometry
from ..errors import InputError
from ..formats.headers import ImageHeader, read_header
from ..formats.image_files import file_suffix, where_it_leads
from ..formats.images import Image, check_image, read_image, with_spacing
from ..formats.landmarks import (
    Landmarks,
    match_landmarks,
    read_landmark_pairs,
    unmatched_labels,
)
from ..formats.links import is_broken_link
from ..formats.markups import ignored_lists
from ..formats.pixel_files import with_pixels
from .points import Seen, check_inside, read_points

_ASPECT_LIMIT = calibration.ASPECT_LIMIT.value
_EXTENT_LIMIT = calibration.EXTENT_LIMIT.value


class PairError(InputError):
    """A pair that cannot be used; `files` are the files at fault."""

    def __init__(
        self, problem: str, files: tuple[Path, ...] = (), *, field: str | None = None, advice: str = ""
    ) -> None:
        super().__init__(problem, field=field, advice=advice)
        self.files = files


@dataclass(frozen=True, eq=False)
class ImagePair:
    """A pair as read: two images, and their corresponding landmarks in the same order if both have some.

    `notes` are sentences on ignored content, such as landmarks without a partner.
    """

    name: str
    moving: Image
    fixed: Image
    moving_landmarks: Landmarks | None = None
    fixed_landmarks: Landmarks | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PairHeaders:
    """As `ImagePair`, from the headers of the images: their pixels were not read."""

    name: str
    moving: ImageHeader
    fixed: ImageHeader
    moving_landmarks: Landmarks | None = None
    fixed_landmarks: Landmarks | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class GivenSize:
    """The pixel size of an image that the user gives, micrometres, and whether it overrides the file."""

    spacing_um: float | None
    override: bool

    def read(self, path: Path, slice_index: int | None) -> Image:
        """The image with the pixel size of its file."""
        try:
            return read_image(path, slice_index=slice_index)
        except InputError:
            if self.spacing_um is None or not self.override:
                raise
            return read_image(path, slice_index=slice_index, spacing_um=self.spacing_um, override=True)

    def header(self, path: Path, slice_index: int | None, *, printed: bool) -> ImageHeader:
        """As `read`, of the header alone."""
        try:
            return read_header(path, slice_index=slice_index, printed=printed)
        except InputError:
            if self.spacing_um is None or not self.override:
                raise
            return ImageHeader.of(self.read(path, slice_index))

    def of(self, image: Seen) -> Seen:
        """The image with the pixel size to use."""
        return with_spacing(image, self.spacing_um, override=self.override)

    def notes(self, image: Seen) -> tuple[str, ...]:
        """Note that a file has another pixel size."""
        geometry = image.geometry
        if self.spacing_um is None or not (self.override and geometry.spacing_known):
            return ()
        stated = [1000 * step for step in geometry.spacing[::-1]]
        if all(math.isclose(step, self.spacing_um, rel_tol=1e-3) for step in stated):
            return ()
        return (
            f"{image.path}: its own pixel size of {stated[0]:.4g} x {stated[1]:.4g} um was overridden by"
            f" {self.spacing_um:.4g} um, as requested",
        )


@dataclass(frozen=True)
class PairFiles:
    """Files of one pair.

    Attributes
    ----------
    name : str
        Unique in its folder, and usable as a file name.
    moving, fixed : Path
        The images.
    landmarks : Path or None
        CSV with the landmarks of both images in pixels; it is used instead of the two files below.
    moving_landmarks, fixed_landmarks : Path or None
        Landmarks of one image each.
    split : str or None
        Such as "fine_tune" or "test".
    spacing_um : float or None
        Pixel size for images that carry none, micrometres.
    override_spacing : bool
        `spacing_um` overrides the pixel size in the files.
    moving_spacing_um, fixed_spacing_um : float or None
        Pixel size of one of the images, micrometres; it overrides the file and `spacing_um`.
    slice_index : int or None
        Slice to take from images that are stacks, counted from 0.
    moving_slice_index, fixed_slice_index : int or None
        The same for one of the images; they override `slice_index`.
    moving_mask, fixed_mask : Path or None
        Tissue masks: image files of the images' sizes, not zero in tissue. By default the mask is found.
    """

    name: str
    moving: Path
    fixed: Path
    landmarks: Path | None = None
    moving_landmarks: Path | None = None
    fixed_landmarks: Path | None = None
    split: str | None = None
    spacing_um: float | None = None
    slice_index: int | None = None
    moving_slice_index: int | None = None
    fixed_slice_index: int | None = None
    moving_mask: Path | None = None
    fixed_mask: Path | None = None
    override_spacing: bool = False
    moving_spacing_um: float | None = None
    fixed_spacing_um: float | None = None

    @property
    def has_landmarks(self) -> bool:
        """Whether landmarks are given."""
        return any(path is not None for path in (self.landmarks, self.moving_landmarks, self.fixed_landmarks))

    def paths(self) -> tuple[Path, ...]:
        """All files of the pair."""
        points = (self.landmarks, self.moving_landmarks, self.fixed_landmarks)
        paths = (self.moving, self.fixed, *points, self.moving_mask, self.fixed_mask)
        return tuple(path for path in paths if path is not None)

    @property
    def has_landmark_pairs(self) -> bool:
        """Whether there are landmark files for both images."""
        return self.landmarks is not None or None not in (self.moving_landmarks, self.fixed_landmarks)

    def check_paths(self) -> None:
        """Raise `PairError` when a file is missing, or moving and fixed are the same file. Reads nothing."""
        found = {path: _stat(path) for path in self.paths()}
        missing = tuple(path for path, seen in found.items() if seen is None or not stat.S_ISREG(seen.st_mode))
        if missing:
            folders = tuple(path for path in missing if found[path] is not None and stat.S_ISDIR(found[path].st_mode))
            if folders:
                raise PairError(f"{_listed(folders)}: a folder, but one file was expected. Name a file in it.", folders)
            broken = tuple(path for path in missing if is_broken_link(path))
            if broken:
                raise PairError(f"{broken[0]}: {where_it_leads(broken[0])}", broken[:1])
            raise PairError(f"{_listed(missing)}: no such file. Check the path.", missing)
        if os.path.samestat(found[self.moving], found[self.fixed]):
            raise PairError(f"{self.moving}: moving and fixed are the same file. Name two images.", (self.moving,))

    def load(self) -> ImagePair:
        """Read and check the images and their landmarks.

        Raises
        ------
        PairError
            An `InputError` that also holds the files at fault: missing, unreadable, constant or NaN images, images
            too different in shape or extent, masks of another size, malformed landmarks or landmarks outside of their
            image.
        """
        return ImagePair(*self._checked(self._image))

    def headers(self) -> PairHeaders:
        """Check the pair as `load` does, as far as the headers of its images and its landmarks show.

        Raises
        ------
        PairError
            As of `load`. Constant, NaN and damaged pixels do not show, and of masks only the size is checked.
        """
        return PairHeaders(*self._checked(self._header))

    def _checked(self, read: Callable[[Path, int | None, Path | None, GivenSize], Seen]) -> tuple:
        """The fields of an `ImagePair`, the images as `read` gives them."""
        self.check_paths()
        moving_size, fixed_size = (self._spacing(own) for own in (self.moving_spacing_um, self.fixed_spacing_um))
        moving_file = read(self.moving, self.moving_slice_index, self.moving_mask, moving_size)
        fixed_file = read(self.fixed, self.fixed_slice_index, self.fixed_mask, fixed_size)
        with _blaming(self.moving, self.fixed):
            moving, fixed = moving_size.of(moving_file), fixed_size.of(fixed_file)
            check_sizes(moving, fixed)
        notes = (*_notes(moving), *_notes(fixed), *moving_size.notes(moving_file), *fixed_size.notes(fixed_file))
        moving_points, fixed_points, left = self._landmarks(moving, fixed, moving_file.geometry, fixed_file.geometry)
        return self.name, moving, fixed, moving_points, fixed_points, (*notes, *left, *self._ignored_lists())

    def _ignored_lists(self) -> Iterator[str]:
        """Notes on lists of points that were not read."""
        for path in () if self.landmarks is not None else (self.moving_landmarks, self.fixed_landmarks):
            if path is not None and file_suffix(path) == ".mrk.json":
                yield from ignored_lists(path)

    def fingerprint(self) -> str:
        """Identity of a pair's images and masks with all their pixels, without their names: the start of a SHA-256."""
        return _fingerprint(self.moving, self.fixed, self.moving_mask, self.fixed_mask)

    def landmarks_fingerprint(self) -> str:
        """As `fingerprint`, of the landmark files; empty without any."""
        return _fingerprint(self.landmarks, self.moving_landmarks, self.fixed_landmarks) if self.has_landmarks else ""

    def reading(self) -> dict:
        """Pixel sizes and slices with which the images are read, as far as some are given, as plain values."""
        return {name: getattr(self, name) for name in _READING if getattr(self, name) not in (None, False)}

    def _spacing(self, own: float | None) -> GivenSize:
        return GivenSize(self.spacing_um, self.override_spacing) if own is None else GivenSize(own, True)

    def _image(self, path: Path, own_slice: int | None, mask: Path | None, size: GivenSize) -> Image:
        """The image with the pixel size of its file; the given size is used only if the file's cannot be understood."""
        index = self.slice_index if own_slice is None else own_slice
        with _blaming(path):
            image = size.read(path, index)
            check_image(image)
        if mask is None:
            return image
        with _blaming(mask):
            return replace(image, mask=read_mask(mask, image, slice_index=index))

    def _header(self, path: Path, own_slice: int | None, mask: Path | None, size: GivenSize) -> ImageHeader:
        """As `_image`, of the headers."""
        index = self.slice_index if own_slice is None else own_slice
        points = self.moving_landmarks, self.fixed_landmarks
        with _blaming(path):
            printed = any(file is not None and file_suffix(file) != ".csv" for file in points)
            header = size.header(path, index, printed=printed)
        if mask is not None:
            with _blaming(mask):
                _check_mask_size(mask, read_header(mask, slice_index=index).geometry.size, header)
        return header

    def _landmarks(
        self, moving: Seen, fixed: Seen, moving_own: Geometry, fixed_own: Geometry
    ) -> tuple[Landmarks | None, Landmarks | None, tuple[str, ...]]:
        """Landmarks in pixels, and notes; `moving_own`, `fixed_own` are the geometries by the files alone."""
        if self.landmarks is not None:
            with _blaming(self.landmarks):
                moving_points, fixed_points = read_landmark_pairs(self.landmarks)
                check_inside(moving_points, moving.geometry, f"{self.landmarks}, moving image")
                check_inside(fixed_points, fixed.geometry, f"{self.landmarks}, fixed image")
                return moving_points, fixed_points, ()
        moving_points = read_image_landmarks(self.moving_landmarks, moving, moving_own)
        fixed_points = read_image_landmarks(self.fixed_landmarks, fixed, fixed_own)
        if moving_points is None or fixed_points is None:
            return moving_points, fixed_points, ()
        notes = [
            f"{path}: without a partner in the other list, and left out: {', '.join(alone)}"
            for path, alone in zip(
                (self.moving_landmarks, self.fixed_landmarks),
                unmatched_labels(moving_points, fixed_points),
                strict=True,
            )
            if alone
        ]
        with _blaming(self.moving_landmarks, self.fixed_landmarks):
            return *match_landmarks(moving_points, fixed_points), tuple(notes)


_READING = (
    "spacing_um",
    "override_spacing",
    "moving_spacing_um",
    "fixed_spacing_um",
    "slice_index",
    "moving_slice_index",
    "fixed_slice_index",
)


def _fingerprint(*paths: Path | None) -> str:
    digest = hashlib.sha256()
    for path in paths:
        for part in (None,) if path is None else with_pixels(path):
            content = part.read_bytes() if part is not None else b""
            digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()[:16]


def read_mask(path: Path, image: Image, *, slice_index: int | None = None) -> np.ndarray:
    """Where a mask file is not zero, bool (H, W); `InputError` unless it has the size of `image` and shows tissue."""
    values = read_image(path, slice_index=slice_index, luminance=True).array
    _check_mask_size(path, values.shape, image)
    mask = np.isfinite(values) & (values != 0)
    if not (mask & np.isfinite(image.array)).any():
        raise InputError(f"{path}: the mask is empty. Tissue is where a mask is not zero.")
    return mask


def _check_mask_size(path: Path, size: tuple[int, int], image: Seen) -> None:
    if size != image.geometry.size:
        expected, found = (f"{columns} x {rows}" for rows, columns in (image.geometry.size, size))
        raise InputError(
            f"{path}: a mask of {expected} pixels was expected, as the image {image.path} has, but it has {found}."
        )


def _notes(image: Seen) -> tuple[str, ...]:
    return image.notes if isinstance(image, Image) else ()


def check_sizes(moving: Seen, fixed: Seen) -> None:
    """Raise `InputError` if two images cannot plausibly show the same thing.

    That is: aspect ratios that differ by more than a factor of 2, or, where both pixel sizes are known, fields of view
    that differ by more than a factor of 4 in height or width.
    """
    known = moving.geometry.spacing_known and fixed.geometry.spacing_known
    extents = [_extent(image.geometry, known) for image in (moving, fixed)]
    shown = " and ".join(f"{width:.4g} x {height:.4g} {'mm' if known else 'pixels'}" for height, width in extents)
    aspects = [height / width for height, width in extents]
    if _ratio(*aspects) > _ASPECT_LIMIT:
        raise InputError(
            f"size clash: {shown} differ in aspect ratio by more than a factor of {_ASPECT_LIMIT:g}."
            " Crop one image to the region of the other."
        )
    if known and max(map(_ratio, *extents)) > _EXTENT_LIMIT:
        raise InputError(
            f"size clash: fields of view of {shown} differ by more than a factor of {_EXTENT_LIMIT:g}."
            " Crop one image, or correct its pixel size."
        )


def read_image_landmarks(path: Path | None, image: Seen, own: Geometry) -> Landmarks | None:
    """Landmarks of `image` in its pixels, checked; None without a path. `own` is the geometry that its file gives."""
    if path is None:
        return None
    with _blaming(path):
        return read_points(path, image, own)


def _extent(geometry: Geometry, known: bool) -> tuple[float, float]:
    scale = geometry.spacing if known else (1.0, 1.0)
    return geometry.size[0] * scale[0], geometry.size[1] * scale[1]


def _ratio(a: float, b: float) -> float:
    return max(a, b) / min(a, b)


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (OSError, ValueError):  # no such file, or a name that is too long for the system, or holds a null byte
        return None


def _listed(paths: tuple[Path, ...]) -> str:
    return ", ".join(map(str, paths))


@contextmanager
def _blaming(*files: Path) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        raise PairError(error.problem, files, field=error.field, advice=error.advice) from error
