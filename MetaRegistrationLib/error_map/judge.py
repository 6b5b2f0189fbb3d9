"""From a pair of images and its fields to maps of predicted errors."""

from __future__ import annotations

import os
import pickle
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..core.spatial import warp
from ..errors import InputError
from ..formats.files import replacing
from ..resources import error_predictor
from .maps import ErrorMap
from .predictor import CELLS, SIZE, Described, ErrorPredictor, Predicted
from .torn_rows import tilt_of, with_torn_rows

UNKNOWN = "unknown"
ORIGINS = ("initial", "network", "again", "refine")
"""What gives a field: initial alignment, a network, a network run once more, refinement."""
_NO_CORRECTION = (1.0, 0.0)
_LEAST_SHARE = 0.25
"""Of a prediction, what a correction leaves at least."""
_FORMAT = "MetaRegistration error predictor 1"
_FRAME = 400
MOVED_LEAST = 0.95
"""Share of a warped pixel that has to come from tissue."""


@dataclass(frozen=True)
class Corrections:
    """Factors that make the predictions true on tasks and images that the predictor was not trained on.

    Attributes
    ----------
    median, bound, mean : float
        Of the three predictions.
    by_origin : dict of str to (float, float)
        A factor and a number of pixels that is added, to all three, by what gave the field (`ORIGINS`). A network's field follows
        the noise of both images a little, which makes them look more alike than they are aligned. A refined field is smooth.
    """

    median: float = 1.0
    bound: float = 1.0
    mean: float = 1.0
    by_origin: dict[str, tuple[float, float]] = field(default_factory=dict)


class ErrorJudge:
    """Predicts the errors of fields.

    Parameters
    ----------
    predictor : ErrorPredictor
    corrections : Corrections
    device : torch.device
    """

    def __init__(self, predictor: ErrorPredictor, corrections: Corrections, device: torch.device):
        self._predictor = predictor.to(device).eval()
        self._corrections, self._device = corrections, device

    def of_pair(
        self, moving: np.ndarray, fixed: np.ndarray, inside_moving: np.ndarray, inside_fixed: np.ndarray
    ) -> PairJudge:
        """The judge of the fields of one pair.

        Parameters
        ----------
        moving, fixed : float32 arrays (S, S) in [0, 1]
            Images on network grids.
        inside_moving, inside_fixed : bool arrays (S, S)
            Tissue masks.
        """
        return PairJudge(self, *(self._stack(*side) for side in ((moving, inside_moving), (fixed, inside_fixed))))

    def _stack(self, image: np.ndarray, inside: np.ndarray) -> Tensor:
        weight = np.asarray(inside, dtype=np.float32)
        return torch.from_numpy(np.stack((image * weight, weight)).astype(np.float32))[None].to(self._device)

    @torch.no_grad()
    def described(self, image: Tensor) -> Described:
        """An image (B, 2, 200, 200) as the predictor compares it."""
        return self._predictor.describe(image)

    @torch.no_grad()
    def predicted(self, fixed: Described, moved: Described, field_px: Tensor, origins: Sequence[str]) -> Predicted:
        """The corrected predictions for fields of known origins."""
        found, factors = self._predictor.compare(fixed, moved, field_px), self._corrections
        by_origin = found.mean.new_tensor([factors.by_origin.get(name, _NO_CORRECTION) for name in origins])
        factor, added = by_origin[:, :, None, None].unbind(1)

        def corrected(values: Tensor, whole: float) -> Tensor:
            values = values * whole
            return torch.maximum(factor * values + added, _LEAST_SHARE * values)

        median = corrected(found.median, factors.median)
        bound = torch.maximum(corrected(found.bound, factors.bound), median)
        return Predicted(median, bound, corrected(found.mean, factors.mean))


class PairJudge:
    """Predicts the errors of the fields of one pair.

    Parameters
    ----------
    judge : ErrorJudge
    moving, fixed : Tensor (1, 2, S, S)
        Grey values of the tissue, and its mask.
    """

    def __init__(self, judge: ErrorJudge, moving: Tensor, fixed: Tensor):
        self._judge, self._moving = judge, moving
        self._fixed = judge.described(reduced(fixed, 0.5))
        self._grey: list[tuple[Tensor, Tensor, Tensor]] = []  # fields, and the grey values that they were judged by

    @torch.no_grad()
    def __call__(self, fields_px: Sequence[Tensor], origins: Sequence[str] | None = None) -> list[ErrorMap]:
        """The error maps of fields.

        Parameters
        ----------
        fields_px : sequence of Tensor (1, 2, S, S)
            In pixels of the network grid.
        origins : sequence of str, optional
            What gave each of them (`ORIGINS`); by default it is not known.
        """
        origins = origins or [UNKNOWN] * len(fields_px)
        size = fields_px[0].shape[-1]
        scale = _FRAME / size
        moved = torch.cat([reduced(warp(self._moving, field.to(self._moving)), MOVED_LEAST) for field in fields_px])
        fields = torch.cat([functional.adaptive_avg_pool2d(field.to(self._moving), CELLS) for field in fields_px])
        described = self._judge.described(moved)
        found = self._judge.predicted(self._fixed, described, without_affine(fields * scale), origins)
        self._grey += zip(fields_px, described.features[:, 0], described.weight[:, 0], strict=True)
        shown = functional.adaptive_avg_pool2d(self._fixed.weight * moved[:, 1:], CELLS)[:, 0]
        values = [each.float().cpu().numpy() / scale for each in (found.median, found.bound, found.mean)]
        shares = shown.float().cpu().numpy()
        return [ErrorMap(*(each[k] for each in values), shares[k], size) for k in range(len(fields_px))]

    @torch.no_grad()
    def with_torn_rows(self, error: ErrorMap, field_px: Tensor, stored_px: Tensor) -> ErrorMap:
        """The error map of a field, raised at rows where the eye moved during a scan.

        Parameters
        ----------
        error : ErrorMap
        field_px : Tensor (1, 2, S, S)
            The field, which this judge has judged.
        stored_px : Tensor (1, 2, S, S)
            The same field into the moving image as it was recorded, whose rows it shows.
        """
        grey, weight = next((grey, weight) for field, grey, weight in self._grey if field is field_px)
        shown = self._fixed.weight[0, 0] * weight
        fixed, moving = ((image * shown).float().cpu().numpy() for image in (self._fixed.features[0, 0], grey))
        return with_torn_rows(error, fixed, moving, tilt_of(stored_px[0].float().cpu().numpy()))


def without_affine(field_px: Tensor) -> Tensor:
    """What a displacement (B, 2, n, n) adds to the affine one nearest to it: two visits may be turned by any angle."""
    cells = field_px.shape[-1]
    axis = torch.linspace(-1, 1, cells, dtype=field_px.dtype, device=field_px.device)
    rows, columns = axis[:, None].expand(cells, cells), axis[None].expand(cells, cells)
    # On a whole grid these terms are orthogonal.
    found = field_px
    for term in (torch.ones_like(rows), rows, columns):
        found = found - (found * term).sum((2, 3), keepdim=True) / term.square().sum() * term
    return found


def reduced(stack: Tensor, least: float) -> Tensor:
    """Values and weight (B, 2, S, S) at the size that the predictor sees; the weight is 1 where at least `least` is defined."""
    weight = functional.adaptive_avg_pool2d(stack[:, 1:], SIZE // 2)
    weight = functional.interpolate((weight > least).float(), scale_factor=2, mode="nearest")
    return torch.cat((functional.adaptive_avg_pool2d(stack[:, :1], SIZE) * weight, weight), dim=1)


def save_judge(path: str | os.PathLike, predictor: ErrorPredictor, corrections: Corrections) -> None:
    """Write a predictor with its corrections, atomically; weights in half precision."""
    weights = {name: value.detach().cpu().half() for name, value in predictor.state_dict().items()}
    content = {"format": _FORMAT, "width": predictor.width, "weights": weights, "corrections": asdict(corrections)}
    with replacing(path) as temporary:
        torch.save(content, temporary)


def load_judge(path: str | os.PathLike, device: torch.device) -> ErrorJudge:
    """Read a predictor; nothing in the file is executed.

    Raises
    ------
    InputError
        The file is missing, damaged or of another kind.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        if content["format"] != _FORMAT:
            raise InputError(f"Error predictor {path}: another kind of file; expected {_FORMAT!r}.")
        predictor = ErrorPredictor(content["width"])
        predictor.float().load_state_dict({name: value.float() for name, value in content["weights"].items()})
        corrections = Corrections(**content["corrections"])
    except (OSError, RuntimeError, KeyError, TypeError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputError(
            f"Error predictor {path}: it cannot be read ({reason}). Install the extension again."
        ) from error
    return ErrorJudge(predictor, corrections, device)


@lru_cache(maxsize=4)
def shipped_judge(device: torch.device) -> ErrorJudge:
    """The error predictor that ships with the program, on a device."""
    return load_judge(error_predictor(), device)
