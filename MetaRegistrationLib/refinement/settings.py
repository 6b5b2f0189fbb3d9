"""Settings of the refinement."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from ..errors import InputError


@dataclass(frozen=True)
class RefinementSettings:
    """How one pair's field is refined.

    Attributes
    ----------
    steps : int
        Most optimisation steps; 0 returns the field as it is.
    cells : int
        Cells of the finest control grid along each axis (of `cells` + 3 control points).
    levels : int
        Control grids, each with half the cells of the next. All are optimised at once: the coarse ones carry what is
        common to a region in a few steps.
    learning_rate : float
        Of Adam, in frame pixels: about the most that a control point moves in a step. It falls to zero over the steps,
        along a cosine.
    smoothness_weight : float
        Of the mean squared gradient of the added displacement, against a correlation that lies in [0, 1].
    window : int
        Side of the correlation's window, odd, in pixels of the reduced images.
    shrink : int
        The images are averaged over squares of this many pixels.
    blur_px : float
        Standard deviation, in frame pixels, of the Gaussian that both images are smoothed with first: interpolation
        smooths the warped image anyway, and differently at each position.
    patience : int
        The refinement stops when this many steps in a row have brought no gain.
    least_gain : float
        Smaller rises of the measure do not count as a gain.
    """

    steps: int = 30
    cells: int = 16
    levels: int = 3
    learning_rate: float = 0.4
    smoothness_weight: float = 10.0
    window: int = 9
    shrink: int = 2
    blur_px: float = 0.7
    patience: int = 12
    least_gain: float = 1e-5

    def __post_init__(self):
        for name, lowest in (("steps", 0), ("cells", 1), ("levels", 1), ("window", 3), ("shrink", 1), ("patience", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
                raise InputError(f"refinement: {name} must be a whole number of at least {lowest}, but is {value!r}.")
        for name in ("learning_rate", "smoothness_weight", "blur_px", "least_gain"):
            value = getattr(self, name)
            # Written so that NaN fails too.
            if not (isinstance(value, (int, float)) and 0 <= value < float("inf")):
                raise InputError(f"refinement: {name} must be a number of at least 0, but is {value!r}.")
        if self.window % 2 == 0:
            raise InputError(f"refinement: window must be odd, but is {self.window}.")
        if self.cells % 2 ** (self.levels - 1):
            raise InputError(
                f"refinement: {self.cells} cells cannot be halved {self.levels - 1} times. Use fewer levels, or cells "
                f"that are a multiple of {2 ** (self.levels - 1)}."
            )

    def to_dict(self) -> dict:
        """Plain values, for a record."""
        return asdict(self)
