"""elastix (Klein et al., 2010; Shamonin et al., 2014), through itk-elastix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from tempfile import TemporaryDirectory

import itk
import numpy as np
import torch

from MetaRegistrationLib.core.spatial import warp

from .base import Peer, correlation, from_xy, mutual_information

# Lowest share of the frame in which a start's images must overlap.
_OVERLAP = 0.35


@dataclass(frozen=True)
class Setup:
    """Default parameter maps of elastix, and what is changed in them.

    Attributes
    ----------
    stages : tuple of str
        Names of default maps, one after the other.
    changed : dict
        By stage: values by parameter, several values separated by blanks.
    starts_px : tuple of (row, column)
        Translations from which `start_stage` is tried; the best goes on. Nothing is tried with less than two.
    start_stage : dict
        Changes of the rigid map for that.
    """

    stages: tuple[str, ...]
    changed: dict[str, dict[str, str]] = field(default_factory=dict)
    starts_px: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    start_stage: dict[str, str] = field(default_factory=dict)


_USUAL = Setup(("translation", "rigid", "bspline"))
_TUNED = Setup(
    ("rigid", "affine", "bspline"),
    {
        "rigid": {"NumberOfResolutions": "4", "ImagePyramidSchedule": "16 16 8 8 4 4 2 2"},
        "affine": {"NumberOfResolutions": "2"},
        "bspline": {
            "Metric": "AdvancedNormalizedCorrelation TransformBendingEnergyPenalty",
            "Metric1Weight": "1000",
            "FinalGridSpacingInPhysicalUnits": "16",
        },
    },
    starts_px=((0.0, 0.0), (25.0, 25.0), (25.0, -25.0), (-25.0, 25.0), (-25.0, -25.0)),
    start_stage={
        "NumberOfResolutions": "2",
        "ImagePyramidSchedule": "16 16 8 8",
        "MaximumNumberOfIterations": "150",
    },
)
_CONTRASTS = replace(
    _TUNED,
    changed={
        **_TUNED.changed,
        "bspline": {
            "Metric": "AdvancedMattesMutualInformation TransformBendingEnergyPenalty",
            "Metric1Weight": "100",
            "FinalGridSpacingInPhysicalUnits": "16",
        },
    },
)


def peers(threads: int) -> Iterable[Peer]:
    """elastix as it comes (with the greys that are better for it on each test bed), and tuned."""
    yield peer("elastix", _USUAL, "plain", threads, ("R",))
    yield peer("elastix", _USUAL, "equalised", threads, ("S",))
    yield peer("elastix, tuned", _TUNED, "plain", threads)


def contrast_peers(threads: int) -> Iterable[Peer]:
    """For images of different contrast: mutual information in every stage and for the choice of a start."""
    yield peer("elastix, tuned, MI", _CONTRASTS, "plain", threads, score=mutual_information)


def peer(
    name: str,
    setup: Setup,
    greys: str,
    threads: int,
    beds: tuple[str, ...] = ("R", "S"),
    score: Callable[[np.ndarray, np.ndarray], float] = correlation,
) -> Peer:
    """A row with one set of parameters; `score` says how well the grey values of a start agree."""

    def register(moving: np.ndarray, fixed: np.ndarray) -> np.ndarray:
        start = _best_start(moving, fixed, setup, threads, score)
        return _field(moving, fixed, _parameters(setup.stages, setup.changed), start, threads)

    return Peer(name, greys, asdict(setup), register, ("itk-elastix", "itk-core"), beds)


def _parameters(stages: Sequence[str], changed: dict[str, dict[str, str]]) -> itk.ParameterObject:
    parameters = itk.ParameterObject.New()
    for stage in stages:
        resolutions = int(changed.get(stage, {}).get("NumberOfResolutions", 4))
        stage_map = parameters.GetDefaultParameterMap(stage, resolutions)
        for key, value in changed.get(stage, {}).items():
            stage_map[key] = value.split()
        parameters.AddParameterMap(stage_map)
    return parameters


def _best_start(
    moving: np.ndarray,
    fixed: np.ndarray,
    setup: Setup,
    threads: int,
    score: Callable[[np.ndarray, np.ndarray], float],
) -> tuple[float, float]:
    """The shift of the frame's centre at which rigid registration at low resolution comes to the highest score."""
    if len(setup.starts_px) < 2:
        return setup.starts_px[0]
    parameters = _parameters(("rigid",), {"rigid": setup.start_stage})
    found = [_field(moving, fixed, parameters, start, threads) for start in setup.starts_px]
    best = max(found, key=lambda field: _score(moving, fixed, field, score))
    return tuple(float(shift) for shift in best[:, best.shape[1] // 2, best.shape[2] // 2])


def _field(
    moving: np.ndarray,
    fixed: np.ndarray,
    parameters: itk.ParameterObject,
    start: tuple[float, float],
    threads: int,
) -> np.ndarray:
    """The field of a registration that starts from a translation, given to elastix as the moving image's origin."""
    moving_image, fixed_image = (itk.image_from_array(np.ascontiguousarray(image)) for image in (moving, fixed))
    moving_image.SetOrigin((-start[1], -start[0]))
    _, transform = itk.elastix_registration_method(
        fixed_image, moving_image, parameter_object=parameters, number_of_threads=threads, log_to_console=False
    )
    # The moving image in this call only lends its grid: the field's is that of the fixed image. A file of it is written too.
    with TemporaryDirectory() as folder:
        found = itk.transformix_deformation_field(fixed_image, transform, output_directory=folder)
        vectors = from_xy(itk.array_from_image(found))
    return vectors + np.array(start, dtype=np.float32)[:, None, None]


def _score(
    moving: np.ndarray,
    fixed: np.ndarray,
    displacement_px: np.ndarray,
    score: Callable[[np.ndarray, np.ndarray], float],
) -> float:
    stack = torch.from_numpy(np.stack([moving, np.ones_like(moving)]))[None]
    moved, defined = warp(stack, torch.from_numpy(displacement_px)[None])[0].numpy()
    inside = defined > 0.999
    if inside.mean() < _OVERLAP:
        return -1.0
    return score(moved[inside], fixed[inside])
