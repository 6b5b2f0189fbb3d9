"""One OCTA acquisition of an eye: speckle, noise, lost capillaries, shading, motion stripes and shadows."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import correlate1d

from .settings import RepeatSettings
from .smooth import blob, smooth_field


def acquire(eye: np.ndarray, settings: RepeatSettings, rng: np.random.Generator) -> np.ndarray:
    """Simulate one acquisition.

    Parameters
    ----------
    eye : numpy.ndarray
        (size, size) clean image in [0, 1].
    settings : RepeatSettings
    rng : numpy.random.Generator

    Returns
    -------
    numpy.ndarray
        (size, size) float32 in [0, 1].
    """
    size = eye.shape[0]
    strength = 1 + settings.noise_spread * rng.uniform(-1, 1)
    signal = _drop_capillaries(np.asarray(eye, dtype=np.float32), settings, rng)
    # Decorrelation saturates in large vessels: the brighter the signal, the weaker its speckle.
    signal = signal + signal * (1 - signal) * (_speckle(size, strength * settings.speckle, settings.grain_px, rng) - 1)
    signal += strength * settings.noise * _grain(size, settings.grain_px, rng)
    signal *= _gain(size, settings, rng)
    return np.clip(signal, 0, 1, out=signal)


def _grain(size: int, grain_px: float, rng: np.random.Generator) -> np.ndarray:
    """Blurred white noise (size, size) of mean 0 and standard deviation 1."""
    noise = rng.standard_normal((size, size), dtype=np.float32)
    if grain_px == 0:
        return noise
    for axis, sigma in ((0, grain_px), (1, 1.5 * grain_px)):  # longer along the scan lines, as in real images
        radius = int(np.ceil(3 * sigma))
        kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
        kernel /= np.sqrt((kernel**2).sum())  # keeps the variance
        noise = correlate1d(noise, kernel, axis=axis, mode="wrap")
    return noise


def _speckle(size: int, deviation: float, grain_px: float, rng: np.random.Generator) -> np.ndarray:
    """Nearly gamma-distributed factors (size, size) of mean 1: the cube of a normal variable (Wilson, Hilferty)."""
    root = np.float32(1 - deviation**2 / 9) + np.float32(deviation / 3) * _grain(size, grain_px, rng)
    return np.maximum(root, 0) ** 3


def _drop_capillaries(eye: np.ndarray, settings: RepeatSettings, rng: np.random.Generator) -> np.ndarray:
    loss = np.zeros_like(eye)
    for _ in range(rng.poisson(settings.dropout_patches)):
        radii = settings.dropout_px * rng.uniform(0.4, 1.6, size=2)
        depth = np.float32(settings.dropout_depth * rng.uniform(0.3, 1))
        np.maximum(loss, depth * blob(len(eye), rng.uniform(0, len(eye), size=2), radii), out=loss)
    # Weighted by darkness, so that capillaries vanish while the bright larger vessels stay.
    return eye * (1 - loss * (1 - eye))


def _gain(size: int, settings: RepeatSettings, rng: np.random.Generator) -> np.ndarray:
    shading = np.exp(settings.gain_amplitude * smooth_field(size, settings.gain_spacing_px, rng)[0])
    gain = shading * _row_gain(size, settings, rng)[:, None]
    if rng.random() < settings.shadow_probability:
        depth = np.float32(settings.shadow_depth * rng.uniform(0.4, 1))
        gain *= 1 - depth * blob(size, rng.uniform(0, size, size=2), size * rng.uniform(0.06, 0.25, size=2))
    return gain


def _row_gain(size: int, settings: RepeatSettings, rng: np.random.Generator) -> np.ndarray:
    logarithm = settings.row_jitter * rng.standard_normal(size, dtype=np.float32)
    for _ in range(rng.poisson(settings.stripes)):
        start = int(rng.integers(0, size))
        # Mostly a row or two, now and then a broad band, as after a blink.
        rows = 1 + int(rng.exponential(size / 100))
        logarithm[start : start + rows] += np.float32(settings.stripe_depth * rng.standard_normal())
    return np.exp(logarithm)
