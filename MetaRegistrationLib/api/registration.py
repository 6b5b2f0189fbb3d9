"""The result of registering two images, as the public face shows it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import SimpleITK as sitk  # noqa: N813

from ..errors import InputError
from ..formats.landmarks import Landmarks
from ..numeric import whole
from ..registration.moving_visit import INTERPOLATIONS, warp_pixels
from ..registration.predicted_error import error_image, micrometres_a_pixel
from ..stages import LEAST_CONFIDENCE
from .inputs import GivenImage, as_path, as_pixels, as_points, in_plane, truth_value
from .locking import locked
from .precision import own_precision

if TYPE_CHECKING:
    from ..registration.measures import CarriedLandmarks, PairMeasures
    from ..registration.registrar import Registration as Details


class Registration:
    """Two registered images. `register` makes it.

    Positions are (row, column) in pixels, from the centre of the first pixel. The *fixed grid* is the pixels (H, W) of the
    fixed image.

    Attributes
    ----------
    name : str
        Name of the pair.
    measures : PairMeasures
        One row of `metrics.csv`.
    record : dict
        Settings of the result: stages, checkpoint, device, versions.
    details : registration.registrar.Registration
        The result as the library uses it: its images, network grids, alignment and refinement.
    """

    def __init__(
        self,
        details: Details,
        measures: PairMeasures,
        record: dict[str, Any],
        *,
        given: tuple[GivenImage, GivenImage],
        landmarks: CarriedLandmarks | None = None,
    ) -> None:
        self.details, self.measures, self.record = details, measures, record
        self.name = measures.pair
        self._given, self._landmarks = given, landmarks
        self._displacement: np.ndarray | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name in ("_displacement", "error_px", "error_95_px"):
            if state.get(name) is not None:
                locked(state[name])  # a copy of an array is not

    def __repr__(self) -> str:
        height, width = self.details.fixed.geometry.size
        certainty = f"{'confident' if self.confident else 'not confident'} ({self.confidence:.2f})"
        before, after = self.ncc
        return (
            f"<Registration {self.name} on {height} x {width} pixels: {certainty}, result stage {self.result_stage},"
            f" NCC {before:.2f} -> {after:.2f}>"
        )

    @property
    def confidence(self) -> float:
        """Confidence that the result is right, 0 to 1; NaN where no alignment was searched (`initial` "none" or "landmarks")."""
        alignment = self.details.alignment
        return float("nan") if alignment is None else float(alignment.confidence)

    @property
    def confident(self) -> bool:
        """Whether the confidence is at least 0.5. A pair that is not confident is left unchanged. False where it is NaN."""
        return self.confidence >= LEAST_CONFIDENCE

    @property
    def warning(self) -> str:
        """What to check before the result is used, in sentences; "" if there is nothing.

        The pair is not confident, its result contradicts the stated pixel sizes or directions, or the checkpoint was adapted with
        another initial alignment.
        """
        return " ".join(text for text in (str(self.measures["warning"]), _other_initial(self)) if text)

    @property
    def result_stage(self) -> str:
        """The stage whose field is the result: "none" (unchanged), "initial", "network" or "refine"."""
        return self.details.result_stage

    @property
    def ncc(self) -> tuple[float, float]:
        """Normalised cross-correlation of the preprocessed images before and after, where both show tissue."""
        return self.details.ncc

    @property
    def folding_percent(self) -> float:
        """Percent of the network grid's pixels at which the field folds."""
        return self.details.folding_percent

    @cached_property
    @own_precision
    def error_px(self) -> np.ndarray:
        """The predicted error on the fixed grid, float32 (H, W), in pixels of the network grid (400 x 400).

        It is the mean of the errors that are likely at a position. NaN where only one image shows tissue. A predicted error says
        how far a pair of images lets the field be known; it is no measurement (Documentation/Reference/Stages.md).
        """
        return locked(error_image(self.details))

    @cached_property
    @own_precision
    def error_95_px(self) -> np.ndarray:
        """The 95 % bound of the error on the fixed grid, float32 (H, W), in pixels of the network grid; NaN as in `error_px`."""
        return locked(error_image(self.details, bound=True))

    @property
    def error_um(self) -> np.ndarray | None:
        """`error_px` in micrometres; None if the pixel size of the fixed image is not known.

        Where rows and columns differ in their distance, it is that of the mean of both.
        """
        factor = micrometres_a_pixel(self.details)
        return None if np.isnan(factor) else self.error_px * np.float32(factor)

    @property
    def expected_error_px(self) -> float:
        """Mean of `error_px` where it is known, in pixels of the network grid."""
        return float(self.measures["expected_error_px"])

    @property
    def uncertain_percent(self) -> float:
        """Predicted percent of the positions that both images show with an error over 2 px of the network grid."""
        return float(self.measures["uncertain_percent"])

    @property
    def seconds(self) -> float:
        """Time from images in memory to the field."""
        return self.details.seconds

    @property
    @own_precision
    def displacement_px(self) -> np.ndarray:
        """The pull field on the fixed grid, float32 (2, H, W), channels (row, column), in pixels of the moving image.

        Fixed pixel x is found at ``x + displacement_px[:, x]`` in the moving image. The sizes of the two images may differ.
        """
        if self._displacement is None:
            positions = np.moveaxis(self.details.moving_positions(), -1, 0)
            self._displacement = locked((positions - np.indices(positions.shape[1:])).astype(np.float32))
        return self._displacement

    @own_precision
    def warped(self) -> np.ndarray:
        """The moving image on the fixed grid, float32 (H, W), linear; zero where the moving image ends.

        A pixel is NaN where a neighbour in the moving image is. Colour is grey, as registration saw it; `warp` warps the colours.
        """
        return self.details.warped()

    @own_precision
    def warp(self, image: Any, interpolation: str = "nearest", *, fill: float = 0) -> np.ndarray:
        """A further image or label map of the moving visit, on the fixed grid.

        Parameters
        ----------
        image : array (H, W) or (H, W, C), tensor, SimpleITK image, path or Image
            On the pixels of the moving image.
        interpolation : str
            "nearest" for label maps: values and their type stay. "linear" and "cubic" (splines) for images: float32.
        fill : float
            Value where the moving image ends.

        Returns
        -------
        array (h, w) or (h, w, C)

        Raises
        ------
        InputError
            The image has other pixels than the moving image, or there is no such interpolation.
        """
        if not isinstance(interpolation, str) or interpolation not in INTERPOLATIONS:
            raise InputError(f"interpolation: expected one of {', '.join(INTERPOLATIONS)}, got {interpolation!r}.")
        moving = self._given[0]
        pixels = as_pixels(image, moving.image, "image", moving.own if moving.placed else None)
        _check_fill(fill, pixels.dtype if interpolation == "nearest" else np.dtype(np.float32))
        return warp_pixels(pixels, self.details.fixed.geometry.size, self.details.moving_positions, interpolation, fill)

    @own_precision
    def carry(self, points: Any) -> np.ndarray:
        """Points of the moving image in the fixed one, through the inverse of the field.

        Parameters
        ----------
        points : array (N, 2)
            (row, column) in pixels of the moving image.

        Returns
        -------
        float64 array (N, 2)
            (row, column) in pixels of the fixed image. `carry_back` of them misses the points by at most 1e-4 pixels of the
            moving image, or of the network grid where the fixed image has more than 1024 pixels on a side. NaN where the
            field folds and there is no solution.

        Raises
        ------
        InputError
            The points have another shape, are not finite, or some are masked.
        """
        points = as_points(points, "points")
        carried, converged = self.details.carry(Landmarks(("",) * len(points), points))
        return np.where(converged[:, None], carried.points, np.nan)

    @own_precision
    def carry_back(self, points: Any) -> np.ndarray:
        """Points of the fixed image in the moving one: the inverse of `carry`.

        Parameters
        ----------
        points : array (N, 2)
            (row, column) in pixels of the fixed image.

        Returns
        -------
        float64 array (N, 2)
            (row, column) in pixels of the moving image.

        Raises
        ------
        InputError
            The points have another shape, are not finite, or some are masked.
        """
        return self.details.carry_back(as_points(points, "points"))

    @own_precision
    def transform(self, dimension: int | None = None) -> sitk.DisplacementFieldTransform:
        """The transform from fixed to moving points. `SimpleITK.Resample` with it gives the same image as `warped`.

        Parameters
        ----------
        dimension : int, optional
            2 or 3; by default that of the images. Arrays have 2, spacing 1 and origin 0, so that points are pixels
            (column, row), unless `register` was given a spacing. SimpleITK images and files keep the geometry that SimpleITK has
            for them, whatever spacing was given.

        Raises
        ------
        InputError
            Another dimension, or 2 for images that are not in the plane z = 0.
        """
        dimension = max(each.dimension for each in self._given) if dimension is None else dimension
        wanted, dimension = dimension, whole(dimension)
        if dimension not in (2, 3):
            raise InputError(f"dimension: expected 2 or 3, got {wanted!r}.")
        placed = self._as_given()
        vectors, geometry = placed.transform_grid()
        if dimension == 2 and not (in_plane(geometry) and in_plane(placed.moving.geometry)):
            raise InputError("dimension: expected 3, because the images are not in the plane z = 0; got 2.")
        field = vectors[..., :dimension].astype(np.float64)
        image = sitk.GetImageFromArray(field if dimension == 2 else field[None], isVector=True)
        direction = np.asarray(geometry.direction)[:dimension, :dimension]
        image.SetSpacing((*geometry.spacing[::-1], geometry.slice_spacing)[:dimension])
        image.SetOrigin(geometry.origin[:dimension])
        image.SetDirection(direction.ravel().tolist())
        return sitk.DisplacementFieldTransform(image)

    def _as_given(self) -> Details:
        """The result between the images where they were given to lie."""
        images = (self.details.moving, self.details.fixed)
        moving, fixed = (
            image if given.own is None else replace(image, geometry=given.own)
            for image, given in zip(images, self._given, strict=True)
        )
        return replace(self.details, moving=moving, fixed=fixed)

    @own_precision
    def save(self, folder: str | Path, *, replace: bool = False) -> Path:
        """Write the same files as the command line for a pair into `folder`; return the folder.

        The files are those of `registration.results.write_registration`, `metrics.csv` and `summary.json`. Saving the same pair
        again replaces the files of the first time.

        Parameters
        ----------
        folder : path
        replace : bool
            Replace the results of another pair in the folder.

        Raises
        ------
        InputError
            The folder cannot be written to, is or holds one of the two images, or holds other files that would be replaced.
        """
        from ..formats.output_folder import writing
        from ..registration.results import registration_output, write_registration, write_tables

        planned = registration_output(
            as_path(folder, "folder"),
            self.details,
            self.name,
            landmarks=self._landmarks is not None,
            replace=truth_value(replace, "replace"),
        )
        with writing(planned) as folder:
            write_registration(folder, self.details, self._landmarks, self.measures, {**self.record, "pair": self.name})
            write_tables(folder, [self.measures], self.record)
        return folder


def doubts(result: Registration) -> list[str]:
    """The sentences of `Registration.warning` that `confident` does not tell."""
    sizes = result.details.size_message(result.name)
    return [text for text in ("" if sizes is None else sizes.text, _other_initial(result)) if text]


def _other_initial(result: Registration) -> str:
    from ..alignment.aligned import other_initial_message

    found = other_initial_message(result.record.get("adapted_initial"), result.record.get("stages", {}).get("initial"))
    return "" if found is None else found.text


def _check_fill(fill: float, dtype: np.dtype) -> None:
    """Raise an `InputError` unless a number fits a type of pixels."""
    try:
        with np.errstate(over="ignore"):
            fits = dtype.kind == "f" or dtype.type(fill) == fill
            float(fill)
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise InputError(f"fill: expected a number that pixels of {dtype} can have, got {fill!r}.")
