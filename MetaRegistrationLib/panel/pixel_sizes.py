"""Pixel sizes that the user gave in the panel."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class PixelSizes:
    """In micrometres; None where nothing was given. The names are those of `find_pairs`.

    Attributes
    ----------
    spacing_um : float or None
        For both images, if they have none.
    moving_spacing_um : float or None
        For the moving image; it overrides that of the image.
    override_spacing : bool
        `spacing_um` overrides the pixel sizes of the images.
    """

    spacing_um: float | None = None
    moving_spacing_um: float | None = None
    override_spacing: bool = False

    @classmethod
    def given_in(cls, ui) -> PixelSizes:
        """The values of the widgets of the sections *Pairs* and *Advanced*."""
        both = ui.spacingSpinBox.value or None
        moving = ui.movingSpacingSpinBox.value or None
        return cls(both, moving, bool(both and ui.overrideSpacingCheckBox.checked))

    @property
    def of_each(self) -> tuple[float | None, float | None]:
        """Of the moving and the fixed image."""
        return self.moving_spacing_um or self.spacing_um, self.spacing_um

    @property
    def forced(self) -> tuple[bool, bool]:
        """Whether they override the pixel sizes of the moving and of the fixed image."""
        return self.moving_spacing_um is not None or self.override_spacing, self.override_spacing

    def to_dict(self) -> dict:
        """As keyword arguments of `find_pairs`."""
        return asdict(self)
