"""From a checkpoint and a pair of images to a `Registration`: field, warped image, carried landmarks."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from ..alignment import Alignment
from ..alignment.field_confidence import field_confidence
from ..checkpoints import Checkpoint
from ..core.geometry import Geometry
from ..core.inverse import map_points
from ..core.metrics import folding_percent, gradient_magnitude, normalised_cross_correlation
from ..core.preprocessing import NetworkGrid, Preprocessing, interpolate_grid, mask_on_grid
from ..core.spatial import invert_points, warp
from ..error_map.judge import shipped_judge
from ..error_map.maps import ErrorMap
from ..errors import InputError
from ..formats.images import Image
from ..formats.landmarks import Landmarks
from ..preparation import PreparedPair, prepare
from ..preparation.stored_axes import StoredAxes, mirrored_axes
from ..progress import Message
from ..refinement import Refinement
from ..stages import LEAST_CONFIDENCE, Stages
from ..training.devices import choose_device, to_device
from .companions import networks_of
from .moving_visit import warp_pixels
from .pipeline import Pipeline, StagedField
from .size_check import scale_found, size_message

_WHOLE_GRID = 1024  # pixels of an image's longer side up to which its field is written on its own pixels
_SCALE_SAMPLES = 64  # positions along a side, of which the scale is the median


@dataclass(frozen=True, eq=False, kw_only=True)
class Registration:
    """A registered pair. Everything is in the images' own geometry, except what says `grid`.

    Attributes
    ----------
    moving, fixed : Image
        As they were read.
    moving_grid, fixed_grid : NetworkGrid
        Their network grids.
    moving_on_grid, fixed_on_grid : float32 arrays (size, size)
        The preprocessed images, neither of them warped.
    displacement_px : float32 array (2, size, size)
        The pull field of all stages in pixels of the network grid, channels (row, column).
    seconds : float
        Time from images in memory to the field.
    stages : Stages
        The stages that were asked for.
    alignment, refinement
        Results of these stages; None if they were off.
    stage_seconds : dict of str to float
        Time of the preprocessing and of each stage that ran.
    result_stage : str
        The stage whose field this is: "none" (left unchanged), "initial", "network" or "refine".
    tissue_moving, tissue_fixed : bool arrays (H, W), optional
        Tissue masks of the images; every pixel by default.
    burnt_in_px : int
        Drawn pixels of both images, which are ignored.
    moving_axes : StoredAxes, optional
        The order in which the axes of a moving image that is stored mirrored were taken. Its network grid and `tissue_moving`
        are in that order. What is in pixels of the moving image is in stored pixels.
    without_directions : bool
        Whether the directions of the files say that the moving image is stored mirrored, and it was registered as stored,
        because that alone was confident.
    error : ErrorMap, optional
        The predicted error of the field, on the fixed network grid.
    candidates : sequence of dict
        Stage, name and predicted error of every candidate for the result.
    """

    moving: Image
    fixed: Image
    moving_grid: NetworkGrid
    fixed_grid: NetworkGrid
    moving_on_grid: np.ndarray
    fixed_on_grid: np.ndarray
    displacement_px: np.ndarray
    seconds: float
    stages: Stages = field(default_factory=Stages)
    alignment: Alignment | None = None
    refinement: Refinement | None = None
    stage_seconds: dict[str, float] = field(default_factory=dict)
    result_stage: str = "refine"
    tissue_moving: np.ndarray | None = None
    tissue_fixed: np.ndarray | None = None
    burnt_in_px: int = 0
    moving_axes: StoredAxes | None = None
    without_directions: bool = False
    error: ErrorMap | None = None
    candidates: Sequence[dict] = ()

    @classmethod
    def of(cls, pair: PreparedPair, result: StagedField, stages: Stages, seconds: float) -> Registration:
        """The registration of a prepared pair by the field of all stages."""
        return cls(
            moving=pair.moving.image,
            fixed=pair.fixed.image,
            moving_grid=pair.moving.grid,
            fixed_grid=pair.fixed.grid,
            moving_on_grid=pair.moving.on_grid,
            fixed_on_grid=pair.fixed.on_grid,
            displacement_px=result.displacement_px,
            seconds=seconds,
            stages=stages,
            alignment=result.alignment,
            refinement=result.refinement,
            stage_seconds={"preprocessing": pair.seconds, **result.seconds},
            result_stage=result.result_stage,
            tissue_moving=pair.moving.tissue,
            tissue_fixed=pair.fixed.tissue,
            burnt_in_px=pair.burnt_in_px,
            error=result.error,
            candidates=result.candidates,
        )

    def record(self) -> dict:
        """The settings and results of the stages, as plain values."""
        axes = self.moving_axes
        mirrored = {} if axes is None else {"moving_axes": {"source": axes.source, "flipped": axes.flipped}}
        return mirrored | {
            "stages": self.stages.to_dict(),
            "alignment": self.alignment and self.alignment.to_dict(),
            "refinement": self.refinement and self.refinement.to_dict(),
            "stage_seconds": self.stage_seconds,
            "kept": self.result_stage,
            "burnt_in_px": self.burnt_in_px,
            "candidates": list(self.candidates),
        }

    @property
    def moving_in_order(self) -> Image:
        """The moving image as its network grid has it: mirrored back where it is stored mirrored."""
        return self.moving if self.moving_axes is None else self.moving_axes.image(self.moving)

    def _to_stored(self, positions: np.ndarray) -> np.ndarray:
        return positions if self.moving_axes is None else self.moving_axes.to_stored(positions)

    def from_stored(self, positions: np.ndarray) -> np.ndarray:
        """Positions (..., 2) in `moving_in_order` of positions in the moving image as stored, (row, column)."""
        return positions if self.moving_axes is None else self.moving_axes.from_stored(positions)

    @cached_property
    def scale(self) -> np.ndarray:
        """Moving pixels per fixed pixel without displacement, (row, column), of `moving_in_order`."""
        return np.asarray(self.moving_grid.scale) / np.asarray(self.fixed_grid.scale)

    @cached_property
    def offset(self) -> np.ndarray:
        """Moving pixel position of fixed pixel (0, 0) without displacement."""
        return np.asarray(self.moving_grid.offset) - np.asarray(self.fixed_grid.offset) * self.scale

    @cached_property
    def displacement_moving_px(self) -> np.ndarray:
        """The field on the fixed image's grid, float64 (2, H, W), in pixels of `moving_in_order`."""
        return self._displacement_at(*map(np.arange, self.fixed.geometry.size))

    def _displacement_at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        rows = (rows - self.fixed_grid.offset[0]) / self.fixed_grid.scale[0]
        columns = (columns - self.fixed_grid.offset[1]) / self.fixed_grid.scale[1]
        return np.stack(
            [
                interpolate_grid(channel.astype(np.float64), rows, columns) * step
                for channel, step in zip(self.displacement_px, self.moving_grid.scale, strict=True)
            ]
        )

    def moving_positions(self, rows: np.ndarray | None = None, columns: np.ndarray | None = None) -> np.ndarray:
        """Positions of fixed pixels in the moving image: (R, C, 2), (row, column) in moving pixels.

        Parameters
        ----------
        rows, columns : arrays (R,) and (C,), optional
            Of the fixed image, in pixels; all of them by default.
        """
        height, width = self.fixed.geometry.size
        rows = np.arange(height) if rows is None else np.asarray(rows)
        columns = np.arange(width) if columns is None else np.asarray(columns)
        grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
        return self._to_stored(
            grid * self.scale + self.offset + np.moveaxis(self._displacement_at(rows, columns), 0, -1)
        )

    def displacement_mm(self) -> np.ndarray:
        """The transform from fixed to moving points: LPS vectors (H, W, 3) in mm on the fixed image's pixels.

        It covers images of different size, spacing, position and orientation.
        """
        return self._displacement_mm_at(*map(np.arange, self.fixed.geometry.size))

    def _displacement_mm_at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        # Only here do pixels become millimetres.
        grid = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
        moving = self.moving.geometry.to_physical(self.moving_positions(rows, columns))
        return moving - self.fixed.geometry.to_physical(grid)

    def transform_grid(self) -> tuple[np.ndarray, Geometry]:
        """The transform to be written: vectors as of `displacement_mm` (h, w, 3), and their geometry.

        Vectors are on the fixed image's pixels. If there are many more pixels than nodes of the field, they are on the nodes,
        with one more node all around. Linear interpolation between them, as SimpleITK has it, is the same transform.
        """
        geometry, frame = self.fixed.geometry, self.fixed_grid
        if max(geometry.size) <= _WHOLE_GRID:
            return self.displacement_mm(), geometry
        nodes = np.arange(-1, frame.size + 1)
        rows, columns = (nodes * step + start for step, start in zip(frame.scale, frame.offset, strict=True))
        spacing = tuple(step * size for step, size in zip(frame.scale, geometry.spacing, strict=True))
        origin = tuple(geometry.to_physical(np.array([rows[0], columns[0]])).tolist())
        place = replace(geometry, size=(len(rows), len(columns)), spacing=spacing, origin=origin)
        return self._displacement_mm_at(rows, columns), place

    def warped(self) -> np.ndarray:
        """The moving image on the fixed image's grid, float32 (H, W); linear, zero where the moving image ends.

        A pixel is NaN where a neighbour in the moving image is.
        """
        size, threads = self.fixed.geometry.size, torch.get_num_threads()
        return warp_pixels(self.moving.array, size, self.moving_positions, "linear", threads=threads)

    def carry(self, landmarks: Landmarks) -> tuple[Landmarks, np.ndarray]:
        """Landmarks of the moving image in the fixed one, and which of them (N,) converged."""
        places = self.from_stored(landmarks.points)
        if max(self.fixed.geometry.size) <= _WHOLE_GRID:
            points, converged = invert_points(
                self.displacement_moving_px, places, scale=tuple(self.scale), offset=tuple(self.offset)
            )
        else:
            found, converged = invert_points(self.displacement_px, self.moving_grid.from_image(places))
            points = self.fixed_grid.to_image(found)
        return Landmarks(landmarks.labels, points), converged

    def carry_back(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 2) of the fixed image in the moving one, (row, column) in pixels: the inverse of `carry`."""
        if max(self.fixed.geometry.size) <= _WHOLE_GRID:
            found = map_points(self.displacement_moving_px, points, scale=tuple(self.scale), offset=tuple(self.offset))
        else:
            found = self.moving_grid.to_image(map_points(self.displacement_px, self.fixed_grid.from_image(points)))
        return self._to_stored(found)

    def unmoved(self, landmarks: Landmarks) -> Landmarks:
        """Landmarks of the moving image in the fixed one, without the field."""
        return Landmarks(landmarks.labels, (self.from_stored(landmarks.points) - self.offset) / self.scale)

    @cached_property
    def inside_moving(self) -> np.ndarray:
        """Tissue mask of the moving image on its network grid, bool (size, size)."""
        return _framed(self.tissue_moving, self.moving, self.moving_grid)

    @cached_property
    def inside_fixed(self) -> np.ndarray:
        """Tissue mask of the fixed image on its network grid, bool (size, size)."""
        return _framed(self.tissue_fixed, self.fixed, self.fixed_grid)

    @cached_property
    def ncc(self) -> tuple[float, float]:
        """NCC of the preprocessed images before and after, each over the region where both images show tissue."""
        inside_moving, inside_fixed = self.inside_moving, self.inside_fixed
        stack = np.stack([self.moving_on_grid, inside_moving.astype(np.float32)])[None]
        moved, defined = warp(torch.from_numpy(stack), torch.from_numpy(self.displacement_px)[None])[0].numpy()
        return (
            normalised_cross_correlation(self.moving_on_grid, self.fixed_on_grid, inside_fixed & inside_moving),
            normalised_cross_correlation(moved, self.fixed_on_grid, inside_fixed & (defined > 0.999)),
        )

    @cached_property
    def confidence(self) -> float:
        """Confidence, 0 to 1, of the initial alignment; without one, of the field itself (`field_confidence`)."""
        if self.alignment is not None:
            return self.alignment.confidence
        inside = {"inside_moving": self.inside_moving, "inside_fixed": self.inside_fixed}
        return field_confidence(self.moving_on_grid, self.fixed_on_grid, self.displacement_px, **inside)

    @cached_property
    def confident(self) -> bool:
        """Whether there is an initial alignment that is confident."""
        return _trust(self) >= LEAST_CONFIDENCE

    @cached_property
    def scale_found(self) -> float:
        """As of `size_check.scale_found`; NaN for an alignment that is not confident."""
        if not self.confident:
            return math.nan
        moving, fixed = self.moving.geometry, self.fixed.geometry
        step = max(min(fixed.size) // _SCALE_SAMPLES, 1)
        positions = self.moving_positions(*(np.arange(0, extent, step) for extent in fixed.size))
        return scale_found(positions, moving, fixed, step)

    def size_message(self, name: str) -> Message | None:
        """The warning of the pair called `name` that `scale_found` contradicts the stated pixel sizes; None if it does not."""
        sides = [
            (str(image.path or role), image.geometry)
            for role, image in (("moving", self.moving), ("fixed", self.fixed))
        ]
        return size_message(name, self.scale_found, *sides)

    @cached_property
    def folding_percent(self) -> float:
        """Share of pixels of the network grid, in percent, at which the field folds."""
        return folding_percent(self.displacement_px)

    @cached_property
    def gradient_magnitude(self) -> float:
        """Mean |grad u| of the field on the network grid."""
        return gradient_magnitude(self.displacement_px)


class Registrar:
    """Registers pairs: initial alignment, network and refinement, as `stages` says.

    Parameters
    ----------
    checkpoint : Checkpoint or None
        The network and how images are prepared for it; None if `stages` has no network (the paper's preprocessing).
    device : torch.device or str
        A device, or its name: auto, cpu, cuda, cuda:N or mps.
    stages : Stages

    Raises
    ------
    InputError
        The stages need a checkpoint and there is none, or the checkpoint or the device cannot be used.
    """

    def __init__(
        self,
        checkpoint: Checkpoint | None,
        device: torch.device | str = "auto",
        stages: Stages = Stages(),  # noqa: B008  (frozen)
    ):
        if checkpoint is None and stages.network:
            raise InputError(
                "The network needs a checkpoint.",
                field="checkpoint",
                advice="Name one with {field}, or leave the network out.",
            )
        self.device = choose_device(device) if isinstance(device, str) else device
        self.stages = stages
        self.preprocessing = checkpoint.build_preprocessing() if checkpoint else Preprocessing()
        self.network: nn.Module | None = to_device(checkpoint.build(), self.device) if stages.network else None
        self._title = checkpoint.title if checkpoint else ""
        self._kind = "network" if checkpoint and checkpoint.of_object else "checkpoint"
        self._networks = networks_of(checkpoint, self._displacement, self.device) if stages.network else []
        self.pipeline = Pipeline(stages, self._networks, self.device, shipped_judge(self.device))

    def with_networks(self, wrapped: Callable[[Callable], Callable]) -> Registrar:
        """The same registrar, each network of which is called through what `wrapped` makes of it."""
        found = copy.copy(self)
        networks = [replace(each, network=wrapped(each.network)) for each in self._networks]
        found.pipeline = Pipeline(self.stages, networks, self.device, shipped_judge(self.device))
        return found

    def __call__(
        self, moving: Image, fixed: Image, landmarks: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Registration:
        """Register one pair.

        If the directions of both files say that the moving image is stored mirrored, it is mirrored back before. If that is not
        confident, and registering it as stored is, its directions are ignored. The network runs in float32: bfloat16 rounds a
        displacement of 10 px to a sixteenth.

        Parameters
        ----------
        landmarks : (array (N, 2), array (N, 2)), optional
            Corresponding pixels of the moving and the fixed image; they are used for the initial alignment by landmarks only.

        Raises
        ------
        InputError
            The network's field is not finite, or the landmarks do not determine the alignment.
        """
        axes = mirrored_axes(moving, fixed)
        if axes is None:
            return self._as_stored(moving, fixed, landmarks)
        places = landmarks and (axes.from_stored(np.asarray(landmarks[0], dtype=float)), landmarks[1])
        found = self._as_stored(axes.image(moving), fixed, places)
        found = replace(found, moving=moving, moving_axes=axes)
        if found.confident:
            return found
        plain = self._as_stored(moving, fixed, landmarks)
        if plain.confident or (found.alignment is None and plain.ncc[1] > found.ncc[1]):
            return replace(plain, without_directions=True)
        return found

    def _as_stored(self, moving: Image, fixed: Image, landmarks: tuple[np.ndarray, np.ndarray] | None) -> Registration:
        began = time.perf_counter()
        pair = prepare(moving, fixed, self.preprocessing)
        on_grids = landmarks and tuple(grid.from_image(at) for grid, at in zip(pair.grids, landmarks, strict=True))
        field = self.pipeline(pair, on_grids)
        return Registration.of(pair, field, self.stages, time.perf_counter() - began)

    def _displacement(self, moving: Tensor, fixed: Tensor) -> Tensor:
        displacement = self.network(moving, fixed)
        if not torch.isfinite(displacement).all():
            raise InputError(
                f"{self._title}: it gives a displacement field that is not finite. Choose another {self._kind}."
            )
        return displacement


def _trust(registration: Registration) -> float:
    """The confidence of the alignment; 0 without one."""
    return 0.0 if registration.alignment is None else registration.alignment.confidence


def _framed(mask: np.ndarray | None, image: Image, frame: NetworkGrid) -> np.ndarray:
    return frame.inside(image.geometry.size) if mask is None else mask_on_grid(mask, frame)
