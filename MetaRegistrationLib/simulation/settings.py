"""Settings of simulated repeat visits."""

from __future__ import annotations

from dataclasses import dataclass

from .number_settings import NumberSettings

_UPPER_LIMITS = {
    "saccade_probability": 1.0,
    "shadow_probability": 1.0,
    "dropout_depth": 1.0,
    "shadow_depth": 1.0,
    "noise_spread": 1.0,
    "smallest_jacobian": 0.9,
    "margin": 0.4,
}
_LOWER_LIMITS = {"coarse_spacing_px": 4.0, "fine_spacing_px": 4.0, "gain_spacing_px": 4.0}


@dataclass(frozen=True)
class RepeatSettings(NumberSettings):
    """How a simulated repeat visit differs from the first one.

    Lengths ending in ``_px`` are pixels of the frame unless stated otherwise. The parts of the deformation are given
    with their size relative to one another: each pair's whole field is scaled to the mean displacement of that pair.

    Attributes
    ----------
    displacement_px, displacement_spread_px : float
        Mean and standard deviation over pairs of a pair's mean displacement (drawn from a gamma distribution).
    rotation_deg, translation_px : float
        Standard deviation of the rotation (degrees) and of the translation along each axis.
    coarse_spacing_px, coarse_amplitude_px, fine_spacing_px, fine_amplitude_px : float
        The two scales of the elastic field: distance of the control points, standard deviation along each axis.
    saccade_probability, saccade_px : float
        Probability that a pair has rows shifted by eye movements; standard deviation of such a shift.
    smallest_jacobian : float
        The elastic part is reduced until its Jacobian determinant is above this everywhere.
    margin : float
        Part of the eye image cut off at each side, so that shifts bring in real content rather than black.
    denoise_px : float
        Standard deviation, in pixels of the eye image, of the Gaussian that takes the eye image's own noise away,
        since noise that both visits shared would not be noise. Use 0 for a clean eye (a phantom).
    speckle, noise : float
        Standard deviation of the multiplicative speckle (of a mean of 1) and of the additive noise (of an image range
        of 1).
    noise_spread : float
        Both of these are multiplied, per acquisition, by a number drawn uniformly from 1 - spread to 1 + spread.
    grain_px : float
        Grain size of speckle and noise: standard deviation of the Gaussian that blurs them
        (across the rows; 1.5 times that along them).
    dropout_patches, dropout_px, dropout_depth : float
        Mean number of patches without capillaries, mean radius, greatest part of the capillary signal that is lost.
    gain_amplitude, gain_spacing_px : float
        Smooth shading: standard deviation of the logarithm of the gain, distance of its control points.
    row_jitter : float
        Standard deviation of the logarithm of each row's gain.
    stripes, stripe_depth : float
        Mean number of motion stripes (bright or dark groups of a few rows) and standard deviation of their log gain.
    shadow_probability, shadow_depth : float
        Probability of a shadow (of a floater, or of the pupil's rim) and the greatest part of the signal it takes.
    """

    subject = "simulation"
    at_least = _LOWER_LIMITS
    at_most = _UPPER_LIMITS

    displacement_px: float = 10.0
    displacement_spread_px: float = 4.0
    rotation_deg: float = 1.5
    translation_px: float = 6.0
    coarse_spacing_px: float = 130.0
    coarse_amplitude_px: float = 3.5
    fine_spacing_px: float = 45.0
    fine_amplitude_px: float = 1.2
    saccade_probability: float = 0.3
    saccade_px: float = 3.0
    smallest_jacobian: float = 0.2
    margin: float = 0.04
    denoise_px: float = 0.7
    speckle: float = 0.55
    noise: float = 0.05
    noise_spread: float = 0.4
    grain_px: float = 0.5
    dropout_patches: float = 3.0
    dropout_px: float = 25.0
    dropout_depth: float = 0.7
    gain_amplitude: float = 0.2
    gain_spacing_px: float = 130.0
    row_jitter: float = 0.06
    stripes: float = 4.0
    stripe_depth: float = 0.35
    shadow_probability: float = 0.2
    shadow_depth: float = 0.6
