"""The stages of a registration on a pair of frames: initial alignment, network, refinement."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..alignment import Alignment, align
from ..alignment.aligned import hides_tissue, seen_by_network, total_displacement
from ..alignment.blocks import DIRECTIONS
from ..alignment.from_points import align_by_points
from ..alignment.reframing import Reframed
from ..alignment.second_look import SecondLook
from ..refinement import Refinement, RefinementSettings, refine
from ..stages import Stages
from ..training.devices import as_batch

# Mean cosine by which the images have to agree more after the network, and after the refinement: what a stage adds where
# there is nothing left to deform is its own noise. Views of a sphere that the alignment had brought together to 0.1 px gained at
# most 0.014 by the network and 0.005 by the refinement, and lay 0.1 to 0.7 px apart after them; real repeat scans, which the
# alignment leaves 0.5 px apart or more, 0.029 and more; sections under an electron microscope, 0.35 px apart, 0.003 to 0.012.
_GAIN_OF_NETWORK, _GAIN_OF_REFINEMENT = 0.015, 0.006
# Mean cosine of all directions from which on the network's field is believed. Of a hundred pairs of unrelated images it brought
# all but one below 0.40, and other stains and modalities, which it has not learned, below 0.49; OCTA repeats to 0.6 and more.
_BELIEVED = 0.49
# By how much the directions that an alignment went by have to agree more under the field of a network that has learned unlike
# contrasts to believe it all the same: where ridges turn to valleys they never come near the above. Of thirty such pairs it
# brought those that it made better 0.15 to 0.24, the others at most 0.11. One that has not learned them matches what does not
# belong together, and gains 0.3 by it.
_GAINED = 0.13
# Where edges and ridges do not run alike (below this mean cosine of all directions), a refinement has to make what the alignment
# went by agree more by this share of what it does: eight pairs of two contrasts that lay in place gained at most 0.08 of it
# and were moved by up to 0.7 px for that, those that had something left to deform 0.16 and more.
_ALIKE, _SHARE = 0.3, 0.1
# The same as a confidence, for pairs whose alignment alone is not sure: a half there, by its steepness.
_HALF_SURE, _SURENESS = 0.52, 20.0


@dataclass(frozen=True, eq=False)
class StagedField:
    """The field of all stages.

    Attributes
    ----------
    displacement_px : float32 array (2, size, size)
        Pull field in frame pixels, channels (row, column).
    alignment, refinement
        What these stages found; None where they were off.
    seconds : dict of str to float
        Time of each stage that ran, by its name in `Stages`.
    kept : str
        The stage whose field this is: "none" where nothing was moved, "initial", "network" or "refine".
    """

    displacement_px: np.ndarray
    alignment: Alignment | None
    refinement: Refinement | None
    seconds: dict[str, float]
    kept: str


def register_frames(
    moving: np.ndarray,
    fixed: np.ndarray,
    network: Callable[[Tensor, Tensor], Tensor] | None,
    stages: Stages,
    device: torch.device,
    *,
    inside_moving: np.ndarray | None = None,
    inside_fixed: np.ndarray | None = None,
    drawn_surround: bool = False,
    extents: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 1.0), (1.0, 1.0)),
    reframe: Callable[[Alignment | None], Reframed | None] = lambda alignment: None,
    knows_contrasts: bool = False,
    points: tuple[np.ndarray, np.ndarray] | None = None,
) -> StagedField:
    """Register a pair of preprocessed frames.

    Where an initial alignment was asked for and is not sure, nothing is moved: neither network nor refinement can know better.
    Where it is sure, a second look decides between what network and refinement made of it and the alignment itself.

    Parameters
    ----------
    moving, fixed : float32 arrays (size, size) in [0, 1]
    network : callable
        ``network(moving, fixed) -> displacement_px`` on tensors (1, 1, size, size) of `device`; it gets the aligned moving
        image. Not needed where `stages` leaves it out.
    stages : Stages
    device : torch.device
    inside_moving, inside_fixed : bool arrays (size, size), optional
        Where the images are defined.
    drawn_surround : bool
        What lies outside is a frame or a mask that was drawn: the network sees both images continued beyond what both show,
        unless that would hide tissue (`hides_tissue`).
    extents : ((float, float), (float, float))
        Height and width that the moving and the fixed frame show, see `align`.
    reframe : callable
        Gives the moving image in a frame that suits an alignment, or None where the frame serves as it is.
    knows_contrasts : bool
        The network has learned from pairs of unlike contrast.
    points : (array (N, 2), array (N, 2)), optional
        Corresponding positions in the moving and the fixed frame, for the initial alignment by landmarks.

    Raises
    ------
    InputError
        The alignment is to go by landmarks, and these do not tell it.
    """
    seconds: dict[str, float] = {}
    inside = {"inside_moving": inside_moving, "inside_fixed": inside_fixed}
    opinion = _opinion(moving, fixed, network, device, inside, drawn_surround) if stages.network else None
    alignment = None
    if stages.initial == "landmarks":
        with _timed(seconds, "initial"):
            alignment = _by_points(moving, fixed, points, inside)
    elif stages.initial != "none":
        with _timed(seconds, "initial"):
            alignment = align(
                moving,
                fixed,
                stages.initial,
                **inside,
                extent_moving=extents[0],
                extent_fixed=extents[1],
                device=device,
                second_opinion=opinion,
            )
    view = reframe(alignment)
    if view is None:
        displacement, refinement, kept = _later_stages(
            moving, fixed, network, stages, device, alignment, inside, drawn_surround, seconds, knows_contrasts
        )
    else:
        inside = {**inside, "inside_moving": view.inside}
        displacement, refinement, kept = _later_stages(
            view.moving,
            fixed,
            network,
            stages,
            device,
            view.alignment,
            inside,
            drawn_surround,
            seconds,
            knows_contrasts,
        )
        displacement = view.displacement_of_former(displacement)
    return StagedField(displacement[0].float().cpu().numpy(), alignment, refinement, seconds, kept)


def _by_points(
    moving: np.ndarray,
    fixed: np.ndarray,
    points: tuple[np.ndarray, np.ndarray] | None,
    inside: dict[str, np.ndarray | None],
) -> Alignment:
    """The alignment that landmarks tell, and what the two contrasts have in common there."""
    alignment = align_by_points(*(points or (np.empty((0, 2)), np.empty((0, 2)))))
    start = total_displacement(alignment, torch.zeros(1, 2, *fixed.shape))
    alike = {
        directions: SecondLook(moving, fixed, start, **inside, directions=directions)(start)
        for directions in DIRECTIONS
    }
    return replace(alignment, directions=max(alike, key=alike.__getitem__))


def _later_stages(
    moving: np.ndarray,
    fixed: np.ndarray,
    network: Callable[[Tensor, Tensor], Tensor] | None,
    stages: Stages,
    device: torch.device,
    alignment: Alignment | None,
    inside: dict[str, np.ndarray | None],
    drawn_surround: bool,
    seconds: dict[str, float],
    knows_contrasts: bool,
) -> tuple[Tensor, Refinement | None, str]:
    """The total displacement (1, 2, size, size), what the refinement found, and the stage that was kept."""
    fixed_batch = as_batch([fixed], device)
    displacement = total_displacement(alignment, fixed_batch.new_zeros(1, 2, *fixed.shape))
    refinement, kept = None, "initial" if alignment and alignment.kind != "none" else "none"
    if (alignment is not None and kept == "none") or not (stages.network or stages.refine):
        return displacement, refinement, kept
    look = _look(moving, fixed, displacement, alignment, inside, knows_contrasts)
    if stages.network:
        with _timed(seconds, "network"), torch.no_grad():
            found = _behind(moving, fixed, network, device, alignment, _surround(inside, drawn_surround))
        if look.believes_network(found):
            kept, displacement = "network", found
    if stages.refine:
        with _timed(seconds, "refine"):
            masks = {name: _mask(mask, device) for name, mask in inside.items()}
            settings = RefinementSettings(steps=stages.refine)
            refinement = refine(as_batch([moving], device), fixed_batch, displacement, settings, **masks)
        if look.helped(refinement.displacement_px):
            kept, displacement = "refine", refinement.displacement_px
    return displacement, refinement, kept


class _Trusting:
    """The look where no alignment was asked for: as in the paper, the network's field is taken as it comes."""

    def believes_network(self, displacement_px: Tensor) -> bool:
        """Always."""
        return True

    helped = believes_network


class _Judging:
    """A second look at what later stages make of a sure alignment."""

    def __init__(self, look: SecondLook, start: Tensor, knows_contrasts: bool):
        self._look, self._least_gain = look, _GAINED if knows_contrasts else math.inf
        self._at_start = look(start)
        self._alike = look.of_all_directions(start) >= _ALIKE

    def believes_network(self, displacement_px: Tensor) -> bool:
        """Whether it shows the same structures in a like way: a field that only correlates better does not."""
        gained = self._look(displacement_px) - self._at_start
        return gained >= self._least_gain or (
            gained >= _GAIN_OF_NETWORK and self._look.of_all_directions(displacement_px) >= _BELIEVED
        )

    def helped(self, displacement_px: Tensor) -> bool:
        """Whether the images agree more than under the alignment."""
        least = _GAIN_OF_REFINEMENT if self._alike else _SHARE * self._at_start
        return self._look(displacement_px) - self._at_start >= least


def _look(
    moving: np.ndarray,
    fixed: np.ndarray,
    aligned: Tensor,
    alignment: Alignment | None,
    inside: dict[str, np.ndarray | None],
    knows_contrasts: bool,
) -> _Trusting | _Judging:
    if alignment is None:
        return _Trusting()
    return _Judging(
        SecondLook(moving, fixed, aligned, **inside, directions=alignment.directions), aligned, knows_contrasts
    )


def _opinion(
    moving: np.ndarray,
    fixed: np.ndarray,
    network: Callable[[Tensor, Tensor], Tensor],
    device: torch.device,
    inside: dict[str, np.ndarray | None],
    drawn_surround: bool,
) -> Callable[[np.ndarray], float]:
    """How sure the network's field behind a matrix makes it that the images show the same thing."""

    def confidence(matrix: np.ndarray) -> float:
        place = Alignment("affine", "affine", matrix, 0.0, 0.0, 0.0, 0.0)
        start = total_displacement(place, torch.zeros(1, 2, *fixed.shape, device=device))
        with torch.no_grad():
            found = _behind(moving, fixed, network, device, place, _surround(inside, drawn_surround))
        seen = SecondLook(moving, fixed, start, **inside).of_all_directions(found)
        return float(1 / (1 + np.exp(-_SURENESS * (seen - _HALF_SURE))))

    return confidence


def _mask(inside: np.ndarray | None, device: torch.device) -> Tensor | None:
    return None if inside is None else torch.from_numpy(inside)[None, None].to(device)


def _surround(inside: dict[str, np.ndarray | None], drawn: bool) -> tuple[np.ndarray, np.ndarray] | None:
    """Where each image shows tissue, if what lies around it was drawn."""
    return (inside["inside_moving"], inside["inside_fixed"]) if drawn else None


def _behind(
    moving: np.ndarray,
    fixed: np.ndarray,
    network: Callable[[Tensor, Tensor], Tensor],
    device: torch.device,
    alignment: Alignment | None,
    surround: tuple[np.ndarray, np.ndarray] | None,
) -> Tensor:
    def residual(surround: tuple[np.ndarray, np.ndarray] | None) -> Tensor:
        seen = seen_by_network(moving, fixed, alignment, surround)
        return network(*(as_batch([image], device) for image in seen)).float()

    found = residual(None)
    if surround is not None and not hides_tissue(found, alignment, surround):
        found = residual(surround)
    return total_displacement(alignment, found)


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[name] = time.perf_counter() - began
