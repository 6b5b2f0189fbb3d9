"""Settings of the refinement."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

from ..errors import InputError


@dataclass(frozen=True)
class RefinementSettings:
    """How one pair's field is refined.

    Attributes
    ----------
    steps : int
        Most optimisation steps; 0 returns the field as it is.
    coarse_share : float
        Share of the steps that are taken first, on images of half the size and windows of half the width: they cost a
        quarter and go as far.
    fine_rate : float
        Share of the learning rate that the other steps, on the images as they are, begin with.
    spacing_px : float
        Distance of the finest grid's control points in grid pixels, about: the grid has a whole number of cells that
        can be halved for every other level.
    levels : int
        Control grids, each with half the cells of the next. All are optimised at once: the coarse ones carry what is
        common to a region in a few steps.
    learning_rate : float
        Of Adam, in grid pixels: about the most that a control point of the coarsest grid moves in a step; half of it for
        each finer grid. It falls to zero over the steps, along a cosine.
    smoothness_weight : float
        Of the mean squared gradient of the added displacement, against a correlation in [0, 1].
    window : int
        Side of the correlation's window, odd, in pixels of the reduced images.
    shrink : int
        The images are averaged over squares of this many pixels; 1 keeps them.
    blur_px : float
        Standard deviation, in grid pixels, of the Gaussian that both images are smoothed with first: interpolation
        smooths the warped image anyway, and differently at each position.
    start_blur_px, keep_px : float
        The start is smoothed with a Gaussian of `start_blur_px` grid pixels where it departs from its smooth version by
        less than `keep_px`, and not at all where by twice that: jumps of several pixels are eye movements, ripples are
        a network's noise. `start_blur_px` 0 leaves the start as it is.
    patience : int
        When this many steps in a row have brought no gain, the refinement goes back to the best so far and on at half the
        rate; the third time in a row it stops.
    least_gain : float
        Smaller rises of the measure are no gain.
    """

    steps: int = 30
    coarse_share: float = 2 / 3
    fine_rate: float = 0.25
    spacing_px: float = 12.5
    levels: int = 4
    learning_rate: float = 0.6
    smoothness_weight: float = 20.0
    window: int = 13
    shrink: int = 1
    blur_px: float = 0.7
    start_blur_px: float = 8.0
    keep_px: float = 1.0
    patience: int = 3
    least_gain: float = 1e-5

    def __post_init__(self):
        for name, lowest in (("steps", 0), ("levels", 1), ("window", 3), ("shrink", 1), ("patience", 1)):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < lowest:
                raise InputError(f"refinement: {name} must be a whole number of at least {lowest}, but is {value!r}.")
        for name, lowest in _LOWEST.items():
            value = getattr(self, name)
            # Written so that NaN fails too.
            if not (isinstance(value, (int, float)) and lowest <= value < float("inf")):
                raise InputError(f"refinement: {name} must be a number of at least {lowest:g}, but is {value!r}.")
        if self.window % 2 == 0:
            raise InputError(f"refinement: window must be odd, but is {self.window}.")
        if not self.coarse_share <= 1:
            raise InputError(f"refinement: coarse_share must be at most 1, but is {self.coarse_share!r}.")

    def cells(self, extent: int) -> int:
        """Cells of the finest grid along an axis of `extent` pixels: a multiple of 2 ** (levels - 1)."""
        coarsest = max(1, round(extent / self.spacing_px / 2 ** (self.levels - 1)))
        return coarsest * 2 ** (self.levels - 1)

    def passes(self) -> list[RefinementSettings]:
        """What is done one after the other, each as settings without a coarse part."""
        coarse = round(self.coarse_share * self.steps)
        first = replace(
            self, steps=coarse, coarse_share=0.0, shrink=2 * self.shrink, window=2 * max(self.window // 4, 1) + 1
        )
        rate = self.learning_rate * (self.fine_rate if coarse else 1)
        second = replace(self, steps=self.steps - coarse, coarse_share=0.0, learning_rate=rate)
        return [settings for settings in (first, second) if settings.steps]

    def to_dict(self) -> dict:
        """Plain values, for a record."""
        return asdict(self)


_LOWEST = {
    "coarse_share": 0.0,
    "fine_rate": 0.0,
    "spacing_px": 2.0,
    "learning_rate": 0.0,
    "smoothness_weight": 0.0,
    "blur_px": 0.0,
    "start_blur_px": 0.0,
    "keep_px": 0.1,
    "least_gain": 0.0,
}
