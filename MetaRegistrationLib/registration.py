"""From a checkpoint and a pair of images to a `Registration`: field, warped image, carried landmarks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn

from .alignment import Alignment
from .checkpoints import Checkpoint
from .errors import InputError
from .images import Image, tissue
from .landmarks import Landmarks
from .metrics import folding_percent, gradient_magnitude, normalised_cross_correlation
from .pipeline import register_frames
from .preprocessing import Frame, Preprocessing, frame_extent, framed_mask, interpolate_grid, pair_frames
from .refinement import Refinement
from .reframing import reframed
from .spatial import invert_points, warp
from .stages import Stages
from .training.devices import choose_device, place


@dataclass(frozen=True, eq=False)
class Registration:
    """A registered pair. Everything is in the images' own geometry, except what says `frame`.

    Attributes
    ----------
    moving, fixed : Image
        As they were read.
    moving_frame, fixed_frame : Frame
        Where the network's frame lies on them.
    framed_moving, framed_fixed : float32 arrays (size, size)
        The preprocessed images, neither of them warped.
    displacement_px : float32 array (2, size, size)
        The pull field of all stages in frame pixels, channels (row, column).
    seconds : float
        Time from images in memory to the field.
    stages : Stages
        The stages that were asked for.
    alignment, refinement
        What these stages found; None where they were off.
    stage_seconds : dict of str to float
        Time of the preprocessing and of each stage that ran.
    kept : str
        The stage whose field this is: "none" where nothing was moved, "initial", "network" or "refine".
    tissue_moving, tissue_fixed : bool arrays (H, W), optional
        Where the images show tissue; everywhere unless given.
    """

    moving: Image
    fixed: Image
    moving_frame: Frame
    fixed_frame: Frame
    framed_moving: np.ndarray
    framed_fixed: np.ndarray
    displacement_px: np.ndarray
    seconds: float
    stages: Stages = field(default_factory=Stages)
    alignment: Alignment | None = None
    refinement: Refinement | None = None
    stage_seconds: dict[str, float] = field(default_factory=dict)
    kept: str = "refine"
    tissue_moving: np.ndarray | None = None
    tissue_fixed: np.ndarray | None = None

    def record(self) -> dict:
        """What the stages were asked and what they did, as plain values."""
        return {
            "stages": self.stages.to_dict(),
            "alignment": self.alignment and self.alignment.to_dict(),
            "refinement": self.refinement and self.refinement.to_dict(),
            "stage_seconds": self.stage_seconds,
            "kept": self.kept,
        }

    @cached_property
    def scale(self) -> np.ndarray:
        """Moving pixels per fixed pixel without displacement, (row, column)."""
        return np.asarray(self.moving_frame.scale) / np.asarray(self.fixed_frame.scale)

    @cached_property
    def offset(self) -> np.ndarray:
        """Moving pixel position of fixed pixel (0, 0) without displacement."""
        return np.asarray(self.moving_frame.offset) - np.asarray(self.fixed_frame.offset) * self.scale

    @cached_property
    def displacement_moving_px(self) -> np.ndarray:
        """The field on the fixed image's grid, float64 (2, H, W), in pixels of the moving image."""
        height, width = self.fixed.geometry.size
        rows = (np.arange(height) - self.fixed_frame.offset[0]) / self.fixed_frame.scale[0]
        columns = (np.arange(width) - self.fixed_frame.offset[1]) / self.fixed_frame.scale[1]
        displacement = self.displacement_px.astype(np.float64)
        return np.stack(
            [
                interpolate_grid(channel, rows, columns) * step
                for channel, step in zip(displacement, self.moving_frame.scale, strict=True)
            ]
        )

    def moving_positions(self) -> np.ndarray:
        """Where each fixed pixel is found in the moving image: (H, W, 2), (row, column) in moving pixels."""
        grid = np.stack(np.indices(self.fixed.geometry.size), axis=-1)
        return grid * self.scale + self.offset + np.moveaxis(self.displacement_moving_px, 0, -1)

    def displacement_mm(self) -> np.ndarray:
        """The transform from fixed to moving points: LPS vectors (H, W, 3) in mm on the fixed image's pixels.

        This is the one place where pixels become millimetres; it covers images of different size, spacing, position and
        orientation.
        """
        grid = np.stack(np.indices(self.fixed.geometry.size), axis=-1)
        return self.moving.geometry.to_physical(self.moving_positions()) - self.fixed.geometry.to_physical(grid)

    def warped(self) -> np.ndarray:
        """The moving image on the fixed image's grid, float32 (H, W); linear, zero where the moving image ends."""
        positions = np.moveaxis(self.moving_positions(), -1, 0)
        finite = np.where(np.isfinite(self.moving.array), self.moving.array, np.float32(0))
        values = ndimage.map_coordinates(finite, positions, order=1, mode="nearest")
        height, width = self.moving.geometry.size
        # ITK's image ends half a pixel beyond the centres of its border pixels.
        inside = (
            (positions[0] >= -0.5)
            & (positions[0] < height - 0.5)
            & (positions[1] >= -0.5)
            & (positions[1] < width - 0.5)
        )
        return np.where(inside, values, np.float32(0))

    def carry(self, landmarks: Landmarks) -> tuple[Landmarks, np.ndarray]:
        """Landmarks of the moving image in the fixed one, and which of them (N,) converged."""
        points, converged = invert_points(
            self.displacement_moving_px, landmarks.points, scale=tuple(self.scale), offset=tuple(self.offset)
        )
        return Landmarks(landmarks.labels, points), converged

    def unmoved(self, landmarks: Landmarks) -> Landmarks:
        """Landmarks of the moving image in the fixed one as they would lie without the field."""
        return Landmarks(landmarks.labels, (landmarks.points - self.offset) / self.scale)

    @cached_property
    def inside_moving(self) -> np.ndarray:
        """Frame pixels (size, size), bool, in which the moving image shows tissue."""
        return _framed(self.tissue_moving, self.moving, self.moving_frame)

    @cached_property
    def inside_fixed(self) -> np.ndarray:
        """Frame pixels (size, size), bool, in which the fixed image shows tissue."""
        return _framed(self.tissue_fixed, self.fixed, self.fixed_frame)

    @cached_property
    def ncc(self) -> tuple[float, float]:
        """NCC of the preprocessed images before and after, each over the region where both images show tissue."""
        inside_moving, inside_fixed = self.inside_moving, self.inside_fixed
        stack = np.stack([self.framed_moving, inside_moving.astype(np.float32)])[None]
        moved, defined = warp(torch.from_numpy(stack), torch.from_numpy(self.displacement_px)[None])[0].numpy()
        return (
            normalised_cross_correlation(self.framed_moving, self.framed_fixed, inside_fixed & inside_moving),
            normalised_cross_correlation(moved, self.framed_fixed, inside_fixed & (defined > 0.999)),
        )

    @cached_property
    def folding_percent(self) -> float:
        """Share of frame pixels, in percent, at which the field folds."""
        return folding_percent(self.displacement_px)

    @cached_property
    def gradient_magnitude(self) -> float:
        """Mean |grad u| of the field in the frame."""
        return gradient_magnitude(self.displacement_px)


class Registrar:
    """Registers pairs: initial alignment, network, refinement, as far as `stages` has them.

    Parameters
    ----------
    checkpoint : Checkpoint or None
        The network and how images are prepared for it; None where `stages` has no network (the paper's preprocessing).
    device : torch.device or str
        As in `--device`.
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
                "The network needs a checkpoint. Name one with --checkpoint, or leave it out by --no-network."
            )
        self.device = choose_device(device) if isinstance(device, str) else device
        self.stages = stages
        self.preprocessing = checkpoint.build_preprocessing() if checkpoint else Preprocessing()
        self.network: nn.Module | None = place(checkpoint.build(), self.device) if stages.network else None
        self._title = checkpoint.title if checkpoint else ""

    def __call__(self, moving: Image, fixed: Image) -> Registration:
        """Register one pair. The network runs in float32: bfloat16 rounds a displacement of 10 px to a sixteenth.

        Raises
        ------
        InputError
            The network's field is not finite.
        """
        began = time.perf_counter()
        images = (moving, fixed)
        frames = pair_frames(moving.geometry, fixed.geometry, self.preprocessing.size)
        masks = [tissue(image) for image in images]
        framed = [
            self.preprocessing.apply(image.array, frame, mask)
            for image, frame, mask in zip(images, frames, masks, strict=True)
        ]
        inside = [framed_mask(mask, frame) for mask, frame in zip(masks, frames, strict=True)]
        prepared = time.perf_counter()
        extents = [frame_extent(frame, image.geometry) for image, frame in zip(images, frames, strict=True)]
        found = register_frames(
            *framed,
            self._displacement,
            self.stages,
            self.device,
            inside_moving=inside[0],
            inside_fixed=inside[1],
            extents=tuple(extents),
            reframe=lambda alignment: reframed(moving, masks[0], frames[0], alignment, self.preprocessing),
        )
        return Registration(
            *images,
            *frames,
            *framed,
            found.displacement_px,
            time.perf_counter() - began,
            self.stages,
            found.alignment,
            found.refinement,
            {"preprocessing": prepared - began, **found.seconds},
            found.kept,
            *masks,
        )

    def _displacement(self, moving: Tensor, fixed: Tensor) -> Tensor:
        displacement = self.network(moving, fixed)
        if not torch.isfinite(displacement).all():
            raise InputError(
                f"{self._title}: it gives a displacement field that is not finite. Choose another checkpoint."
            )
        return displacement


def _framed(mask: np.ndarray | None, image: Image, frame: Frame) -> np.ndarray:
    return frame.inside(image.geometry.size) if mask is None else framed_mask(mask, frame)
